"""Pieces of cards are found whatever is put around or between them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.game.discretion import Pieces, squeeze

CARDS = [
    (7, "The pier is closed until the gulls have finished. Do not ask me how long, I am not a gull."),
    (8, "Thank you Saltmarsh Lane! Fourteen lamps, all lit, and nobody fell into the harbour tonight 🎉🎉"),
    (9, "«Ça va?» asked the ferry captain; “non” said the tide — and that was the whole debate, believe me."),
]


@given(st.sampled_from(CARDS), st.integers(0, 200), st.text(max_size=20), st.text(max_size=20))
def test_thirty_characters_of_a_card_are_found_among_anything(
    card: tuple[int, str], place: int, before: str, after: str
) -> None:
    number, text = card
    place %= len(text) - 30 + 1
    assert number in Pieces(CARDS).shared_with(before + text[place : place + 30] + after)


@pytest.mark.parametrize(
    "played_with",
    [
        "THE PIER IS CLOSED UNTIL THE GULLS HAVE FINISHED",
        "the-pier-is-closed-until-the-gulls-have-finished",
        "t h e p i e r i s c l o s e d u n t i l t h e g u l l s",
        "Thé píer ïs clösed until the gulls",
        "The pier\nis closed,   until: the (gulls) have...",
    ],
)
def test_case_accents_spaces_and_punctuation_hide_nothing(played_with: str) -> None:
    assert Pieces(CARDS).shared_with(played_with) == {7}


@pytest.mark.parametrize("text", ["", "the pier is closed", "I am not a gull. You are not a gull either, my friend."])
def test_a_text_of_ones_own_is_free(text: str) -> None:
    assert Pieces(CARDS).shared_with(text) == set()


def test_every_card_that_shares_the_piece_is_named() -> None:
    twin = (10, "Again: the pier is closed until the gulls have finished.")
    assert Pieces([*CARDS, twin]).shared_with("the pier is closed until the gulls have") == {7, 10}


def test_no_cards_share_nothing() -> None:
    assert Pieces([]).shared_with("the pier is closed until the gulls have finished") == set()


def test_squeezing_leaves_letters_and_digits() -> None:
    assert squeeze("Ça va? 12, “OK”!") == "cava12ok"
