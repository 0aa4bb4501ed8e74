"""Receiving: a file that is sent goes to the disk piece by piece, and never through memory whole."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from anyio import to_thread
from fastapi import Request
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from app.db.uploads import ARRIVING, safe_name
from app.web.admin.office import Refused

MOST_BYTES = 6 * 10**9  # of an archive
BUFFER = 1 << 20


class _File:
    """Takes the one file out of a form, as its parser finds it."""

    def __init__(self, folder: Path, most: int) -> None:
        self.folder = folder
        self.most = most  # bytes
        self.name = ""
        self.size = 0
        self.is_whole = False  # the form came to its end
        self._header = b""
        self._value = b""
        self._is_file = False
        self._out: BinaryIO | None = None

    def callbacks(self) -> dict[str, object]:
        """What the parser calls."""
        return {
            "on_header_field": self._on_field,
            "on_header_value": self._on_value,
            "on_header_end": self._on_header_end,
            "on_part_data": self._on_data,
            "on_part_end": self.close,
            "on_end": self._on_end,
        }

    def close(self) -> None:
        """The file is whole: on the disk before it is told of."""
        if self._out is not None:
            self._out.flush()
            os.fsync(self._out.fileno())
            self._out.close()
        self._out, self._is_file = None, False

    def give_up(self) -> None:
        """Nothing is kept of the file; what was held back would find no room either."""
        if self._out is not None:
            with contextlib.suppress(OSError):
                self._out.close()

    def _on_end(self) -> None:
        self.is_whole = True

    def _on_field(self, data: bytes, start: int, end: int) -> None:
        self._header += data[start:end]

    def _on_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _on_header_end(self) -> None:
        if self._header.lower() == b"content-disposition":
            _, options = parse_options_header(self._value)
            name = options.get(b"filename")
            if name and not self.name:
                self.name, self._is_file = safe_name(name.decode("utf-8", "replace")), True
                self._out = (self.folder / self.name).open("xb", buffering=BUFFER)
        self._header = self._value = b""

    def _on_data(self, data: bytes, start: int, end: int) -> None:
        if self._is_file and self._out is not None:
            self.size += end - start
            if self.size > self.most:
                raise Refused(413, "Too large", f"Files of up to {self.most / 10**9:g} GB are taken here.")
            self._out.write(data[start:end])


@contextlib.contextmanager
def told_of(uploads: Path, key: str) -> Iterator[None]:
    """A received file goes where the block that writes the row which tells of it fails: nothing else would find it."""
    try:
        yield
    except BaseException:
        shutil.rmtree(uploads / key, ignore_errors=True)
        raise


async def receive(request: Request, uploads: Path, most: int = MOST_BYTES) -> tuple[str, str, int]:
    """Write the file of a form to the folder of uploads; its key (a folder there), its name and its size.

    Raises:
        Refused: there is no file in it, or it has more than `most` bytes, or the disk is full.
    """
    kind, options = parse_options_header(request.headers.get("content-type", ""))
    boundary = options.get(b"boundary")
    if kind != b"multipart/form-data" or not boundary:
        raise Refused(415, "No file", "The form did not come as one that holds a file.")
    key = secrets.token_hex(8)
    folder = uploads / f"{ARRIVING}{key}"
    await to_thread.run_sync(lambda: folder.mkdir(parents=True, mode=0o700))
    file = _File(folder, most)
    try:
        parser = MultipartParser(boundary, file.callbacks())  # type: ignore[arg-type]
        async for piece in request.stream():
            await to_thread.run_sync(parser.write, piece)
        if not file.name or not file.size:
            raise Refused(422, "No file", "Pick a file first: what was sent holds none, or an empty one.")
        if not file.is_whole:
            raise Refused(400, "Cut short", "The end of the file did not arrive: send it again.")
        await to_thread.run_sync(folder.rename, uploads / key)
        return key, file.name, file.size
    except BaseException as error:
        file.give_up()
        shutil.rmtree(folder, ignore_errors=True)
        if isinstance(error, OSError):
            raise Refused(507, "Not stored", f"The file could not be written: {error.strerror}.") from None
        if isinstance(error, FormParserError):
            raise Refused(400, "No form", f"What was sent is no form with a file: {error}.") from None
        raise
