"""How long the longest run of a text is that learned texts hold, told quickly."""

from __future__ import annotations

from random import Random

import pytest

from app.game.copied import WINDOW, Familiar, copied_runs

LEARNED = ["The ferry leaves at noon, whatever the weather.", "A gull took my sandwich on the pier again today."]


@pytest.mark.parametrize(
    "text", ["We say: the weather is fine", "Hear, hear: whatever the weather, we go", LEARNED[1], "gull on a pier"]
)
def test_a_run_is_told_by_its_length(text: str) -> None:
    exact = int(copied_runs([text], LEARNED)[0].max(initial=0))
    assert Familiar(LEARNED).longest(text) == (exact if exact >= WINDOW else 0)


@pytest.mark.parametrize("text", ["", "gull"])
def test_a_text_shorter_than_a_window_is_not_familiar(text: str) -> None:
    assert Familiar(LEARNED).longest(text) == 0


def test_no_run_goes_from_one_learned_text_into_the_next() -> None:
    assert Familiar(["The harbour", "is closed"]).longest("harbouris closed") == 0


def test_a_run_is_never_told_shorter_than_it_is() -> None:
    random = Random(4)
    learned = ["".join(random.choices("ab ", k=60)) for _ in range(40)]
    texts = ["".join(random.choices("ab ", k=60)) for _ in range(40)]
    exact = [int(run.max(initial=0)) for run in copied_runs(texts, learned)]
    told = [Familiar(learned).longest(text) for text in texts]
    assert all(ours >= run for ours, run in zip(told, exact, strict=True) if run >= WINDOW)
    assert max(exact) >= WINDOW


def test_where_nothing_was_learned_nothing_is_familiar() -> None:
    assert Familiar([]).longest("A gull took my sandwich on the pier") == 0
