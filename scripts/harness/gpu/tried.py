"""torch.compile and CUDA graphs on the encoder, once: what is most of the time with the embedded painter."""

from __future__ import annotations

import time

import torch

from .sections import Bench, Figures


def compiled(bench: Bench) -> Figures:
    """The encoder's blocks through torch.compile: seconds of the first call, and of one afterwards."""
    blocks, x = _blocks(bench)
    plain = bench.meter.seconds(lambda: blocks(x))
    quick = torch.compile(blocks, backend="eager" if bench.meter.quick else "inductor")
    started = time.perf_counter()
    made = quick(x)
    bench.meter.wait()
    first = time.perf_counter() - started
    apart = float((made - blocks(x)).abs().max())
    return {"plain": plain, "first_call": first, "compiled": bench.meter.seconds(lambda: quick(x)), "apart": apart}


def graphed(bench: Bench) -> Figures:
    """The encoder's blocks as a CUDA graph, replayed."""
    blocks, x = _blocks(bench)
    if not bench.meter.on_card:
        return {"skipped": "CUDA graphs need a CUDA card"}
    plain = bench.meter.seconds(lambda: blocks(x))
    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        for _ in range(3):
            blocks(x)
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        made = blocks(x)
    replayed = bench.meter.seconds(graph.replay)
    return {"plain": plain, "replayed": replayed, "apart": float((made - blocks(x)).abs().max())}


def _blocks(bench: Bench) -> tuple[torch.nn.Sequential, torch.Tensor]:
    """The embedded encoder's blocks, and what enters them for a picture of 560 x 420 px."""
    module = bench.models.encoder.module
    blocks = torch.nn.Sequential(*module.blocks[: 2 if bench.meter.quick else None])
    count = 48 if bench.meter.quick else 40 * 30
    x = torch.randn(1, count + 1, module.cls_token.shape[-1], generator=torch.Generator().manual_seed(0))
    return blocks, x.to(module.cls_token)
