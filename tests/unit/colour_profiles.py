"""ICC profiles (version 2) written out by hand: the machine that tests has none of its own."""

import struct

import numpy as np

ADOBE_RGB = (((0.60974, 0.31111, 0.01947), (0.20528, 0.62567, 0.06087), (0.14919, 0.06322, 0.74457)), 2.2)
"""Its primaries adapted to D50, in X, Y, Z, and its gamma."""

DISPLAY_P3 = (((0.51512, 0.2412, -0.00105), (0.29198, 0.69225, 0.04189), (0.1571, 0.06657, 0.78407)), 2.2)

SRGB = (((0.43607, 0.22249, 0.01392), (0.38515, 0.71687, 0.09708), (0.14307, 0.06061, 0.7141)), None)
"""sRGB as other people write it, its curve in 1024 steps."""

D50 = (0.9642, 1.0, 0.8249)


def rgb_profile(primaries, gamma):
    """A display's profile."""
    curve = _curve(gamma)
    red, green, blue = map(_xyz, primaries)
    tags = {
        b"wtpt": _xyz(D50),
        b"rXYZ": red,
        b"gXYZ": green,
        b"bXYZ": blue,
        b"rTRC": curve,
        b"gTRC": curve,
        b"bTRC": curve,
    }
    return _profile(b"mntr", b"RGB ", b"XYZ ", tags)


def grey_profile(gamma):
    """A grey display's profile."""
    return _profile(b"mntr", b"GRAY", b"XYZ ", {b"wtpt": _xyz(D50), b"kTRC": _curve(gamma)})


def cmyk_profile():
    """A printer's profile whose inks are paler than their names: full cyan, magenta and yellow leave half the light."""
    inks = np.stack(np.meshgrid(*[[0, 1]] * 4, indexing="ij"), -1).reshape(-1, 4)
    light = (1 - inks[:, :3] / 2) * (1 - inks[:, 3:])
    lightness = 116 * np.cbrt(light @ (0.2225, 0.7169, 0.0606)).clip(0.138) - 16
    hues = 128 + 120 * (light[:, 0] - light[:, 1]), 128 + 100 * (light[:, 1] - light[:, 2])
    lab = np.stack([lightness * 2.55, *hues], -1)
    table = struct.pack(">4s4xBBBx9i", b"mft1", 4, 3, 2, *(65536 if i % 4 == 0 else 0 for i in range(9)))
    table += bytes(range(256)) * 4 + lab.round().clip(0, 255).astype(np.uint8).tobytes() + bytes(range(256)) * 3
    return _profile(b"prtr", b"CMYK", b"Lab ", {b"wtpt": _xyz(D50), b"A2B0": table})


def _profile(kind, space, connection, tags):
    named = {b"desc": _text(b"a profile made for a test"), b"cprt": b"text\0\0\0\0none\0", **tags}
    start = 128 + 4 + 12 * len(named)
    table, content = struct.pack(">I", len(named)), b""
    for name, value in named.items():
        table += struct.pack(">4sII", name, start + len(content), len(value))
        content += value + b"\0" * (-len(value) % 4)
    head = struct.pack(">I4sI4s4s4s", start + len(content), b"\0" * 4, 0x02400000, kind, space, connection)
    head += struct.pack(">6H4s", 2026, 1, 1, 0, 0, 0, b"acsp") + b"\0" * 28 + b"".join(map(_fixed, D50))
    return head.ljust(128, b"\0") + table + content


def _text(text):
    return struct.pack(">4s4xI", b"desc", len(text) + 1) + text + b"\0" * 79


def _xyz(values):
    return b"XYZ \0\0\0\0" + b"".join(map(_fixed, values))


def _fixed(value):
    return struct.pack(">i", round(value * 65536))


def _curve(gamma):
    if gamma:
        return struct.pack(">4s4xIHxx", b"curv", 1, round(gamma * 256))
    steps = np.linspace(0, 1, 1024)
    linear = np.where(steps <= 0.04045, steps / 12.92, ((steps + 0.055) / 1.055) ** 2.4)
    return struct.pack(">4s4xI", b"curv", 1024) + (linear * 65535).round().astype(">u2").tobytes()
