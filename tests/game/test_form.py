"""Samples are chosen so that their form is distributed as that of tweets."""

from __future__ import annotations

from itertools import compress
from random import Random

import numpy as np
import pytest

from app.game import form as the_form
from app.game.form import FormMatch, FormOdds, form, nearest


def texts(count: int, shouting: float, rng: Random) -> list[str]:
    """Cards of ten words, a share of which are in capitals."""
    words = ["harbour", "ferry", "pier", "bandstand", "lighthouse", "council", "gull", "chowder"]
    cards = []
    for _ in range(count):
        chosen = [word.upper() if rng.random() < shouting else word for word in rng.choices(words, k=10)]
        cards.append(" ".join(chosen) + ".")
    return cards


def capitals(cards: list[str]) -> float:
    return float(np.mean([sum(map(str.isupper, card)) / len(card) for card in cards]))


@pytest.mark.slow
def test_the_kept_drafts_shout_as_much_as_the_tweets_do() -> None:
    rng = Random(1)
    tweets, drafts = texts(1500, 0.3, rng), texts(6000, 0.2, rng)
    match = FormMatch.fit(drafts[:1000], tweets)
    kept = list(compress(drafts[1000:], match.keeps(drafts[1000:], range(5000))))
    gap_before = capitals(tweets) - capitals(drafts)
    assert abs(capitals(tweets) - capitals(kept)) < 0.3 * gap_before


@pytest.mark.slow
def test_about_the_asked_share_is_kept() -> None:
    rng = Random(2)
    drafts = texts(4000, 0.2, rng)
    match = FormMatch.fit(drafts[:1000], texts(1000, 0.3, rng), kept=0.3)
    kept = match.keeps(drafts[1000:], range(3000)).sum()
    assert 0.25 < kept / 3000 < 0.35


@pytest.mark.slow
def test_the_same_draft_with_the_same_seed_meets_the_same_fate() -> None:
    rng = Random(3)
    drafts = texts(500, 0.2, rng)
    match = FormMatch.fit(drafts, texts(500, 0.3, rng))
    fates = list(match.keeps(drafts, range(500)))
    assert fates == [bool(match.keeps([draft], [seed])[0]) for seed, draft in enumerate(drafts)]
    assert len(set(fates)) == 2


def test_with_next_to_no_tweets_everything_is_kept() -> None:
    drafts = texts(300, 0.2, Random(4))
    match = FormMatch.fit(drafts, drafts[:10])
    assert match.keeps(drafts, range(300)).all()


@pytest.mark.slow
def test_a_limit_that_the_account_kept_to_is_kept_to() -> None:
    rng = Random(5)
    tweets = [text[: min(55, rng.randint(40, 70))] for text in texts(2000, 0.2, rng)]
    drafts = [text[: rng.randint(40, 70)] for text in texts(8000, 0.2, rng)]
    match = FormMatch.fit(drafts[:2000], tweets)
    kept = list(compress(drafts[2000:], match.keeps(drafts[2000:], range(6000))))
    assert sum(len(text) > 55 for text in drafts) > 0.2 * len(drafts)
    assert sum(len(text) > 55 for text in kept) < 0.03 * len(kept)


def test_a_text_without_letters_has_a_form() -> None:
    assert all(np.isfinite(form(text)).all() for text in ("", "…", "12:30!", "🎉🎉"))


def test_each_character_counts_where_it_belongs() -> None:
    """Letters and their capitals, digits of any script, and what no keyboard of ours writes."""
    _, mean, longest, capitals, shouted, begun, digits, *_ = form("ÉCOLE a Ⓐ no٣ 42 🎉é¹")
    assert (mean, longest) == (2.5, 1.0)
    assert capitals == pytest.approx(5 / 9 * 5)  # of ÉCOLE a no é; a letter in a circle is none
    assert (shouted, begun, digits**2) == (1.0, pytest.approx(2 / 6 * 3), pytest.approx(4))
    far, beyond_ascii, piles, named = form("🎉🎉 日 “é” wait... what?! @one me@two @@three #x")[16:20]
    assert (far**2, beyond_ascii**2) == (pytest.approx(3), pytest.approx(3))
    assert (piles**2, named**2) == (pytest.approx(2), pytest.approx(2))


@pytest.mark.slow
def test_those_that_are_nearest_together_shout_as_much_as_the_tweets_do() -> None:
    rng = Random(6)
    tweets, drafts = texts(1500, 0.3, rng), texts(900, 0.25, rng)

    kept = list(compress(drafts, nearest(drafts, range(900), tweets, 600)))

    assert len(kept) == 600
    assert abs(capitals(tweets) - capitals(kept)) < 0.5 * (capitals(tweets) - capitals(drafts))


@pytest.mark.slow
def test_to_have_been_chosen_by_form_before_does_not_bend_what_is_nearest() -> None:
    rng = Random(9)
    tweets, drafts = texts(1500, 0.35, rng), texts(6000, 0.2, rng)
    taken = FormMatch.fit(drafts[:1000], tweets).keeps(drafts, range(6000))
    chosen, seeds = list(compress(drafts, taken)), list(compress(range(6000), taken))

    kept = list(compress(chosen, nearest(chosen, seeds, tweets, len(chosen) * 3 // 4)))

    assert abs(capitals(tweets) - capitals(kept)) < abs(capitals(tweets) - capitals(chosen))


def test_of_a_few_the_first_are_kept() -> None:
    drafts = texts(20, 0.2, Random(7))
    assert nearest(drafts, range(20), drafts, 5).tolist() == [True] * 5 + [False] * 15


def test_without_the_library_of_trees_the_line_chooses_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = Random(8)
    tweets, drafts = texts(1000, 0.3, rng), texts(1000, 0.2, rng)
    monkeypatch.setattr(the_form, "find_spec", lambda name: None)

    odds = FormOdds.fit(drafts, tweets, np.full(1000, 0.001))

    assert odds.trees is None
    assert odds.of(tweets).mean() > odds.of(drafts).mean() + 0.2
