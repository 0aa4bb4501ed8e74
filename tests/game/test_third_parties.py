"""Who is named on a card besides the account."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.game.third_parties import ThirdParties
from app.game.vetting import OTHERS, BlockedWords, CardRules

OTHERS_THAN_JANE = ThirdParties.but("JaneFromGannet", "Jane Pell")


@pytest.mark.parametrize(
    "text",
    [
        "lunch with @KenOnTheQuay was long",
        "Clive Bose has lost his umbrella again",
        "we sang for Mrs. Tibbs, twice",
        "and Bob Pell came too",  # of her name, and not she
        "@JaneFromGannet and @KenOnTheQuay went home",
    ],
)
def test_somebody_else_is_found(text: str) -> None:
    assert OTHERS_THAN_JANE.named_in(text)


@pytest.mark.parametrize(
    "text",
    [
        "the ferry is late, and so am I",
        "follow me at @janefromgannet, everybody",
        "When Jane Pell sings, gulls listen",
        "Thank You Port Gannet! It rains on Monday.",
        "Anna was here",  # a first name alone is not told from a place
        "",
    ],
)
def test_the_account_itself_and_places_are_nobody_else(text: str) -> None:
    assert not OTHERS_THAN_JANE.named_in(text)


@given(st.text(max_size=300))
def test_any_text_is_judged_and_a_strange_handle_always_found(text: str) -> None:
    OTHERS_THAN_JANE.named_in(text)
    assert OTHERS_THAN_JANE.named_in(f"{text} @KenOnTheQuay")


def test_the_rule_holds_for_tweets_and_samples_alike() -> None:
    rules = CardRules(BlockedWords.of([]), others=OTHERS_THAN_JANE.named_in)
    assert rules.card_fault("a long walk along the pier with @KenOnTheQuay, and back") == OTHERS
    assert rules.card_fault("a long walk along the pier with the dog, and then back") is None
