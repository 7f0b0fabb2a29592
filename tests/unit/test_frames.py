"""What the encoder is shown, and how its grid lies on the canvas."""

from dataclasses import replace

import pytest
import torch

from paintseg.amcp.affinity import affinity_term
from paintseg.config import preset
from paintseg.encoders import Features
from paintseg.locate import walks
from paintseg.ops.images import resize, size_of
from paintseg.prompts import box_prompt, mask_prompt, point_prompt
from paintseg.segmentation import segment
from paintseg.tasks.candidates import candidates
from paintseg.views import frames
from paintseg.views.frames import box_frame, lasting_frames, photo_frame
from paintseg.views.looks import Looks
from paintseg.views.view import fit_view

from .small_models import MeanColour, Surroundings, disc_photo, iou

CONFIG = preset("paper", encoder_size=64)
BOTH = replace(CONFIG, contexts=("view", "photo"), l_affinity=0.5)
PHOTO = torch.rand(1, 3, 48, 64, generator=torch.Generator().manual_seed(0))
VIEW = fit_view((48, 64), (20, 10, 36, 22), 2, 32, 64)  # photo pixels 12..44 and 0..32 at their own scale
WHOLE = fit_view((48, 64), None, 0, 64, 64)


def view_and_photo_frames(view=VIEW):
    return lasting_frames(Looks(PHOTO[0], MeanColour()), view, BOTH, None)


def test_the_papers_frame_is_the_contrast_box_cut_from_the_canvas():
    canvas = VIEW.crop(PHOTO)
    frame = box_frame(canvas, (4, 8, 20, 16), MeanColour(), replace(CONFIG, encoder_size=32))
    assert frame.image.shape == (1, 3, 16, 32)
    assert torch.equal(frame.image, resize(canvas[..., 8:16, 4:20], (16, 32)))
    assert torch.equal(frame.render(canvas, frame.image), frame.image)


@pytest.mark.parametrize(
    ("contexts", "view", "areas"),
    [
        (("box",), VIEW, []),
        (("view",), VIEW, [(0, 0, 32, 32)]),
        (("photo",), VIEW, [(-12, 0, 52, 48)]),
        (("view", "photo"), VIEW, [(0, 0, 32, 32), (-12, 0, 52, 48)]),
        (("view", "photo"), WHOLE, [(0, 0, 64, 48)]),
        (("view",), WHOLE, [(0, 0, 64, 48)]),
        (("closer",), VIEW, [(0, 0, 32, 32)]),
        (("view", "closer", "photo"), VIEW, [(0, 0, 32, 32), (-12, 0, 52, 48), (0, 0, 32, 32)]),
        (("view", "closer", "photo"), WHOLE, [(0, 0, 64, 48), (0, 0, 64, 48)]),
    ],
)
def test_every_context_is_encoded_once(contexts, view, areas):
    frames = lasting_frames(Looks(PHOTO[0], MeanColour()), view, replace(CONFIG, contexts=contexts), None)
    assert [frame.area for frame in frames] == areas


def test_the_closer_look_is_a_quarter_larger_and_left_out_where_the_object_fills_the_view():
    def looks(extent, *contexts):
        config = replace(CONFIG, contexts=contexts)
        return lasting_frames(Looks(PHOTO[0], MeanColour()), VIEW, config, None, extent)

    x0, y0, x1, y1 = VIEW.box
    assert [size_of(frame.image) for frame in looks((20, 10, 36, 22), "view", "closer")] == [(64, 64), (80, 80)]
    assert [frame.serves for frame in looks((x0, y0, x1, y1 - 4), "view", "closer")] == [("view",)]
    assert [frame.serves for frame in looks((x0, y0, x1, y1 - 4), "closer")] == [("closer",)], "there is no other"


def test_a_painting_is_drawn_where_the_view_is_and_nowhere_else():
    black = torch.zeros(1, 3, *VIEW.canvas)
    _, photo = view_and_photo_frames()
    drawn = photo.render(black, photo.image)
    expected = PHOTO.clone()
    expected[..., 0:32, 12:44] = 0
    assert torch.equal(drawn, expected)


def test_paintings_are_drawn_one_by_one():
    paintings = torch.rand(3, 3, *VIEW.canvas)
    frame = view_and_photo_frames()[0]
    drawn = frame.render(paintings, frame.image)
    assert all(torch.equal(drawn[n : n + 1], frame.render(paintings[n : n + 1], frame.image)) for n in range(3))


@pytest.mark.parametrize("which", [0, 1], ids=["view", "photo"])
@pytest.mark.parametrize("side", [24, 56], ids=["a coarser canvas", "a finer canvas"])
def test_where_nothing_was_painted_the_encoder_is_shown_the_photo_itself(which, side):
    """The canvas is the photo resampled; drawn whole, it would differ from the photo everywhere."""
    view = fit_view((48, 64), (20, 10, 36, 22), 2, side, 8)
    canvas, frame = view.crop(PHOTO), view_and_photo_frames(view)[which]
    assert not torch.equal(frame.render(canvas, frame.image), frame.image)
    assert torch.equal(frame.show(canvas.expand(2, -1, -1, -1), canvas), frame.image.expand(2, -1, -1, -1))
    hole = torch.zeros(1, 1, *view.canvas)
    hole[..., side // 4 : side // 2, side // 4 : side // 2] = 1
    shown = frame.show(torch.where(hole > 0, 1 - canvas, canvas), canvas)
    far = frame.render(hole, torch.zeros(1, 1, *frame.image.shape[2:])) == 0
    assert 0.4 < far.float().mean() < 1
    assert torch.equal(shown[far.expand_as(shown)], frame.image[far.expand_as(shown)])
    assert (shown - frame.image)[~far.expand_as(shown)].abs().mean() > 0.1


def test_a_view_of_nearly_all_of_the_photo_is_encoded_with_it():
    view = fit_view((48, 64), (4, 0, 60, 48), 1.07, 64, 64)
    assert view.box == (2, 0, 62, 48)  # 94 % of the photo
    (frame,) = view_and_photo_frames(view)
    assert frame.serves == ("view", "photo") and frame.image.shape == (1, 3, 48, 64)
    assert frame.area == pytest.approx((-2 * 64 / 60, 0, 62 * 64 / 60, 51), abs=0.3)
    mask = torch.zeros(1, 1, *view.canvas)
    mask[..., :51, :32] = 1  # the view's left half: the photo's columns 2 to 32
    assert torch.allclose(frame.coverage(mask)[:, :4].mean(0), torch.tensor([0.75, 1, 1, 1]), atol=0.02)
    assert frame.coverage(mask)[:, 4:].max() < 0.01


def test_a_view_of_less_is_encoded_by_itself():
    view = fit_view((48, 64), (6, 0, 58, 48), 1.07, 64, 64)
    assert view.box == (4, 0, 60, 48)  # 88 %
    assert [frame.serves for frame in view_and_photo_frames(view)] == [("view",), ("photo",)]


def test_coverage_is_the_share_of_every_cell():
    mask = torch.zeros(1, 1, *VIEW.canvas)
    mask[..., 4:12, 0:16] = 1
    _, photo = view_and_photo_frames()
    expected = torch.zeros(6, 8)
    expected[0, 1:4] = torch.tensor([0.25, 0.5, 0.25])
    expected[1, 1:4] = torch.tensor([0.25, 0.5, 0.25])
    assert torch.allclose(photo.coverage(mask), expected)


@pytest.mark.parametrize("which", [0, 1])
def test_a_ramp_over_the_photo_is_the_same_ramp_on_the_canvas(which):
    frame = view_and_photo_frames()[which]
    x0, _, x1, _ = frame.area
    width = frame.grid[1]
    cells = x0 + (torch.arange(width) + 0.5) * (x1 - x0) / width
    spread = frame.to_canvas(cells.expand(1, 1, *frame.grid), VIEW.canvas)
    pixels = torch.arange(VIEW.canvas[1]) + 0.5
    between = (pixels > cells[0]) & (pixels < cells[-1])
    assert torch.allclose(spread[0, 0, :, between], pixels[between].expand(VIEW.canvas[0], -1), atol=1e-4)


@pytest.mark.parametrize("size", [(1, 1), (7, 100), (100, 7), (1, 1000), (33, 65)])
def test_sides_are_multiples_of_the_stride(size):
    frame = photo_frame(Looks(torch.rand(3, *size), MeanColour()), CONFIG)
    assert all(side % 8 == 0 and 8 <= side <= 64 for side in frame.image.shape[2:])
    assert frame.grid == tuple(side // 8 for side in frame.image.shape[2:])


def test_an_encoder_without_keys_lends_its_centred_tokens():
    frame = photo_frame(Looks(PHOTO[0], MeanColour()), BOTH)
    assert torch.allclose(frame.keys, frame.features - frame.features.mean((2, 3), keepdim=True))


def test_an_encoder_with_keys_is_asked_for_both_at_once():
    class WithKeys(MeanColour):
        def features(self, images, tokens, keys):
            return Features(tokens=self.encode(images), keys=7 * self.encode(images))

    frame = photo_frame(Looks(PHOTO[0], WithKeys()), BOTH)
    assert torch.equal(frame.keys, 7 * frame.features)


def test_keys_are_left_out_when_nothing_uses_them():
    assert photo_frame(Looks(PHOTO[0], MeanColour()), CONFIG).keys is None


# Grids too fine to walk on


@pytest.fixture
def walked_over(monkeypatch):
    """The numbers of patches that walks were made over, with at most 60 allowed."""
    counts, make = [], walks.walk_over

    def counted(keys, *rest):
        counts.append(keys.shape[-2] * keys.shape[-1])
        return make(keys, *rest)

    for place in ("amcp.affinity", "locate.region", "locate.placement", "locate.readings"):
        monkeypatch.setattr(f"paintseg.{place}.walk_over", counted)
    monkeypatch.setattr(frames, "MOST_WALKED", 60)
    return counts


def test_a_grid_of_few_patches_is_walked_as_it_is():
    photo, _ = disc_photo()
    frame = photo_frame(Looks(photo, MeanColour()), preset("balanced", encoder_size=128))
    assert frame.grid == (12, 16) and frame.walked() is frame


def test_a_grid_of_too_many_is_walked_coarser(walked_over):
    photo, _ = disc_photo()
    frame = photo_frame(Looks(photo, MeanColour()), preset("balanced", encoder_size=128))
    coarse = frame.walked()
    assert coarse.grid == size_of(coarse.need_keys()) == (6, 8)
    assert (coarse.area, coarse.serves) == (frame.area, frame.serves)


def test_an_encoder_of_8_px_patches_is_walked_within_the_bound_at_the_size_of_best():
    fine = frames.Frame((0, 0, 512, 512), (512, 512), torch.zeros(1, 3, 8, 8), *(torch.rand(1, 4, 87, 87),) * 2)
    assert fine.walked().grid == (64, 64)


@pytest.mark.parametrize("kind", ["box", "point", "mask"])
def test_no_prompt_walks_over_more(walked_over, kind):
    photo, disc = disc_photo(radius=28)
    size = tuple(disc.shape)
    prompts = {
        "box": box_prompt((38, 22, 90, 74), size),
        "point": point_prompt([(64, 48)], size),
        "mask": mask_prompt(disc.roll(6, 1).float()),
    }
    config = preset("balanced", size=128, encoder_size=128)
    found = segment(photo, prompts[kind], Surroundings(), MeanColour(), config)
    assert walked_over and max(walked_over) <= 60
    assert iou(found.mask, disc) > 0.8
    if kind == "point":
        candidates(photo, prompts[kind], Surroundings(), MeanColour(), config)
        assert max(walked_over) <= 60


@pytest.mark.parametrize(("side", "seen"), [(640, [("view",)]), (64, [("view",), ("photo",)])])
def test_the_photo_is_left_out_where_its_patches_are_far_coarser_than_the_views(side, seen):
    """An object of 16 px in 640 was two patches of the photo, which told it from nothing."""
    photo = torch.rand(1, 3, side, side, generator=torch.Generator().manual_seed(0))
    view = fit_view((side, side), (20, 20, 36, 36), 2, 32, 8)
    frames = lasting_frames(Looks(photo[0], MeanColour()), view, BOTH, None)
    assert [frame.serves for frame in frames] == seen


def test_a_frame_of_finer_patches_counts_more_in_proportion():
    allowed = torch.zeros(1, 1, *VIEW.canvas, dtype=torch.bool)
    allowed[..., 8:24, 8:24] = True
    fine, coarse = frames_of = view_and_photo_frames()
    assert coarse.patch == 2 * fine.patch, "the photo is twice the view, and both were shown at one size"
    both, one, other = (affinity_term(chosen, allowed, VIEW, BOTH, None) for chosen in (frames_of, (fine,), (coarse,)))
    torch.testing.assert_close(both, (2 * one + other) / 3)
    assert not torch.allclose(one, other)


def test_two_looks_at_the_view_share_what_one_counts():
    allowed = torch.zeros(1, 1, *VIEW.canvas, dtype=torch.bool)
    allowed[..., 8:24, 8:24] = True
    config = replace(BOTH, contexts=("view", "closer", "photo"))
    view, photo, closer = looks = lasting_frames(Looks(PHOTO[0], MeanColour()), VIEW, config, None)
    assert closer.patch < view.patch < photo.patch and closer.area == view.area
    every, one, two, whole = (
        affinity_term(chosen, allowed, VIEW, BOTH, None) for chosen in (looks, (view,), (closer,), (photo,))
    )
    torch.testing.assert_close(every, (2 * (one + two) / 2 + whole) / 3)
