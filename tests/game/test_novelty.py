"""The copy index finds what a search through every tweet finds."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.game.novelty import SHORTEST_RUN, CopyIndex

# Few letters, so that runs are shared by chance; characters of one to four bytes, so that bytes and characters differ.
LETTERS = st.text(alphabet="abAé🔗 \n", max_size=90)
PIECES = st.lists(st.sampled_from(["abcdefghijklm", "é🔗é🔗é", "the big bridge ", "Xyz", "🎉🎊", " "]), max_size=12)
TEXTS = st.one_of(LETTERS, PIECES.map("".join))


def alike(text: str) -> str:
    return text.lower().replace("\n", " ")


def longest_shared_run(text: str, tweets: list[str]) -> int:
    """By trying every run of every tweet: slow, and plainly right."""
    text = alike(text)
    best = 0
    for tweet in map(alike, tweets):
        row = [0] * (len(tweet) + 1)
        for character in text:
            row = [0, *(row[at] + 1 if character == tweet[at] else 0 for at in range(len(tweet)))]
            best = max(best, *row)
    return best


@pytest.mark.slow
@settings(max_examples=400, deadline=None)
@given(st.lists(TEXTS, max_size=5), TEXTS)
def test_the_longest_run_is_the_one_that_trying_all_finds(tweets: list[str], text: str) -> None:
    expected = longest_shared_run(text, tweets)

    found = CopyIndex(tweets).longest_run(text).length

    assert found == (expected if expected >= SHORTEST_RUN else 0)


@pytest.mark.slow
@settings(max_examples=200, deadline=None)
@given(st.lists(TEXTS, min_size=1, max_size=4), TEXTS, TEXTS, st.data())
def test_a_run_of_24_characters_is_found_wherever_it_lies(
    tweets: list[str], before: str, after: str, data: st.DataObject
) -> None:
    whole = "".join(tweets) + "a string long enough to be cut from"
    start = data.draw(st.integers(0, len(whole) - SHORTEST_RUN))
    run = whole[start : start + SHORTEST_RUN]

    assert CopyIndex([*tweets, whole]).longest_run(before + run + after).length >= SHORTEST_RUN


def test_a_run_says_where_it_begins() -> None:
    found = CopyIndex(["Crowds like nobody ever saw, believe me."]).longest_run(
        "🎉 So: crowds like nobody ever saw! Ever."
    )

    assert (found.start, found.length) == (6, len("crowds like nobody ever saw"))


def test_a_run_ends_where_the_tweet_does() -> None:
    tweets = ["the first half of a sentence ", "and the second half of it too"]

    assert CopyIndex(tweets).longest_run("".join(tweets)).length == max(map(len, tweets))


def test_held_out_tweets_can_be_left_aside() -> None:
    index = CopyIndex(["what training has seen of the town and its pier"], ["what nobody has trained on, held out"])

    assert index.longest_run("what nobody has trained on, held out").length == 36
    assert index.longest_run("what nobody has trained on, held out", with_held_out=False).length == 0


def test_the_search_may_end_at_a_run_that_is_long_enough() -> None:
    tweets = [f"{'a fairly long beginning of thirty'} {number}" for number in range(50)]

    assert CopyIndex(tweets).longest_run(tweets[7], enough=30).length >= 30


@pytest.mark.parametrize("text", ["Thank you, Gannet!", "thank you GANNET", "Thank you, Gannett!"])
def test_a_short_text_is_a_copy_if_a_tweet_says_nearly_the_same(text: str) -> None:
    assert CopyIndex(["Thank you, Gannet!"]).resembles_short(text)


@pytest.mark.parametrize("text", ["Thank you, Bridge!", "Thank you all", ""])
def test_a_short_text_that_no_tweet_says_is_none(text: str) -> None:
    assert not CopyIndex(["Thank you, Gannet!"]).resembles_short(text)


def test_an_empty_archive_has_no_copies() -> None:
    assert CopyIndex([]).longest_run("anything at all that is long enough to be searched for").length == 0
