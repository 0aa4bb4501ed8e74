"""Simulated players of four quite different kinds, for `whichtweet simulate --player bench.players:speller`.

Each is a function (left, right, rng) -> 0 | 1. What they know of an account is its *train* split, read from the game's
own database: like a person who followed the account, and never saw the cards of the deck. They share no code and no
features with the generator or its scorer, and none of them uses a card's length.

- speller: doubts a card with words that neither English nor the account knows.
- reader: looks for sense; believes the card whose words belong to one subject (co-occurrence over the whole card).
- stylist: believes the card whose punctuation, capitals and rhythm are nearer to the account's.
- listener: reads the cards aloud, and believes the one whose words follow each other as they do elsewhere.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Sequence
from functools import cache
from itertools import combinations, pairwise
from random import Random
from statistics import fmean, pstdev

from wordfreq import zipf_frequency

from app.db import archives, tweets
from app.db.session import open_engine, reading
from app.settings import read_settings

WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")
SOUND = re.compile(rf"{WORD.pattern}|[.,!?;:]")
DISCOUNT = 0.75  # of each count of neighbours
Score = Callable[[str], float]


@cache
def followed() -> tuple[str, ...]:
    """The train splits of all archives in the game's database."""
    with reading(open_engine(read_settings().database)) as connection:
        return tuple(text for a in archives.listing(connection) for text in tweets.texts(connection, a.id, "train"))


def speller(left: str, right: str, rng: Random) -> int:
    """Believe the card with fewer words that nobody knows."""
    return _believe(_spelling, left, right, rng, noise=0.02)


def reader(left: str, right: str, rng: Random) -> int:
    """Believe the card whose words belong together."""
    return _believe(_sense, left, right, rng, noise=0.1)


def stylist(left: str, right: str, rng: Random) -> int:
    """Believe the card that is written more like the account writes."""
    return _believe(_style, left, right, rng, noise=0.1)


def listener(left: str, right: str, rng: Random) -> int:
    """Believe the card whose words follow each other as they do elsewhere."""
    return _believe(_flow, left, right, rng, noise=0.1)


def careless(left: str, right: str, rng: Random) -> int:
    """Pick either card."""
    return rng.randrange(2)


def _believe(score: Score, left: str, right: str, rng: Random, noise: float) -> int:
    lead = score(right) - score(left) + rng.gauss(0, noise)
    return rng.randrange(2) if lead == 0 else int(lead > 0)


def _words(text: str) -> list[str]:
    return [word.lower() for word in WORD.findall(text)]


@cache
def _vocabulary() -> frozenset[str]:
    counts = Counter(word for text in followed() for word in set(_words(text)))
    return frozenset(word for word, times in counts.items() if times >= 2)


def _spelling(text: str) -> float:
    strange = [w for w in _words(text) if w not in _vocabulary() and zipf_frequency(w, "en") < 2.0]
    return -float(len(strange))


@cache
def _company() -> tuple[Counter[str], Counter[tuple[str, str]], int]:
    """In how many tweets each content word, and each pair of them, occurs."""
    single: Counter[str] = Counter()
    pairs: Counter[tuple[str, str]] = Counter()
    for text in followed():
        content = sorted(_content(text))
        single.update(content)
        pairs.update(combinations(content, 2))
    return single, pairs, len(followed())


def _content(text: str) -> set[str]:
    return {word for word in _words(text) if len(word) > 2 and zipf_frequency(word, "en") < 5.6}


def _sense(text: str) -> float:
    """Mean pointwise mutual information of the card's pairs of content words, smoothed; 0 means chance company."""
    single, pairs, total = _company()
    known = sorted(word for word in _content(text) if single[word] >= 2)
    values = []
    for pair in combinations(known, 2):
        expected = single[pair[0]] * single[pair[1]] / total
        values.append(math.log((pairs[pair] + 0.2) / (expected + 0.2)))
    return fmean(values) if values else 0.0


def _habits(text: str) -> Sequence[float]:
    words = text.split() or [""]
    letters = [c for c in text if c.isalpha()] or ["x"]
    sentences = [s for s in re.split(r"[.!?]+\s", text) if s]
    return (
        sum(c.isupper() for c in letters) / len(letters),
        sum(w.isupper() and len(w) > 1 for w in words) / len(words),
        sum(len(w) for w in words) / len(words),
        len(words) / max(1, len(sentences)),
        *(text.count(mark) / len(words) for mark in ".,!?:;-#@\"'’&"),
        float(text.rstrip()[-1:] in ".!?"),
        float(text[:1].isupper()),
    )


@cache
def _usual() -> list[tuple[float, float]]:
    columns = zip(*(_habits(text) for text in followed() if len(text) >= 40), strict=True)
    return [(fmean(column), pstdev(column) or 1.0) for column in columns]


def _style(text: str) -> float:
    distances = [
        min(3.0, abs(value - mean) / spread) for value, (mean, spread) in zip(_habits(text), _usual(), strict=True)
    ]
    return -fmean(distances)


@cache
def _neighbours() -> tuple[Counter[str], Counter[tuple[str, str]], Counter[str], float]:
    """How often each word, and each pair of neighbours, was heard; how many different words followed each; and all."""
    single: Counter[str] = Counter()
    pairs: Counter[tuple[str, str]] = Counter()
    for text in followed():
        heard = _heard(text)
        single.update(heard)
        pairs.update(pairwise(heard))
    return single, pairs, Counter(first for first, _ in pairs), single.total() + 0.5 * len(single)


def _heard(text: str) -> list[str]:
    return ["", *(word.lower() for word in SOUND.findall(text)), ""]


def _flow(text: str) -> float:
    """By how much likelier each word is behind the one before it than anywhere, on average (log odds); absolute
    discounting (Ney, Essen & Kneser 1994) gives what was never heard together its share."""
    single, pairs, followers, total = _neighbours()
    gains = []
    for first, second in pairwise(_heard(text)):
        anywhere = (single[second] + 0.5) / total
        times = single[first] or 1
        kept = max(pairs[first, second] - DISCOUNT, 0) / times
        gains.append(math.log((kept + DISCOUNT * (followers[first] or 1) / times * anywhere) / anywhere))
    return fmean(gains)


# What each kind goes by, higher being more believable: for crowds of mixed skill (`bench/crowd.py`).
KINDS: dict[str, Score] = {"speller": _spelling, "reader": _sense, "stylist": _style, "listener": _flow}
