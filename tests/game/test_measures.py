"""Measures of sets of texts: what each figure counts, and what lies within the range of real tweets."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from math import exp, log
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from app.game import copied, measures
from app.game.copied import copied_runs
from app.game.gates import fix_bounds, set_gates
from app.game.measures import Phrases, compare, distinct, likely_range, mix, self_bleu, words

VARIETY = {"Self-BLEU", "distinct 3-grams"}
short_texts = st.lists(st.text("ab ", min_size=1, max_size=12), min_size=1, max_size=6)


@given(short_texts, short_texts)
def test_copied_runs_are_the_longest_there_are(texts: list[str], learned: list[str]) -> None:
    def longest(text: str, at: int) -> int:
        return max(n for n in range(len(text) - at + 1) if any(text[at : at + n] in other for other in learned))

    runs = copied_runs(texts, learned)
    assert [run.tolist() for run in runs] == [[longest(text, at) for at in range(len(text))] for text in texts]


def test_a_copied_run_crosses_no_border_between_two_texts() -> None:
    first, second = copied_runs(["xthe pier", "opens"], ["the pi", "er opens"])
    assert (first.max(), second.max()) == (len("the pi"), len("opens"))


def bleu_against_others(texts: list[list[str]]) -> float:
    """Self-BLEU as its definition has it, slowly."""
    total = 0.0
    for place in range(len(texts)):
        logs = 0.0
        for n in range(1, 5):
            grams = [Counter(zip(*(some[i:] for i in range(n)), strict=False)) for some in texts]
            mine, others = grams[place], grams[:place] + grams[place + 1 :]
            matches = sum(min(times, max((o[gram] for o in others), default=0)) for gram, times in mine.items())
            logs += log(max(matches, 0.5) / mine.total() if mine else 0.5)
        total += exp(logs / 4)
    return total / len(texts)


@given(st.lists(st.lists(st.sampled_from("abc"), max_size=7), min_size=1, max_size=6))
def test_self_bleu_is_what_its_definition_says(texts: list[list[str]]) -> None:
    assert self_bleu([" ".join(some) for some in texts]) == pytest.approx(bleu_against_others(texts))


@pytest.mark.slow
@given(st.lists(st.lists(st.sampled_from("abcd"), max_size=7), min_size=2, max_size=8), st.data())
def test_a_choice_of_texts_measures_as_those_texts_alone(texts: list[list[str]], data: st.DataObject) -> None:
    joined = [" ".join(some) for some in texts]
    places = data.draw(st.lists(st.integers(0, len(texts) - 1), min_size=1, unique=True))
    phrases, some = Phrases(joined), [joined[place] for place in places]
    pick = np.array(places)
    assert phrases.self_bleu(pick) == pytest.approx(self_bleu(some))
    assert [phrases.distinct(n, pick) for n in (1, 2, 3)] == [distinct(some, n) for n in (1, 2, 3)]


def test_self_bleu_is_high_for_twins_and_low_for_strangers() -> None:
    twins = ["the pier opens today"] * 4
    strangers = [" ".join(f"{word}{'xyzw'[place]}" for word in "abcd") for place in range(4)]
    assert self_bleu(twins) == pytest.approx(1.0)
    assert self_bleu(strangers) < 0.25
    assert self_bleu(strangers) < self_bleu([*strangers[:2], *twins[:2]]) < self_bleu(twins)


def test_distinct_is_the_share_of_different_runs() -> None:
    assert distinct(["a b a", "b"], 1) == 2 / 4
    assert distinct(["a b a b"], 2) == 2 / 3
    assert distinct(["a", "b"], 2) == 0


def test_the_mix_counts_marks_and_no_link_as_an_emoji() -> None:
    found = mix("Hi @dot and @ann, see #pier 🎉🎉 🔗")
    assert [found[name] for name in ("mentions", "hashtags", "links", "emoji")] == [2, 1, 1, 2]
    assert found["length"] == len("Hi @dot and @ann, see #pier 🎉🎉 🔗")


def small_talk(count: int, seed: int, end: str = "") -> list[str]:
    random = Random(seed)
    words = ["harbour", "pier", "mayor", "today", "opens", "great", "@dot", "#pier", "the", "rain", "🎉"]
    return [" ".join(random.choices(words, k=random.randint(6, 14))) + end for _ in range(count)]


@pytest.mark.slow
def test_real_tweets_lie_within_the_range_of_real_tweets() -> None:
    figures = [
        figure
        for seed in range(4)
        for figure in compare(small_talk(150, 10 + seed), small_talk(600, 20 + seed), small_talk(300, 3)).values()
    ]
    assert sum(not figure.within for figure in figures) <= 0.12 * len(figures)


@pytest.mark.slow
def test_each_figure_gives_away_what_it_is_about() -> None:
    tweets, learned = small_talk(400, 2), small_talk(300, 3)

    def outside(samples: list[str]) -> set[str]:
        return {name for name, figure in compare(samples, tweets, learned).items() if not figure.within}

    assert "length" in outside(small_talk(100, 1, " and so on and on and on"))
    assert "length, spread" in outside(["the pier opens, great rain today, believe the mayor"] * 100)
    assert "non-words" in outside(small_talk(100, 1, " xqzt"))
    assert {"hashtags", "mentions", "emoji"} <= outside([text + " #a @b 🎉🎉" for text in small_talk(100, 1)])
    assert "capitals" in outside([text.upper() for text in small_talk(100, 1)])
    assert {"copied 30-grams", "copied 50-grams", "longest copied run"} <= outside(learned[:100])
    assert {"Self-BLEU", "distinct 3-grams"} <= outside(small_talk(5, 1) * 20)


def test_a_figure_that_few_texts_are_long_enough_for_has_a_range_all_the_same() -> None:
    short = [text[:20] for text in small_talk(40, 1)]
    compared = compare([*short[:19], *small_talk(1, 2)], [*short, *small_talk(2, 4)], small_talk(100, 3))
    beside = compared["copied 30-grams"]
    assert 0 <= beside.low <= beside.tweets <= beside.high <= 1


def test_too_few_texts_to_compare_are_refused() -> None:
    with pytest.raises(ValueError, match="expected at least 10 and 20"):
        compare(small_talk(9, 1), small_talk(100, 2), small_talk(9, 3))


@pytest.mark.parametrize("again", [False, True])
def test_the_likely_range_holds_nineteen_of_twenty_fresh_sets(again: bool) -> None:
    random, within = np.random.default_rng(5), []
    for seed in range(100):  # of other tweets each time: they are a draw, too
        values = random.normal(size=400)
        drawn = likely_range(lambda pick, values=values: float(values[pick].mean()), 400, 200, seed=seed, again=again)
        fresh = random.normal(size=(200, 200)).mean(axis=1)
        within.append(((drawn.low <= fresh) & (fresh <= drawn.high)).mean())
    assert 0.925 < np.mean(within) < 0.965


def test_the_longest_copied_run_is_that_of_a_text_on_average() -> None:
    tweets, learned = small_talk(60, 1), small_talk(100, 3)
    compared = compare(["xqzt"] * 19 + [learned[0]], tweets, learned)["longest copied run"]
    assert compared.samples < 0.2 * len(learned[0])
    assert compared.low < compared.tweets < compared.high


def test_of_very_many_learned_texts_some_are_searched_for_copies_and_all_for_words(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(copied, "SEARCHED", 10)
    learned = [f"{chr(ord('a') + place % 26) * 9}{place}" for place in range(100)]
    searched: list[int] = []

    def search(texts: Sequence[str], some: Sequence[str]) -> list[NDArray[np.int64]]:
        searched.append(len(some))
        return copied_runs(texts, some)

    monkeypatch.setattr(measures, "copied_runs", search)
    ours, _ = measures.by_text([learned[1], "xqzt"], [learned[0]], learned)
    assert searched == [10]
    assert ours["non-words"].tolist() == [0, 1]


def test_a_set_of_more_than_half_of_the_tweets_has_no_range() -> None:
    with pytest.raises(ValueError, match="expected at least 102"):
        likely_range(lambda pick: 0.0, 100, 51)


@pytest.mark.slow
def test_two_thousand_samples_are_compared_in_seconds() -> None:
    begun = time.process_time()
    compared = compare(small_talk(2000, 1), small_talk(4000, 2), small_talk(4000, 3))
    assert compared["Self-BLEU"].samples > 0
    assert time.process_time() - begun < 60


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("It's a café, isn’t it? 24 of them_all", ["it's", "a", "café", "isn’t", "it", "of", "them", "all"]),
        ("今日は雨。AIだ", ["今", "日", "は", "雨", "ai", "だ"]),
        ("สวัสดี ๒๔", ["ส", "วั", "ส", "ดี"]),
        ("नमस्ते दुनिया", ["नमस्ते", "दुनिया"]),
        ("السَّلام عليكم", ["السَّلام", "عليكم"]),
        ("안녕하세요 여러분", ["안녕하세요", "여러분"]),
        ("🎉 👩‍🚀!", ["🎉", "👩", "🚀", "!"]),
        ("party 🎉", ["party"]),
    ],
)
def test_a_word_is_what_a_script_has_between_spaces_or_a_letter_where_it_has_none(
    text: str, expected: list[str]
) -> None:
    assert words(text) == expected


@pytest.mark.parametrize(
    "alphabet", ["今日は雨晴猫電車朝昼夜飯東京駅大小高安", "กขคงจฉชซดตถทนบปผพฟมยรลวสหอ", "🎉🐦🚀🍕⚽🎸🐈🚃🍛"]
)
def test_samples_that_repeat_themselves_are_told_in_every_script(alphabet: str) -> None:
    random = Random(3)
    tweets, honest = (["".join(random.choices(alphabet, k=24)) for _ in range(count)] for count in (1000, 200))
    phrases = ["".join(random.choices(alphabet, k=8)) for _ in range(12)]
    copies = ["".join(random.choices(phrases, k=3)) for _ in range(200)]

    bounds = fix_bounds(tweets)

    assert {gate.name for gate in set_gates(bounds, honest) if gate.outcome == "failed"}.isdisjoint(VARIETY)
    assert {gate.name for gate in set_gates(bounds, copies) if gate.outcome == "failed"} >= VARIETY
