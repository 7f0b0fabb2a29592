"""What lies behind: an object's hidden part, and a photo taken apart from front to back (paper, appendix C).

Paint the front object away and segment what was behind it in the painting: its hidden part is there now. The shape of
the visible part votes with it (ours, continuation.py): the painting may end an object too early or go on for too long.
Repeated, it gives layers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ..amcp.progress import Progress, Steps, part, watched
from ..config import Config, preset
from ..encoders import Encoder
from ..errors import InputError, note_of
from ..locate.discovery import coarse_masks
from ..ops.boxes import box_around, grow_box
from ..ops.images import size_of
from ..ops.memory import says_shortage
from ..painters import Painter
from ..prompts import Prompt, mask_prompt
from ..segmentation import Result, segment
from .continuation import shape_vote
from .cutout import cut_out
from .removal import check_mask, paint_out
from .stack import NamedLayer
from .transparency import split_alpha

HIDDEN_REACH = 1.5
"""How far an object may go on behind another one: sides of the box it must stay in, over those of its visible part."""

_PAINTED = 0.25  # say of the painting, against 1 of the shape


@dataclass(frozen=True)
class Completed:
    """An object without what was in front of it.

    Attributes:
        mask: H x W bool, all of the object. soft: H x W in [0, 1].
        layer: 4 x H x W, the whole object as it was painted, straight colour and alpha.
        plate: 3 x H x W (4 with the photo's alpha), the photo without the front object.
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
        plate: 3 x H x W (4 with the photo's alpha), the photo without any of the objects.
        note: what the segmentation had to say of which object, a sentence a line; mostly empty.
        painted: H x W bool each, what had been painted over when that object's turn came: its hidden part lies there.
    """

    layers: tuple[Tensor, ...]
    masks: tuple[Tensor, ...]
    plate: Tensor
    note: str = ""
    painted: tuple[Tensor, ...] = ()

    def named(self, plate: str = "plate", hidden: bool = False) -> tuple[NamedLayer, ...]:
        """The layers with names, front to back, and the plate as the last.

        `hidden` divides each object into what was seen of it in the photo and, as a layer of its own beneath that,
        what was painted where another object hid it. Together they show what the one layer shows.
        """
        stack = []
        for number, layer in enumerate(self.layers):
            name = f"object {number + 1}"
            behind = (layer[3] > 0) & self.painted[number] if hidden else torch.zeros_like(layer[3], dtype=torch.bool)
            if not behind.any():
                stack.append(NamedLayer(name, layer))
                continue
            seen, painted = (torch.cat([layer[:3], layer[3:] * part]) for part in (~behind, behind))
            stack += [NamedLayer(name, seen), NamedLayer(f"{name}, hidden part", painted)]
        return (*stack, NamedLayer(plate, self.plate))


@says_shortage
def amodal(
    image: Tensor,
    front: Tensor,
    behind: Tensor | Prompt,
    painter: Painter,
    encoder: Encoder,
    config: Config | None = None,
    seed: int = 0,
    candidates: int = 1,
    progress: Progress | None = None,
) -> Completed:
    """Complete an object that another one partly hides.

    Args:
        image: 3 x H x W in [0, 1], or 4 x H x W with its alpha, which layers and plates keep.
        front: H x W, bool or in [0, 1], the object in front.
        behind: H x W, bool or in [0, 1], the visible part of the object behind, which is kept as it is; or a
            prompt for it, as it will be in the photo without the front object.
        painter, encoder: phi (and psi), and the projector.
        config: the parameters of the segmentation, by default the preset "balanced".
        seed, candidates: as in `paint_out`.
        progress: told of every painting and every step.

    Raises InputError: as `paint_out` and `segment`, and when the visible part lies wholly under the front object.
    """
    split_alpha(image)
    known = behind if isinstance(behind, Prompt) else check_mask(behind, size_of(image), "mask behind")
    covered = check_mask(front, size_of(image), "front mask") > 0.5
    if not isinstance(known, Prompt) and not ((known > 0.5) & ~covered).any():
        raise InputError("nothing of the object behind is visible: its mask lies wholly under the front mask")
    removal = paint_out(image, front, painter, seed, None, candidates, False, encoder, part(progress, 0, 0.5))
    later = part(progress, 0.5, 1)
    if isinstance(known, Prompt):
        result = _segment(removal.plate[:3], known, painter, encoder, config, seed, later)
        soft, note = result.soft, result.note
    else:
        soft, note = complete(removal.plate[:3], known * ~covered, removal.hole, painter, encoder, config, seed, later)
    return Completed(soft > 0.5, soft, cut_out(removal.plate, soft), removal.plate, note)


def complete(
    plate: Tensor,
    visible: Tensor,
    hole: Tensor,
    painter: Painter,
    encoder: Encoder,
    config: Config | None = None,
    seed: int = 0,
    progress: Progress | None = None,
) -> tuple[Tensor, str]:
    """The soft mask, H x W, of an object and of what was painted of it in a hole; and the segmentation's note.

    Args:
        plate: 3 x H x W, the photo with the hole filled.
        visible: H x W in [0, 1], the part that was seen; it stays.
        hole: H x W bool.
    """
    seen = visible > 0.5
    x0, y0, x1, y1 = grow_box(box_around(seen[None, None]), HIDDEN_REACH, size_of(hole))
    near = torch.zeros_like(hole)
    near[y0:y1, x0:x1] = True
    start = seen | (hole & near)
    if not (start & ~seen).any():
        return visible, ""
    setting = (config or preset("balanced")).in_place()
    found = _segment(plate, mask_prompt(start.float()), painter, encoder, setting, seed, progress)
    shape, reach = shape_vote(seen, hole & near)
    votes = shape + _PAINTED * (2 * found.soft.to(shape.device) - 1)
    # near the contour a vote times the reach is the distance in pixels: the edge is as wide as a pixel
    soft = torch.sigmoid(2 * reach * votes)
    return torch.where(hole & near, torch.maximum(soft, visible), visible), found.note


@says_shortage
def peel(
    image: Tensor,
    prompts: Sequence[Prompt] | None,
    painter: Painter,
    encoder: Encoder,
    config: Config | None = None,
    seed: int = 0,
    candidates: int = 1,
    shadow: bool = False,
    most: int = 3,
    progress: Progress | None = None,
) -> Peeled:
    """Take a photo apart, object by object, each completed where those before it hid it.

    Args:
        image: 3 x H x W in [0, 1], or 4 x H x W with its alpha, which layers and plates keep.
        prompts: one per object, front to back. None finds up to `most` objects that stand out.
        painter, encoder, config: as in `amodal`.
        seed, candidates, shadow: as in `paint_out`.
        most: objects at most when there are no prompts.
        progress: told of every painting and every step.

    Raises InputError: as `segment` and `paint_out`; no prompts; nothing that stands out; a mask of an object that lies
    wholly where others were taken out.
    """
    if prompts is None:
        prompts = [mask_prompt(mask) for mask in coarse_masks(image[:3], encoder, most)]
    if not prompts:
        raise InputError("there is no prompt: give one for each object, front to back")
    layers, masks, notes, painted = [], [], [], []
    plate, holes = image.float().clamp(0, 1), torch.zeros(image.shape[1:], dtype=torch.bool)
    for number, prompt in enumerate(prompts):
        own = part(progress, number / len(prompts), (number + 1) / len(prompts))
        result = _segment(plate[:3], prompt, painter, encoder, config, seed, part(own, 0, 0.4))
        soft, note = result.soft, result.note
        if prompt.kind == "mask":
            # the mask is of what was visible in the photo; what was painted since may belong to the object
            visible = soft * ~holes
            if not (visible > 0.5).any():
                raise InputError(
                    f"nothing of the object of prompt {number + 1} of {len(prompts)} is visible: it lies "
                    "wholly where objects before it were taken out; leave it out or put it first"
                )
            soft, more = complete(plate[:3], visible, holes, painter, encoder, config, seed, part(own, 0.4, 0.7))
            note = "\n".join(filter(None, (note, more)))
        if not (soft > 0.5).any():
            raise InputError(f"nothing was found for prompt {number + 1} of {len(prompts)}; draw it larger")
        layers.append(cut_out(plate, soft))
        masks.append(soft)
        painted.append(holes)
        notes.append(note_of(f"object {number + 1}", note))
        removal = paint_out(plate, soft, painter, seed, None, candidates, shadow, encoder, part(own, 0.7, 1))
        plate, holes = removal.plate, holes | removal.hole
    return Peeled(tuple(layers), tuple(masks), plate, "\n".join(filter(None, notes)), tuple(painted))


def _segment(
    image: Tensor,
    prompt: Prompt,
    painter: Painter,
    encoder: Encoder,
    config: Config | None,
    seed: int,
    progress: Progress | None,
) -> Result:
    config = preset("balanced") if config is None else config
    steps = None if progress is None else Steps(progress, config.steps)
    painter = painter if steps is None else watched(painter, steps.within)
    return segment(image, prompt, painter, encoder, config, seed, progress=steps)
