"""Steering: what bends a network's odds while it writes for one archive, beside temperature and top-p.

A cautious network writes fewer capitals, digits and quotation marks than its account, ends too early, and invents
names. To throw such drafts away costs most of what is written, and where an account has a cliff (140 characters for
years) too few drafts lie near it to choose from. Here the odds themselves are moved: a `Balance` adds to the log odds
of a symbol, or of the end after so many characters, what brings their numbers to those of the account's tweets; a
`Lexicon` leaves out what would begin a handle, a name or a word that nobody wrote.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from app.wording import begins_sentence
from model.text import END

SPAN = 20  # characters, in which the odds of the end are moved together; a cliff among them stands out by itself
MOST = 6.0  # log odds: no symbol is moved further
ENOUGH = 200  # tweets, of which none begins or ends in some way: then no tweet does
# Counts added on both sides of a comparison: a difference of a few characters is chance.
PRIOR, PRIOR_FIRST, PRIOR_ENDS = 20.0, 2.0, 3.0

Array = NDArray[np.float32]
Floats = NDArray[np.float64]

_HANDLE = re.compile(r"(?<![\w@/])@([A-Za-z0-9_]*)$")
WORD = re.compile(r"(?<![\w@])([^\W\d_]+)$")
NEAR = 40  # characters at the end of a text in which its last word is looked for
_LETTERS = re.compile(r"(?<![\w@])[^\W\d_]+")


@dataclass(frozen=True)
class Balance:
    """What is added to log odds, so that drafts have a tweet's mix of symbols and of lengths.

    Attributes:
        first: by symbol, for the first one of a text.
        symbols: by symbol, for those that follow.
        ends: for the end, by the characters that are written before it.
    """

    first: Mapping[str, float] = field(default_factory=dict)
    symbols: Mapping[str, float] = field(default_factory=dict)
    ends: Sequence[float] = ()

    def to_json(self) -> dict[str, Any]:
        """The fields as plain values."""
        return {"first": dict(self.first), "symbols": dict(self.symbols), "ends": list(self.ends)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """The balance that `to_json` described."""
        return cls(data["first"], data["symbols"], data["ends"])

    def moved(self, drafts: Sequence[str], tweets: Sequence[str], temperature: float, step: float = 1.0) -> Balance:
        """This balance, moved by what still sets drafts that were written with it apart from tweets.

        Args:
            drafts: which may be cards.
            tweets: which may be cards.
            temperature: that drafts are written at: odds are divided by it after they are moved.
            step: share of the way that is gone.
        """
        by = temperature * step
        ours, theirs = (Counter(text[:1] for text in texts) for texts in (drafts, tweets))
        first = _moved(self.first, ours, theirs, PRIOR_FIRST, by)
        our_rest, their_rest = (Counter("".join(text[1:] for text in texts)) for texts in (drafts, tweets))
        symbols = _moved(self.symbols, our_rest, their_rest, PRIOR, by)
        if len(tweets) >= ENOUGH:
            first |= dict.fromkeys(their_rest.keys() - theirs.keys(), -MOST)
        return Balance(first, symbols, _moved_ends(self.ends, [*map(len, drafts)], [*map(len, tweets)], by))


def _moved(
    now: Mapping[str, float], ours: Counter[str], theirs: Counter[str], prior: float, by: float
) -> dict[str, float]:
    share = ours.total() / (theirs.total() or 1)
    moved = dict(now)
    for symbol in {*ours, *theirs}:
        apart = np.log((theirs[symbol] * share + prior) / (ours[symbol] + prior))
        moved[symbol] = round(float(np.clip(moved.get(symbol, 0.0) + by * apart, -MOST, MOST)), 4)
    return moved


def _moved_ends(now: Sequence[float], ours: list[int], theirs: list[int], by: float) -> list[float]:
    """By the hazard: of those that come so far, how many end there. First by span, then by length."""
    most = max([*ours, *theirs, len(now) - 1]) + 1
    ends, wanted = (np.bincount(lengths, minlength=most).astype(float) for lengths in (ours, theirs))
    reached, of = (counts[::-1].cumsum()[::-1] for counts in (ends, wanted))
    expected = wanted / np.maximum(of, 1.0) * reached
    spans = np.arange(most) // SPAN
    apart = _apart(np.bincount(spans, expected)[spans], np.bincount(spans, ends)[spans])
    apart += _apart(expected, ends * np.exp(apart))
    apart[(of >= ENOUGH) & (np.bincount(spans, wanted)[spans] == 0)] = -MOST / by  # none ends here
    apart[max(theirs, default=-1) + 1 :] = MOST / by  # nor is any so long: whoever gets there ends
    known = np.pad(np.asarray(now, float), (0, most - len(now)))
    return [round(float(value), 3) for value in np.clip(known + by * apart, -MOST, MOST)]


def _apart(wanted: NDArray[Any], found: NDArray[Any]) -> Floats:
    difference: Floats = np.log((wanted + PRIOR_ENDS) / (found + PRIOR_ENDS))
    return difference


class Lexicon:
    """The handles, names and words that are known: a draft is led to no others.

    It leads, and does not vet: what is known in parts ("don" and "t") may still be put together as nobody did.
    """

    def __init__(
        self,
        handles: Collection[str] | None = None,
        names: Iterable[str] | None = None,
        words: Iterable[str] | None = None,
    ) -> None:
        """Each is None where anything may be written.

        Args:
            handles: without @.
            names: what may be written with a capital, as the archive writes it; where a sentence begins, in any case.
            words: what else may be written, and with a capital where there are no names; in any case.
        """
        self.handles = None if handles is None else _Beginnings(handle.lower() for handle in handles)
        self.words = None if words is None else _Beginnings(part.lower() for part in word_parts(words))
        self.names: tuple[_Beginnings, _Beginnings] | None = None  # where a sentence begins, and within one
        if names is not None:
            parts = [*word_parts(names)]
            as_written = [*parts, *(part.upper() for part in parts)]
            first = [*as_written, *(part.capitalize() for part in parts)]
            self.names = _Beginnings(first, exact=True), _Beginnings(as_written, exact=True)

    def allows(self, text: str) -> tuple[_Beginnings, str] | None:
        """Whose beginnings the last word of `text` must stay with, and that word; None where anything may follow."""
        if self.handles is not None and "@" in text[-21:] and (found := _HANDLE.search(text)):
            return self.handles, found.group(1).lower()
        if self.names is None and self.words is None:
            return None
        if not (found := WORD.search(text[-NEAR:])):
            return None
        word = found.group(1)
        if self.names is not None and word[0].isupper():
            first, within = self.names
            return (first if begins_sentence(text, len(text) - len(word)) else within), word
        return (self.words, word.lower()) if self.words is not None else None


class _Beginnings:
    """Words, to be asked what may follow the beginning of one; `exact`: in their own case alone."""

    def __init__(self, words: Iterable[str], *, exact: bool = False) -> None:
        self._words, self.exact = sorted(set(words)), exact

    def after(self, beginning: str) -> tuple[frozenset[str], bool]:
        """The characters that go on with `beginning`, and whether it is a word already."""
        low = bisect_left(self._words, beginning)
        high = bisect_left(self._words, beginning + "\U0010ffff", low)
        there = self._words[low:high]
        return frozenset(word[len(beginning)] for word in there if word != beginning), there[:1] == [beginning]


def word_parts(texts: Iterable[str]) -> Iterator[str]:
    """The runs of letters in texts, but for handles: of "don't" two."""
    for text in texts:
        yield from _LETTERS.findall(text)


class Steering:
    """A balance and a lexicon, made ready for the symbols [V] of one network, its end mark among them."""

    def __init__(self, symbols: list[str], balance: Balance | None = None, lexicon: Lexicon | None = None) -> None:
        balance = balance or Balance()
        self._symbols, self._end, self._lexicon = symbols, symbols.index(END), lexicon
        self._first = np.array([balance.first.get(symbol, 0.0) for symbol in symbols], np.float32)
        self._later = np.array([balance.symbols.get(symbol, 0.0) for symbol in symbols], np.float32)
        self._ends = np.array(balance.ends or [0.0], np.float32)
        self._letters = np.array([symbol[:1].isalpha() for symbol in symbols])
        self._wordlike = np.array([bool(re.match(r"\w", symbol)) for symbol in symbols])
        self._any = np.ones(len(symbols), bool)
        self._masks: dict[tuple[_Beginnings, str], NDArray[np.bool_]] = {}

    def bend(self, logits: Array, texts: Sequence[str]) -> None:
        """Move the logits [B, V] of what follows each of `texts`, in place."""
        lengths = np.array([len(text) for text in texts])
        logits += np.where((lengths == 0)[:, None], self._first, self._later)
        logits[:, self._end] += self._ends[np.minimum(lengths, len(self._ends) - 1)]
        if self._lexicon is not None:
            allowed = np.stack([self._allowed(self._lexicon, text) for text in texts])
            # Where the network's alphabet lacks what the word goes on with, anything may follow, and vetting sees it.
            allowed |= ~(allowed & np.isfinite(logits)).any(1, keepdims=True)
            logits[~allowed] = -np.inf

    def _allowed(self, lexicon: Lexicon, text: str) -> NDArray[np.bool_]:
        """Which symbols [V] may follow."""
        if (asked := lexicon.allows(text)) is None:
            return self._any
        beginnings, begun = asked
        if asked not in self._masks:
            after, whole = beginnings.after(begun)
            inside = self._wordlike if beginnings is lexicon.handles else self._letters
            goes_on = np.array([(symbol if beginnings.exact else symbol.lower()) in after for symbol in self._symbols])
            # An @ may stand alone, as in "dinner @ eight".
            self._masks[asked] = goes_on & inside | (~inside & (whole or not begun))
        return self._masks[asked]
