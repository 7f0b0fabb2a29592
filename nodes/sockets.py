"""The types of this pack's own sockets, and the inputs that several nodes share."""

from __future__ import annotations

from comfy_api.latest import io

from ..paintseg.config import PRESETS

CATEGORY = "PaintSeg"

PromptSocket = io.Custom("PAINTSEG_PROMPT")
"""tuple[paintseg.prompts.Prompt, ...]: one for all images, or one per image."""

PainterSocket = io.Custom("PAINTSEG_PAINTER")
"""paintseg.painters.Painter"""

EncoderSocket = io.Custom("PAINTSEG_ENCODER")
"""paintseg.encoders.Encoder"""

StateSocket = io.Custom("PAINTSEG_STATE")
"""nodes.steps.Carried"""


def image_input(tooltip: str, name: str = "image") -> io.Image.Input:
    """An IMAGE input."""
    return io.Image.Input(name, tooltip=tooltip)


def prompt_input(optional: bool = False, tooltip: str = "") -> io.Input:
    """The PROMPT input."""
    words = (
        tooltip or "Where the object is, from PaintSeg Prompt. One prompt for all images, or one per image."
    )
    return PromptSocket.Input("prompt", optional=optional, tooltip=words)


def model_inputs() -> list[io.Input]:
    """phi, psi and the encoder; all of them may stay unwired."""
    return [
        PainterSocket.Input(
            "painter",
            optional=True,
            tooltip="Paints the object's region away (phi, the I-steps). Unwired: the embedded MI-GAN.",
        ),
        PainterSocket.Input(
            "outpainter",
            optional=True,
            tooltip="Paints the background away (psi, the O-steps). Unwired: the same as the painter.",
        ),
        encoder_input(),
    ]


def encoder_input(tooltip: str = "Measures how far the painting is from the photo.") -> io.Input:
    """The encoder; may stay unwired."""
    return EncoderSocket.Input("encoder", optional=True, tooltip=f"{tooltip} Unwired: the embedded DINOv2 S/14.")


def preset_input(default: str = "balanced") -> io.Combo.Input:
    """The preset of the method's parameters."""
    return io.Combo.Input(
        "preset",
        options=list(PRESETS),
        default=default,
        tooltip="balanced: the default. fast: one step, and a box stays where it is drawn. best: more steps and "
        "paintings, larger. paper: the parameters of the PaintSeg paper, to the letter.",
    )


def seed_input() -> io.Int.Input:
    """The seed."""
    return io.Int.Input(
        "seed",
        default=0,
        min=0,
        max=0xFFFFFFFFFFFFFFFF,
        control_after_generate=io.ControlAfterGenerate.fixed,
        tooltip="The same seed gives the same result. It decides what the painter paints.",
    )


def override_inputs() -> list[io.Input]:
    """Numbers of steps and paintings other than the preset's."""
    return [
        io.Int.Input(
            "steps",
            default=0,
            min=0,
            max=50,
            optional=True,
            advanced=True,
            tooltip="How many steps, alternating between cutting and adding. 0: as many as the preset says.",
        ),
        io.Int.Input(
            "paintings",
            default=0,
            min=0,
            max=32,
            optional=True,
            advanced=True,
            tooltip="How many paintings vote in each step. 0: as many as the preset says.",
        ),
    ]
