"""An object followed through frames whose answer is known."""

import itertools
import json

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from paintseg.config import preset
from paintseg.errors import InputError
from paintseg.eval.datasets import Instance
from paintseg.eval.video import main, measure, read_sequences
from paintseg.models import Models
from paintseg.prompts import box_prompt, mask_prompt
from paintseg.segmentation import segment
from paintseg.tasks.video import Memory, carry, follow

from .small_models import MeanColour, Surroundings, disc_photo, embedded, iou

SIZE = (96, 128)
TINY = preset("fast", size=128, encoder_size=128, photo_size=0, steps=1)
PLACES = (40, 48, 56, 64, 72)
ALL_ONE_COLOUR = torch.full((3, *SIZE), 0.5)


def disc_at(place):
    return disc_photo(SIZE, (place, 48), 20)


def followed(frames, prompt, painter=None, config=TINY, **more):
    return list(follow(frames, prompt, painter or Surroundings(), MeanColour(4), config, **more))


# Carrying over


def test_carry_takes_the_mask_of_the_patches_that_are_alike():
    known = Memory(torch.eye(3), torch.tensor([1.0, 0.0, 0.0]))
    assert carry([known], torch.eye(3)).argmax() == 0


def test_carry_is_a_softmax_over_the_cosines():
    known = Memory(torch.eye(2), torch.tensor([1.0, 0.0]))
    wanted = torch.sigmoid(torch.tensor(1 / 0.1))
    torch.testing.assert_close(carry([known], torch.eye(2)), torch.stack([wanted, 1 - wanted]))


@given(st.integers(1, 12), st.integers(1, 12), st.integers(0, 99))
def test_what_is_carried_lies_between_the_masks_known(known, wanted, seed):
    draw = torch.Generator().manual_seed(seed)
    features = torch.nn.functional.normalize(torch.randn(4, known + wanted, generator=draw), dim=0)
    membership = torch.rand(known, generator=draw)
    carried = carry([Memory(features[:, :known], membership)], features[:, known:])
    assert carried.shape == (wanted,)
    assert membership.min() - 1e-6 <= carried.min() and carried.max() <= membership.max() + 1e-6


# Following


def test_a_disc_that_moves_is_followed():
    pictures, discs = zip(*map(disc_at, PLACES), strict=True)
    frames = followed(pictures, box_prompt((20, 28, 60, 68), SIZE))
    assert min(iou(one.mask, disc) for one, disc in zip(frames, discs, strict=True)) > 0.85


def test_the_embedded_models_follow_a_disc_and_start_as_segment_does(monkeypatch):
    monkeypatch.setattr("paintseg.tasks.video.CELLS", 24)
    pictures, discs = zip(*map(disc_at, (40, 64)), strict=True)
    prompt, models = box_prompt((15, 23, 65, 73), SIZE), embedded()
    config = preset("fast", size=192, encoder_size=224, photo_size=224)
    first, second = follow(pictures, prompt, models.painter, models.encoder, config)
    assert torch.equal(first.soft, segment(pictures[0], prompt, models.painter, models.encoder, config).soft)
    assert iou(second.mask, discs[1]) > max(0.5, iou(first.mask, discs[1]))


def test_a_first_mask_that_is_to_be_kept_is_kept_to_the_bit():
    pictures, discs = zip(*map(disc_at, PLACES[:2]), strict=True)
    soft = discs[0].float() * 0.8
    first, second = followed(pictures, mask_prompt(soft), keep_first=True)
    assert torch.equal(first.soft, soft) and torch.equal(first.mask, discs[0])
    assert first.coarse is None and not first.states
    assert iou(second.mask, discs[1]) > 0.85


def test_there_must_be_a_mask_to_keep():
    with pytest.raises(InputError, match="can be kept when there is one; the prompt is a box"):
        followed([ALL_ONE_COLOUR], box_prompt((20, 28, 60, 68), SIZE), keep_first=True)


def test_every_mask_is_the_upper_half_of_its_probability():
    pictures = [disc_at(place)[0] for place in PLACES[:3]]
    for one in followed(pictures, box_prompt((20, 28, 60, 68), SIZE)):
        assert torch.equal(one.mask, one.soft > 0.5)


def test_frames_are_asked_for_one_at_a_time():
    def frames():
        yield disc_at(40)[0]
        raise AssertionError("the second frame was asked for too early")

    next(follow(frames(), box_prompt((20, 28, 60, 68), SIZE), Surroundings(), MeanColour(4), TINY))


def test_frames_of_another_size_are_refused():
    with pytest.raises(InputError, match="frame 2 is 20 x 20"):
        followed([disc_at(40)[0], torch.rand(3, 20, 20)], box_prompt((20, 28, 60, 68), SIZE))


# Drift


def test_an_object_that_is_hidden_for_a_while_is_found_again():
    frames = [disc_at(40)[0], wall(), disc_at(64)[0]]
    first, hidden, back = followed(frames, box_prompt((20, 28, 60, 68), SIZE))
    assert first.mask.any() and not hidden.mask.any()
    assert hidden.note == "frame 2: the object is not seen in it"
    assert iou(back.mask, disc_at(64)[1]) > 0.85


def wall():
    photo, disc = disc_at(40)
    return torch.where(disc, photo.flip(2), photo)


def test_a_frame_where_method_and_likeness_disagree_gets_the_likeness_and_teaches_nothing(monkeypatch):
    """The method's answer is replaced by the wall beside the object: the worst that drift can do in one frame."""
    from paintseg.tasks import video

    pictures, discs = zip(*map(disc_at, PLACES), strict=True)
    honest, calls = video.segment, itertools.count()

    def drifting(*arguments, **more):
        result = honest(*arguments, **more)
        if next(calls) != 1:
            return result
        return type(result)(~result.mask, 1 - result.soft, result.states)

    monkeypatch.setattr(video, "segment", drifting)
    frames = followed(pictures, box_prompt((20, 28, 60, 68), SIZE))
    assert frames[1].note == "frame 2: the method lost the object; the mask is the one carried over"
    assert torch.equal(frames[1].soft > 0.5, frames[1].mask)
    assert min(iou(one.mask, disc) for one, disc in zip(frames, discs, strict=True)) > 0.6
    assert not any(one.note for one in frames[2:])


# Measuring


@pytest.fixture
def sequence(tmp_path):
    """A folder of one set with one sequence of three frames, and a photo that belongs to none."""
    rows = ["dataset,stem,image,x0,y0,x1,y1,centroid_x,centroid_y,inner_x,inner_y,scribbles"]
    for folder in ("images", "masks"):
        (tmp_path / "davis" / folder).mkdir(parents=True)
    for name, place in (("disc_00010", 60), ("disc_00002", 50), ("disc_00000", 40), ("alone", 40)):
        picture, disc = disc_at(place)
        pixels = (picture.movedim(0, -1) * 255).round().byte().numpy()
        Image.fromarray(pixels).save(tmp_path / "davis" / "images" / f"{name}.png")
        Image.fromarray(disc.numpy().astype(np.uint8) * 255).save(tmp_path / "davis" / "masks" / f"{name}.png")
        rows.append(f"davis,{name},{name}.png,{place - 20},28,{place + 20},68,{place},48,{place},48,no")
    (tmp_path / "manifest.csv").write_text("\n".join(rows), encoding="utf-8")
    return tmp_path


def instances(folder):
    from paintseg.eval.datasets import read_manifest

    return read_manifest(folder)


def test_frames_come_in_the_order_of_their_numbers(sequence):
    ((name, frames),) = read_sequences(instances(sequence)).items()
    assert (name, [frame.stem for frame in frames]) == ("disc", ["disc_00000", "disc_00002", "disc_00010"])
    with pytest.raises(InputError, match="holds no sequence"):
        read_sequences(instances(sequence)[-1:])


def test_following_is_measured_beside_copying(sequence, capsys):
    frames: list[Instance] = read_sequences(instances(sequence))["disc"]
    rows = list(measure("disc", frames, Models(Surroundings(), MeanColour(4)), TINY))
    assert [(row["set"], row["stem"]) for row in rows] == [("disc", "disc_00002"), ("disc", "disc_00010")]
    for row, place in zip(rows, (50, 60), strict=True):
        assert row["iou"]["copied"] == pytest.approx(iou(disc_at(40)[1], disc_at(place)[1]), abs=1e-6)
        assert row["iou"]["followed"] > 0.85 > row["iou"]["copied"]
        assert row["boundary_iou"]["followed"] <= 1 <= row["pieces"]["followed"]
    assert not capsys.readouterr().err  # no note


def test_the_command_writes_what_it_prints(sequence, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("paintseg.tasks.video.CELLS", 24)
    settings = ["size=128", "encoder_size=112", "photo_size=112"]
    changes = [word for setting in settings for word in ("--set", setting)]
    target = tmp_path / "out.json"
    assert main([str(sequence), "--preset", "fast", "--json", str(target), "--quiet", *changes]) == 0
    rows = json.loads(target.read_text(encoding="utf-8"))["rows"]
    assert [row["set"] for row in rows] == ["disc", "disc"]
    mean = sum(row["iou"]["followed"] for row in rows) / 2
    line = next(line for line in capsys.readouterr().out.splitlines() if line.startswith("disc"))
    assert line.split()[1:3] == ["2", f"{100 * mean:.1f}"]


def test_bad_numbers_are_refused_before_any_work(sequence, capsys):
    assert main([str(sequence), "--limit", "0"]) == 2
    assert "--limit must be at least 1" in capsys.readouterr().err
