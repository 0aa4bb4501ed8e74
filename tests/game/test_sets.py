"""Fixed sets: ten distinct pairs, of cards that nobody met where there are such; places that were taken out."""

from __future__ import annotations

import pytest
from game.test_rounds import a_deck, a_rack, a_shelf, lengths, nothing

from app.game.rounds import ShelfEmpty
from app.game.sets import TEN, FixedSet, Pair, compose, deal_pair, following, moved_on

KEY = bytes(range(16))


def a_set() -> FixedSet:
    drawn = compose(a_deck(lengths(100)), a_shelf(a_rack(lengths(100, 1))), KEY, nothing, nothing)
    pairs = tuple(
        Pair(place, each.tweet, each.sample_id, each.sample_text, 1, each.arm, 1.0, each.card_probability)
        for place, each in enumerate(drawn)
    )
    return FixedSet(7, 1, "daily", "2026-11-24", pairs)


def test_ten_pairs_of_twenty_cards() -> None:
    pairs = a_set().pairs
    assert len({pair.tweet.id for pair in pairs}) == len({pair.sample_id for pair in pairs}) == TEN


def test_cards_that_nobody_met_come_first() -> None:
    deck, shelf = a_deck([100] * 40), a_shelf(a_rack([100] * 40))
    drawn = compose(deck, shelf, KEY, lambda ids: {i for i in ids if i > 10}, lambda ids: {i for i in ids if i > 12})
    assert {each.sample_id for each in drawn} == set(range(1, 11))
    assert {each.tweet.id for each in drawn} <= set(range(1, 13))


def test_met_cards_do_where_there_are_no_others() -> None:
    deck, shelf = a_deck([100] * 20), a_shelf(a_rack([100] * 20))
    assert len(compose(deck, shelf, KEY, lambda ids: set(ids), lambda ids: set(ids))) == TEN


def test_nine_pairs_are_no_set() -> None:
    with pytest.raises(ShelfEmpty):
        compose(a_deck([100] * 9), a_shelf(a_rack([100] * 40)), KEY, nothing, nothing)


def test_everybody_gets_the_same_pairs_but_not_the_same_sides() -> None:
    fixed = a_set()
    sides = {
        tuple(deal_pair(fixed, pair, bytes([n] * 16), pair.place, 1, repeat=False).tweet_index for pair in fixed.pairs)
        for n in range(8)
    }
    assert len(sides) > 4


def test_the_same_place_is_the_same_round_for_a_player() -> None:
    fixed = a_set()
    one, again = (deal_pair(fixed, fixed.pairs[3], KEY, 3, stamp, repeat=False) for stamp in (1, 9))
    assert one.id == again.id
    assert one.cards == again.cards
    assert deal_pair(fixed, fixed.pairs[4], KEY, 4, 1, repeat=False).id != one.id


def test_a_pair_that_was_taken_out_is_skipped_and_marked() -> None:
    fixed = a_set()
    hidden = {fixed.pairs[1].sample_id}
    pair = following(fixed, 1, (), hidden)
    assert pair is not None
    assert pair.place == 2
    assert moved_on("s", pair.place, "fooled") == "s-f"
    assert following(fixed, 9, {fixed.pairs[9].tweet.id}, ()) is None
