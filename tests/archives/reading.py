"""Reads what a test wrote as an archive file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from app.archives.formats import Reading, open_records
from app.archives.records import Record
from app.archives.source import open_source


def read(
    folder: Path, content: bytes | str, format: str = "auto", split: str | None = None, errors: str = "strict"
) -> tuple[Reading, list[Record]]:
    """How a file with that content is recognised, and its records. Its name tells nothing."""
    file = folder / "archive.dat"
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    with open_source(file, errors) as source:
        reading = open_records(source, format, split)
        records = list(reading.records)
        without = sum(1 for record in records if record.text is None)
        reading.check(len(records), without, ended=True)
    return reading, records


def texts(folder: Path, content: bytes | str, **options: Any) -> list[str | None]:
    """The texts in a file with that content."""
    return [record.text for record in read(folder, content, **options)[1]]


def as_lines(*rows: object) -> str:
    """Rows as JSON lines."""
    return "".join(json.dumps(row) + "\n" for row in rows)
