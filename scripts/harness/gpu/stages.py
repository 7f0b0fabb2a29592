"""Single stages on the device, and beside the processor where that is the question."""

from __future__ import annotations

import torch
from torch import Tensor

from paintseg.encoders.dino import load_dinov2_small
from paintseg.finish.crf import DenseCRF
from paintseg.locate.placement import place_box
from paintseg.locate.walks import log_survival, walk_over
from paintseg.ops.boxes import whole_pixels
from paintseg.ops.images import size_of
from paintseg.ops.kmeans import kmeans1d
from paintseg.segmentation import begin, finish
from paintseg.views.frames import photo_frame
from paintseg.views.looks import Looks

from .sections import Bench, Figures

PRECISIONS = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}


def encoder(bench: Bench) -> Figures:
    """A pass of the encoder in three precisions, one picture and six, and how far its features are off."""
    size = (28, 14) if bench.meter.quick else (560, 420)
    images = torch.rand(6, 3, *size, generator=torch.Generator().manual_seed(0)).to(bench.meter.device)
    figures: Figures = {"pixels": list(size)}
    exact: Tensor | None = None
    for name, dtype in PRECISIONS.items():
        model = load_dinov2_small(bench.meter.device)
        model.module.to(dtype)
        tokens = model.encode(images[:1])
        exact = tokens if exact is None else exact
        alike = torch.nn.functional.cosine_similarity(tokens, exact, dim=1)
        figures[name] = {
            "one": bench.meter.seconds(lambda model=model: model.encode(images[:1])),
            "six": bench.meter.seconds(lambda model=model: model.encode(images)),
            "least_cosine": float(alike.min()),
        }
    return figures


def walks(bench: Bench) -> Figures:
    """Walks over grids of patches, from the usual to the largest; and a box put in place."""
    figures: Figures = {}
    for side in (8, 16) if bench.meter.quick else (40, 50, 64):
        keys = torch.randn(1, 384, side, side, generator=torch.Generator().manual_seed(0)).to(bench.meter.device)
        free = torch.zeros(side, side, dtype=torch.bool, device=keys.device)
        free[side // 4 : -side // 4, side // 4 : -side // 4] = True
        figures[f"{side * side} patches"] = bench.meter.seconds(
            lambda keys=keys, free=free: log_survival(walk_over(keys), free.flatten())
        )
    photo, config = bench.photos[0], bench.config("balanced")
    frame = photo_frame(Looks(photo.image, bench.models.encoder), config)
    box = whole_pixels(photo.box.box or (0, 0, 1, 1))
    figures["settle"] = bench.meter.seconds(lambda: place_box(box, frame, config, size_of(photo.image)))
    return figures


def clustering(bench: Bench) -> Figures:
    """k-means of a potential's values, on the device and on the processor."""
    count = 20_000 if bench.meter.quick else 1_300_000
    here = torch.randn(count, generator=torch.Generator().manual_seed(0))
    there = here.to(bench.meter.device)
    figures: Figures = {"values": count}
    for k in (2, 3):
        apart = (kmeans1d(there, k).centers.cpu() - kmeans1d(here, k).centers).abs().max()
        figures[f"k = {k}"] = {
            "device": bench.meter.seconds(lambda k=k: kmeans1d(there, k)),
            "processor": bench.meter.seconds(lambda k=k: kmeans1d(here, k)),
            "apart": float(apart),
        }
    return figures


def random_field(bench: Bench) -> Figures:
    """The CRF of a photo with its lattice, ten iterations, on the device and on the processor."""
    image = bench.photos[0].image
    side = 96 if bench.meter.quick else 512
    here = torch.nn.functional.interpolate(image[None], (side, side), mode="area")[0].clamp(0, 1)
    chance = torch.rand(side, side, generator=torch.Generator().manual_seed(0))
    there, chance_there = here.to(bench.meter.device), chance.to(bench.meter.device)
    apart = (DenseCRF(there).infer(chance_there).cpu() - DenseCRF(here).infer(chance)).abs().max()
    device = bench.meter.seconds(lambda: DenseCRF(there).infer(chance_there))
    processor = bench.meter.seconds(lambda: DenseCRF(here).infer(chance))
    ratio = (processor["seconds"] or 0) / (device["seconds"] or 1)
    return {"pixels": side * side, "device": device, "processor": processor, "times": ratio, "apart": float(apart)}


def finishing(bench: Bench) -> Figures:
    """The finish of a mask, from the loop's evidence to the photo's pixels."""
    from paintseg.amcp import loop as amcp

    photo, models = bench.photos[0], bench.models
    first = begin(photo.image, photo.box, models.painter, models.encoder, bench.config("fast"))
    last = list(amcp.run(first, models.painter, models.painter, models.encoder))[-1]
    return dict(bench.meter.seconds(lambda: finish(last)))
