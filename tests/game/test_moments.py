"""Of samples and spares those are kept whose form, together, is that of tweets."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import compress
from random import Random

import numpy as np
import pytest

from app.game.form import nearest
from app.game.moments import together

pytestmark = pytest.mark.slow  # to load what tells forms apart is

WORDS = ["harbour", "ferry", "pier", "bandstand", "lighthouse", "council", "gull", "chowder"]


def quoting(count: int, share: float, rng: Random) -> list[str]:
    """Cards of eight to fourteen words, of which a share quote two of them; the longest ones quote most."""
    cards = []
    for _ in range(count):
        words = rng.choices(WORDS, k=rng.randint(8, 14))
        if rng.random() < share * len(words) / 11:
            words[3], words[4] = f"“{words[3]}", f"{words[4]}”"
        cards.append(" ".join(words) + ".")
    return cards


def quotes(cards: Sequence[str]) -> float:
    return float(np.mean(["“" in card for card in cards]))


def length(cards: Sequence[str]) -> float:
    return float(np.mean([*map(len, cards)]))


@pytest.mark.parametrize("told", [quotes, length])
def test_a_rare_form_is_as_frequent_as_among_tweets(told: Callable[[Sequence[str]], float]) -> None:
    rng = Random(3)
    tweets, stored = quoting(3000, 0.12, rng), quoting(900, 0.07, rng)

    by_odds = list(compress(stored, nearest(stored, range(900), tweets, 600)))
    kept = list(compress(stored, together(stored, range(900), tweets, 600)))

    assert len(kept) == 600
    assert abs(told(tweets) - told(kept)) < 0.5 * abs(told(tweets) - told(by_odds))


def test_what_no_tweet_shows_is_left_where_there_is_enough_else() -> None:
    rng = Random(4)
    tweets, stored = quoting(1000, 0.1, rng), quoting(300, 0.1, rng)
    stored[::6] = [card.upper() + "???" for card in stored[::6]]

    kept = list(compress(stored, together(stored, range(300), tweets, 200)))

    assert not any("?" in card for card in kept)


def test_the_same_samples_are_kept_when_asked_again() -> None:
    rng = Random(5)
    tweets, stored = quoting(500, 0.2, rng), quoting(300, 0.1, rng)

    first, again = (together(stored, range(300), tweets, 200).tolist() for _ in range(2))

    assert first == again


@pytest.mark.parametrize(("there", "wanted"), [(20, 5), (200, 200), (200, 0)])
def test_where_there_is_nothing_to_choose_nothing_is_exchanged(there: int, wanted: int) -> None:
    stored = quoting(there, 0.1, Random(6))
    assert together(stored, range(there), quoting(300, 0.1, Random(7)), wanted).sum() == wanted
