"""Keys are made once, readable by their owner alone, and never guessed for a shared database."""

from __future__ import annotations

import stat
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from app.keys import operator_key, rotated_file, secret_keys
from app.settings import Settings, SettingsError


def test_a_key_is_made_once_and_read_again(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    assert secret_keys(settings) == secret_keys(settings)
    assert operator_key(settings) == operator_key(settings)


def test_those_that_start_at_once_have_one_key(tmp_path: Path) -> None:
    """Threads here: of one process number, as the first processes of two containers are that share a folder."""
    for number in range(20):
        settings = Settings(data_dir=tmp_path / str(number))
        together = threading.Barrier(4)

        def start(settings: Settings = settings, together: threading.Barrier = together) -> bytes:
            together.wait()
            return secret_keys(settings)[0]

        with ThreadPoolExecutor(4) as pool:
            found = {started.result() for started in [pool.submit(start) for _ in range(4)]}
        assert found == set(secret_keys(settings))
        assert [path.name for path in settings.data_dir.iterdir()] == ["secret.key"]


@pytest.mark.parametrize("name", ["secret.key", "operator.key"])
def test_key_files_are_for_their_owner_alone(tmp_path: Path, name: str) -> None:
    settings = Settings(data_dir=tmp_path)
    secret_keys(settings)
    operator_key(settings)
    assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600


def test_keys_in_the_setting_come_newest_first(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, secret_key=f"{'n' * 32}, {'o' * 32}")  # type: ignore[arg-type]
    assert secret_keys(settings) == [b"n" * 32, b"o" * 32]


def test_a_short_key_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="found a key of 5 characters"):
        secret_keys(Settings(data_dir=tmp_path, secret_key="short"))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("content", "words"), [(b"", "found a key of 0 characters"), (b"\xef\xbb\xbf" + b"k" * 40, "no key")]
)
def test_a_key_file_that_holds_no_key_is_named(tmp_path: Path, content: bytes, words: str) -> None:
    (tmp_path / "secret.key").write_bytes(content)
    with pytest.raises(SettingsError, match=rf"secret\.key: {words}|secret\.key: found bytes that are {words}"):
        secret_keys(Settings(data_dir=tmp_path))


def test_a_shared_database_needs_an_explicit_key(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, database_url="postgresql+psycopg://somewhere/game")
    with pytest.raises(SettingsError, match="WHICHTWEET_SECRET_KEY is not set"):
        secret_keys(settings)


def test_a_rotated_key_is_new_secret_and_first(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    (first,) = secret_keys(settings)
    file = rotated_file(settings, keep=1)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    second, older = secret_keys(settings)
    assert (older, second == first) == (first, False)
    rotated_file(settings, keep=1)
    assert secret_keys(settings)[1:] == [second]
    rotated_file(settings, keep=0)
    assert len(secret_keys(settings)) == 1
    assert {path.name for path in tmp_path.iterdir()} == {"secret.key"}
