"""Drafts: hidden folders in which something is made until it is whole; those that a killed process left are removed."""

from __future__ import annotations

import shutil
from datetime import datetime
from pathlib import Path

BACKUP, RESTORE, BUNDLE = ".backup-", ".restore-", ".bundle-"  # how their names begin
LEFT_SECONDS = 86_400  # after which a draft belongs to nobody


def sweep(folder: Path, beginning: str, moment: datetime) -> None:
    """Remove the drafts in a folder that nobody has touched for a day."""
    for left in folder.glob(f"{beginning}*"):
        try:
            touched = left.stat().st_mtime
        except FileNotFoundError:  # whole meanwhile
            continue
        if moment.timestamp() - touched > LEFT_SECONDS:
            shutil.rmtree(left, ignore_errors=True)
