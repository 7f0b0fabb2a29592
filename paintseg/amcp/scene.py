"""A scene: one photo and one prompt, with all that the loop needs and that does not change over it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from ..config import Config
from ..encoders import Encoder
from ..encoders.base import working_device
from ..errors import InputError
from ..locate.closer import closer_box
from ..locate.placement import place_box, place_mask
from ..locate.region import locate
from ..ops.boxes import PixelBox, grow_box, whole_pixels
from ..ops.morphology import dilate
from ..prompts import Point, Prompt
from ..views.frames import Frame, compared_frames, lasting_frames, photo_frame, photo_side
from ..views.looks import Looks
from ..views.view import View, fit_view
from .affinity import affinity_term
from .potential import Pointed

NEGATIVE_RADIUS = 6  # px at a 512-px view around a negative point that no result may hold


@dataclass(frozen=True)
class Scene:
    """What `prepare` made of a photo and a prompt.

    Attributes:
        looks: the photo, and what the encoder has seen of it.
        prompt: in photo pixels, without the clicks that are corrections.
        clicks: (x, y) in photo pixels and whether it is on the object: what the answer must agree with in the end.
        config: the parameters.
        view: where the canvas lies in the photo.
        canvas: 1 x 3 x h x w, the photo in the view.
        start: 1 x 1 x h x w bool, M_0.
        shown: 1 x 1 x h x w bool, canvas pixels that show the photo.
        allowed: 1 x 1 x h x w bool, where the object may be.
        frames: the encoder's contexts that stay, with the photo's features.
        compared: those of them that paintings are compared in, or smaller ones in their place (`Config.paint_size`).
        affinity: 1 x 1 x h x w, how hard the patches are to confuse with the known background; None if unused.
        pointed: where eq. 2 puts its bumps. refused: where it puts dents (ours).
        kept_clear: 1 x 1 x h x w bool, around what is said not to be the object; no part of `allowed`.
    """

    looks: Looks
    prompt: Prompt
    clicks: tuple[tuple[Point, bool], ...]
    config: Config
    view: View
    canvas: Tensor
    start: Tensor
    shown: Tensor
    allowed: Tensor
    frames: tuple[Frame, ...]
    compared: tuple[Frame, ...]
    affinity: Tensor | None
    pointed: Pointed
    refused: Pointed
    kept_clear: Tensor

    @property
    def photo(self) -> Tensor:
        """1 x 3 x H x W in [0, 1]."""
        return self.looks.photo


@torch.no_grad()
def prepare(
    image: Tensor,
    prompt: Prompt,
    encoder: Encoder,
    config: Config,
    multiple: int = 8,
    looks: Looks | None = None,
    place: Callable[[View], View] | None = None,
    painted: bool = True,
) -> Scene:
    """Choose the view, encode the photo, and lay out what the prompt says.

    Photo and prompt stay on the CPU, however large they are; what is on the canvas goes where the encoder works
    (`working_device`) and stays there for the whole loop.

    Args:
        image: 3 x H x W in [0, 1].
        prompt: for an image of that size.
        encoder: the projector E.
        config: the parameters.
        multiple: the canvas' sides will be multiples of it (the painters' `multiple`).
        looks: what the encoder saw of the image before; None when this is the first time.
        place: puts another view in the place of the one chosen, which it must hold.
        painted: whether paintings will be compared; without them the scene takes no step.

    Raises InputError when image and prompt do not fit together or the image holds NaN.
    """
    looks = Looks(image, encoder) if looks is None else looks
    check_size(prompt, looks.size)
    bare, clicks = prompt.is_bare_mask, prompt.clicks() if config.clicks == "corrections" else ()
    if config.clicks == "corrections":
        prompt = prompt.first_said()
    located, pointing, valid_rate = None, prompt, config.valid_rate
    extent, start = prompt.extent(), None
    whole = first_look(looks, prompt, config, multiple) if needs_whole(prompt, config) else None
    if whole is not None and config.settle_reach and prompt.mask is not None and bare:
        prompt = replace(prompt, mask=place_mask(prompt.mask, whole, config))
        pointing, extent = prompt, prompt.extent()
    if whole is not None and config.start == "affinity" and prompt.kind != "box":
        located = locate(prompt, whole, config)
        extent, start, valid_rate = located.valid, located.region, 1.0
    elif whole is not None and extent is not None and config.settles and prompt.kind == "box":
        extent = place_box(extent, whole, config, prompt.size)
        if extent != prompt.extent():
            pointing = replace(prompt, box=extent)
    seen = None if extent is None else _box_with(extent, [point for point, _ in clicks])
    view = fit_view(prompt.size, seen if config.view_context else None, config.view_context, config.size, multiple)
    view = view if place is None else place(view)
    canvas = view.padded(looks.crop(view.box, view.content))
    shown = view.inside()
    drawn = pointing.whole_box() if start is None and pointing.kind == "box" else None
    if drawn is None:
        region = view.crop_mask((pointing.start_region() if start is None else start)[None, None]) > 0.5
    else:
        region = view.crop_box(drawn) > 0.5
    allowed = shown.clone()
    limits = [] if extent is None else [grow_box(extent, valid_rate, prompt.size)]
    if prompt.kind == "mask" and prompt.box is not None:
        limits.append(grow_box(whole_pixels(prompt.box), config.valid_rate, prompt.size))
    for box in limits:
        allowed &= view.crop_box(box) > 0.5
    region &= allowed
    if not region.any():
        raise InputError("the prompt covers less than one pixel of the view; draw it larger")
    refused = pointed_on(view, prompt.negative_points, prompt.negative_scribble)
    kept_clear = around(refused, view.canvas, config.pixels(NEGATIVE_RADIUS))
    allowed &= ~kept_clear
    if located is not None and located.refused is not None:
        allowed &= view.crop_mask(located.refused[None, None]) <= 0.5
    region &= allowed
    if not region.any():
        raise InputError("the negative points leave nothing of the object; move them or draw a larger prompt")
    frames = lasting_frames(looks, view, config, whole, extent)
    home = working_device(encoder)
    canvas, region, shown, allowed, kept_clear = (
        each.to(home) for each in (canvas, region, shown, allowed, kept_clear)
    )
    affinity = affinity_term(frames, allowed, view, config, located, drawn)
    closer = None
    if affinity is not None and drawn is not None and config.settles:
        closer = closer_box(affinity, allowed, drawn, view, frames)
    if closer is not None:
        closer = _box_with(closer, [point for point, inside in clicks if inside])
        inside = view.crop_box(grow_box(closer, valid_rate, prompt.size)).to(home) > 0.5
        region, allowed = region & inside, allowed & inside
        affinity = affinity_term(frames, allowed, view, config, located, closer)
    return Scene(
        looks=looks,
        prompt=prompt,
        clicks=clicks,
        config=config,
        view=view,
        canvas=canvas,
        start=region,
        shown=shown,
        allowed=allowed,
        frames=frames,
        compared=compared_frames(frames, view, config, looks) if painted else (),
        affinity=affinity,
        pointed=pointed_on(view, pointing.bump_centres(config.box_centre), prompt.scribble),
        refused=refused,
        kept_clear=kept_clear,
    )


def _box_with(box: PixelBox, points: Sequence[Point]) -> PixelBox:
    """The smallest box around a box and the pixels of points (x, y)."""
    x0, y0, x1, y1 = box
    xs, ys = [int(x) for x, _ in points], [int(y) for _, y in points]
    return min([x0, *xs]), min([y0, *ys]), max([x1, *(x + 1 for x in xs)]), max([y1, *(y + 1 for y in ys)])


def check_size(prompt: Prompt, size: tuple[int, int]) -> None:
    """Raises InputError for a prompt that is not for an image of that (H, W)."""
    if tuple(prompt.size) != tuple(size):
        raise InputError(
            f"the prompt is for an image of {prompt.size[1]} x {prompt.size[0]}, the image is {size[1]} x {size[0]}"
        )


def first_look(looks: Looks, prompt: Prompt, config: Config, multiple: int) -> Frame:
    """The whole photo as the encoder sees it before the view is chosen; in full where a box foretells the view will
    be nearly all of the photo, so that it need not be looked at again."""
    size = photo_side(config)
    if prompt.kind == "box":
        extent = prompt.extent() if config.view_context else None
        if fit_view(prompt.size, extent, config.view_context, config.size, multiple).is_nearly_whole:
            size = config.encoder_size
    return photo_frame(looks, config, size)


def needs_whole(prompt: Prompt, config: Config) -> bool:
    """Whether the encoder must be shown the whole photo."""
    settling = config.settles and (prompt.kind == "box" or prompt.is_bare_mask)
    located = config.start == "affinity" and prompt.kind != "box"
    return settling or located or "photo" in config.contexts


def pointed_on(view: View, points: tuple[Point, ...], strokes: Tensor | None) -> Pointed:
    """Points and strokes, H x W bool or None, of the photo on the canvas; of strokes only what is in view.

    A stroke thinner than a pixel of the canvas must not vanish: every pixel that it touches counts.
    """
    if strokes is not None:
        strokes = view.crop_mask(strokes[None, None])[0, 0] > 0
        strokes = strokes if strokes.any() else None
    return Pointed(tuple(view.to_canvas(point) for point in points), strokes)


def around(pointed: Pointed, canvas: tuple[int, int], radius: int) -> Tensor:
    """1 x 1 x h x w bool: the canvas pixels within `radius` of any of the points (x, y) and strokes."""
    ys, xs = torch.arange(canvas[0])[:, None] + 0.5, torch.arange(canvas[1])[None] + 0.5
    hit = torch.zeros(canvas, dtype=torch.bool) if pointed.strokes is None else dilate(pointed.strokes, radius, "disc")
    for x, y in pointed.points:
        hit = hit | ((xs - x) ** 2 + (ys - y) ** 2 <= radius**2)
    return hit[None, None]
