"""Splits: stable, and of the right sizes."""

from __future__ import annotations

from collections import Counter

from app.archives.splits import split_of


def test_a_split_never_changes() -> None:
    # Written down once: another answer would move tweets between splits at the next import.
    written_down = {"6971079756": "validation", "844896595179180034": "train", "12": "deck", "Happy New Year!": "train"}
    assert {key: split_of(key) for key in written_down} == written_down


def test_three_quarters_train_a_fifth_is_dealt() -> None:
    counts = Counter(split_of(str(number)) for number in range(20_000))
    assert abs(counts["train"] / 20_000 - 0.75) < 0.01
    assert abs(counts["validation"] / 20_000 - 0.05) < 0.01
    assert abs(counts["deck"] / 20_000 - 0.20) < 0.01
