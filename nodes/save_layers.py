"""PaintSeg_SaveLayers: layers as files for painting programs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import folder_paths
from comfy.cli_args import args
from comfy_api.latest import io
from torch import Tensor

from ..paintseg.errors import InputError
from ..paintseg.layers.document import without_backdrop
from ..paintseg.layers.openraster import save_openraster, save_png_set
from ..paintseg.layers.psd import save_psd
from ..paintseg.layers.stack import NamedLayer, flatten
from ..paintseg.ops.images import size_of
from .convert import pictures_from, stack_from
from .method import warn
from .previews import preview
from .sockets import LAYERS, layers_input, words


class SaveLayers(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="PaintSeg_SaveLayers",
            display_name="PaintSeg Save Layers",
            category=LAYERS,
            description="Saves layers to ComfyUI's output folder as one OpenRaster file, which Krita and GIMP "
            "open, as one PSD file, which Photoshop opens too, or as a set of PNGs.",
            search_aliases=words("paintseg, save layers, openraster, ora, krita, gimp, psd, export layers"),
            inputs=[
                layers_input(),
                io.Image.Input("plate", optional=True, tooltip="What lies behind them, as the last layer."),
                io.String.Input("filename_prefix", default="paintseg/layers", tooltip="Folder and start of the name."),
                io.Combo.Input(
                    "format",
                    options=["OpenRaster", "PNG set", "PSD"],
                    default="OpenRaster",
                    tooltip="OpenRaster: one .ora file. PNG set: one PNG per layer and a layers.json. PSD: one .psd "
                    "file, by the Python package psd-tools.",
                ),
                io.String.Input(
                    "names",
                    default="",
                    optional=True,
                    tooltip="Names of the layers, separated by commas, front to back. Empty: those of the stack, or "
                    "layer 1, layer 2...",
                ),
                io.String.Input("plate_name", default="plate", optional=True, tooltip="Name of the plate's layer."),
            ],
            outputs=[io.String.Output(display_name="path", tooltip="The .ora or .psd file, or the first PNG.")],
            is_output_node=True,
        )

    @classmethod
    def execute(
        cls,
        layers: Tensor | dict[str, Any],
        filename_prefix: str,
        format: str,
        plate: Tensor | None = None,
        names: str = "",
        plate_name: str = "plate",
    ) -> io.NodeOutput:
        stack = stack_from(layers)
        parts, said = stack.layers, [stack.note]
        plates = None if plate is None else pictures_from(plate, "plate")
        if plates is not None and len(plates) != 1:
            raise InputError(f"the layers go over one plate, not over a batch of {len(plates)}")
        if plates is not None and not isinstance(layers, Tensor):
            parts, note = without_backdrop(stack, size_of(plates))
            said.append(note)
        given = [name.strip() for name in names.rstrip(", \n").split(",")]
        if len(given) > len(parts):
            own = "" if plates is None else "; the plate's own is plate_name"
            raise InputError(
                f"the names are {len(given)} and the layers {len(parts)}: give at most one name for each layer{own}"
            )
        named = [
            replace(layer, name=given[i] if i < len(given) and given[i] else layer.name)
            for i, layer in enumerate(parts)
        ]
        if plates is not None:
            named.append(NamedLayer(plate_name.strip() or "plate", plates[0]))
        warn("\n".join(filter(None, said)))
        # images and their plate are of one size, or are refused; a stack lies on the plate as on any picture
        size = stack.size if plates is None else None if isinstance(layers, Tensor) else size_of(plates)
        folder, name, counter = place_for(filename_prefix, stack.size)
        stem, texts = f"{name}_{counter:05}_", metadata_of(cls)
        with _no_empty_folder(Path(folder)):
            if format == "OpenRaster":
                path = Path(folder) / f"{stem}.ora"
                save_openraster(path, named, texts, size)
            elif format == "PSD":
                path = Path(folder) / f"{stem}.psd"
                save_psd(path, named, texts, size)
            else:
                path = save_png_set(Path(folder), named, stem, texts, size)[0]
        return io.NodeOutput(str(path), ui=preview([flatten(named, size)], cls))


def metadata_of(node: type[io.ComfyNode]) -> dict[str, str]:
    """What ComfyUI's own nodes write into their PNGs: `prompt`, `workflow` and whatever else the browser sends along;
    nothing under --disable-metadata."""
    if args.disable_metadata or node.hidden is None:
        return {}
    told = {"prompt": node.hidden.prompt, **(node.hidden.extra_pnginfo or {})}
    return {name: json.dumps(value) for name, value in told.items() if value}


def place_for(prefix: str, size: tuple[int, int]) -> tuple[str, str, int]:
    """The folder, the name and the number of the next file of that prefix in ComfyUI's output folder."""
    height, width = size
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
