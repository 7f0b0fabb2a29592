"""Several objects of one photo, on the embedded models at small sizes."""

from dataclasses import replace

import pytest
import torch

from paintseg.config import Config, preset
from paintseg.errors import InputError
from paintseg.prompts import box_prompt, mask_prompt, point_prompt
from paintseg.segmentation import Result, begin, segment
from paintseg.tasks.several import apart, exclude_each_other, resolve, segment_each, shares

from .small_models import embedded

SIZE = (120, 200)
BOXES = ((20, 30, 60, 90), (130, 30, 180, 90))
# One view for all objects, as in the paper, at the smallest size that means anything.
PAPER = replace(Config(), steps=2, paintings=1, size=192, encoder_size=196, l_color=0.0)


@pytest.fixture(scope="module")
def models():
    return embedded()


@pytest.fixture(scope="module")
def photo():
    """Two discs on a wall that gets lighter to the right."""
    ys, xs = torch.meshgrid(torch.arange(SIZE[0]), torch.arange(SIZE[1]), indexing="ij")
    picture = torch.stack([0.4 + xs / 600, 0.5 + xs / 700, 0.6 + ys / 800])
    for (x0, y0, x1, y1), colour in zip(BOXES, ((0.8, 0.2, 0.1), (0.9, 0.8, 0.1)), strict=True):
        disc = ((xs - (x0 + x1) / 2) / (x1 - x0)) ** 2 + ((ys - (y0 + y1) / 2) / (y1 - y0)) ** 2 < 0.25
        picture[:, disc] = torch.tensor(colour)[:, None]
    return picture


class Counting:
    """A painter that keeps the holes it was given."""

    def __init__(self, painter):
        self._painter, self.holes = painter, []
        self.name, self.multiple = painter.name, painter.multiple
        self.size, self.stochastic = painter.size, painter.stochastic

    def paint(self, image, hole, count, generator):
        self.holes.append(hole)
        return self._painter.paint(image, hole, count, generator)


@pytest.fixture(scope="module")
def found(photo, models):
    """Two boxes with a view each, and what each gives alone."""
    config = preset("fast", size=192, encoder_size=224, photo_size=224)
    prompts = [box_prompt(box, SIZE) for box in BOXES]
    alone = [segment(photo, prompt, models.painter, models.encoder, config) for prompt in prompts]
    return segment_each(photo, prompts, models.painter, models.encoder, config), alone


def test_each_object_is_what_it_would_be_alone(found):
    several, alone = found
    assert [torch.equal(one.soft, other.soft) for one, other in zip(several.results, alone, strict=True)] == [True] * 2


def test_each_disc_gets_its_own_mask(found, photo):
    several, _ = found
    discs = [photo[0] > 0.75, photo[0] > 0.85]
    discs[0] &= ~discs[1]
    ious = [float((mask & disc).sum() / (mask | disc).sum()) for mask, disc in zip(several.masks, discs, strict=True)]
    assert min(ious) > 0.7


def test_labels_masks_and_soft_say_the_same(found):
    several, _ = found
    assert torch.equal(several.labels, sum(n * mask.long() for n, mask in enumerate(several.masks, start=1)))
    assert torch.equal(several.soft > 0.5, several.masks)


def result(soft, state, evidence):
    """A result with this probability and this evidence everywhere."""
    full = torch.full_like(state.evidence, evidence)
    return Result(soft > 0.5, soft, (replace(state, evidence=full, weight=torch.ones_like(full)),))


def test_the_higher_potential_has_what_two_objects_claim(found):
    state = found[0].results[0].states[0]
    weak, strong, none = torch.full(SIZE, 0.9), torch.full(SIZE, 0.6), torch.full(SIZE, 0.2)
    strong[:60] = 0.3
    several = resolve([result(weak, state, 0.5), result(strong, state, 2.0), result(none, state, 9.0)])
    x0, y0, x1, y1 = state.scene.view.box
    assert several.labels[:60].unique().tolist() == [1]
    assert several.labels[max(60, y0) : y1, x0:x1].unique().tolist() == [2]
    assert not (several.soft > 0.5).sum(0).gt(1).any()


def test_equal_potential_is_settled_by_probability_and_then_by_order(found):
    state = found[0].results[0].states[0]
    likely, less = result(torch.full(SIZE, 0.9), state, 1.0), result(torch.full(SIZE, 0.8), state, 1.0)
    assert resolve([less, likely]).labels.unique().tolist() == [2]
    assert resolve([likely, likely]).labels.unique().tolist() == [1]


def test_nobody_has_what_nobody_claims(found):
    state = found[0].results[0].states[0]
    assert not resolve([result(torch.full(SIZE, 0.5), state, 1.0)] * 2).labels.any()


def test_objects_that_lie_apart_are_painted_out_together(photo, models):
    painter = Counting(models.painter)
    prompts = [box_prompt(box, SIZE) for box in BOXES]
    several = segment_each(photo, prompts, painter, models.encoder, PAPER)
    assert len(painter.holes) == 1 + 2  # one I-step for both, an O-step each
    regions = [one.states[0].region[0] for one in several.results]
    assert all(bool((painter.holes[0] > 0)[region].all()) for region in regions)
    view = several.results[0].states[0]
    outside = ~(painter.holes[0] > 0)
    assert torch.equal(view.painting[0][:, outside[0]], view.scene.canvas[0][:, outside[0]])


def test_shares_of_a_painting_are_asked_call_by_call(photo, models):
    photo = photo[:, :64, :64].repeat(1, 2, 2)
    hole = torch.zeros(1, 128, 128)
    hole[:, 40:60, 10:30] = 1
    other = hole.roll(60, 2)
    painter = Counting(models.painter)
    first, second = shares(painter, torch.maximum(hole, other)[None] > 0, 2)
    draw = torch.Generator().manual_seed(0)
    mine = [first.paint(photo, hole, count, draw) for count in (2, 1)]
    yours = [second.paint(photo, other, count, draw) for count in (2, 1)]
    assert len(painter.holes) == 2 and [len(one) for one in (*mine, *yours)] == [2, 1, 2, 1]
    for one, another in zip(mine, yours, strict=True):
        assert (one != photo).any(1).any(0)[hole[0] == 0].sum() == 0
        assert (another != photo).any(1).any(0)[other[0] == 0].sum() == 0
    assert not torch.equal(mine[0][:1], mine[1])


def test_a_shared_latent_painter_still_says_what_its_autoencoder_makes_of_the_photo(photo, models):
    latent = Counting(models.painter)
    latent.round_trip = lambda image: image * 0.9
    holes = torch.ones(1, 1, *SIZE, dtype=torch.bool)
    assert torch.equal(shares(latent, holes, 2)[1].round_trip(photo), photo * 0.9)
    assert shares(Counting(models.painter), holes, 2)[0].round_trip(photo) is None


@pytest.mark.parametrize(("right", "groups"), [((130, 30, 180, 90), [[0, 1]]), ((62, 30, 120, 90), [[0], [1]])])
def test_objects_side_by_side_are_painted_out_one_by_one(photo, models, right, groups):
    states = [begin(photo, box_prompt(box, SIZE), models.painter, models.encoder, PAPER) for box in (BOXES[0], right)]
    assert [members for members, _ in apart(states, "I")] == groups
    assert [members for members, _ in apart(states, "O")] == [[0], [1]]


def test_a_point_on_one_object_is_off_the_others():
    first, second = exclude_each_other([point_prompt([(40, 60)], SIZE, [(1, 1)]), point_prompt([(150, 60)], SIZE)])
    assert first.negative_points == ((1.0, 1.0), (150.0, 60.0))
    assert second.negative_points == ((40.0, 60.0),)


def test_the_object_that_cannot_be_used_is_named(photo, models):
    prompts = [box_prompt(BOXES[0], SIZE), mask_prompt(torch.ones(9, 9))]
    with pytest.raises(InputError, match="object 2 of 2: the prompt is for an image of 9 x 9"):
        segment_each(photo, prompts, models.painter, models.encoder, PAPER)
    with pytest.raises(InputError, match="no prompt"):
        segment_each(photo, [], models.painter, models.encoder, PAPER)
