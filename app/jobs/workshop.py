"""What jobs work with: the database, the checkpoint folder, and the few settings they follow, handed in once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol, TypeVar

from sqlalchemy import Engine

from app.db import archives, generators
from app.db.jobs import Job
from app.db.session import reading
from app.game.canary import ANCHOR_SHARE, SHARE
from app.jobs.errors import Interrupted, JobError, Skipped

__all__ = ["Interrupted", "JobError", "Progress", "ShouldStop", "Skipped", "Steps", "T", "Workshop", "plainly"]

T = TypeVar("T")

SCORERS = "scorers"  # the folder of an archive's scorers, beside its checkpoints
WORKFLOWS = "jobs.db"  # the workflow engine's memory, in the data folder of a game on SQLite
WORKFLOW_SCHEMA = "dbos"  # the same of a game on PostgreSQL: a schema beside ours

# Told how far a job is: plain values that go into jobs.progress.
Progress = Callable[[Mapping[str, Any]], None]
# Asked often: whether to stop early.
ShouldStop = Callable[[], bool]


class Steps(Protocol):
    """Does a step of a job once: its result is remembered, and a job that is taken up again skips it.

    Results are plain values (JSON); steps are idempotent all the same, for one may be killed at its last moment.
    """

    def __call__(self, name: str, do: Callable[[], T]) -> T:
        """The result of `do`, now or from the first time."""


def plainly(name: str, do: Callable[[], T]) -> T:
    """Steps without a memory: for a job that a command runs from beginning to end."""
    return do()


def never() -> bool:
    """Goes on to the end."""
    return False


def heed(should_stop: ShouldStop) -> None:
    """Stop here where that is wanted.

    Raises:
        Interrupted: it is.
    """
    if should_stop():
        raise Interrupted


@dataclass(frozen=True)
class Workshop:
    """The surroundings of every job."""

    engine: Engine
    checkpoints: Path  # checkpoints are stored below it by relative key
    blocked_words: Path | None = None  # None: the shipped list
    deck_include: tuple[str, ...] = ()  # leanings that are dealt all the same
    learn_from: tuple[str, ...] = ("real",)
    retrain_cron: str = ""
    retrain_min_labels: int = 50
    screen_cron: str = ""
    forget_guesses: bool = False
    retrain_new_labels: int = 0  # that bring a retraining before its time; 0: never
    canary_share: float = SHARE
    anchor_share: float = ANCHOR_SHARE
    train_minutes: float = 15.0
    shelf_low: int = 500
    shelf_full: int = 2000
    processes: int = 2  # that write samples at the same time
    data_dir: Path = Path("data")  # where the keys lie that a backup holds, and uploads
    backups: Path = Path("data/backups")
    backup_cron: str = ""
    backups_kept: int = 7
    guesses_kept_days: int = 0  # 0: for good
    base: Path | None = None  # folder of the base (`app/jobs/base.py`); None: trainings begin from chance

    def folder(self, key: str) -> Path:
        """Where the checkpoint (or another file) of that key lies."""
        return self.checkpoints / key

    def adapted(self, archive: archives.Archive) -> Workshop:
        """The same with the archive's own settings where it has any."""
        names = ("retrain_cron", "retrain_min_labels", "train_minutes", "shelf_low", "shelf_full", "deck_include")
        own = {name: value for name in names if (value := getattr(archive.own, name)) is not None}
        return replace(self, **own)

    def archive(self, slug: str) -> archives.Archive:
        """The archive of that name.

        Raises:
            JobError: there is none; the message names those there are.
        """
        with reading(self.engine) as connection:
            found = archives.find(connection, slug)
            known = [archive.slug for archive in archives.listing(connection)]
        if found is None:
            have = (
                f"there are {', '.join(known)}" if known else "import one first: whichtweet import FILE --archive NAME"
            )
            raise JobError(f"no archive is called {slug}; {have}")
        return found

    def archive_of(self, job: Job) -> archives.Archive:
        """The archive that a job is about.

        Raises:
            JobError: it is gone.
        """
        with reading(self.engine) as connection:
            found = next((each for each in archives.listing(connection) if each.id == job.archive_id), None)
        if found is None:
            raise JobError("the archive is not there any more")
        return found

    def generator(self, generator_id: int) -> generators.Generator:
        """The generator with that id.

        Raises:
            JobError: there is none.
        """
        with reading(self.engine) as connection:
            found = generators.find(connection, generator_id)
        if found is None:
            raise JobError("the generator is not there any more")
        return found
