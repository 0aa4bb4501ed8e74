"""Processes that write drafts: sampling takes all of a core, so it gets processes of its own, niced.

    python -m app.jobs.writers CHECKPOINT_FOLDER

reads its options in the first line, ``{"decoding": {…}, "limit": 280}``, then one request a line,
``{"seed": 7, "count": 256}``, and answers each by one line with its drafts, scored where the options name a scorer. It
ends when its standard input does, and so dies with whoever started it.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO, Any, Self

import numpy as np

from app.game.steering import Balance, Lexicon, Steering
from app.game.triggers import Triggers
from app.game.vetting import SHORTEST
from app.jobs.errors import JobError
from app.jobs.scorers import read_scorer
from model.arithmetic import numpy_at_its_best
from model.checkpoint import CheckpointError, read_checkpoint
from model.generate import Bend, Decoding, Draft, generate
from model.reader import Array
from model.scorer import ScorerError, card_features, features_of
from model.text import normalise

LISTS = ("handles", "names", "words")  # of what may be written, in what is told to a writer
# Drafts in one request: enough rows for full batches, few enough to stop within seconds; fewer, where few are wanted.
CHUNK, LEAST_CHUNK = 256, 32


@dataclass(frozen=True)
class Scoring:
    """Where the scorer of drafts lies."""

    folder: Path  # of scorers
    digest: str
    body: Path  # the checkpoint folder whose states it reads


@dataclass(frozen=True)
class Steered:
    """What bends the odds of what is written for an archive: see `app.game.steering` and `app.game.triggers`.

    Attributes:
        balance: of symbols and lengths.
        handles: that may be named; None: any.
        names: that may be written with a capital; None: any word.
        words: that may be written; None: any.
        tweets: whose words trigger each other; none: nothing does.
    """

    balance: Balance = field(default_factory=Balance)
    handles: Collection[str] | None = None
    names: Collection[str] | None = None
    words: Collection[str] | None = None
    tweets: Sequence[str] = ()

    def to_json(self) -> dict[str, Any]:
        """The fields as plain values."""
        lists = {name: None if (held := getattr(self, name)) is None else sorted(held) for name in LISTS}
        return {"balance": self.balance.to_json(), **lists, "tweets": list(self.tweets)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """What `to_json` described."""
        balance = Balance.from_json(data["balance"])
        return cls(balance, **{name: data[name] for name in LISTS}, tweets=data["tweets"])

    def ready(self, symbols: list[str]) -> Bend:
        """The same for a network's symbols."""
        steering = Steering(symbols, self.balance, Lexicon(self.handles, self.names, self.words))
        if not self.tweets:
            return steering.bend
        triggers = Triggers(self.tweets, symbols)

        def bend(logits: Array, texts: Sequence[str]) -> None:
            triggers.bend(logits, texts)
            steering.bend(logits, texts)

        return bend


class Writers:
    """Some writing processes with one checkpoint, to be used in a `with` block."""

    def __init__(
        self,
        folder: Path,
        decoding: Mapping[str, Any],
        limit: int,
        processes: int = 2,
        scoring: Scoring | None = None,
        steered: Steered | None = None,
        wanted: int = CHUNK,
    ) -> None:
        """`wanted`: drafts that are likely to be read; of many more none are asked for."""
        options: dict[str, Any] = {"decoding": dict(decoding), "limit": limit}
        if steered is not None:
            options["steered"] = steered.to_json()
        if scoring is not None:
            options["scorer"] = [str(scoring.folder), scoring.digest, str(scoring.body)]
        self._command = [sys.executable, "-m", "app.jobs.writers", str(folder)]
        self._options = json.dumps(options)
        self._count, self._chunk = processes, min(CHUNK, max(LEAST_CHUNK, wanted))
        self._writers: list[subprocess.Popen[str]] = []

    def __enter__(self) -> Self:
        house = Path(__file__).resolve().parents[2]
        self._writers = [
            subprocess.Popen(
                self._command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                encoding="utf-8",
                env=os.environ | numpy_at_its_best(),
                cwd=house,
                # Out of the terminal's reach: Ctrl-C is for their parent, which then closes their input.
                start_new_session=True,
            )
            for _ in range(self._count)
        ]
        for writer in self._writers:
            self._send(writer, self._options)
        return self

    def __exit__(self, *_: object) -> None:
        for writer in self._writers:
            writer.kill()
            writer.wait()
            for pipe in (writer.stdin, writer.stdout):
                if pipe is not None:
                    with contextlib.suppress(BrokenPipeError):
                        pipe.close()

    def drafts(self, seed: int) -> Iterator[list[Draft]]:
        """Drafts without end in the order of their seeds, a chunk at a time; the first has `seed`."""
        waiting: deque[subprocess.Popen[str]] = deque()
        for writer in self._writers:
            seed = self._ask(writer, seed)
            waiting.append(writer)
        while True:
            writer = waiting.popleft()
            drafts = self._answer(writer)
            seed = self._ask(writer, seed)
            waiting.append(writer)
            yield drafts

    def _ask(self, writer: subprocess.Popen[str], seed: int) -> int:
        self._send(writer, json.dumps({"seed": seed, "count": self._chunk}))
        return seed + self._chunk

    def _send(self, writer: subprocess.Popen[str], line: str) -> None:
        pipe = _pipe(writer.stdin)
        with contextlib.suppress(BrokenPipeError):  # found out, and told better, by `_answer`
            pipe.write(line + "\n")
            pipe.flush()

    def _answer(self, writer: subprocess.Popen[str]) -> list[Draft]:
        line = _pipe(writer.stdout).readline()
        if not line.endswith("\n"):
            raise JobError(f"a sampling process ended early (exit code {writer.wait()}): its messages stand above")
        answer = json.loads(line)
        if "error" in answer:
            raise JobError(answer["error"])
        return [Draft(*draft) for draft in answer["drafts"]]


def _pipe(pipe: IO[str] | None) -> IO[str]:
    if pipe is None:
        raise RuntimeError("the writers were not started: use them in a with block")
    return pipe


def main() -> None:
    """Write drafts as standard input asks for them."""
    with contextlib.suppress(OSError):
        os.nice(10)
    if not (line := sys.stdin.readline()):
        return  # who started it is gone
    options = json.loads(line)
    try:
        checkpoint = read_checkpoint(Path(sys.argv[1]))
        scored = _scoring(*options["scorer"]) if "scorer" in options else list
    except (CheckpointError, ScorerError) as error:
        _tell({"error": str(error)})
        return
    decoding, steered = Decoding.from_json(options["decoding"]), options.get("steered")
    bend = Steered.from_json(steered).ready(checkpoint.vocab.symbols) if steered else None
    # Where the scorer's body is the network that writes, it need not read what it has just written.
    traced = "scorer" in options and Path(options["scorer"][2]) == Path(sys.argv[1])
    common = {"decoding": decoding, "limit": options["limit"], "bend": bend, "traced": traced}
    for line in sys.stdin:
        request = json.loads(line)
        drafts = scored(generate(checkpoint, request["count"], seed=request["seed"], **common))
        told = [[draft.text, draft.ended, draft.bits, draft.seed, draft.score] for draft in drafts]
        _tell({"drafts": told})


def _scoring(folder: str, digest: str, body: str) -> Callable[[Iterator[Draft]], list[Draft]]:
    """What gives drafts their scores: those that may become cards, as they would be shown."""
    scorer, reader = read_scorer(Path(folder), digest), read_checkpoint(Path(body))

    def judged(cards: Mapping[int, Array]) -> dict[int, float]:
        return dict(zip(cards, scorer.judge(np.stack([*cards.values()])).tolist(), strict=True)) if cards else {}

    def scored(drafts: Iterator[Draft]) -> list[Draft]:
        written = list(drafts)
        shown = {draft.seed: normalise(draft.text) for draft in written if draft.ended}
        shown = {seed: text for seed, text in shown.items() if len(text) >= SHORTEST}
        traced = {
            draft.seed: features_of(draft.traces, draft.text)
            for draft in written
            if draft.traces is not None and shown.get(draft.seed) == draft.text
        }
        unread = {seed: text for seed, text in shown.items() if seed not in traced}
        read = dict(zip(unread, card_features(reader, list(unread.values())), strict=True))
        scores = judged(traced) | judged(read)
        return [replace(draft, score=scores.get(draft.seed)) for draft in written]

    return scored


def _tell(answer: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt, BrokenPipeError):
        main()
