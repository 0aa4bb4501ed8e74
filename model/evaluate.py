"""How good a generator is: bits per character on real tweets, and whether its samples are mixed as real tweets are.

Each figure of a set of samples stands beside the range that equally many real tweets have: only outside of it is a
sample set told from tweets.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from math import log

import numpy as np
from numpy.typing import NDArray

from model.checkpoint import Checkpoint
from model.reader import Reader, log2_odds
from model.text import LINK, hashtags, mentions
from model.vocab import END_ID, UNKNOWN_ID

COPIED = (5, 10, 20, 30, 40, 50)  # lengths of runs, in characters, that are looked for in the learned texts
WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")
EMOJI = re.compile("[\u2600-\u27bf\U0001f000-\U0001faff]")


@dataclass(frozen=True)
class Bits:
    """Mean surprise on a set of texts."""

    bits_per_character: float  # lower is better; the end mark of each text counts as one character
    characters: int  # characters and end marks
    tweets: int


def bits_per_character(
    checkpoint: Checkpoint, texts: Sequence[str], *, account: str | None = None, batch: int = 64
) -> Bits:
    """Mean surprise per character over `texts`, each read from its start mark to its end mark.

    A character outside the vocabulary costs the bits of the unknown mark and those to say which character it is.

    Raises:
        ValueError: there are no texts.
    """
    if not texts:
        raise ValueError("found no texts to measure, expected at least one")
    reader, vocab = Reader(checkpoint), checkpoint.vocab
    total, characters = 0.0, 0
    ordered = sorted(texts, key=len, reverse=True)  # rows of like length: little is read for nothing
    for first in range(0, len(ordered), batch):
        rows = [vocab.encode(text) for text in ordered[first : first + batch]]
        state, symbols = reader.start(len(rows)), np.full(len(rows), vocab.start(account))
        for place in range(len(rows[0]) + 1):
            live = sum(len(row) >= place for row in rows)  # the shortest are last, and done first
            if live < len(symbols):
                state, symbols = state.keep(range(live)), symbols[:live]
            odds = log2_odds(reader.step(symbols, state))
            symbols = np.array([row[place] if place < len(row) else END_ID for row in rows[:live]])
            total -= float(odds[np.arange(live), symbols].sum(dtype=np.float64))
            total += vocab.unknown_bits * int((symbols == UNKNOWN_ID).sum())
            characters += live
    return Bits(total / characters, characters, len(texts))


@dataclass(frozen=True)
class Beside:
    """One figure of the samples, beside that of real tweets."""

    samples: float
    tweets: float  # mean over equal-sized draws of real tweets
    low: float  # 95 % of the draws lie between low and high
    high: float


def compare(
    samples: Sequence[str], tweets: Sequence[str], learned: Sequence[str], *, draws: int = 100, seed: int = 0
) -> dict[str, Beside]:
    """How samples are mixed beside real tweets that were not learned from, by name of the figure.

    Both sides count the same number of texts: as many as there are samples, at most half of the tweets.

    Raises:
        ValueError: there are too few samples or tweets to compare.
    """
    random = np.random.default_rng(seed)
    size = min(len(samples), len(tweets) // 2)
    if size < 10:
        raise ValueError(f"found {len(samples)} samples and {len(tweets)} tweets, expected at least 10 and 20")
    samples = [samples[place] for place in random.permutation(len(samples))[:size]]
    ours, theirs = _by_text(samples, tweets, learned)
    picks = [random.permutation(len(tweets))[:size] for _ in range(draws)]
    compared = {}
    for name, values in ours.items():
        if np.isnan(values).all() or np.isnan(theirs[name]).all():
            continue  # all texts are shorter than the run
        mean = np.max if name == "longest copied run" else np.nanmean
        compared[name] = _beside(float(mean(values)), [float(mean(theirs[name][pick])) for pick in picks])
    words, of_tweets = [_words(text) for text in samples], [_words(text) for text in tweets]
    whole_sets: dict[str, Callable[[list[list[str]]], float]] = {"Self-BLEU": self_bleu}
    whole_sets |= {f"distinct {n}-grams": partial(distinct, n=n) for n in (1, 2, 3)}
    for name, figure in whole_sets.items():
        drawn = [figure([of_tweets[place] for place in pick]) for pick in picks[: max(20, draws // 5)]]
        compared[name] = _beside(figure(words), drawn)
    return compared


def _beside(ours: float, drawn: list[float]) -> Beside:
    low, high = np.quantile(drawn, [0.025, 0.975])
    return Beside(ours, float(np.mean(drawn)), float(low), float(high))


Figures = dict[str, NDArray[np.float64]]


def _by_text(samples: Sequence[str], tweets: Sequence[str], learned: Sequence[str]) -> tuple[Figures, Figures]:
    """The figures that each text has by itself, of samples and tweets; NaN where a text is too short for one."""
    known = {word for text in learned for word in _words(text)}
    runs = copied_runs([*samples, *tweets], learned)
    figures = []
    for texts, their_runs in ((samples, runs[: len(samples)]), (tweets, runs[len(samples) :])):
        rows: dict[str, list[float]] = defaultdict(list)
        for text, run in zip(texts, their_runs, strict=True):
            words = _words(text)
            rows["length"].append(len(text))
            rows["mentions"].append(len(mentions(text)))
            rows["hashtags"].append(len(hashtags(text)))
            rows["links"].append(text.count(LINK))
            rows["emoji"].append(len(EMOJI.findall(text.replace(LINK, ""))))
            rows["capitals"].append(sum(map(str.isupper, text)) / len(text))
            rows["non-words"].append(sum(word not in known for word in words) / len(words) if words else np.nan)
            rows["longest copied run"].append(float(run.max()))
            for size in COPIED:
                rows[f"copied {size}-grams"].append(
                    float((run[: 1 - size or None] >= size).mean()) if len(run) >= size else np.nan
                )
        figures.append({name: np.array(values) for name, values in rows.items()})
    return figures[0], figures[1]


def _words(text: str) -> list[str]:
    return WORD.findall(text.lower().replace(LINK, " "))


def distinct(texts: list[list[str]], n: int) -> float:
    """Share of the runs of n words that are not there twice (Li et al. 2016); higher is more varied."""
    grams = [gram for words in texts for gram in zip(*(words[i:] for i in range(n)), strict=False)]
    return len(set(grams)) / max(1, len(grams))


def self_bleu(texts: list[list[str]], longest: int = 4) -> float:
    """Mean BLEU of each text against all the others (Zhu et al. 2018), runs of 1 to 4 words; lower is more varied."""
    logs = np.zeros(len(texts))
    for n in range(1, longest + 1):
        counts = [Counter(zip(*(words[i:] for i in range(n)), strict=False)) for words in texts]
        # A run matches as often as the other text that holds it most often; that is the best, or the second best.
        best: dict[tuple[str, ...], tuple[int, int, int]] = {}
        for place, count in enumerate(counts):
            for gram, times in count.items():
                most, owner, second = best.get(gram, (0, -1, 0))
                best[gram] = (times, place, most) if times > most else (most, owner, max(second, times))
        for place, count in enumerate(counts):
            matches = 0
            for gram, times in count.items():
                most, owner, second = best[gram]
                matches += min(times, second if owner == place else most)
            # No match at all counts as a half, so that one length does not undo the others (Chen & Cherry 2014).
            logs[place] += log(max(matches, 0.5) / max(count.total(), 1)) / longest if count else log(0.5) / longest
    return float(np.exp(logs).mean())


def copied_runs(texts: Sequence[str], learned: Sequence[str]) -> list[NDArray[np.int64]]:
    """For each character of each text, how long a run beginning there is found in `learned`, in characters.

    All suffixes are sorted together (prefix doubling, Manber & Myers 1990); the longest match of a suffix is one of
    its two nearest neighbours from the learned texts.
    """
    longest = 1 << max(1, (max((len(text) for text in texts), default=1) - 1).bit_length())
    joined = np.frombuffer("\0".join([*texts, *learned, ""]).encode("utf-32-le", "surrogatepass"), np.uint32)
    ends = np.cumsum([len(text) + 1 for text in texts])
    ours = int(ends[-1]) if len(ends) else 0
    ranks = [np.unique(joined, return_inverse=True)[1].astype(np.int64)]
    while 1 << len(ranks) <= longest:
        last, step = ranks[-1], 1 << (len(ranks) - 1)
        after = np.concatenate([last[step:], np.full(min(step, len(last)), -1)])[: len(last)]
        ranks.append(np.unique(last * (last.max() + 2) + after + 1, return_inverse=True)[1])
    order = np.argsort(ranks[-1], kind="stable")
    is_learned, places = order >= ours, np.arange(len(order))
    before = np.maximum.accumulate(np.where(is_learned, places, -1))
    behind = np.minimum.accumulate(np.where(is_learned, places, len(order))[::-1])[::-1]
    mine = ~is_learned
    run = np.zeros(ours, np.int64)
    for neighbour in (before[mine], behind[mine]):
        there = (neighbour >= 0) & (neighbour < len(order))
        at, other = order[mine][there], order[neighbour[there]]
        run[at] = np.maximum(run[at], _common(ranks, at, other))
    left = np.repeat(ends - 1, np.diff(ends, prepend=0)) - np.arange(ours)
    return [part[:-1] for part in np.split(np.minimum(run, left), ends[:-1])] if len(ends) else []


def _common(ranks: list[NDArray[np.int64]], a: NDArray[np.int64], b: NDArray[np.int64]) -> NDArray[np.int64]:
    """Length of the common beginning of the suffixes at a and b, from the ranks of their heads of 1, 2, 4, …"""
    length = np.zeros(len(a), np.int64)
    size = len(ranks[0])
    for level in reversed(range(len(ranks))):
        x, y = a + length, b + length
        inside = (x < size) & (y < size)
        same = inside & (ranks[level][np.minimum(x, size - 1)] == ranks[level][np.minimum(y, size - 1)])
        length += same.astype(np.int64) << level
    return length
