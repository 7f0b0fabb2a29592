"""What strangers' graphs hold: tensors of any shape, precision and content, and JSON of any kind."""

import json
import math

import torch
from hypothesis import strategies as st

DTYPES = (
    torch.float32,
    torch.float32,
    torch.float32,
    torch.float16,
    torch.bfloat16,
    torch.float64,
    torch.bool,
    torch.uint8,
    torch.int16,
    torch.int64,
)
FILLS = (
    "noise",
    "noise",
    "noise",
    "zeros",
    "ones",
    "grey",
    "pixel",
    "block",
    "halves",
    "checks",
    "bytes",
    "negative",
    "huge",
    "nan",
    "all nan",
    "inf",
    "-inf",
)

numbers = st.one_of(
    st.integers(-3, 40),
    st.floats(-3, 40),
    st.floats(),
    st.integers(),
    st.sampled_from([0.5, 1e300, -0.0, 2**63, 10**400]),
)
reals = st.one_of(st.floats(-3, 40), st.floats(-3, 40), st.floats())
scalars = st.one_of(numbers, st.none(), st.booleans(), st.text(max_size=6))
names = st.one_of(
    st.sampled_from(["x", "y", "width", "height", "layer", "scale", "rotation", "order"]), st.text(max_size=4)
)
values = st.recursive(
    scalars,
    lambda inner: st.one_of(st.lists(inner, max_size=5), st.dictionaries(names, inner, max_size=5)),
    max_leaves=12,
)
few = st.integers(-2, 60)
spots = st.one_of(st.fixed_dictionaries({"x": few, "y": few}), st.lists(few, min_size=2, max_size=2))
places = st.fixed_dictionaries(
    {"layer": st.integers(-1, 4)},
    optional=dict.fromkeys(("x", "y", "dx", "dy", "scale", "rotation", "opacity", "order", "shadow"), numbers)
    | {"flip": st.booleans()},
)
rectangles = st.one_of(
    st.fixed_dictionaries(dict.fromkeys(("x", "y", "width", "height"), few)), st.lists(few, min_size=4, max_size=4)
)
nearly = st.one_of(
    *(st.one_of(one, st.lists(st.one_of(one, one, one, scalars), max_size=3)) for one in (spots, rectangles, places)),
    st.lists(st.lists(rectangles, max_size=2), max_size=2),
)
nests = st.sampled_from([("[", "]"), ('{"x":', "}")])
deep = st.builds(lambda times, ends: ends[0] * times + ends[1] * times, st.integers(1, 20000), nests)


@st.composite
def texts(draw):
    """JSON, nearly JSON, and no JSON."""
    kind = draw(st.integers(0, 8))
    if kind == 0:
        return draw(st.text(max_size=40))
    if kind == 1:
        return draw(deep)
    text = json.dumps(draw(nearly if kind > 4 else values))
    if kind == 2 and text:
        at = draw(st.integers(0, len(text)))
        return text[:at] + draw(st.text(max_size=3)) + text[at + draw(st.integers(0, 3)) :]
    if kind == 3:
        return text.replace('"', "'")
    return text


def fill(shape, how, seed, dtype):
    """A tensor with that content; NaN, infinities and values beyond [0, 1] at some place of noise."""
    generator = torch.Generator().manual_seed(seed)
    made = torch.rand(shape, generator=generator)
    flat = made.view(-1)
    place = seed % max(1, flat.numel())
    if how == "zeros":
        made.zero_()
    elif how == "ones":
        made.fill_(1)
    elif how == "grey":
        made.fill_(0.5)
    elif how == "pixel" and flat.numel():
        made.zero_()
        flat[place] = 1
    elif how == "block" and made.ndim > 1:
        height, width = (max(1, side // 4) for side in made.shape[-2:])
        y, x = (place // 7 % max(1, made.shape[-2] - height), place % max(1, made.shape[-1] - width))
        made.zero_()
        made[..., y : y + height, x : x + width] = 1
    elif how == "halves" and made.ndim:
        made = (torch.arange(made.shape[-1]) * 2 < made.shape[-1]).float().expand(shape).clone()
    elif how == "checks":
        made = (made > 0.5).float()
    elif how == "bytes":
        made = (made * 255).round()
    elif how == "negative":
        made = made - 0.5
    elif how == "huge":
        made = (made - 0.5) * 1e30
    elif how in ("nan", "inf", "-inf") and flat.numel():
        flat[place] = float(how)
    elif how == "all nan":
        made.fill_(math.nan)
    return made.to(dtype)


@st.composite
def tensors(draw, shape, fills=FILLS, dtypes=DTYPES):
    """A tensor of that shape (or of a shape drawn from a strategy)."""
    shape = draw(shape) if isinstance(shape, st.SearchStrategy) else shape
    return fill(tuple(shape), draw(st.sampled_from(fills)), draw(st.integers(0, 2**16)), draw(st.sampled_from(dtypes)))


sides = st.sampled_from([1, 1, 2, 3, 7, 8, 16, 21, 33])
sizes = st.tuples(sides, sides)
long_sizes = st.one_of(sizes, sizes, sizes, st.sampled_from([(1, 400), (400, 1), (0, 5), (5, 0)]))
shapes = st.one_of(
    long_sizes,
    st.tuples(st.integers(0, 3), sides, sides),
    st.tuples(st.integers(0, 2), st.integers(0, 5), sides, sides),
    st.tuples(st.integers(0, 2), sides, sides, st.integers(0, 5)),
    st.lists(st.integers(0, 4), max_size=5).map(tuple),
)
any_tensor = tensors(shapes)
good = ("noise", "noise", "block", "block", "halves", "checks", "pixel", "grey", "zeros", "ones")
partial = ("block", "block", "block", "pixel", "halves", "checks")  # neither empty nor full


def seldom(draw, of=16):
    """One time in so many. The last of the numbers: Hypothesis tries the first ones more often."""
    return draw(st.integers(0, of - 1)) == of - 1


def mostly(usual, odd, of=12):
    """A strategy for what is meant, and one time in so many for what is not."""
    return st.integers(0, of - 1).flatmap(lambda number: odd if number == of - 1 else usual)


@st.composite
def photos(draw, size):
    """Nearly always a photo 3 x H x W in [0, 1]."""
    if seldom(draw):
        return draw(tensors(st.one_of(shapes, st.just((3, *size)))))
    return draw(tensors((3, *size), good, (torch.float32, torch.float32, torch.float16, torch.bfloat16, torch.float64)))


@st.composite
def masks(draw, size):
    """Nearly always a mask H x W in [0, 1], mostly with something in it."""
    if seldom(draw):
        return draw(any_tensor)
    fills = good if seldom(draw, 4) else partial
    return draw(tensors(size, fills, (torch.float32, torch.bool, torch.float16)))


def points(size):
    """Nearly always pixels of a photo of that size, as (x, y)."""
    inside = st.tuples(st.floats(0, size[1], exclude_max=True), st.floats(0, size[0], exclude_max=True))
    outside = st.one_of(st.tuples(reals, reals), st.just((size[1], size[0])), st.just((-0.0, 0.0)))
    return mostly(inside, outside)


@st.composite
def boxes(draw, size):
    """Nearly always a box that reaches into a photo of that size."""
    if seldom(draw):
        return tuple(draw(st.lists(reals, max_size=5)))
    x0, y0 = draw(st.floats(-5, size[1] - 1)), draw(st.floats(-5, size[0] - 1))
    least = -2 if seldom(draw) else 1
    return x0, y0, x0 + draw(st.floats(least, size[1] + 9)), y0 + draw(st.floats(least, size[0] + 9))


@st.composite
def prompt_parts(draw, size):
    """Arguments of Prompt."""
    few = st.lists(points(size), min_size=1, max_size=3).map(tuple)
    parts = {"size": size}
    chosen = draw(st.sampled_from(["box", "box", "points", "points", "scribble", "mask"]))
    for name, strategy in (
        ("box", boxes(size)),
        ("points", few),
        ("negative_points", few),
        ("scribble", masks(size)),
        ("negative_scribble", masks(size)),
        ("mask", masks(size)),
    ):
        if name == chosen or seldom(draw, 6):
            parts[name] = draw(strategy)
    return parts
