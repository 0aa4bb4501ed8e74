"""Training: the texts are frozen in a folder, a child process learns from them, and its checkpoint is registered.

The child is niced and ends with us. Everything that going on needs lies in the run's folder below the checkpoint
folder, so a run that was killed, with its worker or without, goes on wherever it is asked for again.
"""

from __future__ import annotations

import contextlib
import fcntl
import importlib
import importlib.metadata
import importlib.util
import json
import os
import selectors
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import IO, Any

from app.db import generators, tweets
from app.db.archives import Archive
from app.db.generators import Generator, Recipe
from app.db.session import now, reading, writing
from app.game.lessons import Lesson
from app.game.vetting import VETTING_VERSION
from app.jobs.workshop import Interrupted, JobError, ShouldStop, Steps, Workshop, plainly
from model.checkpoint import CheckpointError, checkpoint_digest, read_checkpoint
from model.evaluate import bits_per_character
from model.sampling import Decoding

LEAST_TWEETS = 100  # to learn from; fewer teach nothing but themselves
STOP_SECONDS = 60.0  # from asking the child to end until it is made to: it measures and saves once more
LOOK_SECONDS = 0.3  # between two looks at whether to stop
LOCK_SECONDS = 90.0  # that a run waits for the child of a dead worker to end
EVALUATED_TWEETS = 2000  # of the validation split; the figure's noise is far below what decides

Event = Mapping[str, Any]


class TrainingWaits(JobError):  # noqa: N818  # a state of the house, not a mistake
    """TensorFlow is not installed (yet)."""


@dataclass(frozen=True)
class Shape:
    """The network that is trained."""

    layers: int = 2
    units: int = 512
    cell: str = "lstm"


@dataclass(frozen=True)
class Budget:
    """How long it is trained: by minutes or by passes over the texts; by neither, until it learns nothing more."""

    minutes: float | None = None
    epochs: float | None = None


@dataclass(frozen=True)
class Trained:
    """What the child said last."""

    bits_per_character: float | None  # on the validation split, as training measured it
    epochs: float
    seconds: float
    stopped: bool  # ended early on request; the best checkpoint so far was kept


@dataclass(frozen=True)
class Made:
    """A training that ended in a generator."""

    generator_id: int
    is_new: bool  # False: this very checkpoint had been registered before
    trained: Trained
    bits_per_character: float  # on the validation split


def trains() -> bool:
    """Whether TensorFlow is there, whole: it may be being installed while we run."""
    importlib.invalidate_caches()
    if importlib.util.find_spec("tensorflow") is None:
        return False
    for name in ("tensorflow", "tensorflow-cpu", "tensorflow_macos"):
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            # Installers write this file last.
            return importlib.metadata.distribution(name).read_text("INSTALLER") is not None
    return True


def need_tensorflow() -> None:
    """Nothing, where TensorFlow is installed.

    Raises:
        TrainingWaits: it is not.
    """
    if not trains():
        raise TrainingWaits("training waits for TensorFlow: make setup-train")


def run_folder(workshop: Workshop, archive: Archive, name: str) -> Path:
    """Where a run keeps its texts, its state and, at last, its checkpoint."""
    return workshop.checkpoints / archive.slug / "runs" / name


def make_generator(
    workshop: Workshop,
    archive: Archive,
    shape: Shape,
    budget: Budget,
    *,
    seed: int = 0,
    step: Steps = plainly,
    on_event: Callable[[Event], None] = lambda _: None,
    should_stop: ShouldStop = lambda: False,
    keep_when_stopped: Callable[[], bool] = lambda: True,
) -> Made:
    """Train a network from chance on an archive and register it.

    Raises:
        TrainingWaits: TensorFlow is not installed.
        Interrupted: stopped before there was anything to keep, or `keep_when_stopped` says to go on another time.
        JobError: the archive is too small, or the training failed.
    """
    need_tensorflow()
    folder = run_folder(workshop, archive, f"{shape.cell}-{shape.layers}x{shape.units}-{seed}")
    tweet_count = step("write the texts", lambda: freeze_texts(workshop, archive, folder))

    def learn() -> dict[str, Any]:
        trained = train(folder, shape, budget, seed=seed, on_event=on_event, should_stop=should_stop)
        if trained.stopped and not keep_when_stopped():
            raise Interrupted
        return asdict(trained)

    trained = Trained(**step("train", learn))
    key, digest = step("keep the checkpoint", lambda: adopt(workshop, archive, folder))
    bits = step("evaluate", lambda: evaluate(workshop, archive, key))
    card = {"made_by": "train", "tweets": tweet_count, "seconds": trained.seconds, "epochs": trained.epochs}
    generator_id, is_new = step(
        "register", lambda: _ids(register(workshop, archive, key, digest, bits=bits, card=card))
    )
    clear(folder)
    return Made(generator_id, is_new, trained, bits)


def _ids(registered: tuple[Generator, bool]) -> tuple[int, bool]:
    return registered[0].id, registered[1]


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
    if count < LEAST_TWEETS or not validation:
        shutil.rmtree(folder)
        raise JobError(
            f"{archive.slug} is too small to learn from: found {count} tweets to train on and {validation} to measure"
            f" on, expected {LEAST_TWEETS} or more and 1 or more; import more"
        )
    body = json.dumps({"tweets": count, "sha256": [digest, other]})
    if note.exists() and note.read_text(encoding="utf-8") != body:
        for left in ("checkpoint.training", "checkpoint"):
            shutil.rmtree(folder / left, ignore_errors=True)
    note.write_text(body, encoding="utf-8")
    return count


def train(
    folder: Path,
    shape: Shape,
    budget: Budget,
    *,
    seed: int = 0,
    start: Path | None = None,
    on_event: Callable[[Event], None] = lambda _: None,
    should_stop: ShouldStop = lambda: False,
) -> Trained:
    """Let a child process learn from the texts in a run's folder, or go on where an earlier one stood.

    Args:
        folder: the run's; the checkpoint ends up in its `checkpoint`.
        shape: of the network; that of `start` where it begins from one.
        budget: how long.
        seed: of all chance.
        start: checkpoint folder to begin from.
        on_event: called with each thing the child says.
        should_stop: asked a few times a second; the child then keeps its best checkpoint and ends.

    Raises:
        TrainingWaits: TensorFlow is not installed.
        JobError: the child failed; says why, in words.
        Interrupted: stopped before there was a checkpoint.
    """
    need_tensorflow()
    command = [
        *(sys.executable, "-m", "app.jobs.leash", str(os.getpid()), "model.train"),
        *("--train", str(folder / "train.jsonl"), "--validation", str(folder / "validation.jsonl")),
        *("--out", str(folder / "checkpoint"), "--seed", str(seed), "--resume"),
        *("--layers", str(shape.layers), "--units", str(shape.units), "--cell", shape.cell),
    ]
    if start is not None:
        command += ["--start", str(start)]
    for option, value in (("--minutes", budget.minutes), ("--epochs", budget.epochs)):
        if value is not None:
            command += [option, str(value)]
    with _locked(folder, should_stop) as lock, (folder / "training.log").open("wb") as log:
        child = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=log,
            pass_fds=(lock.fileno(),),  # held until the child is gone too
            cwd=Path(__file__).resolve().parents[2],
            # Out of the terminal's reach: Ctrl-C is for us, and we ask the child to stop.
            start_new_session=True,
        )
        try:
            last = _listen(child, on_event, should_stop)
        finally:
            child.kill()
            child.wait()
            if child.stdout is not None:
                child.stdout.close()
    return _outcome(last, child.returncode, folder)


def adopt(workshop: Workshop, archive: Archive, folder: Path) -> tuple[str, str]:
    """Move a run's checkpoint to its place among those of the archive; its key and its digest."""
    made, note = folder / "checkpoint", folder / "adopted.json"
    if not made.exists() and note.exists():  # interrupted after the move
        key, digest = json.loads(note.read_text(encoding="utf-8"))
        return key, digest
    try:
        read_checkpoint(made)
        digest = checkpoint_digest(made)
    except CheckpointError as error:
        raise JobError(str(error)) from None
    key = f"{archive.slug}/{digest[:16]}"
    note.write_text(json.dumps([key, digest]), encoding="utf-8")
    target = workshop.folder(key)
    shutil.rmtree(target, ignore_errors=True)
    os.rename(made, target)
    return key, digest


def evaluate(workshop: Workshop, archive: Archive, key: str) -> float:
    """Bits per character of a checkpoint on the archive's validation split (at most 2,000 of its tweets).

    Raises:
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
    return bits_per_character(checkpoint, some).bits_per_character


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
) -> tuple[Generator, bool]:
    """Register a checkpoint as a generator, and whether it was new; the archive's first is champion and anchor."""
    checkpoint = read_checkpoint(workshop.folder(key))
    recipe = Recipe(
        checkpoint_key=key,
        checkpoint_sha256=digest,
        decoding=Decoding().to_json(),
        vetting_version=VETTING_VERSION,
        alphabet=checkpoint.vocab.alphabet,
        bits_per_character=bits,
        parent_id=parent_id,
        label_set_id=label_set_id,
        card=dict(card) | {"network": checkpoint.config.to_json(), "training": dict(checkpoint.meta)},
    )
    with writing(workshop.engine) as connection:
        return generators.register(connection, archive.id, recipe, now())


def clear(folder: Path) -> None:
    """Remove a run's folder: what is worth keeping has been moved."""
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


@contextlib.contextmanager
def _locked(folder: Path, should_stop: ShouldStop) -> Iterator[IO[str]]:
    """The run's folder for us alone; waits for the child of a worker that died, which ends by itself."""
    deadline = time.monotonic() + LOCK_SECONDS
    with (folder / "lock").open("w") as lock:
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if should_stop():
                    raise Interrupted from None
                if time.monotonic() > deadline:
                    raise JobError(f"another training writes to {folder}: wait for it, or end it") from None
                time.sleep(LOOK_SECONDS)
        yield lock


def _listen(child: subprocess.Popen[bytes], on_event: Callable[[Event], None], should_stop: ShouldStop) -> Event | None:
    """Pass on what the child says until it ends; its last word."""
    last: Event | None = None
    asked_at: float | None = None
    for line in _lines(child):
        if asked_at is None and should_stop():
            asked_at = time.monotonic()
            child.send_signal(signal.SIGTERM)
        if asked_at is not None and time.monotonic() - asked_at > STOP_SECONDS:
            child.kill()
        if not line:
            continue
        with contextlib.suppress(ValueError):
            event = json.loads(line)
            if isinstance(event, dict) and "event" in event:
                last = event
                on_event(event)
    child.wait()
    return last


def _lines(child: subprocess.Popen[bytes]) -> Iterator[bytes]:
    """The child's lines as they come, and an empty one whenever it says nothing for a while."""
    if child.stdout is None:
        raise RuntimeError("the child's output is not piped")
    unfinished = b""
    with selectors.DefaultSelector() as selector:
        selector.register(child.stdout, selectors.EVENT_READ)
        while True:
            if not selector.select(LOOK_SECONDS):
                yield b""
                continue
            data = os.read(child.stdout.fileno(), 65536)
            if not data:
                return
            *lines, unfinished = (unfinished + data).split(b"\n")
            yield from lines


def _outcome(last: Event | None, code: int, folder: Path) -> Trained:
    kind = last["event"] if last else ""
    if last is not None and kind in ("done", "stopped"):
        if not (folder / "checkpoint").exists():
            raise Interrupted
        return Trained(last["validation_bits"], last["epochs"], last["seconds"], kind == "stopped")
    if last is not None and kind == "failed":
        raise JobError(f"training failed: {last['reason']}")
    raise JobError(f"training ended without a word ({_ending(code)}); its messages: {_last_words(folder)}")


def _ending(code: int) -> str:
    if code < 0:
        name = signal.Signals(-code).name
        return f"killed by {name}, perhaps for want of memory" if name == "SIGKILL" else f"killed by {name}"
    return f"exit code {code}"


def _last_words(folder: Path) -> str:
    """The last line that the child wrote to standard error: of a traceback, the error."""
    with contextlib.suppress(OSError):
        lines = (folder / "training.log").read_text(encoding="utf-8", errors="replace").split("\n")
        return next((line.strip() for line in reversed(lines) if line.strip()), "none")
    return "none"
