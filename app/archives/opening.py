"""Opening: the records of a file, be it a text of some format or an export that was packed as a zip or a tar."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from app.archives import ArchiveError
from app.archives.export import open_export
from app.archives.formats import Reading, open_records
from app.archives.source import open_source
from app.archives.tarred import is_tarred, open_outbox
from app.archives.zipped import is_zip


@dataclass(frozen=True)
class Opened:
    """A file that is being read.

    Attributes:
        reading: its records.
        place: bytes read so far, and bytes in all.
    """

    reading: Reading
    place: Callable[[], tuple[int, int]]


@contextmanager
def open_archive(
    path: Path, format: str = "auto", split: str | None = None, encoding_errors: str = "strict"
) -> Iterator[Opened]:
    """The file at `path`, open while the block runs; the other arguments as of `import_archive`.

    Raises:
        ArchiveError: it cannot be used.
    """
    if is_zip(path):
        if format not in ("auto", "x") or split is not None:
            raise _told_by_content(path, "zip archive")
        with open_export(path, encoding_errors) as export:
            yield Opened(export.reading, lambda: (export.bytes_read, export.size))
        return
    if is_tarred(path):
        if format not in ("auto", "json") or split is not None:
            raise _told_by_content(path, "tar")
        with open_outbox(path, encoding_errors) as source:
            yield Opened(open_records(source), lambda: (source.bytes_read, source.size))
        return
    with open_source(path, encoding_errors) as source:
        yield Opened(open_records(source, format, split), lambda: (source.bytes_read, source.size))


def _told_by_content(path: Path, packed: str) -> ArchiveError:
    return ArchiveError(f"{path.name} is a {packed}, whose format is told by its content: unpack it to say another")
