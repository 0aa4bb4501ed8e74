"""Settings are read whole or refused by name."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.settings import Settings, SettingsError, read_settings


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(f"WHICHTWEET_{name.upper()}", raising=False)
    monkeypatch.chdir(tmp_path)


def test_the_embedded_database_lies_in_the_data_folder(tmp_path: Path) -> None:
    assert read_settings().database == f"sqlite:///{tmp_path / 'data' / 'whichtweet.db'}"


def test_an_unknown_setting_is_refused_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WHICHTWEET_PROT", "8123")
    with pytest.raises(SettingsError, match="unknown setting WHICHTWEET_PROT"):
        read_settings()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "eighty"),
        ("PORT", "70000"),
        ("ROUND_MINUTES", "0"),
        ("OPEN_BROWSER", "perhaps"),
        ("LEARN_FROM", "real,dreams"),
        ("DECK_INCLUDE", "retweet"),
        ("RATE_LIMIT", "a lot"),
        ("RETRAIN_CRON", "at noon"),
        ("RETRAIN_CRON", "0 0 31 2 *"),
        ("ROUND_MINUTES", "inf"),
        ("TRAIN_MINUTES", "1e400"),
        ("GUESSES_KEPT_DAYS", "999999"),
        ("DATABASE_URL", "mysql://localhost/game"),
    ],
)
def test_a_malformed_setting_is_refused_by_name(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(f"WHICHTWEET_{name}", value)
    with pytest.raises(SettingsError) as error:
        read_settings()
    assert f"WHICHTWEET_{name}" in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    "url",
    [
        "postgres://game:hunter2@db/game",
        "postgresql+psycopg://game:hunter2@db:port/game",
        "postgresql+psycopg://game:a@hunter2@db/game",
        "postgresql+psycopg://game:a@hunter2/3@db/game",
    ],
)
def test_an_address_of_a_database_that_is_off_is_refused_without_its_password(
    monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.setenv("WHICHTWEET_DATABASE_URL", url)
    with pytest.raises(SettingsError, match="WHICHTWEET_DATABASE_URL: expected") as error:
        read_settings()
    assert "hunter2" not in str(error.value)


@pytest.mark.parametrize("url", ["sqlite:///", "sqlite:///:memory:"])
def test_a_database_that_is_no_file_is_refused(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    """What a command wrote there, such as an admin, would be gone with it."""
    monkeypatch.setenv("WHICHTWEET_DATABASE_URL", url)
    with pytest.raises(SettingsError, match="WHICHTWEET_DATABASE_URL: expected a file"):
        read_settings()


def test_a_place_that_is_empty_is_the_default(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """As a path, nothing would be the folder that one stands in; as an address, all that the machine has."""
    for name in ("DATA_DIR", "CHECKPOINT_DIR", "BLOCKED_WORDS", "BACKUP_DIR", "HOST"):
        monkeypatch.setenv(f"WHICHTWEET_{name}", "")
    found = read_settings()
    assert found.data_dir == tmp_path / "data"
    assert found.checkpoints == tmp_path / "data" / "checkpoints"
    assert found.backups == tmp_path / "data" / "backups"
    assert found.blocked_words is None
    assert found.host == "127.0.0.1"


def test_a_schedule_that_is_empty_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WHICHTWEET_RETRAIN_CRON", "")
    assert read_settings().retrain_cron == ""


def test_lists_are_read_at_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WHICHTWEET_LEARN_FROM", "real, simulated")
    assert read_settings().learn_from == ("real", "simulated")


def test_a_command_line_wins_over_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WHICHTWEET_PORT", "8123")
    assert read_settings(port=9000).port == 9000


def test_every_setting_says_what_it_means() -> None:
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []
