"""One object through the frames of a video: each frame's mask seeds the next (Li et al. 2023, section 4.3).

A mask cannot be laid over the next frame as it is: the object has moved. Its patches are carried over by likeness:
every patch of the new frame takes the mean of the masks at the patches of known frames that it resembles most (label
propagation, Jabri et al. 2020; Caron et al. 2021). What results is the coarse mask the method starts from.

Drift, the error that grows because each frame builds on the one before, is held in three ways. The first frame, which
the user's prompt was made for, is always among the known ones. The other known frame is the last whose mask could be
trusted: where method and likeness disagree, the likeness is what the frame gets, and nothing is learnt from it. And a
frame in which no patch resembles the object has an empty mask, and is forgotten.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from . import amcp
from .chunks import says_shortage
from .config import Config, preset
from .encoders import Encoder
from .encoders.base import check_features
from .errors import InputError, note_of
from .morphology import remove_specks
from .painters import Painter
from .prompts import Prompt, mask_prompt
from .scene import check_image
from .segment import segment
from .view import resize

CELLS = 60
"""Patches along a frame's longer side that likeness is measured between."""

_NEIGHBOURS = 5
_TEMPERATURE = 0.1
_LEAST_AREA = 0.0005  # share of the frame: what is smaller is noise of the likeness
_LEAST_AGREEMENT = 0.4  # IoU of method and likeness


@dataclass(frozen=True)
class Tracked:
    """One frame.

    Attributes:
        mask: H x W bool.
        soft: H x W in [0, 1]; `mask` is where it exceeds 0.5.
        coarse: H x W in [0, 1], the mask carried over from the frames before; None for the first frame.
        states: the states of the method's steps; none when it was not run.
        note: when the frame was not segmented as it should have been, a sentence a line; else empty.
    """

    mask: Tensor
    soft: Tensor
    coarse: Tensor | None
    states: tuple[amcp.State, ...]
    note: str = ""


@dataclass(frozen=True)
class Memory:
    """A known frame.

    Attributes:
        features: C x n, of unit length.
        membership: n in [0, 1], the share of each patch that the object covers.
    """

    features: Tensor
    membership: Tensor


@says_shortage
def follow(
    frames: Iterable[Tensor],
    prompt: Prompt,
    painter: Painter,
    encoder: Encoder,
    config: Config | None = None,
    seed: int = 0,
    outpainter: Painter | None = None,
    progress: Callable[[amcp.State], None] | None = None,
    keep_first: bool = False,
) -> Iterator[Tracked]:
    """Follow the prompted object, yielding frame after frame; a frame is asked for when the one before is done.

    Args:
        frames: 3 x H x W in [0, 1] each, all of one size.
        prompt: for the first frame.
        painter, encoder, config, seed, outpainter, progress: as in `segment.segment`, for every frame.
        keep_first: take the prompt's coarse mask for the first frame's mask as it is, drawn by hand or cut by another
            tool (the setting of video object segmentation), instead of segmenting what it points at.

    Raises InputError as `segment` does, when a frame has another size than the first, and for a prompt without a mask
    where that is to be kept.
    """
    config = preset("balanced") if config is None else config
    if keep_first and prompt.mask is None:
        raise InputError(f"the first frame's mask can be kept when there is one; the prompt is a {prompt.kind}")
    first = last = None
    for number, frame in enumerate(frames, start=1):
        check_image(frame)
        if tuple(frame.shape[1:]) != tuple(prompt.size):
            raise InputError(
                f"frame {number} is {frame.shape[2]} x {frame.shape[1]}, the prompt is for "
                f"{prompt.size[1]} x {prompt.size[0]}; all frames must have one size"
            )
        features, grid = _features(frame, encoder)
        if first is None and keep_first:
            first = last = _memory(features, prompt.mask, grid)
            yield Tracked(prompt.mask > 0.5, prompt.mask, None, ())
            continue
        coarse = None if first is None else _sharpened(carry([first, last], features).view(grid), prompt.size)
        seed_prompt = prompt if coarse is None else _seed(coarse)
        if seed_prompt is None:
            nothing = torch.zeros(prompt.size)
            yield Tracked(nothing > 0.5, nothing, coarse, (), f"frame {number}: the object is not seen in it")
            continue
        try:
            setting = config if coarse is None else config.in_place()
            result = segment(frame, seed_prompt, painter, encoder, setting, seed, outpainter, progress)
        except InputError:
            if coarse is None:
                raise  # the user's own prompt
            result = None
        if coarse is None or (result and agreement(result.mask, seed_prompt.mask > 0.5) >= _LEAST_AGREEMENT):
            last = _memory(features, result.soft, grid)
            first = first or last
            yield Tracked(
                result.mask, result.soft, coarse, result.states, note_of(f"frame {number}", result.note)
            )
        else:
            note = f"frame {number}: the method lost the object; the mask is the one carried over"
            yield Tracked(seed_prompt.mask > 0.5, seed_prompt.mask, coarse, result.states if result else (), note)


def carry(known: list[Memory], features: Tensor) -> Tensor:
    """Bring the object's patches of known frames to another frame.

    Args:
        known: at least one frame.
        features: C x m of the other frame, of unit length.

    Returns:
        m in [0, 1], the mean membership of the patches that are most alike, weighted by softmax of the cosine.
    """
    alike = torch.cat([frame.features.T @ features for frame in known])
    membership = torch.cat([frame.membership for frame in known])
    cosine, nearest = alike.topk(min(_NEIGHBOURS, len(alike)), dim=0)
    return (torch.softmax(cosine / _TEMPERATURE, 0) * membership[nearest]).sum(0)


def agreement(first: Tensor, second: Tensor) -> float:
    """Intersection over union of two masks; 1 when both are empty."""
    union = int((first | second).sum())
    return int((first & second).sum()) / union if union else 1.0


def _features(frame: Tensor, encoder: Encoder) -> tuple[Tensor, tuple[int, int]]:
    """Tokens C x n of unit length and their grid."""
    height, width = frame.shape[1:]
    cells = min(CELLS, max(height, width))  # a patch is a pixel at least
    grid = tuple(max(1, round(side * cells / max(height, width))) for side in (height, width))
    shown = resize(frame[None].float().clamp(0, 1), tuple(side * encoder.stride for side in grid))
    features = check_features(encoder, shown, encoder.encode(shown))[0].cpu().float().flatten(1)
    return F.normalize(features, dim=0), grid


def _memory(features: Tensor, soft: Tensor, grid: tuple[int, int]) -> Memory:
    return Memory(features, F.interpolate(soft[None, None].float(), grid, mode="area").flatten())


def _sharpened(membership: Tensor, size: tuple[int, int]) -> Tensor:
    """h x w of patches at the frame's size."""
    return F.interpolate(membership[None, None], size, mode="bilinear", align_corners=False)[0, 0].clamp(0, 1)


def _seed(coarse: Tensor) -> Prompt | None:
    """The prompt of a carried mask, without specks; None when nothing of the object is there."""
    kept = remove_specks(coarse > 0.5, max(1, round(_LEAST_AREA * coarse.numel())))
    return mask_prompt(torch.where(kept | (coarse <= 0.5), coarse, 0.0)) if kept.any() else None
