"""Training: the texts are frozen in a folder, a child process learns from them, and its checkpoint is registered."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from app.db import generators, tweets
from app.db.archives import Archive
from app.db.generators import Generator, Recipe
from app.db.session import now, reading, writing
from app.game.lessons import Lesson
from app.game.vetting import VETTING_VERSION
from app.jobs.curve import Curve
from app.jobs.supervising import Budget, Event, Shape, Trained, await_turn, need_tensorflow, train
from app.jobs.workshop import Interrupted, JobError, ShouldStop, Steps, Workshop, heed, never, plainly
from model.checkpoint import CheckpointError, checkpoint_digest, read_checkpoint, write_checkpoint
from model.evaluate import bits_per_character
from model.sampling import Decoding

LEAST_TWEETS = 100  # to learn from; fewer teach nothing but themselves
EVALUATED_TWEETS = 2000  # of the validation split; the figure's noise is far below what decides


@dataclass(frozen=True)
class Made:
    """A training that ended in a generator."""

    generator_id: int
    is_new: bool  # False: this very checkpoint had been registered before
    trained: Trained
    bits_per_character: float  # on the validation split


def run_folder(workshop: Workshop, archive: Archive, name: str) -> Path:
    """Where a run keeps its texts, its state and, at last, its checkpoint."""
    return workshop.checkpoints / archive.slug / "runs" / name


def run_of(workshop: Workshop, archive: Archive, shape: Shape, seed: int, start: Path | None) -> Path:
    """The folder of the run that trains such a network: the same call finds it again."""
    name = f"{shape.cell}-{shape.layers}x{shape.units}-{seed}"
    return run_folder(workshop, archive, f"{name}-from-{_digest(start)[:12]}" if start else name)


def make_generator(
    workshop: Workshop,
    archive: Archive,
    shape: Shape,
    budget: Budget,
    *,
    seed: int = 0,
    start: Path | None = None,
    step: Steps = plainly,
    on_event: Callable[[Event], None] = lambda _: None,
    should_stop: ShouldStop = lambda: False,
    keep_when_stopped: Callable[[], bool] = lambda: True,
) -> Made:
    """Train a network on an archive, from chance or from the checkpoint in `start`, and register it.

    Raises:
        TrainingWaits: TensorFlow is not installed.
        Interrupted: stopped before there was anything to keep, or `keep_when_stopped` says to go on another time.
        JobError: the archive is too small, or the training failed.
    """
    need_tensorflow()
    folder = run_of(workshop, archive, shape, seed, start)
    await_turn(folder, should_stop)
    tweet_count = step("write the texts", lambda: freeze_texts(workshop, archive, folder))

    curve = Curve()

    def listen(event: Event) -> None:
        curve.take(event, now())
        on_event(event)

    def learn() -> dict[str, Any]:
        trained = train(folder, shape, budget, seed=seed, start=start, on_event=listen, should_stop=should_stop)
        if trained.stopped and not keep_when_stopped():
            raise Interrupted
        return asdict(trained) | {"curve": curve.on_a_card()}

    learned = dict(step("train", learn))
    course = learned.pop("curve", [])  # missing where an earlier program did that step
    trained = Trained(**learned)
    key, digest = step("keep the checkpoint", lambda: adopt(workshop, archive, folder))

    def stops() -> bool:
        return should_stop() and not keep_when_stopped()

    bits = step("evaluate", lambda: evaluate(workshop, archive, key, stops))
    card = {"made_by": "train", "tweets": tweet_count, "seconds": trained.seconds, "epochs": trained.epochs}
    card |= {"start": _digest(start)} if start else {}
    card |= {"curve": course} if course else {}
    generator_id, is_new = step(
        "register", lambda: _ids(register(workshop, archive, key, digest, bits=bits, card=card))
    )
    clear(folder)
    return Made(generator_id, is_new, trained, bits)


def _digest(checkpoint: Path) -> str:
    try:
        return checkpoint_digest(checkpoint)
    except CheckpointError as error:
        raise JobError(str(error)) from None


def _ids(registered: tuple[Generator, bool]) -> tuple[int, bool]:
    return registered[0].id, registered[1]


def shortage(slug: str, count: int, validation: int) -> str | None:
    """What an archive with so many tweets in those two splits lacks to be learned from; None where it is enough."""
    if count >= LEAST_TWEETS and validation:
        return None
    return (
        f"{slug} is too small to learn from: found {count} tweets to train on and {validation} to measure"
        f" on, expected {LEAST_TWEETS} or more and 1 or more; import more"
    )


def freeze_texts(
    workshop: Workshop, archive: Archive, folder: Path, lessons: Iterable[Lesson] = (), *, anew: bool = True
) -> int:
    """Write the texts of the train and validation splits (and `lessons`) into a run's folder; how many tweets.

    Args:
        workshop: the surroundings.
        archive: whose tweets.
        folder: the run's.
        lessons: what is learned from besides.
        anew: whether texts that changed since an interrupted run began make it start over; else it keeps its own.

    Raises:
        JobError: the archive is too small to learn from.
    """
    note = folder / "texts.json"
    if not anew and note.exists():
        return int(json.loads(note.read_text(encoding="utf-8"))["tweets"])
    folder.mkdir(parents=True, exist_ok=True)
    with reading(workshop.engine) as connection:
        learned = ({"text": text} for text in tweets.texts(connection, archive.id, "train"))
        count, digest = _write(folder / "train.jsonl", learned, map(asdict, lessons))
        measured = ({"text": text} for text in tweets.texts(connection, archive.id, "validation"))
        validation, other = _write(folder / "validation.jsonl", measured)
    if words := shortage(archive.slug, count, validation):
        shutil.rmtree(folder)
        raise JobError(words)
    body = json.dumps({"tweets": count, "sha256": [digest, other]})
    if note.exists() and note.read_text(encoding="utf-8") != body:
        for left in ("checkpoint.training", "checkpoint"):
            shutil.rmtree(folder / left, ignore_errors=True)
    note.write_text(body, encoding="utf-8")
    return count


def adopt(workshop: Workshop, archive: Archive, folder: Path) -> tuple[str, str]:
    """Copy a run's checkpoint to its place among those of the archive; its key and its digest."""
    made = folder / "checkpoint"
    try:
        checkpoint, digest = read_checkpoint(made), checkpoint_digest(made)
    except CheckpointError as error:
        raise JobError(str(error)) from None
    key = f"{archive.slug}/{digest[:16]}"
    # A copy: the run keeps what it came to until it is cleared, for it may be killed before that is registered.
    write_checkpoint(workshop.folder(key), checkpoint)
    return key, digest


def evaluate(
    workshop: Workshop,
    archive: Archive,
    key: str,
    should_stop: ShouldStop = never,
    on_read: Callable[[int, int], None] = lambda *_: None,
) -> float:
    """Bits per character of a checkpoint on the archive's validation split (at most 2,000 of its tweets).

    `on_read` is told how many of how many tweets have been read.

    Raises:
        Interrupted: `should_stop` said so.
        JobError: the checkpoint is damaged or gone, or there is nothing to measure on.
    """
    with reading(workshop.engine) as connection:
        texts = [text for text in tweets.texts(connection, archive.id, "validation") if text]
    some = texts[:: -(-len(texts) // EVALUATED_TWEETS) or 1]
    if not some:
        raise JobError(f"{archive.slug} has no validation tweets to measure on; import more")
    try:
        checkpoint = read_checkpoint(workshop.folder(key))
    except CheckpointError as error:
        raise JobError(str(error)) from None

    def tell(read: int) -> None:
        on_read(read, len(some))
        heed(should_stop)

    return bits_per_character(checkpoint, some, tell).bits_per_character


def register(
    workshop: Workshop,
    archive: Archive,
    key: str,
    digest: str,
    *,
    bits: float,
    card: Mapping[str, Any],
    parent_id: int | None = None,
    label_set_id: int | None = None,
    decoding: Mapping[str, Any] | None = None,
    scorer: str | None = None,
) -> tuple[Generator, bool]:
    """Register a checkpoint as a generator, and whether it was new; the archive's first is champion and anchor."""
    checkpoint = read_checkpoint(workshop.folder(key))
    recipe = Recipe(
        checkpoint_key=key,
        checkpoint_sha256=digest,
        decoding=Decoding().to_json() if decoding is None else dict(decoding),
        scorer_sha256=scorer,
        vetting_version=VETTING_VERSION,
        alphabet=checkpoint.vocab.characters,
        bits_per_character=bits,
        parent_id=parent_id,
        label_set_id=label_set_id,
        card=dict(card) | {"network": checkpoint.config.to_json(), "training": dict(checkpoint.meta)},
    )
    with writing(workshop.engine) as connection:
        return generators.register(connection, archive.id, recipe, now())


def clear(folder: Path) -> None:
    """Remove a run's folder: what is worth keeping has been copied."""
    # First what would go on: without its checkpoint it could not.
    shutil.rmtree(folder / "checkpoint.training", ignore_errors=True)
    shutil.rmtree(folder, ignore_errors=True)


def _write(path: Path, *parts: Iterable[Mapping[str, Any]]) -> tuple[int, str]:
    """Write rows as JSON lines, whole or not at all; how many there are of the first part, and the file's hash."""
    counts, whole = [], sha256()
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    with aside.open("wb") as file:
        for part in parts:
            count = 0
            for count, row in enumerate(part, 1):  # noqa: B007
                line = (json.dumps(row, ensure_ascii=False) + "\n").encode("utf-8", "replace")
                whole.update(line)
                file.write(line)
            counts.append(count)
        file.flush()
        os.fsync(file.fileno())
    aside.replace(path)
    return counts[0], whole.hexdigest()
