"""What the editor's route answers, without ComfyUI: questions, conversations, replies."""

import io
import json

import numpy as np
import pytest
import torch
from PIL import Image

from paintseg.config import preset
from paintseg.errors import InputError
from paintseg.segmentation import Session
from paintseg.tasks.live import LARGEST_BODY, Conversation, Conversations, quick_painter, read_question, respond

from .painter_conformance import PainterConformance
from .small_models import MeanColour, Surroundings, disc_photo, iou
from .test_calls import CountsImages

SIZE = (96, 128)
PHOTO, DISC = disc_photo(SIZE)
SMALL = preset("balanced", size=64, encoder_size=64)
ON = {"points": [{"x": 64, "y": 48, "label": 1}]}
ASKED = {
    "picture": {"filename": "a.png", "subfolder": "", "type": "input"},
    "client": "me",
    "clicks": ON,
    "show": "mask",
    "side": 128,
}


def question(**changes):
    return read_question(json.dumps(ASKED | changes).encode())


def conversation(photo=PHOTO):
    return Conversation(Session(photo, CountsImages(MeanColour(4)), SMALL))


def reply(one=None, **changes):
    found = respond(one or conversation(), question(**changes), Surroundings)
    return np.asarray(Image.open(io.BytesIO(found.png))), found.numbers


def test_a_question_says_what_it_says_and_leaves_out_what_goes_without_saying():
    whole = question()
    assert (whole.picture.filename, whole.client, whole.show, whole.side) == ("a.png", "me", "mask", 128)
    bare = read_question(json.dumps({"picture": {"filename": "a.png"}, "client": "me", "clicks": {}}).encode())
    assert (bare.picture.type, bare.picture.subfolder, bare.show, bare.side) == ("input", "", "mask", 1024)


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b"", "the request must be JSON"),
        (b"\xff\xfe{", "the request must be JSON in UTF-8"),
        (b"[" * 60_000, "the request must be JSON"),
        (b"[]", "the request must be a JSON object"),
        (b'"' + b"x" * LARGEST_BODY + b'"', "more than 64 KB"),
        (ASKED | {"picture": "a.png"}, "the request's picture must be like"),
        (ASKED | {"picture": {"filename": ""}}, "the picture's filename must be a text"),
        (ASKED | {"picture": {"filename": 3}}, "the picture's filename must be a text"),
        (ASKED | {"picture": {"filename": "a", "type": "models"}}, "type must be one of input, output, temp"),
        (ASKED | {"picture": {"filename": "a", "subfolder": None}}, "the subfolder must be a text"),
        (ASKED | {"client": ""}, "the client must be a text"),
        (ASKED | {"clicks": "text"}, "the request's clicks must be an object"),
        (ASKED | {"show": "all"}, "show must be one of mask, cutout, plate"),
        (ASKED | {"side": 4000}, "side must be a whole number from 16 to 2048"),
        (ASKED | {"side": True}, "side must be a whole number"),
    ],
)
def test_malformed_questions_are_refused_in_a_sentence(body, sentence):
    with pytest.raises(InputError, match=sentence):
        read_question(body if isinstance(body, bytes) else json.dumps(body).encode())


def test_the_mask_comes_soft_with_its_numbers():
    mask, numbers = reply()
    assert mask.shape == SIZE and mask.dtype == np.uint8 and len(np.unique(mask)) > 2
    assert iou(torch.from_numpy(mask > 127), DISC) > 0.9
    assert numbers["size"] == [128, 96] and numbers["candidate"] == 0 and numbers["candidates"] >= 1
    assert abs(numbers["area"] - float(DISC.float().mean())) < 0.02
    x0, y0, x1, y1 = numbers["box"]
    assert max(abs(x0 - 44), abs(y0 - 28), abs(x1 - 84), abs(y1 - 68)) <= 3
    assert json.dumps(numbers).isascii()


def test_pictures_are_as_small_as_asked_for_and_never_larger_than_the_photo():
    assert reply(side=64)[0].shape == (48, 64)
    assert reply(side=2048)[0].shape == SIZE


def test_the_cut_out_is_the_object_with_transparency():
    layer, _ = reply(show="cutout")
    assert layer.shape == (*SIZE, 4)
    assert iou(torch.from_numpy(layer[..., 3] > 127), DISC) > 0.9


def test_the_plate_is_the_photo_without_the_object():
    plate, _ = reply(show="plate")
    assert plate.shape == (*SIZE, 3)
    assert plate[DISC.numpy()].mean(0)[0] < 100  # of the orange nothing is left
    far = ~torch.nn.functional.max_pool2d(DISC[None].float(), 41, 1, 20)[0].bool().numpy()
    assert np.abs(plate[far] - 255 * PHOTO.movedim(0, -1).numpy()[far]).max() <= 1


def test_showing_the_same_clicks_otherwise_works_nothing_out():
    one = conversation()
    reply(one)
    answers = []
    one.session.answer = lambda *_, **__: answers.append(None)
    reply(one, show="cutout")
    reply(one, show="plate", side=64)
    assert answers == []


def test_clicks_that_say_nothing_of_the_object_are_refused():
    with pytest.raises(InputError, match="nothing says where the object is"):
        reply(clicks={"points": [{"x": 1, "y": 1, "label": 0}]})


def test_a_click_outside_is_refused():
    with pytest.raises(InputError, match=r"the point \(500, 3\) lies outside the image of 128 x 96"):
        reply(clicks={"points": [{"x": 500, "y": 3}]})


def test_conversations_give_up_the_oldest_photos_beyond_their_bytes_but_never_the_latest():
    kept = Conversations(most=2 * PHOTO.nbytes)
    made = []

    def get(name):
        return kept.get(name, lambda: made.append(name) or Session(PHOTO.clone(), MeanColour(4), SMALL))

    first = get("first")
    get("second")
    assert get("first") is first
    get("third")
    assert kept.nbytes <= kept.most
    get("second")
    assert made == ["first", "second", "third", "second"]
    kept.most = 1
    assert get("fourth") is get("fourth")
    kept.clear()
    assert kept.nbytes == 0


class QuickPainter(PainterConformance):
    half: bool

    @pytest.fixture
    def painter(self, monkeypatch):
        monkeypatch.setattr("paintseg.tasks.live.takes_half", lambda *_: self.half)
        return quick_painter.__wrapped__()


class TestThePainterOfTheMomentIsAPainter(QuickPainter):
    half = False

    def test_it_paints_smaller(self, painter):
        assert painter.size == 384


class TestThePainterOfTheMomentInHalfPrecisionIsAPainter(QuickPainter):
    half = True

    def test_it_paints_at_full_size(self, painter):
        assert painter.size == 512
        assert {weight.dtype for weight in painter.module.parameters()} == {torch.bfloat16}
