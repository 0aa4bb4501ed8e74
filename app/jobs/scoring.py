"""Training a scorer in a process of its own: it takes a core for a while, and NumPy wants its threads set first.

    python -m app.jobs.scoring TASK.json

reads what `train_aside` wrote and answers with one line: the scorer's digest, its figures and the cards' scores, or
why there is none.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from app.jobs.errors import Interrupted, JobError
from app.jobs.scorers import write_scorer
from app.jobs.workshop import ShouldStop
from model.arithmetic import numpy_at_its_best
from model.checkpoint import CheckpointError, read_checkpoint
from model.scorer import Pick, ScorerError, card_features, train_scorer

LOOK_SECONDS = 0.3  # between two looks at whether to stop


@dataclass(frozen=True)
class Trained:
    """A scorer that was trained and kept."""

    digest: str
    held: Mapping[str, Any]  # how well it foretells players that it never saw; see `model.scorer.Held`
    scores: Sequence[float]  # of the texts


def train_aside(
    body: Path,
    digest: str,
    texts: Sequence[str],
    picks: Sequence[Pick],
    folder: Path,
    *,
    seed: int = 0,
    should_stop: ShouldStop = lambda: False,
) -> Trained:
    """Train a scorer on the states of a checkpoint and keep it in `folder`.

    Args:
        body: folder of the checkpoint that reads the cards.
        digest: its SHA-256.
        texts: of the cards.
        picks: the guesses, by places among the texts.
        folder: of scorers.
        seed: of the folds.
        should_stop: asked a few times a second.

    Raises:
        JobError: it cannot be trained from these, or the checkpoint is damaged.
        Interrupted: stopped.
    """
    task = {
        **{"body": str(body), "digest": digest, "texts": list(texts), "folder": str(folder), "seed": seed},
        "picks": [asdict(pick) for pick in picks],
    }
    with tempfile.TemporaryDirectory(prefix="whichtweet-scorer-") as place:
        file, answers = Path(place) / "task.json", Path(place) / "answer.json"
        file.write_text(json.dumps(task), encoding="utf-8")
        with answers.open("wb") as answer:
            child = subprocess.Popen(
                [sys.executable, "-m", "app.jobs.scoring", str(file)],
                stdout=answer,
                env=os.environ | numpy_at_its_best(),
                cwd=Path(__file__).resolve().parents[2],
                start_new_session=True,
            )
        _wait(child, should_stop)
        return _read(answers, child.returncode)


def _wait(child: subprocess.Popen[bytes], should_stop: ShouldStop) -> None:
    try:
        while True:
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(LOOK_SECONDS)
                return
            if should_stop():
                raise Interrupted
    finally:
        if child.poll() is None:
            child.kill()
            child.wait()


def _read(answers: Path, exit_code: int) -> Trained:
    try:
        answer = json.loads(answers.read_text(encoding="utf-8"))
    except ValueError:
        raise JobError(f"the scorer's process ended early (exit code {exit_code}): its messages stand above") from None
    if "error" in answer:
        raise JobError(answer["error"])
    return Trained(**answer)


def main() -> None:
    """Train the scorer that the task asks for."""
    with contextlib.suppress(OSError):
        os.nice(10)
    task = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    answer: dict[str, Any]
    try:
        checkpoint = read_checkpoint(Path(task["body"]))
        picks = [Pick(**pick) for pick in task["picks"]]
        features = card_features(checkpoint, task["texts"])
        scorer = train_scorer(task["digest"], features, picks, seed=task["seed"])
        answer = {"digest": write_scorer(Path(task["folder"]), scorer), "held": asdict(scorer.held)}
        answer["scores"] = [round(score, 5) for score in scorer.judge(features).tolist()]
    except (CheckpointError, ScorerError) as error:
        answer = {"error": str(error)}
    sys.stdout.write(json.dumps(answer) + "\n")


if __name__ == "__main__":
    main()
