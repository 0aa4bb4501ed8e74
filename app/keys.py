"""Secret keys: read from the settings, or made on the first start and kept in the data folder."""

from __future__ import annotations

import contextlib
import os
import secrets
from pathlib import Path

from app.db.session import is_sqlite
from app.settings import Settings, SettingsError

UNSET = (
    "WHICHTWEET_SECRET_KEY is not set: every web process on a shared database needs the same one; "
    "make one with: python3 -c 'import secrets; print(secrets.token_urlsafe(32))'"
)


def secret_keys(settings: Settings) -> list[bytes]:
    """The keys that seal rounds and cookies, newest first; older ones only open what they once sealed.

    Raises:
        SettingsError: a key is too short to be one, or the database is shared and no key was given.
    """
    if settings.secret_key is not None:
        words = settings.secret_key.get_secret_value().split(",")
        return [_strong(word.strip(), "WHICHTWEET_SECRET_KEY") for word in words]
    if not is_sqlite(settings.database):
        raise SettingsError(UNSET)
    file = settings.data_dir / "secret.key"
    lines = [line for line in _kept(file).splitlines() if line.strip()]
    return [_strong(line, str(file)) for line in lines or [""]]


def rotated(settings: Settings, keep: int) -> list[str]:
    """A fresh key, and of those in use the newest `keep`."""
    return [secrets.token_urlsafe(32), *(key.decode() for key in secret_keys(settings)[:keep])]


def rotated_file(settings: Settings, keep: int) -> Path:
    """Put a fresh key before those in the data folder's file, of which the newest `keep` stay; the file."""
    file = settings.data_dir / "secret.key"
    draft = _draft_of(file)
    keys = rotated(settings, keep)
    try:
        _write_secret(draft, "".join(f"{key}\n" for key in keys))
        draft.replace(file)
    finally:
        draft.unlink(missing_ok=True)
    return file


def operator_key(settings: Settings) -> str:
    """The key that the operator's own tools show to the web server."""
    if settings.operator_key is not None:
        return _strong(settings.operator_key.get_secret_value(), "WHICHTWEET_OPERATOR_KEY").decode()
    file = settings.data_dir / "operator.key"
    return _strong(_kept(file).strip(), str(file)).decode()


def _strong(word: str, where: str) -> bytes:
    if len(word) < 32:
        raise SettingsError(f"{where}: found a key of {len(word)} characters, expected 32 or more")
    return word.encode()


def _kept(file: Path) -> str:
    """The text of a key file, made with a fresh key (mode 600) if it is not there."""
    file.parent.mkdir(parents=True, exist_ok=True)
    # Written aside and linked: of two processes that start at once, both end up with the first one's key.
    draft = _draft_of(file)
    try:
        if not file.exists():
            _write_secret(draft, secrets.token_urlsafe(32) + "\n")
            with contextlib.suppress(FileExistsError):
                os.link(draft, file)
        return file.read_text(encoding="ascii")
    except UnicodeDecodeError:
        raise SettingsError(f"{file}: found bytes that are no key, expected ASCII: restore it from a backup") from None
    finally:
        draft.unlink(missing_ok=True)


def _draft_of(file: Path) -> Path:
    # By chance, not by the process: in two containers that share a folder, both are number 1.
    return file.with_name(f".{file.name}.{secrets.token_hex(8)}")


def _write_secret(file: Path, words: str) -> None:
    with open(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as handle:
        handle.write(words)
        handle.flush()
        os.fsync(handle.fileno())
