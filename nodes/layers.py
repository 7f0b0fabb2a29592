"""Remove, cut out, complete, take apart, put together again, save."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import comfy.utils
import folder_paths
from comfy_api.latest import io, ui
from torch import Tensor

from ..paintseg.config import MOST_CANDIDATES
from ..paintseg.encoders import Encoder
from ..paintseg.errors import InputError
from ..paintseg.layers import (
    NamedLayer,
    Placement,
    amodal,
    cut_out,
    flatten,
    matte,
    paint_out,
    parse_placements,
    peel,
    reassemble,
    save_openraster,
    save_png_set,
)
from ..paintseg.painters import Painter
from ..paintseg.parsing import as_masks, fit_mask, pair_up
from ..paintseg.prompts import Prompt
from .convert import config_from, image_output, mask_output, photos_from
from .managed import embedded_encoder, embedded_painter
from .method import warn
from .sockets import (
    CATEGORY,
    PainterSocket,
    encoder_input,
    image_input,
    preset_input,
    prompt_input,
    seed_input,
)

LAYERS = f"{CATEGORY}/layers"


class RemoveObject(io.ComfyNode):
    """The photo without an object."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="PaintSeg_RemoveObject",
            display_name="PaintSeg Remove Object",
            category=LAYERS,
            description="Paints an object out of a photo of any size. Only its surroundings are shown to the "
            "painter; every pixel outside the hole stays as it was, bit for bit.",
            search_aliases=["paintseg", "remove object", "erase", "clean plate", "inpaint", "cleanup", "eraser"],
            inputs=[
                image_input("The photo."),
                io.Mask.Input("mask", tooltip="The object to remove, of any size, hard or soft."),
                painter_input(),
                encoder_input(),
                seed_input(),
                candidates_input(3),
                io.Boolean.Input(
                    "shadow",
                    default=True,
                    tooltip="Take the shadow the object throws out with it, where one is found.",
                ),
                io.Int.Input(
                    "grow",
                    default=-1,
                    min=-1,
                    max=512,
                    optional=True,
                    advanced=True,
                    tooltip="Pixels the hole reaches beyond the mask. -1: as many as fit the object's size.",
                ),
            ],
            outputs=[
                io.Image.Output(display_name="plate", tooltip="The photo without the object."),
                io.Mask.Output(display_name="hole", tooltip="What was painted: object, rim and shadow."),
            ],
        )

    @classmethod
    def execute(
        cls,
        image: Tensor,
        mask: Tensor,
        seed: int,
        candidates: int,
        shadow: bool,
        grow: int = -1,
        painter: Painter | None = None,
        encoder: Encoder | None = None,
    ) -> io.NodeOutput:
        pairs = pair_up(photos_from(image), as_masks(mask.cpu()), ("images", "masks"))
        progress = shares(len(pairs))
        done = [
            paint_out(
                photo,
                fit_mask(one, tuple(photo.shape[1:])),
                painter or embedded_painter(),
                seed,
                None if grow < 0 else grow,
                candidates,
                shadow,
                encoder or embedded_encoder(),
                progress(index),
            )
            for index, (photo, one) in enumerate(pairs)
        ]
        return io.NodeOutput(image_output([one.plate for one in done]), mask_output([one.hole for one in done]))


class CutOut(io.ComfyNode):
    """The object alone."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="PaintSeg_CutOut",
            display_name="PaintSeg Cut Out",
            category=LAYERS,
            description="The object as a layer with transparency. The background's colour is taken out of the "
            "edge, so that no halo shows on another background.",
            search_aliases=["paintseg", "cut out", "cutout", "matting", "matte", "alpha", "rgba", "transparent",
                            "remove background", "hair", "sticker", "defringe"],
            inputs=[
                image_input("The photo."),
                io.Mask.Input("mask", tooltip="The object, best the soft mask of PaintSeg Segment."),
                io.Float.Input(
                    "soften",
                    default=0.5,
                    min=0.0,
                    max=20.0,
                    step=0.1,
                    tooltip="Width in pixels by which the edge is softened, against the steps of a hard mask.",
                ),
                io.Combo.Input(
                    "edge",
                    options=["mask", "matte"],
                    default="mask",
                    optional=True,
                    tooltip="mask: as sharp or soft as the mask is. matte: how much of every pixel at the edge is the "
                    "object is worked out from the colours, for hair and fur; takes a few seconds more.",
                ),
            ],
            outputs=[io.Image.Output(display_name="layer", tooltip="RGBA, of the photo's size. Save it as PNG.")],
        )

    @classmethod
    def execute(cls, image: Tensor, mask: Tensor, soften: float, edge: str = "mask") -> io.NodeOutput:
        pairs = pair_up(photos_from(image), as_masks(mask.cpu()), ("images", "masks"))
        layers = []
        for photo, one in pairs:
            soft = fit_mask(one, tuple(photo.shape[1:]))
            if edge == "matte":
                layers.append(cut_out(photo, matte(photo, soft), levels=(0.0, 1.0)))
            else:
                layers.append(cut_out(photo, soft, soften))
        return io.NodeOutput(image_output(layers))


class Amodal(io.ComfyNode):
    """What another object hides."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="PaintSeg_Amodal",
            display_name="PaintSeg Amodal",
            category=LAYERS,
            description="Completes an object that another one partly hides: the front object is painted away and "
            "what was behind it is segmented in the painting. What it looks like there is a guess.",
            search_aliases=["paintseg", "amodal", "occlusion", "complete object", "behind", "hidden part"],
            inputs=[
                image_input("The photo."),
                io.Mask.Input("front", tooltip="The object in front."),
                io.Mask.Input(
                    "behind", optional=True, tooltip="The visible part of the object behind; it is kept as it is."
                ),
                prompt_input(optional=True, tooltip="Or a prompt for the object behind, such as a box around it."),
                painter_input(),
                encoder_input(),
                preset_input(),
                seed_input(),
                candidates_input(1),
            ],
            outputs=[
                io.Mask.Output(display_name="mask", tooltip="All of the object behind, seen and hidden."),
                io.Image.Output(display_name="layer", tooltip="The completed object, RGBA."),
                io.Image.Output(display_name="plate", tooltip="The photo without the front object."),
            ],
        )

    @classmethod
    def execute(
        cls,
        image: Tensor,
        front: Tensor,
        preset: str,
        seed: int,
        candidates: int,
        behind: Tensor | None = None,
        prompt: tuple[Prompt, ...] | None = None,
        painter: Painter | None = None,
        encoder: Encoder | None = None,
    ) -> io.NodeOutput:
        if (behind is None) == (prompt is None):
            raise InputError("say what lies behind: wire either its mask or a prompt for it, not both")
        photos = photos_from(image)
        size = tuple(photos.shape[-2:])
        wanted = prompt if behind is None else [fit_mask(one, size) for one in as_masks(behind.cpu())]
        pairs = pair_up(photos, as_masks(front.cpu()), ("images", "front masks"))
        jobs = pair_up(pairs, wanted, ("images", "objects behind"))
        config, progress = config_from(preset), shares(len(jobs))
        done = [
            amodal(
                photo,
                fit_mask(one, size),
                hidden,
                painter or embedded_painter(),
                encoder or embedded_encoder(),
                config,
                seed,
                candidates,
                progress=progress(index),
            )
            for index, ((photo, one), hidden) in enumerate(jobs)
        ]
        for one in done:
            warn(one.note)
        return io.NodeOutput(
            mask_output([one.soft for one in done]),
            image_output([one.layer for one in done]),
            image_output([one.plate for one in done]),
        )


class Layers(io.ComfyNode):
    """A photo taken apart."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="PaintSeg_Layers",
            display_name="PaintSeg Layers",
            category=LAYERS,
            description="Takes a photo apart from front to back: each object becomes a layer, completed where an "
            "earlier one hid it, and what is left is the last plate. Without prompts it finds what stands out.",
            search_aliases=["paintseg", "layers", "decompose", "layered image", "split photo", "parallax", "psd"],
            inputs=[
                image_input("One photo."),
                prompt_input(optional=True, tooltip="A prompt per object, front to back. Unwired: found by itself."),
                painter_input(),
                encoder_input(),
                preset_input(),
                seed_input(),
                candidates_input(1),
                io.Int.Input(
                    "most", default=3, min=1, max=16, tooltip="Objects at most when no prompts are wired."
                ),
                io.Boolean.Input("shadow", default=False, tooltip="Take shadows out with their objects."),
            ],
            outputs=[
                io.Image.Output(display_name="layers", tooltip="RGBA images, front to back."),
                io.Mask.Output(display_name="masks", tooltip="Their soft masks."),
                io.Image.Output(display_name="plate", tooltip="The photo without any of the objects."),
            ],
        )

    @classmethod
    def execute(
        cls,
        image: Tensor,
        preset: str,
        seed: int,
        candidates: int,
        most: int,
        shadow: bool,
        prompt: tuple[Prompt, ...] | None = None,
        painter: Painter | None = None,
        encoder: Encoder | None = None,
    ) -> io.NodeOutput:
        photos = photos_from(image)
        if len(photos) != 1:
            raise InputError(f"layers are made of one image, not of a batch of {len(photos)}")
        found = peel(
            photos[0],
            prompt,
            painter or embedded_painter(),
            encoder or embedded_encoder(),
            config_from(preset),
            seed,
            candidates,
            shadow,
            most,
            shares(1)(0),
        )
        warn(found.note)
        return io.NodeOutput(image_output(found.layers), mask_output(found.masks), image_output([found.plate]))


class Reassemble(io.ComfyNode):
    """Layers put over a plate or another photo."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        def number(name: str, default: float, low: float, high: float, tooltip: str) -> io.Float.Input:
            return io.Float.Input(name, default=default, min=low, max=high, step=0.01, tooltip=tooltip)

        return io.Schema(
            node_id="PaintSeg_Reassemble",
            display_name="PaintSeg Reassemble",
            category=LAYERS,
            description="Puts layers over a clean plate or any other photo: moved, scaled, turned, mirrored, in "
            "another order, with a contact shadow. The widgets place one layer; JSON places all of them.",
            search_aliases=["paintseg", "reassemble", "composite", "compose", "move object", "paste", "collage"],
            inputs=[
                image_input("What lies behind all layers.", "plate"),
                image_input("RGBA images, front to back.", "layers"),
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
                    tooltip='JSON instead of the widgets: [{"layer": 0, "x": 200, "y": 150, "scale": 1.5}]. Also dx, '
                    "dy, rotation, flip, opacity, order, shadow. Only the layers listed appear.",
                ),
            ],
            outputs=[io.Image.Output(display_name="image", tooltip="The new picture, one per plate.")],
        )

    @classmethod
    def execute(
        cls,
        plate: Tensor,
        layers: Tensor,
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
        stack = layers_from(layers)
        chosen = list(parse_placements(placements))
        if not chosen:
            moved = Placement(layer, None, None, dx, dy, scale, rotation, flip, opacity, None, shadow)
            chosen = [moved, *(Placement(other) for other in range(len(stack)) if other != layer)]
        return io.NodeOutput(image_output([reassemble(one, stack, chosen) for one in photos_from(plate)]))


class SaveLayers(io.ComfyNode):
    """Layers as files for painting programs."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="PaintSeg_SaveLayers",
            display_name="PaintSeg Save Layers",
            category=LAYERS,
            description="Saves layers to ComfyUI's output folder as one OpenRaster file, which Krita and GIMP "
            "open, or as a set of PNGs.",
            search_aliases=["paintseg", "save layers", "openraster", "ora", "krita", "gimp", "psd", "export layers"],
            inputs=[
                image_input("RGBA images, front to back.", "layers"),
                io.Image.Input("plate", optional=True, tooltip="What lies behind them, as the last layer."),
                io.String.Input("filename_prefix", default="paintseg/layers", tooltip="Folder and start of the name."),
                io.Combo.Input(
                    "format",
                    options=["OpenRaster", "PNG set"],
                    default="OpenRaster",
                    tooltip="OpenRaster: one .ora file. PNG set: one PNG per layer and a layers.json.",
                ),
                io.String.Input(
                    "names",
                    default="",
                    optional=True,
                    tooltip="Names of the layers, separated by commas, front to back. Empty: layer 1, layer 2...",
                ),
            ],
            outputs=[io.String.Output(display_name="path", tooltip="The .ora file, or the first PNG.")],
            is_output_node=True,
        )

    @classmethod
    def execute(
        cls,
        layers: Tensor,
        filename_prefix: str,
        format: str,
        plate: Tensor | None = None,
        names: str = "",
    ) -> io.NodeOutput:
        stack = layers_from(layers)
        given = [name.strip() for name in names.split(",")] if names.strip() else []
        titles = [given[i] if i < len(given) and given[i] else f"layer {i + 1}" for i in range(len(stack))]
        named = [NamedLayer(title, pixels) for title, pixels in zip(titles, stack, strict=True)]
        if plate is not None:
            plates = photos_from(plate)
            if len(plates) != 1:
                raise InputError(f"the layers go over one plate, not over a batch of {len(plates)}")
            named.append(NamedLayer("plate", plates[0]))
        folder, name, counter = place_for(filename_prefix, stack[0])
        stem = f"{name}_{counter:05}_"
        with _no_empty_folder(Path(folder)):
            if format == "OpenRaster":
                path = Path(folder) / f"{stem}.ora"
                save_openraster(path, named)
            else:
                path = save_png_set(Path(folder), named, stem)[0]
        return io.NodeOutput(str(path), ui=ui.PreviewImage(image_output([flatten(named)]), cls=cls))


def place_for(prefix: str, picture: Tensor) -> tuple[str, str, int]:
    """The folder, the name and the number of the next file of that prefix in ComfyUI's output folder."""
    height, width = picture.shape[1:]
    try:
        if not prefix.isprintable():
            raise ValueError("a character that no file name has")
        folder, name, counter, *_ = folder_paths.get_save_image_path(
            prefix, folder_paths.get_output_directory(), width, height
        )
    except Exception as problem:  # ComfyUI raises Exception itself for a place outside
        raise InputError(
            f"filename_prefix {prefix!r} is no name for files in ComfyUI's output folder; give one like layers/photo"
        ) from problem
    return folder, name, counter


@contextmanager
def _no_empty_folder(folder: Path) -> Iterator[None]:
    """Remove a folder in which nothing could be written: ComfyUI makes it as soon as a name is asked for."""
    output = Path(folder_paths.get_output_directory()).resolve()
    try:
        yield
    except BaseException:
        with suppress(OSError):  # it holds something
            for place in (folder.resolve(), *folder.resolve().parents):
                if output not in place.parents:
                    break
                place.rmdir()
        raise


def layers_from(image: Tensor) -> list[Tensor]:
    """IMAGE, B x H x W x 4, as layers 4 x H x W. Raises InputError for images without transparency, and for none."""
    if image.ndim == 4 and not len(image):
        raise InputError("the batch of layers is empty: there is no layer in it")
    if image.ndim != 4 or image.shape[3] != 4 or not image.numel():
        raise InputError(
            f"layers are images with transparency (RGBA), not {tuple(image.shape)}; PaintSeg Cut Out makes them"
        )
    return list(image.cpu().float().movedim(-1, 1))


def painter_input() -> io.Input:
    """The painter; may stay unwired."""
    return PainterSocket.Input(
        "painter", optional=True, tooltip="Fills the hole. Unwired: the embedded MI-GAN."
    )


def candidates_input(default: int) -> io.Int.Input:
    """Paintings to choose from."""
    return io.Int.Input(
        "candidates",
        default=default,
        min=1,
        max=MOST_CANDIDATES,
        tooltip="Paintings of each hole; the one that looks most like its surroundings is taken.",
    )


def shares(count: int) -> Callable[[int], Callable[[float], None]]:
    """One bar over `count` jobs: for each job's number what it reports its share to. It raises on cancel."""
    bar = comfy.utils.ProgressBar(1000 * count)
    return lambda number: lambda share: bar.update_absolute(round(1000 * (number + share)))
