"""Trigger pairs: what a draft has said draws on the words that tweets say beside it."""

from __future__ import annotations

import math
from random import Random

import numpy as np
from networks import a_checkpoint

from app.game.triggers import MOST, Triggers
from model.generate import generate

SEA = ["the ferry leaves the harbour at noon", "no ferry in the harbour today", "a harbour without a ferry is a pond"]
BREAD = ["the baker has bread and buns", "bread from the baker on the square", "a baker who burns the bread is a poet"]
TWEETS = (SEA + BREAD) * 5 + ["nothing of note to tell the town today"] * 700
SYMBOLS = ["\u0002", "\u0003", *"abcdefghijklmnopqrstuvwxyzABFHé .,@1"]


def moves(text: str, tweets: list[str] | None = None) -> dict[str, float]:
    """By how much the odds of each symbol are moved behind a text."""
    logits = np.zeros((1, len(SYMBOLS)), np.float32)
    Triggers(TWEETS if tweets is None else tweets, SYMBOLS).bend(logits, [text])
    return dict(zip(SYMBOLS, logits[0].tolist(), strict=True))


def test_a_word_is_drawn_on_by_one_that_tweets_say_beside_it() -> None:
    behind = moves("The ferry ")

    assert behind["h"] > max(0, behind["b"])


def test_what_was_said_is_read_in_any_case_and_draws_on_capitals_too() -> None:
    behind = moves("FERRY: ")

    assert behind["H"] == behind["h"] == moves("ferry: ")["h"] > 0


def test_a_word_that_is_begun_is_drawn_on_letter_by_letter() -> None:
    tweets = [*TWEETS, *["a barge and a ferry", "ferry or barge"] * 5]

    assert moves("a ferry and a ba", tweets)["r"] > moves("a ferry and a ba", tweets)["k"]


def test_a_whole_word_may_end_by_as_much_as_it_is_drawn_on() -> None:
    behind = moves("the ferry and the harbour")

    assert behind[" "] == behind["."] == behind["1"] > 0


def test_where_nothing_with_a_subject_was_said_nothing_moves() -> None:
    for text in ("", "the ", "Zounds, a ", "@ferry", "the ferry @ha", "the ferry 1"):
        assert not any(moves(text).values()), text


def test_a_word_that_was_said_is_not_asked_for_again() -> None:
    assert moves("the harbour, the ferry, the f")["e"] <= 0


def test_words_in_most_tweets_neither_trigger_nor_are_triggered() -> None:
    tweets = [f"the {word} the" for word in ("ferry harbour", "baker bread")] * 40

    assert moves("the ferry t", tweets)["h"] == 0


def test_as_many_words_with_a_subject_are_written_as_before() -> None:
    triggers = Triggers(TWEETS, SYMBOLS)
    drawn = triggers._drawn_on(triggers._said("the ferry "))

    assert math.isclose(drawn.heads[-1], triggers._heads[-1], rel_tol=1e-5)


def test_no_word_is_moved_further_than_the_most() -> None:
    tweets = [f"gull{a}x herring{b}x" for a in "abc" for b in "abc"] * 300 + ["crab lobster"] * 90
    triggers = Triggers(tweets, SYMBOLS)
    drawn = triggers._drawn_on(triggers._said("crab "))

    assert np.abs(drawn.odds).max() <= 2 * MOST


def test_no_tweets_no_triggers() -> None:
    assert not any(moves("the ferry ", []).values())
    assert not any(moves("the ferry ", ["one ferry alone"]).values())


def test_what_is_remembered_changes_nothing() -> None:
    rng = Random(1)
    words = ["ferry", "harbour", "baker", "bread", "noon", "square"]
    texts = [" ".join(rng.sample(words, 3)) + " " for _ in range(40)]
    triggers = Triggers(TWEETS, SYMBOLS)
    together, again = np.zeros((2, 40, len(SYMBOLS)), np.float32)
    triggers.bend(together, texts)
    triggers.bend(again, texts)

    assert (together == again).all()
    assert all(row.tolist() == [*moves(text).values()] for row, text in zip(together, texts, strict=True))


def test_the_batch_changes_nothing_when_words_trigger() -> None:
    checkpoint = a_checkpoint()
    triggers = Triggers(TWEETS, checkpoint.vocab.symbols)
    one, many = (
        [draft.text for draft in generate(checkpoint, 12, limit=60, bend=triggers.bend, batch=batch)]
        for batch in (1, 5)
    )

    assert one == many
