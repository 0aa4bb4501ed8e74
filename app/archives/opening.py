"""Opening: the records of a file, be it a text of some format or the zip of an export."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from app.archives import ArchiveError
from app.archives.export import open_export
from app.archives.formats import Reading, open_records
from app.archives.source import open_source
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
            raise ArchiveError(
                f"{path.name} is a zip archive, whose format is told by its content: unpack it to say another"
            )
        with open_export(path, encoding_errors) as export:
            yield Opened(export.reading, lambda: (export.bytes_read, export.size))
        return
    with open_source(path, encoding_errors) as source:
        yield Opened(open_records(source, format, split), lambda: (source.bytes_read, source.size))
