"""What scripts/make_workflows does: workflows, blueprints and pictures, with a real ComfyUI at hand."""

from __future__ import annotations

import contextlib
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from PIL import Image

from . import blueprints, bundled, drawings, thumbnails
from .client import Client, Run
from .convert import to_prompt
from .paths import CACHE, ROOT
from .server import Server

WORKFLOWS = ROOT / "workflows"
SUBGRAPHS = ROOT / "subgraphs"
BASE = CACHE / "comfy-base"


class Shown:
    """The pictures that the nodes of a finished run show, by title or type."""

    def __init__(self, client: Client, prompt: dict[str, Any], run: Run) -> None:
        self._client, self._prompt, self._run = client, prompt, run

    def __getitem__(self, name: str) -> list[Image.Image]:
        key = next(key for key, node in self._prompt.items() if name in (node["_meta"]["title"], node["class_type"]))
        files = self._run.outputs[key]["images"]
        return [Image.open(io.BytesIO(self._client.download(file))) for file in files]


def make(names: Sequence[str], pictures: bool, assets: bool, url: str | None) -> int:
    """Write the files; exit code 0, or 1 when a workflow did not run."""
    if assets:
        drawings.write_assets(WORKFLOWS / "assets")
    failed = []
    with contextlib.ExitStack() as stack:
        url = url or stack.enter_context(Server(BASE)).url
        client = stack.enter_context(Client(url))
        schemas = client.object_info()
        for name, content in blueprints.build_all(schemas).items():
            _write(SUBGRAPHS / f"{name}.json", content)
        for name in names or bundled.NAMES:
            workflow = bundled.build(name, schemas).to_json()
            _write(WORKFLOWS / f"{name}.json", workflow)
            if pictures:
                prompt = to_prompt(workflow, schemas)
                run = client.run(prompt)
                if run.status == "success":
                    picture = thumbnails.picture(name, Shown(client, prompt, run))
                    picture.save(WORKFLOWS / f"{name}.jpg", quality=86, optimize=True)
                else:
                    failed.append(name)
                    print(f"{name}: {run.error.get('exception_message', run.status).strip()}")
            print(f"written: workflows/{name}", flush=True)
    return int(bool(failed))


def _write(path: Path, content: dict[str, Any]) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8", newline="\n")
