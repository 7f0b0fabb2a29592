"""How far nested work is: one share that never goes back, told by painters that can while they paint."""

from dataclasses import replace

import pytest
import torch
from harness.inprocess import load_pack

from paintseg.amcp.loop import State
from paintseg.amcp.progress import part
from paintseg.config import preset
from paintseg.layers.amodal import amodal, peel
from paintseg.layers.removal import paint_out
from paintseg.painters import keep_outside
from paintseg.prompts import box_prompt, mask_prompt

from .small_models import MeanColour, disc_photo

SIZE = (96, 128)
PHOTO, DISC = disc_photo(SIZE)
BOX = box_prompt((40, 24, 88, 72), SIZE)
CONFIG = replace(preset("paper"), steps=2, paintings=1, size=64, encoder_size=64)
ENCODER = MeanColour()


class Slow:
    """Fills with one colour in three sampler steps, and tells each of them to whom it was asked to."""

    name, multiple, size, stochastic = "slow", 8, 64, False

    def __init__(self, report=None):
        self.report = report

    def reporting(self, report):
        return Slow(report)

    def paint(self, image, hole, count, generator):
        for done in (1, 2, 3):
            if self.report is not None:
                self.report(done / 3, f"step {done} of 3")
        colour = torch.tensor([0.2, 0.3, 0.7])[:, None, None]
        return keep_outside(image, hole, colour.expand(count, 3, *image.shape[1:]))


FRONT = torch.zeros(SIZE)
FRONT[30:60, 4:50] = 1
TWO = torch.zeros(SIZE)
TWO[10:20, 10:20], TWO[70:80, 110:120] = 1, 1

WORK = {
    "remove": lambda told: paint_out(PHOTO, DISC, Slow(), progress=told),
    "remove two parts, two candidates each": lambda told: paint_out(
        PHOTO, TWO, Slow(), 0, 2, 2, False, ENCODER, progress=told
    ),
    "remove with its shadow": lambda told: paint_out(PHOTO, DISC, Slow(), shadow=True, progress=told),
    "amodal with a mask": lambda told: amodal(PHOTO, FRONT, DISC.float(), Slow(), ENCODER, CONFIG, progress=told),
    "amodal with a prompt": lambda told: amodal(PHOTO, FRONT, BOX, Slow(), ENCODER, CONFIG, progress=told),
    "peel": lambda told: peel(
        PHOTO, [box_prompt((4, 4, 30, 30), SIZE), mask_prompt(DISC.float())], Slow(), ENCODER, CONFIG, progress=told
    ),
}


@pytest.mark.parametrize("name", WORK)
def test_shares_rise_to_one_and_the_sampler_is_seen(name):
    heard = []
    WORK[name](lambda share, seen: heard.append((share, seen)))
    shares = [share for share, _ in heard]
    assert shares == sorted(shares) and 0 < shares[0] < 0.5 and shares[-1] == pytest.approx(1)
    assert sum(isinstance(seen, str) for _, seen in heard) >= 3
    pictures = [seen for _, seen in heard if isinstance(seen, torch.Tensor)]
    assert pictures and all(picture.shape[0] == 3 and min(picture.shape[1:]) >= 8 for picture in pictures)
    if "remove" not in name:
        assert any(isinstance(seen, State) for _, seen in heard)


@pytest.mark.parametrize("name", WORK)
def test_what_is_raised_inside_a_painting_ends_the_work(name):
    def stop(share, seen):
        if seen == "step 2 of 3":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        WORK[name](stop)


def test_watching_changes_nothing():
    told = paint_out(PHOTO, TWO, Slow(), 0, 2, 2, False, ENCODER, progress=lambda *_: None)
    alone = paint_out(PHOTO, TWO, Slow(), 0, 2, 2, False, ENCODER)
    assert torch.equal(told.plate, alone.plate) and told.scores == alone.scores


def test_nobody_is_told_of_a_part_when_nobody_is_told_of_the_whole():
    assert part(None, 0, 1) is None


# Nodes


@pytest.fixture
def watched(tmp_path, monkeypatch):
    """The pack's nodes, and what reaches ComfyUI's bar: value, total, picture."""
    pack = load_pack()
    import comfy.utils
    import folder_paths

    folder_paths.set_temp_directory(str(tmp_path))
    monkeypatch.setitem(pack.paintseg.config.PRESETS, "paper", pack.paintseg.config.preset("paper", **CHANGES))
    heard = []
    monkeypatch.setattr(comfy.utils, "PROGRESS_BAR_HOOK", lambda *told, node_id=None: heard.append(told))
    return pack.nodes, heard


CHANGES = {"steps": 2, "paintings": 1, "size": 64, "encoder_size": 64}
IMAGE = PHOTO.movedim(0, -1)[None]
CALLS = {
    "remove": lambda nodes, painter: nodes.remove.RemoveObject.execute(
        IMAGE, DISC[None].float(), 0, 2, False, -1, painter, ENCODER
    ),
    "amodal": lambda nodes, painter: nodes.amodal.Amodal.execute(
        IMAGE, FRONT[None], 1, DISC[None].float(), preset="paper", seed=0, painter=painter, encoder=ENCODER
    ),
    "layers": lambda nodes, painter: nodes.layers.Layers.execute(
        IMAGE, 1, 1, False, (BOX,), preset="paper", seed=0, painter=painter, encoder=ENCODER
    ),
}


class Pictured(Slow):
    """Shows a picture of every sampler step, as ComfyUI's previewers make them."""

    def reporting(self, report):
        from PIL import Image

        return Slow(lambda share, _: report(share, ("JPEG", Image.new("RGB", (8, 8)), 512)))


@pytest.mark.parametrize("name", CALLS)
def test_a_node_shows_the_sampler_at_work(name, watched):
    nodes, heard = watched
    CALLS[name](nodes, Pictured())
    values = [value for value, *_ in heard]
    assert values == sorted(values) and values[-1] == heard[0][1]
    assert sum(picture is not None and picture[1].size == (8, 8) for *_, picture in heard) >= 3
    assert any(picture is not None and picture[1].size != (8, 8) for *_, picture in heard)


@pytest.mark.parametrize("name", CALLS)
def test_cancel_ends_a_node_inside_a_painting(name, watched):
    nodes, heard = watched
    import comfy.model_management as management

    class Cancelled(Slow):
        def reporting(self, report):
            def told(share, _):
                steps.append(share)
                management.interrupt_current_processing(True)
                report(share, None)

            return Slow(told)

    steps = []
    with pytest.raises(management.InterruptProcessingException):
        CALLS[name](nodes, Cancelled())
    assert steps == [1 / 3]
