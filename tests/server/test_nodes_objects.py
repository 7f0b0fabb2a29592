"""No prompt, several objects, and frames, through ComfyUI's HTTP interface."""

import json

import numpy as np
import pytest
from harness.paths import HUMAN_MASK, PHOTO
from PIL import Image

SHUTTLE, WOMAN, HELMET = (346, 0, 482, 298), (20, 5, 370, 512), (285, 355, 512, 512)
HUMAN = np.asarray(Image.open(HUMAN_MASK).convert("L")) > 127


def overlap(first, second):
    return (first & second).sum() / (first | second).sum()


@pytest.fixture
def masks(client, graph, shown):
    """Runs the graph; the batches of masks that the given outputs of a node hold, as bytes H x W."""

    def read(node, *slots):
        previews = [graph.mask_preview(node, slot) for slot in slots]
        run = client.run(graph)
        if run.status == "error":
            return run.error["exception_message"].strip()
        return [np.stack([picture[..., 0] for picture in shown(run, preview)]) for preview in previews]

    return read


@pytest.fixture
def three(graph):
    """The bundled photo and a prompt for three of its objects."""
    photo = graph.add("LoadImage", image=PHOTO.name)
    boxes = json.dumps([SHUTTLE, WOMAN, HELMET])
    return photo, graph.add("PaintSeg_PromptToMask", image=[photo, 0], kind="box", boxes=boxes)


def window(graph, photo, left):
    return graph.add("ImageCrop", image=[photo, 0], width=400, height=400, x=left, y=0)


@pytest.fixture
def frames(graph):
    """A camera that pans by 16 pixels: a batch of two, and a prompt for the shuttle in the first."""
    photo = graph.add("LoadImage", image=PHOTO.name)
    first, second = (window(graph, photo, left) for left in (100, 84))
    batch = graph.add("ImageBatch", image1=[first, 0], image2=[second, 0])
    box = {"x": 246, "y": 0, "width": 136, "height": 298}
    return batch, graph.add("PaintSeg_PromptToMask", image=[first, 0], kind="box", box=box)


PANNED = [HUMAN[:400, left : left + 400] for left in (100, 84)]


def test_discover_finds_the_person(graph, masks):
    photo = graph.add("LoadImage", image=PHOTO.name)
    (found,) = masks(graph.add("PaintSeg_Discover", image=[photo, 0], objects=1), 1)
    assert len(found) == 1
    assert found[0, 110, 220] > 127  # her face
    assert found[0, 0, 0] < 127


def test_what_is_discovered_can_be_segmented(graph, masks):
    photo = graph.add("LoadImage", image=PHOTO.name)
    prompt = graph.add("PaintSeg_Discover", image=[photo, 0], objects=3)
    (found,) = masks(graph.method("PaintSeg_Objects", photo, prompt), 0)
    assert len(found) > 1
    assert found[0, 110, 220] > 127
    assert not (found > 127).sum(0).max() > 1


def test_three_objects_come_out_of_one_run(graph, masks, three):
    found, labels = masks(graph.method("PaintSeg_Objects", *three), 0, 2)
    assert len(found) == 3
    assert overlap(found[0] > 127, HUMAN) > 0.7
    assert (found > 127).sum(0).max() == 1
    assert sorted(np.unique(labels)) == [0, 1, 2, 3]
    np.testing.assert_array_equal(labels[0] == 2, found[1] > 127)


def test_a_label_map_is_a_prompt_per_grey(client, graph, masks, tmp_path):
    drawn = np.full((*HUMAN.shape, 4), 255, np.uint8)
    drawn[..., :3], drawn[HUMAN, :3], drawn[380:500, 300:500, :3] = 0, 40, 90
    Image.fromarray(drawn).save(tmp_path / "labels.png")
    picture = graph.add("LoadImage", image=client.upload(tmp_path / "labels.png"))
    labels = graph.add("ImageToMask", image=[picture, 0], channel="red")
    photo = graph.add("LoadImage", image=PHOTO.name)
    objects = graph.add("PaintSeg_Objects", image=[photo, 0], labels=[labels, 0], preset="fast", seed=7)
    (found,) = masks(objects, 0)
    assert len(found) == 2
    assert overlap(found[0] > 127, HUMAN) > 0.7


def test_prompts_and_labels_at_once_are_refused(graph, masks, three):
    labels = graph.add("SolidMask", value=1.0, width=64, height=64)
    assert "wire either prompts or a label map" in masks(
        graph.method("PaintSeg_Objects", *three, labels=[labels, 0]), 0
    )


def test_the_object_is_followed_through_the_frames(graph, masks, frames):
    (found,) = masks(graph.method("PaintSeg_Video", *frames, mode="follow"), 0)
    assert min(overlap(mask > 127, human) for mask, human in zip(found, PANNED, strict=True)) > 0.7


def test_independent_images_are_segmented_as_by_segment(graph, masks, frames):
    video = graph.method("PaintSeg_Video", *frames, mode="independent")
    loop = graph.method("PaintSeg_AMCPLoop", *frames)
    np.testing.assert_array_equal(masks(video, 1), masks(loop, 1))


def test_several_prompts_cannot_be_followed(graph, masks, three):
    assert "one object is followed" in masks(graph.method("PaintSeg_Video", *three, mode="follow"), 0)


def test_several_objects_are_not_looked_for_in_several_images(graph, masks, frames):
    found = masks(graph.add("PaintSeg_Discover", image=[frames[0], 0], objects=2), 1)
    assert "set objects to 1" in found
