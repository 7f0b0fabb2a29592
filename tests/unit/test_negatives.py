"""What is said not to be the object is never in the result, whatever else points at it."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Generator, rand, zeros

from paintseg.config import preset
from paintseg.errors import InputError
from paintseg.prompts import Prompt
from paintseg.segmentation import segment

from .small_models import MeanColour, Surroundings

OURS = preset("fast", size=64, encoder_size=64, photo_size=0, steps=1)
PAPER = replace(preset("paper"), size=64, encoder_size=64, steps=2, paintings=1)


@settings(deadline=None, max_examples=8)
@given(
    st.integers(6, 48),
    st.integers(6, 48),
    st.sampled_from(["box", "points", "scribble", "mask", "box and points"]),
    st.sampled_from([OURS, PAPER]),
    st.booleans(),
    st.data(),
)
def test_negatives_are_never_inside(height, width, kind, config, stroked, data):
    photo = rand(3, height, width, generator=Generator().manual_seed(height * 50 + width))
    x, y = data.draw(st.integers(0, width - 2)), data.draw(st.integers(0, height - 2))
    x1, y1 = data.draw(st.integers(x + 1, width)), data.draw(st.integers(y + 1, height))
    spot, off = zeros(height, width), zeros(height, width)
    spot[y:y1, x:x1] = 1
    column, row = data.draw(st.integers(0, width - 1)), data.draw(st.integers(0, height - 1))
    off[row, max(0, column - 2) : column + 3] = 1
    said = {
        "box": {"box": (x, y, x1, y1)},
        "points": {"points": ((x, y), (x1 - 1, y1 - 1))},
        "scribble": {"scribble": spot > 0.5},
        "mask": {"mask": spot},
        "box and points": {"box": (x, y, x1, y1), "points": ((x, y),)},
    }[kind]
    refused = {"negative_scribble": off > 0.5} if stroked else {"negative_points": ((column, row),)}
    prompt = Prompt((height, width), **said, **refused)
    try:
        mask = segment(photo, prompt, Surroundings(), MeanColour(4), config).mask
    except InputError as problem:
        assert "negative points leave nothing of the object" in str(problem)
        return
    assert not any(mask[int(b), int(a)] for a, b in prompt.negative_anchors())
