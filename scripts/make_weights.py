#!/usr/bin/env python3
"""Make the embedded weights (fp16 safetensors) from the files their authors published.

    python scripts/make_weights.py --dino dinov2-small.safetensors --migan migan_pipeline_v2.onnx

paintseg/weights/README.md says where the sources are. The script checks the sha256 of both before it reads them.
The same sources give the same bytes. The script needs nothing that the library does not need: it reads the ONNX file
as the protobuf message that the file is.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load, save_file
from torch import Tensor

ROOT = Path(__file__).resolve().parents[1]
sys.path.append(str(ROOT))

from paintseg.cli.console import guarded  # noqa: E402  (the checkout need not be installed)
from paintseg.weights import REGISTRY, sha256_of  # noqa: E402

LEVELS = (512, 256, 128, 64, 32, 16, 8, 4)


def protobuf_fields(data: memoryview) -> Iterator[tuple[int, int | memoryview]]:
    """Number and value of each field of a protobuf message: integers as such, all else as its bytes."""
    at = 0

    def varint() -> int:
        nonlocal at
        value = shift = 0
        while True:
            byte = data[at]
            at += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    while at < len(data):
        tag = varint()
        if tag & 7 == 0:
            yield tag >> 3, varint()
            continue
        size = {1: 8, 5: 4}.get(tag & 7) or varint()
        yield tag >> 3, data[at : at + size]
        at += size


def onnx_arrays(model: memoryview) -> dict[str, np.ndarray]:
    """The initialisers of an ONNX model, all float32, as arrays that share its memory.

    Those that an `Add` node adds are found under the name of its output too: constants have numbers for names
    in the file, outputs are named by their place in the network.
    """
    arrays, added = {}, []
    graph = next(value for number, value in protobuf_fields(model) if number == 7)
    for number, message in protobuf_fields(graph):
        if number == 5:  # TensorProto: dims 1, name 8, raw_data 9
            parts = list(protobuf_fields(message))
            name = next(bytes(value).decode() for field, value in parts if field == 8)
            raw = next(value for field, value in parts if field == 9)
            arrays[name] = np.frombuffer(raw, "<f4").reshape([value for field, value in parts if field == 1])
        elif number == 1:  # NodeProto: input 1, output 2, op_type 4
            parts = [(field, bytes(value).decode()) for field, value in protobuf_fields(message) if field < 5]
            if (4, "Add") in parts:
                output = next(value for field, value in parts if field == 2)
                added += [(output, value) for field, value in parts if field == 1]
    return arrays | {output: arrays[name] for output, name in added if name in arrays}


def migan_tensors(model: bytes | bytearray) -> dict[str, Tensor]:
    """The generator's tensors under the names of `paintseg.painters.migan_network.MIGAN`."""
    stored = onnx_arrays(memoryview(model))
    renamed = {
        "from_rgb.weight": stored["model.encoder.b512.fromrgb.weight"],
        "from_rgb.bias": stored["model.encoder.b512.fromrgb.bias"],
    }
    for level in LEVELS:
        for part in ("encoder", "synthesis"):
            for theirs, ours in (("conv1", "first"), ("conv2", "second")):
                old, new = f"model.{part}.b{level}.{theirs}", f"{part}.{level}.{ours}"
                renamed[f"{new}.depthwise.weight"] = stored[f"{old}.conv1.weight"]
                renamed[f"{new}.depthwise.bias"] = stored[f"{old}.conv1.bias"]
                renamed[f"{new}.pointwise.weight"] = stored[f"{old}.conv2.weight"]
                if part == "synthesis" and level > 4:
                    renamed[f"{new}.noise"] = stored[f"/model/synthesis/b{level}/{theirs}/Add_output_0"]
        for kind in ("weight", "bias"):
            renamed[f"synthesis.{level}.to_rgb.{kind}"] = stored[f"model.synthesis.b{level}.torgb.{kind}"]
    return {name: torch.tensor(array) for name, array in renamed.items()}


def dino_tensors(model: bytes) -> dict[str, Tensor]:
    """DINOv2's tensors under timm's names; the mask token, zero and used in training only, is dropped."""
    stored = load(model)
    patch = "embeddings.patch_embeddings.projection"
    renamed = {
        "cls_token": stored["embeddings.cls_token"],
        "pos_embed": stored["embeddings.position_embeddings"],
        "patch_embed.proj.weight": stored[f"{patch}.weight"],
        "patch_embed.proj.bias": stored[f"{patch}.bias"],
        "norm.weight": stored["layernorm.weight"],
        "norm.bias": stored["layernorm.bias"],
    }
    depth = 1 + max(int(name.split(".")[2]) for name in stored if name.startswith("encoder.layer."))
    for index in range(depth):
        old, new = f"encoder.layer.{index}", f"blocks.{index}"
        for kind in ("weight", "bias"):
            qkv = [stored[f"{old}.attention.attention.{role}.{kind}"] for role in ("query", "key", "value")]
            renamed[f"{new}.attn.qkv.{kind}"] = torch.cat(qkv)
            renamed[f"{new}.attn.proj.{kind}"] = stored[f"{old}.attention.output.dense.{kind}"]
            for part in ("norm1", "norm2", "mlp.fc1", "mlp.fc2"):
                renamed[f"{new}.{part}.{kind}"] = stored[f"{old}.{part}.{kind}"]
        renamed[f"{new}.ls1.gamma"] = stored[f"{old}.layer_scale1.lambda1"]
        renamed[f"{new}.ls2.gamma"] = stored[f"{old}.layer_scale2.lambda1"]
    return renamed


def write_half(tensors: dict[str, Tensor], path: Path) -> str:
    """Write fp16, through a temporary file so that a broken run leaves no half file; returns the sha256."""
    half = {name: tensor.to(torch.float16).contiguous() for name, tensor in tensors.items()}
    if not all(torch.isfinite(tensor).all() for tensor in half.values()):
        raise SystemExit(f"a tensor of {path.name} does not fit into fp16")
    partial = path.with_suffix(".partial")
    save_file(half, partial)  # no metadata: its order in the header would not be the same twice
    partial.chmod(0o644)
    partial.replace(path)
    return sha256_of(path)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--dino", type=Path, required=True, metavar="FILE", help="dinov2-small model.safetensors")
    parser.add_argument("--migan", type=Path, required=True, metavar="FILE", help="migan_pipeline_v2.onnx")
    parser.add_argument("--out", type=Path, default=ROOT / "paintseg" / "weights", metavar="DIR")
    arguments = parser.parse_args()
    jobs = (("migan_places2_512", arguments.migan, migan_tensors), ("dinov2_vits14", arguments.dino, dino_tensors))
    for name, source, _ in jobs:
        if not source.is_file():
            print(f"{source} is not a file", file=sys.stderr)
            return 2
        if (found := sha256_of(source)) != REGISTRY[name].source_sha256:
            print(f"{source} has sha256 {found}, expected {REGISTRY[name].source_sha256}", file=sys.stderr)
            return 2
    for name, source, read in jobs:
        made = write_half(read(source.read_bytes()), arguments.out / REGISTRY[name].file)
        print(f"{made}  {REGISTRY[name].file}")
        if made != REGISTRY[name].sha256:
            print(f"paintseg/weights/__init__.py expects {REGISTRY[name].sha256}", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(guarded(main))
