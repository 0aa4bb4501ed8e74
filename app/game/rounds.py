"""Dealing: pairs a tweet with a sample of like length. Pure: the same player, place and shelf give the same round."""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b
from itertools import islice
from typing import NamedTuple

from app.game import levels
from app.game.deck import Deck, Texts, Tweet, mix
from app.game.levels import Aim
from app.game.opening import Opening
from app.game.skill import UNREAD

# Those that take turns on the shelf; one trained on a class, dealt to it alone; whatever a player practises against.
ARMS = ("champion", "candidate", "anchor", "class", "practice")
CANDIDATE = ARMS[1]
MODES = ("endless", "daily", "challenge", "practice", "class")
POLICY = 1  # goes up when the way of choosing cards changes; stored with each guess
OPENING = 2  # the policy of a newcomer's first pair: chosen to be short and easy, so it is no label
NEAR = 3  # the policy of a round whose sample was chosen by the player's skill; it teaches, and judges no canary
AT_RANDOM = (1,)  # policies by which nothing but chance chooses the cards: a canary is judged by those
LIKENESS = 0.8  # shorter card / longer card, at the least
NEIGHBOURS = 24  # samples of about the tweet's length among which chance decides
LOOKS = 8  # samples that one look-up asks the player's past about
PATIENCE = 2000  # places that are tried for a card before the deck counts as empty

# Asked for sample ids, tells those that the player met already.
Past = Callable[[Sequence[int]], Collection[int]]


class ShelfEmpty(LookupError):  # noqa: N818  # a state of the game, not a mistake
    """Nothing can be dealt to this player now: no deck, no shelf, or every sample met already."""


@dataclass(frozen=True)
class Seat:
    """Where a player stands in an archive.

    Attributes:
        player: the player's secret key (16 bytes), the source of all chance in the deal.
        position: the next place in the player's order of the deck.
        again: the same among repeats, once the deck is through.
        stamp: the shelf's stamp that this deal is made with.
        opponent: in practice the generator that was chosen: each has an order of the deck of its own, since a tweet
            beside two samples would give itself away.
        skill: by which samples are chosen, as it stood when the place was laid down; None: by chance alone.
    """

    player: bytes
    archive_id: int
    mode: str
    position: int
    again: int
    stamp: int
    opponent: int = 0
    skill: float | None = None


class Round(NamedTuple):
    """One dealt pair.

    Attributes:
        id: 16 bytes, the same whenever the same deal is made.
        start: the seat's place that it was dealt from.
        position: the place that it took, at or after `start`.
        repeat: the player met the tweet before; teaches nothing.
        tweet_index: 0 or 1, which card is the tweet.
        arm_probability: of this arm, given what is on the shelf.
        card_probability: of this sample, given tweet, arm and the length that was drawn, whether by chance alone or by
            the player's skill; the tweet is uniform over the deck.
        is_alike: whether the cards' lengths lie within 25 % of each other.
        set_id: the fixed set that it is a place of; 0 for rounds that are dealt to the player alone.
    """

    id: bytes
    player: bytes
    archive_id: int
    mode: str
    start: int
    position: int
    repeat: bool
    tweet: Tweet
    sample_id: int
    sample_text: str
    generator_id: int
    arm: str
    arm_probability: float
    card_probability: float
    tweet_index: int
    stamp: int
    is_alike: bool
    set_id: int = 0
    policy: int = POLICY

    @property
    def cards(self) -> tuple[str, str]:
        """The two texts as shown."""
        return (self.tweet.text, self.sample_text) if self.tweet_index == 0 else (self.sample_text, self.tweet.text)


class Rack:
    """The samples of one generator, by length; which of them lie on the shelf depends on the stamp."""

    def __init__(
        self,
        ids: Sequence[int],
        texts: Sequence[str],
        shelved: Sequence[int],
        retired: Sequence[int | None],
        strengths: Sequence[tuple[float, int] | None] = (),
    ) -> None:
        """`strengths`: of those that were read, their strength and the stamp from which it counts; none: of nobody."""
        order = sorted(range(len(ids)), key=lambda index: (len(texts[index]), ids[index]))
        self.ids = [ids[index] for index in order]
        self.texts = Texts([texts[index] for index in order])
        self._lengths = [len(texts[index]) for index in order]
        self._keys = [mix(sample_id) for sample_id in self.ids]
        self._spans = [(shelved[index], retired[index]) for index in order]
        self._strengths = [strengths[index] for index in order] if strengths else [None] * len(order)
        # Seats lag behind the shelf by different stamps, but only by a few of them at a time.
        self.on_shelf = lru_cache(maxsize=32)(self._on_shelf)

    def _on_shelf(self, stamp: int) -> tuple[list[int], list[int]]:
        """The samples that may be dealt at a stamp, shortest first: their indices and their lengths."""
        indices = [
            index
            for index, (shelved, retired) in enumerate(self._spans)
            if shelved <= stamp and (retired is None or stamp < retired)
        ]
        return indices, [self._lengths[index] for index in indices]

    def without(self, ids: Collection[int]) -> Rack:
        """The same, less those samples."""
        left = [index for index, sample_id in enumerate(self.ids) if sample_id not in ids]
        return Rack(
            [self.ids[index] for index in left],
            [self.texts[index] for index in left],
            [self._spans[index][0] for index in left],
            [self._spans[index][1] for index in left],
            [self._strengths[index] for index in left],
        )

    def level(self, stamp: int) -> int:
        """How many samples may be dealt at a stamp."""
        return len(self.on_shelf(stamp)[0])

    def choose(
        self, length: int, stamp: int, point: int, past: Past, aim: Aim | None = None
    ) -> tuple[int, float] | None:
        """A sample for a tweet of `length` characters that the player has not met: its index, its probability.

        Its neighbours are those nearest to it in the order of lengths, as many shorter as longer ones: so neither card
        tends to be the longer one, and where the shelf's lengths are distributed as the deck's, as restocking sees to,
        neither card's length tells anything. Among them the highest hash wins (rendezvous), so that a sample that comes
        or goes changes only the rounds that it takes part in. With an `aim` those that are about as strong as is wanted
        win more often.
        """
        indices, lengths = self.on_shelf(stamp)
        low = bisect_left(lengths, math.ceil(length * LIKENESS))
        high = bisect_right(lengths, math.floor(length / LIKENESS))
        first, last = bisect_left(lengths, length), bisect_right(lengths, length)
        # Anywhere among those that are just as long: a limit that many tweets reach is reached by many samples.
        middle = first + ((point & 0xFFFF) * (last - first + 1) >> 16)
        places = _outward(middle, low, high)
        while group := [indices[place] for place in islice(places, NEIGHBOURS)]:
            met = past([self.ids[index] for index in group])
            unmet = [index for index in group if self.ids[index] not in met]
            if unmet:
                return self._choose(unmet, stamp, point, aim)
        # Nothing of like length: what is nearest to the tweet, which the round then says of itself.
        rest = [indices[place] for place in _outward(middle, 0, len(lengths)) if not low <= place < high]
        index = self._first_unmet(rest, past)
        return None if index is None else (index, 1.0)

    def _choose(self, indices: Sequence[int], stamp: int, point: int, aim: Aim | None) -> tuple[int, float]:
        points = [mix(self._keys[index] ^ point) for index in indices]
        if aim is None:
            return indices[points.index(max(points))], 1 / len(indices)
        read = [self._strengths[index] for index in indices]
        # One that was not read by that stamp counts as average: what is found out later changes no open round.
        strengths = [UNREAD.mean if each is None or each[1] > stamp else each[0] for each in read]
        place, probability = aim.choose(strengths, points)
        return indices[place], probability

    def _first_unmet(self, indices: Sequence[int], past: Past) -> int | None:
        for start in range(0, len(indices), LOOKS):
            some = indices[start : start + LOOKS]
            met = past([self.ids[index] for index in some])
            for index in some:
                if self.ids[index] not in met:
                    return index
        return None


def _outward(middle: int, low: int, high: int) -> Iterator[int]:
    """The places in [low, high), from the middle outward, one below and one above in turn while there are both."""
    for distance in range(high - low):
        if low <= middle - 1 - distance < high:
            yield middle - 1 - distance
        if low <= middle + distance < high:
            yield middle + distance


@dataclass(frozen=True)
class Arm:
    """A generator at play: its name in play, its share of rounds, its samples."""

    name: str
    generator_id: int
    share: float
    rack: Rack


@dataclass(frozen=True)
class Shelf:
    """The samples that can be dealt of an archive, by arm.

    Attributes:
        stamp: the newest change that is in here.
        floor: the oldest stamp that it still knows; a seat that is older counts as this.
    """

    arms: tuple[Arm, ...]
    stamp: int
    floor: int = 0

    @property
    def has_canary(self) -> bool:
        """Whether a candidate is tried beside the champion: then cards are dealt at random, whatever the level."""
        return any(arm.name == CANDIDATE and arm.share > 0 for arm in self.arms)

    def level(self) -> int:
        """How many samples may be dealt now."""
        return sum(arm.rack.level(self.stamp) for arm in self.arms if arm.share > 0)


def _none_met(_: Sequence[int]) -> Collection[int]:
    return ()


def deal(
    deck: Deck,
    shelf: Shelf,
    seat: Seat,
    past: Past,
    excluded: Collection[int] = (),
    met_tweets: Past = _none_met,
) -> Round:
    """Pair the player's next tweet with a sample of like length, in random order.

    `past` tells which samples the player met; `excluded` are samples of rounds still open, or kept for a daily;
    `met_tweets` tells which tweets the player met in another mode, or may yet meet in a daily.

    Raises:
        ShelfEmpty: there is no card, or no sample that the player has not met.
    """
    position, repeat, tweet = _next_tweet(deck, seat, met_tweets)
    stamp = min(max(seat.stamp, shelf.floor), shelf.stamp)
    if not any(arm.share > 0 and arm.rack.level(stamp) for arm in shelf.arms):
        # Another generator came to play since: nothing of its own was there at the seat's stamp.
        stamp = shelf.stamp
    chance = _chance(seat, position, repeat)
    aim = None
    if seat.skill is not None and not repeat and not shelf.has_canary:
        aim = levels.aim(seat.skill, (chance[2] >> 1) / 2**63)  # the lowest bit says which card comes first
    start = seat.again if repeat else seat.position

    def met(samples: Sequence[int]) -> set[int]:
        return {*past(samples), *excluded}

    for arm, probability in _arms_in_turn(shelf, stamp, chance[0]):
        chosen = arm.rack.choose(len(tweet.text), stamp, chance[1], met, aim)
        if chosen is None and repeat:
            # Through with deck and shelf: a sample may come again as well, and the round teaches nothing.
            chosen = arm.rack.choose(len(tweet.text), stamp, chance[1], lambda _: set(excluded))
        if chosen is not None:
            index, card_probability = chosen
            text = arm.rack.texts[index]
            sample_id = arm.rack.ids[index]
            tweet_index = chance[2] & 1
            shorter, longer = sorted((len(text), len(tweet.text)))
            return Round(
                id=_round_id(seat, position, repeat, tweet.id, sample_id, tweet_index),
                player=seat.player,
                archive_id=seat.archive_id,
                mode=seat.mode,
                start=start,
                position=position,
                repeat=repeat,
                tweet=tweet,
                sample_id=sample_id,
                sample_text=text,
                generator_id=arm.generator_id,
                arm=arm.name,
                arm_probability=probability,
                card_probability=card_probability,
                tweet_index=tweet_index,
                stamp=stamp,
                is_alike=shorter >= LIKENESS * longer,
                policy=POLICY if aim is None or aim.is_chance else NEAR,
            )
    raise ShelfEmpty("every sample on the shelf is known to this player")


def open_with(opening: Opening, seat: Seat, excluded: Collection[int] = ()) -> Round | None:
    """A newcomer's first round, short and easy; None where there are no such cards, or it is not the first."""
    if seat.mode != "endless" or seat.position or seat.again:
        return None
    chosen = opening.choose(seat.player, seat.archive_id, excluded)
    if chosen is None:
        return None
    tweet, sample, tweet_index = chosen
    return Round(
        id=_round_id(seat, 0, False, tweet.id, sample.id, tweet_index),
        player=seat.player,
        archive_id=seat.archive_id,
        mode=seat.mode,
        start=0,
        position=0,
        repeat=False,
        tweet=tweet,
        sample_id=sample.id,
        sample_text=sample.text,
        generator_id=sample.generator_id,
        arm=sample.arm,
        arm_probability=1.0,
        card_probability=1.0,
        tweet_index=tweet_index,
        stamp=seat.stamp,
        is_alike=True,
        policy=OPENING,
    )


def _next_tweet(deck: Deck, seat: Seat, met: Past) -> tuple[int, bool, Tweet]:
    size = len(deck)
    if not size:
        raise ShelfEmpty("the deck holds no card")
    order = _order(seat)
    for position in range(seat.position, min(size, seat.position + PATIENCE)):
        tweet = deck.card(order, position)
        if tweet is not None and tweet.id not in met([tweet.id]):
            return position, False, tweet
    for position in range(seat.again, seat.again + min(size, PATIENCE)):
        tweet = deck.card(order, position % size)
        if tweet is not None:
            return position, True, tweet
    raise ShelfEmpty("no card of the deck may be dealt")


def _order(seat: Seat) -> bytes:
    """The key of the player's order of the deck: another one for each opponent in practice."""
    if seat.mode == "endless":
        return seat.player
    name = seat.mode.encode() + seat.opponent.to_bytes(8, "big")
    return blake2b(name, key=seat.player, digest_size=16, person=b"order").digest()


def _arms_in_turn(shelf: Shelf, stamp: int, chance: int) -> Iterator[tuple[Arm, float]]:
    """The arm that chance draws, independent of the cards, and then the others, should the player know all of it."""
    stocked = [arm for arm in shelf.arms if arm.share > 0 and arm.rack.level(stamp)]
    total = sum(arm.share for arm in stocked)
    point = chance / 2**64 * total
    drawn = 0
    for number, arm in enumerate(stocked):
        drawn = number
        point -= arm.share
        if point < 0:
            break
    for arm in stocked[drawn : drawn + 1] + stocked[:drawn] + stocked[drawn + 1 :]:
        yield arm, arm.share / total


def turn(player: bytes, answered: int) -> int:
    """A number by which chance says whose turn it is, of several archives, after so many rounds."""
    digest = blake2b(answered.to_bytes(8, "big"), key=player, digest_size=8, person=b"turn").digest()
    return int.from_bytes(digest, "big")


def _chance(seat: Seat, position: int, repeat: bool) -> tuple[int, int, int]:
    """Three independent 64-bit numbers: for the arm, the sample, and for the order and whether skill chooses."""
    digest = blake2b(_place(seat, position, repeat), key=seat.player, digest_size=24, person=b"chance").digest()
    return tuple(int.from_bytes(digest[i : i + 8], "big") for i in (0, 8, 16))  # type: ignore[return-value]


def _round_id(seat: Seat, position: int, repeat: bool, tweet: int, sample: int, order: int) -> bytes:
    cards = tweet.to_bytes(8, "big") + sample.to_bytes(8, "big") + bytes([order])
    place = _place(seat, position, repeat)
    return blake2b(place + cards, key=seat.player, digest_size=16, person=b"round").digest()


def _place(seat: Seat, position: int, repeat: bool) -> bytes:
    mode = bytes([MODES.index(seat.mode), repeat])
    opponent = seat.opponent.to_bytes(8, "big") if seat.opponent else b""
    return seat.archive_id.to_bytes(8, "big") + mode + position.to_bytes(8, "big") + opponent
