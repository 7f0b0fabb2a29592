"""A real ComfyUI on loopback with this checkout linked in as its custom node pack."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType

from . import comfyui
from .console import SetupError
from .paths import PACK_NAME, ROOT, VENV_PYTHON

HOST = "127.0.0.1"
READY_SECONDS = 180.0
STOP_SECONDS = 15.0
OPTIONS = os.environ.get("PAINTSEG_COMFYUI_OPTIONS", "--cpu")
"""ComfyUI's own, by spaces. On a machine with a card: empty, or "--gpu-only", "--lowvram --bf16-vae" and the like."""


class Server:
    """A context manager: ready to answer on entry, stopped on exit, whatever happened in between.

    `base` becomes ComfyUI's base directory (models, input, output, custom_nodes); the log goes to
    `base/comfyui.log`. `port` 0 takes a free one. `only_this_pack` keeps every other pack out, but for those `beside`
    it: files that are copied into custom_nodes. `waiting` is called about twice a second until the server answers.
    `frontend` is a front end's folder, in place of ComfyUI's own.
    Raises `SetupError` with one sentence when the port is taken or ComfyUI does not come up.
    """

    def __init__(
        self,
        base: Path,
        port: int = 0,
        only_this_pack: bool = True,
        beside: Sequence[Path] = (),
        waiting: Callable[[], None] = lambda: None,
        frontend: Path | None = None,
    ) -> None:
        self.base = base
        self.port = port or _free_port()
        self.log = base / "comfyui.log"
        self._only_this_pack = only_this_pack
        self._beside = beside
        self._waiting = waiting
        self._frontend = frontend
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """The address without a slash at the end."""
        return f"http://{HOST}:{self.port}"

    @property
    def pid(self) -> int:
        """The server's process id."""
        if self._process is None:
            raise RuntimeError("the server is not running")
        return self._process.pid

    def __enter__(self) -> Server:
        if _taken(self.port):
            raise SetupError(f"Port {self.port} is in use by another program: choose another with --port.")
        link_pack(self.base)
        for file in self._beside:
            shutil.copy(file, self.base / "custom_nodes")
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                self._command(),
                cwd=comfyui.FOLDER,
                stdin=subprocess.PIPE,  # see guest.py
                stdout=log,
                stderr=subprocess.STDOUT,
                # A group of its own: Ctrl-C at the terminal is ours to pass on, after the cleaning up.
                **_own_group(),
            )
        try:
            self._wait_until_ready()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """End the server and wait until it is gone; a second call does nothing."""
        process, self._process = self._process, None
        if process is None:
            return
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdin is not None:
            process.stdin.close()

    def wait(self) -> int:
        """Wait until the server ends by itself; returns its exit code."""
        if self._process is None:
            raise RuntimeError("the server is not running")
        return self._process.wait()

    def log_tail(self, lines: int = 15) -> str:
        """The last lines of the server's log."""
        return "\n".join(self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:])

    def peak_memory(self) -> int:
        """The most memory the server has held so far, in bytes (what it holds now where no peak is kept)."""
        status = Path(f"/proc/{self.pid}/status")
        if status.exists():
            return 1024 * next(
                int(line.split()[1]) for line in status.read_text().splitlines() if line.startswith("VmHWM")
            )
        import psutil

        memory = psutil.Process(self.pid).memory_info()
        return getattr(memory, "peak_wset", memory.rss)

    def _command(self) -> list[str]:
        guest = Path(__file__).with_name("guest.py")
        command = [str(VENV_PYTHON), str(guest), str(comfyui.FOLDER / "main.py")]
        command += [*OPTIONS.split(), "--base-directory", str(self.base)]
        command += ["--disable-api-nodes", "--database-url", "sqlite:///:memory:"]
        command += ["--listen", HOST, "--port", str(self.port)]
        if self._frontend:
            command += ["--front-end-root", str(self._frontend)]
        if self._only_this_pack:
            command += ["--disable-all-custom-nodes", "--whitelist-custom-nodes", PACK_NAME]
            command += [file.name for file in self._beside]
        return command

    def _wait_until_ready(self) -> None:
        end = time.monotonic() + READY_SECONDS
        while time.monotonic() < end:
            if self._process is not None and self._process.poll() is not None:
                raise SetupError(f"ComfyUI stopped while starting; {self.log} ends:\n{self.log_tail()}")
            try:
                with urllib.request.urlopen(f"{self.url}/system_stats", timeout=5):
                    return
            except OSError:
                self._waiting()
                time.sleep(0.5)
        raise SetupError(f"ComfyUI did not answer within {READY_SECONDS:.0f} s; its log is {self.log}.")


def link_pack(base: Path) -> None:
    """Link this checkout into `base` as a custom node pack, and make the folders ComfyUI expects."""
    for name in ("custom_nodes", "input", "output", "models"):
        (base / name).mkdir(parents=True, exist_ok=True)
    link_checkout(base / "custom_nodes" / PACK_NAME)


def link_checkout(link: Path) -> None:
    """Make `link` lead to this checkout, wherever it led before."""
    if os.path.lexists(link):
        if link.resolve() == ROOT:
            return
        link.unlink()  # the checkout has moved since
    if sys.platform == "win32":
        import _winapi

        _winapi.CreateJunction(str(ROOT), str(link))  # a symbolic link would need administrator's rights
    else:
        link.symlink_to(ROOT, target_is_directory=True)


def _own_group() -> dict[str, object]:
    if sys.platform == "win32":
        return {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}
    return {"start_new_session": True}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return probe.getsockname()[1]


def _taken(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((HOST, port)) == 0
