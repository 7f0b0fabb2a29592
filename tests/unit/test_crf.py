"""The dense CRF against pydensecrf, on photos, and against the definition, on a few pixels."""

import os
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from scipy import ndimage

from paintseg.errors import InputError
from paintseg.finish import crf as crf_module
from paintseg.finish.crf import DenseCRF
from paintseg.finish.lattice import _TensorFilter
from paintseg.finish.lattice_tables import build_tables

densecrf = pytest.importorskip("pydensecrf.densecrf")


def smooth_noise(size, deviation, seed, channels=1):
    noise = np.random.default_rng(seed).normal(size=(channels, *size))
    noise = ndimage.gaussian_filter(noise, (0, deviation, deviation))
    return noise / noise.std()


def synthetic_photo(size=(120, 160)):
    """Regions of one colour, shaded, with texture and sensor noise."""
    regions = (smooth_noise(size, 14, 1, 3) > 0) * 0.5
    shade = sum(0.05 * smooth_noise(size, d, d, 3) for d in (1, 3, 9, 27))
    return torch.from_numpy(np.clip(0.25 + regions + shade, 0, 1)).float()


def photo_of_skimage(name, size=(200, 260)):
    data = pytest.importorskip("skimage.data")
    image = Image.fromarray(getattr(data, name)()).convert("RGB").resize(size[::-1], Image.BICUBIC)
    return torch.from_numpy(np.array(image)).permute(2, 0, 1) / 255.0


def eval_photos():
    folder = os.environ.get("PAINTSEG_EVAL_DATA")
    found = sorted(Path(folder).rglob("*.jpg")) if folder else []
    return found[:: max(1, len(found) // 8)]


def mask(size, seed=5, sharpness=2.0):
    """The probability of the object, H x W."""
    return torch.from_numpy(sharpness * smooth_noise(size, 20, seed, 2)).float().softmax(0)[1]


def reference(image, probability, iterations=10, sxy=3, compat=7, wide=50, srgb=5, strong=10):
    """pydensecrf called directly, with no line of ours in between."""
    height, width = probability.shape
    field = densecrf.DenseCRF2D(width, height, 2)
    labels = torch.stack([1 - probability, probability]).numpy()
    field.setUnaryEnergy(-np.log(labels.clip(1e-5)).reshape(2, -1))
    pixels = np.ascontiguousarray((image * 255).round().byte().permute(1, 2, 0).numpy())
    if compat:
        field.addPairwiseGaussian(sxy=sxy, compat=compat)
    if strong:
        field.addPairwiseBilateral(sxy=wide, srgb=srgb, rgbim=pixels, compat=strong)
    return torch.from_numpy(np.array(field.inference(iterations)))[1].view(height, width)


def difference(image, probability):
    image = (image * 255).round() / 255
    return float((DenseCRF(image).infer(probability) - reference(image, probability)).abs().mean())


@pytest.mark.parametrize("name", ["astronaut", "coffee", "chelsea"])
def test_photos_agree_with_pydensecrf(name):
    image = photo_of_skimage(name)
    assert difference(image, mask(image.shape[1:])) < 0.005


@pytest.mark.parametrize("path", eval_photos(), ids=lambda path: path.stem)
def test_evaluation_photos_agree_with_pydensecrf(path):
    image = torch.from_numpy(np.array(Image.open(path).convert("RGB"))).permute(2, 0, 1) / 255.0
    assert difference(image, mask(image.shape[1:])) < 0.005


@pytest.mark.parametrize("sharpness", [0.3, 8.0])
def test_doubtful_and_certain_masks_agree_with_pydensecrf(sharpness):
    image = synthetic_photo()
    assert difference(image, mask(image.shape[1:], sharpness=sharpness)) < 0.005


@pytest.mark.parametrize("size", [(1, 1), (1, 40), (33, 7), (64, 64), (97, 131)])
def test_any_size_agrees_with_pydensecrf(size):
    image = synthetic_photo((140, 140))[:, : size[0], : size[1]]
    assert difference(image, mask((140, 140))[: size[0], : size[1]]) < 0.02


def test_the_bilateral_kernel_alone_is_pydensecrfs():
    image = (synthetic_photo() * 255).round() / 255
    ours = DenseCRF(image, compat_gaussian=0, sxy_bilateral=30, srgb=13, compat_bilateral=4)
    theirs = reference(image, mask((120, 160)), compat=0, wide=30, srgb=13, strong=4)
    assert (ours.infer(mask((120, 160))) - theirs).abs().mean() < 1e-4


def test_the_gaussian_kernel_alone_is_close_to_pydensecrfs():
    image = synthetic_photo()
    ours = DenseCRF(image, sxy_gaussian=5, compat_gaussian=3, compat_bilateral=0)
    theirs = reference(image, mask((120, 160)), sxy=5, compat=3, strong=0)
    assert (ours.infer(mask((120, 160))) - theirs).abs().mean() < 0.005


@pytest.mark.parametrize("deviation", [0.5, 3, 20])
def test_the_convolution_is_scipys_gaussian_filter(deviation):
    plane = smooth_noise((70, 45), 2, 0)[0].astype(np.float32)
    expected = ndimage.gaussian_filter(plane.astype(float), deviation, mode="constant", truncate=4)
    total = np.exp(-0.5 * (np.arange(-np.ceil(4 * deviation), np.ceil(4 * deviation) + 1) / deviation) ** 2).sum()
    for array in (plane, torch.from_numpy(plane)):
        ours = crf_module._position_smoother(array, deviation)(array) / total**2
        assert np.abs(np.asarray(ours) - expected).max() < 1e-5 * np.abs(expected).max()


def test_one_iteration_is_the_papers_equation_on_a_few_pixels():
    size, weight, deviation = (9, 11), 3.0, 2.0
    probability = mask(size, sharpness=1)
    place = torch.stack(torch.meshgrid(*map(torch.arange, size), indexing="ij")).flatten(1).double().t()
    kernel = torch.exp(-0.5 * (torch.cdist(place, place) / deviation) ** 2)
    kernel = kernel * torch.outer(kernel.sum(1), kernel.sum(1)).rsqrt()
    start = torch.stack([1 - probability, probability]).double().flatten(1)
    expected = (start.log() + weight * start @ kernel).softmax(0)[1].view_as(probability)
    field = DenseCRF(torch.zeros(3, *size), sxy_gaussian=deviation, compat_gaussian=weight, compat_bilateral=0)
    assert (field.infer(probability, iterations=1) - expected).abs().max() < 1e-3


def test_the_same_call_gives_the_same_bits():
    image, probability = synthetic_photo(), mask((120, 160))
    assert torch.equal(DenseCRF(image).infer(probability), DenseCRF(image.clone()).infer(probability))


def test_the_lattice_is_built_once_per_image(monkeypatch):
    built = []
    build = crf_module.Lattice.__init__
    monkeypatch.setattr(crf_module.Lattice, "__init__", lambda self, f: built.append(1) or build(self, f))
    field = DenseCRF(synthetic_photo())
    for seed in range(3):
        field.infer(mask((120, 160), seed=seed), iterations=2)
    assert len(built) == 1


def test_certain_pixels_are_no_trouble():
    found = DenseCRF(synthetic_photo()).infer((mask((120, 160)) > 0.5).float())
    assert found.min() >= 0 and found.max() <= 1


def test_without_iterations_or_kernels_the_mask_stays():
    probability, image = mask((120, 160)), synthetic_photo()
    plain = DenseCRF(image, compat_gaussian=0, compat_bilateral=0)
    assert torch.allclose(DenseCRF(image).infer(probability, iterations=0), probability, atol=1e-5)
    assert torch.allclose(plain.infer(probability), probability, atol=1e-5)


def test_a_sloppy_mask_moves_to_the_edge_in_the_photo():
    image = torch.full((3, 80, 80), 0.2)
    image[:, 20:60, 20:60] = 0.8
    square = image[0] > 0.5
    sloppy = torch.where(square.roll((4, 4), (0, 1)), 0.7, 0.3)
    result = DenseCRF(image).infer(sloppy) > 0.5
    assert (result != square).float().mean() < 0.005 < (sloppy.gt(0.5) != square).float().mean()


def test_the_pydensecrf_back_end_is_pydensecrf():
    image, probability = synthetic_photo(), mask((120, 160))
    ours = DenseCRF(image).infer(probability, iterations=4, backend="pydensecrf")
    assert torch.allclose(ours, reference(image, probability, iterations=4), atol=1e-5)


def test_a_missing_pydensecrf_is_said_so(monkeypatch):
    monkeypatch.setitem(sys.modules, "pydensecrf", None)
    with pytest.raises(InputError, match="not installed"):
        DenseCRF(synthetic_photo()).infer(mask((120, 160)), backend="pydensecrf")


def test_torch_and_numpy_agree():
    """The lines a GPU runs, run on the CPU."""
    image, probability = synthetic_photo((60, 80)), mask((60, 80))
    features = torch.from_numpy(crf_module._features(DenseCRF(image)))
    tensors = _TensorFilter(build_tables(features))
    ones = torch.ones(60, 80)
    terms = [
        crf_module._Term(lambda x: tensors(x.flatten()).view_as(x), 10, ones),
        crf_module._Term(crf_module._position_smoother(ones, 3), 7, ones),
    ]
    there = crf_module._mean_field(terms, torch.logit(probability), 10)
    assert (there - DenseCRF(image).infer(probability)).abs().mean() < 1e-4


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_cuda_agrees_with_the_cpu():
    image, probability = synthetic_photo(), mask((120, 160))
    there = DenseCRF(image.cuda()).infer(probability.cuda()).cpu()
    assert (there - DenseCRF(image).infer(probability)).abs().mean() < 1e-3


@pytest.mark.parametrize(
    ("image", "options", "words"),
    [
        (torch.zeros(1, 8, 8), {}, "image must be 3 x H x W"),
        (torch.zeros(3, 0, 8), {}, "image must be 3 x H x W"),
        (torch.full((3, 8, 8), 255.0), {}, r"\[0, 1\]"),
        (torch.full((3, 8, 8), float("nan")), {}, "finite"),
        (torch.zeros(3, 8, 8), {"srgb": 0}, "srgb must be above 0"),
        (torch.zeros(3, 8, 8), {"compat_gaussian": -1}, "compat_gaussian must be 0 or more"),
    ],
)
def test_bad_images_and_parameters_are_named(image, options, words):
    with pytest.raises(InputError, match=words):
        DenseCRF(image, **options)


@pytest.mark.parametrize(
    ("probability", "options", "words"),
    [
        (torch.zeros(8, 9), {}, "probability must be 8 x 8 like the image"),
        (torch.zeros(1, 8, 8), {}, "probability must be 8 x 8 like the image"),
        (torch.full((8, 8), 1.5), {}, r"\[0, 1\]"),
        (torch.full((8, 8), float("nan")), {}, "finite"),
        (torch.zeros(8, 8), {"iterations": -1}, "iterations"),
        (torch.zeros(8, 8), {"backend": "opencv"}, "auto, torch, pydensecrf"),
    ],
)
def test_bad_masks_and_options_are_named(probability, options, words):
    with pytest.raises(InputError, match=words):
        DenseCRF(torch.zeros(3, 8, 8)).infer(probability, **options)
