"""A scene: one photo and one prompt, with all that the loop needs and that does not change over it."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from .affinity import log_survival, walk_over
from .config import Config
from .encoders import Encoder
from .encoders.base import working_device
from .errors import InputError
from .frames import Frame, lasting_frames, photo_area, photo_frame, photo_side, spread
from .locate import Located, locate, standardise
from .morphology import grow_box
from .prompts import Point, Prompt
from .settle import place_mask, settle_box
from .view import View, fit_view

NEGATIVE_RADIUS = 6  # px at a 512-px view around a not-object point that no result may hold


@dataclass(frozen=True)
class Scene:
    """What `prepare` made of a photo and a prompt.

    Attributes:
        photo: 1 x 3 x H x W in [0, 1].
        prompt: in photo pixels.
        config: the parameters.
        view: where the canvas lies in the photo.
        canvas: 1 x 3 x h x w, the photo in the view.
        start: 1 x 1 x h x w bool, M_0.
        shown: 1 x 1 x h x w bool, canvas pixels that show the photo.
        allowed: 1 x 1 x h x w bool, where the object may be.
        frames: the encoder's contexts that stay, with the photo's features.
        affinity: 1 x 1 x h x w, how hard the patches are to confuse with the known background; None if unused.
        points, negative_points: where eq. 2 puts its bumps on the canvas, and where it puts dents (ours).
    """

    photo: Tensor
    prompt: Prompt
    config: Config
    view: View
    canvas: Tensor
    start: Tensor
    shown: Tensor
    allowed: Tensor
    frames: tuple[Frame, ...]
    affinity: Tensor | None
    points: tuple[Point, ...]
    negative_points: tuple[Point, ...]


@torch.no_grad()
def prepare(image: Tensor, prompt: Prompt, encoder: Encoder, config: Config, multiple: int = 8) -> Scene:
    """Choose the view, encode the photo, and lay out what the prompt says.

    Photo and prompt stay on the CPU, however large they are; what is on the canvas goes where the encoder works
    (`working_device`) and stays there for the whole loop.

    Args:
        image: 3 x H x W in [0, 1].
        prompt: for an image of that size.
        encoder: the projector E.
        config: the parameters.
        multiple: the canvas' sides will be multiples of it (the painters' `multiple`).

    Raises InputError when image and prompt do not fit together or the image holds NaN.
    """
    low, high = check_image(image)
    if tuple(image.shape[1:]) != tuple(prompt.size):
        raise InputError(
            f"the prompt is for an image of {prompt.size[1]} x {prompt.size[0]}, "
            f"the image is {image.shape[2]} x {image.shape[1]}"
        )
    photo = image[None].cpu().float()
    photo = photo if low >= 0 and high <= 1 else photo.clamp(0, 1)
    located, pointing, valid_rate = None, prompt, config.valid_rate
    extent, start = prompt.extent(), None
    whole = first_look(photo, prompt, encoder, config, multiple) if needs_whole(prompt, config) else None
    if config.settle_reach and prompt.is_bare_mask:
        prompt = replace(prompt, mask=place_mask(prompt.mask, whole, config))
        pointing, extent = prompt, prompt.extent()
    if config.start == "affinity" and prompt.kind != "box":
        located = locate(prompt, whole, config)
        extent, start, valid_rate = located.valid, located.region, 1.0
    elif config.settles and prompt.kind == "box":
        extent = settle_box(extent, whole, config, prompt.size)
        if extent != prompt.extent():
            pointing, valid_rate = replace(prompt, box=extent), valid_rate * config.settle_grow
    view = fit_view(prompt.size, extent if config.view_context else None, config.view_context, config.size, multiple)
    canvas = view.crop(photo)
    shown = view.inside()
    if start is not None or pointing.kind != "box":
        region = view.crop_mask((pointing.start_region() if start is None else start)[None, None]) > 0.5
    else:
        region = view.crop_box(pointing.whole_box()) > 0.5
    allowed = shown.clone()
    limits = [] if extent is None else [grow_box(extent, valid_rate, prompt.size)]
    if prompt.kind == "mask" and prompt.box is not None:
        limits.append(grow_box(prompt.whole_box(), config.valid_rate, prompt.size))
    for box in limits:
        allowed &= view.crop_box(box) > 0.5
    region &= allowed
    if not region.any():
        raise InputError("the prompt covers less than one pixel of the view; draw it larger")
    negative_points = tuple(view.to_canvas(point) for point in prompt.negative_anchors())
    allowed &= ~around(negative_points, view.canvas, config.pixels(NEGATIVE_RADIUS))
    if located is not None and located.refused is not None:
        allowed &= view.crop_mask(located.refused[None, None]) <= 0.5
    region &= allowed
    if not region.any():
        raise InputError("the not-object points leave nothing of the object; move them or draw a larger prompt")
    frames = lasting_frames(photo, view, encoder, config, whole)
    home = working_device(encoder)
    canvas, region, shown, allowed = (each.to(home) for each in (canvas, region, shown, allowed))
    return Scene(
        photo=photo,
        prompt=prompt,
        config=config,
        view=view,
        canvas=canvas,
        start=region,
        shown=shown,
        allowed=allowed,
        frames=frames,
        affinity=affinity_term(frames, allowed, view, config, located),
        points=tuple(view.to_canvas(point) for point in pointing.bump_centres(config.box_centre)),
        negative_points=negative_points,
    )


def first_look(photo: Tensor, prompt: Prompt, encoder: Encoder, config: Config, multiple: int) -> Frame:
    """The whole photo as the encoder sees it before the view is chosen; in full where a box foretells the view will
    be all of the photo, so that it need not be looked at again."""
    size = photo_side(config)
    if prompt.kind == "box":
        extent = prompt.extent() if config.view_context else None
        if fit_view(prompt.size, extent, config.view_context, config.size, multiple).is_whole:
            size = config.encoder_size
    return photo_frame(photo, encoder, config, size)


def needs_whole(prompt: Prompt, config: Config) -> bool:
    """Whether the encoder must be shown the whole photo."""
    settling = config.settles and (prompt.kind == "box" or prompt.is_bare_mask)
    located = config.start == "affinity" and prompt.kind != "box"
    return settling or located or "photo" in config.contexts


def affinity_term(
    frames: tuple[Frame, ...], allowed: Tensor, view: View, config: Config, located: Located | None
) -> Tensor | None:
    """The mean over the frames of the standardised log survival of walks inside `allowed` (affinity.py).

    What the prompt itself said of the object, if it was located by it, is added with its weight.
    """
    if not config.l_affinity:
        return None
    maps, canvas = [], tuple(allowed.shape[-2:])
    for frame in frames:
        free = frame.coverage(allowed) > 0.5
        if not free.any():
            continue
        chosen = free.flatten()
        survival = log_survival(walk_over(frame.keys, config.affinity_beta), chosen, config.affinity_source)
        survival[chosen] = standardise(survival[chosen])
        survival[~chosen] = survival[chosen].min()
        maps.append(frame.to_canvas(survival.view(1, 1, *frame.grid), canvas))
    term = sum(maps) / len(maps) if maps else None
    if located is None or term is None:
        return term
    return term + config.locate_prior * spread(located.prior.to(term.device), photo_area(view), canvas)


def around(points: tuple[Point, ...], canvas: tuple[int, int], radius: int) -> Tensor:
    """1 x 1 x h x w bool: the canvas pixels within `radius` of any of the points (x, y)."""
    ys, xs = torch.arange(canvas[0])[:, None] + 0.5, torch.arange(canvas[1])[None] + 0.5
    hit = torch.zeros(canvas, dtype=torch.bool)
    for x, y in points:
        hit |= (xs - x) ** 2 + (ys - y) ** 2 <= radius**2
    return hit[None, None]


def generator_for(seed: int, step: int) -> torch.Generator:
    """The generator of one step: a function of seed and step alone, so that a step can be repeated by itself."""
    return seeded(seed * 1_000_003 + step)


def seeded(seed: int) -> torch.Generator:
    """A generator; of a seed as large as ComfyUI's, which torch does not take, the lower 63 bits."""
    return torch.Generator().manual_seed(seed % 2**63)


def check_image(image: Tensor) -> tuple[float, float]:
    """Refuse what is no photo. Returns its least and its greatest value. Raises InputError."""
    if image.ndim != 3 or image.shape[0] != 3 or not image.numel():
        grey = "; give a grey one three times" if image.ndim == 3 and image.shape[0] == 1 else ""
        raise InputError(f"an image is 3 x H x W, not {tuple(image.shape)}{grey}")
    if not image.is_floating_point():
        raise InputError(f"an image holds floating point values in [0, 1], not {image.dtype}")
    low, high = (float(value) for value in image.aminmax())
    if not math.isfinite(low) or not math.isfinite(high):  # NaN comes through aminmax
        raise InputError("the image holds NaN or infinite pixels")
    if low < -0.5 or high > 1.5:  # resampling may overshoot a little; prepare() clamps that
        raise InputError(f"an image holds values in [0, 1], not from {low:g} to {high:g}")
    return low, high
