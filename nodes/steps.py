"""AMCPStart and AMCPStep: the method one step at a time, on a state that is handed from node to node."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

from comfy_api.latest import io
from torch import Tensor

from ..paintseg.amcp.loop import State, step
from ..paintseg.amcp.progress import watched
from ..paintseg.io.inputs import pair_up
from ..paintseg.painters import Painter
from ..paintseg.prompts import Prompt
from ..paintseg.segmentation import begin, finish
from ..paintseg.visualize import cluster_map, painted_photo, potential_map, step_frame
from .convert import image_output, mask_output, photos_from
from .method import Method, method_inputs, warn
from .previews import preview
from .progress import StepProgress
from .sockets import CATEGORY, StateSocket, image_input, painter_input, prompt_input, words


@dataclass(frozen=True)
class Carried:
    """What a STATE socket carries: a state per image, and what every step of them uses."""

    states: tuple[State, ...]
    method: Method


class AMCPStart(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="PaintSeg_AMCPStart",
            display_name="PaintSeg Start",
            category=f"{CATEGORY}/step by step",
            description="Prepares a photo and a prompt for PaintSeg Step. As many steps as the preset has "
            "give exactly what PaintSeg Segment gives.",
            search_aliases=words("paintseg state, amcp start, step by step"),
            inputs=[
                image_input("The photo. Images of a batch are segmented one by one."),
                prompt_input(),
                *method_inputs(),
            ],
            outputs=[StateSocket.Output(display_name="state", tooltip="For PaintSeg Step.")],
        )

    @classmethod
    def execute(cls, image: Tensor, prompt: tuple[Prompt, ...], **inputs: Any) -> io.NodeOutput:
        method = Method.of(**inputs)
        pairs = pair_up(photos_from(image), prompt, ("images", "prompts"))
        return io.NodeOutput(Carried(tuple(begin(photo, one, *method) for photo, one in pairs), method))


class AMCPStep(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="PaintSeg_AMCPStep",
            display_name="PaintSeg Step",
            category=f"{CATEGORY}/step by step",
            description="One step of the method. The I-step paints the object's region and cuts what looks "
            "the same as before; the O-step paints the background and adds what looks the same as before.",
            search_aliases=words("paintseg, amcp step, i-step, o-step, inpaint, outpaint, step by step"),
            inputs=[
                StateSocket.Input("state", tooltip="From PaintSeg Start or the step before."),
                painter_input("Paints this step. Unwired: the painter that PaintSeg Start was given."),
                io.Combo.Input(
                    "direction",
                    options=["auto", "I", "O"],
                    default="auto",
                    tooltip="auto: the method's own order, first I, then alternating. I: paint the object "
                    "and cut. O: paint the background and add.",
                ),
            ],
            outputs=[
                StateSocket.Output(display_name="state", tooltip="For the next step."),
                io.Mask.Output(display_name="mask", tooltip="The object after this step, 0 or 1."),
                io.Image.Output(display_name="painting", tooltip="The photo with what was painted in this step."),
                io.Mask.Output(display_name="potential", tooltip="How far the photo is from the painting, 0 to 1."),
                io.Mask.Output(
                    display_name="cluster",
                    tooltip="1 where the potential is of the highest cluster, 0 where of the lowest; with three "
                    "clusters, 0.5 where it is ambiguous.",
                ),
            ],
        )

    @classmethod
    def execute(
        cls, state: Carried, direction: Literal["auto", "I", "O"], painter: Painter | None = None
    ) -> io.NodeOutput:
        method, progress = state.method, StepProgress(len(state.states), 1)
        done = []
        for before in state.states:
            way = before.scene.config.direction(before.step) if direction == "auto" else direction
            chosen = painter or (method.inpainter if way == "I" else method.outpainter)
            done.append(step(before, way, watched(chosen, progress.within), method.encoder))
            progress(done[-1])
            warn(done[-1].note)
        return io.NodeOutput(
            replace(state, states=tuple(done)),
            mask_output([finish(after) > 0.5 for after in done]),
            image_output([painted_photo(after) for after in done]),
            mask_output([potential_map(after) for after in done]),
            mask_output([cluster_map(after) for after in done]),
            ui=preview([step_frame(after) for after in done], cls),
        )
