"""What texts say to the rules, and how they are compared."""

from __future__ import annotations

import pytest

from app.wording import fold, hashtags, leaning, mentions
from model.text import LINK


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("@bob yes", "reply"),
        (".@bob yes", None),
        ("....and so on", "thread"),
        ("…and so on", "thread"),
        ("and so on....", "thread"),
        (f"and so on.. {LINK}", "thread"),
        ("1/5 First", "thread"),
        ("First (1/5)", "thread"),
        (f"First 1/5 {LINK}", "thread"),
        ("(2 of 3) Second", "thread"),
        ("never forget 9/11", None),
        ("open 24/7", None),
        ("wait... what", None),
        ("cut off here…", "cut"),
        (f"cut off here… {LINK}", "cut"),
        (f"{LINK}…", "cut"),
        (f"too long (cont) {LINK}", "cut"),
        ("a plain statement.", None),
        ("", None),
    ],
)
def test_texts_that_lean_on_others_are_told(text: str, expected: str | None) -> None:
    assert leaning(text) == expected


def test_folding_keeps_letters_and_digits_only() -> None:
    assert fold(f"“Don’t STOP!!”  Café, ①② naïve {LINK} #MAGA_2016") == "dont stop cafe 12 naive maga 2016"


def test_folding_keeps_the_words_of_other_scripts_together() -> None:
    assert fold("हिन्दी में") == fold("हिन्दी  में!")
    assert " " not in fold("हिन्दी")


def test_mentions_are_handles_and_no_addresses() -> None:
    assert mentions("Hi @Bob, .@ALICE_1 a@b.com @@no @way @josé") == ["bob", "alice_1", "way"]


@pytest.mark.parametrize(
    "text", ["こんにちは@bobさん", "ありがとう@bob さん", "@bob님 감사", "谢谢＠bob，再见", "привет @bobу"]
)
def test_a_mention_may_stand_among_letters_of_other_scripts(text: str) -> None:
    assert mentions(text) == ["bob"]


def test_hashtags_are_words() -> None:
    assert hashtags("#MAGA #1 a#b #Café2 &#39;") == ["maga", "café2"]
