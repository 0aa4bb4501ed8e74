"""Supervising a training: a child process learns from the texts in a folder while we listen, and stop it if asked to.

The child is niced and ends with us. What going on needs lies in the folder, so a run that was killed, with its worker
or without, goes on wherever it is asked for again.
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
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from app.db.session import now
from app.jobs.curve import Curve
from app.jobs.errors import Interrupted, JobError
from model.checkpoint import has_checkpoint, replace_file

STOP_SECONDS = 60.0  # from asking the child to end until it is made to: it measures and saves once more
LOOK_SECONDS = 0.3  # between two looks at whether to stop
LOCK_SECONDS = 90.0  # that a run waits for the child of a dead worker to end

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


def train(
    folder: Path,
    shape: Shape,
    budget: Budget,
    *,
    seed: int = 0,
    start: Path | None = None,
    on_event: Callable[[Event], None] = lambda _: None,
    should_stop: Callable[[], bool] = lambda: False,
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
        Interrupted: stopped before there was a checkpoint, or the child did not end in time.
    """
    need_tensorflow()
    command = [
        *(sys.executable, "-m", "app.jobs.leash", str(os.getpid()), "app.jobs.training_process"),
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
            last = _listen(child, _remembering(folder, on_event), should_stop)
        finally:
            child.kill()
            child.wait()
            if child.stdout is not None:
                child.stdout.close()
    return _outcome(last, child.returncode, folder)


@contextlib.contextmanager
def _locked(folder: Path, should_stop: Callable[[], bool]) -> Iterator[IO[str]]:
    """The run's folder for us alone; waits for the child of a worker that died, which ends by itself."""
    deadline = time.monotonic() + LOCK_SECONDS
    with (folder / "lock").open("a+") as lock:
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
        lock.truncate(0)
        lock.write(f"{os.getpid()}\n")
        lock.flush()
        yield lock


def _remembering(folder: Path, on_event: Callable[[Event], None]) -> Callable[[Event], None]:
    """`on_event`, told first of the curve so far of a run that was interrupted: its folder keeps it."""
    kept, curve = folder / "curve.json", Curve()

    def tell(event: Event) -> None:
        curve.take(event, now())
        if event["event"] in ("saved", "sample", "stopped"):  # from here the training itself would go on
            with contextlib.suppress(OSError):  # for want of a curve none should end
                replace_file(kept, json.dumps(curve.on_a_card()).encode())
        on_event(event)

    with contextlib.suppress(OSError, ValueError):
        tell({"event": "resumed", "curve": json.loads(kept.read_bytes())})
    return tell


def await_turn(folder: Path, should_stop: Callable[[], bool]) -> None:
    """Wait until no other training has a run's folder: what is in it must not change under that one.

    Raises:
        JobError: one has it still, after a minute and a half.
        Interrupted: `should_stop` said so.
    """
    if folder.exists():
        with _locked(folder, should_stop):
            pass


def is_under_way(folder: Path) -> bool:
    """Whether a process that lives on this machine trains in a run's folder; the child of one that died soon ends."""
    try:
        with (folder / "lock").open("a+") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return False
            except BlockingIOError:
                lock.seek(0)
                os.kill(int(lock.read()), 0)
                return True
    except PermissionError:  # it lives, under another name than ours
        return True
    except (OSError, ValueError):
        return False


def _listen(
    child: subprocess.Popen[bytes], on_event: Callable[[Event], None], should_stop: Callable[[], bool]
) -> Event | None:
    """Pass on what the child says until it ends; its last word."""
    last: Event | None = None
    asked_at: float | None = None
    for line in _lines(child):
        if asked_at is None and should_stop():
            asked_at = time.monotonic()
            child.send_signal(signal.SIGTERM)
        if asked_at is not None and time.monotonic() - asked_at > STOP_SECONDS:
            raise Interrupted  # it is ended where it is, and goes on another time from what it saved last
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
        if not has_checkpoint(folder / "checkpoint"):
            if kind == "stopped":
                raise Interrupted
            raise JobError(f"training ended without a checkpoint in {folder}; remove the folder to begin anew")
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
