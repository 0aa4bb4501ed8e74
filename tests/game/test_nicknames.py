"""Nicknames: blocked words are found however they are spelled, and harmless names pass."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.game.nicknames import NicknameRefused, accept, key
from app.game.vetting import BlockedWords

BLOCKED = BlockedWords.of(["wanker*", "coons", "twit", "slapdash"])


@pytest.mark.parametrize(
    "name",
    [
        *("wanker", "WANKERS", "w4nk3r", "W@NKER", "wаnker", "ωanker", "w.a.n.k.e.r", "w a n k e r", "waaanker"),
        *("xXwankerXx", "wánker", "ｗａｎｋｅｒ", "a twit", "tw1t", "TW!T", "my-twit", "5lapda5h"),
    ],
)
def test_a_blocked_word_is_found_however_it_is_spelled(name: str) -> None:
    with pytest.raises(NicknameRefused, match="not for here"):
        accept(name, BLOCKED)


@pytest.mark.parametrize(
    "name", ["Raccoons 4 ever", "Twitter", "Zoë", "Łukasz", "李雷", "Ann-Kathrin", "R2 D2", "Anna"]
)
def test_harmless_names_pass(name: str) -> None:
    assert accept(name, BLOCKED) == name


@pytest.mark.parametrize(
    "name",
    [
        *("", " ", "x", "x" * 21, "<b>", "...", "a\u202eb", "☃☃"),
        *("Ada\u1160", "wank\u115fer", "\u1160\u1160", "e" + 9 * "\u0324"),  # drawn as nothing, and piled up
    ],
)
def test_what_is_no_name_is_refused(name: str) -> None:
    with pytest.raises(NicknameRefused):
        accept(name, BLOCKED)


def test_spaces_are_tidied() -> None:
    assert accept("  Ada \t Lovelace ", BLOCKED) == "Ada Lovelace"


@pytest.mark.parametrize(("one", "other"), [("Ada", "АDА"), ("bob", "b0b"), ("Lili", "1i1i"), ("Anna", "A.n.a")])
def test_names_that_look_alike_have_one_key(one: str, other: str) -> None:
    assert key(one) == key(other)


@given(st.text(max_size=40))
def test_any_text_is_taken_or_refused_in_words(name: str) -> None:
    try:
        shown = accept(name, BLOCKED)
    except NicknameRefused:
        return
    assert 2 <= len(shown) <= 20
    assert 1 <= len(key(shown)) <= 32
