"""What a node shows of its result: pictures no larger than a screen shows, whatever the photo's size."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

import folder_paths
import torch.nn.functional as F
from comfy_api.latest import io, ui
from comfy_execution.utils import get_executing_context
from torch import Tensor

from ..paintseg.io.formats import to_image
from ..paintseg.io.pictures import written
from .convert import image_output

LARGEST = 2048
"""Longest side in pixels of a picture on a node. Tinting a photo of 24 million pixels takes four times its memory."""


def shrunk(values: Tensor, side: int = LARGEST) -> Tensor:
    """C x H x W or H x W as it is, or, where it is larger than `side`, a whole number of times smaller, as float."""
    times = -(-max(values.shape[-2:]) // side)
    if times == 1:
        return values
    window = [min(times, length) for length in values.shape[-2:]]
    planes = F.avg_pool2d((values if values.ndim == 3 else values[None]).float(), window)
    return planes if values.ndim == 3 else planes[0]


def preview(pictures: Sequence[Tensor], cls: type[io.ComfyNode]) -> ui.PreviewImage:
    """Pictures 3 x h x w or 4 x h x w, of one size, shown on the node."""
    return ui.PreviewImage(image_output([shrunk(picture) for picture in pictures]), cls=cls)


def save_picture(photo: Tensor) -> dict[str, str]:
    """A photo 3 x H x W as a PNG in ComfyUI's folder for what is temporary, and how ComfyUI names it.

    The same photo is written once.
    """
    image = to_image(photo)
    digest = hashlib.blake2b(image.tobytes(), digest_size=12).hexdigest()
    name = f"paintseg_{digest}.png"
    folder = Path(folder_paths.get_temp_directory())
    if not (folder / name).exists():
        folder.mkdir(parents=True, exist_ok=True)
        with written(folder / name) as unfinished:
            image.save(unfinished, "PNG", compress_level=1)
    return {"filename": name, "subfolder": "", "type": "temp"}


def show_now(shown: Mapping[str, object]) -> None:
    """Give the browser what the node under way shows, for one that is about to refuse: what fails shows nothing."""
    from server import PromptServer

    context, server = get_executing_context(), getattr(PromptServer, "instance", None)
    if context is None or server is None:
        return
    told = {"node": context.node_id, "display_node": context.node_id, "prompt_id": context.prompt_id, "output": shown}
    server.send_sync("executed", told, server.client_id)
