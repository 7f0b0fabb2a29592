"""Nothing of the method or its nodes reaches for the network."""

import subprocess
import sys

import pytest
from harness.paths import ROOT

PROGRAM = """
import socket, sys
sys.path += [{root!r}, {root!r} + "/scripts"]

def refuse(self, address, *more):
    raise SystemExit(f"something connects to {{address}}")

socket.socket.connect = socket.socket.connect_ex = refuse
socket.getaddrinfo = lambda *name, **more: refuse(None, name)

import asyncio, torch
from harness.inprocess import load_pack

pack = load_pack()
config = pack.paintseg.config
config.PRESETS["fast"] = config.preset("fast", size=128, encoder_size=112, photo_size=112)
pack.paintseg.layers.plausibility.SIZE = 168
photo = torch.full((1, 64, 64, 3), 0.2)
photo[:, 16:48, 16:48] = 0.8
nodes = asyncio.run(asyncio.run(pack.comfy_entrypoint()).get_node_list())
known = {{node.GET_SCHEMA().node_id: node for node in nodes}}
prompt = known["PaintSeg_PromptToMask"].execute(image=photo, kind={{"kind": "box"}}, boxes="[[14, 14, 50, 50]]")[0]
found = known["PaintSeg_AMCPLoop"].execute(image=photo, prompt=prompt, preset="fast", seed=1)
print(len(known), "nodes,", tuple(found[0].shape))
"""


def test_the_nodes_are_made_and_the_method_runs_where_every_connection_is_refused():
    pytest.importorskip("av", reason="ComfyUI's own packages are not installed")
    program = PROGRAM.format(root=str(ROOT))
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("nodes, (1, 64, 64)\n")
