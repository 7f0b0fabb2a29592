"""MI-GAN against ONNX Runtime on the published file, and as a painter."""

import os
from pathlib import Path

import make_weights
import numpy as np
import pytest
import torch
from torch.nn import functional

from paintseg.ops.boxes import bounding_box
from paintseg.painters.migan import Pose, draw_pose, load_migan, translate
from paintseg.painters.migan_network import MIGAN, downsample, tiled, upsample

from . import migan_source
from .painter_conformance import PainterConformance, box_hole, photo, seeded


@pytest.fixture(scope="module")
def painter():
    return load_migan()


@pytest.fixture(scope="module")
def source():
    path = Path(os.environ.get("PAINTSEG_WEIGHT_SOURCES", "")) / migan_source.FILE
    if not path.is_file():
        pytest.skip(f"PAINTSEG_WEIGHT_SOURCES names no folder with {migan_source.FILE}")
    return path.read_bytes()


@pytest.fixture(scope="module")
def published(source):
    """The generator's input and output in the published pipeline, for the example."""
    return migan_source.run(source, *migan_source.example())


def paint(module, inputs):
    with torch.no_grad():
        return module(torch.as_tensor(inputs)).numpy()


def generator_input(picture, mask):
    keep = mask / np.float32(255)
    return np.concatenate([keep - np.float32(0.5), (picture * np.float32(2 / 255) - 1) * keep])[None]


class TestMIGANIsAPainter(PainterConformance):
    """Everything any painter must do."""


def test_the_embedded_generator_is_what_onnx_runtime_recorded(painter):
    painted = paint(painter.module, generator_input(*migan_source.example()))
    with np.load(migan_source.RECORDED) as recorded:
        for part, pixels in migan_source.excerpt(painted).items():
            np.testing.assert_allclose(pixels, recorded[part], atol=1e-4, rtol=0)


def test_the_generator_is_onnx_runtimes_with_the_weights_of_the_source(source, published):
    inputs, painted = published
    module = MIGAN().eval()
    module.load_state_dict(make_weights.migan_tensors(source))
    np.testing.assert_allclose(paint(module, inputs), painted, atol=1e-4, rtol=0)


def test_the_embedded_generator_is_onnx_runtimes_with_a_rounded_source(source, painter):
    inputs, painted = migan_source.run(migan_source.rounded(source), *migan_source.example())
    np.testing.assert_allclose(paint(painter.module, inputs), painted, atol=1e-4, rtol=0)


def test_the_tests_prepare_the_input_as_the_published_pipeline_does(published):
    inputs, _ = published
    np.testing.assert_allclose(generator_input(*migan_source.example()), inputs, atol=1e-6)


def test_rounding_the_weights_moves_a_painting_by_less_than_a_grey_level(published, painter):
    inputs, painted = published
    difference = np.abs(paint(painter.module, inputs) - painted) / 2
    assert difference.mean() < 1 / 255 and difference.max() < 8 / 255


@pytest.mark.parametrize("size", [(4, 4), (8, 12), (5, 7)])
def test_upsampling_is_zero_insertion_and_a_filter(size):
    x = torch.randn(2, 3, *size)
    taps = torch.tensor([1.0, 3, 3, 1]) / 4
    kernel = torch.outer(taps, taps).expand(3, 1, 4, 4)
    oracle = functional.conv_transpose2d(x, kernel, stride=2, padding=1, groups=3)
    assert torch.allclose(upsample(x), oracle, atol=1e-6)


def test_downsampling_is_the_adjoint_of_upsampling():
    small, large = torch.randn(1, 3, 6, 4), torch.randn(1, 3, 12, 8)
    assert torch.allclose((upsample(small) * large).sum() / 4, (small * downsample(large)).sum(), atol=1e-4)


def test_images_of_a_batch_do_not_influence_each_other(painter):
    batch = torch.randn(3, 4, 128, 256, generator=seeded(0)).clamp(-1, 1)
    alone = [paint(painter.module, x[None]) for x in batch]
    np.testing.assert_allclose(paint(painter.module, batch), np.concatenate(alone), atol=1e-4)


def test_fixed_noise_is_tiled_beyond_512_px(painter):
    last = painter.module.synthesis["512"].second
    assert torch.equal(tiled(last.noise, 640, 1024)[512:, 512:], last.noise[:128])


def test_fresh_noise_has_the_strength_of_the_fixed_maps(painter):
    module, inputs = painter.module, torch.rand(1, 4, 512, 512, generator=seeded(0)) - 0.5
    blocks = [block for level, block in module.synthesis.items() if level != "4"]
    maps = [layer.noise for block in blocks for layer in (block.first, block.second)]
    with torch.no_grad():
        standard = module(inputs, [(noise / noise.std())[None, None] for noise in maps])
    np.testing.assert_allclose(standard, paint(module, inputs), atol=1e-4)


def test_fresh_noise_comes_in_the_shapes_it_is_used_in(painter):
    shapes = [tuple(noise.shape[2:]) for noise in painter.module.draw_noise(128, 384, seeded(0))]
    assert shapes[:3] == [(2, 6), (2, 6), (4, 12)] and shapes[-1] == (128, 384) and len(shapes) == 14


def test_the_first_paintings_do_not_depend_on_how_many_follow(painter):
    image, hole = photo(128, 256), box_hole(128, 256)
    few, many = (painter.paint(image, hole, count, seeded(4)) for count in (1, 3))
    assert torch.equal(few[0], many[0])


def test_paintings_of_one_request_vary_visibly(painter):
    image, hole = photo(256, 256), box_hole(256, 256)
    first, second = painter.paint(image, hole, 2, seeded(0))[:, :, 64:192, 64:192]
    assert (first - second).abs().mean() > 0.01


POSES = [Pose(False, 0, 0), Pose(True, 13, -40), Pose(False, -64, 64), Pose(True, 1, 63)]


@pytest.mark.parametrize("pose", POSES)
def test_a_pose_is_undone_exactly_where_nothing_left_the_picture(pose):
    image = photo(128, 128)
    undone = pose.restore(pose.show(image))
    rows = slice(max(-pose.down, 0), 128 - max(pose.down, 0))
    columns = slice(max(-pose.right, 0), 128 - max(pose.right, 0))
    assert torch.equal(undone[:, rows, columns], image[:, rows, columns])


def test_no_pose_moves_a_part_of_the_hole_out_of_sight():
    for seed in range(50):
        corners = torch.randint(0, 128, (2, 2), generator=seeded(seed)).sort(0).values
        hole = torch.zeros(1, 128, 128)
        hole[:, corners[0, 0] : corners[1, 0] + 1, corners[0, 1] : corners[1, 1] + 1] = 1
        pose = draw_pose(bounding_box(hole), (128, 128), bool(seed % 2), seeded(seed))
        assert torch.equal(pose.restore(pose.show(hole)) * hole, hole)
        assert translate(hole, pose.right, pose.down).sum() >= hole.sum()


def test_moving_puts_a_mirror_image_into_the_gap():
    row = torch.arange(5.0).expand(1, 5, 5)
    assert translate(row, 2, 0)[0, 0].tolist() == [2, 1, 0, 1, 2]
    assert translate(row, -1, 0)[0, 0].tolist() == [1, 2, 3, 4, 3]


def test_half_precision_paints_alike():
    image, hole = photo(128, 128), box_hole(128, 128)
    half = load_migan()
    half.module.bfloat16()
    difference = half.paint(image, hole, 1, seeded(0)) - load_migan().paint(image, hole, 1, seeded(0))
    assert difference.abs().mean() < 0.02
