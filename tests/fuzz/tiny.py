"""A real encoder and a real painter, small enough to be asked thousands of times."""

import torch
import torch.nn.functional as F


class Colours:
    """Mean and spread of the colours of every cell."""

    name, size = "colours", 64

    def __init__(self, stride=8):
        self.stride = stride

    def encode(self, images):
        mean = F.avg_pool2d(images.float(), self.stride)
        square = F.avg_pool2d(images.float() ** 2, self.stride)
        return torch.cat([mean, (square - mean**2).clamp_min(0).sqrt()], 1)


class Blur:
    """Fills the hole with the mean of what is kept, and some noise."""

    name, multiple, size, stochastic = "blur", 8, 64, True

    def paint(self, image, hole, count, generator):
        kept = image[:, hole[0] <= 0.5]
        colour = kept.mean(1) if kept.numel() else torch.full((3,), 0.5)
        noise = 0.05 * torch.rand(count, *image.shape, generator=generator)
        painted = (colour[:, None, None] + noise).clamp(0, 1).to(image)
        return torch.where(hole[None] > 0.5, painted, image[None])


class Faulty(Blur):
    """A painter that returns NaN."""

    name = "faulty"

    def paint(self, image, hole, count, generator):
        return super().paint(image, hole, count, generator) * float("nan")
