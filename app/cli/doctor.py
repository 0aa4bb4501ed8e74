"""The command `doctor`: looks at the set-up, says what is not as it should be, and what to do."""

from __future__ import annotations

import json
import shutil
import stat
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal

import typer
from rich.console import Console
from sqlalchemy import Connection, make_url
from sqlalchemy.exc import DBAPIError

from app.cli.data_folder import try_data_folder
from app.cli.public import NOBODY, is_public, unmoderated, unnamed
from app.cli.workbench import JsonOption
from app.db import archives, generators, samples, workers
from app.db.archives import Archive
from app.db.damage import DamagedDatabase
from app.db.migrate import Standing, revision, standing
from app.db.session import is_sqlite, now, open_engine, reading
from app.game.schedules import last_time, next_time
from app.jobs.backups import nightly
from app.keys import UNSET, operator_key, secret_keys
from app.settings import Settings, SettingsError, read_settings
from model.checkpoint import CheckpointError, checkpoint_digest

Verdict = Literal["good", "mind", "wrong"]
HEARD_OF = timedelta(seconds=30)  # a worker that is at work
BACKING_UP = timedelta(hours=1)  # from the time of a backup until it is missed: a large game takes its time
LITTLE, TOO_LITTLE = 2e9, 2e8  # bytes left on the disk


@dataclass(frozen=True)
class Finding:
    """What the doctor says of one thing."""

    subject: str
    verdict: Verdict
    words: str


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command()(doctor)


def doctor(as_json: JsonOption = False) -> None:
    """Check the set-up and say what to do; the exit code is 1 where something is wrong.

    A site that is open to others is wrong without an admin, and without a name and a contact of who runs it.
    """
    settings = read_settings()
    found = list(examine(settings))
    if as_json:
        typer.echo(json.dumps({"findings": [asdict(finding) for finding in found]}))
    else:
        colours = {"good": "green", "mind": "yellow", "wrong": "red"}
        console = Console(highlight=False)
        for finding in found:
            mark = f"[{colours[finding.verdict]}]{finding.verdict:<5}[/]"
            console.print(f"{mark} {finding.subject:<12}", end=" ")
            console.print(finding.words, markup=False)
    raise typer.Exit(1 if any(finding.verdict == "wrong" for finding in found) else 0)


def examine(settings: Settings) -> Iterator[Finding]:
    """What the doctor finds, thing by thing."""
    yield _disk(settings)
    if not settings.data_dir.is_dir():
        return  # nothing else can be looked at
    yield from _keys(settings)
    yield from _database(settings)
    yield _backups(settings)
    yield from _public(settings)


def _database(settings: Settings) -> Iterator[Finding]:
    """What the database holds, which is only looked at: neither made nor brought up to date."""
    file = make_url(settings.database).database
    if is_sqlite(settings.database) and not Path(file or "").exists():
        yield Finding("database", "mind", f"{file} is not there yet: whichtweet serve makes it")
        yield from _unmade(settings)
        return
    engine = open_engine(settings.database, patience=5)
    try:
        with reading(engine) as connection:
            how = standing(connection)
            if how != "current":
                yield _unfit(how, revision(connection))
                if how == "empty":
                    yield from _unmade(settings)
                return
            yield Finding("database", "good", engine.url.render_as_string())
            yield from _archives(connection, settings)
            yield _worker(connection, settings)
            if is_public(settings):
                yield from (Finding("public", "wrong", words) for words in unmoderated(connection))
    except DBAPIError as error:
        words = str(error.orig).splitlines()[0]
        if not isinstance(error.orig, DamagedDatabase):
            words = f"does not answer: {words}; is WHICHTWEET_DATABASE_URL right?"
        yield Finding("database", "wrong", words)
    finally:
        engine.dispose()


def _unmade(settings: Settings) -> Iterator[Finding]:
    """Where there is no database yet there is no admin either, and a site with a name does not open."""
    if is_public(settings):
        yield Finding("public", "wrong", NOBODY)


def _unfit(how: Standing, found: str | None) -> Finding:
    if how == "empty":
        return Finding("database", "mind", "is empty: whichtweet serve prepares it")
    if how == "older":
        words = f"is at revision {found}, of an earlier program: make a backup with that one; "
        words += "whichtweet serve of this one brings it up to date"
        return Finding("database", "mind", words)
    words = f"is at revision {found}, which this program does not know: run the program that made it, "
    return Finding("database", "wrong", f"{words}or restore a backup made before the upgrade")


def _disk(settings: Settings) -> Finding:
    try:
        try_data_folder(settings.data_dir)
    except SettingsError as error:
        return Finding("disk", "wrong", str(error))
    free = shutil.disk_usage(settings.data_dir).free
    words = f"{free / 1e9:,.1f} GB free at {settings.data_dir}"
    if free < LITTLE:
        return Finding("disk", "wrong" if free < TOO_LITTLE else "mind", f"{words}: make room, or move the data folder")
    return Finding("disk", "good", words)


def _keys(settings: Settings) -> Iterator[Finding]:
    if settings.secret_key is None and not is_sqlite(settings.database):
        yield Finding("keys", "wrong", UNSET)
    else:
        yield from _key(settings, "secret.key", settings.secret_key is not None, secret_keys)
    yield from _key(settings, "operator.key", settings.operator_key is not None, operator_key)


def _key(
    settings: Settings, name: str, is_given: bool, read: Callable[[Settings], list[bytes] | str]
) -> Iterator[Finding]:
    file = settings.data_dir / name
    mode = stat.S_IMODE(file.stat().st_mode) if file.exists() else None
    faults = []
    if mode is not None and mode & 0o077:
        faults.append(f"{file} can be read by others (mode {mode:o}): chmod 600 {file}")
    if is_given or mode is not None:  # one that is not there yet would be made by being read
        try:
            read(settings)
        except SettingsError as error:
            faults.append(str(error))
        except OSError as error:
            faults.append(f"{file} cannot be read: {error.strerror}")
    yield from (Finding("keys", "wrong", fault) for fault in faults)
    if mode is not None and not faults:
        yield Finding("keys", "good", f"{file}, mode {mode:o}")


def _archives(connection: Connection, settings: Settings) -> Iterator[Finding]:
    found = archives.listing(connection)
    if not found:
        yield Finding("archives", "mind", "none yet: whichtweet import FILE --archive NAME")
    for archive in found:
        yield from _archive(connection, settings, archive)


def _archive(connection: Connection, settings: Settings, archive: Archive) -> Iterator[Finding]:
    champion = generators.in_arm(connection, archive.id, generators.CHAMPION)
    if champion is None:
        yield Finding(archive.slug, "mind", f"has no generator: whichtweet train --archive {archive.slug}")
        return
    try:
        digest = checkpoint_digest(settings.checkpoints / champion.checkpoint_key)
    except CheckpointError as error:
        yield Finding(archive.slug, "wrong", f"{error}; is WHICHTWEET_CHECKPOINT_DIR right? Else restore a backup")
        return
    if digest != champion.checkpoint_sha256:
        yield Finding(archive.slug, "wrong", f"the checkpoint of {champion.name} is damaged: restore it from a backup")
    level = samples.level(connection, archive.id, champion.id)
    verdict: Verdict = "good" if level else "mind"
    words = f"{champion.name} is the champion, {level:,} samples on its shelf"
    yield Finding(archive.slug, verdict, words if level else f"{words}: start the worker, or whichtweet restock")


def _worker(connection: Connection, settings: Settings) -> Finding:
    alive = [worker for worker in workers.listing(connection, now() - HEARD_OF) if worker.name.startswith("work-")]
    if not alive:
        return Finding("worker", "mind", "none is at work: whichtweet work (play goes on from the shelf meanwhile)")
    if not any(worker.trains for worker in alive):
        return Finding("worker", "mind", f"{len(alive)} at work, none can train: make setup-train, or the work image")
    return Finding("worker", "good", f"{len(alive)} at work")


def _backups(settings: Settings) -> Finding:
    if not settings.backup_cron:
        return Finding("backups", "mind", "are off (WHICHTWEET_BACKUP_CRON): whichtweet backup FILE makes one")
    kept = nightly(settings.backups)
    if not kept:
        due = next_time(settings.backup_cron, now())
        return Finding("backups", "mind", f"none in {settings.backups} yet: the worker makes one at {due:%c} UTC")
    at = datetime.fromtimestamp(kept[0].stat().st_mtime, now().tzinfo)
    words = f"{len(kept)} in {settings.backups}, the newest of {at:%c} UTC"
    due = last_time(settings.backup_cron, now() - BACKING_UP)
    if due is None or at >= due:
        return Finding("backups", "good", words)
    words += f", and none of {due:%c} UTC: is a worker at work? whichtweet backup FILE makes one now"
    return Finding("backups", "mind", words)


def _public(settings: Settings) -> Iterator[Finding]:
    if not is_public(settings):
        yield Finding("public", "good", f"no: it listens on {settings.host} alone")
        return
    for words in unnamed(settings):
        yield Finding("public", "wrong", words)
    if not settings.is_https:
        yield Finding("public", "mind", "no https: set WHICHTWEET_DOMAIN, with a proxy in front (docs/deploy.md)")
    elif not settings.trusted_proxies:
        words = "all players share the proxy's address and its limits: set WHICHTWEET_TRUSTED_PROXIES"
        yield Finding("public", "mind", words)
    else:
        yield Finding("public", "good", f"at https://{settings.domain}" if settings.domain else "behind https")
