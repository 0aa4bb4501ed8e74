"""The data folder: made and tried before anything is written to it."""

from __future__ import annotations

import os
from pathlib import Path

from app.settings import SettingsError


def try_data_folder(folder: Path) -> None:
    """Make the folder if it is not there, and write to it.

    Raises:
        SettingsError: it cannot be written to.
    """
    probe = folder / f".probe-{os.getpid()}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe.write_bytes(b"")
        probe.unlink()
    except OSError as error:
        raise SettingsError(
            f"cannot write in the data folder {folder} ({error.strerror}): "
            "make it writable, or name another with WHICHTWEET_DATA_DIR"
        ) from None
