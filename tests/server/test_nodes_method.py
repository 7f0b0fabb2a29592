"""What the nodes make of unusual wires: batches, channels, models, paintings from elsewhere."""

import numpy as np
import pytest

SMALL = 320


@pytest.fixture
def photo(graph):
    """The bundled photo, smaller; its output."""
    from harness.paths import PHOTO

    whole = graph.add("LoadImage", image=PHOTO.name)
    scaled = graph.add(
        "ImageScale", image=[whole, 0], upscale_method="area", width=SMALL, height=SMALL, crop="disabled"
    )
    return [scaled, 0]


@pytest.fixture
def boxed(graph, photo):
    """PromptToMask with a box on that photo; its output."""
    box = {"x": 214, "y": 0, "width": 88, "height": 190}
    return [graph.add("PaintSeg_PromptToMask", image=photo, kind="box", box=box), 0]


@pytest.fixture
def loop(graph, boxed):
    """Adds an AMCPLoop on an image; the output of its soft mask."""

    def add(image, **inputs):
        wired = {"image": image, "prompt": boxed, "preset": "fast", "seed": 3}
        return [graph.add("PaintSeg_AMCPLoop", **wired | inputs), 1]

    return add


@pytest.fixture
def masks(client, graph, shown):
    """Runs the graph; the masks of each of some outputs."""

    def read(*outputs):
        previews = [graph.mask_preview(*output) for output in outputs]
        run = client.run(graph)
        return [shown(run, preview) for preview in previews]

    return read


def test_images_of_a_batch_do_not_see_each_other(graph, photo, loop, masks):
    batch = graph.add("RepeatImageBatch", image=photo, amount=2)
    both, alone = masks(loop([batch, 0]), loop(photo))
    np.testing.assert_array_equal(both, alone * 2)


def test_transparency_of_the_photo_does_not_matter(graph, photo, loop, masks):
    mask = graph.add("SolidMask", value=0.3, width=SMALL, height=SMALL)
    transparent = graph.add("JoinImageWithAlpha", image=photo, alpha=[mask, 0])
    with_alpha, without = masks(loop([transparent, 0]), loop(photo))
    np.testing.assert_array_equal(with_alpha, without)


def test_embedded_models_wired_are_those_used_unwired(graph, photo, loop, masks):
    painter, encoder = graph.add("PaintSeg_FastPainter"), graph.add("PaintSeg_DINOEncoder")
    graph[encoder]["inputs"]["model"] = "DINOv2 ViT-S/14 (embedded)"
    wired, unwired = masks(
        loop(photo, painter=[painter, 0], outpainter=[painter, 0], encoder=[encoder, 0]), loop(photo)
    )
    np.testing.assert_array_equal(wired, unwired)


def test_prompts_and_images_that_do_not_match_are_refused(client, graph, photo, loop):
    batch = graph.add("RepeatImageBatch", image=photo, amount=3)
    boxes = "[[0, 0, 90, 90], [90, 90, 200, 200]]"
    two = graph.add("PaintSeg_PromptToMask", image=photo, kind="box", boxes=boxes)
    loop([batch, 0], prompt=[two, 0])
    run = client.run(graph)
    assert "there are 3 images and 2 prompts" in run.error["exception_message"]


def test_one_photo_with_two_prompts_gives_two_masks(graph, photo, loop, masks):
    boxes = "[[214, 0, 302, 190], [60, 20, 200, 300]]"
    two = graph.add("PaintSeg_PromptToMask", image=photo, kind="box", boxes=boxes)
    ((first, second),) = masks(loop(photo, prompt=[two, 0]))
    assert not first[:, :200].any()
    assert not second[:, 210:].any()


def test_photo_without_the_prompted_size_is_refused(client, graph, boxed, loop):
    other = graph.add("EmptyImage", width=64, height=64, batch_size=1, color=0)
    loop([other, 0])
    assert "the prompt is for an image of 320 x 320" in client.run(graph).error["exception_message"]


def test_potential_of_a_steps_painting_shows_its_terms(client, graph, photo, boxed, shown):
    wired = {"image": photo, "prompt": boxed, "preset": "paper", "seed": 3}
    start = graph.add("PaintSeg_AMCPStart", **wired, steps=1, paintings=1)
    step = graph.add("PaintSeg_AMCPStep", state=[start, 0], direction="I")
    potential = graph.add(
        "PaintSeg_ContrastivePotential",
        image=photo,
        painted=[step, 2],
        mask=[boxed[0], 1],
        direction="I",
        preset="paper",
    )
    terms = [graph.add("PreviewImage", images=[potential, slot]) for slot in range(1, 6)]
    run = client.run(graph)
    heat, paint, color, prompt, affinity = (shown(run, term)[0] for term in terms)
    assert len({picture.tobytes() for picture in (heat, paint, color)}) == 3
    assert prompt.min() == prompt.max() == affinity.min() == affinity.max()  # grey: the box has no points


def test_a_step_may_be_painted_by_another_painter(graph, photo, boxed, masks):
    start = graph.add("PaintSeg_AMCPStart", image=photo, prompt=boxed, preset="fast", seed=3)
    painter = graph.add("PaintSeg_FastPainter")
    same = graph.add("PaintSeg_AMCPStep", state=[start, 0], direction="auto", painter=[painter, 0])
    own = graph.add("PaintSeg_AMCPStep", state=[start, 0], direction="I")
    outward = graph.add("PaintSeg_AMCPStep", state=[start, 0], direction="O")
    first, second, third = masks([same, 1], [own, 1], [outward, 1])
    np.testing.assert_array_equal(first, second)
    assert not np.array_equal(first, third)
