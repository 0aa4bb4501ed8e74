"""Bits per character: what counts, and what unknown characters cost."""

from __future__ import annotations

from math import log2
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from networks import a_checkpoint

from model.evaluate import bits_per_character, compare, copied_runs, distinct, self_bleu
from model.reader import read


def test_the_end_mark_counts_as_a_character() -> None:
    bits = bits_per_character(a_checkpoint(), ["abc", "de"])
    assert (bits.characters, bits.tweets) == (3 + 1 + 2 + 1, 2)


def test_a_batch_measures_as_the_reader_reads() -> None:
    checkpoint, texts = a_checkpoint(), ["a", "hello, world", "some text. and more", "zz", "é unknown é"]
    total = sum(reading.surprise for text in texts for reading in read(checkpoint, text))
    measured = bits_per_character(checkpoint, texts, batch=2)
    assert measured.bits_per_character == pytest.approx(total / measured.characters, abs=1e-5)


def test_an_unknown_character_costs_its_mark_and_its_code_point() -> None:
    checkpoint = a_checkpoint()
    even = {name: np.zeros_like(array) for name, array in checkpoint.weights.items()}
    flat = type(checkpoint)(checkpoint.config, checkpoint.vocab, even)
    symbols, others = len(checkpoint.vocab), 0x110000 - 2048 - len(checkpoint.vocab.alphabet)
    bits = bits_per_character(flat, ["aé"])
    assert bits.bits_per_character == pytest.approx((3 * log2(symbols) + log2(others)) / 3, abs=1e-5)


def test_nothing_to_measure_is_refused() -> None:
    with pytest.raises(ValueError, match="no texts"):
        bits_per_character(a_checkpoint(), [])


short_texts = st.lists(st.text("ab ", min_size=1, max_size=12), min_size=1, max_size=6)


@given(short_texts, short_texts)
def test_copied_runs_are_the_longest_there_are(texts: list[str], learned: list[str]) -> None:
    def longest(text: str, at: int) -> int:
        return max(n for n in range(len(text) - at + 1) if any(text[at : at + n] in other for other in learned))

    runs = copied_runs(texts, learned)
    assert [run.tolist() for run in runs] == [[longest(text, at) for at in range(len(text))] for text in texts]


def test_self_bleu_is_high_for_twins_and_low_for_strangers() -> None:
    twins = [["the", "pier", "opens", "today"]] * 4
    strangers = [[f"{word}{place}" for word in "abcd"] for place in range(4)]
    assert self_bleu(twins) == pytest.approx(1.0)
    assert self_bleu(strangers) < 0.25
    assert self_bleu(strangers) < self_bleu([*strangers[:2], *twins[:2]]) < self_bleu(twins)


def test_self_bleu_counts_a_run_no_more_often_than_another_text_has_it() -> None:
    once = self_bleu([["go", "go", "go", "go"], ["go", "now"]], longest=1)
    assert once == pytest.approx((1 / 4 + 1 / 2) / 2)


def test_distinct_is_the_share_of_different_runs() -> None:
    assert distinct([["a", "b", "a"], ["b"]], 1) == 2 / 4
    assert distinct([["a", "b", "a", "b"]], 2) == 2 / 3


def small_talk(count: int, seed: int, end: str = "") -> list[str]:
    random = Random(seed)
    words = ["harbour", "pier", "mayor", "today", "opens", "great", "@dot", "#pier", "the", "rain", "🎉"]
    return [" ".join(random.choices(words, k=random.randint(6, 14))) + end for _ in range(count)]


def test_real_tweets_lie_within_the_range_of_real_tweets() -> None:
    compared = compare(small_talk(150, 1), small_talk(600, 2), small_talk(300, 3))
    outside = [name for name, figure in compared.items() if not figure.low <= figure.samples <= figure.high]
    assert len(outside) <= 3


def test_each_figure_gives_away_what_it_is_about() -> None:
    tweets, learned = small_talk(400, 2), small_talk(300, 3)

    def outside(samples: list[str]) -> set[str]:
        compared = compare(samples, tweets, learned)
        return {name for name, figure in compared.items() if not figure.low <= figure.samples <= figure.high}

    assert "length" in outside(small_talk(100, 1, " and so on and on and on"))
    assert "non-words" in outside(small_talk(100, 1, " xqzt"))
    assert {"hashtags", "mentions", "emoji"} <= outside([text + " #a @b 🎉🎉" for text in small_talk(100, 1)])
    assert "capitals" in outside([text.upper() for text in small_talk(100, 1)])
    assert {"copied 30-grams", "copied 50-grams"} <= outside(learned[:100])
    assert {"Self-BLEU", "distinct 3-grams"} <= outside(small_talk(5, 1) * 20)


def test_too_few_texts_to_compare_are_refused() -> None:
    with pytest.raises(ValueError, match="expected at least 10 and 20"):
        compare(small_talk(9, 1), small_talk(100, 2), small_talk(9, 3))
