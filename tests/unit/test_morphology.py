"""Morphology against scipy.ndimage and scikit-image's definitions of the same operations."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import ndimage

from paintseg.errors import InputError
from paintseg.ops import boxes as box_ops
from paintseg.ops import morphology as mo

shapes = st.sampled_from(["square", "disc"])
radii = st.integers(0, 9)
bool_planes = hnp.arrays(bool, hnp.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=17))
soft_planes = hnp.arrays(
    np.float32,
    hnp.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=17),
    elements=st.floats(0, 1, width=32),
)


def element(radius, shape):
    y, x = np.mgrid[-radius : radius + 1, -radius : radius + 1]
    return np.ones_like(x, bool) if shape == "square" else x * x + y * y <= radius * radius


def one(plane):
    return torch.from_numpy(plane)[None, None]


def blobs(seed=0, size=(96, 131), count=3):
    noise = np.random.default_rng(seed).normal(size=(count, *size))
    return torch.from_numpy(ndimage.gaussian_filter(noise, (0, 5, 5)) > 0.01)[:, None]


@settings(deadline=None)
@given(bool_planes, radii, shapes)
def test_binary_dilation_and_erosion_agree_with_scipy(plane, radius, shape):
    kernel = element(radius, shape)
    dilated = ndimage.binary_dilation(plane, kernel)
    assert (mo.dilate(one(plane), radius, shape)[0, 0].numpy() == dilated).all()
    eroded = ndimage.binary_erosion(plane, kernel, border_value=1)
    assert (mo.erode(one(plane), radius, shape)[0, 0].numpy() == eroded).all()


@settings(deadline=None)
@given(soft_planes, radii, shapes)
def test_soft_dilation_and_erosion_agree_with_scipy(plane, radius, shape):
    kernel = element(radius, shape)
    wide = ndimage.grey_dilation(plane, footprint=kernel, mode="constant", cval=-np.inf)
    thin = ndimage.grey_erosion(plane, footprint=kernel, mode="constant", cval=np.inf)
    assert (mo.dilate(one(plane), radius, shape)[0, 0].numpy() == wide).all()
    assert (mo.erode(one(plane), radius, shape)[0, 0].numpy() == thin).all()


@settings(deadline=None)
@given(bool_planes, radii, shapes)
def test_opening_shrinks_closing_grows_and_both_are_idempotent(plane, radius, shape):
    mask = one(plane)
    opened, closed = mo.opening(mask, radius, shape), mo.closing(mask, radius, shape)
    assert not (opened & ~mask).any() and not (mask & ~closed).any()
    assert torch.equal(mo.opening(opened, radius, shape), opened)
    assert torch.equal(mo.closing(closed, radius, shape), closed)


@pytest.mark.parametrize("radius", [32, 64, 500])
def test_a_large_disc_is_the_euclidean_distance_cut_at_its_radius(radius):
    mask = torch.zeros(1, 1, 300, 211, dtype=torch.bool)
    mask[..., 100:140, 60:64] = True
    distance = ndimage.distance_transform_edt(~mask[0, 0].numpy())
    assert (mo.dilate(mask, radius, "disc")[0, 0].numpy() == (distance <= radius)).all()


@pytest.mark.parametrize("shape", ["square", "disc"])
def test_a_batch_equals_its_masks_one_by_one(shape):
    masks = blobs()
    together = mo.dilate(masks, 7, shape)
    assert torch.equal(together, torch.cat([mo.dilate(m[None], 7, shape) for m in masks]))


@pytest.mark.parametrize("dtype", [torch.bool, torch.uint8, torch.float16, torch.float32, torch.float64])
def test_every_operation_keeps_dtype_and_meaning(dtype):
    mask, expected = blobs().to(dtype), blobs()
    for operation in (mo.dilate, mo.erode, mo.opening, mo.closing, mo.inner_ring, mo.outer_ring):
        result = operation(mask, 3)
        assert result.dtype == dtype and torch.equal(result.bool(), operation(expected, 3))
    assert mo.fill_holes(mask).dtype == dtype and torch.equal(mo.fill_holes(mask).bool(), mo.fill_holes(expected))


def test_an_object_cut_by_the_photo_edge_is_not_eaten_there():
    mask = torch.zeros(1, 1, 20, 20)
    mask[..., :10] = 1
    ring = mo.inner_ring(mask, 3)
    assert torch.equal(ring[0, 0], torch.zeros(20, 20).index_fill(1, torch.arange(7, 10), 1))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_cuda_agrees_with_the_cpu():
    for operation in (mo.dilate, mo.erode, mo.opening, mo.closing, mo.inner_ring, mo.outer_ring):
        assert torch.equal(operation(blobs().cuda(), 7, "disc").cpu(), operation(blobs(), 7, "disc"))
    assert torch.equal(mo.fill_holes(blobs().cuda()).cpu(), mo.fill_holes(blobs()))


def test_rings_touch_the_outline_from_both_sides_and_are_disjoint():
    mask = blobs()
    inner, outer = mo.inner_ring(mask, 4), mo.outer_ring(mask, 4)
    assert not (inner & ~mask).any() and not (outer & mask).any()
    assert torch.equal(mo.dilate(mask, 4, "disc"), mask | outer)
    assert torch.equal(mo.erode(mask, 4, "disc"), mask & ~inner)


@settings(deadline=None)
@given(bool_planes)
def test_the_bounding_box_is_what_scipy_finds(plane):
    found = ndimage.find_objects(plane.astype(int))
    expected = (found[0][1].start, found[0][0].start, found[0][1].stop, found[0][0].stop) if found else None
    assert box_ops.bounding_box(one(plane)) == expected


def test_growing_a_box_by_ten_per_cent():
    assert box_ops.grow_box((100, 200, 200, 300), 1.1, (512, 512)) == (95, 195, 205, 305)
    assert box_ops.grow_box((0, 0, 100, 51), 1.1, (60, 512)) == (0, 0, 105, 54)
    assert box_ops.grow_box((10, 10, 30, 30), 0.9, (512, 512)) == (11, 11, 29, 29)
    assert box_ops.grow_box((-3, -(2**48), 2, 1), 7e296, (8, 4)) == (0, 0, 4, 8)


@given(
    st.tuples(st.integers(0, 50), st.integers(0, 50)),
    st.tuples(st.integers(1, 50), st.integers(1, 50)),
    st.floats(1, 4),
)
def test_a_grown_box_holds_the_box_and_stays_in_the_image(corner, side, rate):
    box = (*corner, corner[0] + side[0], corner[1] + side[1])
    x0, y0, x1, y1 = box_ops.grow_box(box, rate, (110, 120))
    assert 0 <= x0 <= box[0] < box[2] <= x1 <= 120 and 0 <= y0 <= box[1] < box[3] <= y1 <= 110


@settings(deadline=None)
@given(bool_planes)
def test_filled_holes_agree_with_scipy(plane):
    assert (mo.fill_holes(one(plane))[0, 0].numpy() == ndimage.binary_fill_holes(plane)).all()


def test_large_holes_may_stay_open():
    mask = torch.ones(1, 1, 20, 20)
    mask[..., 2:4, 2:4] = mask[..., 8:15, 8:15] = 0
    expected = torch.ones(1, 1, 20, 20)
    expected[..., 8:15, 8:15] = 0
    assert torch.equal(mo.fill_holes(mask, max_area=4), expected)


@settings(deadline=None)
@given(bool_planes)
def test_components_agree_with_scikit_image(plane):
    measure = pytest.importorskip("skimage.measure")
    labels, counts = mo.components(one(plane))
    expected, count = measure.label(plane, connectivity=2, return_num=True)
    assert counts == [count] and (labels[0, 0].numpy() == expected).all()


@settings(deadline=None)
@given(bool_planes, st.integers(0, 12))
def test_specks_are_what_scikit_image_calls_small_objects(plane, area):
    skimage_morphology = pytest.importorskip("skimage.morphology")
    expected = skimage_morphology.remove_small_objects(plane, max_size=area - 1, connectivity=2)
    assert (mo.remove_specks(one(plane), area)[0, 0].numpy() == expected).all()


def two_squares():
    mask = torch.zeros(2, 1, 20, 30)
    mask[:, :, 2:6, 2:6] = mask[:, :, 10:18, 20:28] = 1
    return mask


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda m: mo.dilate(m, -1), "radius"),
        (lambda m: mo.dilate(m, 1.5), "radius"),
        (lambda m: mo.dilate(m, 1, "star"), "square, disc"),
        (lambda m: mo.dilate(m[0, 0, 0], 1), "H x W"),
        (lambda m: box_ops.grow_box((3, 0, 3, 5), 1.1, (20, 30)), "x0 < x1"),
        (lambda m: box_ops.grow_box((3, 0, 5, 5), 0, (20, 30)), "rate"),
        (lambda m: box_ops.grow_box((40, 0, 45, 5), 1.1, (20, 30)), "outside"),
    ],
)
def test_bad_input_is_named_in_one_sentence(call, words):
    with pytest.raises(InputError, match=words):
        call(two_squares())
