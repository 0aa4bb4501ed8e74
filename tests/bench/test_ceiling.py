"""The bench of what a choice could gain at most: it judges as the crowds do, and chooses as a restock does."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bench import ceiling, crowd, players

pytestmark = pytest.mark.slow  # to load the benches is

TWEETS = [f"The mayor opened pier number {number} and cut the ribbon before lunch" for number in range(60)]


@pytest.fixture(autouse=True)
def known(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The account that the players followed, and nothing that they remember of another."""
    remembered = (players._vocabulary, players._usual, players._company, players._neighbours, crowd._unit)
    for room in (players, crowd):
        monkeypatch.setattr(room, "followed", lambda: tuple(TWEETS))
    for each in remembered:
        each.cache_clear()
    yield
    for each in remembered:
        each.cache_clear()


def test_what_several_kinds_go_by_counts_alike() -> None:
    texts = ["The mayor opened the pier", "Xqzt bvvnk wrrtp gllmn", "The mayor cut the ribbon before lunch"]
    alone = ceiling.said(texts, ("speller",))
    assert alone.index(min(alone)) == 1
    both = ceiling.said(texts, ("speller", "speller"))
    assert both == pytest.approx([2 * value for value in alone])


def test_nonsense_fools_no_speller_and_a_tweet_every_other_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ceiling, "PAIRS", 800)
    nonsense = ["Xqzt bvvnk wrrtp gllmn zzkrt pqqsd vvbnm xxcvb lkjhg wrtzp"]
    rate, low, high = ceiling.fool_rate("speller", nonsense, TWEETS)
    assert rate < 0.2
    assert low < rate < high
    assert 0.4 < ceiling.fool_rate("speller", TWEETS, TWEETS)[0] < 0.6


def test_without_an_anchor_it_says_how_to_make_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(ceiling, "ANCHOR", tmp_path)
    monkeypatch.setattr("sys.argv", ["ceiling"])
    with pytest.raises(SystemExit, match=r"python -m bench\.learning --anchor"):
        ceiling.main()
