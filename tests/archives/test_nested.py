"""Brackets without end: refused by whoever reads them, and no trouble to whoever only looks."""

from __future__ import annotations

from app.archives.formats import _is_array


def test_brackets_nested_too_deeply_to_look_into_are_taken_for_an_array() -> None:
    assert _is_array("[[1," + "[" * 20_000)
