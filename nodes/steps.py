"""AMCPStart and AMCPStep: the method one step at a time, on a state that is handed from node to node."""

from __future__ import annotations

from dataclasses import dataclass, replace

from comfy_api.latest import io, ui
from torch import Tensor

from ..paintseg.amcp import State, step
from ..paintseg.encoders import Encoder
from ..paintseg.painters import Painter
from ..paintseg.parsing import pair_up
from ..paintseg.prompts import Prompt
from ..paintseg.segment import begin, finish
from ..paintseg.visualize import cluster_map, painted_photo, potential_map, step_frame
from .convert import config_from, image_output, mask_output, photos_from
from .managed import embedded_encoder, embedded_painter
from .progress import StepProgress, reporting
from .sockets import (
    CATEGORY,
    PainterSocket,
    StateSocket,
    image_input,
    model_inputs,
    override_inputs,
    preset_input,
    prompt_input,
    seed_input,
)


@dataclass(frozen=True)
class Carried:
    """What a STATE socket carries: a state per image, and the models that every step uses."""

    states: tuple[State, ...]
    inpainter: Painter
    outpainter: Painter
    encoder: Encoder


class AMCPStart(io.ComfyNode):
    """The state before the first step."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="PaintSeg_AMCPStart",
            display_name="PaintSeg Start",
            category=f"{CATEGORY}/step by step",
            description="Prepares a photo and a prompt for PaintSeg Step. As many steps as the preset has "
            "give exactly what PaintSeg Segment gives.",
            search_aliases=["paintseg state", "amcp start", "step by step"],
            inputs=[
                image_input("The photo. Images of a batch are segmented one by one."),
                prompt_input(),
                *model_inputs(),
                preset_input(),
                seed_input(),
                *override_inputs(),
            ],
            outputs=[StateSocket.Output(display_name="state", tooltip="For PaintSeg Step.")],
        )

    @classmethod
    def execute(
        cls,
        image: Tensor,
        prompt: tuple[Prompt, ...],
        preset: str,
        seed: int,
        painter: Painter | None = None,
        outpainter: Painter | None = None,
        encoder: Encoder | None = None,
        steps: int = 0,
        paintings: int = 0,
    ) -> io.NodeOutput:
        config = config_from(preset, steps=steps, paintings=paintings)
        painter, encoder = painter or embedded_painter(), encoder or embedded_encoder()
        outpainter = outpainter or painter
        pairs = pair_up(photos_from(image), prompt, ("images", "prompts"))
        states = tuple(begin(photo, one, painter, encoder, config, seed, outpainter) for photo, one in pairs)
        return io.NodeOutput(Carried(states, painter, outpainter, encoder))


class AMCPStep(io.ComfyNode):
    """One I- or O-step."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="PaintSeg_AMCPStep",
            display_name="PaintSeg Step",
            category=f"{CATEGORY}/step by step",
            description="One step of the method. The I-step paints the object's region and cuts what looks "
            "the same as before; the O-step paints the background and adds what looks the same as before.",
            search_aliases=[
                "paintseg",
                "amcp step",
                "i-step",
                "o-step",
                "inpaint",
                "outpaint",
                "step by step",
            ],
            inputs=[
                StateSocket.Input("state", tooltip="From PaintSeg Start or the step before."),
                PainterSocket.Input(
                    "painter",
                    optional=True,
                    tooltip="Paints this step. Unwired: the painter that PaintSeg Start was given.",
                ),
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
                io.Image.Output(
                    display_name="painting", tooltip="The photo with what was painted in this step."
                ),
                io.Mask.Output(
                    display_name="potential", tooltip="How far the photo is from the painting, 0 to 1."
                ),
                io.Mask.Output(
                    display_name="cluster",
                    tooltip="1 where the potential is of the highest cluster, 0 where of the lowest; with three "
                    "clusters, 0.5 where it is ambiguous.",
                ),
            ],
        )

    @classmethod
    def execute(cls, state: Carried, direction: str, painter: Painter | None = None) -> io.NodeOutput:
        progress = StepProgress(len(state.states), 1)
        done = []
        for before in state.states:
            way = before.scene.config.direction(before.step) if direction == "auto" else direction
            chosen = painter or (state.inpainter if way == "I" else state.outpainter)
            done.append(step(before, way, reporting(chosen, progress.within), state.encoder))
            progress(done[-1])
        return io.NodeOutput(
            replace(state, states=tuple(done)),
            mask_output([finish(after) > 0.5 for after in done]),
            image_output([painted_photo(after) for after in done]),
            mask_output([potential_map(after) for after in done]),
            mask_output([cluster_map(after) for after in done]),
            ui=ui.PreviewImage(image_output([step_frame(after) for after in done]), cls=cls),
        )
