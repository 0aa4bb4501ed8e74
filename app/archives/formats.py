"""Formats: which one a file is in, told by its content, and the records in it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from app.archives.json_records import json_records
from app.archives.records import Record
from app.archives.source import Source

FORMATS = ("json", "jsonl", "x", "csv", "text")


@dataclass(frozen=True)
class Reading:
    """A file that was recognised."""

    format: str
    unit: str
    records: Iterator[Record]

    def check_texts(self, read: int, left_out: Mapping[str, int]) -> None:
        """Refuse a file of which no row had a text."""


def open_records(source: Source, format: str, split: str | None) -> Reading:
    """The records of `source`."""
    return Reading("jsonl", "tweet", json_records(source))
