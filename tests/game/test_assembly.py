"""A shelf put together as a whole."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest

from app.game.assembly import InCommon, assembled
from app.game.copied import SEARCHED, some_of
from app.game.measures import Phrases

WORDS = ["ferry", "council", "bridge", "harbour", "gull", "market", "clock", "baker", "soup", "pier", "school", "rain"]


def texts(count: int, seed: int) -> list[str]:
    random = Random(seed)
    return [" ".join(random.choices(WORDS, k=random.randint(8, 20))).capitalize() + "." for _ in range(count)]


@pytest.mark.parametrize("words", [1, 2, 3])
def test_what_is_in_common_is_known_after_every_exchange(words: int) -> None:
    random, phrases = np.random.default_rng(1), Phrases(texts(60, 1))
    chosen = random.random(60) < 0.3
    told = InCommon(phrases, words, chosen)
    for text in random.integers(0, 60, 100):
        chosen[text] = not chosen[text]
        told.moved(int(text))
    anew = InCommon(phrases, words, chosen)
    assert told.total == anew.total
    assert (told.change == anew.change).all()


def test_what_a_text_would_change_is_what_it_changes() -> None:
    chosen = np.zeros(40, bool)
    chosen[:15] = True
    told = InCommon(Phrases(texts(40, 2)), 2, chosen)
    for text in (3, 20, 4, 30):
        before, change = told.total, told.change[text]
        chosen[text] = not chosen[text]
        told.moved(text)
        assert told.total == before + (change if chosen[text] else -change)


@pytest.mark.parametrize(("there", "wanted"), [(0, 0), (1, 1), (30, 30), (30, 0), (60, 20), (60, 59)])
def test_so_many_are_chosen_as_are_wanted(there: int, wanted: int) -> None:
    stored, others = texts(there, 3), texts(80, 4)
    copied = np.zeros(there + len(others))
    believed = np.random.default_rng(5).normal(size=there)
    first, again = (assembled(stored, believed, copied, wanted, texts(80, 6), others) for _ in range(2))
    assert first.sum() == wanted
    assert (first == again).all()


def test_without_words_form_and_belief_alone_choose() -> None:
    stored = ["🎉" * length for length in range(5, 65)]
    believed = np.linspace(-1, 1, 60)
    chosen = assembled(stored, believed, np.zeros(120), 20, stored, stored)
    assert chosen.sum() == 20
    assert believed[chosen].mean() > 0


class UnwantedError(Exception):
    """The work is not wanted any more."""


@pytest.mark.parametrize("calls", [1, 20])
def test_what_is_not_wanted_any_more_ends_between_two_exchanges(calls: int) -> None:
    asked = 0

    def heed() -> None:
        nonlocal asked
        asked += 1
        if asked == calls:
            raise UnwantedError

    random = np.random.default_rng(5)
    with pytest.raises(UnwantedError):
        assembled(texts(400, 3), random.normal(size=400), np.zeros(800), 100, texts(80, 6), texts(400, 4), heed)
    assert asked == calls


def test_of_very_many_texts_some_are_searched_for_copies() -> None:
    assert some_of(["a", "b"]) == ["a", "b"]
    assert some_of([]) == []
    many = some_of([str(place) for place in range(SEARCHED + 1)])
    assert SEARCHED // 2 <= len(many) <= SEARCHED
