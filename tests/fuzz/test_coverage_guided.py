"""Coverage-guided fuzzing of the parsers with atheris, where it installs; only with scripts/test --all."""

import json
import os
import subprocess
import sys

import pytest
from harness.paths import ROOT

pytest.importorskip("atheris", reason="atheris has wheels for Linux and some Pythons only: pip install atheris")

SECONDS = int(os.environ.get("PAINTSEG_ATHERIS_SECONDS", "60"))  # for each target
TARGETS = ("points", "boxes", "placements", "manifest", "safetensors")

HARNESS = """
import sys, tempfile
from pathlib import Path
import atheris
sys.path.insert(0, {root!r})
with atheris.instrument_imports(include=["paintseg"]):
    from paintseg import parsing
    from paintseg.errors import InputError, WeightsError
    from paintseg.eval import datasets
    from paintseg.layers import compose
    from paintseg.weights import tensors_of

folder = Path(tempfile.mkdtemp())

def safe(data):
    return data.decode("utf-8", "replace")

def manifest(data):
    (folder / "manifest.csv").write_bytes(data)
    datasets.read_manifest(folder)

def safetensors(data):
    whole = data if data[:1] == b"!" else len(data).to_bytes(8, "little") + data + bytes(16)
    (folder / "x.safetensors").write_bytes(whole)
    tensors_of(folder / "x.safetensors")

RUN = {{
    "points": lambda data: parsing.read_points(safe(data), "", (100, 200)),
    "boxes": lambda data: parsing.parse_boxes(safe(data)),
    "placements": lambda data: compose.parse_placements(safe(data)),
    "manifest": manifest,
    "safetensors": safetensors,
}}

def one(data, run=RUN[sys.argv.pop(1)]):
    try:
        run(data)
    except (InputError, WeightsError) as refused:
        assert str(refused) and chr(10) not in str(refused)

atheris.Setup(sys.argv, one)
atheris.Fuzz()
"""

SEEDS = {
    "points": ['[{"x": 10, "y": 20}]', "[[1, 2], [3, 4]]", "{'x': 1, 'y': 2}"],
    "boxes": ['{"x": 1, "y": 2, "width": 3, "height": 4}', "[[1, 2, 3, 4]]", "[[[1, 2, 3, 4]], [[5, 6, 7, 8]]]"],
    "placements": ['{"layer": 0, "x": 2, "scale": 1.5, "flip": true}', '[{"layer": 1, "opacity": 0.5, "order": null}]'],
    "manifest": ["dataset,stem,image,x0,y0,x1,y1,centroid_x,centroid_y,inner_x,inner_y\\na,b,c,1,2,3,4,5,6,7,8"],
    "safetensors": ['{"a":{"dtype":"F32","shape":[2,2],"data_offsets":[0,16]}}'],
}


@pytest.mark.long
@pytest.mark.parametrize("target", TARGETS)
def test_a_parser_survives_what_reaches_its_every_branch(target, tmp_path):
    (tmp_path / "seeds").mkdir()
    for number, seed in enumerate(SEEDS[target]):
        (tmp_path / "seeds" / str(number)).write_text(seed.replace("\\n", "\n"), encoding="utf-8")
    script = tmp_path / "harness.py"
    script.write_text(HARNESS.format(root=str(ROOT)), encoding="utf-8")
    command = [
        sys.executable,
        script,
        target,
        f"-max_total_time={SECONDS}",
        "-max_len=400",
        "-rss_limit_mb=6000",
        "-print_final_stats=1",
        tmp_path / "seeds",
    ]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    executions = next(int(line.split()[-1]) for line in done.stderr.splitlines() if "number_of_executed_units" in line)
    print(f"{target}: {executions} executions")
    assert executions > 100
    if report := os.environ.get("PAINTSEG_FIGURES"):
        with open(report, "a", encoding="utf-8") as file:
            file.write(json.dumps({"atheris": {"target": target, "executions": executions, "crashed": 0}}) + "\n")
