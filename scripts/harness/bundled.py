"""The bundled workflows that need no download, as the tool scripts/make_workflows writes them.

ComfyUI's template browser has nothing but a file's name to call a workflow by: it stands on the card, it is the
order, and the opened workflow and its App view are named so. Hence names that are titles, and numbers before them.
"""

from __future__ import annotations

from collections.abc import Callable

from . import bundled_objects as objects
from . import bundled_prompts as prompts
from .workflow import Schemas, Workflow

_MAKERS: dict[str, Callable[[Workflow], None]] = {
    "01 Quickstart": objects.quickstart,
    "02 Remove an object": objects.object_removal,
    "03 Find the subject by itself": objects.automatic,
    "04 Point at it": objects.points,
    "05 Scribble over it": objects.scribble,
    "06 Several objects": objects.several,
    "07 A photo as layers": objects.layers,
    "08 Move an object": objects.reassembly,
    "09 Complete a hidden object": objects.amodal,
    "10 Through a video": objects.video,
    "11 The method step by step": objects.step_by_step,
    "12 The contrastive potential": objects.potential,
    # 13 to 16 are those that paint with a model to download; they are written by hand.
    "17 One point": prompts.point_numbers,
    "18 A box and points": prompts.box_and_points,
    "19 A box from another node": prompts.box_numbers,
    "20 Boxes as text": prompts.box_text,
    "21 Points painted as dots": prompts.points_painted,
    "22 Points from the mask editor": prompts.points_mask_editor,
    "23 Scribbles from the mask editor": prompts.scribble_mask_editor,
    "24 A rough mask from a file": prompts.rough_mask,
    "25 A rough mask painted": prompts.mask_painted,
    "26 A rough mask from the mask editor": prompts.mask_editor,
    "27 A label map": prompts.label_map,
    "28 A box on the photo": prompts.box_drawn,
    "29 Layers moved": objects.layers_moved,
}
NAMES = tuple(_MAKERS)


def build(name: str, schemas: Schemas) -> Workflow:
    """The workflow of that name. Raises KeyError for a name that is not in `NAMES`."""
    workflow = Workflow(name, schemas)
    _MAKERS[name](workflow)
    return workflow
