"""Plain text: a passage a line, or a paragraph."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.archives import ArchiveError
from tests.archives.reading import read, texts

SPEECHES = "ROMEO:\nO, she doth teach the torches\nto burn bright!\n\nJULIET:\nAy me!\n\n\nROMEO:\nShe speaks.\n"


def test_paragraphs_are_recognised(tmp_path: Path) -> None:
    reading, records = read(tmp_path, SPEECHES)
    assert (reading.format, reading.unit, reading.asked) == ("text", "passage", False)
    assert [record.text for record in records] == [
        "ROMEO:\nO, she doth teach the torches\nto burn bright!\n",
        "JULIET:\nAy me!\n",
        "ROMEO:\nShe speaks.\n",
    ]


def test_lines_are_recognised(tmp_path: Path) -> None:
    assert texts(tmp_path, "One line.\nAnother line.\r\n\nA third.") == ["One line.\n", "Another line.\r\n", "A third."]


def test_the_division_can_be_asked_for(tmp_path: Path) -> None:
    assert len(texts(tmp_path, SPEECHES, split="line")) == 7
    assert len(texts(tmp_path, "a\nb\n\nc", split="paragraph")) == 2
    assert texts(tmp_path, "id,text\n1,One\n", split="line") == ["id,text\n", "1,One\n"]


def test_the_division_is_for_plain_text_alone(tmp_path: Path) -> None:
    with pytest.raises(ArchiveError, match="only plain text is split"):
        read(tmp_path, "id,text\n1,One\n", format="csv", split="line")
    with pytest.raises(ArchiveError, match="expected line or paragraph"):
        read(tmp_path, "One", split="word")


def test_a_paragraph_without_end_does_not_fill_the_memory(tmp_path: Path) -> None:
    (text,) = texts(tmp_path, "a line of words\n" * 20_000, split="paragraph")
    assert text is not None
    assert 40_000 < len(text) < 41_000
