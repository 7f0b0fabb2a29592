"""MI-GAN, the embedded painter, and the ways it is shown a photo for variety.

Sargsyan et al., "MI-GAN: A Simple Baseline for Image Inpainting on Mobile Devices", ICCV 2023. The network
itself is in `migan_network`.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from ..ops.boxes import PixelBox, bounding_box
from ..ops.images import size_of
from ..ops.memory import in_chunks, sent
from ..weights import load_weights
from .base import check_request, keep_outside
from .migan_network import MIGAN

SIZE = 512
"""Side in pixels of the photos that the network was trained on; smaller ones are painted faster, and less well."""

REACH = 64
"""Largest shift in pixels of a photo for variety: half the stride of the network's deepest level."""


class MIGANPainter:
    """The painter made of a `MIGAN`. It works where its module lies and in its module's precision.

    The network is no sampler. Fresh noise in place of its fixed maps changes a painting a little; what
    changes it more is to look at the photo another way. Hence all paintings get fresh noise and a photo moved
    a little against the network's grid of 128 px, and every second one a mirrored photo. See `Pose`.
    """

    name = "MI-GAN"
    multiple = 128
    stochastic = True

    def __init__(self, module: MIGAN, size: int = SIZE) -> None:
        self.module, self.size = module, size

    @torch.no_grad()
    def paint(self, image: Tensor, hole: Tensor, count: int = 1, generator: torch.Generator | None = None) -> Tensor:
        """See `Painter.paint`. A painting does not depend on how many follow it."""
        check_request(self, image, hole, count)
        box = bounding_box(hole)
        if box is None:
            return image.expand(count, -1, -1, -1).clone()
        weight = self.module.from_rgb.weight
        keep = (hole <= 0.5).to(weight)
        inputs = torch.cat([keep - 0.5, (image.to(weight) * 2 - 1) * keep])
        poses, noises = [], []
        mirrored = bool(torch.randint(2, (), generator=generator))
        for index in range(count):
            poses.append(draw_pose(box, size_of(hole), mirrored ^ bool(index % 2), generator))
            noises.append(self.module.draw_noise(*size_of(image), generator))

        def run(part: slice) -> list[Tensor]:
            seen = torch.stack([pose.show(inputs) for pose in poses[part]])
            drawn = (torch.cat(maps) for maps in zip(*noises[part], strict=True))
            noise = [sent(maps, weight.device).to(weight.dtype) for maps in drawn]
            painted = self.module(seen.contiguous(memory_format=torch.channels_last), noise)
            return [torch.stack([pose.restore(rgb) for pose, rgb in zip(poses[part], painted, strict=True)])]

        painted = in_chunks(run, count, weight.device)[0]
        return keep_outside(image, hole, (painted.float() / 2 + 0.5).to(image.device))


@dataclass(frozen=True)
class Pose:
    """A way to look at a photo: moved by (right, down) pixels, its mirror image in the gap, then mirrored.

    What is moved out of sight is lost, so a pose must keep the hole in sight.
    """

    mirrored: bool
    right: int
    down: int

    def show(self, x: Tensor) -> Tensor:
        """C x H x W of the photo, seen this way."""
        x = translate(x, self.right, self.down)
        return x.flip(-1) if self.mirrored else x

    def restore(self, x: Tensor) -> Tensor:
        """Undo `show`, exact wherever the photo stayed in sight."""
        x = x.flip(-1) if self.mirrored else x
        return translate(x, -self.right, -self.down)


def draw_pose(box: PixelBox, size: tuple[int, int], mirrored: bool, generator: torch.Generator | None) -> Pose:
    """A pose of random shift, at most `REACH` and never so far that some of the hole, whose box it is given, is lost.

    Args:
        box: (x0, y0, x1, y1) in pixels. size: (H, W).
    """
    (x0, y0, x1, y1), (height, width) = box, size
    limits = ((x0, width - x1), (y0, height - y1))
    right, down = (
        int(torch.randint(-min(low, REACH), min(high, REACH) + 1, (), generator=generator)) for low, high in limits
    )
    return Pose(mirrored, right, down)


def translate(x: Tensor, right: int, down: int) -> Tensor:
    """C x H x W moved by so many pixels (fewer than its sides have); its mirror image fills the gap."""
    height, width = x.shape[1:]
    room = (max(right, 0), max(-right, 0), max(down, 0), max(-down, 0))
    top, left = room[3], room[1]
    return functional.pad(x, room, mode="reflect")[:, top : top + height, left : left + width]


def load_migan(device: torch.device | str = "cpu", size: int = SIZE) -> MIGANPainter:
    """The embedded painter, in float32. Raises WeightsError when its file is missing or broken."""
    module = MIGAN()
    module.load_state_dict(load_weights("migan_places2_512"))
    module.eval().requires_grad_(False)
    # torch's own declaration of `to` leaves the memory format out.
    module.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    return MIGANPainter(module, size)
