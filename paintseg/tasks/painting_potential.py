"""The contrastive potential of any painting, whoever painted it, at the photo's resolution."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from torch import Tensor

from ..amcp.contrast import contrast
from ..amcp.scene import prepare
from ..config import Config, Direction
from ..encoders import Encoder
from ..errors import InputError
from ..ops.images import check_image, check_size, size_of
from ..ops.memory import says_shortage
from ..prompts import Prompt, mask_prompt
from ..visualize import over_photo


@dataclass(frozen=True)
class Measured:
    """The potential and its terms: H x W spanning [0, 1] over `scope`, None when the preset leaves it out.

    Attributes:
        total: Phi of eq. 1, high where the photo is far from the painting.
        paint, color, prompt, affinity: its terms before they are weighted and summed.
        scope: H x W bool, the contrast box, where all of them are meant.
    """

    total: Tensor
    paint: Tensor
    color: Tensor | None
    prompt: Tensor | None
    affinity: Tensor | None
    scope: Tensor


@says_shortage
def measure(
    image: Tensor,
    painting: Tensor,
    region: Tensor,
    encoder: Encoder,
    config: Config,
    direction: Direction = "I",
    prompt: Prompt | None = None,
) -> Measured:
    """Compare a photo with a painting of it (eq. 1).

    Args:
        image: 3 x H x W in [0, 1].
        painting: 3 x H x W in [0, 1], the image with the region repainted.
        region: H x W, bool or in [0, 1], what was repainted.
        config: weights of the terms and the rest.
        direction: "I" when the object was repainted, "O" when its background was.
        prompt: what the prompt term and the view go by; by default the object's region as a coarse mask.

    Raises InputError for a painting or a region of another size and for a region that is empty or everything.
    """
    check_image(image)
    check_image(painting, "painted image")
    size = size_of(image)
    check_size(painting, size, "painted image", 1)
    check_size(region, size, "mask")
    repainted = region > 0.5
    thing = repainted if direction == "I" else ~repainted
    if not thing.any() or thing.all():
        raise InputError("the mask must cover what was repainted and leave something of the image")
    scene = prepare(image, prompt or mask_prompt(thing), encoder, config if prompt else config.in_place())
    view = scene.view
    home = scene.canvas.device
    mask = (view.crop_mask(thing[None, None]) > 0.5).to(home) & scene.shown
    if not mask.any():
        raise InputError("the mask and the prompt do not overlap; the prompt must be on the object")
    phi = contrast(
        mask,
        (view.crop_mask(repainted[None, None]) > 0.5).to(home),
        view.crop(painting[None].float()).to(home),
        direction,
        scene,
        encoder,
    )
    terms = {"total": phi.total, "paint": phi.paint, "color": phi.color, "prompt": phi.prompt}
    terms["affinity"] = phi.affinity if config.l_affinity else None
    scope = view.paste(phi.scope.float())[0, 0] > 0.5
    shown: dict[str, Any] = {
        name: None if term is None else over_photo(term, scope, view) for name, term in terms.items()
    }
    return Measured(**shown, scope=scope)
