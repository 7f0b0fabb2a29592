"""Inpainting networks that paint in one forward pass, LaMa and MAT among them, as painters.

Suvorov et al., "Resolution-robust Large Mask Inpainting with Fourier Convolutions", WACV 2022 (LaMa); Li et
al., "MAT: Mask-Aware Transformer for Large Hole Image Inpainting", CVPR 2022. The networks themselves come
from elsewhere, spandrel for example (https://github.com/chaiNNer-org/spandrel).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from ..errors import InputError, excerpt
from ..ops.boxes import box_around
from ..ops.images import size_of
from ..ops.memory import in_chunks
from .base import check_request, keep_outside
from .fitting import fill_smoothly, fit
from .migan import draw_pose

Forward = Callable[[Tensor, Tensor], Tensor]
"""(1 x 3 x h x w in [0, 1], 1 x 1 x h x w of 0 and 1, 1 in the hole) to 1 x 3 x h x w in [0, 1]."""


class FeedForwardPainter:
    """A painter made of one network.

    A network without randomness of its own sees every photo mirrored and moved a little at random, as in
    `migan`, so that several paintings are worth more than one. MAT draws a style (its attribute `z`) and
    drops out features at random; it sees the photo as it is.

    Args:
        forward: how to call the module, wherever it lies and in whatever precision; by default the module itself.
        multiple: sides the network takes are multiples of it.
        size: longer side the photo is scaled to; 0 paints at the photo's own scale.
        square: whether the network takes squares only.
    """

    multiple = 8
    stochastic = True

    def __init__(
        self,
        module: nn.Module,
        forward: Forward | None = None,
        name: str = "inpainting model",
        multiple: int = 8,
        size: int = 0,
        square: bool = False,
    ) -> None:
        self.module = module
        self.name = name
        self.size = size or 512
        self._forward = forward or module
        self._step, self._scale, self._square = multiple, size, square
        self._styled = isinstance(getattr(module, "z", None), Tensor)

    @torch.no_grad()
    def paint(self, image: Tensor, hole: Tensor, count: int = 1, generator: torch.Generator | None = None) -> Tensor:
        """See `Painter.paint`. A painting does not depend on how many follow it."""
        check_request(self, image, hole, count)
        if not (hole > 0.5).any():
            return image.expand(count, -1, -1, -1).clone()
        weight = next(self.module.parameters(), torch.zeros(()))
        request = fit(size_of(image), self._step, self._scale, self._square)
        area = request.show_hole(hole)
        inputs = torch.cat([request.show_image(fill_smoothly(image, hole)).float(), area]).to(weight)
        mirrored, box, size = bool(torch.randint(2, (), generator=generator)), box_around(area, "hole"), size_of(area)
        draws = [
            (
                int(torch.randint(2**31, (), generator=generator)),
                draw_pose(box, size, mirrored ^ bool(index % 2), generator),
            )
            for index in range(count)
        ]

        def run(part: slice) -> list[Tensor]:
            painted = []
            for seed, pose in draws[part]:
                seen = inputs if self._styled else pose.show(inputs)
                with _seeded(self.module, seed, weight.device):
                    rgb = self._run(seen[None, :3], (seen[None, 3:] > 0.5).to(weight))
                painted.append(rgb if self._styled else pose.restore(rgb))
            return [torch.stack(painted)]

        # These networks take one photo at a time; chunks are for the retries.
        painted = in_chunks(run, count, weight.device)[0]
        return keep_outside(image, hole, request.restore(painted.float()).to(image.device))

    def _run(self, image: Tensor, hole: Tensor) -> Tensor:
        """The network's 3 x h x w for one photo. Raises InputError for a module that is no such network."""
        try:
            painted = self._forward(image, hole)
        except TypeError as error:
            raise InputError(
                f"{self.name} cannot be called with an image and a mask as inpainting models are: {excerpt(str(error))}"
            ) from error
        if not isinstance(painted, Tensor) or painted.shape != image.shape:
            given = tuple(painted.shape) if isinstance(painted, Tensor) else f"a {type(painted).__name__}"
            raise InputError(f"{self.name} is no inpainting model: it made {given} of {tuple(image.shape)}")
        return painted[0]


def painter_of(model: object) -> FeedForwardPainter:
    """The painter of an inpainting model as loaders hand it out.

    Args:
        model: spandrel's descriptor of an inpainting model, or a module that is called with image and mask as
            `Forward` says (MAT as the Acly/comfyui-inpaint-nodes pack makes it).

    Raises InputError for anything else.
    """
    module = getattr(model, "model", model) if hasattr(model, "architecture") else model
    architecture = getattr(model, "architecture", None)
    name = getattr(architecture, "id", None) or getattr(model, "model_arch", None) or type(model).__name__
    if not isinstance(module, nn.Module) or getattr(model, "purpose", "Inpainting") != "Inpainting":
        raise InputError(f"{name} is no inpainting model; LaMa or MAT would be")
    if not callable(model):
        raise InputError(f"{name} cannot be called with an image and a mask as inpainting models are")
    if name == "MAT":
        return FeedForwardPainter(module, model, name, multiple=512, size=512, square=True)
    wanted = getattr(model, "size_requirements", None)
    return FeedForwardPainter(
        module,
        model,
        name,
        multiple=getattr(wanted, "multiple_of", None) or 8,
        square=bool(getattr(wanted, "square", False)),
    )


@contextmanager
def _seeded(module: nn.Module, seed: int, device: torch.device) -> Iterator[None]:
    """Torch's own randomness and the module's style drawn from `seed`; afterwards both are as they were."""
    style, label = getattr(module, "z", None), getattr(module, "label", None)
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.manual_seed(seed)
        if isinstance(style, Tensor):  # plain attributes, which `Module.to` leaves behind on the CPU
            module.z = torch.randn(style.shape, dtype=style.dtype).to(device)
            if isinstance(label, Tensor):
                module.label = label.to(device)
        try:
            yield
        finally:
            if isinstance(style, Tensor):
                module.z = style
            if isinstance(label, Tensor):
                module.label = label
