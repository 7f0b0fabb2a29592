"""The method with its models on a GPU, as far as that can be said without one (simulated_device.py)."""

from dataclasses import replace
from functools import cache
from itertools import product

import numpy as np
import pytest
import torch
from harness.stand_in import lend

from paintseg.amcp import loop as amcp
from paintseg.amcp.score import score
from paintseg.config import preset
from paintseg.encoders.base import working_device
from paintseg.encoders.dino import load_dinov2_small
from paintseg.layers.cutout import cut_out
from paintseg.layers.removal import remove
from paintseg.locate.discovery import coarse_masks
from paintseg.models import Models
from paintseg.ops.memory import sent
from paintseg.painters.migan import load_migan
from paintseg.prompts import box_prompt, mask_prompt, point_prompt, scribble_prompt
from paintseg.segmentation import begin, finish, segment
from paintseg.tasks.candidates import candidates
from paintseg.tasks.painting_potential import measure
from paintseg.tasks.several import segment_each
from paintseg.tasks.video import follow
from paintseg.visualize import cluster_map, painted_photo, potential_map, step_frame

from .simulated_device import DEVICE, OnDevice, SimulatedDevice, WrongDevice
from .small_models import disc_photo, embedded, iou

PHOTO, DISC = disc_photo((96, 128), (64, 48), 24)
SIZE = tuple(DISC.shape)
BOX = box_prompt((38, 22, 90, 74), SIZE)
POINT = point_prompt([(64, 48)], SIZE, negative=[(8, 8)])
STROKES = scribble_prompt(torch.zeros(SIZE).index_fill_(0, torch.tensor([48]), 1) * DISC)
MASK = mask_prompt((torch.roll(DISC, 4, 1)).float())
PROMPTS = {"box": BOX, "point": POINT, "scribble": STROKES, "mask": MASK}
SMALL = {"size": 128, "encoder_size": 112, "photo_size": 112, "steps": 2, "paintings": 2}
NUMBERS = 256  # at once, far fewer than any map has


@pytest.fixture
def device():
    with SimulatedDevice() as simulated:
        yield simulated


def taken_there():
    return Models(load_migan("cuda"), load_dinov2_small("cuda"))


taken_there_once = cache(taken_there)


@pytest.fixture
def there(device):
    """The embedded models on the device, brought there once for all tests."""
    return taken_there_once()


@pytest.fixture
def just_there(device):
    """The same brought there anew, for what must be waited for: nothing is kept of an earlier photo."""
    return taken_there()


def both(models):
    return models.painter, models.encoder


def small(name="balanced", **changes):
    return preset(name, **{**SMALL, **changes})


QUICK = small(steps=1, paintings=1)
"""For what stands before and after the loop, whose steps are alike."""

# The simulation itself


@pytest.mark.parametrize(
    "mix",
    [
        lambda far: far + torch.ones(3),
        lambda far: torch.cat([torch.ones(3), far]),
        lambda far: torch.ones(3)[far > 0],
        lambda far: far.numpy(),
        lambda far: np.asarray(far),
        lambda far: torch.randn(3, generator=torch.Generator(), device=far.device),
        lambda far: torch.nn.functional.linear(torch.ones(1, 3), far[None]),
    ],
)
def test_what_a_gpu_refuses_is_refused(device, mix):
    with pytest.raises(WrongDevice):
        mix(torch.zeros(3, device="cuda"))


@pytest.mark.parametrize(
    ("call", "waits"),
    [
        (lambda far: far * 2, 0),
        (lambda far: far[1], 0),
        (lambda far: far[far > 1], 1),
        (lambda far: far.masked_select(far > 1), 1),
        (lambda far: far.__setitem__(far > 1, 0.0), 0),
        (lambda far: far.__setitem__(far > 1, far[:1]), 1),
        (lambda far: far.nonzero(), 1),
        (lambda far: bool(far.any()), 1),
        (lambda far: far.sum().item(), 1),
        (lambda far: far[far.argmax()], 1),
        (lambda far: far.index_select(0, far.argmax()[None]), 0),
        (lambda far: far.cpu(), 1),
        (lambda far: torch.tensor([1.0, 2.0], device=far.device), 1),
        (lambda far: torch.ones(3).to(far.device), 1),
        (lambda far: sent(torch.ones(3), far.device), 0),
        (lambda far: torch.ones(3, device=far.device), 0),
        (lambda far: torch.linalg.cholesky(torch.eye(3, device=far.device)), 1),
    ],
)
def test_what_a_gpu_is_waited_for_is_counted(device, call, waits):
    far = torch.arange(3.0).to("cuda")
    device.waits.clear()
    call(far)
    assert len(device.waits) == waits


def test_values_stay_there_until_they_are_brought_back(device):
    far = torch.arange(6.0).to("cuda")
    far[torch.tensor([0])] = 3
    assert far.device == (far * 2).sum().device == torch.zeros(1, device="cuda").device == DEVICE
    assert not device.left
    assert float(far.sum()) == 18 and far.cpu().tolist() == [3, 1, 2, 3, 4, 5]
    assert [entry.count for entry in device.left] == [1, 6]


# The loop


# Every kind of prompt and every preset; all pairs of them with scripts/test --all.
PAIRS = [("box", "fast"), ("point", "paper"), ("scribble", "balanced"), ("mask", "balanced")]
REST = [pytest.param(*pair, marks=pytest.mark.long) for pair in product(PROMPTS, ["balanced", "paper"])]


@pytest.mark.parametrize(("kind", "name"), [*PAIRS, *(one for one in REST if one.values not in PAIRS)])
def test_models_on_a_gpu_find_what_they_find_on_the_cpu(there, kind, name):
    config = small(name)
    wanted = segment(PHOTO, PROMPTS[kind], *both(embedded()), config)
    found = segment(PHOTO, PROMPTS[kind], *both(there), config)
    assert found.soft.device.type == "cpu"
    assert iou(found.mask, wanted.mask) > 0.95  # `paper` has no finish to take back what rounding decides
    assert (found.soft - wanted.soft).abs().mean() < 0.02


def test_the_maps_of_the_loop_are_on_the_gpu_and_stay_there(device, there):
    state = begin(PHOTO, BOX, *both(there), small("paper", paintings=3, early_clusters=2))
    device.left.clear()
    states = list(amcp.run(state, there.painter, there.painter, there.encoder))
    assert states[-1].step == 2
    for part in ("mask", "evidence", "weight", "region", "painting"):
        assert isinstance(getattr(states[-1], part), OnDevice), part
    assert max(entry.count for entry in device.left) <= NUMBERS


class Apart:
    """A model of which the device remembers apart what it waited for inside."""

    def __init__(self, model, device):
        self._device, self.waits = device, []
        for name in ("paint", "encode", "features"):
            if hasattr(model, name):
                setattr(self, name, self._remembered(getattr(model, name)))
        lend(self, model)

    def _remembered(self, found):
        def call(*given, **named):
            outside, self._device.waits = self._device.waits, self.waits
            try:
                return found(*given, **named)
            finally:
                self._device.waits = outside

        return call


# What the kind of a prompt changes is over before the loop begins; all pairs with scripts/test --all.
LOOPS = [("box", "balanced"), ("point", "best")]
MORE = [pytest.param(*pair, marks=pytest.mark.long) for pair in product(PROMPTS, ["balanced", "best"])]


@pytest.mark.parametrize(("kind", "name"), [*LOOPS, *(one for one in MORE if one.values not in LOOPS)])
def test_processor_and_gpu_wait_four_times_a_step_and_twice_more_to_judge_a_painting(device, just_there, kind, name):
    painter, encoder = (Apart(model, device) for model in both(just_there))
    config = small(name, paintings=3)
    first = begin(PHOTO, PROMPTS[kind], painter, encoder, config)
    for waits in (painter.waits, encoder.waits, device.waits):
        waits.clear()
    for state in amcp.run(first, painter, painter, encoder):
        judged = (state.step + 1) // 2  # the I-steps
        assert len(device.waits) <= 4 * state.step + 2 * judged and not state.note, device.waits
    assert len(painter.waits) == 2 * 2 and not encoder.waits


def test_more_clusters_than_two_cost_one_wait_more_and_a_new_contrast_box_two(device, just_there):
    painter, encoder = (Apart(model, device) for model in both(just_there))
    first = begin(PHOTO, BOX, painter, encoder, small("paper"))
    device.waits.clear()
    for state in amcp.run(first, painter, painter, encoder):
        assert not state.note and len(device.waits) <= (4 + 1 + 2) * state.step, device.waits


def test_only_the_finish_brings_maps_back(device, there):
    last = list(amcp.run(begin(PHOTO, BOX, *both(there), small()), there.painter, there.painter, there.encoder))[-1]
    device.left.clear()
    assert finish(last).shape == SIZE
    assert max(entry.count for entry in device.left) > NUMBERS


@pytest.mark.parametrize("far", ["painter", "encoder"])
def test_one_model_may_be_on_the_gpu_and_the_other_not(there, far):
    painter, encoder = (getattr(there if far == kind else embedded(), kind) for kind in ("painter", "encoder"))
    found = segment(PHOTO, BOX, painter, encoder, QUICK)
    wanted = segment(PHOTO, BOX, *both(embedded()), QUICK)
    torch.testing.assert_close(found.soft, wanted.soft, atol=1e-3, rtol=0)


@pytest.mark.parametrize("kind", ["mps", "xpu", "privateuseone"])
def test_beside_other_gpus_the_processor_does_the_work(kind):
    class Elsewhere:
        device = kind

    assert working_device(Elsewhere()).type == "cpu" and working_device(object()).type == "cpu"


def test_a_photo_on_the_gpu_is_fetched(there):
    found = segment(PHOTO.to("cuda"), BOX, *both(there), QUICK)
    torch.testing.assert_close(found.soft, segment(PHOTO, BOX, *both(there), QUICK).soft)


def test_an_object_a_hundredth_of_the_photo_can_be_shrunk_to_the_encoders_grid(there):
    photo = torch.nn.functional.pad(PHOTO[:, 22:74, 38:90], (1500, 1448, 1400, 1548), mode="replicate")
    prompt = box_prompt((1510, 1410, 1540, 1440), tuple(photo.shape[1:]))
    assert segment(photo, prompt, *both(there), small(encoder_size=56, photo_size=56)).soft.shape == photo.shape[1:]


# What stands on the loop


def test_pictures_of_a_step_are_made_of_what_is_on_the_gpu(there):
    result = segment(PHOTO, POINT, *both(there), small())
    wanted = segment(PHOTO, POINT, *both(embedded()), small())
    for draw in (step_frame, painted_photo, potential_map, cluster_map):
        torch.testing.assert_close(draw(result.states[-1]).cpu(), draw(wanted.states[-1]), atol=0.02, rtol=0)


def test_several_objects_candidates_and_scores(there):
    twins = torch.cat([PHOTO, PHOTO.flip(1)], dim=2)
    boxes = [replace(BOX, size=tuple(twins.shape[1:])), box_prompt((166, 22, 218, 74), tuple(twins.shape[1:]))]
    found, wanted = (segment_each(twins, boxes, *both(models), QUICK) for models in (there, embedded()))
    assert torch.equal(found.labels, wanted.labels) or iou(found.labels > 0, wanted.labels > 0) > 0.99
    first, second = (candidates(PHOTO, POINT, *both(models), QUICK) for models in (there, embedded()))
    assert all(iou(one.result.mask, other.result.mask) > 0.99 for one, other in zip(first, second, strict=True))
    got = score(first[0].result.mask, first[0].result.states[-1], there.painter, there.painter, there.encoder).total
    assert got == pytest.approx(second[0].score.total, abs=1e-3)


def test_frames_are_followed(there, monkeypatch):
    monkeypatch.setattr("paintseg.tasks.video.CELLS", 24)
    frames = [disc_photo((96, 128), (place, 48), 24)[0] for place in (56, 64)]
    found, wanted = (
        [one.mask for one in follow(frames, point_prompt([(56, 48)], SIZE), *both(models), QUICK)]
        for models in (there, embedded())
    )
    assert all(iou(one, other) > 0.98 for one, other in zip(found, wanted, strict=True))


def test_a_painting_is_measured_and_objects_are_discovered(there):
    plate = remove(PHOTO, DISC, there.painter)
    torch.testing.assert_close(plate, remove(PHOTO, DISC, embedded().painter), atol=1e-4, rtol=0)
    for one in ("total", "paint", "affinity"):
        found, wanted = (
            getattr(measure(PHOTO, plate, DISC.float(), models.encoder, small()), one) for models in (there, embedded())
        )
        torch.testing.assert_close(found, wanted, atol=2e-3, rtol=0)
    both_found = (coarse_masks(PHOTO, models.encoder, cells=24) for models in (there, embedded()))
    for found, wanted in zip(*both_found, strict=True):
        assert iou(found > 0.5, wanted > 0.5) > 0.98
    assert cut_out(PHOTO, DISC.float()).shape == (4, *SIZE)
