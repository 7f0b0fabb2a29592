"""Corrections by clicks: what a click changes, and what it leaves."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from paintseg.finish.refine import Finish
from paintseg.locate import correction
from paintseg.locate.correction import Sight, corrected
from paintseg.locate.pixel_walk import depth_at, met
from paintseg.ops.morphology import dilate
from paintseg.ops.overlap import intersection_over_union

GRID = 8, 8


def photo(*shapes, size=(96, 96), ground=(0.2, 0.5, 0.2)):
    """An image with (mask, colour) drawn over a ground, and a little noise that no colour model may fall over."""
    image = torch.tensor(ground).view(3, 1, 1).repeat(1, *size)
    for mask, colour in shapes:
        image[:, mask] = torch.tensor(colour).view(3, 1)
    noise = torch.rand(3, *size, generator=torch.Generator().manual_seed(0))
    return (image + 0.04 * (noise - 0.5)).clamp(0, 1)


def disc(x, y, radius, size=(96, 96)):
    ys, xs = torch.meshgrid(torch.arange(size[0]) + 0.5, torch.arange(size[1]) + 0.5, indexing="ij")
    return (xs - x) ** 2 + (ys - y) ** 2 <= radius**2


def block(x0, y0, x1, y1, size=(96, 96)):
    mask = torch.zeros(size, dtype=torch.bool)
    mask[y0:y1, x0:x1] = True
    return mask


def sight_of(image, keys=None):
    if keys is None:
        keys = torch.randn(1, 24, *GRID, generator=torch.Generator().manual_seed(1))
    return Sight(keys, Finish(image))


def clicks(on, off):
    return [(place, True) for place in on] + [(place, False) for place in off]


RED, DARK = (0.8, 0.2, 0.2), (0.1, 0.1, 0.3)


def test_a_click_on_a_place_already_right_changes_nothing():
    body = disc(48, 48, 25)
    soft = body.float() * 0.9
    after = corrected(soft, sight_of(photo((body, RED))), clicks([(48, 48), (30.5, 48)], [(5, 5)]))
    assert torch.equal(after, soft)


def test_a_strip_beside_the_edge_goes_and_nothing_else():
    body, strip = disc(48, 48, 25), block(20, 70, 76, 78)
    image = photo((body, RED))
    after = corrected((body | strip).float(), sight_of(image), clicks([(48, 48)], [(26, 74.5)])) > 0.5
    changed = after ^ (body | strip)
    assert changed.any() and not (changed & ~strip).any()
    assert not after[74, 26]
    assert intersection_over_union(after, body) > intersection_over_union(body | strip, body)


def test_a_window_in_a_wall_is_cut_out_along_its_edges():
    wall, window = block(8, 8, 88, 88), block(40, 30, 54, 66)
    image = photo((wall, (0.9, 0.9, 0.85)), (window, DARK))
    after = corrected(wall.float(), sight_of(image), clicks([(20, 20)], [(47, 48)])) > 0.5
    assert intersection_over_union(wall & ~after, window) > 0.9


def test_what_is_missed_is_added_up_to_its_edges():
    body, handle = disc(40, 48, 22), block(60, 44, 84, 52)
    image = photo((body | handle, RED))
    after = corrected(body.float(), sight_of(image), clicks([(40, 48), (72, 48)], [])) > 0.5
    assert intersection_over_union(after, body | handle) > 0.9


def test_deep_inside_the_patches_decide_where_colours_do_not():
    """Two things of one colour, told apart by the encoder alone, of which the answer holds both."""
    both, second = block(12, 36, 84, 60), block(48, 36, 84, 60)
    keys = torch.zeros(1, 3, *GRID)
    keys[:, 0] = 1.0
    keys[:, 0, 3:5, 1:7], keys[:, 1, 3:5, 1:4], keys[:, 2, 3:5, 4:7] = 0.0, 1.0, 1.0
    after = corrected(both.float(), sight_of(photo((both, RED)), keys), clicks([(30, 48)], [(66, 48)])) > 0.5
    assert not after[48, 66] and after[48, 30]
    assert float((after & second).sum()) < 0.35 * float(second.sum())
    assert float((after & ~second & both).sum()) > 0.65 * float((both & ~second).sum())


def looked(sight_keys, image, shown):
    """A sight whose closer looks have the keys of what is `shown` there, 96 x 96 x C, at a tenth of it; and a list of
    the boxes that were looked at."""
    boxes = []

    def closer(box):
        boxes.append(box)
        x0, y0, x1, y1 = box
        return torch.nn.functional.interpolate(shown[y0:y1, x0:x1].permute(2, 0, 1)[None], (10, 10), mode="area")

    return Sight(sight_keys, Finish(image), closer), boxes


def test_a_small_part_is_looked_at_closer():
    """A strap of the wall's own colour, narrower than a patch: a closer look alone tells the two apart."""
    wall, strap = block(8, 8, 80, 88), block(80, 44, 92, 50)
    shown = torch.stack([wall, strap, ~(wall | strap)], -1).float()
    alike = torch.ones(1, 3, *GRID)
    sight, boxes = looked(alike, photo((wall | strap, RED)), shown)
    said = clicks([(40, 48)], [(86.5, 47.5)])
    after = corrected((wall | strap).float(), sight, said) > 0.5
    assert intersection_over_union(after, wall) > 0.99
    ((x0, y0, x1, y1),) = boxes
    assert x0 <= 86 - 8 * 3 and y0 <= 47 - 8 * 3 and y1 > 47 + 8 * 3 and x1 == 96, "as far as anything may change"
    blurred = corrected((wall | strap).float(), Sight(alike, Finish(photo((wall | strap, RED)))), said) > 0.5
    assert (after & strap).sum() < (blurred & strap).sum()


def test_what_is_as_wide_as_a_patch_is_not_looked_at_again():
    strip = block(10, 40, 80, 58)  # of one and a half patches
    sight, boxes = looked(torch.randn(1, 24, *GRID), photo((strip, DARK)), torch.ones(96, 96, 3))
    corrected(strip.float(), sight, clicks([], [(45, 49)]))
    assert boxes == []


masks = st.integers(0, 2**32 - 1)
places = st.tuples(st.floats(0, 47.9), st.floats(0, 39.9))


@settings(max_examples=25)
@given(seed=masks, said=st.lists(st.tuples(places, st.booleans()), max_size=5))
def test_every_click_is_obeyed_and_agreeing_ones_change_nothing(seed, said):
    generator = torch.Generator().manual_seed(seed)
    image = torch.rand(3, 40, 48, generator=generator)
    soft = torch.nn.functional.interpolate(torch.rand(1, 1, 5, 6, generator=generator), (40, 48), mode="bilinear")[0, 0]
    sight = Sight(torch.randn(1, 4, 5, 6, generator=generator), Finish(image))
    after = corrected(soft, sight, said)
    for (x, y), side in {(int(x), int(y)): side for (x, y), side in said}.items():
        assert bool(after[y, x] > 0.5) == side
    assert after.min() >= 0 and after.max() <= 1
    more = (20.5, 20.5), bool(after[20, 20] > 0.5)
    if not any((int(x), int(y)) == (20, 20) for (x, y), _ in said):
        assert torch.equal(corrected(soft, sight, [*said, more]), after)


def test_one_pixel_said_to_be_both_does_not_go_round_for_ever():
    soft = disc(48, 48, 20).float()
    corrected(soft, sight_of(photo()), clicks([(48.5, 48.5)], [(48.5, 48.5)]))


def test_without_patches_colours_decide_alone():
    body, second = disc(30, 48, 16), disc(74, 48, 10)
    image = photo((body | second, RED))
    sight = Sight(None, Finish(image))
    after = corrected(body.float(), sight, clicks([(74, 48)], [])) > 0.5
    assert intersection_over_union(after, body | second) > 0.85


# --- the walk from pixel to pixel


@pytest.mark.parametrize("side", [True, False])
def test_what_a_click_changes_is_in_no_doubt_but_at_its_edge(side):
    """Or a cut-out would show a ghost of what was taken away, and what was added as if through a veil."""
    wall, window = block(8, 8, 88, 88), block(40, 30, 54, 66)
    image = photo((wall, (0.9, 0.9, 0.85)), (window, DARK))
    doubtful = torch.where(wall, 0.8, 0.1)
    soft = torch.where(wall & ~window, 0.8, 0.35) if side else doubtful
    at = (47, 48)
    after = corrected(soft, sight_of(image), clicks([(20, 20), at], []) if side else clicks([(20, 20)], [at]))
    changed = (after > 0.5) ^ (soft > 0.5)
    inner = changed & ~dilate((after > 0.5) ^ side, 3)
    assert inner.sum() > 50 and (after[inner] == (1.0 if side else 0.0)).all()


def test_a_farther_reach_changes_more():
    lab, mask = np.zeros((3, 81, 81)), np.zeros((81, 81), bool)
    shares = [met(lab, mask, (40, 40), reach, np.empty((0, 2))) for reach in (4, 8, 16)]
    sizes = [(each > 0.5).sum() for each in shares]
    assert sizes == sorted(sizes) and sizes[0] < sizes[2]


def test_an_edge_stops_the_walk_and_an_opposed_click_holds():
    lab, mask = np.zeros((3, 61, 61)), np.zeros((61, 61), bool)
    lab[0, :, 33:] = 80.0
    shares = met(lab, mask, (30, 30), 12.0, np.array([[30, 22]]))
    assert shares[30, 30] == 1 and shares[30, 22] == 0 and (shares[:, 33:] < 0.5).all()
    assert (shares[27:34, 27:32] > 0.5).all() and ((shares >= 0) & (shares <= 1)).all()


def test_depth_is_the_distance_to_the_other_side():
    assert depth_at(disc(48, 48, 20), (48, 48)) == pytest.approx(20, abs=1)
    assert depth_at(torch.ones(4, 4, dtype=torch.bool), (1, 1)) == float("inf")


@pytest.mark.parametrize("seed", range(3))
def test_a_part_that_is_missed_is_added_without_the_busy_ground_around_it(seed):
    """Nothing limits what is not found yet. A pot clicked on below its tree used to bring the garden with it."""
    size, generator = (192, 192), torch.Generator().manual_seed(seed)
    crown, pot = disc(96, 50, 30, size), block(66, 120, 126, 170, size)
    image = photo((crown, (0.3, 0.55, 0.25)), (pot, (0.6, 0.35, 0.25)), size=size, ground=(0.35, 0.45, 0.3))
    leaves = torch.nn.functional.interpolate(torch.randn(1, 1, 48, 48, generator=generator), size)[0]
    keys = torch.randn(1, 24, 16, 16, generator=generator) + 0.4 * torch.randn(1, 24, 1, 1, generator=generator)
    for part in (crown, pot):
        cover = torch.nn.functional.interpolate(part[None, None].float(), (16, 16), mode="area")
        keys += 1.6 * cover * torch.randn(1, 24, 1, 1, generator=generator)
    sight = Sight(keys, Finish((image + 0.25 * leaves).clamp(0, 1)))
    after = corrected(crown.float(), sight, clicks([(96, 50), (96, 145)], [])) > 0.5
    ground = ~(crown | pot)
    assert (after & pot).sum() > 0.95 * pot.sum() and (after & ground).sum() < 0.25 * ground.sum()


def test_of_a_conversation_only_the_last_click_is_worked_out(monkeypatch):
    sight, asked, change = sight_of(photo((disc(25, 25, 15), RED), (disc(70, 70, 15), DARK))), [], correction._change
    monkeypatch.setattr(correction, "_change", lambda *given: asked.append(given[2]) or change(*given))
    soft, said = torch.full((96, 96), 0.1), clicks([(25, 25), (71, 69)], [])
    first = corrected(soft, sight, said[:1])
    both = corrected(soft, sight, said)
    assert asked == [(25, 25), (69, 71)]
    assert torch.equal(corrected(soft.clone(), Sight(sight.keys, sight.finish), said), both)
    assert torch.equal(corrected(soft, sight, said[:1]), first) and len(asked) == 2
    corrected(soft + 0.05, sight, said[:1])
    assert len(asked) == 3, "another answer before it"
