"""What a retraining learns besides weights: how to draw, and what to choose (`app/game/learning.py` says when)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from app.db import generators, labels, tweets
from app.db.archives import Archive
from app.db.generators import Generator
from app.db.session import reading
from app.game.choice import BEST_OF, Usual
from app.game.effect import like_normal
from app.game.learning import Draw, next_draw, side_by_side
from app.game.lessons import Lesson, Lived, draw_lessons
from app.game.rounds import AT_RANDOM, POLICY
from app.jobs.scoring import train_aside
from app.jobs.vetting import rules_for, scorer_folder, scoring_of
from app.jobs.workshop import ShouldStop, Skipped, Workshop, heed, never
from app.jobs.writers import Writers
from model.sampling import Decoding
from model.scorer import FOLDS, Pick
from model.text import normalise

SURE = 2.5  # standard errors by which a scorer must beat chance at foretelling which rounds of new players fool
REPEATING = 0.1  # share of players' remarks that say "repeats itself", from which the guard against it is set closer
NO_REPEAT = 16  # characters: the closer guard
COMPARED = 512  # drafts of each network that the scorer compares
LONGEST = 280  # characters of those drafts

Line = Mapping[str, Any]


@dataclass(frozen=True)
class Choosing:
    """How samples are drawn and chosen from now on.

    Attributes:
        decoding: temperature, top-p, guard against repetition, best_of.
        scorer: digest of the scorer; None where there is none.
        held: how well the scorer foretells players that it never saw.
        foretold: for each guess id the chance that its sample fools, by the scorer.
        words: one line about what was chosen, and why.
    """

    decoding: Mapping[str, Any]
    scorer: str | None
    held: Mapping[str, Any]
    foretold: Mapping[int, float]
    words: str

    def to_json(self) -> dict[str, Any]:
        """Plain values, for a step's memory."""
        return asdict(self) | {"foretold": [list(pair) for pair in self.foretold.items()]}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Choosing:
        """What `to_json` gave."""
        return cls(**(dict(data) | {"foretold": {int(guess): chance for guess, chance in data["foretold"]}}))


def choose_draw(
    workshop: Workshop, archive: Archive, lines: Sequence[Line], anchor: Generator, champion: Generator
) -> Choosing:
    """Temperature and top-p, by what the labels say of every decoding that the anchor's network has played with.

    Only rounds that chance alone dealt are compared: those near a player's skill are dealt while no candidate is tried.

    Raises:
        Skipped: there is nothing to change, or not enough to judge by.
    """
    with reading(workshop.engine) as connection:
        plain = {
            other.id: _place(other)
            for other in generators.listing(connection, archive.id)
            if other.checkpoint_sha256 == anchor.checkpoint_sha256 and other.scorer_sha256 is None
        }
        failed = _failed_a_gate(connection, archive.id)
    tried = side_by_side(
        (plain[line["generator"]], _week(line), line["weight"], line["verdict"] == "fooled")
        for line in lines
        if line["generator"] in plain and line.get("policy", POLICY) in AT_RANDOM  # frozen before: dealt by chance
    )
    # One that never plays gets no labels: it would be the next step for ever.
    held = {draw for generator, draw in plain.items() if generator in failed}
    step = next_draw(tried, _place(champion), held)
    if step.draw is None:
        raise Skipped(step.words)
    decoding = Decoding.from_json(champion.decoding).to_json() | asdict(step.draw)
    return Choosing(decoding | _guard(workshop, archive, lines, champion), None, {}, {}, step.words)


def _week(line: Line) -> int:
    return datetime.fromisoformat(line["guessed_at"]).toordinal() // 7


def _failed_a_gate(connection: Connection, archive_id: int) -> set[int]:
    """The generators that the newest decision on each holds back for a gate, or takes off again for an alarm."""
    newest = {each.generator_id: each for each in reversed(generators.decisions_on(connection, archive_id))}
    return {
        generator_id
        for generator_id, each in newest.items()
        if (each.verdict == "held" and any(gate["outcome"] == "failed" for gate in each.figures.get("gates", ())))
        or "alarm" in each.figures
    }


def keep_choice(workshop: Workshop, archive: Archive, lines: Sequence[Line], champion: Generator, why: str) -> Choosing:
    """The champion's decoding, without a scorer."""
    decoding = Decoding.from_json(champion.decoding).to_json()
    return Choosing(decoding | _guard(workshop, archive, lines, champion), None, {}, {}, why)


def _place(generator: Generator) -> Draw:
    decoding = Decoding.from_json(generator.decoding)
    return Draw.nearest(decoding.temperature, decoding.top_p)


def train_choice(
    workshop: Workshop,
    archive: Archive,
    lines: Sequence[Line],
    anchor: Generator,
    champion: Generator,
    *,
    seed: int,
    should_stop: ShouldStop,
) -> Choosing:
    """A scorer on the states of the anchor, and the champion's decoding with best-of-n by it.

    Raises:
        Skipped: too few players, or it does not foretell which samples fool players that it never saw.
        Interrupted: stopped.
        JobError: it cannot be trained.
    """
    with reading(workshop.engine) as connection:
        samples = labels.sample_texts(connection, {line["sample"] for line in lines})
        real = labels.tweet_texts(connection, {line["tweet"] for line in lines})
    lines = [line for line in lines if line["sample"] in samples and line["tweet"] in real]
    # However many labels they give: a small site must not fail at this for ever.
    if (crowd := len({line["player"] for line in lines})) < FOLDS:
        raise Skipped(f"found labels of {crowd} players, a scorer needs {FOLDS} or more")
    texts = [*samples.values(), *real.values()]
    sample_place = {sample_id: place for place, sample_id in enumerate(samples)}
    tweet_place = {tweet_id: len(samples) + place for place, tweet_id in enumerate(real)}
    picks = [_pick(line, sample_place[line["sample"]], tweet_place[line["tweet"]]) for line in lines]
    trained = train_aside(
        *(workshop.folder(anchor.checkpoint_key), anchor.checkpoint_sha256, texts, picks),
        scorer_folder(workshop, archive),
        seed=seed,
        should_stop=should_stop,
    )
    held = trained.held
    if sureness(held) < SURE:
        raise Skipped(f"the scorer foretells no better than chance which samples fool (AUC {held['fooled_auc']:.2f})")
    foretold = {
        line["guess"]: round(_chance(trained.scores, pick, held["level"]), 4)
        for line, pick in zip(lines, picks, strict=True)
    }
    decoding = Decoding.from_json(champion.decoding).to_json() | _guard(workshop, archive, lines, champion)
    words = f"a scorer on {len(picks):,} labels foretells which samples fool with an AUC of {held['fooled_auc']:.3f}"
    return Choosing(decoding | {"best_of": BEST_OF}, trained.digest, held, foretold, words)


def sureness(held: Mapping[str, Any]) -> float:
    """By how many standard errors a scorer foretells which samples fool better than chance; 0 where none can be told.

    Those of a normal distribution: few players make a t distribution, and a crowd that one of them outweighs is few.
    """
    error, voices = held["fooled_error"], held["voices"]
    return like_normal((held["fooled_auc"] - 0.5) / error, voices - 1) if error and voices > 1 else 0.0


def _pick(line: Line, sample: int, tweet: int) -> Pick:
    left, right = (tweet, sample) if line["tweet_index"] == 0 else (sample, tweet)
    return Pick(left, right, line["pick"], line["player"], line["tweet_index"], line["weight"])


def _chance(scores: Sequence[float], pick: Pick, level: float) -> float:
    """The chance that the sample of a round is believed; `level` is by how much tweets are believed as such."""
    lead = scores[pick.left] - scores[pick.right]
    return 1 / (1 + math.exp(level + (lead if pick.tweet == 0 else -lead)))


def _guard(workshop: Workshop, archive: Archive, lines: Sequence[Line], champion: Generator) -> dict[str, int]:
    """A closer guard against repetition while players often remark on it; else the champion's, or the usual one."""
    with reading(workshop.engine) as connection:
        share = labels.said_to_repeat(connection, archive.id, up_to=_last(lines))[1]
    if share >= REPEATING:
        return {"no_repeat": NO_REPEAT}
    now = Decoding.from_json(champion.decoding).no_repeat
    return {"no_repeat": Decoding.no_repeat if now == NO_REPEAT else now}


def _last(lines: Sequence[Line]) -> int:
    return max((int(line["guess"]) for line in lines), default=0)


def lessons_of(
    workshop: Workshop, archive: Archive, lines: Sequence[Line], foretold: Mapping[int, float]
) -> list[Lesson]:
    """The samples that a network is to learn from, beside the tweets; none that is hidden or could be no card today."""
    rules, *_ = rules_for(workshop, archive)
    with reading(workshop.engine) as connection:
        texts = labels.sample_texts(connection, {line["sample"] for line in lines}, shown=True)
        repeating = labels.said_to_repeat(connection, archive.id, up_to=_last(lines))[0]
        characters = sum(len(text) for text in tweets.texts(connection, archive.id, "train"))
    lived = [
        Lived(line["sample"], line["verdict"] == "fooled", line["weight"], foretold.get(line["guess"]))
        for line in lines
    ]
    texts = {sample_id: text for sample_id, text in texts.items() if rules.card_fault(text) is None}
    return draw_lessons(lived, texts, characters, repeating)


def prefers(
    workshop: Workshop,
    archive: Archive,
    anchor: Generator,
    tuned: Generator,
    seed: int,
    should_stop: ShouldStop = never,
) -> tuple[bool, str]:
    """Whether the scorer prefers what the tuned network writes to what the anchor does; and its figures, in words.

    Both write with the same decoding and seeds; scores are compared with what is usual for a form.

    Raises:
        Interrupted: `should_stop` said so.
    """
    scoring = scoring_of(workshop, archive, tuned)
    if scoring is None:
        return True, "there is no scorer to compare the networks by"
    written = []
    for generator in (anchor, tuned):
        folder = workshop.folder(generator.checkpoint_key)
        with Writers(folder, tuned.decoding, LONGEST, workshop.processes, scoring) as writers:
            found: list[tuple[str, float]] = []
            read = 0
            for drafts in writers.drafts(seed):
                heed(should_stop)
                found += [(normalise(draft.text), draft.score) for draft in drafts if draft.score is not None]
                read += len(drafts)
                if read >= COMPARED:
                    break
        written.append(found)
    lead, error = _lead(*written)
    words = f"the tuned network's drafts score {lead:+.2f} ± {error:.2f} standard deviations beside the anchor's"
    return lead > error, words


def _lead(before: Sequence[tuple[str, float]], after: Sequence[tuple[str, float]]) -> tuple[float, float]:
    """By how much the mean standing of `after` is above that of `before`, and the standard error of that."""
    if not before or not after:
        return 0.0, 1.0
    usual = Usual.fit([text for text, _ in before], [score for _, score in before])
    ours, theirs = (usual.standings(*zip(*found, strict=True)) for found in (after, before))
    error = math.hypot(ours.std() / math.sqrt(len(ours)), theirs.std() / math.sqrt(len(theirs)))
    return float(ours.mean() - theirs.mean()), error
