"""Every parameter of the method, once, with the paper's value and where it comes from beside it.

Sections and tables are those of Li et al. 2023 (arXiv 2305.19406). "Reference code" is the authors' demo.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields, replace
from typing import Literal, get_args

from .errors import InputError, excerpt

Direction = Literal["I", "O"]
Directions = Literal["IO", "I", "O"]
Start = Literal["whole", "affinity"]
Context = Literal["box", "view", "photo"]
Distance = Literal["squared", "cosine"]
Scale = Literal["range", "deviation"]
Finish = Literal["none", "appearance"]

MOST = 2**17
"""Largest number a parameter may have; no photo, and no model, has a use for more."""
MOST_CANDIDATES = 32
"""Paintings of one hole to choose from, and objects to look for, at most: more is a slip of the finger."""

# What __post_init__ holds every parameter to; l_color and the like may be 0, which leaves the term out.
_CHOICES = {"directions": Directions, "start": Start, "distance": Distance, "normalise": Scale, "finish": Finish}
_LEAST = {
    0: (
        "locate_rounds",
        "settle_rounds",
        "photo_size",
        "first_paintings",
        "crf_iterations",
        "early_steps",
        "inner_ring",
        "outer_ring",
        "hole_grow",
        "outer_hole",
        "finish_rounds",
    ),
    1: ("steps", "paintings", "kernel"),
    2: ("clusters", "early_clusters"),
    32: ("encoder_size", "finish_size"),
    64: ("size",),
}
_POSITIVE = (
    "valid_rate",
    "settle_grow",
    "locate_grow",
    "box_rate",
    "prompt_sigma",
    "affinity_source",
    "crf_sxy",
    "crf_srgb",
    "finish_near",
    "finish_far",
    "finish_srgb",
)
_NOT_NEGATIVE = (
    "locate_prior",
    "settle_reach",
    "settle_slack",
    "settle_shift",
    "settle_gain",
    "settle_gap",
    "stop_change",
    "first_agreement",
    "l_paint",
    "l_color",
    "l_prompt",
    "l_affinity",
    "affinity_beta",
    "crf_compat",
    "finish_evidence",
    "finish_colour",
    "finish_compat",
)


@dataclass(frozen=True)
class Config:
    """Parameters of AMCP; the defaults are the letter of the paper, and the reference code's where it is silent.
    Ring and hole widths are pixels at a 512-px view. Raises InputError for values that mean nothing.

    The loop:
        steps: T, first an I-step, then alternating (Table 6: 5).
        paintings: N per step (Table 6: 5).
        directions: "IO" alternates; "I" or "O" alone are Table 4's ablations.
        adversarial: whether eq. 4 confines each step to its ring (Table 4's last column).
        size: longer side of the view the painter works on (section 5.2: 512).
        view_context: the view's side over the prompt's longer side; 0 takes the whole photo in (section 5.2).
        valid_rate: box around the box or mask that nothing may leave, over the prompt's sides (reference
            code: 1.25).
        start: points and strokes start from the "whole" image (section 5.2) or from the "affinity" of the
            clicked tokens (ours: in the first I-step a whole image leaves the painter nothing to go by).

        locate_restart: chance that a walk from a clicked patch starts anew at each step ("affinity" start).
        locate_grow: box looked in, over the sides of the region found so far.
        locate_rounds: times region and box are found anew.
        locate_prior: weight of the prompt's own say against the walks inside the box.
        settle_reach: how far from its place a box or a coarse mask is looked for, over its sides (ours; the paper: 0,
            never moved).
        settle_slack, settle_shift: what the squared gaps between a box and what is found in it cost there, and what
            the squared distance costs, beside the normalised cut.
        settle_gain: share by which another place must be cheaper than the one drawn.
        settle_rounds, settle_gap: times a box is widened that has a gap, as a share of its side and of half a patch at
            least, at one side of what is found in it and none at the other (ours; the paper: never).
        settle_grow: what `valid_rate` is multiplied by where the box drawn was not left as it was, as its new place is
            not exact either (ours; the paper moves no box).

    Fewer calls of the models (ours; the paper makes them all):
        stop_change: the loop ends when an I- and an O-step together changed less than this share of the object's
            pixels; 0 never.
        stop_score: whether it ends too when eq. 6, as the steps' own paintings measure it, no longer climbs.
        skip_idle: whether an O-step is left out that has nowhere to add.
        first_paintings: paintings of a step that are made first; the rest of `paintings` follow when these disagree
            about more than `first_agreement` of the object's pixels. 0: all of them at once.
        paint_contexts: those of `contexts` in which paintings are held against the photo; none named: all.
        photo_size: longer side given to the encoder of the whole photo where the view is only a part of it; 0:
            `encoder_size`.

    The contrastive potential (eq. 1):
        l_paint, l_color, l_prompt: weights of its terms (section 5.2: 0.8, 0.2, 0.2 signed by the step).
        box_centre: whether the centre of a box is a prompt point of eq. 2 (section 4.2: yes; ours: no, a box says
            where the object ends, and its middle may be a hole).
        l_affinity: weight of the affinity term, added in I-steps and taken off in O-steps like the prompt
            term (ours; the paper: 0).
        normalise: how terms are made comparable before weighting: the same "range" (reference code) or the
            same standard "deviation" (ours), over the contrast box.
        contexts: what the encoder sees: the contrast "box" (the paper), the "view", the whole "photo".
        distance: between features, "squared" (eq. 1) or "cosine" (ours: tames DINOv2's outlier tokens).
        encoder_size: longer side given to the encoder (reference code: 480).
        box_rate: contrast box B over the object's bounding box (Table 6: 1.1).
        prompt_sigma: s_x, s_y of eq. 2 over the sides of the object's box (section 5.2: 1/10).
        affinity_beta: sharpness of the walk's steps, exp(beta (cosine - 1)).
        affinity_source: share of walks that start anew at each step.
        crf_iterations, crf_sxy, crf_srgb, crf_compat: the colour term's CRF (reference code: 10, 50, 5, 10).

    Cut and update (eq. 3 and 4):
        clusters: k (Table 6: 2).
        early_clusters, early_steps: k in the first steps of point, scribble and box prompts (section 5.2: 3
            in 3).
        inner_ring, outer_ring: widths of the rings of eq. 4 (section 5.2: 32); 0 lets the I-step cut and the
            O-step add anywhere.
        kernel: of opening and closing, pixels of the view (section 5.2: 5).
        hole_grow: pixels the I-step's hole is larger than the object, against its contact rim (section 4.3: 0;
            reference code: 4).
        outer_hole: width of the O-step's hole around the object, 0 for all of the background (section 4.3: 0;
            reference code: 7).

    The finish (ours; the paper stops at the loop's mask):
        finish: "appearance" refines the evidence with colour models and a CRF at the photo's resolution,
            "none" only interpolates the mask's edge.
        finish_size: longer side of the crop that is refined; finer photos are upsampled along their edges.
        finish_evidence, finish_colour: weights of the loop's evidence and of the colour models.
        finish_rounds: times the colour models are fitted anew.
        finish_near, finish_far: widths of the CRF's spatial and bilateral kernels over the crop's longer side.
        finish_srgb, finish_compat: the bilateral kernel's width in colour (of 255) and its weight.
    """

    steps: int = 5
    paintings: int = 5
    directions: Directions = "IO"
    adversarial: bool = True
    size: int = 512
    view_context: float = 0.0
    valid_rate: float = 1.25
    start: Start = "whole"
    locate_restart: float = 0.05
    locate_grow: float = 1.2
    locate_rounds: int = 2
    locate_prior: float = 0.5
    settle_reach: float = 0.0
    settle_slack: float = 3.0
    settle_shift: float = 0.5
    settle_gain: float = 0.1
    settle_rounds: int = 0
    settle_gap: float = 0.04
    settle_grow: float = 1.0

    stop_change: float = 0.0
    stop_score: bool = False
    skip_idle: bool = False
    first_paintings: int = 0
    first_agreement: float = 0.02
    paint_contexts: tuple[Context, ...] = ()
    photo_size: int = 0

    l_paint: float = 0.8
    l_color: float = 0.2
    l_prompt: float = 0.2
    box_centre: bool = True
    l_affinity: float = 0.0
    contexts: tuple[Context, ...] = ("box",)
    distance: Distance = "squared"
    normalise: Scale = "range"
    encoder_size: int = 480
    box_rate: float = 1.1
    prompt_sigma: float = 0.1
    affinity_beta: float = 7.0
    affinity_source: float = 0.01
    crf_iterations: int = 10
    crf_sxy: float = 50.0
    crf_srgb: float = 5.0
    crf_compat: float = 10.0

    clusters: int = 2
    early_clusters: int = 3
    early_steps: int = 3
    inner_ring: int = 32
    outer_ring: int = 32
    kernel: int = 5
    hole_grow: int = 0
    outer_hole: int = 0

    finish: Finish = "none"
    finish_size: int = 400
    finish_evidence: float = 3.0
    finish_colour: float = 0.5
    finish_rounds: int = 2
    finish_near: float = 0.005
    finish_far: float = 0.1
    finish_srgb: float = 6.0
    finish_compat: float = 6.0

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, (int, float)) and MOST < value < math.inf:
                raise InputError(f"{field.name} must be at most {MOST}, not {excerpt(value)}")
        for least, names in _LEAST.items():
            for name in names:
                value = getattr(self, name)
                if isinstance(value, bool) or not isinstance(value, int) or value < least:
                    raise InputError(f"{name} must be a whole number of at least {least}, not {value!r}")
        for name in _POSITIVE:
            if not _is_number(getattr(self, name)) or not getattr(self, name) > 0:
                raise InputError(f"{name} must be above 0, not {getattr(self, name)!r}")
        for name in _NOT_NEGATIVE:
            if not _is_number(getattr(self, name)) or not getattr(self, name) >= 0:
                raise InputError(f"{name} must be 0 or more, not {getattr(self, name)!r}")
        if not _is_number(self.locate_restart) or not 0 < self.locate_restart < 1:
            raise InputError(f"locate_restart must be between 0 and 1, not {self.locate_restart!r}")
        if not _is_number(self.view_context) or (self.view_context != 0 and not self.view_context >= 1):
            raise InputError(f"view_context must be 0 or at least 1, not {self.view_context!r}")
        for name, choices in _CHOICES.items():
            if getattr(self, name) not in get_args(choices):
                raise InputError(f"{name} must be one of {', '.join(get_args(choices))}, not {getattr(self, name)!r}")
        for name in ("adversarial", "box_centre", "stop_score", "skip_idle"):
            if not isinstance(getattr(self, name), bool):
                raise InputError(f"{name} must be True or False, not {getattr(self, name)!r}")
        for name in ("contexts", "paint_contexts"):
            value = getattr(self, name)
            if not isinstance(value, (tuple, list)) or not all(isinstance(one, str) for one in value):
                raise InputError(f"{name} must be a list of names, not {excerpt(value)}")
        if not self.contexts or not set(self.contexts) <= set(get_args(Context)):
            raise InputError(
                f"contexts must name at least one of {', '.join(get_args(Context))}, "
                f"not {', '.join(map(str, self.contexts)) or 'none'}"
            )

        if not set(self.paint_contexts) <= set(self.contexts):
            raise InputError(
                f"paint_contexts must be among the contexts {', '.join(self.contexts)}, "
                f"not {', '.join(map(str, self.paint_contexts))}"
            )
        if self.first_paintings == 1:
            raise InputError("first_paintings must be 0 or at least 2: one painting has nobody to disagree with")
        if self.photo_size and self.photo_size < 32:
            raise InputError(f"photo_size must be 0 or at least 32, not {self.photo_size}")

    def direction(self, index: int) -> Direction:
        """The kind of step number `index` (from 0)."""
        return self.directions[index % len(self.directions)]

    @property
    def settles(self) -> bool:
        """Whether a box or a coarse mask is moved that was drawn beside its object."""
        return bool(self.settle_reach or self.settle_rounds)

    def in_place(self) -> Config:
        """The same for a prompt that was not drawn by hand but found, and lies where it should."""
        return replace(self, settle_reach=0.0, settle_rounds=0)

    @property
    def uses_keys(self) -> bool:
        """Whether anything of ours measures affinities."""
        return bool(self.l_affinity or self.settles or self.start == "affinity")

    def pixels(self, length: int) -> int:
        """A length given for a 512-px view, at this view's size; at least 1 unless it is 0."""
        return max(1, round(length * self.size / 512)) if length else 0

    def clusters_at(self, index: int, kind: str) -> int:
        """k of step `index` for a prompt of that kind (section 5.2)."""
        return self.early_clusters if index < self.early_steps and kind != "mask" else self.clusters


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and abs(value) < math.inf


# `paper` is the letter of the paper. The others are ours; what each switch gains is measured in BENCHMARKS.md.
_BALANCED = Config(
    steps=2,
    paintings=1,
    size=384,
    view_context=1.5,
    valid_rate=1.0,
    start="affinity",
    settle_reach=0.25,
    settle_rounds=2,
    settle_grow=1.1,
    l_paint=0.2,
    l_color=0.0,
    l_affinity=0.8,
    contexts=("view", "photo"),
    paint_contexts=("view",),
    distance="cosine",
    normalise="deviation",
    encoder_size=560,
    early_clusters=2,
    inner_ring=0,
    box_centre=False,
    hole_grow=4,
    finish="appearance",
)
PRESETS: dict[str, Config] = {
    "paper": Config(),
    "balanced": _BALANCED,
    # On its coarse grid of the photo a box is better left where it was drawn.
    "fast": replace(_BALANCED, steps=1, settle_reach=0.0, settle_rounds=0, encoder_size=532, photo_size=392),
    "best": replace(_BALANCED, steps=5, paintings=3, size=512, encoder_size=700),
}


def preset(name: str, **changes: object) -> Config:
    """The preset of that name with some parameters changed. Raises InputError for unknown names."""
    if name not in PRESETS:
        raise InputError(f"preset must be one of {', '.join(PRESETS)}, not {name!r}")
    known = {field.name for field in fields(Config)}
    for key in changes:
        if key not in known:
            raise InputError(f"there is no parameter {key!r}; the parameters are {', '.join(sorted(known))}")
    return replace(PRESETS[name], **changes)
