"""PromptToMask: the ways a person points at an object, brought to one prompt."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from comfy_api.latest import io, ui
from torch import Tensor

from ..paintseg.errors import InputError
from ..paintseg.parsing import as_masks, fit_mask, fit_strokes, pair_up, parse_boxes, parse_points
from ..paintseg.prompts import Point, Prompt, dot_points
from ..paintseg.visualize import draw_prompt
from .convert import image_output, mask_output, photos_from
from .sockets import CATEGORY, PromptSocket, image_input

_POINTS = 'in pixels, as JSON: [{"x": 10, "y": 20}], as written by point editors and read by core\'s SAM3.'


class PromptToMask(io.ComfyNode):
    """Where the object is."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="PaintSeg_PromptToMask",
            display_name="PaintSeg Prompt",
            category=CATEGORY,
            description="Say where the object is: draw a box, or give points, a scribble or a rough mask.",
            search_aliases=[
                "paintseg",
                "segment",
                "box prompt",
                "point prompt",
                "scribble",
                "prompt to mask",
                "mask",
                "sam",
                "select object",
            ],
            inputs=[
                # The first input: the box widget draws on the picture of whatever is wired there.
                image_input("The photo with the object. Several images share the prompt, or have one each."),
                io.DynamicCombo.Input("kind", options=_options(), tooltip="How you point at the object."),
                # Not among the options of `kind`: the browser leaves its number fields behind there.
                io.BoundingBox.Input(
                    "box",
                    component="ImageCrop",
                    optional=True,
                    default={"x": 64, "y": 64, "width": 256, "height": 256},
                    tooltip="A box around the object, in pixels: drawn on the image (Nodes 2.0) or typed.",
                ),
                io.MultiType.Input(
                    "boxes",
                    types=[io.BoundingBox, io.BBOX, io.Custom("ARRAY"), io.String],
                    optional=True,
                    tooltip="Boxes from another node, instead of the one drawn: one for all images, one per "
                    "image, or several for a single image, which gives one mask each.",
                ),
                io.String.Input(
                    "points", optional=True, force_input=True, tooltip=f"More points on the object, {_POINTS}"
                ),
                io.String.Input(
                    "negative_points",
                    optional=True,
                    force_input=True,
                    tooltip=f"Points on what is not the object, {_POINTS}",
                ),
                io.Mask.Input(
                    "negative_scribble", optional=True, tooltip="Strokes over what is not the object."
                ),
            ],
            outputs=[
                PromptSocket.Output(
                    display_name="prompt", tooltip="For PaintSeg Segment and PaintSeg Start."
                ),
                io.Mask.Output(
                    display_name="mask",
                    tooltip="Where the search starts: the box or the rough mask filled, "
                    "the whole image for points and scribbles.",
                ),
            ],
            is_output_node=True,
        )

    @classmethod
    def execute(
        cls,
        image: Tensor,
        kind: Mapping[str, object],
        box: Mapping[str, int] | None = None,
        boxes: object = None,
        points: str = "",
        negative_points: str = "",
        negative_scribble: Tensor | None = None,
    ) -> io.NodeOutput:
        photos = photos_from(image)
        size = tuple(photos.shape[-2:])
        positive, negative = parse_points(points), parse_points(negative_points, "negative points")
        prompts = [
            Prompt(**{"size": size, "points": positive, "negative_points": negative} | own)
            for own in _statements(kind, box, boxes, size, positive)
        ]
        if negative_scribble is not None:
            strokes = [
                fit_strokes(mask.cpu(), size) for mask in as_masks(negative_scribble, "negative scribble")
            ]
            pairs = pair_up(prompts, strokes, ("prompts", "negative scribbles"))
            prompts = [_with_not_object(prompt, mask) for prompt, mask in pairs]
        drawn = [
            draw_prompt(photo, prompt) for photo, prompt in pair_up(photos, prompts, ("images", "prompts"))
        ]
        regions = mask_output([prompt.start_region() for prompt in prompts])
        return io.NodeOutput(tuple(prompts), regions, ui=ui.PreviewImage(image_output(drawn), cls=cls))


def _options() -> list[io.DynamicCombo.Option]:
    x, y = (
        io.Int.Input(
            axis,
            default=-1,
            min=-1,
            max=16384,
            tooltip=f"The point's distance from the {edge}, in pixels. -1: the middle of the box. "
            "Ignored when points or dots are wired.",
        )
        for axis, edge in (("x", "left edge"), ("y", "upper edge"))
    )
    dots = io.Mask.Input(
        "dots",
        optional=True,
        tooltip="Dots painted on the object, each of them a point, instead of x and y: from Painter or the mask "
        "editor of Load Image.",
    )
    scribble = io.Mask.Input(
        "scribble", tooltip="Strokes on the object, for instance from the mask editor of Load Image."
    )
    mask = io.Mask.Input(
        "mask", tooltip="A rough mask of the object, of any size, hard or soft, from anywhere."
    )
    return [
        # No socket alone here: the browser cannot make a node whose first option has sockets but no widget.
        io.DynamicCombo.Option("box", []),
        io.DynamicCombo.Option("point", [x, y, dots]),
        io.DynamicCombo.Option("scribble", [scribble]),
        io.DynamicCombo.Option("mask", [mask]),
    ]


def _statements(
    kind: Mapping[str, object],
    box: Mapping[str, int] | None,
    boxes: object,
    size: tuple[int, int],
    points: tuple[Point, ...],
) -> list[dict[str, object]]:
    """What the chosen kind says, as arguments of Prompt, one per prompt."""
    chosen = kind["kind"]
    if chosen == "point":
        if kind.get("dots") is not None:
            return [{"points": (*points, *_dots(mask, size))} for mask in as_masks(kind["dots"], "dots")]
        return [{} if points else {"points": (_point(kind, box),)}]
    if chosen == "scribble":
        return [
            {"scribble": fit_strokes(mask.cpu(), size)} for mask in as_masks(kind["scribble"], "scribble")
        ]
    if chosen == "mask":
        return [{"mask": fit_mask(mask.cpu(), size)} for mask in as_masks(kind["mask"], "mask")]
    lists = parse_boxes(box, "box") if boxes is None else parse_boxes(boxes, "boxes")
    if len(lists) > 1 and any(len(frame) != 1 for frame in lists):
        raise InputError("the boxes must be one per image, or all for a single image")
    return [{"box": one} for frame in lists for one in frame]


def _point(kind: Mapping[str, object], box: Mapping[str, int] | None) -> Point:
    """The point typed, each number that is -1 taken from the middle of the box."""
    typed = float(kind["x"]), float(kind["y"])
    if min(typed) >= 0:
        return typed
    x0, y0, x1, y1 = parse_boxes(box, "box")[0][0]
    middle = (x0 + x1) / 2, (y0 + y1) / 2
    return tuple(value if value >= 0 else other for value, other in zip(typed, middle, strict=True))


def _dots(painted: Tensor, size: tuple[int, int]) -> tuple[Point, ...]:
    points = dot_points(fit_strokes(painted.cpu(), size))
    if not points:
        raise InputError("no dot is painted: paint one on the object, or leave dots unwired and type x and y")
    return points


def _with_not_object(prompt: Prompt, strokes: Tensor) -> Prompt:
    return replace(prompt, negative_scribble=strokes) if strokes.any() else prompt
