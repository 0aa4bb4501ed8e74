"""Modules kept away from others that load them, where they are installed, for what we do not use."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def kept_away(*names: str) -> Iterator[None]:
    """Let nobody in the block import these modules; afterwards everybody may."""
    held = [name for name in names if name not in sys.modules]
    sys.modules.update(dict.fromkeys(held))  # type: ignore[arg-type]  # None: as if it were not installed
    try:
        yield
    finally:
        for name in held:
            del sys.modules[name]
