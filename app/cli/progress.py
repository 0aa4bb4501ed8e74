"""How a job shows at the terminal: a bar that moves, or a line now and then where there is no terminal."""

from __future__ import annotations

import time
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskProgressColumn, TextColumn

LINE_SECONDS = 30.0  # between two lines where nothing can move
SAMPLE_SECONDS = 60.0  # between two samples that are shown


class Display:
    """A bar with words behind it, to be used in a `with` block."""

    def __init__(self, console: Console) -> None:
        self._console = console
        columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TaskProgressColumn())
        self._progress = Progress(*columns, TextColumn("{task.fields[words]}"), console=console, transient=True)
        self._bar = self._progress.add_task("", total=None, words="")
        self._said = time.monotonic()
        self._sampled = 0.0

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._console.is_terminal:
            self._progress.stop()

    def at(self, what: str) -> None:
        """Name the step that the job is at."""
        self._progress.update(self._bar, description=what, total=None, completed=0, words="")

    def move(self, done: float, total: float | None, words: str) -> None:
        """Move the bar to `done` of `total`."""
        self._progress.update(self._bar, completed=done, total=total, words=words)
        if not self._console.is_terminal and time.monotonic() - self._said >= LINE_SECONDS:
            self._said = time.monotonic()
            self._console.print(words, markup=False, highlight=False)

    def print(self, words: str) -> None:
        """Show words above the bar, for good."""
        self._console.print(words, markup=False, highlight=False)

    def show_training(self, event: Mapping[str, Any]) -> None:
        """One event of a training: the bar moves, and now and then a sample is shown."""
        if event["event"] == "progress":
            self.move(event["step"], event["steps"], _figures(event))
        elif event["event"] == "sample" and time.monotonic() - self._sampled >= SAMPLE_SECONDS:
            self._sampled = time.monotonic()
            self.print(f"  “{event['text']}”")

    def show_restock(self, figures: Mapping[str, Any]) -> None:
        """The figures that a restock tells."""
        words = f"{figures['samples']:,} of {figures['goal']:,} samples, from {figures['written']:,} drafts"
        self.move(figures["samples"], figures["goal"], words)


def _figures(event: Mapping[str, Any]) -> str:
    parts = [f"epoch {event['epoch'] + 1}", f"{event['characters_per_second']:,} characters/s"]
    if event["train_bits"] is not None:
        parts.append(f"{event['train_bits']:.3f} bits/character")
    if event["validation_bits"] is not None:
        parts.append(f"{event['validation_bits']:.3f} on validation")
    if event["seconds_left"] is not None:
        minutes, seconds = divmod(round(event["seconds_left"]), 60)
        parts.append(f"{minutes}:{seconds:02} left")
    return ", ".join(parts)
