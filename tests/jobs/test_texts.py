"""Files of texts are read whole, or refused by line."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.jobs.texts import TextsError, read_texts


@pytest.mark.parametrize(
    ("content", "named"),
    [
        ("", "found no texts"),
        ("{", "line 1: not JSON"),
        ("[" * 60_000, "line 1: not JSON"),
        ('{"text": "a"}\n{"body": "b"}', "line 2: expected an object with text"),
        ('{"text": "a", "weight": -1}', "found weight -1"),
        ('{"text": "a", "account": 3}', "found account 3"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_by_line(tmp_path: Path, content: str, named: str) -> None:
    (tmp_path / "texts.jsonl").write_text(content)
    with pytest.raises(TextsError, match=named):
        read_texts(tmp_path / "texts.jsonl")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(TextsError, match=r"nowhere\.jsonl"):
        read_texts(tmp_path / "nowhere.jsonl")
