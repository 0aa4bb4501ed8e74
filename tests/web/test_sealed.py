"""Seals: what comes out is what went in, and nothing else is let in."""

from __future__ import annotations

import base64
import struct
from datetime import UTC, datetime, timedelta

import pytest

from app.game.deck import Tweet
from app.game.rounds import MODES, Round
from app.game.shelf import ARMS
from app.web.sealed import BadSeal, RoundSeal, Seal, derive

OLD, NEW = b"an older secret of tests, 32 and more", b"a newer secret of tests, 32 and more"
NOW = datetime(2026, 5, 1, 12, 30, 15, 678_000, tzinfo=UTC)
DEALT = Round(
    id=bytes(range(16)),
    player=bytes(range(16, 32)),
    archive_id=3,
    mode="practice",
    start=40,
    position=41,
    repeat=True,
    tweet=Tweet(5, "A tweet of twenty-nine signs."),
    sample_id=6,
    sample_text="A sample of thirty characters.",
    generator_id=7,
    arm="anchor",
    arm_probability=0.05,
    card_probability=1 / 24,
    tweet_index=1,
    stamp=8,
    is_alike=True,
    set_id=9,
    policy=3,
)


def test_a_round_comes_out_of_its_token_as_it_was_dealt() -> None:
    opened = RoundSeal([NEW]).open(RoundSeal([NEW]).close(DEALT, NOW))
    carried = {name: value for name, value in opened._asdict().items() if name in DEALT._fields}

    assert carried == {name: getattr(DEALT, name) for name in carried}


@pytest.mark.parametrize("repeat", [True, False])
@pytest.mark.parametrize("again", [True, False])
@pytest.mark.parametrize("tweet_index", [0, 1])
def test_a_repeat_is_told_from_which_card_comes_first(repeat: bool, again: bool, tweet_index: int) -> None:
    seal = RoundSeal([NEW])
    opened = seal.open(seal.close(DEALT._replace(repeat=repeat, again=again, tweet_index=tweet_index), NOW))

    assert (opened.repeat, opened.again, opened.tweet_index) == (repeat, again, tweet_index)
    assert (type(opened.repeat), type(opened.tweet_index)) == (bool, int)  # PostgreSQL tells 1 and true apart
    assert (opened.tweet_id, opened.characters, opened.dealt_at) == (5, 59, NOW)


@pytest.mark.parametrize("repeat", [True, False])
def test_a_token_of_before_the_two_were_told_apart_moves_the_same_place(repeat: bool) -> None:
    """One bit stood for both: rounds that are open while a site is brought up to date can still be answered."""
    seal = RoundSeal([NEW])
    content = seal._seal.open(seal.close(DEALT._replace(repeat=repeat, again=repeat), NOW))
    place = struct.calcsize(">B16s16sIQQIBBQQ")

    assert content[place] == repeat
    opened = seal.open(seal._seal.close(content))
    assert (opened.repeat, opened.again) == (repeat, repeat)


@pytest.mark.parametrize("arm", ARMS)
@pytest.mark.parametrize("mode", MODES)
def test_every_arm_and_mode_comes_out_of_its_token(arm: str, mode: str) -> None:
    opened = RoundSeal([NEW]).open(RoundSeal([NEW]).close(DEALT._replace(arm=arm, mode=mode), NOW))

    assert (opened.arm, opened.mode) == (arm, mode)


def test_every_token_has_the_same_length() -> None:
    seal = RoundSeal([NEW])
    small = DEALT._replace(archive_id=0, sample_id=0, sample_text="", start=0, position=0, stamp=0, set_id=0)

    assert len(seal.close(small, NOW)) == len(seal.close(DEALT, NOW + timedelta(days=9000)))


def test_what_an_older_key_sealed_is_opened_and_told_apart() -> None:
    sealed = Seal([OLD], "a test", 4).close(b"four")
    rotated = Seal([NEW, OLD], "a test", 4)

    assert rotated.open(sealed) == b"four"
    assert not rotated.is_of_newest_key(sealed)
    assert rotated.is_of_newest_key(rotated.close(b"four"))


def test_what_is_sealed_now_is_sealed_with_the_newest_key() -> None:
    assert Seal([NEW], "a test", 4).open(Seal([NEW, OLD], "a test", 4).close(b"four")) == b"four"


@pytest.mark.parametrize(("secret", "purpose"), [(OLD, "a test"), (NEW, "another")])
def test_what_another_key_or_purpose_sealed_is_not_opened(secret: bytes, purpose: str) -> None:
    with pytest.raises(BadSeal, match="not ours"):
        Seal([NEW], "a test", 4).open(Seal([secret], purpose, 4).close(b"four"))


def test_every_purpose_has_a_key_of_its_own() -> None:
    assert derive(NEW, "rounds") == derive(NEW, "rounds")
    assert len({derive(NEW, "rounds"), derive(NEW, "cookies"), derive(OLD, "rounds")}) == 3
    assert len(derive(NEW, "rounds")) == 32


def test_a_seal_is_opened_in_its_one_spelling_only() -> None:
    seal = Seal([NEW], "a test", 4)
    sealed = seal.close(b"four")  # 32 bytes: 43 characters, of whose last one two bits say nothing
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    other = sealed[:-1] + letters[letters.index(sealed[-1]) ^ 1]

    assert base64.urlsafe_b64decode(other + "=") == base64.urlsafe_b64decode(sealed + "=")
    with pytest.raises(BadSeal, match="not spelled as we spell"):
        seal.open(other)


@pytest.mark.parametrize("change", [lambda sealed: sealed[:-1], lambda sealed: sealed + "A", lambda _: ""])
def test_what_is_not_as_wide_as_a_seal_is_not_looked_at(change) -> None:
    seal = Seal([NEW], "a test", 4)

    with pytest.raises(BadSeal, match="not of our width"):
        seal.open(change(seal.close(b"four")))


def test_what_is_no_base64_is_refused_and_not_stumbled_over() -> None:
    seal = Seal([NEW], "a test", 4)

    for strange in ("é" * seal.width, "=" * seal.width, "\n" * seal.width, "a" * (seal.width - 1) + "="):
        with pytest.raises(BadSeal):
            seal.open(strange)


def test_the_same_content_is_never_sealed_twice_alike() -> None:
    seal = Seal([NEW], "a test", 4)

    assert len({seal.close(b"four") for _ in range(50)}) == 50


def test_a_token_of_another_version_is_refused() -> None:
    seal = RoundSeal([NEW])
    inside = seal._seal.open(seal.close(DEALT, NOW))

    with pytest.raises(BadSeal, match="of another version"):
        seal.open(seal._seal.close(bytes([inside[0] + 1]) + inside[1:]))
