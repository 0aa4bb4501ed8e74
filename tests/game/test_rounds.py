"""Dealing: pure, fair, alike in length, and never the same sample twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from random import Random

import numpy as np
import pytest

from app.game.deck import Block, Deck, Texts
from app.game.levels import Aim
from app.game.rounds import AllMet, NoCard, Round, Seat, ShelfEmpty, deal
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
    with pytest.raises(ShelfEmpty) as empty:
        deal(deck, replace(shelf, floor=6), SEAT, nothing)
    assert not isinstance(empty.value, AllMet)  # nothing lies there to be met


def test_a_generator_that_came_after_the_seats_stamp_is_dealt_all_the_same() -> None:
    assert deal(a_deck([100]), a_shelf(a_rack([100], shelved=7), stamp=7), SEAT, nothing).stamp == 7


def test_an_arm_without_a_share_keeps_no_seat_at_its_old_stamp() -> None:
    arms = (Arm("champion", 2, 1.0, a_rack([100], 9, shelved=7)), Arm("anchor", 1, 0.0, a_rack([100])))
    dealt = deal(a_deck([100]), Shelf(arms, 7), SEAT, nothing)
    assert (dealt.arm, dealt.sample_id, dealt.stamp) == ("champion", 9, 7)


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


def test_for_a_tweet_shorter_than_any_sample_the_shortest_is_dealt() -> None:
    dealt = deal(a_deck([50]), a_shelf(a_rack([200, 90, 120])), SEAT, nothing)
    assert (len(dealt.sample_text), dealt.is_alike) == (90, False)


def test_a_sample_a_fifth_shorter_or_a_quarter_longer_is_still_alike() -> None:
    for length, is_alike in ((79, False), (80, True), (125, True), (126, False)):
        assert deal(a_deck([100]), a_shelf(a_rack([length])), SEAT, nothing).is_alike == is_alike


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
    with pytest.raises(AllMet):
        deal(deck, shelf, replace(SEAT, position=39), lambda ids: met & set(ids))


def test_the_sample_of_an_open_round_is_not_dealt_again() -> None:
    deck, shelf = a_deck([100]), a_shelf(a_rack([100, 100]))
    first = deal(deck, shelf, SEAT, nothing)
    assert deal(deck, shelf, SEAT, nothing, excluded=[first.sample_id]).sample_id != first.sample_id


def test_the_card_at_the_tweets_place_is_the_tweet() -> None:
    deck, shelf = a_deck([100] * 20), a_shelf(a_rack([100] * 20))
    rounds = [dealt_to(number, deck, shelf) for number in range(20)]
    assert {dealt.tweet_index for dealt in rounds} == {0, 1}
    for dealt in rounds:
        assert (dealt.cards[dealt.tweet_index], dealt.cards[1 - dealt.tweet_index]) == ("t" * 100, "s" * 100)


def test_the_order_of_the_cards_is_a_fair_coin() -> None:
    deck, shelf = a_deck(lengths(50)), a_shelf(a_rack(lengths(50, 1)))
    firsts = sum(dealt_to(number, deck, shelf).tweet_index == 0 for number in range(2000))
    assert 900 < firsts < 1100


@pytest.mark.slow
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
    again = [deal(deck, shelf, replace(through, again=number), nothing, met_tweets=set) for number in range(10)]
    assert all(dealt.repeat and dealt.again for dealt in again)
    assert [dealt.tweet.id for dealt in again[:5]] == [dealt.tweet.id for dealt in again[5:]]
    assert [dealt.start for dealt in again] == list(range(10))


def test_a_tweet_that_was_passed_over_at_its_turn_is_no_repeat_once_the_deck_is_through() -> None:
    deck, shelf = a_deck([100] * 5), a_shelf(a_rack([100] * 50))
    through = [replace(SEAT, position=5, again=number) for number in range(5)]
    kept = deal(deck, shelf, through[2], nothing).tweet.id
    dealt = [deal(deck, shelf, seat, nothing, met_tweets=lambda ids: set(ids) - {kept}) for seat in through]
    assert [each.repeat for each in dealt] == [True, True, False, True, True]
    assert [(each.start, each.position, each.again) for each in dealt] == [(place, place, True) for place in range(5)]


def test_what_is_barred_is_passed_over_at_first_and_once_the_deck_is_through() -> None:
    deck, shelf = a_deck([100] * 8), a_shelf(a_rack([100] * 50))
    for position, again in [(place, 0) for place in range(9)] + [(8, place) for place in range(9)]:
        seat = replace(SEAT, position=position, again=again)
        for met in (nothing, set):
            dealt = deal(deck, shelf, seat, nothing, met_tweets=met, barred={1, 2, 3, 4, 5})
            assert dealt.tweet.id in {6, 7, 8}
            assert dealt.repeat == (met is set)


def test_where_the_whole_deck_is_barred_the_game_goes_on_and_says_what_was_met() -> None:
    deck, shelf = a_deck([100] * 5), a_shelf(a_rack([100] * 50))
    seats = [replace(SEAT, again=place) for place in range(5)]
    dealt = [deal(deck, shelf, seat, nothing, met_tweets={1, 2}.intersection, barred=range(1, 6)) for seat in seats]
    assert sorted(each.tweet.id for each in dealt) == [1, 2, 3, 4, 5]
    assert all(each.again and each.repeat == (each.tweet.id in {1, 2}) for each in dealt)


def test_a_repeat_too_brings_a_sample_that_the_player_has_not_met_while_there_is_one() -> None:
    deck, shelf = a_deck([100]), a_shelf(a_rack([100] * 12))
    for again in range(20):
        dealt = deal(deck, shelf, replace(SEAT, position=1, again=again), lambda ids: set(ids) - {7})
        assert dealt.sample_id == 7


def test_repeats_go_on_when_every_sample_is_known() -> None:
    deck, shelf = a_deck([100] * 5), a_shelf(a_rack([100] * 5))
    assert deal(deck, shelf, replace(SEAT, position=5), set).repeat


def test_cards_that_came_in_later_are_dealt_before_repeats_go_on() -> None:
    shelf = a_shelf(a_rack([100] * 50))
    seat = replace(SEAT, position=5, again=3)
    assert not deal(a_deck([100] * 6), shelf, seat, nothing).repeat


def test_an_empty_deck_is_an_empty_shelf() -> None:
    with pytest.raises(NoCard):
        deal(Deck([], lambda _: None), a_shelf(a_rack([100])), SEAT, nothing)


def test_a_deck_without_a_card_that_may_be_dealt_is_an_empty_shelf() -> None:
    block = Block(0, np.arange(1, 6), Texts(["t" * 100] * 5), np.zeros(5, dtype=bool))
    with pytest.raises(NoCard):
        deal(Deck([block], lambda _: None), a_shelf(a_rack([100])), SEAT, nothing)


def test_a_tweet_that_may_not_be_dealt_or_was_met_elsewhere_is_passed_over() -> None:
    shelf, deck = a_shelf(a_rack([100] * 9)), a_deck([100] * 9)
    order = [deal(deck, shelf, replace(SEAT, position=place), nothing).tweet.id for place in range(9)]
    met = deal(deck, shelf, SEAT, nothing, met_tweets=lambda ids: set(ids) & set(order[:2]))
    assert (met.tweet.id, met.start, met.position) == (order[2], 0, 2)
    block = Block(0, np.arange(1, 10), Texts(["t" * 100] * 9), ~np.isin(np.arange(1, 10), order[:3]))
    unfit = deal(Deck([block], lambda _: None), shelf, SEAT, nothing)
    assert (unfit.tweet.id, unfit.start, unfit.position) == (order[3], 0, 3)


def test_every_mode_and_every_opponent_in_practice_has_an_order_of_the_deck_of_its_own() -> None:
    deck, shelf = a_deck([100] * 12), a_shelf(a_rack([100] * 12))
    seats = [replace(SEAT, mode=mode) for mode in ("endless", "daily", "practice")]
    seats.append(replace(SEAT, mode="practice", opponent=2))
    orders = {
        tuple(deal(deck, shelf, replace(seat, position=place), nothing).tweet.id for place in range(12))
        for seat in seats
    }
    assert len(orders) == 4
    assert {tuple(sorted(order)) for order in orders} == {tuple(range(1, 13))}


def test_the_same_cards_at_another_place_are_another_round() -> None:
    deck, shelf = a_deck([100]), a_shelf(a_rack([100]))
    seats = [SEAT, replace(SEAT, archive_id=2), replace(SEAT, mode="practice"), replace(SEAT, player=player(9))]
    seats += [replace(SEAT, mode="practice", opponent=number) for number in (2, 3)]
    seats += [replace(SEAT, position=1, again=number) for number in range(2)]
    assert len({deal(deck, shelf, seat, nothing).id for seat in seats}) == len(seats)


def test_a_rack_without_some_samples_is_the_same_for_the_rest() -> None:
    rack = Rack(range(1, 4), ["s" * 100] * 3, [1, 2, 3], [None, 6, None], [(0.5, 1), None, (1.5, 1)])
    less = rack.without([1])
    assert less.ids == [2, 3]
    assert [less.level(stamp) for stamp in range(1, 7)] == [0, 1, 2, 2, 2, 1]
    assert less.choose(100, 6, 0, nothing, Aim(1.5, is_chance=False)) == (1, 1.0)


def test_the_level_of_a_shelf_counts_what_can_be_dealt_by_arms_that_take_turns() -> None:
    rack = Rack(range(1, 4), ["s" * 100] * 3, [1, 1, 9], [None, 5, None])
    assert Shelf((Arm("champion", 1, 0.5, rack), Arm("anchor", 2, 0.0, a_rack([100]))), 4).level() == 2
    assert Shelf((Arm("champion", 1, 0.5, rack), Arm("candidate", 2, 0.5, a_rack([100]))), 5).level() == 2


PINNED = [
    (1, 173, 240, 0, "0d61d03a6a4a5d9de0ab58c53844b480"),
    (1, 154, 297, 1, "ba85843f5c78e417987a9a024233028d"),
    (3, 53, 1348, 1, "df2a2bf644dfe96373ec8b83d860c6ea"),
]


def test_the_way_of_choosing_cards_changes_with_the_policy_alone() -> None:
    """Rounds that are open while a site is brought up to date are dealt again by the new program: to the same cards."""
    deck, shelf = a_deck(lengths(200)), a_shelf(a_rack(lengths(400, 1)))
    arms = (Arm("champion", 1, 0.7, shelf.arms[0].rack), Arm("anchor", 2, 0.3, a_rack(lengths(400, 2), 1001)))
    seats = [replace(SEAT, position=3), replace(SEAT, mode="practice", position=4, opponent=7)]
    seats.append(replace(SEAT, position=6, skill=1.0))
    dealt = [deal(deck, Shelf(arms, 5), seat, nothing) for seat in seats]
    found = [(each.policy, each.tweet.id, each.sample_id, each.tweet_index, each.id.hex()) for each in dealt]
    assert found == PINNED, "raise POLICY, and pin what is dealt now"
