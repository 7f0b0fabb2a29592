"""PromptToMask: the ways a person points at an object, brought to one prompt."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from comfy_api.latest import io, ui
from torch import Tensor

from ..paintseg.errors import InputError
from ..paintseg.parsing import as_masks, fit_mask, fit_strokes, pair_up, parse_boxes, parse_points
from ..paintseg.prompts import Prompt
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
            description="Say where the object is: draw a box, or give a point, a scribble or a rough mask.",
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
        points: str = "",
        negative_points: str = "",
        negative_scribble: Tensor | None = None,
    ) -> io.NodeOutput:
        photos = photos_from(image)
        size = tuple(photos.shape[-2:])
        shared = {
            "size": size,
            "points": parse_points(points, "points"),
            "negative_points": parse_points(negative_points, "negative points"),
        }
        prompts = [Prompt(**shared | own) for own in _statements(kind, size, bool(shared["points"]))]
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
    box = io.BoundingBox.Input(
        "box",
        component="ImageCrop",
        tooltip="A box around the object: draw it on the image (Nodes 2.0) or type it, in pixels.",
    )
    boxes = io.MultiType.Input(
        "boxes",
        types=[io.BoundingBox, io.BBOX, io.Array, io.String],
        optional=True,
        tooltip="Boxes from another node, instead of the one drawn: one for all images, or "
        "one per image, or several for one image, which gives one mask each.",
    )
    wired = "Ignored when points are wired."
    x, y = (
        io.Int.Input(axis, default=256, min=0, max=16384, tooltip=f"The point's {side}, in pixels. {wired}")
        for axis, side in (("x", "distance from the left"), ("y", "distance from the top"))
    )
    scribble = io.Mask.Input(
        "scribble", tooltip="Strokes on the object, for instance from the mask editor of Load Image."
    )
    mask = io.Mask.Input(
        "mask", tooltip="A rough mask of the object, of any size, hard or soft, from anywhere."
    )
    return [
        io.DynamicCombo.Option("box", [box, boxes]),
        io.DynamicCombo.Option("point", [x, y]),
        io.DynamicCombo.Option("scribble", [scribble]),
        io.DynamicCombo.Option("mask", [mask]),
    ]


def _statements(
    kind: Mapping[str, object], size: tuple[int, int], has_points: bool
) -> list[dict[str, object]]:
    """What the chosen kind says, as arguments of Prompt, one per prompt."""
    chosen = kind["kind"]
    if chosen == "point":
        return [{} if has_points else {"points": ((float(kind["x"]), float(kind["y"])),)}]
    if chosen == "scribble":
        return [
            {"scribble": fit_strokes(mask.cpu(), size)} for mask in as_masks(kind["scribble"], "scribble")
        ]
    if chosen == "mask":
        return [{"mask": fit_mask(mask.cpu(), size)} for mask in as_masks(kind["mask"], "mask")]
    given = kind.get("boxes")
    lists = parse_boxes(kind["box"], "box") if given is None else parse_boxes(given, "boxes")
    if len(lists) > 1 and any(len(boxes) != 1 for boxes in lists):
        raise InputError("the boxes must be one per image, or all for a single image")
    return [{"box": box} for boxes in lists for box in boxes]


def _with_not_object(prompt: Prompt, strokes: Tensor) -> Prompt:
    return replace(prompt, negative_scribble=strokes) if strokes.any() else prompt
