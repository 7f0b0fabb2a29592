"""Which outputs of a node anything is wired to, so that none is made for nobody.

ComfyUI's cache knows a node by its inputs: after a wire more it would hand out again what was made without it. So a
node that asks here must also tell the cache, by returning `wired_outputs` from `fingerprint_inputs`.
"""

from __future__ import annotations

from comfy_api.latest import io
from comfy_execution.graph_utils import is_link
from comfy_execution.progress import get_progress_state
from comfy_execution.utils import get_executing_context


def wired_outputs(node: type[io.ComfyNode]) -> tuple[str, ...]:
    """The names of the outputs that the running prompt has a use for; all of them where that cannot be known.

    That is so outside a prompt, and for a node that another node put into the prompt: the other's own outputs may be
    this one's, which no link tells.
    """
    names = tuple(output.display_name for output in node.define_schema().outputs)
    context = get_executing_context()
    if context is None:
        return names
    prompt = get_progress_state().dynprompt
    own = context.node_id
    if not prompt.has_node(own) or prompt.get_parent_node_id(own) is not None:
        return names
    inputs = (value for other in prompt.all_node_ids() for value in prompt.get_node(other)["inputs"].values())
    used = {int(link[1]) for link in inputs if is_link(link) and link[0] == own}
    return tuple(name for slot, name in enumerate(names) if slot in used)
