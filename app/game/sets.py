"""Fixed sets: ten pairs that are the same for everyone who plays them (the daily, a challenge)."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import blake2b

from app.game.deck import Deck, Tweet
from app.game.rounds import Round, Seat, ShelfEmpty, deal
from app.game.shelf import LIKENESS, Past, Shelf

TEN = 10
SPOTTED, FOOLED, SKIPPED = "s", "f", "-"  # what a seat remembers of each place


@dataclass(frozen=True)
class Pair:
    """One place of a set: its two cards, and with what probability they were drawn."""

    place: int
    tweet: Tweet
    sample_id: int
    sample_text: str
    generator_id: int
    arm: str
    arm_probability: float
    card_probability: float


@dataclass(frozen=True)
class FixedSet:
    """A set as it is played.

    Attributes:
        mode: daily or challenge.
        name: the UTC date of a daily, such as 2026-11-24; of a challenge a word that nobody can guess.
        made_by: the player whose rounds a challenge was made of.
        made_at: when; an archive that is younger has the number of the set's own, which was removed.
    """

    id: int
    archive_id: int
    mode: str
    name: str
    pairs: tuple[Pair, ...]
    made_by: int | None = None
    made_at: datetime | None = None


def compose(deck: Deck, shelf: Shelf, key: bytes, worn: Past, known: Past) -> tuple[Round, ...]:
    """Ten rounds drawn by chance from `key`: cards that nobody met (`worn` samples, `known` tweets) before others.

    Raises:
        ShelfEmpty: deck or shelf hold too few cards.
    """
    seat = Seat(key, 0, "daily", 0, 0, shelf.stamp)
    drawn: list[Round] = []
    for past, met_tweets in ((worn, known), (_nobody, known), (_nobody, _nobody)):
        seat = replace(seat, position=0)
        while len(drawn) < TEN:
            taken = {each.tweet.id for each in drawn}
            try:
                found = deal(
                    deck,
                    shelf,
                    seat,
                    past,
                    [each.sample_id for each in drawn],
                    lambda ids, taken=taken, met=met_tweets: {*met(ids), *taken},  # type: ignore[misc]
                )
            except ShelfEmpty:
                break
            if found.repeat:
                break
            drawn.append(found)
            seat = replace(seat, position=found.position + 1)
    if len(drawn) < TEN:
        raise ShelfEmpty("fewer than ten pairs can be made")
    return tuple(drawn)


def following(
    fixed: FixedSet, place: int, hidden_tweets: Collection[int], hidden_samples: Collection[int]
) -> Pair | None:
    """The next pair from `place` on of which no card was taken out since; None when the set is through."""
    for pair in fixed.pairs[place:]:
        if pair.tweet.id not in hidden_tweets and pair.sample_id not in hidden_samples:
            return pair
    return None


def deal_pair(fixed: FixedSet, pair: Pair, player: bytes, start: int, stamp: int, *, repeat: bool) -> Round:
    """The round of a pair; which card comes first depends on the player, so that nobody can pass on "left, right"."""
    place = fixed.id.to_bytes(8, "big") + pair.place.to_bytes(2, "big")
    digest = blake2b(place, key=player, digest_size=17, person=b"set").digest()
    shorter, longer = sorted((len(pair.tweet.text), len(pair.sample_text)))
    return Round(
        id=digest[:16],
        player=player,
        archive_id=fixed.archive_id,
        mode=fixed.mode,
        start=start,
        position=pair.place,
        repeat=repeat,
        tweet=pair.tweet,
        sample_id=pair.sample_id,
        sample_text=pair.sample_text,
        generator_id=pair.generator_id,
        arm=pair.arm,
        arm_probability=pair.arm_probability,
        card_probability=pair.card_probability,
        tweet_index=digest[16] & 1,
        stamp=stamp,
        is_alike=shorter >= LIKENESS * longer,
        set_id=fixed.id,
    )


def moved_on(verdicts: str, place: int, verdict: str) -> str:
    """The verdicts of a seat after the guess at `place`; places that were taken out in between are marked."""
    return verdicts.ljust(place, SKIPPED) + (SPOTTED if verdict == "spotted" else FOOLED)


def _nobody(_: object) -> set[int]:
    return set()
