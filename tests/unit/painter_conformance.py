"""What every painter must do: subclass `PainterConformance` in a test file with a `painter` fixture."""

import pytest
import torch

from paintseg.errors import InputError
from paintseg.painters.base import Painter


def photo(height, width, seed=0):
    """A smooth random picture in [0, 1]."""
    noise = torch.rand(1, 3, 8, 8, generator=torch.Generator().manual_seed(seed))
    return torch.nn.functional.interpolate(noise, (height, width), mode="bicubic")[0].clamp(0, 1)


def box_hole(height, width):
    """A hole in the middle, a quarter of the area."""
    hole = torch.zeros(1, height, width)
    hole[:, height // 4 : height * 3 // 4, width // 4 : width * 3 // 4] = 1
    return hole


def seeded(seed):
    return torch.Generator().manual_seed(seed)


class PainterConformance:
    refusal = InputError

    @pytest.fixture
    def sides(self, painter):
        """Height and width of a small request that is no square and no power of two."""
        return painter.multiple, painter.multiple * 3

    @pytest.fixture
    def request_of(self, sides):
        return photo(*sides), box_hole(*sides)

    def test_is_a_painter(self, painter):
        assert isinstance(painter, Painter)

    def test_gives_as_many_paintings_as_asked(self, painter, request_of):
        image, hole = request_of
        for count in (1, 3):
            assert painter.paint(image, hole, count, seeded(0)).shape == (count, *image.shape)

    def test_changes_the_hole_and_nothing_else(self, painter, request_of):
        image, hole = request_of
        painted = painter.paint(image, hole, 2, seeded(0))
        kept, holes = (hole <= 0.5).expand_as(image), (hole > 0.5).expand_as(image)
        assert all(torch.equal(p[kept], image[kept]) for p in painted)
        assert not any(torch.equal(p[holes], image[holes]) for p in painted)

    def test_stays_in_range_and_in_the_dtype_of_the_image(self, painter, request_of):
        image, hole = request_of
        for dtype in (torch.float32, torch.float64):
            painted = painter.paint(image.to(dtype), hole, 1, seeded(0))
            assert painted.dtype == dtype and painted.min() >= 0 and painted.max() <= 1

    def test_does_not_look_into_the_hole(self, painter, request_of):
        image, hole = request_of
        other = torch.where(hole > 0.5, 1 - image, image)
        first, second = (painter.paint(picture, hole, 1, seeded(0)) for picture in (image, other))
        assert torch.equal(first, second)

    def test_an_empty_hole_gives_the_image_back(self, painter, request_of):
        image, hole = request_of
        painted = painter.paint(image, torch.zeros_like(hole), 2, seeded(0))
        assert torch.equal(painted, image.expand_as(painted))

    def test_the_whole_image_may_be_the_hole(self, painter, request_of):
        image, hole = request_of
        assert torch.isfinite(painter.paint(image, torch.ones_like(hole), 1, seeded(0))).all()

    def test_a_hole_may_touch_the_border_and_have_any_type(self, painter, request_of):
        image, hole = request_of
        hole = torch.zeros_like(hole, dtype=torch.bool)
        hole[:, :20, :30] = True
        painted = painter.paint(image, hole, 1, seeded(0))[0]
        assert torch.equal(painted[:, 20:], image[:, 20:])

    def test_the_same_seed_repeats_to_the_bit(self, painter, request_of):
        assert torch.equal(painter.paint(*request_of, 2, seeded(5)), painter.paint(*request_of, 2, seeded(5)))

    def test_seeds_and_paintings_differ_when_it_is_stochastic(self, painter, request_of):
        painted = torch.cat([painter.paint(*request_of, 2, seeded(seed)) for seed in (1, 2)])
        differ = [not torch.equal(painted[i], painted[j]) for i in range(4) for j in range(i)]
        assert all(differ) if painter.stochastic else not any(differ)

    def test_no_generator_means_torchs_own(self, painter, request_of):
        torch.manual_seed(3)
        first = painter.paint(*request_of, 1, None)
        torch.manual_seed(3)
        assert torch.equal(first, painter.paint(*request_of, 1, None))

    def test_leaves_the_request_as_it_was(self, painter, request_of):
        copies = [tensor.clone() for tensor in request_of]
        painter.paint(*request_of, 1, seeded(0))
        assert all(torch.equal(a, b) for a, b in zip(copies, request_of, strict=True))

    def test_refuses_what_it_cannot_paint(self, painter, request_of):
        image, hole = request_of
        small = image[:, :-1], hole[:, :-1], 1
        for bad in (small, (image, hole[:, 1:], 1), (image[:1], hole, 1), (image, hole, 0)):
            with pytest.raises(self.refusal):
                painter.paint(*bad, seeded(0))
