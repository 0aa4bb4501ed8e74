"""The opening: short, alike in length, easy, and not the same for all."""

from __future__ import annotations

from app.game.deck import Tweet
from app.game.opening import LONGEST, MOST, Opening, Short, expected, prepare
from app.game.rounds import OPENING, Seat, open_with

WORDS = frozenset(["the", "ferry", "is", "late", "again", "and", "harbour", "clock", "says", "never", "mind"])
TWEETS = tuple(Tweet(number, f"The ferry is late again and the harbour clock says {number:02}") for number in range(20))


def short(number: int, text: str = "The ferry is late again and the harbour clock says never", **counts: int) -> Short:
    return Short(number, text, 1, "champion", **counts)


def player(number: int) -> bytes:
    return number.to_bytes(16, "big")


def test_what_players_spotted_is_easier_than_what_fooled_them() -> None:
    assert expected(short(1, guesses=19, fooled=2), WORDS) < expected(short(2, guesses=19, fooled=12), WORDS)


def test_before_anybody_guessed_strange_words_are_easier() -> None:
    strange = short(1, "The forrbe is letg agaim and the harbouck clocq says nevre")
    assert expected(strange, WORDS) < expected(short(2), WORDS)


def test_only_the_easiest_short_samples_open() -> None:
    samples = [short(number, guesses=20, fooled=number) for number in range(60)]
    opening = prepare(TWEETS, [*samples, short(99, "x" * (LONGEST + 1))], WORDS)
    assert [sample.id for sample in opening.samples] == list(range(MOST))


def test_cards_are_alike_in_length_and_players_get_different_ones() -> None:
    opening = Opening(TWEETS, tuple(short(number) for number in range(20)))
    chosen = [opening.choose(player(number), 1) for number in range(40)]
    assert all(each is not None for each in chosen)
    assert len({each[1].id for each in chosen if each}) > 8
    assert Opening(TWEETS, (short(1, "t" * 31),)).choose(player(1), 1) is None


def test_it_is_the_first_round_alone_and_says_that_it_was_chosen() -> None:
    opening = Opening(TWEETS, (short(1), short(2)))
    first = open_with(opening, Seat(player(1), 1, "endless", 0, 0, 5))
    assert first is not None
    assert (first.policy, first.start, first.position, first.repeat) == (OPENING, 0, 0, False)
    assert first == open_with(opening, Seat(player(1), 1, "endless", 0, 0, 5))
    assert open_with(opening, Seat(player(1), 1, "endless", 1, 0, 5)) is None
    assert open_with(opening, Seat(player(1), 1, "endless", 0, 1, 5)) is None
    assert open_with(opening, Seat(player(1), 1, "practice", 0, 0, 5)) is None
    assert open_with(opening, Seat(player(1), 1, "endless", 0, 0, 5), {1, 2}) is None
