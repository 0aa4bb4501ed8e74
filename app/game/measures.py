"""How a set of samples is mixed, beside equally large sets of real tweets: only where a figure lies outside of their
range is the set told from tweets.

`compare` does all of it; the figures can be had one by one, with `likely_range` for the range of real tweets.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.game.copied import copied_runs, some_of
from app.wording import hashtags, mentions
from model.text import LINK

COPIED = (5, 10, 20, 30, 40, 50)  # lengths of runs, in characters, that are looked for in the learned texts
WHOLE_SET_DRAWS = 60  # at most, for figures that need the whole set: each costs a few hundredths of a second
# Thai, Lao, Burmese, Khmer, kana and Han leave no space between words: there a letter, with its marks, stands for one.
UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff"
UNSPACED += "\uf900-\ufaff\uff66-\uff9f\U00020000-\U0003ffff"
# Vowels and accents that are written on a letter, as in Hindi or Thai; no letters by themselves, they end no word.
MARKS = "".join(mark for mark in map(chr, range(0x300, 0x11800)) if unicodedata.category(mark) in ("Mn", "Mc"))
_LETTER = rf"(?![{UNSPACED}])[^\W\d_][{MARKS}]*"
_ANY_WORD = re.compile(rf"(?=[^\W\d_])[{UNSPACED}][{MARKS}]*|(?:{_LETTER})+(?:['’](?:{_LETTER})+)*")
_PLAIN_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")  # the same where there is none of these; ten times as fast
SYMBOL = re.compile("[^\\s\u200d\ufe0f]")
EMOJI = re.compile("[\u2600-\u27bf\U0001f000-\U0001faff]")

Pick = NDArray[np.intp]  # places of the texts that a figure is taken of
Figures = dict[str, NDArray[np.float64]]  # name -> one value a text; NaN where a text is too short for it


@dataclass(frozen=True)
class Range:
    """Where a figure of equally many real tweets lies."""

    mean: float
    low: float  # 95 % of the draws lie between low and high
    high: float


@dataclass(frozen=True)
class Beside:
    """One figure of the samples, beside that of real tweets."""

    samples: float
    tweets: float  # mean over equal-sized draws of real tweets
    low: float  # 95 % of the draws lie between low and high
    high: float

    @property
    def within(self) -> bool:
        """Whether the samples could be a draw of real tweets, by this figure."""
        return self.low <= self.samples <= self.high


def compare(
    samples: Sequence[str], tweets: Sequence[str], learned: Sequence[str], *, draws: int = 200, seed: int = 0
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
    ours, theirs = by_text(samples, tweets, learned)
    compared = {}
    for name in ours:
        # Equally many on both sides that are long enough to have the figure: no draw is without it.
        values, real = (side[name][~np.isnan(side[name])] for side in (ours, theirs))
        if not len(values) or not len(real):
            continue  # all texts are shorter than the run
        drawn = likely_range(
            lambda pick, real=real: float(real[pick].mean()),  # type: ignore[misc]
            *(len(real), len(values)),
            draws=draws,
            seed=seed,
            again=True,
        )
        compared[name] = _beside(float(values.mean()), drawn)
    lengths = theirs["length"]
    ours_set, theirs_set = Phrases(samples), Phrases(tweets)
    for name, mine, figure in (
        ("length, spread", float(ours["length"].std()), lambda pick: float(lengths[pick].std())),
        ("Self-BLEU", ours_set.self_bleu(), theirs_set.self_bleu),
        ("distinct words", ours_set.distinct(1), lambda pick: theirs_set.distinct(1, pick)),
        ("distinct 2-grams", ours_set.distinct(2), lambda pick: theirs_set.distinct(2, pick)),
        ("distinct 3-grams", ours_set.distinct(3), lambda pick: theirs_set.distinct(3, pick)),
    ):
        drawn = likely_range(figure, len(tweets), size, draws=min(draws, WHOLE_SET_DRAWS), seed=seed)
        compared[name] = _beside(mine, drawn)
    return compared


def likely_range(
    figure: Callable[[Pick], float], tweets: int, size: int, *, draws: int = 200, seed: int = 0, again: bool = False
) -> Range:
    """The range within which 95 % of sets of `size` real tweets lie, by bootstrap (Efron 1979).

    Args:
        figure: of the tweets at some places.
        tweets: how many there are.
        size: of a set, at most half of `tweets` unless drawn with repetition.
        draws: how often a set is drawn.
        seed: of the draws.
        again: draw with repetition, as the bootstrap has it: for means. Figures of a whole set (how much its texts
            resemble each other) must not meet a tweet twice: they are drawn without, and the range is widened by what
            that narrows it (the finite population correction).

    Either way it is widened once more, since these tweets are themselves a draw: a fresh set differs from them by its
    own chance and by theirs.

    Raises:
        ValueError: there are too few tweets for sets of that size.
    """
    if not again and size > tweets // 2:
        raise ValueError(f"found {tweets} tweets, expected at least {2 * size}: twice the size of a set")
    random = np.random.default_rng([seed, 1])
    picks = (random.integers(0, tweets, size) if again else random.permutation(tweets)[:size] for _ in range(draws))
    drawn = np.array([figure(pick) for pick in picks])
    mean, (low, high) = float(drawn.mean()), np.quantile(drawn, [0.025, 0.975])
    wider = np.sqrt((1 + size / tweets) / (1.0 if again else 1 - size / tweets))
    return Range(mean, mean + (float(low) - mean) * wider, mean + (float(high) - mean) * wider)


def by_text(samples: Sequence[str], tweets: Sequence[str], learned: Sequence[str]) -> tuple[Figures, Figures]:
    """The figures that each text has by itself, of samples and of tweets."""
    known = {word for text in learned for word in words(text)}
    runs = copied_runs([*samples, *tweets], some_of(learned))
    sides = ((samples, runs[: len(samples)]), (tweets, runs[len(samples) :]))
    ours, theirs = (_figures(texts, their_runs, known) for texts, their_runs in sides)
    return ours, theirs


def _figures(texts: Sequence[str], runs: Sequence[NDArray[np.int64]], known: set[str]) -> Figures:
    rows: dict[str, list[float]] = defaultdict(list)
    for text, run in zip(texts, runs, strict=True):
        for name, value in mix(text).items():
            rows[name].append(value)
        own = words(text)
        rows["non-words"].append(sum(word not in known for word in own) / len(own) if own else np.nan)
        rows["longest copied run"].append(float(run.max(initial=0)))
        for size in COPIED:
            copied = float((run[: 1 - size or None] >= size).mean()) if len(run) >= size else np.nan
            rows[f"copied {size}-grams"].append(copied)
    return {name: np.array(values) for name, values in rows.items()}


def mix(text: str) -> dict[str, float]:
    """What a text is made of: its length in characters, and how many of each mark it holds."""
    return {
        "length": len(text),
        "mentions": len(mentions(text)),
        "hashtags": len(hashtags(text)),
        "links": text.count(LINK),
        "emoji": len(EMOJI.findall(text.replace(LINK, ""))),
        "capitals": sum(map(str.isupper, text)) / max(1, len(text)),
    }


def self_bleu(texts: Sequence[str]) -> float:
    """Mean BLEU of each text against all the others (Zhu et al. 2018), runs of 1 to 4 words; lower is more varied.

    Where a script leaves no space between words, a letter stands for a word, here and in all other figures.
    """
    return Phrases(texts).self_bleu()


def distinct(texts: Sequence[str], n: int) -> float:
    """Share of the runs of n words that are not there twice (Li et al. 2016); higher is more varied."""
    return Phrases(texts).distinct(n)


class Phrases:
    """The runs of one to four words in some texts, counted quickly for any choice of them."""

    def __init__(self, texts: Sequence[str]) -> None:
        found = [words(text) for text in texts]
        self.size = len(texts)
        _, ids = np.unique([word for some in found for word in some] or [""], return_inverse=True)
        owners = np.repeat(np.arange(len(found)), [len(some) for some in found])
        numbers = ids = ids[: len(owners)]
        at = np.arange(len(owners))  # the word that a run begins at
        self._runs = [(owners, ids)]  # for n = 1, 2, …: whose run it is, and which
        for n in range(1, 4):
            # A run of n + 1 is a run of n and the word behind it, where the text has one.
            goes_on = owners[at] == np.append(owners, np.full(n, -1))[at + n]
            at, ids = at[goes_on], ids[goes_on]
            ids = np.unique(ids * (len(numbers) + 1) + numbers[at + n], return_inverse=True)[1]
            self._runs.append((owners[at], ids))

    def _of(self, n: int, pick: Pick | None) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Whose run of n words it is, by place in `pick` (all texts where None), and which."""
        owners, ids = self._runs[n - 1]
        if pick is None:
            return owners, ids
        places = np.full(self.size, -1)
        places[pick] = np.arange(len(pick))
        chosen = places[owners]
        return chosen[chosen >= 0], ids[chosen >= 0]

    def shared(self, n: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """The runs of n words that more than one text has: whose each is, in order, and which, each once a text."""
        owners, ids = self._runs[n - 1]
        pairs = np.unique(np.stack([owners, ids], 1), axis=0) if len(ids) else np.zeros((0, 2), np.intp)
        _, which, times = np.unique(pairs[:, 1], return_inverse=True, return_counts=True)
        several = times > 1
        numbers = np.cumsum(several) - 1
        pairs, which = pairs[several[which]], which[several[which]]
        return pairs[:, 0], numbers[which]

    def distinct(self, n: int, pick: Pick | None = None) -> float:
        """See the function of that name."""
        _, ids = self._of(n, pick)
        return len(np.unique(ids)) / max(1, len(ids))

    def self_bleu(self, pick: Pick | None = None) -> float:
        """See the function of that name. Among so many others one is always as long: nothing is lost to brevity."""
        texts = self.size if pick is None else len(pick)
        logs = np.zeros(texts)
        for n in range(1, 5):
            owners, ids = self._of(n, pick)
            runs, matches = np.bincount(owners, minlength=texts), _matches(owners, ids, texts)
            # No match at all counts as a half, so that one length does not undo the others (Chen & Cherry 2014).
            logs += np.log(np.where(runs > 0, np.maximum(matches, 0.5) / np.maximum(runs, 1), 0.5)) / 4
        return float(np.exp(logs).mean())


def _matches(owners: NDArray[np.intp], ids: NDArray[np.intp], texts: int) -> NDArray[np.float64]:
    """For each text, how many of its runs other texts have too; each as often as the other that has it most often."""
    if not len(ids):
        return np.zeros(texts)
    keys, times = np.unique(ids * texts + owners, return_counts=True)
    runs, whose = np.divmod(keys, texts)
    order = np.lexsort((-times, runs))  # within each run, who has it most often comes first
    first = np.flatnonzero(np.diff(runs[order], prepend=-1))
    most, second = times[order][first], np.zeros(len(first), np.intp)
    several = np.diff(first, append=len(order)) > 1
    second[several] = times[order][first[several] + 1]
    group = np.searchsorted(runs[order][first], runs)
    others = np.where(whose == whose[order][first][group], second[group], most[group])
    return np.bincount(whose, np.minimum(times, others), texts).astype(np.float64)


def _beside(ours: float, real: Range) -> Beside:
    return Beside(ours, real.mean, real.low, real.high)


def words(text: str) -> list[str]:
    """The words of a text; of one that has none, such as emoji alone, the symbols."""
    plain = text.lower().replace(LINK, " ")
    word = _PLAIN_WORD if max(plain, default="") < MARKS[0] else _ANY_WORD
    return word.findall(plain) or SYMBOL.findall(plain)
