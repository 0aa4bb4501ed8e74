"""whichtweet doctor says what is not as it should be, and whichtweet serve opens no half-public site."""

from __future__ import annotations

import os
import shutil
from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr
from serving import settings
from sqlalchemy import Engine, text

from app.cli.doctor import Finding, examine
from app.cli.public import refuse_half_public
from app.db import admins, workers
from app.db.migrate import downgrade
from app.db.session import now, open_engine, reading, writing
from app.jobs.demo import open_demo
from app.settings import Settings, SettingsError

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def demo(migrated: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the demo in it, opened once; tests get copies."""
    folder = tmp_path_factory.mktemp("demo")
    shutil.copy(migrated, folder / migrated.name)
    opened = open_engine(f"sqlite:///{folder / migrated.name}")
    open_demo(opened, folder / "checkpoints")
    opened.dispose()  # the last to leave writes the log back
    return folder


@pytest.fixture
def house(demo: Path, engine: Engine, tmp_path: Path) -> Settings:
    """The demo as somebody runs it at home."""
    shutil.copytree(demo, tmp_path, dirs_exist_ok=True)
    return settings(engine.url.render_as_string(), tmp_path)


def found(chosen: Settings, subject: str) -> list[Finding]:
    return [finding for finding in examine(chosen) if finding.subject == subject]


def wrong(chosen: Settings) -> list[str]:
    return [finding.words for finding in examine(chosen) if finding.verdict == "wrong"]


def test_nothing_is_wrong_at_home(house: Settings) -> None:
    assert wrong(house) == []
    assert "its shelf" in found(house, "mayor-of-gannet")[0].words


@pytest.mark.parametrize("more", [{"host": "0.0.0.0"}, {"domain": "game.example.org"}])
def test_a_public_site_without_an_admin_and_a_contact_is_wrong(
    house: Settings, engine: Engine, more: dict[str, str]
) -> None:
    public = house.model_copy(update=more)
    words = " ".join(wrong(public))
    assert "admin create" in words
    assert "WHICHTWEET_OPERATOR" in words
    assert "WHICHTWEET_CONTACT" in words
    with writing(engine) as connection:
        admins.create(connection, "Ada", "$argon2id$", "viewer", now())
    assert any("admin create" in line for line in wrong(public)), "a viewer cannot moderate"
    with writing(engine) as connection:
        admins.create(connection, "Grace", "$argon2id$", "admin", now())
    assert wrong(public.model_copy(update={"operator": "Ada", "contact": "ada@example.org"})) == []


def test_a_public_site_without_a_database_has_no_admin_yet(tmp_path: Path) -> None:
    """Whoever asks the doctor before anything else is told what the web server would refuse to start without."""
    file = tmp_path / "whichtweet.db"
    named = {"domain": "game.example.org", "operator": "Ada", "contact": "ada@example.org"}
    public = settings(f"sqlite:///{file}", tmp_path).model_copy(update=named)
    assert wrong(public) == ["nobody can moderate it: whichtweet admin create NAME"]
    file.touch()
    assert wrong(public) == ["nobody can moderate it: whichtweet admin create NAME"]


def test_a_half_public_site_is_not_opened(house: Settings, engine: Engine) -> None:
    refuse_half_public(house.model_copy(update={"host": "0.0.0.0"}), engine)
    with pytest.raises(SettingsError, match=r"game\.example\.org is not opened to the public: nobody can moderate it"):
        refuse_half_public(house.model_copy(update={"domain": "game.example.org"}), engine)


def test_a_damaged_checkpoint_an_open_key_and_a_lost_worker_are_found(house: Settings, engine: Engine) -> None:
    (weights,) = house.checkpoints.glob("*/*/weights.safetensors")
    weights.write_bytes(b"?")
    key = house.data_dir / "secret.key"
    key.write_text("k" * 40)
    os.chmod(key, 0o644)
    words = " ".join(wrong(house))
    assert "is damaged" in words
    assert "chmod 600" in words
    assert found(house, "worker")[0].words.startswith("none is at work")
    with writing(engine) as connection:
        workers.beat(connection, "work-here-1-abcd", trains=True, at=now())
    assert found(house, "worker")[0].verdict == "good"


def test_keys_that_the_server_would_refuse_are_wrong(house: Settings) -> None:
    unset = {"secret_key": None, "operator_key": SecretStr("short")}
    (house.data_dir / "secret.key").touch(mode=0o600)  # as a full disk left it
    words = " ".join(wrong(house.model_copy(update=unset)))
    assert "secret.key: found a key of 0 characters" in words
    assert "WHICHTWEET_OPERATOR_KEY: found a key of 5 characters" in words

    (house.data_dir / "secret.key").write_text("k" * 40)
    chosen = house.model_copy(update={"secret_key": None, "operator_key": None})
    assert [finding.verdict for finding in found(chosen, "keys")] == ["good"]
    assert not (house.data_dir / "operator.key").exists(), "the doctor makes no key"


def test_a_shared_database_without_a_key_is_told_how_to_make_one(tmp_path: Path) -> None:
    chosen = settings(f"postgresql+psycopg://nobody@/none?host={tmp_path}", tmp_path, secret_key=None)
    (words,) = (finding.words for finding in found(chosen, "keys"))
    assert words.startswith("WHICHTWEET_SECRET_KEY is not set")
    assert "secrets.token_urlsafe(32)" in words


@pytest.mark.parametrize(("schedule", "hours", "verdict"), [("hourly", 3, "mind"), ("weekly", 72, "good")])
def test_a_backup_is_old_when_its_schedule_has_come_round_since(
    house: Settings, schedule: str, hours: int, verdict: str
) -> None:
    in_three_days = (now() + timedelta(days=3)).isoweekday() % 7
    cron = {"hourly": "0 * * * *", "weekly": f"0 0 * * {in_three_days}"}[schedule]
    (house.data_dir / "backups").mkdir()
    newest = house.data_dir / "backups" / "whichtweet-20260501T023000Z.zip"
    newest.touch()
    moment = (now() - timedelta(hours=hours)).timestamp()
    os.utime(newest, (moment, moment))

    (finding,) = found(house.model_copy(update={"backup_cron": cron}), "backups")

    assert finding.verdict == verdict
    assert ("whichtweet backup FILE makes one now" in finding.words) == (verdict == "mind")


def test_a_database_of_a_newer_program_is_wrong_and_all_else_is_looked_at(house: Settings, engine: Engine) -> None:
    with writing(engine) as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    public = house.model_copy(update={"domain": "game.example.org"})
    subjects = {finding.subject: finding.verdict for finding in examine(public)}
    assert subjects == {"disk": "good", "database": "wrong", "backups": "mind", "public": "mind"}
    (words,) = (finding.words for finding in found(public, "database"))
    assert "revision 9999" in words
    assert "WHICHTWEET_CONTACT" in " ".join(wrong(public))


def test_the_doctor_changes_no_database(house: Settings, engine: Engine, tmp_path: Path) -> None:
    downgrade(engine, "0001")
    (finding,) = found(house, "database")
    assert finding.verdict == "mind"
    assert "revision 0001" in finding.words
    with reading(engine) as connection:
        assert connection.scalar(text("SELECT version_num FROM alembic_version")) == "0001"

    (finding,) = found(settings(f"sqlite:///{tmp_path / 'none' / 'yet.db'}", tmp_path), "database")
    assert finding.verdict == "mind"
    assert not (tmp_path / "none").exists()


def test_a_data_folder_that_cannot_be_written_to_is_wrong(house: Settings, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    (words,) = wrong(house.model_copy(update={"data_dir": tmp_path / "file"}))
    assert "cannot write in the data folder" in words


def test_a_database_that_does_not_answer_is_said(tmp_path: Path) -> None:
    url = f"postgresql+psycopg://nobody@/none?host={tmp_path}"
    (finding,) = found(settings(url, tmp_path), "database")
    assert finding.verdict == "wrong"
    assert finding.words.startswith("does not answer")
