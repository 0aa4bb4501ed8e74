"""Zips that strangers send: read where they lie, and refused before they fill the memory or the disk."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, TypeVar, cast

from app.archives import ArchiveError
from app.archives.source import Source

MAGIC = b"PK\x03\x04"
MOST_DIRECTORY = 32 << 20  # bytes of the list of files: some 300,000 of them
MOST_UNPACKED = 20 << 30  # bytes of all that is read
MOST_SQUEEZED = 200  # times smaller than unpacked; texts come to 10
SQUEEZED_FROM = 50 << 20  # unpacked bytes from which that is asked

_PACKED = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_ENCRYPTED = 0x1
# ValueError: a name that is no UTF-8 although it is marked so, or a place beyond what a file can have.
_BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, struct.error, ValueError)
_BROKEN_INSIDE = (*_BROKEN, OSError)  # a list of files that points to before their beginning
T = TypeVar("T")


def is_zip(path: Path) -> bool:
    """Whether the file begins like a zip; False as well where it cannot be read."""
    try:
        # A pipe must not be opened: that waits for whoever writes to it.
        if not path.is_file():
            return False
        with path.open("rb") as file:
            return file.read(len(MAGIC)) == MAGIC
    except (OSError, ValueError):
        return False


def open_zip(path: Path) -> zipfile.ZipFile:
    """The zip at `path`.

    Raises:
        ArchiveError: it is damaged, or its list of files alone would fill the memory.
    """
    try:
        with path.open("rb") as file:
            directory = directory_of(file)
        if directory > MOST_DIRECTORY:
            raise ArchiveError(f"{path.name} lists too many files for an export: the list takes {directory:,} bytes")
        return zipfile.ZipFile(path)
    except ArchiveError:
        raise
    except _BROKEN as error:
        raise _damaged(path.name, error) from None
    except OSError as error:
        raise ArchiveError(f"cannot read {path}: {error.strerror or error}") from None


def check(members: Sequence[zipfile.ZipInfo], name: str) -> None:
    """Refuse files that cannot be read, or that unpack to more than any export holds.

    Raises:
        ArchiveError: names the file.
    """
    for member in members:
        if member.flag_bits & _ENCRYPTED:
            raise ArchiveError(f"{member.filename} in {name} is locked with a password: expected one without")
        if member.compress_type not in _PACKED:
            raise ArchiveError(f"{member.filename} in {name} is packed in an unusual way: unpack it and pack it anew")
        if member.file_size > SQUEEZED_FROM and member.file_size > MOST_SQUEEZED * member.compress_size:
            times = member.file_size // max(1, member.compress_size)
            raise ArchiveError(f"{member.filename} in {name} unpacks to {times} times its size: that is no export")
    if sum(member.file_size for member in members) > MOST_UNPACKED:
        raise ArchiveError(f"{name} holds more than {MOST_UNPACKED >> 30} GiB of tweets: that is no export")


def open_member(packed: zipfile.ZipFile, member: zipfile.ZipInfo, encoding_errors: str) -> Source:
    """A file of the zip as text, unpacked as it is read.

    Raises:
        ArchiveError: it is damaged, or no text.
    """
    try:
        file = cast(io.BufferedReader, io.BufferedReader(cast(io.RawIOBase, packed.open(member))))
        return Source(file, member.filename, member.file_size, encoding_errors)
    except ArchiveError:
        raise
    except _BROKEN_INSIDE as error:
        raise _damaged(packed.filename or "the zip", error) from None


def read_member(packed: zipfile.ZipFile, member: zipfile.ZipInfo) -> bytes:
    """The whole of a small file of the zip.

    Raises:
        ArchiveError: it is damaged.
    """
    try:
        return packed.read(member)
    except ArchiveError:
        raise
    except _BROKEN_INSIDE as error:
        raise _damaged(packed.filename or "the zip", error) from None


def guarded(rows: Iterator[T], name: str) -> Iterator[T]:
    """The same rows; what is found broken on the way is told as a damaged zip of that name.

    Raises:
        ArchiveError: it is damaged.
    """
    try:
        yield from rows
    except ArchiveError:
        raise
    except _BROKEN_INSIDE as error:
        raise _damaged(name, error) from None


def _damaged(name: str, error: Exception) -> ArchiveError:
    file = Path(name).name
    return ArchiveError(f"{file} is a damaged zip ({error}): expected an export as it was downloaded; get it again")


def directory_of(file: IO[bytes]) -> int:
    """Bytes of the list of files, as the zip's end says (APPNOTE.TXT 4.3.14 to 4.3.16).

    Where two ends tell two sizes, the larger one: `zipfile` goes by the second wherever there is one.

    Raises:
        zipfile.BadZipFile, struct.error, ValueError, OSError: it has no end, or that points nowhere.
    """
    size = file.seek(0, io.SEEK_END)
    file.seek(max(0, size - 65_557))
    tail = file.read()
    end = tail.rfind(b"PK\x05\x06")
    if end < 0 or end + 22 > len(tail):
        raise zipfile.BadZipFile("its end is missing")
    directory = int(struct.unpack_from("<I", tail, end + 12)[0])
    locator = tail.rfind(b"PK\x06\x07", 0, end)
    if locator < 0:
        return directory
    file.seek(struct.unpack_from("<Q", tail, locator + 8)[0])
    record = file.read(56)
    if record[:4] != b"PK\x06\x06" and directory != 0xFFFFFFFF:
        return directory  # no second end, but bytes of a file that look like the way to one
    return max(int(struct.unpack_from("<Q", record, 40)[0]), 0 if directory == 0xFFFFFFFF else directory)
