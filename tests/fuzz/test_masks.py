"""Masks and numbers: morphology, components, clustering, views, prompts."""

import torch
from hypothesis import given
from hypothesis import strategies as st

from paintseg.io.inputs import as_masks, as_photos, fit_strokes
from paintseg.io.labels import prompts_from_labels
from paintseg.ops import boxes as box_ops
from paintseg.ops import morphology
from paintseg.ops.images import resize_mask
from paintseg.ops.kmeans import kmeans1d
from paintseg.prompts import Prompt, box_prompt, dot_points, mask_prompt, point_prompt, scribble_prompt
from paintseg.tasks.several import exclude_each_other
from paintseg.views.view import fit_view

from .inputs import any_tensor, boxes, masks, mostly, partial, points, prompt_parts, reals, shapes, sizes, tensors
from .tally import attempt, fuzzed

stacks = st.one_of(any_tensor, tensors(sizes), sizes.flatmap(lambda size: tensors((1, 1, *size))))
SHAPED = (
    morphology.dilate,
    morphology.erode,
    morphology.opening,
    morphology.closing,
    morphology.inner_ring,
    morphology.outer_ring,
)


@fuzzed
@given(
    st.sampled_from(SHAPED),
    stacks,
    st.one_of(st.integers(-1, 9), st.sampled_from([100, 10**6])),
    st.sampled_from(["square", "disc", "disc", "star"]),
)
def test_dilation_and_its_kin(function, mask, radius, shape):
    with attempt("morphology: dilate ..."):
        found = function(mask, radius, shape)
        assert found.shape == mask.shape and found.dtype == mask.dtype


@fuzzed
@given(stacks, st.integers(-1, 50))
def test_components_and_their_kin(mask, area):
    with attempt("morphology: components ..."):
        labels, counts = morphology.components(mask)
        assert labels.shape == mask.shape and (int(labels.max()) if labels.numel() else 0) == max(counts, default=0)
        kept = [
            morphology.remove_specks(mask, area),
            morphology.fill_holes(mask, None if area < 0 else area),
        ]
        assert all(one.shape == mask.shape and one.dtype == mask.dtype for one in kept)


corner = st.integers(-5, 20)
whole = st.one_of(corner, st.integers(-(2**70), 2**70))
rectangles = mostly(
    st.tuples(corner, corner, corner, corner).map(
        lambda box: (*box[:2], box[0] + abs(box[2]) + 1, box[1] + abs(box[3]) + 1)
    ),
    st.tuples(whole, whole, whole, whole),
    4,
)


@fuzzed
@given(stacks, rectangles, mostly(st.floats(0.1, 3), reals), sizes)
def test_boxes(mask, box, rate, size):
    with attempt("morphology: boxes"):
        found = box_ops.bounding_box(mask)
        if found:
            x0, y0, x1, y1 = found
            assert 0 <= x0 < x1 <= mask.shape[-1] and 0 <= y0 < y1 <= mask.shape[-2]
        x0, y0, x1, y1 = box_ops.grow_box(box, rate, size)
        assert 0 <= x0 < x1 <= size[1] and 0 <= y0 < y1 <= size[0]
        assert box_ops.box_mask((x0, y0, x1, y1), size).sum() == (x1 - x0) * (y1 - y0)


lists = tensors(st.tuples(st.integers(7, 99)), ("noise", "noise", "noise", "bytes", "checks", "inf"))


@fuzzed
@given(mostly(lists, any_tensor, 4), mostly(st.integers(2, 6), st.integers(-1, 1)))
def test_clusters(values, k):
    with attempt("kmeans1d"):
        clusters = kmeans1d(values, k)
        assert len(clusters.centers) == k and (clusters.centers.diff() >= 0).all()
        assert (clusters.thresholds >= clusters.centers[:-1]).all() and (
            clusters.thresholds <= clusters.centers[1:]
        ).all()
        assert clusters.labels(values).max() < k


batches = st.tuples(st.integers(1, 2), st.integers(1, 33), st.integers(1, 33), st.integers(1, 4))


@fuzzed
@given(mostly(tensors(batches), any_tensor, 4), any_tensor, sizes)
def test_comfyui_tensors(image, mask, size):
    with attempt("as_photos"):
        assert as_photos(image).shape == (len(image), 3, *image.shape[1:3])
    with attempt("as_masks, resize_mask, fit_strokes"):
        for one in as_masks(mask):
            assert resize_mask(one, size).shape == size
            assert fit_strokes(one, size).shape == size and fit_strokes(one, size).dtype == torch.bool


@fuzzed
@given(sizes.flatmap(lambda size: tensors(size, (*partial, "zeros", "ones", "noise"), (torch.bool,))))
def test_dots(dots):
    with attempt("dot_points"):
        found = dot_points(dots)
        assert all(dots[int(y), int(x)] for x, y in found) and len(set(found)) == len(found)
        assert bool(found) == bool(dots.any())


@fuzzed
@given(st.data(), sizes)
def test_prompts(data, size):
    with attempt("Prompt"):
        prompt = Prompt(**data.draw(prompt_parts(size)))
        check(prompt)
        assert len(exclude_each_other([prompt, prompt])) == 2


@fuzzed
@given(st.data(), sizes)
def test_prompts_by_kind(data, size):
    kind = data.draw(st.sampled_from(["box", "point", "mask", "scribble", "labels"]))
    with attempt("box_prompt, point_prompt ..."):
        if kind == "box":
            check(box_prompt(data.draw(boxes(size)), size))
        elif kind == "point":
            spots = st.lists(points(size), max_size=3)
            check(point_prompt(data.draw(spots), size, data.draw(spots)))
        elif kind == "mask":
            check(mask_prompt(data.draw(masks(size))))
        elif kind == "scribble":
            check(scribble_prompt(data.draw(masks(size)), data.draw(st.one_of(st.none(), masks(size)))))
        else:
            assert all(one.kind == "mask" for one in prompts_from_labels(data.draw(masks(size))))


def check(prompt):
    """What the loop asks of a prompt."""
    height, width = prompt.size
    region = prompt.start_region()
    assert region.shape == prompt.size and region.dtype == torch.bool and region.any()
    spots = (*prompt.anchors().tolist(), *prompt.negative_anchors().tolist(), *prompt.bump_centres())
    assert all(0 <= x <= width and 0 <= y <= height for x, y in spots)
    if extent := prompt.extent():
        x0, y0, x1, y1 = extent
        assert 0 <= x0 < x1 <= width and 0 <= y0 < y1 <= height
    if prompt.scribble is not None:
        assert prompt.kind != "scribble" or region[prompt.scribble].all()
        assert len(prompt.anchors()) == len(prompt.points) + int(prompt.scribble.sum())


@fuzzed
@given(
    shapes.filter(lambda shape: len(shape) == 2 and min(shape) > 0),
    st.data(),
    st.floats(1, 9),
    st.integers(8, 64),
    st.sampled_from([1, 8, 48]),
)
def test_views(size, data, context, side, multiple):
    height, width = size
    x0, y0 = data.draw(st.integers(0, width - 1)), data.draw(st.integers(0, height - 1))
    box = (x0, y0, data.draw(st.integers(x0 + 1, width)), data.draw(st.integers(y0 + 1, height)))
    with attempt("fit_view"):
        view = fit_view(size, data.draw(st.sampled_from([None, box])), context, side, multiple)
        canvas = view.crop(torch.rand(1, 3, *size))
        assert canvas.shape[2:] == view.canvas and not any(edge % multiple for edge in view.canvas)
        assert view.paste(canvas).shape == (1, 3, *size) and canvas.isfinite().all()
        assert view.crop_mask(torch.ones(1, 1, *size)).shape[2:] == view.canvas
