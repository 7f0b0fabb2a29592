"""What the encoder alone says of a scene, before anything is painted: an answer while somebody is still pointing.

It is a step (amcp/loop.py) whose painting tells nothing: eq. 1 without Phi_paint and Phi_color, cut by eq. 3.
"""

from __future__ import annotations

from dataclasses import replace

import torch

from ..amcp.clustering import distance_to_cut
from ..amcp.loop import State, clean, start
from ..amcp.potential import combine, prompt_term
from ..amcp.scene import Scene
from ..errors import InputError
from ..ops.boxes import box_around
from ..ops.images import size_of


@torch.no_grad()
def glance(scene: Scene) -> State:
    """The state that affinity and prompt lead to by themselves; where they say nothing, the start with a note."""
    begun, scope = start(scene), scene.allowed
    around = box_around(begun.mask, "start region")
    prompt = prompt_term(scene.pointed, scene.refused, around, size_of(scene.canvas), device=scope.device)
    nothing = torch.zeros_like(begun.evidence)
    phi = combine(nothing, None, prompt, scene.affinity, scope, 1.0, scene.config)
    try:
        margin = distance_to_cut(phi, "I", scene.config.clusters)
    except InputError:  # fewer than k different values
        said = torch.where(begun.mask, 1.0, -1.0)
        note = "the photo is the same all over where the object may be; the prompt itself is kept"
        return replace(begun, evidence=said, weight=scope.float(), note=note)
    found = clean((margin > 0) & scope, scene.view.content, scene.config) & scope
    deviation = phi.total[:, scope[0]].std().clamp_min(1e-12)
    return replace(begun, mask=found if found.any() else begun.mask, evidence=margin / deviation, weight=scope.float())
