"""A training in a process of its own: the worker starts it, listens, and asks it to stop by a signal.

    python -m app.jobs.training_process --train TRAIN.jsonl --validation VALIDATION.jsonl --out FOLDER --minutes 10

Standard output is one JSON object a line: progress, sample, saved and anew, at the end done, stopped or failed.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from app.jobs.texts import TextsError, read_texts
from model.checkpoint import CheckpointError, read_checkpoint
from model.config import Config, ConfigError, Recipe
from model.train import Event, Job, OtherRunError, Standing, TrainingError, train


def main(words: Sequence[str] | None = None) -> int:
    """The command: parse, train, and tell how it went; 0 unless it failed."""
    options = _parser().parse_args(words)
    stopping: list[int] = []
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, lambda number, frame: stopping.append(number))
    try:
        start = read_checkpoint(options.start) if options.start else None
        shape = Config(options.cell, options.layers, options.units)
        job = Job(
            texts=read_texts(options.train),
            validation=read_texts(options.validation),
            out=options.out.absolute(),
            config=start.config if start else shape,
            recipe=Recipe(minutes=options.minutes, epochs=options.epochs, seed=options.seed),
            start=start,
            resume=options.resume,
            report=_tell,
            should_stop=lambda: bool(stopping),
        )
        end = _trained(job)
        epochs, seconds = end.epoch + 1, round(end.seconds, 1)
        _tell({"event": end.ended, "validation_bits": end.best_bits, "epochs": epochs, "seconds": seconds})
    except (TrainingError, CheckpointError, ConfigError, TextsError) as error:
        _tell({"event": "failed", "reason": " ".join(str(error).split())})
        return 1
    except BrokenPipeError:  # whoever started us is gone; the state is saved, and a later run resumes
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return 0


def _trained(job: Job) -> Standing:
    """Go on with the run that was interrupted, or begin anew where an earlier program ran it with other settings."""
    try:
        return train(job)
    except OtherRunError:
        reason = "the run that was interrupted had other texts or settings, or another program"
        _tell({"event": "anew", "reason": reason})
    return train(replace(job, resume=False))


def _tell(event: Event) -> None:
    sys.stdout.write(json.dumps(event, ensure_ascii=False) + "\n")
    sys.stdout.flush()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m app.jobs.training_process", description="Train a generator on texts."
    )
    add = parser.add_argument
    add("--train", type=Path, required=True, help="JSONL file of the texts to learn from")
    add("--validation", type=Path, required=True, help="JSONL file of the texts to measure on")
    add("--out", type=Path, required=True, help="folder for the checkpoint")
    add("--start", type=Path, help="folder of a checkpoint to begin from")
    add("--cell", default=Config.cell, help="lstm, gru or rnn")
    add("--layers", type=int, default=Config.layers, help="recurrent layers")
    add("--units", type=int, default=Config.units, help="width of each layer")
    add("--seed", type=int, default=Recipe.seed, help="seed of all chance")
    add("--resume", action="store_true", help="go on with the run that was interrupted, if any")
    budget = parser.add_mutually_exclusive_group()
    budget.add_argument("--minutes", type=float, help="how long to train")
    budget.add_argument("--epochs", type=float, default=Recipe.epochs, help="how often to read all texts")
    return parser


if __name__ == "__main__":
    sys.exit(main())
