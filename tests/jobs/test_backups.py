"""Backups: a game in a file, taken while it runs, and played on from there."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import stat
import threading
import zipfile
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from serving import serve, settings
from sqlalchemy import Engine, inspect, select, update

from app.db import generators, jobs, samples
from app.db.copying import is_empty
from app.db.generators import Generator
from app.db.session import open_engine, reading, writing
from app.db.tables import generators as generators_table
from app.db.tables import guesses
from app.jobs import tasks
from app.jobs.backups import Place, back_up, back_up_nightly, nightly, restore
from app.jobs.demo import open_demo
from app.jobs.due import ask_for_what_is_due
from app.jobs.errors import JobError
from app.jobs.hold import by_hand
from app.jobs.restocking import restock
from app.jobs.scorers import write_scorer
from app.jobs.workshop import Workshop, plainly
from model.checkpoint import read_checkpoint
from model.scorer import Held, Scorer


def silent(_: str, __: int) -> None:
    """Nobody watches."""


@pytest.fixture
def place(workshop: Workshop, generator: Generator, tmp_path: Path) -> Place:
    """An archive and a generator with its checkpoint."""
    return Place(workshop.engine, workshop.checkpoints, tmp_path)


def fresh(folder: Path, url: str | None = None) -> Place:
    return Place(open_engine(url or f"sqlite:///{folder / 'whichtweet.db'}"), folder / "checkpoints", folder)


def play(client: httpx.Client) -> dict[str, Any]:
    token = client.post("/api/rounds").json()["round"]
    response = client.post("/api/guesses", json={"round": token, "pick": 1})
    assert response.status_code == 201, response.text
    return {"round": token} | response.json()


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def other_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database elsewhere, of either kind."""
    if request.param == "postgres":
        return str(request.getfixturevalue("postgres_url"))
    return f"sqlite:///{tmp_path / 'elsewhere' / 'whichtweet.db'}"


@pytest.mark.slow
def test_a_backup_of_a_running_game_is_played_on(engine: Engine, other_url: str, tmp_path: Path) -> None:
    """Guesses go on while it is taken: it holds one moment of them, and all that was acknowledged before it began."""
    place = Place(engine, tmp_path / "checkpoints", tmp_path)
    open_demo(engine, place.checkpoints)
    stopping = threading.Event()
    before: list[dict[str, Any]] = []
    with serve(settings(place.engine.url.render_as_string(), tmp_path, secret_key=None)) as game:

        def keep_playing() -> None:
            with game.client() as client:
                while not stopping.is_set():
                    play(client)

        with game.client() as client:
            before += [play(client) for _ in range(5)]
            others = [threading.Thread(target=keep_playing) for _ in range(3)]
            for other in others:
                other.start()
            made = back_up(place, tmp_path / "game.zip")
            cookies = dict(client.cookies)
            stopping.set()
            for other in others:
                other.join()
    assert made.files >= 5
    assert stat.S_IMODE((tmp_path / "game.zip").stat().st_mode) == 0o600

    elsewhere = fresh(tmp_path / "elsewhere", other_url)
    restore(elsewhere, tmp_path / "game.zip")

    with reading(elsewhere.engine) as connection:
        moment = connection.scalars(select(guesses.c.id).order_by(guesses.c.id)).all()
    assert list(moment) == list(range(1, len(moment) + 1))
    key = elsewhere.data_dir / "secret.key"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    (folder,) = (elsewhere.checkpoints / "mayor-of-gannet").iterdir()
    read_checkpoint(folder)
    shared = None if other_url.startswith("sqlite") else key.read_text().strip()  # PostgreSQL wants it named
    with (
        serve(settings(other_url, elsewhere.data_dir, secret_key=shared)) as game,
        game.client(cookies=cookies) as client,
    ):
        for verdict in before:
            again = client.post("/api/guesses", json={"round": verdict["round"], "pick": 1})
            assert (again.status_code, {"round": verdict["round"]} | again.json()) == (200, verdict)
        play(client)
        assert client.get("/api/players/me").json()["guesses"] == 6
    elsewhere.engine.dispose()


@pytest.mark.process
def test_a_restored_shelf_is_filled_from_the_restored_checkpoint(place: Place, tmp_path: Path) -> None:
    back_up(place, tmp_path / "game.zip")
    elsewhere = fresh(tmp_path / "elsewhere")
    restore(elsewhere, tmp_path / "game.zip")
    there = Workshop(elsewhere.engine, elsewhere.checkpoints, processes=1)
    archive = there.archive("gannet")
    with reading(there.engine) as connection:
        champion = generators.in_arm(connection, archive.id, generators.CHAMPION)
    assert champion is not None
    restock(there, archive, champion, 10)
    with reading(there.engine) as connection:
        assert samples.level(connection, archive.id, champion.id) == 10


def test_a_place_that_holds_a_game_is_not_restored_over(place: Place, tmp_path: Path) -> None:
    back_up(place, tmp_path / "game.zip")
    with pytest.raises(JobError, match="holds a game already"):
        restore(place, tmp_path / "game.zip")


def test_another_games_key_is_not_replaced(place: Place, tmp_path: Path) -> None:
    (tmp_path / "secret.key").write_text("k" * 40)
    back_up(place, tmp_path / "game.zip")
    elsewhere = fresh(tmp_path / "elsewhere")
    elsewhere.data_dir.mkdir(exist_ok=True)
    (elsewhere.data_dir / "secret.key").write_text("o" * 40)
    with pytest.raises(JobError, match="another game's key"):
        restore(elsewhere, tmp_path / "game.zip")
    assert is_empty(elsewhere.engine)


def test_keys_that_were_rotated_since_are_kept(place: Place, tmp_path: Path) -> None:
    """Players who came after it hold cookies of the new key; all others those of the old one."""
    (tmp_path / "secret.key").write_text("k" * 40 + "\n")
    back_up(place, tmp_path / "game.zip")
    elsewhere = fresh(tmp_path / "elsewhere")
    elsewhere.data_dir.mkdir(exist_ok=True)
    rotated = "n" * 40 + "\n" + "k" * 40 + "\n"
    (elsewhere.data_dir / "secret.key").write_text(rotated)
    restore(elsewhere, tmp_path / "game.zip")
    assert (elsewhere.data_dir / "secret.key").read_text() == rotated


def test_a_restored_game_goes_on_with_no_work_of_the_game_before(place: Place, tmp_path: Path) -> None:
    """Jobs get the numbers again that those had which the backup does not know: neither their steps nor their runs."""
    back_up(place, tmp_path / "game.zip")
    elsewhere = fresh(tmp_path / "elsewhere")
    steps = [elsewhere.data_dir / name for name in ("jobs.db", "jobs.db-wal", "jobs.db-shm")]
    runs = elsewhere.checkpoints / "gannet" / "runs"
    for name in ("retrain-7", "class-8", "lstm-2x512-0"):  # what trains from chance asks whether its texts are the same
        (runs / name).mkdir(parents=True)
    for file in steps:
        file.touch()
    restore(elsewhere, tmp_path / "game.zip")
    assert [file for file in steps if file.exists()] == []
    assert [run.name for run in runs.iterdir()] == ["lstm-2x512-0"]


def test_a_restored_game_on_postgresql_goes_on_with_no_work_of_the_game_before(
    place: Place, postgres_url: str, tmp_path: Path
) -> None:
    back_up(place, tmp_path / "game.zip")
    elsewhere = fresh(tmp_path / "elsewhere", postgres_url)
    with writing(elsewhere.engine) as connection:  # as the workflow engine makes it
        connection.exec_driver_sql("CREATE SCHEMA dbos")
        connection.exec_driver_sql("CREATE TABLE dbos.workflow_status (workflow_uuid TEXT)")
    restore(elsewhere, tmp_path / "game.zip")
    assert "dbos" not in inspect(elsewhere.engine).get_schema_names()
    assert not is_empty(elsewhere.engine)
    elsewhere.engine.dispose()


@pytest.mark.slow
def test_a_restore_that_was_killed_is_done_again_and_whole(place: Place, tmp_path: Path) -> None:
    """On another disk a checkpoint is copied, and may have been cut short; the game comes last."""
    (tmp_path / "secret.key").write_text("k" * 40)
    back_up(place, tmp_path / "game.zip")
    elsewhere = fresh(tmp_path / "elsewhere")
    (weights,) = place.checkpoints.glob("*/*/weights.safetensors")
    cut = elsewhere.checkpoints / weights.relative_to(place.checkpoints)
    cut.parent.mkdir(parents=True)
    cut.write_bytes(weights.read_bytes()[:100])
    at_first: list[bool] = []

    def told(_: str, __: int) -> None:
        at_first.append((elsewhere.data_dir / "secret.key").exists() and cut.stat().st_size > 100)

    restore(elsewhere, tmp_path / "game.zip", told)
    assert all(at_first)
    assert read_checkpoint(cut.parent).config == read_checkpoint(weights.parent).config
    assert sorted(path.name for path in cut.parent.iterdir()) == sorted(p.name for p in weights.parent.iterdir())


def test_a_damaged_checkpoint_is_noticed_when_it_is_backed_up(place: Place, tmp_path: Path) -> None:
    (weights,) = place.checkpoints.glob("*/*/weights.safetensors")
    weights.write_bytes(weights.read_bytes()[:-1] + b"?")
    with pytest.raises(JobError, match="is damaged"):
        back_up(place, tmp_path / "game.zip")
    assert not (tmp_path / "game.zip").exists()


def test_a_damaged_or_lost_scorer_is_noticed_when_it_is_backed_up(place: Place, tmp_path: Path) -> None:
    held = Held(0, 0.5, 0.5, 1.0, 1.0, (), 0.0, 1.0, 1.0)
    digest = write_scorer(place.checkpoints / "gannet" / "scorers", Scorer("ab" * 32, *([np.zeros(3, "f4")] * 3), held))
    with writing(place.engine) as connection:
        connection.execute(update(generators_table).values(scorer_sha256=digest))
    assert back_up(place, tmp_path / "whole.zip").files > 0
    (file,) = place.checkpoints.glob("gannet/scorers/*")
    for spoil in (lambda: file.write_bytes(file.read_bytes()[:-1]), file.unlink):
        spoil()
        with pytest.raises(JobError, match="a scorer of gannet cannot be read"):
            back_up(place, tmp_path / "game.zip")
    assert not (tmp_path / "game.zip").exists()


def test_a_damaged_database_is_noticed_when_it_is_backed_up(place: Place, tmp_path: Path) -> None:
    database = Path(str(place.engine.url.database))
    with place.engine.connect() as connection:
        page = connection.exec_driver_sql("SELECT rootpage FROM sqlite_master WHERE name = 'tweets'").scalar_one()
        size = connection.exec_driver_sql("PRAGMA page_size").scalar_one()
    place.engine.dispose()  # the last to leave writes the log back
    with database.open("r+b") as file:
        file.seek((page - 1) * size)
        file.write(b"\xaa" * size)
    with pytest.raises(JobError, match=r"^the database is damaged \("):
        back_up(place, tmp_path / "game.zip")
    assert not (tmp_path / "game.zip").exists()


@pytest.mark.parametrize(
    ("name", "said"),
    [
        (".", r"is a folder: name the file to write, such as .*whichtweet\.zip"),
        ("pipe", "is no plain file"),
        ("secret.key/game.zip", "no backup can be written to .*: Not a directory"),
        ("n" * 300, "no backup can be written to .*: File name too long"),
    ],
)
def test_a_file_that_cannot_be_written_is_refused_before_any_work(
    place: Place, tmp_path: Path, name: str, said: str
) -> None:
    (tmp_path / "secret.key").write_text("k" * 40)
    os.mkfifo(tmp_path / "pipe")
    shutil.rmtree(place.checkpoints)  # whatever is read of the game comes to this first
    with pytest.raises(JobError, match=said):
        back_up(place, tmp_path / name)
    assert not list(tmp_path.glob(".backup-*"))


@pytest.mark.slow
@pytest.mark.parametrize("damage", ["cut", "changed", "torn", "foreign", "path"])
def test_a_file_that_is_no_whole_backup_is_refused(place: Place, tmp_path: Path, damage: str) -> None:
    file, bad = tmp_path / "game.zip", tmp_path / "bad.zip"
    back_up(place, file)
    if damage == "cut":
        bad.write_bytes(file.read_bytes()[:-500])
    elif damage == "torn":
        with zipfile.ZipFile(file) as whole:
            packed = whole.getinfo("whichtweet.db")
        content = bytearray(file.read_bytes())
        middle = packed.header_offset + packed.compress_size // 2
        content[middle : middle + 50] = b"\xff" * 50
        bad.write_bytes(content)
    elif damage == "foreign":
        with zipfile.ZipFile(bad, "w") as bundle:
            bundle.writestr("hello.txt", "hello")
    else:
        with zipfile.ZipFile(file) as whole, zipfile.ZipFile(bad, "w") as bundle:
            manifest = json.loads(whole.read("manifest.json"))
            for name in whole.namelist():
                content = whole.read(name)
                if damage == "changed" and name.endswith("vocab.json"):
                    content = content.replace(b"a", b"b")
                if damage == "path" and name == "manifest.json":
                    manifest["files"]["checkpoints/../../escaped"] = "0" * 64
                    content = json.dumps(manifest).encode()
                bundle.writestr(name, content)
            bundle.writestr("checkpoints/../../escaped", "out")
    elsewhere = fresh(tmp_path / "elsewhere")
    with pytest.raises(JobError):
        restore(elsewhere, bad)
    assert not list(tmp_path.rglob("escaped"))
    assert is_empty(elsewhere.engine)
    restore(elsewhere, file)


def altered(file: Path, statement: str) -> Path:
    """The same backup with its database changed, and its digest made anew."""
    other = file.with_name("other.zip")
    with zipfile.ZipFile(file) as whole, zipfile.ZipFile(other, "w") as bundle:
        database = Path(whole.extract("whichtweet.db", file.parent / "taken apart"))
        engine = open_engine(f"sqlite:///{database}")
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql(statement)
            connection.exec_driver_sql("PRAGMA journal_mode=DELETE")
        engine.dispose()
        manifest = json.loads(whole.read("manifest.json"))
        manifest["files"]["whichtweet.db"] = hashlib.sha256(database.read_bytes()).hexdigest()
        for name in set(whole.namelist()) - {"whichtweet.db", "manifest.json"}:
            bundle.writestr(name, whole.read(name))
        bundle.write(database, "whichtweet.db")
        bundle.writestr("manifest.json", json.dumps(manifest))
    return other


@pytest.mark.slow
def test_a_backup_of_a_newer_program_is_refused_before_anything_is_touched(
    place: Place, other_url: str, tmp_path: Path
) -> None:
    (tmp_path / "secret.key").write_text("k" * 40)
    back_up(place, tmp_path / "game.zip")
    newer = altered(tmp_path / "game.zip", "UPDATE alembic_version SET version_num = '9999'")
    elsewhere = fresh(tmp_path / "elsewhere", other_url)
    before = inspect(elsewhere.engine).get_table_names()  # a fresh database of the tests may hold empty tables
    with pytest.raises(JobError, match=r"^other.zip was made by a newer program: bring this one up to date"):
        restore(elsewhere, newer)
    assert inspect(elsewhere.engine).get_table_names() == before
    assert is_empty(elsewhere.engine)
    assert not elsewhere.checkpoints.exists()
    assert not (elsewhere.data_dir / "secret.key").exists()
    restore(elsewhere, tmp_path / "game.zip")
    elsewhere.engine.dispose()


@pytest.mark.slow
def test_files_of_1970_are_backed_up_like_others(place: Place, tmp_path: Path) -> None:
    for path in place.checkpoints.rglob("*"):
        os.utime(path, (0, 0))
    back_up(place, tmp_path / "game.zip")
    elsewhere = fresh(tmp_path / "elsewhere")
    restore(elsewhere, tmp_path / "game.zip")
    assert {path.name for path in elsewhere.checkpoints.rglob("*")} == {p.name for p in place.checkpoints.rglob("*")}


@pytest.mark.slow
def test_seven_nightly_backups_are_kept(place: Place, tmp_path: Path) -> None:
    folder = tmp_path / "backups"
    folder.mkdir()
    (folder / "mine.zip").write_text("left alone")
    for day in range(1, 10):
        back_up_nightly(place, folder, 7, datetime(2026, 5, day, 2, 30, tzinfo=UTC), silent)
    assert [file.name[11:19] for file in nightly(folder)] == [f"2026050{day}" for day in range(9, 2, -1)]
    assert (folder / "mine.zip").exists()
    assert {file.suffix for file in folder.iterdir()} == {".zip"}


def test_the_backup_of_a_night_is_asked_for_once(either_engine: Engine, tmp_path: Path) -> None:
    """However many workers come to it at the same moment."""
    workshop = Workshop(either_engine, tmp_path, backup_cron="30 2 * * *")
    moment = datetime(2026, 5, 1, 2, 31, tzinfo=UTC)
    together = threading.Barrier(4)

    def come() -> None:
        together.wait()
        for _ in range(3):
            ask_for_what_is_due(workshop, moment)

    workers = [threading.Thread(target=come) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    with reading(either_engine) as connection:
        assert [job.kind for job in jobs.listing(connection)] == ["backup"]


def test_a_worker_does_the_errand(workshop: Workshop, generator: Generator, tmp_path: Path) -> None:
    workshop = replace(workshop, data_dir=tmp_path, backups=tmp_path / "backups")
    with by_hand(workshop.engine, "backup", None, {}, lambda: False) as hold:
        with reading(workshop.engine) as connection:
            job = jobs.find(connection, hold.claim.job_id)
        assert job is not None
        words = tasks.do(workshop, job, hold, plainly)
    assert len(nightly(workshop.backups)) == 1
    assert words.startswith(nightly(workshop.backups)[0].name)
