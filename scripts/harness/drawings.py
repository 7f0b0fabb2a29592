"""What a person would have painted on the example photos: strokes, dots, rough masks, and a moving camera.

The workflows open with these in place, so that they run at once and show what such a file looks like. Coordinates are
pixels of the photo (x, y).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

from PIL import Image, ImageDraw

Spot = tuple[float, float]

ON = (60, 210, 130, 255)
OFF = (235, 70, 55, 255)
FINER = 4
FRAMES = 8
FRAME_SIDE = 320
FRAMES_PER_SECOND = 8

COFFEE_AND_ALL = (
    ((250, 75), (300, 60), (345, 90)),
    ((215, 150), (230, 205), (280, 232), (345, 215)),
    ((208, 285), (222, 262)),
    ((100, 150), (105, 240), (170, 330), (280, 365)),
    ((450, 170), (440, 260), (380, 350)),
    ((345, 275), (375, 310)),
)
TABLE = ((40, 60), (140, 25)), ((520, 60), (550, 200), (520, 340)), ((30, 330), (90, 385))
IN_FRONT_OF_THE_SAUCER = (
    [
        (172, 90),
        (180, 50),
        (215, 24),
        (280, 12),
        (345, 20),
        (392, 50),
        (412, 62),
        (428, 75),
        (420, 120),
        (398, 170),
        (388, 205),
        (384, 235),
        (404, 262),
        (408, 292),
        (392, 322),
        (360, 330),
        (332, 318),
        (322, 290),
        (322, 262),
        (300, 292),
        (262, 282),
        (248, 300),
        (214, 312),
        (192, 296),
        (196, 262),
        (206, 240),
        (186, 200),
        (172, 150),
    ],
)
SHUTTLE_DOTS = ((395, 205), (414, 60), (446, 120))
HELMET_DOTS = ((330, 440), (420, 400), (375, 490))
ROUGH_HELMET = [(272, 512), (280, 432), (320, 368), (384, 336), (448, 368), (496, 440), (504, 512)]
WOMAN = ((215, 60), (225, 130)), ((90, 300), (130, 420), (60, 470)), ((300, 270), (320, 320), (240, 390))


def strokes(size: tuple[int, int], lines: Sequence[Sequence[Spot]], width: int, color: tuple[int, ...]) -> Image.Image:
    """Round-ended brush strokes on nothing, RGBA, as Painter leaves them."""
    picture = Image.new("RGBA", (size[0] * FINER, size[1] * FINER), (*color[:3], 0))
    pen = ImageDraw.Draw(picture)
    radius = width * FINER / 2
    for line in lines:
        points = [(x * FINER, y * FINER) for x, y in line]
        pen.line(points, fill=color, width=width * FINER, joint="curve")
        for x, y in points:
            pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=color)
    return picture.resize(size, Image.Resampling.BOX)


def dots(size: tuple[int, int], places: Sequence[Spot], width: int, color: tuple[int, ...]) -> Image.Image:
    """Round dots on nothing, RGBA."""
    return strokes(size, [[place] for place in places], width, color)


def patch(size: tuple[int, int], outlines: Sequence[Sequence[Spot]], color: tuple[int, ...]) -> Image.Image:
    """Filled outlines on nothing, RGBA."""
    picture = Image.new("RGBA", (size[0] * FINER, size[1] * FINER), (*color[:3], 0))
    for outline in outlines:
        ImageDraw.Draw(picture).polygon([(x * FINER, y * FINER) for x, y in outline], fill=color)
    return picture.resize(size, Image.Resampling.BOX)


def erased(photo: Image.Image, drawn: Image.Image) -> Image.Image:
    """The photo, transparent where something was drawn: what the mask editor makes of Load Image's file."""
    clear = drawn.getchannel("A").point(lambda alpha: 0 if alpha > 127 else 255)
    result = photo.convert("RGBA")
    result.putalpha(clear)
    return result


def rough_helmet() -> Image.Image:
    """A rough, small mask of the astronaut's helmet, 128 x 128, 1 bit."""
    mask = Image.new("L", (128, 128))
    ImageDraw.Draw(mask).polygon([(x / 4, y / 4) for x, y in ROUGH_HELMET], fill=255)
    return mask.point(lambda value: value and 255, "1")


def label_map() -> Image.Image:
    """Three objects in three greys, roughly, 512 x 512 like the photo: the helmet, the woman, the shuttle."""
    drawn = Image.new("L", (128, 128))
    pen = ImageDraw.Draw(drawn)
    pen.polygon(
        [
            (40, 6),
            (60, 4),
            (74, 16),
            (74, 42),
            (86, 70),
            (90, 84),
            (72, 102),
            (66, 127),
            (6, 127),
            (8, 80),
            (28, 62),
            (38, 36),
        ],
        fill=160,
    )
    pen.polygon([(68, 127), (70, 108), (80, 92), (96, 84), (112, 92), (124, 110), (127, 127)], fill=80)
    pen.polygon([(98, 8), (104, 0), (112, 14), (114, 46), (116, 68), (94, 70), (92, 56), (96, 40)], fill=240)
    return drawn.resize((512, 512), Image.Resampling.NEAREST)


def camera(picture: Image.Image, frame: int) -> Image.Image:
    """What a hand-held camera sees of the astronaut's photo in one of `FRAMES` frames: it pans, turns and nears."""
    share = frame / (FRAMES - 1)
    zoom, angle = 1.04 + 0.12 * share, math.radians(5 * math.sin(math.pi * share))
    x, y = 326 + 16 * math.sin(2.2 * share), 172 - 8 * share
    cosine, sine = math.cos(angle) / zoom, math.sin(angle) / zoom
    half = FRAME_SIDE / 2
    turn = (cosine, -sine, x - half * cosine + half * sine, sine, cosine, y - half * sine - half * cosine)
    return picture.transform((FRAME_SIDE, FRAME_SIDE), Image.Transform.AFFINE, turn, Image.Resampling.BICUBIC)


def write_video(photo: Image.Image, path: Path) -> None:
    """The camera's frames as H.264."""
    import av

    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", FRAMES_PER_SECOND)
        stream.width = stream.height = FRAME_SIDE
        stream.pix_fmt, stream.options = "yuv420p", {"crf": "20", "preset": "veryslow"}
        for number in range(FRAMES):
            for packet in stream.encode(av.VideoFrame.from_image(camera(photo.convert("RGB"), number))):
                container.mux(packet)
        for packet in stream.encode():
            container.mux(packet)


def write_assets(folder: Path) -> None:
    """Every drawing the workflows use, into the folder that holds the photos."""
    astronaut, coffee = (Image.open(folder / name) for name in ("paintseg_astronaut.png", "paintseg_coffee.jpg"))
    for name, picture in {
        "paintseg_strokes_on.png": strokes(coffee.size, COFFEE_AND_ALL, 14, ON),
        "paintseg_strokes_off.png": strokes(coffee.size, TABLE, 14, OFF),
        "paintseg_cup_painted.png": patch(coffee.size, IN_FRONT_OF_THE_SAUCER, ON),
        "paintseg_helmet_painted.png": patch(astronaut.size, [ROUGH_HELMET], ON),
        "paintseg_shuttle_dots.png": dots(astronaut.size, SHUTTLE_DOTS, 14, ON),
        "paintseg_rough_mask.png": rough_helmet(),
        "paintseg_label_map.png": label_map(),
    }.items():
        picture.save(folder / name, optimize=True)
    for name, drawn in {
        "paintseg_edited_dots.webp": dots(astronaut.size, HELMET_DOTS, 16, ON),
        "paintseg_edited_mask.webp": patch(astronaut.size, [ROUGH_HELMET], ON),
        "paintseg_edited_strokes.webp": strokes(astronaut.size, WOMAN, 12, ON),
    }.items():
        erased(astronaut, drawn).save(folder / name, quality=88, exact=True, method=6)
    write_video(astronaut, folder / "paintseg_camera.mp4")
