"""Gates for what a generator writes: sets of its samples beside sets of real tweets, its copies and its rejections.

The range that samples must lie in is fixed from real tweets alone, before anything is trained: 95 % of equally large
sets of tweets lie in it. All sets are of the same small size, whatever there is of either, so that a gate asks for
what a player could notice, and not ever more of a larger archive.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from app.game.copied import copied_runs
from app.game.heed import Heed, heedless
from app.game.measures import Phrases, likely_range, mix
from app.game.promotion import Gate, Outcome

SET = 200  # texts in a set; a shelf shows no player more of them in a sitting
COMPARED = 600  # samples of each side that are searched for copies
ONE_SIDED = 1.645  # standard errors: 19 of 20 differences by chance are smaller
DRAWS = 200  # sets of tweets from which the range of a mix is taken
OUR_DRAWS = 20  # sets of samples, whose mean is judged: no single draw decides
REJECTIONS_TOLERANCE = 1.2  # a candidate's drafts may be turned away 1.2 times as often as the champion's
LEAST_DRAFTS = 500  # fewer do not tell how often that is
MARKS = ("mentions", "hashtags", "links", "emoji", "capitals")
SELF_BLEU, DISTINCT, LENGTH_MIX, MARK_MIX = "Self-BLEU", "distinct 3-grams", "length mix", "mark mix"
COPIED, REJECTIONS = "longest copied run", "vetting rejections"

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Bounds:
    """Within what each figure of a set must lie, from real tweets; and what the mixes are measured against.

    Attributes:
        ranges: figure -> low and high; empty where there are too few tweets.
        lengths: of all the tweets, ascending: the mix of lengths.
        marks: mark -> mean and spread over all the tweets: the mix of marks.
        tweets: how many there were.
    """

    ranges: Mapping[str, tuple[float, float]]
    lengths: Sequence[int]
    marks: Mapping[str, tuple[float, float]]
    tweets: int

    def to_json(self) -> dict[str, Any]:
        """The fields as plain values."""
        return {
            "ranges": {name: list(pair) for name, pair in self.ranges.items()},
            "lengths": list(self.lengths),
            "marks": {name: list(pair) for name, pair in self.marks.items()},
            "tweets": self.tweets,
        }

    @classmethod
    def from_json(cls, fields: Mapping[str, Any]) -> Self:
        """The bounds that `to_json` described."""
        ranges = {name: (low, high) for name, (low, high) in fields["ranges"].items()}
        marks = {name: (mean, spread) for name, (mean, spread) in fields["marks"].items()}
        return cls(ranges, fields["lengths"], marks, fields["tweets"])


def fix_bounds(tweets: Sequence[str], seed: int = 0) -> Bounds:
    """The bounds that tweets set, tweets being such as could be dealt; none where there are fewer than two sets."""
    if len(tweets) < 2 * SET:
        return Bounds({}, [], {}, len(tweets))
    table = _table(tweets)
    bounds = Bounds(
        ranges={},
        lengths=np.sort(table["length"]).astype(int).tolist(),
        marks={name: (float(table[name].mean()), float(table[name].std())) for name in MARKS},
        tweets=len(tweets),
    )
    phrases, random = Phrases(tweets), np.random.default_rng([seed, 2])
    bleu = likely_range(phrases.self_bleu, len(tweets), SET, draws=DRAWS // 4, seed=seed)
    distinct = likely_range(lambda pick: phrases.distinct(3, pick), len(tweets), SET, draws=DRAWS // 4, seed=seed)
    mixes: dict[str, Callable[[Bounds, Mapping[str, Floats]], float]] = {LENGTH_MIX: _length_mix, MARK_MIX: _mark_mix}
    # With repetition, as the bootstrap has it; a mix is a distance, so only its upper end tells.
    picks = [random.integers(0, len(tweets), SET) for _ in range(DRAWS)]
    found = {
        name: [figure(bounds, {mark: values[pick] for mark, values in table.items()}) for pick in picks]
        for name, figure in mixes.items()
    }
    ranges = {SELF_BLEU: (float(bleu.low), float(bleu.high)), DISTINCT: (float(distinct.low), float(distinct.high))}
    ranges |= {name: (0.0, float(np.quantile(values, 0.95))) for name, values in found.items()}
    return Bounds(ranges, bounds.lengths, bounds.marks, bounds.tweets)


def set_gates(bounds: Bounds, samples: Sequence[str], seed: int = 0) -> list[Gate]:
    """Whether samples are mixed as tweets are: Self-BLEU, distinct 3-grams, lengths and marks."""
    names = (SELF_BLEU, DISTINCT, LENGTH_MIX, MARK_MIX)
    if not bounds.ranges or len(samples) < SET:
        few = f"{bounds.tweets} tweets" if not bounds.ranges else f"{len(samples)} samples"
        least = 2 * SET if not bounds.ranges else SET
        words = f"cannot judge by {few} ({least} or more are needed): an admin decides"
        return [Gate(name, "cannot judge", None, None, f"{name}: {words}") for name in names]
    random, table, phrases = np.random.default_rng([seed, 3]), _table(samples), Phrases(samples)
    picks = [random.permutation(len(samples))[:SET] for _ in range(OUR_DRAWS)]
    mixes = [{mark: values[pick] for mark, values in table.items()} for pick in picks]
    found = {
        SELF_BLEU: [phrases.self_bleu(pick) for pick in picks],
        DISTINCT: [phrases.distinct(3, pick) for pick in picks],
        LENGTH_MIX: [_length_mix(bounds, each) for each in mixes],
        MARK_MIX: [_mark_mix(bounds, each) for each in mixes],
    }
    return [_range_gate(name, float(np.mean(found[name])), *bounds.ranges[name]) for name in names]


def copied_gate(
    candidate: Sequence[str], champion: Sequence[str], tweets: Sequence[str], heed: Heed = heedless, seed: int = 0
) -> Gate:
    """The longest run that a sample copies from a learned tweet, on average: no longer than in the champion's samples.

    Chance may make it longer by what two sets of the same samples differ in 19 of 20 times. That no single run is too
    long is seen to by vetting.
    """
    if min(len(candidate), len(champion)) < SET:
        few = f"{len(candidate)} samples beside {len(champion)} of the champion's"
        words = f"{COPIED}: cannot judge by {few} ({SET} or more are needed of each): an admin decides"
        return Gate(COPIED, "cannot judge", None, None, words)
    random = np.random.default_rng([seed, 4])
    ours, theirs = (_some(texts, COMPARED, random) for texts in (candidate, champion))
    runs = np.array([int(run.max(initial=0)) for run in copied_runs([*ours, *theirs], tweets, heed)])
    found, usual = runs[: len(ours)], runs[len(ours) :]
    error = float(np.hypot(found.std() / np.sqrt(len(found)), usual.std() / np.sqrt(len(usual))))
    mean, limit = float(found.mean()), float(usual.mean()) + ONE_SIDED * error
    outcome: Outcome = "passed" if mean <= limit else "failed"
    words = f"{COPIED} {mean:.1f} characters a sample, at most {limit:.1f} allowed (the champion's {usual.mean():.1f})"
    return Gate(COPIED, outcome, mean, limit, words)


def rejections_gate(candidate: tuple[int, int], champion: tuple[int, int]) -> Gate:
    """How often vetting turns drafts away, before any are selected: at most 1.2 times the champion's share.

    Both are pairs of drafts and of those turned away.
    """
    if min(candidate[0], champion[0]) < LEAST_DRAFTS:
        words = f"{REJECTIONS}: {min(candidate[0], champion[0])} drafts are too few to tell"
        return Gate(REJECTIONS, "cannot judge", None, None, words)
    ours, theirs = candidate[1] / candidate[0], champion[1] / champion[0]
    limit = theirs * REJECTIONS_TOLERANCE
    outcome: Outcome = "passed" if ours <= limit else "failed"
    words = f"{REJECTIONS} {ours:.1%} of drafts, at most {limit:.1%} allowed (the champion's {theirs:.1%} x 1.2)"
    return Gate(REJECTIONS, outcome, ours, limit, words)


def _range_gate(name: str, found: float, low: float, high: float) -> Gate:
    outcome: Outcome = "passed" if low <= found <= high else "failed"
    limit = low if found < low else high
    words = f"{name} {found:.3f}, between {low:.3f} and {high:.3f} allowed (95 % of sets of {SET} real tweets)"
    return Gate(name, outcome, found, limit, words)


def _some(texts: Sequence[str], most: int, random: np.random.Generator) -> list[str]:
    return [texts[place] for place in random.permutation(len(texts))[:most]]


def _table(texts: Sequence[str]) -> dict[str, Floats]:
    rows = [mix(text) for text in texts]
    return {name: np.array([row[name] for row in rows], np.float64) for name in ("length", *MARKS)}


def _length_mix(bounds: Bounds, table: Mapping[str, Floats]) -> float:
    """The largest difference between the shares of set and tweets that are at most so long (Kolmogorov, Smirnov)."""
    all_lengths = np.asarray(bounds.lengths)
    places = np.unique(all_lengths)
    ours = np.searchsorted(np.sort(table["length"]), places, side="right") / len(table["length"])
    theirs = np.searchsorted(all_lengths, places, side="right") / len(all_lengths)
    return float(np.abs(ours - theirs).max())


def _mark_mix(bounds: Bounds, table: Mapping[str, Floats]) -> float:
    """How far the set's mean of each mark lies from the tweets', in their spread: the root of the mean square."""
    known = [(float(table[name].mean()), *bounds.marks[name]) for name in MARKS if bounds.marks[name][1] > 0]
    # A mark that no tweet holds has no spread: that a sample holds it is the alphabet's affair.
    return float(np.sqrt(np.mean([((ours - mean) / spread) ** 2 for ours, mean, spread in known]))) if known else 0.0
