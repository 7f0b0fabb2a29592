"""What every encoder must do: subclass `EncoderConformance` in a test file with an `encoder` fixture."""

import pytest
import torch

from paintseg.encoders.base import Encoder
from paintseg.errors import InputError

from .painter_conformance import photo


class EncoderConformance:
    refusal = InputError

    @pytest.fixture
    def images(self, encoder):
        """Two photos of 2 x 3 patches."""
        return torch.stack([photo(2 * encoder.stride, 3 * encoder.stride, seed) for seed in (0, 1)])

    def test_is_an_encoder(self, encoder):
        assert isinstance(encoder, Encoder) and encoder.size % encoder.stride == 0

    def test_gives_a_feature_for_every_patch(self, encoder, images):
        features = encoder.encode(images)
        assert (len(features), *features.shape[2:]) == (2, 2, 3) and features.dtype == torch.float32

    @pytest.mark.parametrize("grid", [(1, 1), (5, 2)])
    def test_takes_any_grid(self, encoder, grid):
        sides = [cells * encoder.stride for cells in grid]
        features = encoder.encode(photo(*sides)[None])
        assert tuple(features.shape[2:]) == grid and torch.isfinite(features).all()

    def test_images_of_a_batch_do_not_see_each_other(self, encoder, images):
        assert torch.equal(encoder.encode(images)[1:], encoder.encode(images[1:]))

    def test_every_feature_sees_the_whole_image(self, encoder, images):
        other = images.clone()
        other[..., -encoder.stride :, -encoder.stride :] = 1 - other[..., -encoder.stride :, -encoder.stride :]
        assert not torch.equal(encoder.encode(images)[..., 0, 0], encoder.encode(other)[..., 0, 0])

    def test_features_follow_their_patch(self, encoder, images):
        other = images.clone()
        other[..., : encoder.stride, -encoder.stride :] = 0
        moved = (encoder.encode(images) - encoder.encode(other)).norm(dim=1)
        assert (moved.flatten(1).argmax(dim=1) == 2).all()

    def test_leaves_the_images_as_they_were(self, encoder, images):
        before = images.clone()
        encoder.encode(images)
        assert torch.equal(images, before)

    def test_refuses_what_it_cannot_encode(self, encoder, images):
        for bad in (images[..., :-1], images[0], images[:, :1], images[:0]):
            with pytest.raises(self.refusal):
                encoder.encode(bad)
