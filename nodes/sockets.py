"""The types of this pack's own sockets, and the inputs that several nodes share."""

from __future__ import annotations

from comfy_api.latest import io

from ..paintseg.config import MOST_CHOICES, PRESETS

CATEGORY = "PaintSeg"
LAYERS = f"{CATEGORY}/layers"

PromptSocket = io.Custom("PAINTSEG_PROMPT")
"""tuple[paintseg.prompts.Prompt, ...]: one for all images, or one per image."""

PainterSocket = io.Custom("PAINTSEG_PAINTER")
"""paintseg.painters.Painter"""

EncoderSocket = io.Custom("PAINTSEG_ENCODER")
"""paintseg.encoders.Encoder"""

StateSocket = io.Custom("PAINTSEG_STATE")
"""nodes.steps.Carried"""

ClicksSocket = io.Custom("PAINTSEG_CLICKS")
"""The text or the dict of paintseg.io.clicks; the browser shows an editor for it (web/js)."""

LayersSocket = io.Custom("LAYERS")
"""ComfyUI's own type since 0.31: paintseg.layers.document reads and makes its values."""


def words(text: str) -> list[str]:
    """Words, given with commas, by which a node is found."""
    return text.split(", ")


def layers_input() -> io.MultiType.Input:
    """Layers, as a batch of images or as one LAYERS value."""
    return io.MultiType.Input(
        "layers",
        types=[io.Image, LayersSocket],
        tooltip="RGBA images, front to back, or a layer stack from PaintSeg Layers, Add Layer or another node.",
    )


def image_input(tooltip: str, name: str = "image") -> io.Image.Input:
    return io.Image.Input(name, tooltip=tooltip)


def prompt_input(optional: bool = False, tooltip: str = "") -> io.Input:
    words = tooltip or "Where the object is, from PaintSeg Prompt. One prompt for all images, or one per image."
    return PromptSocket.Input("prompt", optional=optional, tooltip=words)


def encoder_input(tooltip: str = "Measures how far the painting is from the photo.") -> io.Input:
    return EncoderSocket.Input("encoder", optional=True, tooltip=f"{tooltip} Unwired: the embedded DINOv2 S/14.")


def preset_input(default: str = "balanced") -> io.Combo.Input:
    return io.Combo.Input(
        "preset",
        options=list(PRESETS),
        default=default,
        tooltip="balanced: the default. fast: one step, and a box stays where it is drawn. best: a second, closer look "
        "at the object. paper: the parameters of the PaintSeg paper, and of its authors' demo where it is silent.",
    )


def seed_input() -> io.Int.Input:
    return io.Int.Input(
        "seed",
        default=0,
        min=0,
        max=0xFFFFFFFFFFFFFFFF,
        control_after_generate=io.ControlAfterGenerate.fixed,
        tooltip="The same seed gives the same result. It decides what the painter paints.",
    )


def painter_input(tooltip: str = "Fills the hole. Unwired: the embedded MI-GAN.", name: str = "painter") -> io.Input:
    return PainterSocket.Input(name, optional=True, tooltip=tooltip)


def painter_output() -> io.Output:
    return PainterSocket.Output(display_name="painter", tooltip="For the painter inputs of the PaintSeg nodes.")


def encoder_output() -> io.Output:
    return EncoderSocket.Output(display_name="encoder", tooltip="For the encoder inputs of the PaintSeg nodes.")


def candidates_input(default: int) -> io.Int.Input:
    """Paintings to choose from."""
    return io.Int.Input(
        "candidates",
        default=default,
        min=1,
        max=MOST_CHOICES,
        tooltip="Paintings of each hole; the one that looks most like its surroundings is taken.",
    )


def points_input(name: str, tooltip: str) -> io.String.Input:
    return io.String.Input(name, optional=True, force_input=True, tooltip=tooltip)


def boxes_input(own: str) -> io.MultiType.Input:
    """The input of boxes by wire; `own` says which box of the node's own they take the place of."""
    return io.MultiType.Input(
        "boxes",
        types=[io.BoundingBox, io.BBOX, io.Custom("ARRAY"), io.String],
        optional=True,
        tooltip=f"Boxes from another node, instead of the one {own}: one for all images, one per image, "
        "or several for a single image, which gives one mask each.",
    )
