"""A class: when rounds open and close, which rounds it has, and how sure one is of what changed."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from test_rounds import a_deck, a_rack, lengths

from app.game.classroom import ROUNDS, Pick, Shun, Where, change, deal_leg, room_code, round_id
from app.game.rounds import ShelfEmpty
from app.game.shelf import Arm

AT = datetime(2026, 3, 2, 12, tzinfo=UTC)
ASKED = Where(leg=1, number=3, asked_at=AT, seconds=30, is_revealed=False, is_ended=False)
SEED = bytes(16)


def arm(samples: int) -> Arm:
    return Arm("champion", 1, 1.0, a_rack(lengths(samples)))


def picks(before: float, after: float, players: int, rounds: int = ROUNDS, seed: int = 1) -> list[Pick]:
    rng = Random(seed)
    rates = {1: before, 2: after}
    return [
        (leg, number, player, rng.random() < rates[leg])
        for leg in (1, 2)
        for number in range(rounds)
        for player in range(players)
    ]


def test_a_round_is_open_until_no_pick_is_taken_any_more_or_it_is_revealed() -> None:
    assert ASKED.phase(AT + timedelta(seconds=29)) == "asking"
    assert ASKED.phase(AT + timedelta(seconds=31)) == "asking"
    assert ASKED.phase(AT + timedelta(seconds=32)) == "revealed"
    assert replace(ASKED, is_revealed=True).phase(AT) == "revealed"
    assert replace(ASKED, number=11, asked_at=None).phase(AT) == "over"
    assert replace(ASKED, asked_at=None, number=0).phase(AT) == "waiting"
    assert replace(ASKED, is_ended=True).phase(AT) == "ended"


def test_a_pick_that_was_on_its_way_is_taken_and_none_after_the_reveal() -> None:
    assert ASKED.takes(AT + timedelta(seconds=31))
    assert not ASKED.takes(AT + timedelta(seconds=33))
    assert not replace(ASKED, is_revealed=True).takes(AT)
    assert not replace(ASKED, asked_at=None).takes(AT)


def test_both_legs_are_ten_rounds_and_nothing_comes_twice() -> None:
    deck = a_deck(lengths(60))
    first = deal_leg(deck, arm(60), 5, SEED, 1)
    assert first == deal_leg(deck, arm(60), 5, SEED, 1)
    second = deal_leg(deck, arm(60), 5, SEED, 1, [(made.tweet.id, made.sample_id) for made in first])
    both = [*first, *second]
    assert len(both) == len({made.tweet.id for made in both}) == len({made.sample_id for made in both}) == 20


def test_cards_to_pass_over_come_up_only_where_too_few_others_are_left() -> None:
    deck = a_deck(lengths(60))
    known, kept = set(range(1, 31)), set(range(31, 41))
    shuns = [Shun((known | kept).intersection, (known | kept).intersection), Shun(kept.intersection, kept.intersection)]
    first = deal_leg(deck, arm(60), 5, SEED, 1, (), shuns)
    assert all(min(made.tweet.id, made.sample_id) > 40 for made in first)
    second = deal_leg(deck, arm(60), 5, SEED, 1, [(made.tweet.id, made.sample_id) for made in first], shuns)
    third = deal_leg(deck, arm(60), 5, SEED, 1, [(made.tweet.id, made.sample_id) for made in [*first, *second]], shuns)
    assert {made.tweet.id for made in [*first, *second]} <= set(range(41, 61))
    assert {made.tweet.id for made in third} <= known
    assert {made.sample_id for made in third} <= known
    assert len({made.sample_id for made in [*first, *second, *third]}) == 30


def test_too_small_a_deck_is_said_so() -> None:
    with pytest.raises(ShelfEmpty):
        deal_leg(a_deck(lengths(9)), arm(60), 5, SEED, 1)


def test_the_interval_of_a_change_holds_what_was_put_in() -> None:
    held = 0
    for seed in range(20):
        found = change(picks(0.4, 0.6, players=25, seed=seed))
        assert found is not None
        assert found.low <= found.difference <= found.high
        held += found.low <= 0.2 <= found.high
    assert held >= 18


def test_a_class_that_did_not_change_is_not_said_to_have() -> None:
    holding = [found for seed in range(20) if (found := change(picks(0.5, 0.5, players=25, seed=seed)))]
    assert sum(found.low <= 0 <= found.high for found in holding) >= 18


def test_few_players_leave_the_interval_wide() -> None:
    few, many = change(picks(0.4, 0.6, players=3)), change(picks(0.4, 0.6, players=40))
    assert few is not None
    assert many is not None
    assert few.high - few.low > many.high - many.low


def test_without_a_second_leg_there_is_no_change() -> None:
    assert change([pick for pick in picks(0.4, 0.6, 5) if pick[0] == 1]) is None


def test_codes_are_easily_typed_and_round_ids_are_each_players_own() -> None:
    assert len(room_code(Random(1))) == 5
    assert not set("IO01") & set("".join(room_code(Random(seed)) for seed in range(50)))
    ids = {round_id(bytes([player]) * 16, 1, leg, number) for player in (1, 2) for leg in (1, 2) for number in (1, 2)}
    assert len(ids) == 8
