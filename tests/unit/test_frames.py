"""What the encoder is shown, and how its grid lies on the canvas."""

from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch

from paintseg.config import preset
from paintseg.frames import box_frame, lasting_frames, make_frame, photo_frame
from paintseg.view import fit_view, resize

from .small_models import MeanColour

CONFIG = preset("paper", encoder_size=64)
BOTH = replace(CONFIG, contexts=("view", "photo"), l_affinity=0.5)
PHOTO = torch.rand(1, 3, 48, 64, generator=torch.Generator().manual_seed(0))
VIEW = fit_view((48, 64), (20, 10, 36, 22), 2, 32, 64)  # photo pixels 12..44 and 0..32 at their own scale
WHOLE = fit_view((48, 64), None, 0, 64, 64)


def view_and_photo_frames(view=VIEW):
    return lasting_frames(PHOTO, view, MeanColour(), BOTH, None)


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
    ],
)
def test_every_context_is_encoded_once(contexts, view, areas):
    frames = lasting_frames(PHOTO, view, MeanColour(), replace(CONFIG, contexts=contexts), None)
    assert [frame.area for frame in frames] == areas


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
    frame = photo_frame(torch.rand(1, 3, *size), MeanColour(), CONFIG)
    assert all(side % 8 == 0 and 8 <= side <= 64 for side in frame.image.shape[2:])
    assert frame.grid == tuple(side // 8 for side in frame.image.shape[2:])


def test_an_encoder_without_keys_lends_its_centred_tokens():
    frame = photo_frame(PHOTO, MeanColour(), BOTH)
    assert torch.allclose(frame.keys, frame.features - frame.features.mean((2, 3), keepdim=True))


def test_an_encoder_with_keys_is_asked_for_both_at_once():
    class WithKeys(MeanColour):
        def features(self, images, tokens, keys):
            return SimpleNamespace(tokens=self.encode(images), keys=7 * self.encode(images))

    frame = photo_frame(PHOTO, WithKeys(), BOTH)
    assert torch.equal(frame.keys, 7 * frame.features)


def test_keys_are_left_out_when_nothing_uses_them():
    assert make_frame(PHOTO, (0, 0, 64, 48), (48, 64), MeanColour(), CONFIG).keys is None
