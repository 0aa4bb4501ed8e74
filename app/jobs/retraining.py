"""Retraining, told as a story: freeze the labels, learn from them, evaluate, pass the gates, open a canary.

The verdict comes later, of what players do (`app/jobs/judging.py`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from app.db import canaries, generators, labels
from app.db.archives import Archive
from app.db.generators import ANCHOR, CHAMPION, Generator
from app.db.session import now, reading, writing
from app.game import promotion
from app.game.learning import Way
from app.game.promotion import Training
from app.jobs import training
from app.jobs.freezing import conclude, freeze_labels
from app.jobs.gating import bounds_of
from app.jobs.studying import Desk, learn
from app.jobs.supervising import Budget, Event, need_tensorflow
from app.jobs.trying import Candidate, Tried, TryOut, try_out
from app.jobs.workshop import JobError, Progress, ShouldStop, Skipped, Steps, Workshop, plainly


@dataclass(frozen=True)
class Retrained:
    """What a retraining came to."""

    generator: str
    bits_per_character: float
    champion: str  # the one it was measured against
    champion_bits_per_character: float
    labels: int  # that it learned from
    lessons: int  # samples among its texts
    learned: str  # what changed, in words
    verdict: str  # canary or hold
    gates: list[dict[str, Any]]
    shelved: int  # samples; 0 where it does not play
    words: str  # one line


@dataclass(frozen=True)
class Errand:
    """How a retraining is to be done, and who is told of it.

    Attributes:
        job_id: the job this is; a retraining that was interrupted goes on with the same one.
        budget: how long the training may take.
        seed: of all chance.
        least_labels: new labels below which it is skipped; the setting's where None.
        ways: what is learned; by the number of labels where empty.
        run: name of its folder; the job's own where empty. One with a name goes on as long as its texts are the same.
        step: remembers what is done; see `Steps`.
        on_event: told what the training says.
        on_progress: told how far the restock is.
        should_stop: asked often.
    """

    job_id: int
    budget: Budget
    seed: int = 0
    least_labels: int | None = None
    ways: tuple[Way, ...] = ()
    run: str = ""
    step: Steps = plainly
    on_event: Callable[[Event], None] = lambda _: None
    on_progress: Progress = lambda _: None
    should_stop: ShouldStop = lambda: False


def retrain(workshop: Workshop, archive: Archive, errand: Errand) -> Retrained:
    """Let a new generator learn from the players' labels, and try it beside the champion if it passes the gates.

    Raises:
        Skipped: there is too little new to learn from, or another candidate is still tried.
        TrainingWaits: TensorFlow is not installed.
        Interrupted: stopped; goes on where it stood when asked again.
        JobError: it failed; says why.
    """
    step, stops = errand.step, errand.should_stop
    anchor, champion = _those_at_play(workshop, archive)
    if "weights" in errand.ways:
        need_tensorflow()
    step("see who is tried", lambda: _none_is_tried(workshop, archive))
    frozen = step("freeze the labels", lambda: freeze_labels(workshop, archive, errand.least_labels, should_stop=stops))
    folder = training.run_folder(workshop, archive, errand.run or f"retrain-{errand.job_id}")
    # Before anything is learned: what is asked of the samples must not hang on what they turn out to be.
    bounds = step("fix the bounds", lambda: bounds_of(workshop, archive))
    try:
        made = learn(Desk(workshop, archive, anchor, champion), errand, folder, frozen)
    except Skipped:
        conclude(workshop, archive, frozen["id"])
        raise
    key, digest = made.network
    bits = step("evaluate", lambda: training.evaluate(workshop, archive, key, stops))
    # Learning takes hours: somebody else may have been crowned since.
    rival = Rival(*step("evaluate the champion", lambda: _measured(workshop, archive, None, stops)))
    card = {
        **{"made_by": "retrain", "labels": frozen["labels"], "lessons": made.lessons, "seconds": made.seconds},
        **{"ways": list(made.ways), "learned": made.words, "scorer": dict(made.choosing.held)},
        **{"champion": rival.of(workshop).name, "champion_bits_per_character": rival.bits},
    }

    def register() -> int:
        lineage: dict[str, Any] = {"parent_id": anchor.id, "label_set_id": frozen["id"]}
        lineage |= {"decoding": made.choosing.decoding, "scorer": made.choosing.scorer}
        made_of = training.register(workshop, archive, key, digest, bits=bits, card=card, **lineage)[0].id
        with writing(workshop.engine) as connection:  # it may be one that was there before, and learned from others
            labels.conclude(connection, frozen["id"], now())
        return made_of

    generator = workshop.generator(step("register", register))

    def tried_beside(rival: Rival) -> Tried:
        other = rival.of(workshop)
        budget = promotion.budget(_told_budget(generator), _told_budget(other), _told_budget(anchor))
        figures = {"learned": made.words, "budget": budget}
        candidate = Candidate(generator, other, bounds, [promotion.bits_gate(bits, rival.bits)], figures)
        return try_out(workshop, archive, candidate, TryOut(errand.job_id, step, errand.on_progress, stops))

    tried = tried_beside(rival)
    while (crowned := tried.champion_id) is not None:
        # While its samples were written: its gates say nothing of who plays now.
        rival = Rival(*step("evaluate the new champion", partial(_measured, workshop, archive, crowned, stops)))
        tried = tried_beside(rival)
    training.clear(folder)
    return Retrained(
        generator=generator.name,
        bits_per_character=bits,
        champion=rival.of(workshop).name,
        champion_bits_per_character=rival.bits,
        labels=frozen["labels"],
        lessons=made.lessons,
        learned=made.words,
        verdict=tried.verdict,
        gates=[gate.to_json() for gate in tried.gates],
        shelved=tried.shelved,
        words=tried.words,
    )


@dataclass(frozen=True)
class Rival:
    """Whom a candidate is measured beside."""

    champion_id: int
    bits: float  # per character on the validation split, measured as the candidate's are

    def of(self, workshop: Workshop) -> Generator:
        """The generator."""
        return workshop.generator(self.champion_id)


def _measured(
    workshop: Workshop, archive: Archive, champion_id: int | None, should_stop: ShouldStop
) -> tuple[int, float]:
    """A champion, whoever it is by now where None, and its bits per character."""
    champion = _those_at_play(workshop, archive)[1] if champion_id is None else workshop.generator(champion_id)
    return champion.id, training.evaluate(workshop, archive, champion.checkpoint_key, should_stop)


def _none_is_tried(workshop: Workshop, archive: Archive) -> None:
    """One candidate at a time: a second would be compared with a champion that may be about to change."""
    with reading(workshop.engine) as connection:
        canary = canaries.find_open(connection, archive.id)
        tried = generators.find(connection, canary.generator_id) if canary else None
    if tried is not None:
        raise Skipped(f"{tried.name} is still tried: the next retraining waits for its verdict")


def _told_budget(generator: Generator) -> Training:
    made = generator.card.get("training", {})
    seconds = generator.card.get("seconds") if generator.card.get("made_by") == "retrain" else made.get("seconds")
    return Training(generator.name, generator.parent_id is None, seconds, generator.bits_per_character)


def _those_at_play(workshop: Workshop, archive: Archive) -> tuple[Generator, Generator]:
    """The anchor, from which every retraining starts, and the champion that it must not fall behind."""
    with reading(workshop.engine) as connection:
        anchor = generators.in_arm(connection, archive.id, ANCHOR)
        champion = generators.in_arm(connection, archive.id, CHAMPION)
    if anchor is None or champion is None:
        raise JobError(f"{archive.slug} has no generator of its own yet: whichtweet train --archive {archive.slug}")
    return anchor, champion
