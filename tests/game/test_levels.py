"""Rounds near a player's level: nearer the better they are known, with the probability that is logged."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from app.game import levels
from app.game.deck import Block, Deck, Texts
from app.game.rounds import AT_RANDOM, NEAR, OPENING, POLICY, Round, Seat, deal
from app.game.shelf import Arm, Rack, Shelf
from app.game.skill import NEWCOMER, UNREAD, Belief

STRENGTHS = (-1.5, -1.0, -0.5, None, 0.5, 1.0, 1.5, 2.0)
GOOD = 1.5 + NEWCOMER.mean  # the skill of a player for whom samples of strength 1.5 are wanted


@cache
def a_deck(cards: int) -> Deck:
    return Deck([Block(0, np.arange(1, cards + 1), Texts(["t" * 100] * cards), np.ones(cards, dtype=bool))], no_fault)


def no_fault(_: str) -> None:
    return None


def nothing(_: Sequence[int]) -> set[int]:
    return set()


def a_shelf(stamp: int = 5, read_at: int = 1, candidate: float = 0.0) -> Shelf:
    """Eight samples, by STRENGTHS, numbered from 1."""
    read = [None if each is None else (each, read_at) for each in STRENGTHS]
    rack = Rack(range(1, 9), ["s" * 100] * 8, [1] * 8, [None] * 8, read)
    return Shelf((Arm("champion", 1, 1 - candidate, rack), Arm("candidate", 2, candidate, rack)), stamp)


@cache
def many() -> list[Round]:
    return [dealt_at(position, a_shelf()) for position in range(4000)]


def dealt_at(position: int, shelf: Shelf, skill: float | None = GOOD) -> Round:
    return deal(a_deck(4000), shelf, Seat(bytes(16), 1, "endless", position, 0, 5, skill=skill), nothing)


@pytest.mark.slow
def test_a_sample_is_drawn_as_often_as_the_probability_that_is_logged() -> None:
    drawn: Counter[int] = Counter()
    logged: dict[int, float] = {}
    for one in many():
        drawn[one.sample_id] += 1
        assert logged.setdefault(one.sample_id, one.card_probability) == pytest.approx(one.card_probability)
    assert len(logged) == len(STRENGTHS)
    assert sum(logged.values()) == pytest.approx(1)
    for sample_id, probability in logged.items():
        error = (4000 * probability * (1 - probability)) ** 0.5
        assert abs(drawn[sample_id] - 4000 * probability) < 4.5 * error
    assert max(logged, key=logged.__getitem__) == STRENGTHS.index(1.5) + 1
    assert min(logged.values()) >= levels.AT_RANDOM / len(STRENGTHS)


@pytest.mark.slow
def test_a_fifth_of_the_rounds_and_more_are_left_to_chance_which_looks_at_no_strength() -> None:
    rounds = many()
    by_chance = [one for one in rounds if one.policy == POLICY]
    assert {one.policy for one in rounds} == {POLICY, NEAR}
    assert 0.2 < len(by_chance) / len(rounds) < 0.3
    counted = Counter(one.sample_id for one in by_chance)
    assert max(counted.values()) < 1.6 * min(counted.values())
    # Which card comes first tells nothing of how the sample was chosen.
    assert abs(sum(one.tweet_index for one in by_chance) - len(by_chance) / 2) < 2.5 * len(by_chance) ** 0.5


def test_while_a_candidate_is_tried_chance_alone_deals() -> None:
    tried = a_shelf(candidate=0.2)
    rounds = [dealt_at(position, tried) for position in range(200)]
    assert {(one.policy, one.card_probability) for one in rounds} == {(POLICY, 1 / 8)}
    assert POLICY in AT_RANDOM
    assert not {NEAR, OPENING} & set(AT_RANDOM)
    assert [one.sample_id for one in rounds] == [dealt_at(position, tried, None).sample_id for position in range(200)]


def test_what_guesses_told_after_the_seat_was_laid_down_changes_no_open_round() -> None:
    later = a_shelf(stamp=9, read_at=7)
    nobody_read = Shelf((Arm("champion", 1, 1.0, Rack(range(1, 9), ["s" * 100] * 8, [1] * 8, [None] * 8)),), 5)
    for position in range(200):
        assert dealt_at(position, later) == dealt_at(position, nobody_read)


def test_what_guesses_told_counts_from_its_stamp_on() -> None:
    at_the_stamp = a_shelf(read_at=5)
    assert [dealt_at(position, at_the_stamp) for position in range(200)] == many()[:200]


def test_a_repeat_is_left_to_chance() -> None:
    seat = Seat(bytes(16), 1, "endless", 4, 0, 5, skill=GOOD)
    again = [replace(seat, again=number) for number in range(60)]
    rounds = [deal(a_deck(4), a_shelf(), each, nothing, met_tweets=set) for each in again]
    assert {(one.repeat, one.policy) for one in rounds} == {(True, POLICY)}


@pytest.mark.parametrize("skill", [-40.0, 40.0])
def test_the_best_and_the_worst_of_players_are_dealt_rounds_like_anybody(skill: float) -> None:
    rounds = [dealt_at(position, a_shelf(), skill) for position in range(50)]
    assert all(0 < one.card_probability < 1 for one in rounds)


def test_neither_newcomers_nor_new_samples_are_known() -> None:
    assert levels.known(NEWCOMER) is None
    assert levels.read(UNREAD) is None
    assert levels.known(Belief(1.0, 0.2)) == levels.read(Belief(1.0, 0.2)) == 1.0
