"""Trigger pairs: the words that a draft has said draw on those that tweets say beside them (Rosenfeld 1996).

A character network keeps to a subject for a few words, and a reader who looks for sense finds it out by that. Two words
that stand in more tweets together than chance would bring trigger each other. What is drawn on is the word that is
being written: the odds of a letter move as those of all the account's words that go on with it, counted together.

Only words that have a subject trigger, or are triggered: to move "the" and "was" as well brings no sense, and breaks
sentences.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache

import numpy as np
from numpy.typing import NDArray

from app.game.steering import NEAR, WORD, word_parts

Array = NDArray[np.float32]
Places = NDArray[np.intp]

SHORTEST = 3  # letters of a word that has a subject
COMMON = 0.05  # share of tweets from which on a word has none
LEAST_COMMON = 3  # tweets that are no such share, however few there are
PRIOR = 1.0  # tweets added to those with both words, and to those that chance would bring: one pair is no company
STRENGTH = 1.5  # times the log odds that pairs tell: chosen so that sentences hold (docs/decisions.md)
MOST = 3.0  # log odds: no word is drawn on, or put off, further
# What is remembered, the latest used: what as many texts in the making draw on (a batch's rows, twice over), and by how
# much words keep company with others.
TEXTS, COMPANIES = 256, 512


@dataclass(frozen=True)
class _Begun:
    """What a word may go on with."""

    symbols: Places  # in the network's alphabet, of letters that go on
    low: Places  # of the account's words that go on so: the first one's place,
    high: Places  # and the place behind the last one
    usual: NDArray[np.float64]  # log of how many tweets have those words, each word counted
    whole: int | None  # the place of the word itself, where it is one already


@dataclass(frozen=True)
class _Drawn:
    """How words are drawn on by what was said."""

    odds: Array  # [words]: log odds that are added; 0 where a word has no subject
    heads: NDArray[np.float64]  # [words + 1]: tweets with the words up to each, each word as often as it is drawn on


class Triggers:
    """The trigger pairs of an account's tweets, made ready for the symbols [V] of one network."""

    def __init__(self, tweets: Sequence[str], symbols: Sequence[str]) -> None:
        """From the tweets that the network may know; words that stand in one of them alone trigger nothing."""
        said = [sorted({word.lower() for word in word_parts([text])}) for text in tweets]
        counts = Counter(word for words in said for word in words)
        self._words = sorted(word for word, count in counts.items() if count > 1)
        self._places = {word: place for place, word in enumerate(self._words)}
        self._tweets = [np.array([self._places[word] for word in words if word in self._places]) for words in said]
        self._among: list[list[int]] = [[] for _ in self._words]  # the tweets that each word stands in
        for number, places in enumerate(self._tweets):
            for place in places:
                self._among[place].append(number)
        self._counts = np.array([counts[word] for word in self._words], np.float64)
        self._heads = np.concatenate([[0.0], self._counts.cumsum()])
        rare = self._counts <= max(LEAST_COMMON, COMMON * len(tweets))
        self._subjects = np.flatnonzero(rare & np.array([len(word) >= SHORTEST for word in self._words], bool))
        self._weights = self._counts[self._subjects] / (self._counts[self._subjects].sum() or 1.0)
        self._subject_of = {int(place): number for number, place in enumerate(self._subjects)}
        self._small = [symbol.lower() if symbol[:1].isalpha() else "" for symbol in symbols]
        self._no_letter = np.array([not letter for letter in self._small])
        self._said = lru_cache(TEXTS)(self._said)  # type: ignore[method-assign]
        self._drawn_on = lru_cache(TEXTS)(self._drawn_on)  # type: ignore[method-assign]
        self._keeps_company = lru_cache(COMPANIES)(self._keeps_company)  # type: ignore[method-assign]
        self._goes_on = cache(self._goes_on)  # type: ignore[method-assign]

    def bend(self, logits: Array, texts: Sequence[str]) -> None:
        """Move the logits [B, V] of what follows each of `texts`, in place."""
        for row, text in zip(logits, texts, strict=True):
            self._bend(row, text)

    def _bend(self, logits: Array, text: str) -> None:
        if found := WORD.search(text[-NEAR:]):
            word = found.group(1).lower()
        elif re.match(r"[\w@]", text[-1:]):
            return  # a handle or a number
        else:
            word = ""
        triggers = self._said(text[: len(text) - len(word)])
        if not triggers:
            return
        drawn, begun = self._drawn_on(triggers), self._goes_on(word)
        together = drawn.heads[begun.high] - drawn.heads[begun.low]
        logits[begun.symbols] += np.log(together) - begun.usual
        if begun.whole is not None:
            logits[self._no_letter] += drawn.odds[begun.whole]

    def _said(self, text: str) -> tuple[int, ...]:
        """The words with a subject in a text, each once, by their places among such words."""
        places = {self._places.get(word.lower(), -1) for word in word_parts([text])}
        return tuple(sorted(self._subject_of[place] for place in places if place in self._subject_of))

    def _drawn_on(self, triggers: tuple[int, ...]) -> _Drawn:
        """By some words with a subject: what they tell, as so many that agree by half."""
        told = np.sum([self._keeps_company(number) for number in triggers], 0)
        odds = (told * (STRENGTH / np.sqrt(len(triggers)))).clip(-MOST, MOST)
        said = list(triggers)
        odds[said] = np.minimum(odds[said], 0)  # nothing asks for a word that was said
        # As many words with a subject as before: what moves is which.
        odds -= np.log(self._weights @ np.exp(odds))
        everywhere = np.zeros(len(self._words), np.float32)
        everywhere[self._subjects] = odds
        return _Drawn(everywhere, np.concatenate([[0.0], (self._counts * np.exp(everywhere)).cumsum()]))

    def _keeps_company(self, number: int) -> Array:
        """For each word with a subject the log of how much more often it stands beside that one than by chance."""
        place = self._subjects[number]
        beside = np.concatenate([self._tweets[tweet] for tweet in self._among[place]])
        together = np.bincount(beside, minlength=len(self._words))[self._subjects]
        by_chance = self._counts[place] * self._counts[self._subjects] / len(self._tweets)
        company: Array = np.log((together + PRIOR) / (by_chance + PRIOR)).astype(np.float32)
        return company

    def _goes_on(self, word: str) -> _Begun:
        """What `word`, which is begun or empty, may go on with."""
        low = bisect_left(self._words, word)
        high = bisect_left(self._words, word + "\U0010ffff", low)
        borders: dict[str, tuple[int, int]] = {}
        for place in range(low, high):
            if self._words[place] != word:
                letter = self._words[place][len(word)]
                borders[letter] = (borders.get(letter, (place, 0))[0], place + 1)
        symbols = [place for place, letter in enumerate(self._small) if letter in borders]
        firsts, ends = np.array([borders[self._small[place]] for place in symbols], np.intp).reshape(-1, 2).T
        whole = low if word and word in self._places else None
        usual = np.log(self._heads[ends] - self._heads[firsts])
        return _Begun(np.array(symbols, np.intp), firsts, ends, usual, whole)
