"""Dealing: pairs a tweet with a sample of like length. Pure: the same player, place and shelf give the same round."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from typing import NamedTuple

from app.game import levels
from app.game.deck import Deck, Tweet
from app.game.opening import Opening
from app.game.shelf import LIKENESS, Arm, Past, Shelf

MODES = ("endless", "daily", "challenge", "practice", "class")
POLICY = 1  # goes up when the way of choosing cards changes; stored with each guess
OPENING = 2  # the policy of a newcomer's first pair: chosen to be short and easy, so it is no label
NEAR = 3  # the policy of a round whose sample was chosen by the player's skill; it teaches, and judges no canary
AT_RANDOM = (1,)  # policies by which nothing but chance chooses the cards: a canary is judged by those
PATIENCE = 2000  # places that are tried for a card before the deck counts as empty


class ShelfEmpty(LookupError):  # noqa: N818  # a state of the game, not a mistake
    """Nothing can be dealt to this player now: nothing is written, or one of the two reasons below."""


class NoCard(ShelfEmpty):
    """No tweet of the deck may be dealt."""


class AllMet(ShelfEmpty):
    """The player has met every sample."""


@dataclass(frozen=True)
class Seat:
    """Where a player stands in an archive.

    Attributes:
        player: the player's secret key (16 bytes), the source of all chance in the deal.
        position: the next place in the player's order of the deck.
        again: the same once the deck is through, when the order begins anew.
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
        repeat: the player met one of the cards before; teaches nothing.
        tweet_index: 0 or 1, which card is the tweet.
        arm_probability: of this arm, given what is on the shelf.
        card_probability: of this sample, given tweet, arm and the length that was drawn, whether by chance alone or by
            the player's skill; the tweet is uniform over the deck.
        is_alike: whether the cards' lengths lie within 25 % of each other.
        set_id: the fixed set that it is a place of; 0 for rounds that are dealt to the player alone.
        again: the deck is through, and `start` and `position` count among the seat's `again`. A tweet that was passed
            over when its turn came, since a daily kept it, is no repeat even so.
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
    again: bool = False

    @property
    def cards(self) -> tuple[str, str]:
        """The two texts as shown."""
        return (self.tweet.text, self.sample_text) if self.tweet_index == 0 else (self.sample_text, self.tweet.text)


class Deal(NamedTuple):
    """What is known of a round but its texts: what its token carries, and a guess brings back.

    Attributes:
        characters: of both cards together.
        dealt_at: when it was sealed.
        For the others see `Round`.
    """

    id: bytes
    player: bytes
    archive_id: int
    tweet_id: int
    sample_id: int
    generator_id: int
    arm: str
    mode: str
    start: int
    position: int
    repeat: bool
    tweet_index: int
    arm_probability: float
    card_probability: float
    stamp: int
    policy: int
    characters: int
    dealt_at: datetime
    set_id: int
    again: bool = False

    @property
    def is_chosen(self) -> bool:
        """Whether somebody picked the pair: such a guess is no label."""
        return self.policy == OPENING


def _none_met(_: Sequence[int]) -> Collection[int]:
    return ()


def deal(
    deck: Deck,
    shelf: Shelf,
    seat: Seat,
    past: Past,
    excluded: Collection[int] = (),
    met_tweets: Past = _none_met,
    barred: Collection[int] = (),
) -> Round:
    """Pair the player's next tweet with a sample of like length, in random order.

    `past` tells which samples the player met, `met_tweets` which tweets, in whatever mode; `excluded` are samples of
    rounds still open, or kept for a daily, `barred` such tweets.

    Raises:
        NoCard: no tweet may be dealt.
        AllMet: there is no sample that the player has not met.
        ShelfEmpty: there is no sample at all.
    """
    position, again, tweet = _next_tweet(deck, seat, met_tweets, barred)
    repeat = again and tweet.id in met_tweets([tweet.id])
    stamp = _stamp(shelf, seat)
    chance = _chance(seat, position, again)
    aim = None
    if seat.skill is not None and not again and not shelf.has_canary:
        aim = levels.aim(seat.skill, (chance[2] >> 1) / 2**63)  # the lowest bit says which card comes first

    def met(samples: Sequence[int]) -> set[int]:
        return {*past(samples), *excluded}

    for arm, probability in _arms_in_turn(shelf, stamp, chance[0]):
        chosen = arm.rack.choose(len(tweet.text), stamp, chance[1], met, aim)
        if chosen is None and again:
            # Through with deck and shelf: a sample may come again as well, and the round teaches nothing.
            chosen = arm.rack.choose(len(tweet.text), stamp, chance[1], lambda _: set(excluded))
            repeat = repeat or chosen is not None
        if chosen is not None:
            index, card_probability = chosen
            text, sample_id, tweet_index = arm.rack.texts[index], arm.rack.ids[index], chance[2] & 1
            shorter, longer = sorted((len(text), len(tweet.text)))
            return Round(
                id=_round_id(seat, position, again, tweet.id, sample_id, tweet_index),
                player=seat.player,
                archive_id=seat.archive_id,
                mode=seat.mode,
                start=seat.again if again else seat.position,
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
                again=again,
            )
    if shelf.level():
        raise AllMet("every sample on the shelf is known to this player")
    raise ShelfEmpty("nothing lies on the shelf")


def _stamp(shelf: Shelf, seat: Seat) -> int:
    """The seat's stamp, as far as this shelf remembers."""
    stamp = min(max(seat.stamp, shelf.floor), shelf.stamp)
    # Another generator may have come to play since: nothing of its own was there at the seat's stamp.
    return stamp if any(arm.share > 0 and arm.rack.level(stamp) for arm in shelf.arms) else shelf.stamp


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


def _next_tweet(deck: Deck, seat: Seat, met: Past, barred: Collection[int]) -> tuple[int, bool, Tweet]:
    """The place of the player's next tweet, whether the deck is through, and the tweet."""
    size = len(deck)
    if not size:
        raise NoCard("the deck holds no card")
    order = _order(seat)
    for position in range(seat.position, min(size, seat.position + PATIENCE)):
        tweet = deck.card(order, position)
        if tweet is not None and tweet.id not in barred and tweet.id not in met([tweet.id]):
            return position, False, tweet
    spare: tuple[int, bool, Tweet] | None = None
    for position in range(seat.again, seat.again + min(size, PATIENCE)):
        tweet = deck.card(order, position % size)
        if tweet is not None and tweet.id not in barred:
            return position, True, tweet
        if tweet is not None and spare is None:
            spare = position, True, tweet
    if spare is None:
        raise NoCard("no card of the deck may be dealt")
    return spare  # of a deck so small that all of it is barred the game goes on all the same


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


def _chance(seat: Seat, position: int, again: bool) -> tuple[int, int, int]:
    """Three independent 64-bit numbers: for the arm, the sample, and for the order and whether skill chooses."""
    digest = blake2b(_place(seat, position, again), key=seat.player, digest_size=24, person=b"chance").digest()
    return tuple(int.from_bytes(digest[i : i + 8], "big") for i in (0, 8, 16))  # type: ignore[return-value]


def _round_id(seat: Seat, position: int, again: bool, tweet: int, sample: int, order: int) -> bytes:
    cards = tweet.to_bytes(8, "big") + sample.to_bytes(8, "big") + bytes([order])
    place = _place(seat, position, again)
    return blake2b(place + cards, key=seat.player, digest_size=16, person=b"round").digest()


def _place(seat: Seat, position: int, again: bool) -> bytes:
    mode = bytes([MODES.index(seat.mode), again])
    opponent = seat.opponent.to_bytes(8, "big") if seat.opponent else b""
    return seat.archive_id.to_bytes(8, "big") + mode + position.to_bytes(8, "big") + opponent
