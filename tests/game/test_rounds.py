"""Dealing: pure, fair, alike in length, and never the same sample twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from random import Random

import numpy as np
import pytest

from app.game.deck import Block, Deck, Texts
from app.game.rounds import Round, Seat, ShelfEmpty, deal
from app.game.shelf import LIKENESS, Arm, Rack, Shelf

SEAT = Seat(player=bytes(range(16)), archive_id=1, mode="endless", position=0, again=0, stamp=5)


def nothing(_: Sequence[int]) -> set[int]:
    return set()


def a_deck(lengths: Sequence[int]) -> Deck:
    texts = Texts(["t" * length for length in lengths])
    block = Block(0, np.arange(1, len(lengths) + 1), texts, np.ones(len(lengths), dtype=bool))
    return Deck([block], lambda _: None)


def a_rack(lengths: Sequence[int], first_id: int = 1, shelved: int = 1, retired: int | None = None) -> Rack:
    ids = range(first_id, first_id + len(lengths))
    return Rack(ids, ["s" * length for length in lengths], [shelved] * len(lengths), [retired] * len(lengths))


def a_shelf(rack: Rack, stamp: int = 5) -> Shelf:
    return Shelf((Arm("champion", 1, 1.0, rack), Arm("anchor", 1, 0.0, rack)), stamp)


def lengths(count: int, seed: int = 0) -> list[int]:
    rng = Random(seed)
    return [rng.randint(40, 280) for _ in range(count)]


def player(number: int) -> bytes:
    return number.to_bytes(16, "big")


def dealt_to(number: int, deck: Deck, shelf: Shelf) -> Round:
    return deal(deck, shelf, replace(SEAT, player=player(number)), nothing)


def test_the_same_seat_is_dealt_the_same_round() -> None:
    deck, shelf = a_deck(lengths(100)), a_shelf(a_rack(lengths(100, 1)))
    assert deal(deck, shelf, SEAT, nothing) == deal(deck, shelf, SEAT, nothing)


def test_samples_that_come_later_do_not_change_a_seat_that_is_dealt_by_its_stamp() -> None:
    deck = a_deck(lengths(100))
    early = a_rack(lengths(100, 1))
    later = lengths(200, 2)
    both = Rack(
        range(1, 301), ["s" * length for length in lengths(100, 1) + later], [1] * 100 + [6] * 200, [None] * 300
    )
    before = deal(deck, a_shelf(early), SEAT, nothing)
    after = deal(deck, a_shelf(both, stamp=6), SEAT, nothing)
    assert (before.id, before.sample_text) == (after.id, after.sample_text)


def test_a_sample_that_retires_later_is_still_dealt_by_an_earlier_stamp() -> None:
    deck, shelf = a_deck([100]), a_shelf(a_rack([100], retired=6), stamp=9)
    assert deal(deck, shelf, SEAT, nothing).sample_id == 1
    with pytest.raises(ShelfEmpty):
        deal(deck, replace(shelf, floor=6), SEAT, nothing)


def test_a_generator_that_came_after_the_seats_stamp_is_dealt_all_the_same() -> None:
    assert deal(a_deck([100]), a_shelf(a_rack([100], shelved=7), stamp=7), SEAT, nothing).stamp == 7


def test_cards_are_alike_in_length() -> None:
    deck, shelf = a_deck(lengths(500)), a_shelf(a_rack(lengths(1000, 1)))
    rounds = [dealt_to(number, deck, shelf) for number in range(300)]
    ratios = [min(map(len, r.cards)) / max(map(len, r.cards)) for r in rounds]
    assert all(r.is_alike for r in rounds)
    assert min(ratios) >= LIKENESS


def test_the_longer_card_is_the_tweet_half_of_the_time_even_if_samples_run_short() -> None:
    rng = Random(3)
    deck = a_deck([rng.randint(90, 180) for _ in range(500)])
    shelf = a_shelf(a_rack([int(40 + 240 * rng.random() ** 2) for _ in range(2000)]))
    signs = Counter()
    for number in range(1000):
        dealt = dealt_to(number, deck, shelf)
        signs[np.sign(len(dealt.tweet.text) - len(dealt.sample_text))] += 1
    assert abs(signs[1] - signs[-1]) < 110


def test_a_limit_that_many_tweets_reach_tells_nothing() -> None:
    rng = Random(4)
    some = [min(140, rng.randint(60, 200)) for _ in range(3000)]
    deck, shelf = a_deck(some[:1000]), a_shelf(a_rack(some[1000:]))
    at_limit = Counter()
    for number in range(1000):
        dealt = dealt_to(number, deck, shelf)
        at_limit["tweet"] += len(dealt.tweet.text) == 140 != len(dealt.sample_text)
        at_limit["sample"] += len(dealt.sample_text) == 140 != len(dealt.tweet.text)
    assert at_limit["tweet"] + at_limit["sample"] < 60


def test_without_a_sample_of_like_length_the_nearest_is_dealt_and_said_to_be_unlike() -> None:
    dealt = deal(a_deck([200]), a_shelf(a_rack([40, 90, 60])), SEAT, nothing)
    assert (len(dealt.sample_text), dealt.is_alike) == (90, False)


def test_a_sample_that_the_player_met_is_not_dealt_again() -> None:
    deck, shelf = a_deck([100] * 40), a_shelf(a_rack([100] * 40))
    met: set[int] = set()
    for position in range(40):
        dealt = deal(deck, shelf, replace(SEAT, position=position), lambda ids: met & set(ids))
        assert dealt.sample_id not in met
        met.add(dealt.sample_id)
    with pytest.raises(ShelfEmpty):
        deal(deck, shelf, replace(SEAT, position=39), lambda ids: met & set(ids))


def test_the_sample_of_an_open_round_is_not_dealt_again() -> None:
    deck, shelf = a_deck([100]), a_shelf(a_rack([100, 100]))
    first = deal(deck, shelf, SEAT, nothing)
    assert deal(deck, shelf, SEAT, nothing, excluded=[first.sample_id]).sample_id != first.sample_id


def test_the_order_of_the_cards_is_a_fair_coin() -> None:
    deck, shelf = a_deck(lengths(50)), a_shelf(a_rack(lengths(50, 1)))
    firsts = sum(dealt_to(number, deck, shelf).tweet_index == 0 for number in range(2000))
    assert 900 < firsts < 1100


def test_arms_are_drawn_by_their_shares_and_whatever_the_cards() -> None:
    arms = (
        Arm("anchor", 1, 0.05, a_rack([100] * 20)),
        Arm("candidate", 2, 0.2, a_rack([100] * 20, 100)),
        Arm("champion", 3, 0.75, a_rack([100] * 20, 200)),
    )
    drawn: Counter[str] = Counter()
    for number in range(2000):
        short = dealt_to(number, a_deck([90]), Shelf(arms, 5))
        long = dealt_to(number, a_deck([110]), Shelf(arms, 5))
        assert short.arm == long.arm
        drawn[short.arm] += 1
    assert 60 < drawn["anchor"] < 145
    assert 330 < drawn["candidate"] < 470


def test_an_arm_without_samples_leaves_its_share_to_the_others() -> None:
    arms = (Arm("candidate", 2, 0.2, a_rack([])), Arm("champion", 3, 0.8, a_rack([100] * 5)))
    assert dealt_to(1, a_deck([100]), Shelf(arms, 5)).arm_probability == 1.0


def test_once_the_deck_is_through_cards_come_again_and_say_so() -> None:
    deck, shelf = a_deck([100] * 5), a_shelf(a_rack([100] * 50))
    through = replace(SEAT, position=5)
    again = [deal(deck, shelf, replace(through, again=number), nothing) for number in range(10)]
    assert all(dealt.repeat for dealt in again)
    assert [dealt.tweet.id for dealt in again[:5]] == [dealt.tweet.id for dealt in again[5:]]


def test_repeats_go_on_when_every_sample_is_known() -> None:
    deck, shelf = a_deck([100] * 5), a_shelf(a_rack([100] * 5))
    assert deal(deck, shelf, replace(SEAT, position=5), set).repeat


def test_cards_that_came_in_later_are_dealt_before_repeats_go_on() -> None:
    shelf = a_shelf(a_rack([100] * 50))
    seat = replace(SEAT, position=5, again=3)
    assert not deal(a_deck([100] * 6), shelf, seat, nothing).repeat


def test_an_empty_deck_is_an_empty_shelf() -> None:
    with pytest.raises(ShelfEmpty):
        deal(Deck([], lambda _: None), a_shelf(a_rack([100])), SEAT, nothing)
