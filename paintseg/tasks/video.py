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

from ..amcp import loop as amcp
from ..config import Config, preset
from ..encoders import Encoder
from ..encoders.base import check_features
from ..errors import InputError, note_of
from ..ops.images import check_image, resize
from ..ops.memory import says_shortage
from ..ops.morphology import remove_specks
from ..ops.overlap import intersection_over_union
from ..painters import Painter
from ..prompts import Prompt, mask_prompt
from ..segmentation import Result, segment
from ..views.frames import patch_grid

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
        painter, encoder, config, seed, outpainter, progress: as in `segmentation.segment`, for every frame.
        keep_first: take the prompt's coarse mask for the first frame's mask as it is, drawn by hand or cut by another
            tool (the setting of video object segmentation), instead of segmenting what it points at.

    Raises InputError as `segment` does, when a frame has another size than the first, and for a prompt without a mask
    where that is to be kept.
    """
    config = preset("balanced") if config is None else config
    kept = prompt.mask if keep_first else None
    if keep_first and kept is None:
        raise InputError(f"the first frame's mask can be kept when there is one; the prompt is a {prompt.kind}")
    known: list[Memory] = []  # the first frame and the last that could be trusted
    for number, frame in enumerate(frames, start=1):
        check_image(frame)
        if tuple(frame.shape[1:]) != tuple(prompt.size):
            raise InputError(
                f"frame {number} is {frame.shape[2]} x {frame.shape[1]}, the prompt is for "
                f"{prompt.size[1]} x {prompt.size[0]}; all frames must have one size"
            )
        features, grid = _features(frame, encoder)
        if not known and kept is not None:
            known = [_memory(features, kept, grid)] * 2
            yield Tracked(kept > 0.5, kept, None, ())
            continue
        if not known:
            result = segment(frame, prompt, painter, encoder, config, seed, outpainter, progress)
            known = [_memory(features, result.soft, grid)] * 2
            yield Tracked(result.mask, result.soft, None, result.states, note_of(f"frame {number}", result.note))
            continue
        cells = carry(known, features).view(1, 1, *grid)
        coarse = F.interpolate(cells, prompt.size, mode="bilinear", align_corners=False)[0, 0].clamp(0, 1)
        carried = _without_specks(coarse)
        if carried is None:
            nothing = torch.zeros(prompt.size)
            yield Tracked(nothing > 0.5, nothing, coarse, (), f"frame {number}: the object is not seen in it")
            continue
        found: Result | None = None
        try:
            guide, setting = mask_prompt(carried), config.in_place()
            found = segment(frame, guide, painter, encoder, setting, seed, outpainter, progress)
        except InputError:  # of what was carried over, not of the user's own prompt
            pass
        if found is not None and intersection_over_union(found.mask, carried > 0.5) >= _LEAST_AGREEMENT:
            known = [known[0], _memory(features, found.soft, grid)]
            yield Tracked(found.mask, found.soft, coarse, found.states, note_of(f"frame {number}", found.note))
        else:
            note = f"frame {number}: the method lost the object; the mask is the one carried over"
            yield Tracked(carried > 0.5, carried, coarse, found.states if found else (), note)


def carry(known: list[Memory], features: Tensor) -> Tensor:
    """Bring the object's patches of known frames to another frame.

    Args:
        known: at least one frame.
        features: C x m of the other frame, of unit length.

    Returns m in [0, 1], the mean membership of the patches that are most alike, weighted by softmax of the cosine.
    """
    alike = torch.cat([frame.features.T @ features for frame in known])
    membership = torch.cat([frame.membership for frame in known])
    cosine, nearest = alike.topk(min(_NEIGHBOURS, len(alike)), dim=0)
    return (torch.softmax(cosine / _TEMPERATURE, 0) * membership[nearest]).sum(0)


def _features(frame: Tensor, encoder: Encoder) -> tuple[Tensor, tuple[int, int]]:
    """Tokens C x n of unit length and their grid."""
    height, width = frame.shape[1:]
    cells = min(CELLS, max(height, width))  # a patch is a pixel at least
    grid = patch_grid((height, width), cells)
    shown = resize(frame[None].float().clamp(0, 1), (grid[0] * encoder.stride, grid[1] * encoder.stride))
    features = check_features(encoder, shown, encoder.encode(shown))[0].cpu().float().flatten(1)
    return F.normalize(features, dim=0), grid


def _memory(features: Tensor, soft: Tensor, grid: tuple[int, int]) -> Memory:
    return Memory(features, F.interpolate(soft[None, None].float(), grid, mode="area").flatten())


def _without_specks(coarse: Tensor) -> Tensor | None:
    """A carried mask H x W without its specks; None when nothing of the object is there."""
    kept = remove_specks(coarse > 0.5, max(1, round(_LEAST_AREA * coarse.numel())))
    return torch.where(kept | (coarse <= 0.5), coarse, 0.0) if kept.any() else None
