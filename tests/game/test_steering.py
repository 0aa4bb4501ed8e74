"""Steering: drafts are brought to the account's mix of symbols and lengths, and led to no strange name."""

from __future__ import annotations

from collections import Counter
from itertools import product

import numpy as np
import pytest
from networks import a_checkpoint, a_vocab

from app.game.steering import MOST, Balance, Lexicon, Steering, word_parts
from model.generate import Decoding, generate
from model.vocab import END_ID, Vocab

ALPHABET = "".join(chr(code) for code in range(32, 127))


def symbols_after(text: str, lexicon: Lexicon) -> set[str]:
    """What may follow a text; the end mark stands as END."""
    vocab = Vocab(ALPHABET)
    logits = np.zeros((1, len(vocab)), np.float32)
    Steering(vocab.symbols, None, lexicon).bend(logits, [text])
    allowed = np.flatnonzero(np.isfinite(logits[0]))
    return {"END" if place == END_ID else vocab.symbols[place] for place in allowed}


def test_a_handle_is_led_to_those_of_the_archive() -> None:
    lexicon = Lexicon(handles=["mayor", "maya_r"])

    assert symbols_after("Thank you @ma", lexicon) == {"y", "Y"}
    assert symbols_after("Thank you @may", lexicon) == {"o", "O", "a", "A"}


def test_a_handle_that_is_whole_may_end_or_go_on_to_a_longer_one() -> None:
    after = symbols_after("Thank you @may", Lexicon(handles=["may", "mayor"]))

    assert {"o", " ", ".", "END"} <= after
    assert "x" not in after


def test_an_at_may_stand_alone() -> None:
    assert {" ", "m"} <= symbols_after("Dinner @", Lexicon(handles=["mayor"]))


@pytest.mark.parametrize("text", ["write to me@may", "see", "", "@mayor says"])
def test_what_is_no_handle_is_left_alone(text: str) -> None:
    assert len(symbols_after(text, Lexicon(handles=["mayor"]))) >= len(ALPHABET)


def test_a_capitalised_word_is_led_to_those_of_the_archive() -> None:
    lexicon = Lexicon(names=["harbour", "Hester"])

    assert symbols_after("The He", lexicon) == {"s"}
    assert symbols_after("Ha", lexicon) == symbols_after("Well. “Ha", lexicon) == {"r"}
    assert symbols_after("HA", lexicon) == symbols_after("So HA", lexicon) == {"R"}
    assert {" ", "'", "END", "2"} <= symbols_after("Dear Hester", lexicon)


def test_within_a_sentence_a_word_has_a_capital_only_where_the_archive_gives_it_one() -> None:
    lexicon = Lexicon(names=["hat", "Hester"])

    assert symbols_after("The H", lexicon) == {"e", "E", "A"}
    assert symbols_after("H", lexicon) == {"e", "E", "a", "A"}


def test_a_small_word_may_be_any_where_only_names_are_known() -> None:
    assert "q" in symbols_after("the ha", Lexicon(names=["Hester"]))


def test_a_word_is_led_to_those_that_are_known_in_any_case() -> None:
    lexicon = Lexicon(words=["Harbour", "hat", "don't"])

    assert symbols_after("the ha", lexicon) == {"r", "R", "t", "T"}
    assert symbols_after("HA", lexicon) == {"r", "R", "t", "T"}
    assert {" ", "!", "-", "END"} <= symbols_after("my hat", lexicon)
    assert {"'", " "} <= symbols_after("I don", lexicon)
    assert symbols_after("", lexicon) >= {"a", "Z", "1", "@", "END"}


def test_a_capitalised_word_keeps_to_the_names_where_there_are_any() -> None:
    lexicon = Lexicon(names=["Hester"], words=["harbour", "hester"])

    assert symbols_after("Dear H", lexicon) == {"e", "E"}
    assert symbols_after("dear h", lexicon) == {"a", "A", "e", "E"}


@pytest.mark.parametrize("text", ["the 4t", "@ma", "3rd1t"])
def test_what_is_no_word_is_left_alone(text: str) -> None:
    assert "q" in symbols_after(text, Lexicon(words=["harbour"]))


def test_words_are_found_without_handles() -> None:
    assert list(word_parts(["Thank @mayor_1 for it, it's 4th"])) == ["Thank", "for", "it", "it", "s"]


@pytest.mark.slow
def test_no_draft_holds_a_word_that_is_not_known() -> None:
    checkpoint = a_checkpoint()
    letters = [c for c in a_vocab().characters if c.isalpha()]
    known = {first + second for first, second in product(letters, letters[:3])}
    steering = Steering(checkpoint.vocab.symbols, None, Lexicon(words=known))

    drafts = list(generate(checkpoint, 60, decoding=Decoding(1.0, 1.0, 0), seed=4, limit=50, bend=steering.bend))

    # What is cut off by the limit may end within a word.
    found = {word for draft in drafts if draft.ended for word in word_parts([draft.text])}
    assert found
    assert found <= known | {word.upper() for word in known}


def test_where_the_alphabet_lacks_what_would_follow_anything_may() -> None:
    vocab = Vocab("Hab ")
    logits = np.zeros((1, len(vocab)), np.float32)

    Steering(vocab.symbols, None, Lexicon(names=["Hester"])).bend(logits, ["H"])

    assert np.isfinite(logits).all()


def test_a_balance_is_moved_towards_what_tweets_hold_more_often() -> None:
    drafts, tweets = ["aaab!" * 9] * 40, ["aabb?" * 9] * 400

    moved = Balance().moved(drafts, tweets, temperature=1.0)

    assert moved.symbols["b"] > 0.5 > 0 > moved.symbols["a"]
    assert moved.symbols["?"] > 2
    assert moved.symbols["!"] < -2


def test_a_balance_keeps_what_is_right_already() -> None:
    texts = ["one of many", "another one of them all"] * 300

    moved = Balance().moved(texts, texts, temperature=0.8)

    assert max(map(abs, moved.symbols.values())) == pytest.approx(0, abs=1e-6)
    within = moved.ends[: max(map(len, texts)) + 1]
    assert [value for value in within if value not in (0.0, -MOST)] == []


def test_a_beginning_that_no_tweet_has_is_ruled_out() -> None:
    moved = Balance().moved(["@she said so"] * 60, ["she wrote @him"] * 300, temperature=1.0)

    assert moved.first["@"] == -MOST


def test_a_colder_network_is_moved_by_less_for_odds_are_divided_by_its_temperature() -> None:
    drafts, tweets = ["aaab" * 9] * 40, ["aabb" * 9] * 400

    cold, warm = (Balance().moved(drafts, tweets, temperature) for temperature in (0.5, 1.0))

    assert cold.symbols["b"] == pytest.approx(warm.symbols["b"] / 2, abs=1e-3)


def test_a_balance_is_read_as_it_was_written() -> None:
    balance = Balance().moved(["small talk"] * 60, ["big words"] * 300, temperature=1.0)

    assert Balance.from_json(balance.to_json()) == balance


@pytest.mark.slow
def test_drafts_come_to_the_lengths_and_symbols_that_are_asked_for() -> None:
    """A network of chance, whose drafts are nothing like the tweets at first: half of these end after 30 characters."""
    checkpoint = a_checkpoint()
    letters = a_vocab().characters
    tweets = [(letters[0] * 9 + letters[1]) * 3] * 200 + [(letters[0] * 9 + letters[1]) * 5] * 200
    balance, apart = Balance(), []
    for turn in range(5):
        steering = Steering(checkpoint.vocab.symbols, balance)
        drafts = generate(
            checkpoint, 400, decoding=Decoding(1.0, 1.0, 0), seed=1000 * turn, limit=60, bend=steering.bend
        )
        texts = [draft.text for draft in drafts if draft.text]
        share = Counter("".join(texts))[letters[0]] / sum(map(len, texts))
        ended = sum(len(text) <= 30 for text in texts) / len(texts)
        apart.append((abs(share - 0.9), abs(ended - 0.5)))
        balance = balance.moved(texts, tweets, temperature=1.0)

    assert apart[-1][0] < 0.1 < apart[0][0]
    assert apart[-1][1] < 0.15 < apart[0][1]


@pytest.mark.slow
def test_the_batch_changes_nothing_when_steered() -> None:
    checkpoint = a_checkpoint()
    steering = Steering(
        checkpoint.vocab.symbols, Balance({}, {checkpoint.vocab.symbols[5]: 2.0}, [-6.0] * 20), Lexicon(["a"])
    )

    one, many = (list(generate(checkpoint, 6, seed=2, limit=50, batch=b, bend=steering.bend)) for b in (1, 6))

    assert [draft.text for draft in one] == [draft.text for draft in many]
    assert min(len(draft.text) for draft in many) >= 15
