"""PaintSeg_Reassemble: layers put over a plate or another photo."""

from __future__ import annotations

from typing import Any

from comfy_api.latest import io
from torch import Tensor

from ..paintseg.layers.compose import Placement, parse_placements, reassemble
from ..paintseg.layers.document import without_backdrop
from ..paintseg.layers.recognition import known_again
from ..paintseg.ops.images import size_of
from .arrangement import arrangement
from .convert import image_output, pictures_from, stack_from
from .notes import said
from .sockets import LAYERS, image_input, layers_input, words

_OTHERS = (
    "Some placements were made for other layers than those that came: these layers lie where they were. "
    "Drag them, or take fingerprint out of the JSON to place layers by their number."
)


class Reassemble(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        def number(name: str, default: float, low: float, high: float, tooltip: str) -> io.Float.Input:
            return io.Float.Input(name, default=default, min=low, max=high, step=0.01, tooltip=tooltip)

        return io.Schema(
            node_id="PaintSeg_Reassemble",
            display_name="PaintSeg Reassemble",
            category=LAYERS,
            description="Puts layers over a clean plate or any other photo: moved, scaled, turned, mirrored, in "
            "another order, with a contact shadow. Run it once, then drag the layers on the picture.",
            search_aliases=words("paintseg, reassemble, composite, compose, move object, paste, collage"),
            inputs=[
                image_input("What lies behind all layers.", "plate"),
                layers_input(),
                io.Int.Input(
                    "layer", default=0, min=0, max=255, tooltip="Which layer the widgets place; 0 is the front one."
                ),
                number("dx", 0, -16384, 16384, "Pixels it moves to the right."),
                number("dy", 0, -16384, 16384, "Pixels it moves down."),
                number("scale", 1, 0.01, 50, "How much larger it becomes."),
                number("rotation", 0, -360, 360, "Degrees it is turned, counter-clockwise."),
                io.Boolean.Input("flip", default=False, tooltip="Mirror it left to right."),
                number("opacity", 1, 0, 1, "1: opaque. 0: not there."),
                number("shadow", 0, 0, 1, "Darkness of a contact shadow beneath it."),
                io.String.Input(
                    "placements",
                    default="",
                    multiline=True,
                    optional=True,
                    tooltip="What was dragged on the picture, as JSON, instead of the widgets. Or your own list: "
                    '[{"layer": 0, "x": 200, "y": 150, "scale": 1.5}]. Also dx, dy, rotation, flip, opacity, order, '
                    "shadow. Of your own list only the layers listed appear.",
                ),
            ],
            outputs=[io.Image.Output(display_name="image", tooltip="The new picture, one per plate.")],
            is_output_node=True,
        )

    @classmethod
    def execute(
        cls,
        plate: Tensor,
        layers: Tensor | dict[str, Any],
        layer: int,
        dx: float,
        dy: float,
        scale: float,
        rotation: float,
        flip: bool,
        opacity: float,
        shadow: float,
        placements: str = "",
    ) -> io.NodeOutput:
        plates = pictures_from(plate, "plate")
        stack = stack_from(layers)
        shared = not isinstance(layers, Tensor)  # ComfyUI's own type, which it composites in linear light
        parts, note = without_backdrop(stack, size_of(plates)) if shared else (stack.layers, "")
        chosen, strangers = known_again(parse_placements(placements), parts, stack.size)
        if not placements.strip():
            moved = Placement(layer, None, None, dx, dy, scale, rotation, flip, opacity, None, shadow)
            chosen = (moved, *(Placement(other) for other in range(len(parts)) if other != layer))
        shown = arrangement(plates[0], parts, stack.size)
        shown |= said(filter(None, (stack.note, note, _OTHERS if strangers else "")))
        if strangers:
            shown["paintseg_strangers"] = [placement.fingerprint for placement in strangers]
        made = [reassemble(one, parts, chosen, shared) for one in plates]
        return io.NodeOutput(image_output(made), ui=shown)
