"""Mastodon's export as older servers pack it, a .tar.gz (or the .tar that a browser makes of one), read where it lies.

A tar has no list of its files, and the pictures lie before the outbox: they are passed over piece by piece. Nothing
reaches the disk, and nothing but a piece the memory.
"""

from __future__ import annotations

import gzip
import io
import re
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, cast

from app.archives import ArchiveError
from app.archives.source import Source
from app.archives.zipped import MOST_SQUEEZED, MOST_UNPACKED, SQUEEZED_FROM

OUTBOX = re.compile(r"(?:[^/]*/)?outbox\.json")

_GZIP = b"\x1f\x8b"
_BLOCK = 512
_PASSED_OVER = 1 << 20  # bytes unpacked at once on the way to the outbox
_PLAIN = b"0\0"  # what marks a file, rather than a folder, a link or a note on the next file
_BROKEN = (OSError, EOFError, zlib.error)


def is_tarred(path: Path) -> bool:
    """Whether the file begins like a tar, packed by gzip or not; False as well where it cannot be read."""
    try:
        # A pipe must not be opened: that waits for whoever writes to it.
        if not path.is_file():
            return False
        with _unpacked(path) as file:
            return _header(file.read(_BLOCK)) is not None
    except (*_BROKEN, ValueError):
        return False


@contextmanager
def open_outbox(path: Path, encoding_errors: str = "strict") -> Iterator[Source]:
    """The outbox.json in the tar at `path`, open while the block runs.

    Raises:
        ArchiveError: it is damaged or swollen, or holds no outbox.
    """
    # Told by what unpacks, not by what a header says: that may say anything.
    size = path.stat().st_size
    most = max(SQUEEZED_FROM, size, min(MOST_SQUEEZED * size, MOST_UNPACKED))
    with _unpacked(path) as file:
        tape = _Tape(file, path.name, most)
        posts = _wind_to_outbox(tape)
        yield Source(io.BufferedReader(_Member(tape, posts)), "outbox.json", posts, encoding_errors)


class _Tape:
    """What unpacks, from front to back, with every fault told in one line."""

    def __init__(self, file: IO[bytes], name: str, most: int) -> None:
        self.name = name
        self._file = file
        self._most = self._left = most

    def read(self, size: int) -> bytes:
        """`size` bytes; fewer only at the end."""
        try:
            found = self._file.read(size)
        except _BROKEN as error:
            raise self.damaged(str(error)) from None
        self._left -= len(found)
        if self._left < 0:
            raise ArchiveError(f"{self.name} unpacks to more than {self._most >> 20:,} MiB: that is no export")
        return found

    def skip(self, size: int) -> None:
        """Pass over `size` bytes."""
        while size > 0:
            found = self.read(min(size, _PASSED_OVER))
            if not found:
                raise self.damaged("it is cut short")
            size -= len(found)

    def run_out(self) -> None:
        """Read on to the end: what gzip packed shows only there that it is whole."""
        while self.read(_PASSED_OVER):
            pass

    def damaged(self, why: str) -> ArchiveError:
        """The error that says so."""
        return ArchiveError(
            f"{self.name} is a damaged tar ({why}): expected an export as it was downloaded; get it again"
        )


class _Member(io.RawIOBase):
    """The file at which the tape stands."""

    def __init__(self, tape: _Tape, size: int) -> None:
        self._tape = tape
        self._left = size

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object) -> int:
        room = memoryview(cast(bytearray, buffer))
        if not self._left:
            self._tape.run_out()
            return 0
        found = self._tape.read(min(len(room), self._left))
        if not found:
            raise self._tape.damaged("it is cut short")
        self._left -= len(found)
        room[: len(found)] = found
        return len(found)


def _unpacked(path: Path) -> IO[bytes]:
    with path.open("rb") as file:
        packed = file.read(len(_GZIP)) == _GZIP
    return cast(IO[bytes], gzip.open(path)) if packed else path.open("rb")


def _wind_to_outbox(tape: _Tape) -> int:
    """Pass over all that lies before the outbox; how many bytes it has."""
    seen: dict[str, None] = {}
    while (block := tape.read(_BLOCK)).strip(b"\0"):
        header = _header(block)
        if header is None:
            raise tape.damaged("expected the header of a file")
        name, size, kind = header
        if kind in _PLAIN and size and OUTBOX.fullmatch(name):
            return size
        if len(seen) < 5:
            seen[name.removeprefix("./").split("/")[0]] = None
        tape.skip(-(-size // _BLOCK) * _BLOCK)
    raise ArchiveError(
        f"no outbox.json in {tape.name}: expected an export of Mastodon; found {', '.join(seen)[:200] or 'nothing'}; "
        "unpack it and import the file of posts"
    )


def _header(block: bytes) -> tuple[str, int, bytes] | None:
    """Name, size and kind of the file that follows; None where no file does (POSIX.1-1988, ustar)."""
    if len(block) < _BLOCK:
        return None
    summed = sum(block) - sum(block[148:156]) + 8 * ord(" ")
    try:
        if int(_words(block[148:156]) or "0", 8) != summed:
            return None
        size = int.from_bytes(block[125:136]) if block[124] & 0x80 else int(_words(block[124:136]) or "0", 8)
    except ValueError:
        return None
    if size < 0:
        return None
    before = _words(block[345:500]) if block[257:262] == b"ustar" else ""
    return f"{before}/{_words(block[:100])}".removeprefix("/"), size, block[156:157]


def _words(field: bytes) -> str:
    return field.partition(b"\0")[0].decode("utf-8", "replace").strip()
