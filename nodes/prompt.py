"""PromptToMask: the ways a person points at an object, brought to one prompt."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from comfy_api.latest import io
from torch import Tensor

from ..paintseg.errors import InputError
from ..paintseg.io.inputs import as_masks, fit_strokes, pair_up, parse_boxes, read_boxes, read_points
from ..paintseg.ops.coordinates import BOX_FORMATS, BoxFormat
from ..paintseg.ops.images import resize_mask, size_of
from ..paintseg.prompts import Point, Prompt, box_prompt, dot_points
from ..paintseg.visualize import draw_prompt
from .convert import mask_output, photos_from
from .notes import reaches_beyond, said
from .previews import preview, shrunk
from .sockets import CATEGORY, PromptSocket, boxes_input, image_input, points_input, words

_OWN = {
    "box": "boxes takes one per image",
    "point": "a batch of dots gives each its own",
    "scribble": "a batch of scribbles gives each its own",
    "mask": "a batch of masks gives each its own",
}
_POINTS = 'in pixels, as JSON: [{"x": 10, "y": 20}], as written by point editors and read by core\'s SAM3.'


class PromptToMask(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="PaintSeg_PromptToMask",
            display_name="PaintSeg Prompt",
            category=CATEGORY,
            description="Say where the object is: with a box on the photo, points, a scribble or a rough mask.",
            search_aliases=words(
                "paintseg, segment, box prompt, point prompt, scribble, prompt to mask, mask, sam, select object"
            ),
            inputs=[
                # The first input: the box widget lies on the picture of whatever is wired there.
                image_input("The photo with the object. Several images share the prompt, or have one each."),
                io.DynamicCombo.Input("kind", options=_options(), tooltip="How you point at the object."),
                # Not among the options of `kind`: the browser leaves its number fields behind there.
                io.BoundingBox.Input(
                    "box",
                    component="ImageCrop",
                    optional=True,
                    default={"x": 64, "y": 64, "width": 256, "height": 256},
                    tooltip="A box around the object, in pixels. In Nodes 2.0 drag its corners and edges, or the box "
                    "itself; in classic nodes type its numbers.",
                ),
                boxes_input("on the photo"),
                points_input("points", f"More points on the object, {_POINTS}"),
                points_input("negative_points", f"Points on what is not the object, {_POINTS}"),
                io.Mask.Input("negative_scribble", optional=True, tooltip="Strokes over what is not the object."),
                io.Combo.Input(
                    "boxes_format",
                    options=list(BOX_FORMATS),
                    optional=True,
                    default=BOX_FORMATS[0],
                    advanced=True,
                    tooltip="What the four numbers of wired boxes are: xyxy, the corners, or xywh, the upper left "
                    "corner, width and height. Boxes that name their sides need no choice.",
                ),
            ],
            outputs=[
                PromptSocket.Output(display_name="prompt", tooltip="For PaintSeg Segment and PaintSeg Start."),
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
        kind: dict[str, Any],
        box: Mapping[str, int] | None = None,
        boxes: object = None,
        points: str = "",
        negative_points: str = "",
        negative_scribble: Tensor | None = None,
        boxes_format: BoxFormat = BOX_FORMATS[0],
    ) -> io.NodeOutput:
        photos = photos_from(image)
        size = size_of(photos)
        positive, negative, note = read_points(points, negative_points, size)
        chosen = kind["kind"]
        unsaid = chosen == "point" and kind.get("dots") is None and min(kind["x"], kind["y"]) < 0
        if points.strip() and not positive and unsaid:
            raise InputError("the points wired hold none on the object: what should find one has found nothing")
        statements, more = _statements(kind, box, boxes, size, positive, boxes_format)
        prompts = [Prompt(size, negative_points=negative, **{"points": positive, **own}) for own in statements]
        notes = [*note.splitlines(), *more]
        for own, prompt in zip(statements, prompts, strict=True):
            notes += reaches_beyond(own.get("box"), prompt)
        if negative_scribble is not None:
            strokes = [fit_strokes(mask.cpu(), size) for mask in as_masks(negative_scribble, "negative scribble")]
            pairs = pair_up(prompts, strokes, ("prompts", "negative scribbles"))
            prompts = [replace(prompt, negative_scribble=mask) if mask.any() else prompt for prompt, mask in pairs]
        drawn = [
            draw_prompt(shrunk(photo), prompt) for photo, prompt in pair_up(photos, prompts, ("images", "prompts"))
        ]
        regions = mask_output([prompt.start_region() for prompt in prompts])
        if len(prompts) == 1 < len(photos):
            notes.append(f"one {chosen} counts for all {len(photos)} images, at the same place in each: {_OWN[chosen]}")
        return io.NodeOutput(tuple(prompts), regions, ui={**preview(drawn, cls).as_dict(), **said(notes)})


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
    mask = io.Mask.Input("mask", tooltip="A rough mask of the object, of any size, hard or soft, from anywhere.")
    return [
        # No socket alone here: the browser cannot make a node whose first option has sockets but no widget.
        io.DynamicCombo.Option("box", []),
        io.DynamicCombo.Option("point", [x, y, dots]),
        io.DynamicCombo.Option("scribble", [scribble]),
        io.DynamicCombo.Option("mask", [mask]),
    ]


def _statements(
    kind: dict[str, Any],
    box: Mapping[str, int] | None,
    boxes: object,
    size: tuple[int, int],
    points: tuple[Point, ...],
    form: BoxFormat,
) -> tuple[list[dict[str, Any]], list[str]]:
    """What the chosen kind says, as arguments of Prompt, one per prompt, and notes on how it was read."""
    chosen = kind["kind"]
    if chosen == "point":
        dots = kind.get("dots")
        if dots is not None:
            return [{"points": (*points, *_dots(mask, size))} for mask in as_masks(dots, "dots")], []
        return [{} if points else {"points": (_point(kind, box, size),)}], []
    if chosen == "scribble":
        return [{"scribble": fit_strokes(mask.cpu(), size)} for mask in as_masks(kind["scribble"], "scribble")], []
    if chosen == "mask":
        return [{"mask": resize_mask(mask.cpu(), size)} for mask in as_masks(kind["mask"], "mask")], []
    placed, notes = read_boxes(box, size, "box") if boxes is None else read_boxes(boxes, size, form=form)
    return [{"box": one} for one in placed], notes


def _point(kind: dict[str, Any], box: Mapping[str, int] | None, size: tuple[int, int]) -> Point:
    """The point typed, each number that is -1 taken from the middle of the box as far as it lies in the image."""
    x, y = float(kind["x"]), float(kind["y"])
    if min(x, y) >= 0:
        return x, y
    ((middle_x, middle_y),) = box_prompt(parse_boxes(box, "box")[0][0], size).bump_centres()
    return x if x >= 0 else middle_x, y if y >= 0 else middle_y


def _dots(painted: Tensor, size: tuple[int, int]) -> tuple[Point, ...]:
    points = dot_points(fit_strokes(painted.cpu(), size))
    if not points:
        raise InputError("no dot is painted: paint one on the object, or leave dots unwired and type x and y")
    return points
