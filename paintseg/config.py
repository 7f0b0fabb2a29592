"""Every parameter of the method, once: its default, its bounds, where the default comes from, and a sentence.

The defaults are the preset `paper`. Sections and tables are those of Li et al. 2023 (arXiv 2305.19406); "demo" is the
authors' demo; what is "ours" is off, as the paper has none of it. docs/parameters.md shows them as a table, made by
`scripts/make_help`. What no preset changes is a constant beside the code that uses it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, fields, replace
from functools import cache
from typing import Any, Literal, TypeGuard, get_args, get_origin, get_type_hints

from .errors import InputError, excerpt

Direction = Literal["I", "O"]
Directions = Literal["IO", "I", "O"]
Start = Literal["whole", "affinity"]
Context = Literal["box", "view", "closer", "photo"]
Distance = Literal["squared", "cosine"]
Scale = Literal["range", "deviation"]
Finish = Literal["none", "appearance"]
Pieces = Literal["all", "supported", "largest"]
Clicks = Literal["together", "corrections"]

MOST = 2**17
"""Largest number a parameter may have; no photo, and no model, has a use for more."""
MOST_CHOICES = 32
"""Paintings of one hole to choose from, and objects to look for, at most: more is a slip of the finger."""


def parameter(
    default: Any, says: str, source: str, *, least: float | None = None, above: float | None = None, off: bool = False
) -> Any:
    """A field of `Config`.

    Args:
        default: of the preset `paper`. says: what it is, a phrase. source: where the default comes from.
        least: the lowest value, `above` the highest that is too low; only one of them.
        off: whether 0 is allowed too, and leaves something out.
    """
    return field(default=default, metadata={"says": says, "source": source, "least": least, "above": above, "off": off})


@dataclass(frozen=True)
class Config:
    """Parameters of AMCP; the defaults are the text of the paper, and the authors' demo's where it is silent.

    Ring and hole widths are pixels at a 512-px view. What the text leaves open, and what is done about each such thing
    (k = 3 in O-steps, no padding to 512 x 512, the box of 1.25 and more), is listed in docs/parameters.md.

    Raises InputError for values that mean nothing.
    """

    # The loop.
    steps: int = parameter(5, "T, first an I-step, then alternating", "Table 6b", least=1)
    paintings: int = parameter(5, "N per step", "Table A", least=1)
    directions: Directions = parameter("IO", "IO alternates; I or O alone are ablations", "Table 4")
    adversarial: bool = parameter(True, "whether eq. 4 confines each step to its ring", "Table 4")
    size: int = parameter(512, "longer side of the view the painter works on, px", "section 5.2", least=64)
    view_context: float = parameter(
        0.0, "the view's side over the prompt's longer side; 0: the whole photo", "section 5.2", least=1, off=True
    )
    valid_rate: float = parameter(
        1.25, "box around the box or mask that nothing may leave, over the prompt's sides", "demo", above=0
    )
    start: Start = parameter(
        "whole", "where points and strokes start: the whole image, or the affinity of what they touch", "section 5.2"
    )
    clicks: Clicks = parameter(
        "together",
        "points beside what the prompt begins with: all from the start, or each as a correction of the answer (ours)",
        "section 4.2",
    )
    locate_rounds: int = parameter(2, "times the affinity start finds region and box anew", "ours", least=0)

    # Settling, for boxes and masks drawn beside their object.
    settle_reach: float = parameter(
        0.0, "how far from its place a box or a coarse mask is looked for, over its sides", "ours", least=0
    )
    box_leak: float = parameter(
        0.0, "chance per step that a walk along the sides of a box ends there, as it does outside", "ours", least=0
    )

    # The contrastive potential (eq. 1).
    l_paint: float = parameter(0.8, "weight of the difference between photo and painting", "section 5.2", least=0)
    l_paint_sure: float = parameter(
        0.0,
        "the same in an I-step whose painter proves sure on this photo, at the affinity's expense; 0: always l_paint",
        "ours",
        least=0,
    )
    l_color: float = parameter(0.2, "weight of the colour term; 0 leaves it out", "section 5.2", least=0)
    l_prompt: float = parameter(0.2, "weight of the prompt term, with the step's sign", "section 5.2", least=0)
    l_affinity: float = parameter(0.0, "weight of the affinity term, with the step's sign", "ours", least=0)
    box_centre: bool = parameter(True, "whether the centre of a box is a point of eq. 2", "section 4.2")
    box_rate: float = parameter(1.1, "contrast box B over the object's bounding box", "Table 6d", above=0)
    distance: Distance = parameter("squared", "between features: squared, or cosine (ours)", "eq. 1")
    normalise: Scale = parameter(
        "range", "what terms are brought to before weighting: one range, or one standard deviation (ours)", "demo"
    )
    contexts: tuple[Context, ...] = parameter(
        ("box",),
        "what the encoder sees: the contrast box, the view, the view a quarter larger, the whole photo",
        "section 4.2",
    )
    encoder_size: int = parameter(480, "longer side given to the encoder, px", "demo", least=32)
    photo_size: int = parameter(
        0, "the same for the whole photo where the view is a part of it; 0: encoder_size", "ours", least=32, off=True
    )
    paint_size: int = parameter(
        0,
        "the same for paintings, which are then compared in the first of the contexts alone; 0: as each context",
        "ours",
        least=32,
        off=True,
    )

    # Cut and update (eq. 3 and 4).
    clusters: int = parameter(2, "k", "Table 6a", least=2)
    early_clusters: int = parameter(3, "k in the first steps of points, strokes and boxes", "section 5.2", least=2)
    early_steps: int = parameter(3, "how many steps are the first", "section 5.2", least=0)
    inner_ring: int = parameter(32, "width of the I-step's ring, px; 0: anywhere", "section 5.2", least=0)
    outer_ring: int = parameter(32, "width of the O-step's ring, px; 0: anywhere", "section 5.2", least=0)
    kernel: int = parameter(5, "side of the square of opening and closing, px of the view", "section 5.2", least=1)
    hole_grow: int = parameter(0, "px by which the I-step's hole is larger than the object", "section 4.3", least=0)

    # The finish.
    finish: Finish = parameter(
        "none", "none interpolates the mask's edge; appearance refines it by colours and edges", "ours"
    )
    finish_colour: float = parameter(0.5, "weight of the finish's colour models", "ours", least=0)
    pieces: Pieces = parameter(
        "all",
        "pieces of the answer that stay: all, those that prompt or evidence support (ours; small holes that evidence "
        "is against close), or the largest alone",
        "section 5.2",
    )

    def __post_init__(self) -> None:
        for one in fields(self):
            _check(one.name, getattr(self, one.name), _kinds()[one.name], one.metadata)
        if not self.contexts:
            raise InputError(f"contexts must name at least one of {', '.join(get_args(Context))}, not none")

    def direction(self, index: int) -> Direction:
        """The kind of step number `index` (from 0)."""
        return "I" if self.directions[index % len(self.directions)] == "I" else "O"

    @property
    def settles(self) -> bool:
        """Whether a box or a coarse mask is moved that was drawn beside its object, or with much room around it."""
        return bool(self.settle_reach)

    def in_place(self) -> Config:
        """The same for a prompt that was not drawn by hand but found, and lies where it should."""
        return replace(self, settle_reach=0.0)

    @property
    def compared_contexts(self) -> tuple[Context, ...]:
        """Those of the contexts in which paintings are compared."""
        return self.contexts[:1] if self.paint_size else self.contexts

    @property
    def uses_keys(self) -> bool:
        """Whether anything of ours measures affinities."""
        return bool(self.l_affinity or self.settles or self.start == "affinity" or self.clicks == "corrections")

    def pixels(self, length: int) -> int:
        """A length given for a 512-px view, at this view's size; at least 1 unless it is 0."""
        return max(1, round(length * self.size / 512)) if length else 0

    def clusters_at(self, index: int, kind: str) -> int:
        """k of step `index` for a prompt of that kind (section 5.2)."""
        return self.early_clusters if index < self.early_steps and kind != "mask" else self.clusters


def _check(name: str, value: object, kind: Any, bounds: Any) -> None:
    """Refuse a value of a parameter that means nothing. Raises InputError."""
    if get_origin(kind) is tuple:
        choices = get_args(get_args(kind)[0])
        if not isinstance(value, (tuple, list)) or not all(isinstance(one, str) for one in value):
            raise InputError(f"{name} must be a list of names, not {excerpt(value)}")
        if not set(value) <= set(choices):
            raise InputError(f"{name} must name at least one of {', '.join(choices)}, not {', '.join(value)}")
    elif get_origin(kind) is Literal:
        if value not in get_args(kind):
            raise InputError(f"{name} must be one of {', '.join(get_args(kind))}, not {value!r}")
    elif kind is bool:
        if not isinstance(value, bool):
            raise InputError(f"{name} must be True or False, not {value!r}")
    elif not _in_bounds(value, kind, bounds):
        raise InputError(f"{name} must be {bounds_of(kind, bounds)}, not {value!r}")
    elif value > MOST:
        raise InputError(f"{name} must be at most {MOST}, not {excerpt(value)}")


def _in_bounds(value: Any, kind: Any, bounds: Any) -> TypeGuard[float]:
    wanted = int if kind is int else (int, float)
    if isinstance(value, bool) or not isinstance(value, wanted) or not abs(value) < math.inf:
        return False
    if bounds["off"] and value == 0:
        return True
    return value > bounds["above"] if bounds["least"] is None else value >= bounds["least"]


def bounds_of(kind: Any, bounds: Any) -> str:
    """The bounds of a number in words, to follow "must be"."""
    if bounds["off"]:
        return f"0 or at least {bounds['least']}"
    if kind is int:
        return f"a whole number of at least {bounds['least']}"
    return f"above {bounds['above']}" if bounds["least"] is None else f"{bounds['least']} or more"


@cache
def _kinds() -> dict[str, Any]:
    return get_type_hints(Config)


# `paper` is the text of the paper; docs/parameters.md lists what stands where the text is silent. The others are ours;
# what each switch gains is measured in BENCHMARKS.md.
_BALANCED = Config(
    steps=2,
    paintings=1,
    size=384,
    view_context=1.5,
    valid_rate=1.05,
    start="affinity",
    clicks="corrections",
    settle_reach=0.25,
    box_leak=0.1,
    l_paint=0.1,
    l_paint_sure=0.6,
    l_color=0.0,
    l_affinity=0.9,
    contexts=("view", "photo"),
    distance="cosine",
    normalise="deviation",
    encoder_size=560,
    early_clusters=2,
    inner_ring=0,
    box_centre=False,
    hole_grow=4,
    finish="appearance",
    paint_size=280,
    pieces="supported",
)
PRESETS: dict[str, Config] = {
    "paper": Config(),
    "balanced": _BALANCED,
    # On its coarse grid of the photo a box is better left where it was drawn.
    "fast": replace(_BALANCED, steps=1, settle_reach=0.0, encoder_size=532, photo_size=392),
    # A closer look at the view, and not at the photo: the finer its grid, the further boxes were moved astray.
    "best": replace(_BALANCED, contexts=("view", "closer", "photo")),
}


def preset(name: str, **changes: Any) -> Config:
    """The preset of that name with some parameters changed. Raises InputError for unknown names and values."""
    if name not in PRESETS:
        raise InputError(f"preset must be one of {', '.join(PRESETS)}, not {name!r}")
    known = {field.name for field in fields(Config)}
    for key in changes:
        if key not in known:
            raise InputError(f"there is no parameter {key!r}; the parameters are {', '.join(sorted(known))}")
    return replace(PRESETS[name], **changes)
