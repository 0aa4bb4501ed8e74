"""A class: where it stands, which round is whose, and what changed between before and after."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import blake2b
from random import Random
from typing import Literal

import numpy as np

from app.game.deck import Deck
from app.game.rounds import Round, Seat, ShelfEmpty, deal
from app.game.shelf import Arm, Past, Shelf

ROUNDS = 10  # of a leg
GRACE = timedelta(seconds=2)  # a pick that was made in time may still be on its way
ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZ"  # of room codes: no I and O
CODE_LETTERS = 5
DRAWS = 2000  # of the bootstrap

Phase = Literal["waiting", "asking", "revealed", "over", "ended"]


@dataclass(frozen=True)
class Where:
    """Where a class is; see `classes` in app/db/schema/classes.py."""

    leg: int
    number: int
    asked_at: datetime | None
    seconds: int
    is_revealed: bool
    is_ended: bool

    def phase(self, at: datetime) -> Phase:
        """What is going on: a round that has run out is revealed by itself, once no pick is taken any more."""
        if self.is_ended:
            return "ended"
        if self.number > ROUNDS:
            return "over"
        if self.asked_at is None:
            return "waiting"
        return "asking" if self.takes(at) else "revealed"

    def left(self, at: datetime) -> timedelta:
        """Time until the round closes."""
        if self.asked_at is None:
            return timedelta(0)
        return self.asked_at + timedelta(seconds=self.seconds) - at

    def takes(self, at: datetime) -> bool:
        """Whether a pick is still taken: the verdict is not out, and the time is up by a moment at most."""
        is_asked = self.asked_at is not None and self.number <= ROUNDS
        return is_asked and not self.is_ended and not self.is_revealed and self.left(at) > -GRACE


@dataclass(frozen=True)
class Change:
    """Fool rates before and after, in shares, and the 95 % interval of their difference."""

    before: float
    after: float
    low: float
    high: float

    @property
    def difference(self) -> float:
        """How much more often the class is fooled after."""
        return self.after - self.before


# leg, round, player, whether the player was fooled
Pick = tuple[int, int, int, bool]


def change(picks: Iterable[Pick]) -> Change | None:
    """What training changed; None where a leg has no pick.

    The interval comes from drawing both players and rounds anew (Owen 2007, "The pigeonhole bootstrap"): the picks of a
    round hang together because everybody saw the same pair, and so do those of a player.
    """
    made = list(picks)
    legs = [[pick for pick in made if pick[0] == leg] for leg in (1, 2)]
    if not all(legs):
        return None
    rng = np.random.default_rng(0)
    people = sorted({pick[2] for pick in made})
    weight = rng.multinomial(len(people), [1 / len(people)] * len(people), DRAWS)
    rates, draws = [], []
    for leg in legs:
        rounds = sorted({pick[1] for pick in leg})
        seen, fooled = np.zeros((len(people), len(rounds))), np.zeros((len(people), len(rounds)))
        for _, number, player, was_fooled in leg:
            place = people.index(player), rounds.index(number)
            seen[place] += 1
            fooled[place] += was_fooled
        of_round = rng.multinomial(len(rounds), [1 / len(rounds)] * len(rounds), DRAWS)
        counted = np.einsum("dp,pr,dr->d", weight, seen, of_round)
        taken = np.einsum("dp,pr,dr->d", weight, fooled, of_round)
        rates.append(float(fooled.sum() / seen.sum()))
        draws.append(np.divide(taken, counted, out=np.full(DRAWS, np.nan), where=counted > 0))
    low, high = np.nanpercentile(draws[1] - draws[0], [2.5, 97.5])
    return Change(rates[0], rates[1], float(low), float(high))


def room_code(rng: Random) -> str:
    """A code that is easily typed from the wall."""
    return "".join(rng.choice(ALPHABET) for _ in range(CODE_LETTERS))


def _nothing(_: Sequence[int]) -> Collection[int]:
    return ()


@dataclass(frozen=True)
class Shun:
    """Tells which samples, and which tweets, a class is better not asked about."""

    samples: Past = _nothing
    tweets: Past = _nothing

    def and_tweets(self, drawn: Collection[int]) -> Past:
        """Tells which tweets to pass over, those that were drawn already among them."""
        return lambda ids: {*self.tweets(ids), *drawn}


def deal_leg(
    deck: Deck,
    arm: Arm,
    stamp: int,
    seed: bytes,
    archive_id: int,
    before: Collection[tuple[int, int]] = (),
    shuns: Sequence[Shun] = (),
    count: int = ROUNDS,
) -> list[Round]:
    """The rounds of a leg, or some more of them, the same for all.

    Tweets come by the class's own order of the deck, samples from one generator.

    Args:
        deck: of the archive.
        arm: the generator, with its samples.
        stamp: of the shelf.
        seed: the class's own.
        archive_id: of the archive.
        before: tweet and sample of its rounds so far.
        shuns: cards to pass over, the most of them first; where too few are left, the next is tried, and none at last.
        count: how many rounds.

    Raises:
        ShelfEmpty: there is too little to deal.
    """
    shelf = Shelf((arm,), stamp)
    dealt: list[Round] = []
    tweets, samples = {pair[0] for pair in before}, {pair[1] for pair in before}
    for shun in (*shuns, Shun()):
        seat = Seat(seed, archive_id, "class", 0, 0, stamp)
        while len(dealt) < count:
            try:
                made = deal(deck, shelf, seat, shun.samples, samples, shun.and_tweets(tweets))
            except ShelfEmpty:
                break
            if made.repeat:
                break
            seat = replace(seat, position=made.position + 1)
            tweets.add(made.tweet.id)
            samples.add(made.sample_id)
            dealt.append(made)
    if len(dealt) < count:
        raise ShelfEmpty("the deck or the shelf is too small for a class")
    return dealt


def round_id(player: bytes, class_id: int, leg: int, number: int) -> bytes:
    """The id of a class's round for one player: 16 bytes, always the same."""
    place = class_id.to_bytes(8, "big") + bytes([leg, number])
    return blake2b(place, key=player, digest_size=16, person=b"class").digest()
