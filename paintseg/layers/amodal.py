"""What lies behind: an object's hidden part, and a photo taken apart from front to back (paper, appendix C).

Paint the front object away and segment what was behind it in the painting: its hidden part is there now.
Repeated, it gives layers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ..chunks import says_shortage
from ..config import Config, preset
from ..discovery import coarse_masks
from ..encoders import Encoder
from ..errors import InputError, note_of
from ..morphology import bounding_box, grow_box
from ..painters import Painter
from ..prompts import Prompt, mask_prompt
from ..scene import check_image
from ..segment import segment
from .cutout import cut_out
from .removal import check_mask, paint_out

HIDDEN_REACH = 1.5
"""How far an object may go on behind another one: sides of the box it must stay in, over those of its visible
part."""

Progress = Callable[[float], None]


@dataclass(frozen=True)
class Completed:
    """An object without what was in front of it.

    Attributes:
        mask: H x W bool, all of the object. soft: H x W in [0, 1].
        layer: 4 x H x W, the whole object as it was painted, straight colour and alpha.
        plate: 3 x H x W, the photo without the front object.
        note: what the segmentation had to say, a sentence a line; mostly empty.
    """

    mask: Tensor
    soft: Tensor
    layer: Tensor
    plate: Tensor
    note: str = ""


@dataclass(frozen=True)
class Peeled:
    """A photo taken apart.

    Attributes:
        layers: 4 x H x W each, the completed objects, front to back.
        masks: H x W each in [0, 1], their soft masks.
        plates: 3 x H x W each, what was left after each removal; the last is the last plate.
        note: what the segmentation had to say of which object, a sentence a line; mostly empty.
    """

    layers: tuple[Tensor, ...]
    masks: tuple[Tensor, ...]
    plates: tuple[Tensor, ...]
    note: str = ""

    @property
    def plate(self) -> Tensor:
        """3 x H x W, the photo without any of the objects."""
        return self.plates[-1]


@says_shortage
def amodal(image: Tensor, front: Tensor, behind: Tensor | Prompt, painter: Painter, encoder: Encoder,
           config: Config | None = None, seed: int = 0, candidates: int = 1, grow: int | None = None,
           progress: Progress | None = None) -> Completed:
    """Complete an object that another one partly hides.

    Args:
        image: 3 x H x W in [0, 1].
        front: H x W, bool or in [0, 1], the object in front.
        behind: H x W, bool or in [0, 1], the visible part of the object behind, which is kept as it is; or a
            prompt for it, as it will be in the photo without the front object.
        painter, encoder: phi (and psi), and the projector.
        config: the parameters of the segmentation, by default the preset "balanced".
        seed, candidates, grow, progress: as in `paint_out`.

    Raises:
        InputError: as `paint_out` and `segment`, and when the visible part lies wholly under the front
            object.
    """
    check_image(image)
    known = None if isinstance(behind, Prompt) else check_mask(behind, tuple(image.shape[1:]), "mask behind")
    covered = check_mask(front, tuple(image.shape[1:]), "front mask") > 0.5
    if known is not None and not ((known > 0.5) & ~covered).any():
        raise InputError("nothing of the object behind is visible: its mask lies wholly under the front mask")
    removal = paint_out(image, front, painter, seed, grow, candidates, False, encoder, progress)
    if known is None:
        result = segment(removal.plate, behind, painter, encoder, config, seed)
        soft, note = result.soft, result.note
    else:
        soft, note = complete(removal.plate, known * ~covered, removal.hole, painter, encoder, config, seed)
    return Completed(soft > 0.5, soft, cut_out(removal.plate, soft), removal.plate, note)


def complete(plate: Tensor, visible: Tensor, hole: Tensor, painter: Painter, encoder: Encoder,
             config: Config | None = None, seed: int = 0) -> tuple[Tensor, str]:
    """The soft mask, H x W, of an object and of what was painted of it in a hole; and the segmentation's note.

    Args:
        plate: 3 x H x W, the photo with the hole filled.
        visible: H x W in [0, 1], the part that was seen; it stays.
        hole: H x W bool.
    """
    seen = visible > 0.5
    x0, y0, x1, y1 = grow_box(bounding_box(seen[None, None]), HIDDEN_REACH, tuple(hole.shape))
    near = torch.zeros_like(hole)
    near[y0:y1, x0:x1] = True
    start = seen | (hole & near)
    if not (start & ~seen).any():
        return visible, ""
    setting = (preset("balanced") if config is None else config).in_place()
    found = segment(plate, mask_prompt(start.float()), painter, encoder, setting, seed)
    return torch.where(hole & near, torch.maximum(found.soft, visible), visible), found.note


@says_shortage
def peel(image: Tensor, prompts: Sequence[Prompt] | None, painter: Painter, encoder: Encoder,
         config: Config | None = None, seed: int = 0, candidates: int = 1, shadow: bool = False, most: int =
             3,
         progress: Progress | None = None) -> Peeled:
    """Take a photo apart, object by object, each completed where those before it hid it.

    Args:
        image: 3 x H x W in [0, 1].
        prompts: one per object, front to back. None finds up to `most` objects that stand out.
        painter, encoder, config: as in `amodal`.
        seed, candidates, shadow: as in `paint_out`.
        most: objects at most when there are no prompts.
        progress: called with the share that is done, in (0, 1].

    Raises:
        InputError: as `segment` and `paint_out`; no prompts; nothing that stands out; a mask of an object that
            lies wholly where others were taken out.
    """
    if prompts is None:
        prompts = [mask_prompt(mask) for mask in coarse_masks(image, encoder, most)]
    if not prompts:
        raise InputError("there is no prompt: give one for each object, front to back")
    layers, masks, plates, notes = [], [], [], []
    plate, holes = image.float().clamp(0, 1), torch.zeros(image.shape[1:], dtype=torch.bool)
    for number, prompt in enumerate(prompts):
        result = segment(plate, prompt, painter, encoder, config, seed)
        soft, note = result.soft, result.note
        if prompt.kind == "mask":
            # the mask is of what was visible in the photo; what was painted since may belong to the object
            visible = soft * ~holes
            if not (visible > 0.5).any():
                raise InputError(f"nothing of the object of prompt {number + 1} of {len(prompts)} is visible: it lies "
                                 "wholly where objects before it were taken out; leave it out or put it first")
            soft, more = complete(plate, visible, holes, painter, encoder, config, seed)
            note = "\n".join(filter(None, (note, more)))
        if not (soft > 0.5).any():
            raise InputError(f"nothing was found for prompt {number + 1} of {len(prompts)}; draw it larger")
        layers.append(cut_out(plate, soft))
        masks.append(soft)
        notes.append(note_of(f"object {number + 1}", note))
        report = None if progress is None else _part(progress, number, len(prompts))
        removal = paint_out(plate, soft, painter, seed, None, candidates, shadow, encoder, report)
        plate, holes = removal.plate, holes | removal.hole
        plates.append(plate)
    return Peeled(tuple(layers), tuple(masks), tuple(plates), "\n".join(filter(None, notes)))


def _part(progress: Progress, number: int, count: int) -> Progress:
    return lambda share: progress((number + share) / count)
