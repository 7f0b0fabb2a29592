"""PaintSeg_Click: click on the photo, see the mask at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from comfy_api.latest import io
from torch import Tensor

from ..paintseg.encoders import Encoder
from ..paintseg.errors import InputError
from ..paintseg.io.clicks import Clicks, read_clicks
from ..paintseg.io.inputs import as_masks, pair_up, read_boxes, read_points
from ..paintseg.ops.coordinates import Box
from ..paintseg.ops.images import resize_mask, size_of
from ..paintseg.prompts import Prompt
from ..paintseg.segmentation import Session
from .convert import mask_output, photos_from
from .managed import embedded_encoder
from .notes import reaches_beyond, said
from .previews import save_picture, show_now
from .sockets import CATEGORY, ClicksSocket, PromptSocket, boxes_input, encoder_input, image_input, points_input, words

_OWN = "wired boxes and masks take one per image"


class Click(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="PaintSeg_Click",
            display_name="PaintSeg Click",
            category=CATEGORY,
            description="Click on the object in the photo and see its mask at once. Click with the right button on "
            "what does not belong to it, drag a box, or draw strokes.",
            search_aliases=words(
                "paintseg, click, points editor, point and click, interactive segmentation, segment anything, sam, "
                "select object, magic wand, mask editor, box editor, prompt, mask"
            ),
            inputs=[
                image_input("The photo to click on. Several images share what is clicked."),
                points_input(
                    "points",
                    "Points from another node, beside those clicked: in pixels, as JSON, "
                    '[{"x": 10, "y": 20, "label": 1}]; the label 0 is what is not the object.',
                ),
                points_input(
                    "negative_points", "Points from another node on what is not the object, in the same form."
                ),
                boxes_input("drawn"),
                io.Mask.Input(
                    "mask", optional=True, tooltip="A rough mask of the object, of any size; the clicks correct it."
                ),
                encoder_input("Tells what belongs together in the photo."),
                ClicksSocket.Input(
                    "clicks",
                    optional=True,
                    extra_dict={"default": ""},
                    tooltip="What was clicked, as JSON; the help page tells its form.",
                ),
            ],
            outputs=[
                PromptSocket.Output(display_name="prompt", tooltip="For PaintSeg Segment and PaintSeg Start."),
                io.Mask.Output(display_name="mask", tooltip="The mask seen while clicking, 0 or 1."),
            ],
            is_output_node=True,
        )

    @classmethod
    def execute(
        cls,
        image: Tensor,
        points: str = "",
        negative_points: str = "",
        boxes: object = None,
        mask: Tensor | None = None,
        encoder: Encoder | None = None,
        clicks: str | Mapping[str, object] | None = None,
    ) -> io.NodeOutput:
        photos = photos_from(image)
        size, shown = size_of(photos), {"paintseg_picture": [save_picture(photos[0])]}
        try:
            clicked = read_clicks(clicks, size)
            prompts, notes = _prompts(clicked, (points, negative_points), boxes, mask, size)
        except InputError:
            show_now(shown)  # or nobody could click on a photo that only the run brings
            raise
        encoder = encoder or embedded_encoder()
        sessions = [Session(photo, encoder) for photo in photos]
        meant, masks = [], []
        for session, prompt in pair_up(sessions, prompts, ("images", "prompts")):
            answer = session.answer(prompt, candidate=clicked.candidate)
            settled = (clicked.candidate or prompt.is_corrected) and answer.mask.any()
            meant.append(replace(answer.prompt, seen_answer=answer.soft) if settled else answer.prompt)
            masks.append(answer.mask)
            notes += answer.note.splitlines()
        if len(prompts) == 1 < len(photos):
            notes.append(f"one prompt counts for all {len(photos)} images, at the same place in each: {_OWN}")
        # One prompt for all images stays one, unless each image reads it in its own way.
        own = clicked.candidate or len(prompts) > 1 or len(photos) == 1
        chosen = tuple(meant if own else prompts)
        return io.NodeOutput(chosen, mask_output(masks), ui={**shown, **said(dict.fromkeys(notes))})


def _prompts(
    clicked: Clicks, points: tuple[str, str], boxes: object, mask: Tensor | None, size: tuple[int, int]
) -> tuple[list[Prompt], list[str]]:
    """What is said by clicks and wires, a prompt per box and mask, and notes on how it was read."""
    wired, negative, note = read_points(*points, size)
    notes = note.splitlines()
    frames: list[Box | None] = [clicked.box]
    if boxes is not None:
        placed, more = read_boxes(boxes, size)
        frames, notes = [*placed], notes + more
    masks = [None] if mask is None else [resize_mask(one.cpu(), size) for one in as_masks(mask)]
    if not (clicked.on_object or wired or boxes is not None or mask is not None):
        raise InputError("nothing says where the object is: click on it in the photo, or drag a box around it")
    base = Prompt(
        size,
        box=frames[0],
        points=(*clicked.points, *wired),
        negative_points=(*clicked.negative_points, *negative),
        order=(*clicked.order, *(True for _ in wired), *(False for _ in negative)),
        mask=masks[0],
        **clicked.drawn(size),
    )
    prompts = [
        base if box is frames[0] and one is masks[0] else replace(base, box=box, mask=one)
        for box, one in pair_up(frames, masks, ("boxes", "masks"))
    ]
    for prompt, box in zip(prompts, frames, strict=False):
        notes += reaches_beyond(box, prompt)
    return prompts, notes
