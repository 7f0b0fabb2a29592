"""`python -m paintseg bench --reference`: the contrast stage beside the recipe of the authors' demo, in one run.

That recipe, as far as its cost goes: for every painting two passes of DINO ViT-B/8 at 480 px, of photo and painting,
and ten iterations of pydensecrf; then Lloyd's k-means over the values of all paintings. Its parts are put together
here from timm, pydensecrf and scikit-learn. The weights are random, which costs the same; every pass and every CRF
costs the same too, so one is timed and counted as often as it is made.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..errors import InputError

if TYPE_CHECKING:
    from torch import Tensor

    from ..config import Config
    from ..encoders import Encoder
    from ..models import Models
    from ..prompts import Prompt

BACKBONE, SIDE, ITERATIONS = "vit_base_patch8_224", 480, 10


class Replay:
    """A painter that has painted already: its time is no part of the contrast stage."""

    name, multiple, size, stochastic = "replay", 1, 512, False

    def __init__(self, painting: Tensor) -> None:
        self.painting = painting

    def paint(self, image: Tensor, hole: Tensor, count: int, generator: object) -> Tensor:
        """The paintings it was given."""
        return self.painting


class Timed:
    """An encoder, the CPU seconds it took, and its passes."""

    def __init__(self, encoder: Encoder) -> None:
        self.encoder, self.seconds, self.passes = encoder, 0.0, 0

    def __getattr__(self, name: str) -> object:
        return getattr(self.encoder, name)

    def encode(self, images: Tensor) -> Tensor:
        """See `Encoder.encode`."""
        start = time.process_time()
        tokens = self.encoder.encode(images)
        self.seconds += time.process_time() - start
        self.passes += len(images)
        return tokens


def measure(image: Tensor, prompt: Prompt, models: Models, config: Config,
            options: argparse.Namespace) -> dict[str, Any]:
    """CPU seconds of the contrast stage of an I-step, all but the painting, done both ways on the same paintings.

    Raises InputError when scikit-learn or pydensecrf is missing, or the models are not on the CPU.
    """
    from ..amcp import hole_around, paint, repainted_region, step
    from ..morphology import bounding_box, grow_box
    from ..scene import generator_for
    from ..segment import begin

    if options.device != "cpu":
        raise InputError("--reference compares CPU seconds; leave --device out")
    field_of, clusters_of = _pydensecrf(), _lloyd()
    state = begin(image, prompt, models.painter, models.encoder, config, options.seed)
    scene, mask = state.scene, state.mask
    region = repainted_region(mask, "I", scene)
    hole = hole_around(region, "I", scene)
    generator = generator_for(options.seed, 0)
    painting = paint(models.painter, scene.canvas[0], hole[0], config.paintings, generator)

    own, encoding = [], []
    for _ in range(options.repeat):
        encoder = Timed(models.encoder)
        own.append(_seconds(lambda encoder=encoder: step(state, "I", Replay(painting), encoder)))
        encoding.append(encoder.seconds)
    phi = step(state, "I", Replay(painting), models.encoder).potential
    x0, y0, x1, y1 = grow_box(bounding_box(mask), config.box_rate, scene.view.content)
    crop, inside = scene.canvas[0, :, y0:y1, x0:x1], region[0, 0, y0:y1, x0:x1]
    values = phi.total[..., y0:y1, x0:x1].reshape(-1, 1).numpy()

    def median(run: Callable[[], object]) -> float:
        return statistics.median(_seconds(run) for _ in range(options.repeat))

    count = config.paintings
    parts = {"pass": median(_vit_pass()), "crf": median(lambda: field_of(crop, inside)),
             "kmeans": median(lambda: clusters_of(values))}
    theirs_rest = count * parts["crf"] + parts["kmeans"]
    own_rest = statistics.median(whole - part for whole, part in zip(own, encoding, strict=True))
    own_pass = statistics.median(encoding) / encoder.passes
    reference, own_total = 2 * count * parts["pass"] + theirs_rest, statistics.median(own)
    return {
        "paintings": count, "crop": [x1 - x0, y1 - y0], "values": len(values), "runs": options.repeat,
        "reference": {"seconds": reference, "passes": 2 * count, "rest": theirs_rest, **parts},
        "own": {"seconds": own_total, "passes": encoder.passes, "rest": own_rest, "pass": own_pass},
        "ratio": {"all": reference / own_total, "same_encoder": (2 * count * own_pass + theirs_rest) / own_total,
                  "without_encoder": theirs_rest / own_rest},
    }


def table(found: dict[str, Any]) -> str:
    """The comparison for a terminal."""
    theirs, own, ratio = found["reference"], found["own"], found["ratio"]
    lines = [f"contrast stage of one step, {found['paintings']} paintings, crop {found['crop'][0]} x "
             f"{found['crop'][1]}, CPU seconds, medians of {found['runs']}",
             f"  {'':<22}{'reference':>10}{'here':>10}{'ratio':>8}"]
    for name, one, other, times in (
            ("all", theirs["seconds"], own["seconds"], ratio["all"]),
            ("all, our encoder", 2 * found["paintings"] * own["pass"] + theirs["rest"], own["seconds"],
             ratio["same_encoder"]),
            ("without the encoder", theirs["rest"], own["rest"], ratio["without_encoder"])):
        lines.append(f"  {name:<22}{one:10.3f}{other:10.3f}{times:8.1f}")
    lines.append(f"  passes of the encoder {theirs['passes']:10d}{own['passes']:10d}")
    lines.append(f"  one pass              {theirs['pass']:10.3f}{own['pass']:10.3f}")
    lines.append(f"  one CRF {theirs['crf']:.3f}, k-means {theirs['kmeans']:.3f} of the reference")
    return "\n".join(lines)


def _seconds(run: Callable[[], object]) -> float:
    start = time.process_time()
    run()
    return time.process_time() - start


def _vit_pass() -> Callable[[], object]:
    import timm
    import torch

    module = timm.create_model(BACKBONE, num_classes=0, dynamic_img_size=True).eval().requires_grad_(False)
    image = torch.rand(1, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(0))
    return lambda: module.forward_features(image)


def _pydensecrf() -> Callable[[Tensor, Tensor], object]:
    import numpy as np

    try:
        from pydensecrf import densecrf
    except ImportError as missing:
        raise InputError("--reference needs pydensecrf; install pydensecrf2") from missing

    def infer(crop: Tensor, inside: Tensor) -> object:
        height, width = inside.shape
        field = densecrf.DenseCRF2D(width, height, 2)
        pixels = np.ascontiguousarray((crop * 255).round().byte().permute(1, 2, 0).numpy())
        field.addPairwiseGaussian(sxy=3, compat=7)
        field.addPairwiseBilateral(sxy=50, srgb=5, rgbim=pixels, compat=10)
        chance = 1 / (1 + np.exp(1 - 2 * inside.float().numpy()))
        labels = np.stack([1 - chance, chance]).reshape(2, -1).astype(np.float32)
        field.setUnaryEnergy(np.ascontiguousarray(-np.log(labels)))
        return field.inference(ITERATIONS)

    return infer


def _lloyd() -> Callable[[Any], object]:
    try:
        from sklearn.cluster import KMeans
    except ImportError as missing:
        raise InputError("--reference needs scikit-learn") from missing
    return lambda values: KMeans(2, algorithm="lloyd", n_init=1, random_state=0).fit(values)
