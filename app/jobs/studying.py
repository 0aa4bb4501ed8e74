"""Learning from a frozen set of labels: how to draw or what to choose, and, from the anchor, how to write."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.db.archives import Archive
from app.db.generators import Generator
from app.game import learning
from app.game.learning import Way
from app.jobs import training
from app.jobs.freezing import read_set
from app.jobs.learning import Choosing, choose_draw, keep_choice, lessons_of, prefers, train_choice
from app.jobs.supervising import Shape, await_turn, train, trains
from app.jobs.workshop import Interrupted, Skipped, Workshop

if TYPE_CHECKING:
    from app.jobs.retraining import Errand


@dataclass(frozen=True)
class Made:
    """What a candidate is made of."""

    ways: tuple[Way, ...]
    network: tuple[str, str]  # key and digest of the checkpoint that writes
    choosing: Choosing
    lessons: int
    seconds: float  # of training the network
    words: str  # one line


@dataclass(frozen=True)
class Desk:
    """What lies before the one who learns: the archive, the network that all learning begins with, who plays now."""

    workshop: Workshop
    archive: Archive
    anchor: Generator
    champion: Generator


def learn(desk: Desk, errand: Errand, folder: Path, frozen: Mapping[str, Any]) -> Made:
    """Learn how to draw or what to choose, and how to write, from all labels so far and from the anchor."""
    workshop, archive, anchor = desk.workshop, desk.archive, desk.anchor
    step, ways = errand.step, errand.ways or _ways(frozen["labels"])
    chosen = step("learn to choose", lambda: _choose(desk, errand, ways, frozen).to_json())
    choosing = Choosing.from_json(chosen)
    network = (anchor.checkpoint_key, anchor.checkpoint_sha256)
    if "weights" not in ways:
        return Made(ways, network, choosing, 0, 0.0, choosing.words)

    def write_texts() -> int:
        await_turn(folder, errand.should_stop)
        lessons = lessons_of(workshop, archive, read_set(workshop, frozen["id"]), choosing.foretold)
        training.freeze_texts(workshop, archive, folder, lessons, anew=bool(errand.run))
        return len(lessons)

    def compare(key: str, digest: str) -> list[Any]:
        candidate = replace(
            anchor,
            checkpoint_key=key,
            checkpoint_sha256=digest,
            decoding=choosing.decoding,
            scorer_sha256=choosing.scorer,
        )
        return list(prefers(workshop, archive, anchor, candidate, errand.seed, errand.should_stop))

    lessons = step("write the texts", write_texts)
    seconds = step("train", lambda: train_from(workshop, folder, anchor, errand))
    key, digest = step("keep the checkpoint", lambda: training.adopt(workshop, archive, folder))
    is_preferred, figures = step("compare the networks", lambda: compare(key, digest))
    words = f"{choosing.words}; {figures}"
    return Made(ways, (key, digest) if is_preferred else network, choosing, lessons, seconds, words)


def _ways(label_count: int) -> tuple[Way, ...]:
    """What is learned from so many labels; the network's weights only where TensorFlow is."""
    return tuple(way for way in learning.ways(label_count) if way != "weights" or trains())


def _choose(desk: Desk, errand: Errand, ways: tuple[Way, ...], frozen: Mapping[str, Any]) -> Choosing:
    workshop, archive, anchor, champion = desk.workshop, desk.archive, desk.anchor, desk.champion
    lines = read_set(workshop, frozen["id"])
    try:
        if "scorer" in ways:
            given: dict[str, Any] = {"seed": errand.seed, "should_stop": errand.should_stop}
            return train_choice(workshop, archive, lines, anchor, champion, **given)
        if "decoding" in ways:
            return choose_draw(workshop, archive, lines, anchor, champion)
    except Skipped as reason:
        if "weights" not in ways:
            raise
        return keep_choice(workshop, archive, lines, champion, str(reason))
    return keep_choice(workshop, archive, lines, champion, "the network alone learns")


def train_from(workshop: Workshop, folder: Path, anchor: Generator, errand: Errand) -> float:
    """Train on the texts of a run's folder, beginning from the anchor; the seconds that it took.

    Raises:
        Interrupted: stopped; the same folder goes on from there.
        JobError: the training failed.
    """
    trained = train(
        folder,
        Shape(),  # the anchor's own, in fact: it is what the training starts from
        errand.budget,
        seed=errand.seed,
        start=workshop.folder(anchor.checkpoint_key),
        on_event=errand.on_event,
        should_stop=errand.should_stop,
    )
    if trained.stopped:
        raise Interrupted
    return trained.seconds
