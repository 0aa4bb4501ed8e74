"""The sieve: which rows are the account's own words."""

from __future__ import annotations

import pytest

from app.archives.records import Record
from app.archives.sift import (
    EMPTY,
    LINK_ONLY,
    NO_TEXT,
    NOT_PUBLIC,
    OTHER_ACCOUNT,
    QUOTE,
    RETWEET,
    TOO_LONG,
    WARNED,
    Sieve,
    Tweet,
)
from model.text import LINK


def verdict(text: str | None, **fields: object) -> str | None:
    """The reason why a text is left out; None where it passes."""
    sifted = Sieve("Mayor").sift(Record(text, **fields))  # type: ignore[arg-type]
    return sifted if isinstance(sifted, str) else None


def passed(text: str, **fields: object) -> Tweet:
    sifted = Sieve("Mayor").sift(Record(text, **fields))  # type: ignore[arg-type]
    assert isinstance(sifted, Tweet)
    return sifted


@pytest.mark.parametrize(
    "text",
    [
        *("RT @bob: hello", "rt @bob hello", "RT: @bob hello", "RT@bob hello", "“RT @bob: hello"),
        "RT: https://truthsocial.com/users/bob/statuses/117367780569149238",
        "RT: https://truthsocial.com/users/bob/statuses/117367780569149238The words of Bob",
    ],
)
def test_a_retweet_is_left_out(text: str) -> None:
    assert verdict(text) == RETWEET


def test_what_the_file_holds_as_a_repetition_is_left_out() -> None:
    assert verdict("A fine day", reposted=True) == RETWEET
    assert verdict("", reposted=True) == RETWEET


def test_what_was_not_public_is_left_out() -> None:
    assert verdict("", private=True) == NOT_PUBLIC


def test_what_stood_behind_a_warning_is_left_out() -> None:
    assert verdict("", warned=True) == WARNED


@pytest.mark.parametrize(
    "text", ["RT if you agree: it is time.", "RT this, @bob!", "SMART @bob people", "Retweet @bob"]
)
def test_a_call_to_retweet_is_genuine(text: str) -> None:
    assert verdict(text) is None


@pytest.mark.parametrize(
    "text",
    [
        '"@bob: You are right!" Thanks',
        "An amazing stat https://t.co/8Mg2wsYX77 QT @bob It would have cost you ten million",
        '"@bob: You are right! no closing mark',
        "“@bob: You are right!” Thanks",
        "'@bob You are right",
        '""@bob: doubled',
        '  "@bob: indented',
        '@bob\n"@Mayor you are right" Thanks!',
        '.@bob "@Mayor you are right" Thanks!',
        "I agree! RT @bob: well said",
        "I can't wait...RT @bob: well said",
        "Good news MT @bob well said",
        "なるほどRT @bob: 今日は",
        'Great: "@bob: well said"',
    ],
)
def test_a_quote_of_others_is_left_out(text: str) -> None:
    assert verdict(text) == QUOTE


@pytest.mark.parametrize(
    "text",
    [
        "“The only way” @bob",
        'He said "hello @bob"',
        "Via @paper: “@bob New York Debuts” today",
        '"A quote." - Somebody',
        "Watch ART @gallery tonight",
    ],
)
def test_own_words_with_quotation_marks_are_kept(text: str) -> None:
    assert verdict(text) is None


@pytest.mark.parametrize(
    "text", ["https://t.co/abc", "  https://t.co/abc https://t.co/def ", "https://t.co/abc!", ".. t.co/a"]
)
def test_nothing_but_a_link_is_left_out(text: str) -> None:
    assert verdict(text) == LINK_ONLY


@pytest.mark.parametrize("text", ["#OrlandoUnitedpic.twitter.com/ixCx", "🇺🇸 https://t.co/abc", "!!!"])
def test_a_link_with_something_is_kept(text: str) -> None:
    assert verdict(text) is None


def test_no_text_and_empty_texts_are_told_apart() -> None:
    assert verdict(None) == NO_TEXT
    assert verdict(" \u200b&nbsp; ") == EMPTY


@pytest.mark.parametrize("text", ["[deleted]", "[removed]"])
def test_what_stands_for_words_that_are_gone_is_empty(text: str) -> None:
    assert verdict(text) == EMPTY


def test_what_no_card_could_hold_is_too_long() -> None:
    assert verdict("a " * 6_000) == TOO_LONG
    assert verdict("a" * 1_000_000) == TOO_LONG
    assert verdict("a" + " " * 30_000 + "b") is None


def test_rows_of_other_accounts_are_left_out_when_the_handle_is_known() -> None:
    assert verdict("hello there", handle="bob") == OTHER_ACCOUNT
    assert verdict("hello there", handle="MAYOR") is None
    assert isinstance(Sieve(None).sift(Record("hello there", handle="bob")), Tweet)


@pytest.mark.parametrize(
    ("authors", "others"),
    [
        (["mayor", "bob"], 1),
        (["Mayor"] * 18 + ["[deleted]", "BOB"], 2),  # whoever is asked for is among them
        (["mayor_press"] * 3, 3),
        (["mayor", "bob-b", "[deleted]", "[deleted]"], 3),  # of Reddit
        (["Oprah"] * 3, 0),  # as somebody may be called whose handle is another
        (["Mayor", "Bob Builder", "Carol Smith"], 0),
        (["12", "13"], 0),
    ],
)
def test_authors_are_other_accounts_where_they_are_called_by_handles(authors: list[str], others: int) -> None:
    records = [Record("A fine day", author=author) for author in authors]
    sieve = Sieve("Mayor")
    sieve.meet(records)
    assert [sieve.sift(record) for record in records].count(OTHER_ACCOUNT) == others


@pytest.mark.parametrize(
    ("text", "fields", "expected"),
    [
        ("@bob yes", {}, "reply"),
        ("yes, that", {"in_reply": True}, "thread"),
        ("yes, that", {"in_reply": True, "reply_to": "mayor"}, "thread"),
        ("yes, that", {"in_reply": True, "reply_to": "bob"}, "reply"),
        ("yes, that…", {"in_reply": True}, "cut"),
        ("yes, that", {}, None),
    ],
)
def test_tweets_that_lean_on_others_are_kept_and_marked(
    text: str, fields: dict[str, object], expected: str | None
) -> None:
    assert passed(text, **fields).leaning == expected


def test_a_passage_never_leans() -> None:
    sifted = Sieve(None, passages=True).sift(Record("... and so to bed."))
    assert isinstance(sifted, Tweet)
    assert sifted.leaning is None


def test_a_tweet_is_known_by_its_id_and_else_by_its_normalised_text() -> None:
    assert passed("hello", id="1234567").key == passed("bye", id="1234567").key == "id:1234567"
    # May be the number of a row: another file has its own row of that number.
    assert passed("hello", id="12").key != passed("bye", id="12").key
    assert passed("hello  &amp; you").key == passed("hello & you ").key
    assert passed("see http://a.com").key == passed(f"see {LINK}").key
    assert passed("hello").key != passed("Hello").key
