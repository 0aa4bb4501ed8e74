"""The one door: what `normalise` lets pass."""

from __future__ import annotations

import time
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model.text import END, LINK, START, normalise

PIECES = [
    *"ab @#./:&;…()\"“”'\n\r\t1e",
    *("&amp;", "&#8203;", "&lt", "http", "https://", "t.co/", "pic.twitter.", "com/", "www.", LINK),
    *("\u200d", "\ufe0f", "\u200b", "\u00a0", "\u0301", "👩", "❤", "\u20e3"),
    *("\u200c", "ی", "ر", "خ", "\u0651", "क", "ष", "\u094d"),
]
ENGLAND = "🏴" + "".join(chr(0xE0000 + ord(letter)) for letter in "gbeng\x7f")  # tags
NASTY = st.lists(st.sampled_from(PIECES) | st.characters(), max_size=30).map("".join)


@pytest.mark.slow
@given(st.text() | NASTY)
@settings(max_examples=400)
def test_a_text_that_passed_passes_unchanged(raw: str) -> None:
    once = normalise(raw)
    assert normalise(once) == once


@pytest.mark.slow
@given(st.text(st.characters(categories=["Cc", "Cf", "Cs", "Mn", "So", "L", "Zs"])) | NASTY)
@settings(max_examples=400)
def test_nothing_that_cannot_be_seen_passes(raw: str) -> None:
    text = normalise(raw)
    for place, character in enumerate(text):
        if unicodedata.category(character) in ("Cc", "Cf", "Cs", "Co"):
            before = unicodedata.category(text[place - 1]) if place else "Zs"
            assert character == "\n" or (character in "\u200c\u200d" and before[0] in "LMS")
    assert not {START, END} & set(text)
    assert text == text.strip()
    assert "  " not in text
    text.encode()


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("change.https://twitter.com/x/status/1", f"change. {LINK}"),
        ("#Obamacare.pic.twitter.com/O0UhJWoqGN", f"#Obamacare. {LINK}"),
        ("#Unitedpic.twitter.com/ixCxMZzGH2", f"#United {LINK}"),
        ("new.pic.twitter.com/O0U", f"new. {LINK}"),
        ("Read: https://nyti.ms/2jAhB2P\u00a0", f"Read: {LINK}"),
        ("Tell me: https://www.obama.org/your-voice/\u00a0 https://twitter.com/x/8\u00a0…", f"Tell me: {LINK}"),
        ("see t.co/xyz now", f"see {LINK} now"),
        ("at bit.ly/2abc.", f"at {LINK}."),
        ("at facebook.com/DonaldTrump", f"at {LINK}"),
        ("www.example.com!", f"{LINK}!"),
        ("HTTP://EXAMPLE.COM/A", LINK),
        ("(http://a.com/b), ok", f"({LINK}), ok"),
        ("http://en.wikipedia.org/wiki/Foo_(bar) x", f"{LINK} x"),
        ("http://t.co/ahttp://t.co/b", LINK),
        ("http://a.com/x http://b.com/y\nhttps://t.co/z", LINK),
        ("more at http://t.…", f"more at {LINK}…"),
        ("more at https:/…", f"more at {LINK}…"),
        ("more at htt…", f"more at {LINK}…"),
        ("so hig…", "so hig…"),
        ("great:http://t.co/abc", f"great: {LINK}"),
        ("“http://t.co/abc”", f"“{LINK}”"),
        ("http://nytimes.com/2017/…/a", LINK),
        ("https://t.co/wZ3eJ1xGmQです", f"{LINK} です"),
        ("詳細はhttps://t.co/wZ3eJ1xGmQをご覧", f"詳細は {LINK} をご覧"),
        ("t.co/wZ3eJ1xGmQ에서 pic.twitter.com/O0Uと", f"{LINK} 에서 {LINK} と"),
        ("https://t.co/wZ3eJ1xGmQ😀 so it is", f"{LINK} 😀 so it is"),
        ("https://ja.wikipedia.org/wiki/日本 より", f"{LINK} より"),
    ],
)
def test_every_link_becomes_the_same_mark(raw: str, expected: str) -> None:
    assert normalise(raw) == expected


@pytest.mark.parametrize(
    "text",
    [
        "and/or",
        "9.10/10.40",
        "Inc./Ltd",
        "tell.me/us",
        "user@foo.com/x",
        "macys.com",
        "w/out",
        "24/7",
        "e.g./i.e.",
        "@a/b",
    ],
)
def test_what_is_no_link_stays(text: str) -> None:
    assert normalise(text) == text


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("Q&amp;A &lt;3 &gt; &quot;x&quot; &#39;y&#39;", "Q&A <3 > \"x\" 'y'"),
        ("a &amp;amp;amp; b", "a & b"),
        ("AT&T and R&D and ?a=1&para=2", "AT&T and R&D and ?a=1&para=2"),
        ("a&nbsp;b", "a b"),
        ("a&#8203;b", "ab"),
        ("&am\u200bp;", "&"),
    ],
)
def test_character_references_are_resolved(raw: str, expected: str) -> None:
    assert normalise(raw) == expected


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("  a \t b  ", "a b"),
        ("a\r\n\r\n  b\rc\u2028d", "a\nb\nc\nd"),
        ("a\u00a0\u2003\u3000b", "a b"),
        ("\u200ewasn\x92t\u202e \ufeffit\u200b", "wasnt it"),
        ("soft\u00adhyphen", "softhyphen"),
        ("ㅤㅤ\u2800", ""),
        ("e\u0301", "é"),
        ("“It’s” – fine…", "“It’s” – fine…"),
    ],
)
def test_white_space_and_the_invisible_are_reduced(raw: str, expected: str) -> None:
    assert normalise(raw) == expected


@pytest.mark.parametrize("emoji", ["👨‍👩‍👧", "❤️", "1️⃣", "🇺🇸", "👍🏽", "🏳️‍🌈", "👩🏽‍🚀", "🤷‍♂️", ENGLAND])
def test_emoji_stay_whole(emoji: str) -> None:
    assert normalise(f"x {emoji} y") == f"x {emoji} y"


def test_tags_outside_flags_go() -> None:
    tags = ENGLAND[1:]
    assert normalise(f"a{tags} {ENGLAND[:-1]} {tags}👍{tags} {ENGLAND}{tags}!") == f"a 🏴 👍 {ENGLAND}!"


def test_joiners_outside_emoji_go() -> None:
    assert normalise("a\u200db\ufe0f 1\ufe0f \u200d👍\u200d") == "ab 1 👍"


@pytest.mark.parametrize(
    "spelled",
    [
        *("می\u200cخواهم", "کتاب\u200cها", "خانه\u200cام"),  # Persian
        *("क्\u200dष", "क्\u200cष", "র\u200d্যাব", "ශ්\u200dරී", "ന്\u200d"),
    ],
)
def test_joiners_that_are_spelling_stay(spelled: str) -> None:
    assert normalise(f"\u200c{spelled}\u200c.") == f"{spelled}."
    assert normalise(spelled.replace("\u200c", "\u200c\u200c")) == spelled


@pytest.mark.parametrize("raw", ["کار\u200cها", "می\u200c رود", "a\u200cb", "می\u200cb", "۴\u200cساله", "क\u200cष"])
def test_joiners_that_nobody_sees_go(raw: str) -> None:
    assert normalise(raw) == raw.replace("\u200c", "")


def test_escaped_surrogate_pairs_join_and_lone_ones_go() -> None:
    assert normalise("\ud83d\ude00 \ud83d x \ude00") == "😀 x"


def test_marks_do_not_tower() -> None:
    assert normalise("Z" + "\u0335" * 40 + "o") == "Z" + "\u0335" * 3 + "o"
    assert normalise("นี้ที่") == "นี้ที่"


def test_hostile_texts_take_no_time() -> None:
    begun = time.process_time()
    for raw in (
        "&" + "amp;" * 10_000,
        "a." * 20_000 + "/",
        "&am" * 10_000,
        "http://" * 5_000,
        LINK + " " * 30_000 + LINK,
    ):
        normalise(raw)
    assert time.process_time() - begun < 1
