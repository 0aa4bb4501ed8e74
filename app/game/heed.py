"""Heeding: work of minutes, which knows nothing of jobs, asks often whether it is still wanted."""

from __future__ import annotations

from collections.abc import Callable

Heed = Callable[[], None]  # called at each step of what may take minutes; what it raises ends the work


def heedless() -> None:
    """Goes on whatever happens."""
