"""ComfyUI's LAYERS type, as its nodes Add Layer and Create Layered Image (0.31 and later) make and read it.

Both are written down here from what is known of them, with Pillow and NumPy: `add_layer` builds values and `composite`
is the reading side.
"""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from paintseg.errors import InputError
from paintseg.layers.blending import MODES
from paintseg.layers.compose import Placement, reassemble
from paintseg.layers.document import MOST_LAYERS, layers_value, read_layers, without_backdrop
from paintseg.layers.stack import NamedLayer

SIZE = (30, 40)


def add_layer(image, previous=None, canvas=None, mask=None, name="", rotation=0.0, width=0, height=0, **said):
    """A value as Add Layer makes it: nothing that has its default is said, degrees become radians."""
    item = {"image": image, "type": "raster", "x": said.pop("x", 0), "y": said.pop("y", 0)}
    item["z_index"] = said.pop("z_index", 0)
    usual = {"opacity": 1.0, "blend_mode": "normal", "flip_h": False, "flip_v": False}
    item |= {key: value for key, value in said.items() if value != usual[key]}
    item |= {key: value for key, value in (("name", name), ("w", width), ("h", height)) if value}
    if mask is not None:
        item["mask"] = mask
    if rotation:
        item["rotation"] = math.radians(rotation)
    value = {"version": 1, "layers": [*(previous["layers"] if previous else []), item]}
    return value | ({"canvas": canvas} if canvas else {})


def light(values):
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def stored(values):
    return np.where(values <= 0.0031308, values * 12.92, 1.055 * values ** (1 / 2.4) - 0.055)


def composite(value, size):
    """H x W x 4 as Create Layered Image shows a value; blend modes apart."""
    canvas = np.zeros((*size, 4))
    for item in sorted(value["layers"], key=lambda item: item.get("z_index", 0)):
        for number, image in enumerate(item["image"].numpy() if "image" in item else []):
            if not item.get("visible", True):
                continue
            alpha = image[..., 3] if image.shape[-1] == 4 else np.ones(image.shape[:2])
            if "mask" in item:
                masks = item["mask"].numpy()
                alpha = alpha * (1 - masks[number if len(masks) > 1 else 0])
            pixels = np.dstack([image[..., :3], alpha])
            shown = Image.fromarray(np.rint(pixels * 255).astype(np.uint8), "RGBA")
            if item.get("flip_h"):
                shown = shown.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
            if item.get("flip_v"):
                shown = shown.transpose(Image.Transpose.FLIP_TOP_BOTTOM)
            wanted = item.get("w", shown.width), item.get("h", shown.height)
            middle = item["x"] + wanted[0] / 2, item["y"] + wanted[1] / 2
            if shown.size != wanted:
                shown = shown.resize(wanted, Image.Resampling.LANCZOS)
            if item.get("rotation"):
                turn = -math.degrees(item["rotation"])  # Pillow turns counter-clockwise
                shown = shown.rotate(turn, Image.Resampling.BICUBIC, expand=True)
            left, top = (round(at - side / 2) for at, side in zip(middle, shown.size, strict=True))
            whole = Image.new("RGBA", (size[1], size[0]))
            whole.paste(shown, (left, top))
            front = np.asarray(whole) / 255
            alpha = front[..., 3:] * item.get("opacity", 1.0)
            total = alpha + canvas[..., 3:] * (1 - alpha)
            part = np.divide(alpha, total, out=np.zeros_like(alpha), where=total > 0)
            canvas[..., :3] = part * light(front[..., :3]) + (1 - part) * canvas[..., :3]
            canvas[..., 3:] = total
    return np.dstack([stored(canvas[..., :3]), canvas[..., 3]])


def ours(value, size=SIZE):
    """H x W x 4, what this library shows of a value on nothing."""
    return reassemble(torch.zeros(4, *size), read_layers(value).layers, None, linear=True).movedim(0, -1).numpy()


def noise(*shape, seed=0):
    return torch.randint(256, shape, generator=torch.Generator().manual_seed(seed)) / 255


def smooth(height, width, channels=3):
    rows, columns = torch.meshgrid(torch.linspace(0, 1, height), torch.linspace(0, 1, width), indexing="ij")
    return torch.stack([rows, columns, 1 - rows, torch.ones_like(rows)][:channels], -1)[None]


def assert_same(found, wanted, off=2 / 255):
    """Colours count as much as they are seen."""
    np.testing.assert_allclose(found[..., 3], wanted[..., 3], atol=off)
    seen = np.abs(found[..., :3] - wanted[..., :3]) * wanted[..., 3:]
    assert seen.max() <= off, seen.max()


@pytest.mark.parametrize(
    "said",
    [
        {},
        {"x": 5, "y": 3},
        {"x": -7, "y": 22},
        {"opacity": 0.4},
        {"flip_h": True, "x": 4},
        {"flip_v": True, "flip_h": True},
        {"rotation": 90.0, "x": 6, "y": 2},
        {"rotation": -180.0},
        {"mask": noise(1, 16, 20, seed=5)},
        {"visible": False},
    ],
    ids=lambda said: ", ".join(said) or "plain",
)
@pytest.mark.parametrize("channels", [3, 4])
def test_a_layer_added_in_comfyui_lies_where_comfyui_shows_it(said, channels):
    visible = said.pop("visible", True) if "visible" in (said := dict(said)) else True
    value = add_layer(noise(1, *SIZE, 3, seed=1))
    value = add_layer(noise(1, 16, 20, channels, seed=2), value, canvas=(SIZE[1], SIZE[0]), **said)
    value["layers"][-1]["visible"] = visible
    assert_same(ours(value), composite(value, SIZE))


@pytest.mark.parametrize("said", [{"width": 30, "height": 10}, {"width": 9, "height": 7}, {"rotation": 25.0}], ids=str)
def test_a_scaled_or_turned_layer_is_within_half_a_pixel(said):
    value = add_layer(smooth(16, 20), x=8, y=5, **said)
    found, wanted = ours(value), composite(value, SIZE)
    inside = (found[..., 3] > 0.99) & (wanted[..., 3] > 0.99)
    assert inside.sum() > 0.6 * (wanted[..., 3] > 0.5).sum() and np.abs(found - wanted)[inside].max() < 0.07
    assert abs(found[..., 3].sum() - wanted[..., 3].sum()) < 0.06 * wanted[..., 3].sum()


def test_layers_come_front_to_back_and_are_sorted_by_z_index_in_order_of_equals():
    value = None
    for name, z in (("a", 5), ("b", 0), ("c", 5), ("d", -3)):
        value = add_layer(noise(1, 4, 4, 3), value, name=name, z_index=z)
    assert [layer.name for layer in read_layers(value).layers] == ["c", "a", "b", "d"]


def test_a_batch_is_layers_one_in_front_of_the_other_with_a_mask_each_or_one_for_all():
    images, masks = noise(3, 6, 8, 3), noise(3, 6, 8, seed=1)
    value = add_layer(images, canvas=(8, 6), mask=masks, name="cup")
    stack = read_layers(value)
    assert [layer.name for layer in stack.layers] == ["cup 3", "cup 2", "cup 1"] and stack.size == (6, 8)
    for layer, image, mask in zip(stack.layers, reversed(images), reversed(masks), strict=True):
        assert torch.equal(layer.pixels[:3], image.movedim(-1, 0))
        assert torch.allclose(layer.pixels[3], 1 - mask)
    assert_same(ours(value, (6, 8)), composite(value, (6, 8)))
    one = add_layer(images, canvas=(8, 6), mask=masks[:1])
    assert all(torch.allclose(layer.pixels[3], 1 - masks[0]) for layer in read_layers(one).layers)


def test_a_mask_of_another_size_is_scaled_to_the_image():
    half = torch.zeros(1, 2, 4)
    half[..., 2:] = 1
    (layer,) = read_layers(add_layer(noise(1, 8, 16, 3), mask=half)).layers
    assert (layer.pixels[3, :, :6] == 1).all() and (layer.pixels[3, :, 10:] == 0).all()


def test_items_without_an_image_are_no_layers():
    value = add_layer(noise(1, 4, 4, 3), name="kept")
    value["layers"] += [{"type": "raster", "image": "file.png"}, {"x": 3}, None]
    assert [layer.name for layer in read_layers(value).layers] == ["kept"]


def test_without_a_canvas_it_reaches_as_far_as_the_layers():
    value = add_layer(noise(1, 10, 20, 3), x=7, y=-4)
    assert read_layers(value).size == (6, 27)
    assert read_layers(add_layer(noise(1, 10, 20, 3), rotation=90.0)).size == (15, 15)


def test_light_is_mixed_and_not_values():
    value = add_layer(torch.zeros(1, 2, 2, 3))
    value = add_layer(torch.ones(1, 2, 2, 3), value, canvas=(2, 2), opacity=0.5)
    assert ours(value, (2, 2))[0, 0].tolist() == pytest.approx([0.7354, 0.7354, 0.7354, 1], abs=1e-3)


@pytest.mark.parametrize(
    ("mode", "colour"),
    # by hand, of 0.6 behind and 0.4 in front; multiply, linear-dodge and subtract in light: 0.3185 and 0.1329
    [
        ("multiply", 0.2286),
        ("screen", 0.76),
        ("overlay", 0.52),
        ("darken", 0.4),
        ("lighten", 0.6),
        ("color-dodge", 1.0),
        ("color-burn", 0.0),
        ("hard-light", 0.48),
        ("difference", 0.2),
        ("exclusion", 0.52),
        ("linear-dodge", 0.7024),
        ("linear-burn", 0.0),
        ("subtract", 0.4689),
    ],
)
def test_a_blend_mode_changes_what_lies_behind_and_shows_nothing_over_nothing(mode, colour):
    value = add_layer(torch.full((1, 4, 2, 3), 0.6))
    value = add_layer(torch.full((1, 4, 4, 3), 0.4), value, canvas=(4, 4), blend_mode=mode)
    found = ours(value, (4, 4))
    assert found[0, 0].tolist() == pytest.approx([colour] * 3 + [1], abs=2e-3) and found[0, 3, 3] == 0
    assert mode in MODES


def test_a_blend_mode_that_is_not_known_here_is_blended_as_normal_and_said():
    stack = read_layers(add_layer(noise(1, 4, 4, 3), blend_mode="hue"))
    assert stack.layers[0].mode == "normal"
    assert stack.note == "blend modes that PaintSeg does not have are blended as normal: hue"


layer = st.builds(
    lambda seed, height, width, left, top, opaque, opacity, visible, mode: NamedLayer(
        f"layer {seed}",
        noise(3 if opaque else 4, height, width, seed=seed),
        opacity,
        visible,
        left,
        top,
        mode,
    ),
    st.integers(0, 999),
    st.integers(1, 12),
    st.integers(1, 12),
    st.integers(-20, 50),
    st.integers(-20, 50),
    st.booleans(),
    st.floats(0, 1),
    st.booleans(),
    st.sampled_from(MODES),
)


@settings(max_examples=40, deadline=None)
@given(layers=st.lists(layer, min_size=1, max_size=6), size=st.tuples(st.integers(1, 60), st.integers(1, 60)))
def test_what_is_handed_out_is_what_is_read(layers, size):
    stack = read_layers(layers_value(layers, size))
    assert stack.size == size and stack.note == "" and len(stack.layers) == len(layers)
    for mine, read in zip(layers, stack.layers, strict=True):
        assert (read.name, read.opacity, read.visible, read.mode) == (mine.name, mine.opacity, mine.visible, mine.mode)
        whole, part = torch.zeros(4, *mine.pixels.shape[1:]), read.pixels
        rows, columns = read.top - mine.top, read.left - mine.left
        whole[:, rows : rows + part.shape[1], columns : columns + part.shape[2]] = part
        given = mine.pixels if len(mine.pixels) == 4 else torch.cat([mine.pixels, torch.ones_like(mine.pixels[:1])])
        assert torch.equal(whole[3], given[3]) and torch.equal(whole * given[3:].sign(), given * given[3:].sign())


@settings(max_examples=20, deadline=None)
@given(layers=st.lists(layer, min_size=1, max_size=4))
def test_what_is_handed_out_is_shown_by_comfyui_as_here(layers):
    plain = [NamedLayer(one.name, one.pixels, one.opacity, one.visible, one.left, one.top) for one in layers]
    value = layers_value(plain, SIZE)
    assert_same(ours(value), composite(value, SIZE))


def test_what_is_handed_out_is_as_comfyui_has_it():
    pixels = torch.zeros(4, *SIZE)
    pixels[:, 5:12, 8:20] = noise(4, 7, 12) * 0.9 + 0.1
    plate = noise(3, *SIZE)
    value = layers_value([NamedLayer("cup", pixels, 0.5), NamedLayer("plate", plate)], SIZE)
    assert value["version"] == 1 and value["canvas"] == (40, 30)
    behind, front = value["layers"]
    assert torch.equal(behind.pop("image"), plate.movedim(0, -1)[None])
    assert behind == {"type": "raster", "x": 0, "y": 0, "z_index": 0, "name": "plate"}
    assert torch.equal(front.pop("image"), pixels[:, 5:12, 8:20].movedim(0, -1)[None])
    assert front == {"type": "raster", "x": 8, "y": 5, "z_index": 1, "name": "cup", "opacity": 0.5}


def test_a_plate_given_twice_is_the_one_that_is_wired():
    value = layers_value([NamedLayer("cup", noise(4, 9, 9)), NamedLayer("wall", noise(3, *SIZE))], SIZE)
    layers, note = without_backdrop(read_layers(value), SIZE)
    assert [layer.name for layer in layers] == ["cup"]
    assert note == "the last layer, 'wall', would hide all of the plate: it is left out, and the plate takes its place"
    other = noise(3, *SIZE, seed=9)
    picture = reassemble(other, layers, [Placement(0, dx=3)], linear=True)
    assert torch.equal(picture[:, 9:], other[:, 9:])


@pytest.mark.parametrize(
    "last",
    [
        NamedLayer("small", noise(3, 29, 40)),
        NamedLayer("moved", noise(3, *SIZE), left=1),
        NamedLayer("pale", noise(3, *SIZE), 0.9),
        NamedLayer("hidden", noise(3, *SIZE), visible=False),
        NamedLayer("multiplied", noise(3, *SIZE), mode="multiply"),
        NamedLayer("glass", noise(4, *SIZE)),
    ],
    ids=lambda layer: layer.name,
)
def test_what_lets_the_plate_through_stays(last):
    stack = read_layers(layers_value([NamedLayer("cup", noise(4, 9, 9)), last], SIZE))
    assert without_backdrop(stack, SIZE) == (stack.layers, "")


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        (torch.zeros(1, 2, 2, 4), "layers must be a LAYERS value, as Add Layer makes it, not Tensor"),
        ({"layers": None}, "layers must be a LAYERS value"),
        ({"version": 2, "layers": []}, "the layers are of version 2; only version 1 is known"),
        ({"version": 1, "layers": []}, "the layers hold no image: there is no layer in them"),
        ({"layers": [{"type": "text"}]}, "layers of the type text are not known; only raster is"),
        (add_layer(noise(1, 2, 2, 2)), "the image of a layer must be B x H x W x 3 or 4, not"),
        (add_layer(noise(1, 2, 2, 3), blend_mode="glow"), "the blend mode glow of a layer is not known"),
        (add_layer(noise(MOST_LAYERS + 1, 1, 1, 3)), "there are 51 layers; a LAYERS value holds 50 at most"),
        (
            add_layer(noise(1, 2, 2, 3), canvas=(99999, 4)),
            "the canvas of the layers is 99999 x 4; 16384 is the longest",
        ),
        (add_layer(noise(1, 2, 2, 3), width=16384, height=16384), "is too large; 67 million pixels is the most"),
        (add_layer(noise(1, 2, 2, 3) * math.nan), "the layer 'layer' holds NaN or infinite values"),
    ],
)
def test_what_is_no_value_is_refused(value, sentence):
    with pytest.raises(InputError, match=sentence):
        read_layers(value)


def test_what_cannot_be_handed_out_is_refused():
    with pytest.raises(InputError, match="there are no layers to hand out"):
        layers_value([], SIZE)
    with pytest.raises(InputError, match="there are 51 layers"):
        layers_value([NamedLayer("a", noise(3, 1, 1))] * 51, SIZE)
    with pytest.raises(InputError, match="the mode of the layer 'a' must be one of normal, multiply"):
        layers_value([NamedLayer("a", noise(3, 1, 1), mode="hue")], SIZE)
