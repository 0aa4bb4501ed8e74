"""Backups: a running game in one file (database, checkpoints, keys), and a game from such a file."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import shutil
import tempfile
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Any

from sqlalchemy import Engine, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.schema import DropSchema

from app.db.copying import CopyError, Told, copy, embedded, is_empty, snapshot
from app.db.damage import DamagedDatabase
from app.db.migrate import SchemaError, migrate
from app.db.session import is_sqlite, now, reading, writing
from app.db.tables import archives, generators
from app.jobs import drafts
from app.jobs.errors import JobError
from app.jobs.scorers import read_scorer
from app.jobs.workshop import SCORERS, WORKFLOW_SCHEMA, WORKFLOWS
from model.checkpoint import CheckpointError, checkpoint_digest
from model.scorer import ScorerError

FORMAT = 1
MANIFEST, DATABASE, CHECKPOINTS, KEYS = "manifest.json", "whichtweet.db", "checkpoints", "keys"
KEY_FILES = ("secret.key", "operator.key")  # of the data folder; without the first no player is known again
STEM = re.compile(r"whichtweet-(\d{8}T\d{6}Z)\.zip")


@dataclass(frozen=True)
class Place:
    """Where a game lies: its database, its checkpoints, and the folder of its keys."""

    engine: Engine
    checkpoints: Path
    data_dir: Path


@dataclass(frozen=True)
class Contents:
    """What a backup holds."""

    made_at: str
    files: int
    bytes: int


def back_up(place: Place, file: Path, told: Told = lambda table, rows: None) -> Contents:
    """Write a backup of the game to `file` while it runs: all of one moment, whole or not at all.

    The database first: whatever checkpoint it names was on disk before it did, and never changes.

    Raises:
        JobError: no file can come to lie there, which is said before any work is done; the database is damaged, or a
            checkpoint or scorer that it names is damaged or gone.
        OSError: the disk is full.
    """
    made_at = now().isoformat(timespec="seconds")
    with _draft_beside(file) as draft:
        snapshot(place.engine, draft / DATABASE, told)
        _check_database(draft / DATABASE)
        _check_checkpoints(draft / DATABASE, place.checkpoints)
        _check_scorers(draft / DATABASE, place.checkpoints)
        packed = draft / "packed.zip"
        packed.touch(mode=0o600)  # it holds keys, and what players did
        digests: dict[str, str] = {}
        # Files of an image that was built to be the same each time are of 1970, which a zip cannot say.
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=3, strict_timestamps=False) as bundle:
            for inside, path in _parts(place, draft / DATABASE):
                told("files", len(digests))
                # One that was swept meanwhile belongs to no generator of that moment: those were looked at above.
                with contextlib.suppress(FileNotFoundError):
                    digests[inside] = _digest(path)
                    bundle.write(path, inside)
            manifest = {"format": FORMAT, "made_at": made_at, "files": digests}
            bundle.writestr(MANIFEST, json.dumps(manifest, indent=1))
        with packed.open("rb") as written:
            os.fsync(written.fileno())
        packed.replace(file)
    return Contents(made_at, len(digests), file.stat().st_size)


def restore(place: Place, file: Path, told: Told = lambda table, rows: None) -> Contents:
    """Put the game in a backup back, into an empty database of either kind.

    Keys and checkpoints come first: killed at any moment, the same command begins again, and no game lies there without
    them. What is there already is left as it is, unless it is damaged, as by a restore that was killed; so are keys
    with a newer one before the backup's. What jobs of a game that was there before remember goes.

    Raises:
        JobError: the file is no whole backup, or a newer program's, the database holds a game already, or other keys
            are there. Nothing was touched.
    """
    if not is_empty(place.engine):
        where = place.engine.url.render_as_string()
        raise JobError(f"{where} holds a game already: stop it and move its data away, or name an empty database")
    with tempfile.TemporaryDirectory(prefix=drafts.RESTORE, dir=_made(place.data_dir)) as name, _opened(file) as bundle:
        draft = Path(name)
        manifest = _manifest(bundle, file)
        for inside, digest in manifest["files"].items():
            _unpack(bundle, inside, draft, digest)
        _check_keys(draft / KEYS, place.data_dir)
        with embedded(draft / DATABASE) as kept:
            _bring_up_to_date(kept, file)
            _forget_work(place)
            _move_in(draft / KEYS, place.data_dir)
            _move_in(draft / CHECKPOINTS, place.checkpoints)
            try:
                copy(kept, place.engine, told)
            except CopyError as error:
                raise JobError(str(error)) from None
    return Contents(manifest["made_at"], len(manifest["files"]), file.stat().st_size)


def back_up_nightly(place: Place, folder: Path, keep: int, moment: datetime, told: Told) -> str:
    """Write tonight's backup, then remove all but the newest `keep`; one line about it."""
    drafts.sweep(folder, drafts.BACKUP, moment)
    file = folder / f"whichtweet-{moment.astimezone(UTC):%Y%m%dT%H%M%SZ}.zip"
    made = back_up(place, file, told)
    old = nightly(folder)[keep:]
    for path in old:
        path.unlink(missing_ok=True)
    return f"{file.name}: {made.files} files, {made.bytes / 1e6:.1f} MB; {len(old)} older ones removed"


def nightly(folder: Path) -> list[Path]:
    """The nightly backups in a folder, the newest first."""
    return sorted((path for path in folder.glob("*.zip") if STEM.fullmatch(path.name)), reverse=True)


@contextlib.contextmanager
def _draft_beside(file: Path) -> Iterator[Path]:
    try:
        if file.is_dir():
            raise JobError(f"{file} is a folder: name the file to write, such as {file / 'whichtweet.zip'}")
        if file.exists() and not file.is_file():
            raise JobError(f"{file} is no plain file: name another one to write")
        file.parent.mkdir(parents=True, exist_ok=True)
        draft = tempfile.TemporaryDirectory(prefix=drafts.BACKUP, dir=file.parent)
    except OSError as error:
        why = "Not a directory" if isinstance(error, FileExistsError) else error.strerror
        raise JobError(f"no backup can be written to {file}: {why}") from None
    with draft as name:
        yield Path(name)


def _parts(place: Place, database: Path) -> Iterator[tuple[str, Path]]:
    yield DATABASE, database
    for path in sorted(place.checkpoints.rglob("*")):
        inside = path.relative_to(place.checkpoints)
        # Runs are trainings under way, and hidden names are half written: both begin again.
        if path.is_file() and "runs" not in inside.parts[1:2] and not any(part[0] == "." for part in inside.parts):
            yield f"{CHECKPOINTS}/{inside.as_posix()}", path
    for name in KEY_FILES:
        if (place.data_dir / name).exists():
            yield f"{KEYS}/{name}", place.data_dir / name


def _check_database(database: Path) -> None:
    # Copied page by page, a damaged database would go unnoticed until the last good backup was swept.
    with embedded(database) as engine, engine.connect() as connection:
        try:
            found = connection.exec_driver_sql("PRAGMA quick_check(1)").scalar()
        except DBAPIError as error:
            found = error.orig.found if isinstance(error.orig, DamagedDatabase) else str(error.orig)
    if found != "ok":
        raise JobError(f"the database is damaged ({found}): restore an earlier backup; this one was not kept")


def _check_checkpoints(database: Path, checkpoints: Path) -> None:
    with embedded(database) as engine, reading(engine) as connection:
        named = connection.execute(select(generators.c.checkpoint_key, generators.c.checkpoint_sha256)).all()
    for key, digest in named:
        try:
            found = checkpoint_digest(checkpoints / key)
        except (CheckpointError, OSError) as error:
            raise JobError(f"the checkpoint {key} cannot be read: {error}") from None
        if found != digest:
            raise JobError(f"the checkpoint {key} is damaged: it is not the one that was registered")


def _check_scorers(database: Path, checkpoints: Path) -> None:
    query = select(archives.c.slug, generators.c.scorer_sha256).join(archives, archives.c.id == generators.c.archive_id)
    query = query.where(generators.c.scorer_sha256.is_not(None)).distinct()
    with embedded(database) as engine, reading(engine) as connection:
        named = connection.execute(query).all()
    for slug, digest in named:
        try:
            read_scorer(checkpoints / slug / SCORERS, digest)
        except ScorerError as error:
            raise JobError(f"a scorer of {slug} cannot be read: {error}") from None


@contextlib.contextmanager
def _opened(file: Path) -> Iterator[zipfile.ZipFile]:
    try:
        with zipfile.ZipFile(file) as bundle:
            yield bundle
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, UnicodeDecodeError, KeyError, EOFError) as error:
        raise JobError(f"{file.name} is no whole backup of this game ({error}): take another one") from None


def _manifest(bundle: zipfile.ZipFile, file: Path) -> dict[str, Any]:
    try:
        manifest: dict[str, Any] = json.loads(bundle.read(MANIFEST))
        is_ours = manifest["format"] == FORMAT and DATABASE in manifest["files"] and bool(manifest["made_at"])
    except (ValueError, KeyError, TypeError):
        is_ours = False
    if not is_ours:
        raise JobError(f"{file.name} is no backup of this game, or one of a newer program")
    return manifest


def _bring_up_to_date(kept: Engine, file: Path) -> None:
    try:
        migrate(kept)
    except SchemaError:
        raise JobError(f"{file.name} was made by a newer program: bring this one up to date, then restore it") from None


def _forget_work(place: Place) -> None:
    """Remove what jobs of the game before remember: those of this one get the same numbers, and would go on with it."""
    if is_sqlite(str(place.engine.url)):
        for file in place.data_dir.glob(f"{WORKFLOWS}*"):
            file.unlink()
    else:
        with writing(place.engine) as connection:
            connection.execute(DropSchema(WORKFLOW_SCHEMA, cascade=True, if_exists=True))
    for kind in ("retrain", "class"):
        for run in place.checkpoints.glob(f"*/runs/{kind}-[0-9]*"):
            shutil.rmtree(run)


def _unpack(bundle: zipfile.ZipFile, inside: str, folder: Path, digest: str) -> None:
    parts = PurePosixPath(inside).parts
    if parts[0] not in (DATABASE, CHECKPOINTS, KEYS) or ".." in parts or "\\" in inside:
        raise JobError(f"the backup holds {inside!r}, which is no part of a game")
    path = folder.joinpath(*parts)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600 if parts[0] == KEYS else 0o666)
    with bundle.open(inside) as packed, path.open("wb") as unpacked:
        shutil.copyfileobj(packed, unpacked, 1 << 20)
        unpacked.flush()
        os.fsync(unpacked.fileno())
    if _digest(path) != digest:
        raise JobError(f"the backup is damaged: {inside} is not what was put in; take another one")


def _check_keys(kept: Path, data_dir: Path) -> None:
    for path in _files(kept):
        there = data_dir / path.name
        if not there.exists():
            continue
        # The newest of the backup's: whatever was sealed at its time opens, and what was sealed since a rotation too.
        if not set(path.read_bytes().split()[:1]) <= set(there.read_bytes().split()):
            raise JobError(f"{there} is another game's key: move it away, and the backup's is put there")
        path.unlink()


def _move_in(drafts: Path, target: Path) -> None:
    for path in _files(drafts):
        place = target / path.relative_to(drafts)
        if not place.exists() or _digest(place) != _digest(path):
            _made(place.parent)
            beside = place.with_name(f".{place.name}.restored")
            shutil.move(path, beside)  # on another disk it is copied, and may be cut short
            beside.replace(place)


def _files(folder: Path) -> Sequence[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
