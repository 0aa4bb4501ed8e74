"""The opening: a newcomer's very first pair is short and easy, chosen so; it is never a label."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import blake2b

from app.game.deck import Tweet, bare_words, mix

LONGEST = 90  # characters of either card
SHORTEST = 30  # below it there is nothing to go by
MOST = 24  # samples, the easiest, among which chance decides: no single one is worn out by newcomers
BESIDE = 64  # tweets beside one sample, among which chance decides
LIKENESS = 0.8
DOUBT = 4.0  # guesses that what is expected of a sample counts for, beside those that players made


@dataclass(frozen=True)
class Short:
    """A sample that may open: which it is, and how players did with it so far."""

    id: int
    text: str
    generator_id: int
    arm: str
    guesses: int = 0
    fooled: int = 0


@dataclass(frozen=True)
class Opening:
    """The cards that may open a game."""

    tweets: tuple[Tweet, ...] = ()
    samples: tuple[Short, ...] = ()

    @cached_property
    def likes(self) -> Mapping[int, tuple[Tweet, ...]]:
        """For each sample the tweets that may stand beside it."""
        return {
            sample.id: tuple(tweet for tweet in self.tweets if _are_alike(tweet.text, sample.text))[:BESIDE]
            for sample in self.samples
        }

    def choose(self, player: bytes, archive_id: int, unfit: Collection[int] = ()) -> tuple[Tweet, Short, int] | None:
        """A newcomer's pair and which card comes first (0: the tweet); None where no two are alike in length.

        The highest hash wins, so that cards that come and go change few newcomers' open round.
        """
        digest = blake2b(archive_id.to_bytes(8, "big"), key=player, digest_size=24, person=b"opening").digest()
        for_sample, for_tweet, order = (int.from_bytes(digest[i : i + 8], "big") for i in (0, 8, 16))
        fit = [sample for sample in self.samples if sample.id not in unfit]
        for sample in sorted(fit, key=lambda each: mix(mix(each.id) ^ for_sample), reverse=True):
            like = self.likes[sample.id]
            if like:
                return max(like, key=lambda each: mix(mix(each.id) ^ for_tweet)), sample, order & 1
        return None


NO_OPENING = Opening()


def prepare(tweets: Sequence[Tweet], samples: Sequence[Short], known_words: Collection[str]) -> Opening:
    """The opening from short tweets and samples: of the samples those that players spot most, or should."""
    fit = [sample for sample in samples if SHORTEST <= len(sample.text) <= LONGEST]
    easiest = sorted(fit, key=lambda sample: (expected(sample, known_words), sample.id))[:MOST]
    return Opening(tuple(each for each in tweets if SHORTEST <= len(each.text) <= LONGEST), tuple(easiest))


def expected(sample: Short, known_words: Collection[str]) -> float:
    """The fool rate to expect of a sample: what players did, and before they did, how many words are no words."""
    words = [word for word in bare_words(sample.text) if len(word) > 2]
    strange = sum(word not in known_words for word in words) / max(1, len(words))
    guessed = 0.5 * (1 - strange)
    return (sample.fooled + DOUBT * guessed) / (sample.guesses + DOUBT)


def _are_alike(one: str, other: str) -> bool:
    shorter, longer = sorted((len(one), len(other)))
    return shorter >= LIKENESS * longer
