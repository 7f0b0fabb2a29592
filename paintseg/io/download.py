"""Downloading a file of weights: resumable, checked, and never half there.

huggingface_hub's own client drops what has come when a download breaks, and compares no hash.
"""

from __future__ import annotations

import os
import re
import urllib.error
import urllib.request
from collections.abc import Callable
from email.message import Message
from http.client import HTTPException, HTTPMessage, HTTPResponse
from io import FileIO
from pathlib import Path
from typing import IO

from ..errors import StorageError, WeightsError, reason
from ..weights import sha256_of
from .pictures import naming

Progress = Callable[[int, int], None]
"""Called with the bytes that are there and the bytes there will be (0 where nobody tells)."""

BLOCK = 1 << 20
SILENCE_SECONDS = 60.0


def download(address: str, target: Path, sha256: str = "", progress: Progress | None = None) -> None:
    """Put the file at `address` at `target`, whole and with the right hash, or not at all.

    What has come stays beside it in `NAME.part` when the connection breaks or `progress` raises, and the next
    call goes on from there.

    Args:
        address: of the file; redirections are followed.
        target: where it goes; the folder is made.
        sha256: in hexadecimal; when empty, the hash is taken that Hugging Face sends along (X-Linked-Etag).
            Without either, and where they differ, nothing is downloaded.
        progress: told about every megabyte; what it raises ends the download.

    Raises WeightsError when the folder cannot be written, before anything is asked for, when the address does not
    answer, when the disk is full, and when what came is not what it should be.
    """
    unfinished = target.with_name(f"{target.name}.part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with unfinished.open("ab") as file:
            there = file.tell()
    except OSError as problem:
        raise WeightsError(
            f"the folder {target.parent} cannot be written to ({reason(problem)}), so nothing was "
            f"downloaded; make it writable, or save {address} there as {target.name}"
        ) from problem
    try:
        expected = _fetch(address, unfinished, there, progress or (lambda *_: None), sha256.lower())
    except BaseException as problem:
        if unfinished.exists() and not unfinished.stat().st_size:
            unfinished.unlink()
        _explain(problem, address, target)
        raise
    if (found := sha256_of(unfinished)) != expected:
        unfinished.unlink()
        raise WeightsError(
            f"what came from {address} has sha256 {found} instead of {expected} "
            f"and was thrown away; try again, or save the right file as {target}"
        )
    with naming(target):
        os.replace(unfinished, target)


def _explain(problem: BaseException, address: str, target: Path) -> None:
    """Raise WeightsError for what may go wrong on the way: with the disk, or with the connection."""
    if isinstance(problem, StorageError):
        raise WeightsError(
            f"the download of {address} stopped: {problem}; what has come is kept, and with room for "
            "the rest it goes on from there"
        ) from problem
    if isinstance(problem, (OSError, HTTPException)):
        raise WeightsError(
            f"{address} could not be downloaded to {target.parent} ({problem}); try again, or "
            f"save it there as {target.name} yourself"
        ) from problem


def _fetch(address: str, unfinished: Path, there: int, progress: Progress, known: str) -> str:
    """Complete the unfinished file, of which so many bytes are there; the sha256 it must have.

    Raises WeightsError before anything of it is read when neither we nor the address know its hash, or both do and
    differ.
    """
    redirects = _Redirects()
    request = urllib.request.Request(address, headers={"Range": f"bytes={there}-"} if there else {})
    try:
        answer: HTTPResponse = urllib.request.build_opener(redirects).open(request, timeout=SILENCE_SECONDS)
    except urllib.error.HTTPError as refused:
        if refused.code != 416:  # nothing lies beyond what is there: it is whole, or not that file
            raise
        return _expected(known, redirects.linked or _linked(refused.headers), address)
    with answer:
        expected = _expected(known, redirects.linked or _linked(answer.headers), address)
        if answer.status != 206:  # the server starts from the beginning
            there = 0
        length = int(answer.headers.get("Content-Length") or 0)
        total = there + length if length else 0
        with naming(unfinished):
            file = unfinished.open("ab" if there else "wb", buffering=0)
        with file:
            progress(there, total)
            while block := answer.read(BLOCK):
                with naming(unfinished):
                    _write(file, block)
                there += len(block)
                progress(there, total)
        if total and there < total:
            raise OSError(f"the connection ended after {there} of {total} bytes")
        return expected


def _expected(known: str, told: str, address: str) -> str:
    """The sha256 of a file from what is known of it and what its address tells. Raises WeightsError."""
    if not known and not told:
        raise WeightsError(
            f"{address} does not tell the sha256 of its file (X-Linked-Etag), and none is known here, "
            "so nothing was downloaded; Hugging Face itself tells it, this mirror of it may not"
        )
    if known and told and known != told:
        raise WeightsError(f"{address} holds a file with sha256 {told} instead of {known}, so nothing was downloaded")
    return known or told


def _write(file: FileIO, block: bytes) -> None:
    """All of it: a disk that fills up takes a part first, and only then says so."""
    rest = memoryview(block)
    while rest:
        rest = rest[file.write(rest) :]


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follows redirections and remembers the hash that Hugging Face sends with the first."""

    linked = ""

    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> urllib.request.Request | None:
        self.linked = self.linked or _linked(headers)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _linked(headers: Message) -> str:
    """A sha256 that an answer names for the file it leads to."""
    found = re.search(r"\b[0-9a-fA-F]{64}\b", headers.get("X-Linked-Etag", ""))
    return found.group().lower() if found else ""
