"""A client for ComfyUI's HTTP and websocket interface: what a browser does, without one."""

from __future__ import annotations

import asyncio
import json
import queue
import struct
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

PREVIEW = 1
PREVIEW_WITH_METADATA = 4
NOTHING = {  # a prompt that takes no time
    "1": {"class_type": "PrimitiveInt", "inputs": {"value": 0}},
    "2": {"class_type": "PreviewAny", "inputs": {"source": ["1", 0]}},
}
FINAL = ("execution_success", "execution_error", "execution_interrupted")


class Refused(RuntimeError):
    """ComfyUI did not accept a request; `body` is its answer."""

    def __init__(self, code: int, body: Any) -> None:
        super().__init__(f"ComfyUI answered {code}: {json.dumps(body)[:500]}")
        self.code = code
        self.body = body


@dataclass(frozen=True)
class Event:
    """A message of the server: `kind` as in the websocket protocol, or "preview" with `image` bytes."""

    kind: str
    data: dict[str, Any] = field(default_factory=dict)
    image: bytes = b""


@dataclass(frozen=True)
class Run:
    """A finished prompt: `status` is "success", "error" or "interrupted"."""

    prompt_id: str
    status: str
    events: list[Event]
    outputs: dict[str, dict[str, Any]]

    @property
    def error(self) -> dict[str, Any]:
        """The execution_error message (node_id, exception_message, ...); empty when there was none."""
        return next((event.data for event in self.events if event.kind == "execution_error"), {})


class Client:
    """Talks to the server at `url`; a context manager, since it holds a websocket and its thread."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.id = uuid.uuid4().hex
        self._events: queue.Queue[Event] = queue.Queue()
        self._connected = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._listener: asyncio.Task[None] | None = None
        self._thread = threading.Thread(target=self._listen_in_thread, daemon=True)

    def __enter__(self) -> Client:
        self._thread.start()
        if not self._connected.wait(30):
            raise Refused(0, "no websocket within 30 s")
        return self

    def __exit__(self, *_: object) -> None:
        if self._listener is not None:
            self._loop.call_soon_threadsafe(self._listener.cancel)
        self._thread.join(10)

    # --- requests

    def object_info(self, node_id: str = "") -> dict[str, Any]:
        """The schemas of all nodes, or of one."""
        return self.get_json(f"/object_info/{node_id}" if node_id else "/object_info")

    def upload(self, file: Path, overwrite: bool = True) -> str:
        """Put an image into ComfyUI's input folder; returns the name LoadImage takes."""
        boundary = uuid.uuid4().hex
        fields = {"type": "input", "overwrite": "true" if overwrite else "false"}
        body = b"".join(
            f'--{boundary}\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n'.encode()
            for key, value in fields.items()
        )
        head = f'Content-Disposition: form-data; name="image"; filename="{file.name}"\r\n'
        body += f"--{boundary}\r\n{head}Content-Type: application/octet-stream\r\n\r\n".encode()
        body += file.read_bytes() + f"\r\n--{boundary}--\r\n".encode()
        kind = f"multipart/form-data; boundary={boundary}"
        return json.loads(self._request("/upload/image", body, kind))["name"]

    def queue(self, prompt: dict[str, Any]) -> str:
        """Queue a prompt in API format and return its id; `Refused` carries what validation found.

        ComfyUI runs the outputs that pass validation and leaves out the others; here that is refused too.
        """
        answer = self.post_json("/prompt", {"prompt": prompt, "client_id": self.id})
        if answer["node_errors"]:
            raise Refused(200, answer)
        return answer["prompt_id"]

    def interrupt(self) -> None:
        """Stop the prompt that is running."""
        self._request("/interrupt", b"{}", "application/json")

    def free(self) -> None:
        """Ask ComfyUI to unload its models and forget what it has cached, and wait until it has seen to that.

        It looks at such requests after a prompt; one that is queued at once would still come from the cache.
        """
        self.post_json("/free", {"unload_models": True, "free_memory": True})
        self._ended(self.queue(NOTHING))

    def history(self, prompt_id: str) -> dict[str, Any]:
        """What ComfyUI keeps of a finished prompt: outputs, status, messages."""
        return self.get_json(f"/history/{prompt_id}").get(prompt_id, {})

    def download(self, image: dict[str, str]) -> bytes:
        """The bytes of one entry of an output's `images` list."""
        keys = {key: image[key] for key in ("filename", "subfolder", "type")}
        return self._request(f"/view?{urllib.parse.urlencode(keys)}")

    def get_json(self, path: str) -> Any:
        """GET `path` and parse what comes."""
        return json.loads(self._request(path))

    def post_json(self, path: str, content: Any) -> Any:
        """POST `content` as JSON; an empty answer is None."""
        answer = self._request(path, json.dumps(content).encode(), "application/json")
        return json.loads(answer) if answer else None

    # --- execution

    def follow(self, prompt_id: str, silence: float = 600.0) -> Iterator[Event]:
        """Yield the events of one prompt up to and with its last; previews belong to whatever runs.

        Raises TimeoutError after `silence` seconds without any event.
        """
        while True:
            try:
                event = self._events.get(timeout=silence)
            except queue.Empty:
                raise TimeoutError(f"ComfyUI was silent for {silence:.0f} s") from None
            if event.kind == "disconnected":
                raise ConnectionError("ComfyUI closed the connection; its log tells why")
            if event.data.get("prompt_id", prompt_id) == prompt_id:
                yield event
                if event.kind in FINAL:
                    return

    def run(self, prompt: dict[str, Any], silence: float = 600.0) -> Run:
        """Queue a prompt, follow it to its end and fetch its outputs."""
        prompt_id = self.queue(prompt)
        return self.finished(prompt_id, list(self.follow(prompt_id, silence)))

    def finished(self, prompt_id: str, events: list[Event]) -> Run:
        """The result of a prompt whose events, up to the last, are `events`."""
        status = events[-1].kind.removeprefix("execution_")
        # ComfyUI sends the last event before it writes the entry.
        return Run(prompt_id, status, events, self._ended(prompt_id, 10).get("outputs", {}))

    # --- inside

    def _ended(self, prompt_id: str, seconds: float = 600.0) -> dict[str, Any]:
        """What the history says of a prompt once it is there; empty if it is not there after so long."""
        end = time.monotonic() + seconds
        while not (entry := self.history(prompt_id)) and time.monotonic() < end:
            time.sleep(0.05)
        return entry

    def _request(self, path: str, body: bytes | None = None, kind: str = "") -> bytes:
        headers = {"Content-Type": kind} if kind else {}
        request = urllib.request.Request(self.url + path, data=body, headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.read()
        except urllib.error.HTTPError as error:
            text = error.read().decode(errors="replace")
            try:
                raise Refused(error.code, json.loads(text)) from None
            except ValueError:
                raise Refused(error.code, text) from None

    def _listen_in_thread(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._listener = self._loop.create_task(self._listen())
        try:
            self._loop.run_until_complete(self._listener)
        except (asyncio.CancelledError, aiohttp.ClientError):
            pass
        finally:
            self._events.put(Event("disconnected"))
            self._loop.close()

    async def _listen(self) -> None:
        address = f"{self.url.replace('http', 'ws', 1)}/ws?clientId={self.id}"
        async with aiohttp.ClientSession() as session, session.ws_connect(address, max_msg_size=0) as socket:
            flags = {"type": "feature_flags", "data": {"supports_preview_metadata": True}}
            await socket.send_json(flags)
            async for message in socket:
                if message.type == aiohttp.WSMsgType.TEXT:
                    content = json.loads(message.data)
                    self._events.put(Event(content["type"], content.get("data") or {}))
                    self._connected.set()
                elif message.type == aiohttp.WSMsgType.BINARY:
                    event = parse_binary(message.data)
                    if event is not None:
                        self._events.put(event)


def parse_binary(frame: bytes) -> Event | None:
    """A binary frame as a "preview" event (JPEG or PNG bytes, metadata as data); None for other kinds."""
    (kind,) = struct.unpack_from(">I", frame)
    if kind == PREVIEW:
        return Event("preview", image=frame[8:])
    if kind == PREVIEW_WITH_METADATA:
        (length,) = struct.unpack_from(">I", frame, 4)
        return Event("preview", json.loads(frame[8 : 8 + length]), frame[8 + length :])
    return None
