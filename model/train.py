"""Training: texts in, a checkpoint out, told step by step; a run that was killed goes on where it stood.

TensorFlow, which takes seconds to load, is loaded when there is something to learn: what a run that is done came to can
be had without it.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import importlib.util
import json
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import safetensors
import safetensors.numpy

from model.checkpoint import Checkpoint, Weights, replace_file, write_checkpoint
from model.config import Config, Recipe
from model.corpus import Corpus, Text, Window
from model.generate import generate
from model.vocab import Vocab

if TYPE_CHECKING:
    from model.network import Learner

Event = dict[str, Any]
# What is measured on, at most: more would slow the training down and hardly sharpen the figure.
VALIDATION_TEXTS, VALIDATION_CHARACTERS = 1_500, 200_000
VALIDATION_SHARE = 0.05  # of the training's time that measuring may take, but for the first time
MEASURE_SECONDS = 30.0  # that measuring once more may take where somebody asked to stop: after 60 we may be killed
TELL_SECONDS, SAVE_SECONDS = 2.0, 60.0  # between two reports of progress, and two savings of what going on needs
STATE = "state.safetensors"


class TrainingError(Exception):
    """A training cannot begin or go on; the message is one line."""


class OtherRunError(TrainingError):
    """The run that was interrupted was one with other texts or settings, or another program's."""


@dataclass
class Job:
    """What is to be trained, on what, and where to."""

    texts: Sequence[Text]
    validation: Sequence[Text]  # measured on, never learned from
    out: Path  # folder of the checkpoint; what a run needs to go on lies beside it, in out + ".training"
    config: Config
    recipe: Recipe
    start: Checkpoint | None = None  # begin from this one instead of from chance
    resume: bool = False  # go on with the run that was interrupted, where there is one
    report: Callable[[Event], None] = lambda event: None
    should_stop: Callable[[], bool] = lambda: False  # asked after each step


@dataclass
class Standing:
    """How far a run is; with the arrays of its learner, all that going on needs."""

    fingerprint: str  # of texts, network and recipe: a run with another one is another run
    read: int  # characters and end marks that were learned from
    ended: str = ""  # done or stopped; empty while it goes on
    seconds: float = 0.0  # spent so far
    step: int = 0
    epoch: int = 0
    place: int = 0  # the next window of the epoch
    measured: int = 0  # validations
    without_best: int = 0  # validations since the best one
    train_bits: float | None = None  # running mean
    validation_bits: float | None = None  # of the averaged weights, last time
    best_bits: float | None = None


def train(job: Job) -> Standing:
    """Train a network and leave the best one, by bits per character on the validation texts, in `job.out`.

    Raises:
        OtherRunError: it is not the run that it should resume.
        TrainingError: that, or it diverged, another one writes to the same place, or the disk is full; the last good
            checkpoint stays where it is.
    """
    try:
        return Run(job).go()
    except OSError as error:
        if isinstance(error, BrokenPipeError):  # nobody listens any more
            raise
        where = error.filename or job.out
        raise TrainingError(f"{where}: {error.strerror or error}; the last good checkpoint stays") from None


class Run:
    """One training, from its first step or from where it was interrupted."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.beside = job.out.parent / f"{job.out.name}.training"
        self.beside.mkdir(parents=True, exist_ok=True)
        self.state = self.beside / STATE
        self._lock = _only_one(self.beside)
        accounts = tuple(sorted({text.account for text in job.texts if text.account}))
        known = job.start.vocab if job.start else Vocab("")
        self.vocab = known.extended((text.text for text in job.texts), accounts=accounts)
        self.corpus = Corpus(job.texts, self.vocab, seed=job.recipe.seed)
        self.validation = Corpus(_measured_on(job.validation), self.vocab)
        self.recipe = job.recipe.filled(self.corpus.characters, tuning=job.start is not None)
        self.now = Standing(_fingerprint(job, self.recipe, self.vocab), read=0)
        self._kept = self._restored() if job.resume else None

    def go(self) -> Standing:
        """Learn until the budget is spent, nothing improves any more, or somebody asks to stop."""
        if not self.now.ended:
            self._get_ready()
            self._go_on()
        return self.now

    def _get_ready(self) -> None:
        """Load TensorFlow, and build what learns as it stood when the run was interrupted, if it was."""
        from model.network import Learner, tf

        self.learner: Learner = Learner(self.job.config, self.vocab, self.recipe)
        if self._kept is not None:
            try:
                self.learner.restore(self._kept)
            except ValueError as error:
                raise self._other(f"another program's: {error}") from None
        elif self.job.start:
            self.learner.begin_from(widened(self.job.start, self.vocab))
        self._begun = time.monotonic() - self.now.seconds
        self._told = self._saved = self.now.seconds
        self._rested = self.now.seconds  # from then on measuring again takes no more than its share of the time
        self._measuring = 0.0  # seconds that it took last time
        self._speed = 0.0  # characters a second, running mean
        self._board: Any = None
        if importlib.util.find_spec("tensorboard"):
            with contextlib.suppress(tf.errors.OpError):
                self._board = tf.summary.create_file_writer(str(self.beside / "tensorboard"))

    def _go_on(self) -> None:
        now = self.now
        while not now.ended:
            for window in self.learner.windows(self.corpus, self.recipe.batch, epoch=now.epoch, first=now.place):
                self._learn(window)
                now.ended = "stopped" if self.job.should_stop() else ""
                if self._is_due():
                    self._measure()
                    stuck = now.without_best > self.recipe.patience
                    now.ended = now.ended or ("done" if self.progress >= 1 or stuck else "")
                    self._save()
                    sample = next(generate(self._checkpoint(), 1, seed=now.step, batch=1))
                    self._tell("sample", text=sample.text)
                elif now.ended or now.seconds - self._saved >= SAVE_SECONDS:
                    self._save()
                    self._tell("saved", seconds=now.seconds)
                if now.ended or now.seconds - self._told >= TELL_SECONDS:
                    self._tell_progress()
                if now.ended:
                    return
            now.epoch, now.place = now.epoch + 1, 0

    def _is_due(self) -> bool:
        """Whether it is time to measure."""
        now = self.now
        if now.ended:  # somebody asked to stop, and waits
            return now.best_bits is None or self._measuring < MEASURE_SECONDS
        due = int(self.progress * self.recipe.validations) > now.measured and now.seconds >= self._rested
        return self.progress >= 1 or due

    @property
    def progress(self) -> float:
        """Share of the budget that is spent: of the minutes where they are given, else of the epochs."""
        if self.recipe.minutes is not None:
            return self.now.seconds / (60 * self.recipe.minutes)
        return self.epochs / self.recipe.epochs

    @property
    def epochs(self) -> float:
        """How often the training has gone through the corpus."""
        return self.now.read / max(1, self.corpus.characters)

    @property
    def passes(self) -> float:
        """How often the whole training will go through the corpus, at the pace so far."""
        if self.recipe.minutes is None:
            return self.recipe.epochs
        return self.epochs / max(self.progress, 1e-9)

    def _learn(self, window: Window) -> None:
        now = self.now
        rate, noise = self.recipe.rate_at(self.progress), self.recipe.noise_for(self.passes)
        bits = self.learner.learn(window, rate=rate, step=now.step, noise=noise) / math.log(2)
        if not math.isfinite(bits):
            raise self._diverged(f"the loss is {bits}")
        now.step, now.place = now.step + 1, now.place + 1
        now.train_bits = bits if now.train_bits is None else 0.98 * now.train_bits + 0.02 * bits
        before, now.seconds = now.seconds, time.monotonic() - self._begun
        read = int(np.count_nonzero(window.weights))
        now.read, speed = now.read + read, read / (now.seconds - before)
        self._speed = speed if not self._speed else 0.95 * self._speed + 0.05 * speed

    def _measure(self) -> None:
        """Measure the averaged weights, and keep them where they are the best so far."""
        now, begun = self.now, time.monotonic()
        now.validation_bits = self.learner.measure(self.validation)
        now.measured = max(now.measured + 1, int(self.progress * self.recipe.validations))
        # At first nothing is known: the bound is what blind guessing costs, were all characters unknown.
        blind = math.log2(len(self.vocab)) + self.vocab.unknown_bits
        if not now.validation_bits < 2 * (now.best_bits or blind):
            raise self._diverged(f"{now.validation_bits:.2f} bits per character on the validation texts")
        now.without_best += 1
        if now.best_bits is None or now.validation_bits < now.best_bits:
            now.best_bits, now.without_best = now.validation_bits, 0
            write_checkpoint(self.job.out, self._checkpoint())
        now.seconds, self._measuring = time.monotonic() - self._begun, time.monotonic() - begun
        self._rested = now.seconds + self._measuring / VALIDATION_SHARE

    def _diverged(self, found: str) -> TrainingError:
        """What to raise. The state goes: from there it would diverge again."""
        self.state.unlink(missing_ok=True)
        words = "the last good checkpoint stays, and the next training begins anew"
        return TrainingError(f"diverged at step {self.now.step}: {found}; {words}")

    def _checkpoint(self) -> Checkpoint:
        now, start = self.now, self.job.start
        figures = {
            "bits_per_character": now.validation_bits,
            "train_bits": now.train_bits,
            "epochs": round(self.epochs, 2),
            "seconds": round(now.seconds, 1),
            "tweets": len(self.job.texts),
            "characters": self.corpus.characters,
            "recipe": asdict(self.recipe),
        }
        if start and "base" in start.meta:
            figures["base"] = start.meta["base"]  # whoever descends from a base has read what it read
        return Checkpoint(self.job.config, self.vocab, self.learner.averaged.weights_now(), figures)

    def _tell_progress(self) -> None:
        now, progress = self.now, self.progress
        self._told = now.seconds
        self._tell(
            "progress",
            epoch=now.epoch,
            step=now.step,
            steps=max(round(now.step / progress), now.step),
            characters_per_second=round(self._speed),
            learning_rate=self.recipe.rate_at(progress),
            train_bits=now.train_bits,
            validation_bits=now.validation_bits,
            seconds_left=round(max((1 / progress - 1) * now.seconds, 0.0), 1),
        )

    def _tell(self, event: str, **values: float | str | None) -> None:
        """Tell whoever listens, and TensorBoard where it is installed: tensorboard --logdir FOLDER.training"""
        self.job.report({"event": event, **values})
        if self._board is None:
            return
        from model.network import tf

        try:
            with self._board.as_default(self.now.step):
                for name, value in values.items():
                    if value is not None:
                        (tf.summary.text if isinstance(value, str) else tf.summary.scalar)(name, value)
            self._board.flush()
        except tf.errors.OpError:  # the disk is full: what is only for watching ends no training
            self._board = None

    def _save(self) -> None:
        data = safetensors.numpy.save(self.learner.arrays(), {"standing": json.dumps(asdict(self.now))})
        replace_file(self.state, data)
        self._saved = self.now.seconds

    def _other(self, found: str) -> OtherRunError:
        return OtherRunError(f"{self.state}: {found}; remove it to begin anew")

    def _restored(self) -> Weights | None:
        """Stand where the run was interrupted; the arrays that its learner goes on from, None where it is new."""
        if not self.state.exists():
            return None
        try:
            with safetensors.safe_open(self.state, "numpy") as file:
                standing = Standing(**json.loads(file.metadata()["standing"]))
                arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        except (safetensors.SafetensorError, ValueError, TypeError, KeyError) as error:
            raise self._other(f"another program's, or damaged: {error}") from None
        if standing.fingerprint != self.now.fingerprint:
            raise self._other("made with other texts or settings")
        self.now = standing
        # Of another budget it is another share that is over.
        standing.measured = min(standing.measured, int(self.progress * self.recipe.validations))
        # One that was stopped goes on, and one that was done with less time; else what is done stays so.
        if standing.ended != "done" or not (self.progress >= 1 or standing.without_best > self.recipe.patience):
            self.now = replace(standing, ended="")
        return arrays


def widened(start: Checkpoint, vocab: Vocab) -> Weights:
    """The weights of `start` for a larger vocabulary: a new symbol begins as the mean of those that are known."""
    places = {symbol: place for place, symbol in enumerate(start.vocab.symbols)}
    old = [places.get(symbol) for symbol in vocab.symbols]
    weights = dict(start.weights)
    for name, axis in (("embedding", 0), ("output.kernel", 1), ("output.bias", 0)):
        known = start.weights[name]
        mean = known.mean(axis)
        weights[name] = np.stack([mean if place is None else known.take(place, axis) for place in old], axis)
    return weights


def _measured_on(texts: Sequence[Text]) -> Sequence[Text]:
    """Of these texts as many as are measured on, of all accounts and of all times."""
    characters = sum(len(text.text) for text in texts)
    every = max(1, -(-len(texts) // VALIDATION_TEXTS), -(-characters // VALIDATION_CHARACTERS))
    return texts[::every]


def _fingerprint(job: Job, filled: Recipe, vocab: Vocab) -> str:
    """SHA-256 of what makes a run this one, its budget apart; of the recipe as filled in, which upgrades may change."""
    recipe = {k: v for k, v in asdict(filled).items() if k not in ("minutes", "epochs", "patience")}
    whole = hashlib.sha256(json.dumps([job.config.to_json(), recipe, vocab.to_json()]).encode())
    for _, array in sorted(job.start.weights.items()) if job.start else ():
        whole.update(array.tobytes())
    for text in (*job.texts, *job.validation):
        whole.update(f"{text.text}\0{text.weight}\0{text.account}\0".encode("utf-8", "surrogatepass"))
    return whole.hexdigest()


def _only_one(folder: Path) -> Any:
    """Take the lock of a run's folder, held until the process ends; a second run on it is refused."""
    lock = open(folder / "lock", "w")  # noqa: SIM115
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise TrainingError(f"{folder}: another training is writing there; wait for it or end it") from None
    return lock
