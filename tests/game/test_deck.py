"""The deck: each player's own order, every card once, imports at the end."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.game.deck import Block, Deck, Texts, order_key, permute

PLAYER = bytes(range(16))


def block(start: int, size: int, fit: list[bool] | None = None) -> Block:
    ids = np.arange(start + 1, start + size + 1, dtype=np.int64)
    texts = Texts([f"card {number}" for number in ids])
    return Block(start, ids, texts, np.array(fit if fit is not None else [True] * size))


def no_fault(_: str) -> None:
    return None


def order(deck: Deck, player: bytes = PLAYER) -> list[int]:
    cards = [deck.card(player, position) for position in range(len(deck))]
    return [card.id for card in cards if card is not None]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 64, 65, 1000])
def test_a_player_meets_every_card_once(size: int) -> None:
    assert sorted(order(Deck([block(0, size)], no_fault))) == list(range(1, size + 1))


@given(st.integers(1, 5000), st.binary(min_size=16, max_size=16))
def test_every_place_is_inside_the_block(size: int, player: bytes) -> None:
    keys = order_key(player, 0)
    assert 0 <= permute(size - 1, size, keys) < size


def test_two_players_meet_the_cards_in_different_orders() -> None:
    deck = Deck([block(0, 50)], no_fault)
    assert order(deck) != order(deck, b"another player!!")


def test_a_later_import_leaves_the_order_as_it_was() -> None:
    before = order(Deck([block(0, 40)], no_fault))
    after = order(Deck([block(0, 40), block(40, 30)], no_fault))
    assert after[:40] == before
    assert sorted(after[40:]) == list(range(41, 71))


def test_the_first_card_is_any_card_with_equal_chance() -> None:
    deck = Deck([block(0, 8)], no_fault)
    firsts = Counter(order(deck, number.to_bytes(16, "big"))[0] for number in range(4000))
    expected = 500
    chi_square = sum((firsts[card] - expected) ** 2 / expected for card in range(1, 9))
    assert chi_square < 24.3  # 99.9 % of fair shuffles (7 degrees of freedom)


def test_a_card_that_leans_on_another_is_left_out() -> None:
    assert sorted(order(Deck([block(0, 3, [True, False, True])], no_fault))) == [1, 3]


def test_a_card_with_a_fault_is_left_out_and_checked_once() -> None:
    asked: Counter[str] = Counter()

    def fault(text: str) -> str | None:
        asked[text] += 1
        return "blocked word" if text == "card 2" else None

    deck = Deck([block(0, 3)], fault)
    assert sorted(order(deck)) == sorted(order(deck)) == [1, 3]
    assert asked == {"card 1": 1, "card 2": 1, "card 3": 1}


def test_a_hidden_card_is_left_out() -> None:
    assert sorted(order(Deck([block(0, 3)], no_fault, hidden=[2, 99]))) == [1, 3]


def test_texts_come_back_as_they_were() -> None:
    texts = ["naïve", "", "🔗 two\nlines", "plain"]
    packed = Texts(texts)
    assert [packed[index] for index in range(len(packed))] == texts
