"""What the commands that do a job's work share: its surroundings, its row in the database, and Ctrl-C."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import FrameType
from typing import Annotated, Any

import typer
from rich.console import Console
from sqlalchemy import Engine

from app.archives.naming import slug_meant
from app.cli.progress import Display
from app.db.archives import Archive
from app.db.migrate import migrate
from app.db.session import open_engine
from app.jobs.base import shipped_base
from app.jobs.hold import Hold, by_hand, finish
from app.jobs.tasks import telling
from app.jobs.workshop import Interrupted, T, Workshop
from app.settings import Settings, read_settings

ArchiveOption = Annotated[
    str, typer.Option(help="name of the archive (whichtweet archives lists them)", callback=slug_meant)
]
JsonOption = Annotated[bool, typer.Option("--json", help="print one JSON object on standard output")]


def open_workshop(settings: Settings | None = None) -> Workshop:
    """The surroundings of jobs as the settings describe them, with the database brought up to date."""
    chosen = settings or read_settings()
    engine = open_engine(chosen.database)
    migrate(engine)
    return Workshop(
        engine=engine,
        checkpoints=chosen.checkpoints,
        blocked_words=chosen.blocked_words,
        deck_include=chosen.deck_include,
        learn_from=chosen.learn_from,
        retrain_cron=chosen.retrain_cron,
        retrain_min_labels=chosen.retrain_min_labels,
        screen_cron=chosen.screen_cron,
        forget_guesses=chosen.forget_guesses,
        retrain_new_labels=chosen.retrain_new_labels,
        canary_share=chosen.canary_share,
        anchor_share=chosen.anchor_share,
        train_minutes=chosen.train_minutes,
        shelf_low=chosen.shelf_low,
        shelf_full=chosen.shelf_full,
        data_dir=chosen.data_dir,
        backups=chosen.backups,
        backup_cron=chosen.backup_cron,
        backups_kept=chosen.backups_kept,
        base=shipped_base() if chosen.base else None,
        guesses_kept_days=chosen.guesses_kept_days,
    )


def open_workshop_for(slug: str) -> tuple[Workshop, Archive]:
    """An archive, and the surroundings of jobs with its own settings in them.

    Raises:
        JobError: there is no such archive.
    """
    workshop = open_workshop()
    archive = workshop.archive(slug)
    return workshop.adapted(archive), archive


class Desk:
    """A job that this command does by itself: what it tells goes to the terminal and into its row."""

    def __init__(self, engine: Engine, hold: Hold, display: Display) -> None:
        self._engine, self._hold, self._display = engine, hold, display
        self._note = telling(hold)
        self.job_id = hold.claim.job_id
        self.should_stop = hold.should_stop

    def on_event(self, event: Mapping[str, Any]) -> None:
        """Told what a training says."""
        self._display.show_training(event)
        self._note(event)

    def on_progress(self, figures: Mapping[str, Any]) -> None:
        """Told how far a restock is."""
        self._display.show_restock(figures)
        self._hold.on_progress(figures)

    def step(self, name: str, do: Callable[[], T]) -> T:
        """Do a step, and show its name meanwhile."""
        self._hold.step(name)
        self._display.at(name)
        return do()

    def close(self, words: str) -> None:
        """Close the job as done; `words` tell what came of it."""
        finish(self._engine, self._hold, "done", words)


@contextmanager
def at_the_terminal(workshop: Workshop, kind: str, archive: Archive, arguments: Mapping[str, Any]) -> Iterator[Desk]:
    """A job that this command does by itself, with its row in the database; Ctrl-C asks it to stop."""
    with asked_to_stop() as stopping:
        try:
            with by_hand(workshop.engine, kind, archive.id, arguments, stopping) as hold, Display(errors()) as display:
                yield Desk(workshop.engine, hold, display)
        except Interrupted:
            say("Stopped. The same command goes on from here, or begins again where there was nothing to keep.")
            raise typer.Exit(130) from None


@contextmanager
def asked_to_stop() -> Iterator[Callable[[], bool]]:
    """Whether Ctrl-C or a polite kill came, instead of dying of it; a second Ctrl-C does kill."""
    asked: list[int] = []

    def note(number: int, frame: FrameType | None) -> None:
        if asked and number == signal.SIGINT:
            raise KeyboardInterrupt
        if not asked:
            say("Stopping …")
        asked.append(number)

    before = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield lambda: bool(asked)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def errors() -> Console:
    """Where progress and words go: standard error, so that figures on standard output stay alone."""
    return Console(stderr=True)


def say(words: str) -> None:
    """One line on standard error."""
    typer.echo(words, err=True)
