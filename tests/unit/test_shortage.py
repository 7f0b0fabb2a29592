"""Memory that runs out in any public function is said in one sentence, whoever noticed it and in whatever words."""

import pytest
import torch

from paintseg.amcp.score import score
from paintseg.config import preset
from paintseg.io.formats import to_image
from paintseg.io.reading import read_photo
from paintseg.layers.amodal import amodal, peel
from paintseg.layers.compose import Placement, reassemble
from paintseg.layers.cutout import cut_out
from paintseg.layers.matting import matte
from paintseg.layers.openraster import save_openraster, save_png_set
from paintseg.layers.removal import paint_out
from paintseg.layers.stack import NamedLayer, flatten
from paintseg.locate import discovery
from paintseg.ops.memory import SHORTAGE, is_shortage, says_shortage
from paintseg.prompts import box_prompt, point_prompt
from paintseg.segmentation import segment
from paintseg.tasks import candidates as candidates_of
from paintseg.tasks import painting_potential as measure
from paintseg.tasks import several, video

from .small_models import MeanColour, Surroundings, disc_photo

SIZE = (48, 64)
PHOTO, DISC = disc_photo(SIZE, centre=(32, 24), radius=12)
BOX = box_prompt((18, 10, 46, 38), SIZE)
SMALL = preset("fast", size=64, encoder_size=64, photo_size=0, steps=1, paintings=1)
LAYER = torch.cat([PHOTO, DISC[None].float()])
TURNED = [Placement(rotation=30)]


def fail(*_, **__):
    raise RuntimeError("[enforce fail at alloc_cpu.cpp] DefaultCPUAllocator: can't allocate memory: you tried to")


class Full(MeanColour):
    encode = fail


class FullPainter(Surroundings):
    paint = fail


PAINTER, ENCODER = Surroundings(), MeanColour()
WITH_A_FULL_ENCODER = {
    "segment": lambda: segment(PHOTO, BOX, PAINTER, Full(), SMALL),
    "segment_each": lambda: several.segment_each(PHOTO, [BOX], PAINTER, Full(), SMALL),
    "candidates": lambda: candidates_of.candidates(PHOTO, point_prompt([(32, 24)], SIZE), PAINTER, Full(), SMALL),
    "follow": lambda: list(video.follow([PHOTO], BOX, PAINTER, Full(), SMALL)),
    "measure": lambda: measure.measure(PHOTO, 1 - PHOTO, DISC, Full(), SMALL),
    "coarse_mask": lambda: discovery.coarse_mask(PHOTO, Full()),
    "coarse_masks": lambda: discovery.coarse_masks(PHOTO, Full(), 2),
    "score": lambda: score(DISC, segment(PHOTO, BOX, PAINTER, ENCODER, SMALL).states[-1], PAINTER, PAINTER, Full()),
    "paint_out": lambda: paint_out(PHOTO, DISC, PAINTER, candidates=2, encoder=Full()),
    "amodal": lambda: amodal(PHOTO, DISC, box_prompt((2, 2, 20, 20), SIZE), PAINTER, Full(), SMALL),
    "peel": lambda: peel(PHOTO, [BOX], PAINTER, Full(), SMALL),
    "peel, found by itself": lambda: peel(PHOTO, None, PAINTER, Full(), SMALL),
}
WITH_A_FULL_PAINTER = {
    "paint_out": lambda: paint_out(PHOTO, DISC, FullPainter()),
    "amodal": lambda: amodal(PHOTO, DISC, box_prompt((2, 2, 20, 20), SIZE), FullPainter(), ENCODER, SMALL),
    "follow": lambda: list(video.follow([PHOTO], BOX, FullPainter(), ENCODER, SMALL)),
}
WHERE_SOMETHING_INSIDE_FAILS = {
    "matte": ("paintseg.layers.matting.solve", lambda path: matte(PHOTO, DISC.float())),
    "cut_out": ("paintseg.layers.cutout._clear_edge", lambda path: cut_out(PHOTO, DISC.float())),
    "reassemble": ("paintseg.layers.compose.transform", lambda path: reassemble(PHOTO, [LAYER], TURNED)),
    "flatten": ("paintseg.layers.stack.upon", lambda path: flatten([NamedLayer("one", LAYER)])),
    "save_openraster": (
        "paintseg.layers.openraster.to_image",
        lambda path: save_openraster(path / "x.ora", [NamedLayer("one", LAYER)]),
    ),
    "save_png_set": (
        "paintseg.layers.openraster.to_image",
        lambda path: save_png_set(path / "set", [NamedLayer("one", LAYER)]),
    ),
    "several.resolve": (
        "paintseg.tasks.several.resolve",
        lambda path: several.segment_each(PHOTO, [BOX], PAINTER, ENCODER, SMALL),
    ),
    "candidates.ranked": (
        "paintseg.tasks.candidates.ranked",
        lambda path: candidates_of.candidates(PHOTO, point_prompt([(32, 24)], SIZE), PAINTER, ENCODER, SMALL),
    ),
    "video.carry": (
        "paintseg.tasks.video.carry",
        lambda path: list(video.follow([PHOTO] * 2, BOX, PAINTER, ENCODER, SMALL)),
    ),
    "discovery": ("paintseg.locate.discovery._cuts", lambda path: discovery.coarse_mask(PHOTO, ENCODER)),
}


def said(call):
    with pytest.raises(MemoryError) as raised:
        call()
    return str(raised.value)


@pytest.mark.parametrize("name", WITH_A_FULL_ENCODER)
def test_an_encoder_without_memory_is_said_in_one_sentence(name):
    assert said(WITH_A_FULL_ENCODER[name]) == SHORTAGE


@pytest.mark.parametrize("name", WITH_A_FULL_PAINTER)
def test_a_painter_without_memory_is_said_in_one_sentence(name):
    assert said(WITH_A_FULL_PAINTER[name]) == SHORTAGE


@pytest.mark.parametrize("name", WHERE_SOMETHING_INSIDE_FAILS)
def test_memory_that_runs_out_inside_is_said_in_one_sentence(name, monkeypatch, tmp_path):
    place, call = WHERE_SOMETHING_INSIDE_FAILS[name]
    monkeypatch.setattr(place, fail)
    assert said(lambda: call(tmp_path)) == SHORTAGE
    assert list(tmp_path.iterdir()) == []


def test_a_photo_too_large_for_the_memory_is_not_called_broken(tmp_path, monkeypatch):
    to_image(PHOTO).save(tmp_path / "photo.png")
    monkeypatch.setattr("paintseg.io.reading._photo", lambda *_: (_ for _ in ()).throw(MemoryError()))
    with pytest.raises(MemoryError):
        read_photo(tmp_path / "photo.png")


@pytest.mark.parametrize(
    "words",
    [
        "CUDA out of memory. Tried to allocate 2.00 GiB",
        "MPS backend out of memory (MPS allocated: 9 GB)",
        "CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`",
        "cuDNN error: CUDNN_STATUS_ALLOC_FAILED",
        "cuDNN error: CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED",
        "[enforce fail at alloc_cpu.cpp:114] DefaultCPUAllocator: can't allocate memory",
        "[enforce fail] DefaultCPUAllocator: not enough memory: you tried to allocate 9 bytes.",
    ],
)
def test_a_shortage_is_known_by_its_words(words):
    assert is_shortage(RuntimeError(words))


@pytest.mark.parametrize(
    "words", ["cuDNN error: CUDNN_STATUS_NOT_SUPPORTED", "CUBLAS_STATUS_NOT_INITIALIZED", "shapes do not match"]
)
def test_other_errors_are_not_called_a_shortage(words):
    @says_shortage
    def breaks():
        raise RuntimeError(words)

    assert not is_shortage(RuntimeError(words)) and not is_shortage(ValueError("out of memory"))
    with pytest.raises(RuntimeError, match=words):
        breaks()


def test_a_generator_says_it_when_it_runs_and_can_be_closed_before():
    ended = []

    @says_shortage
    def items():
        try:
            yield 1
            fail()
        finally:
            ended.append(True)

    found = items()
    assert next(found) == 1
    assert said(lambda: next(found)) == SHORTAGE
    stopped = items()
    next(stopped)
    stopped.close()
    assert ended == [True, True]
