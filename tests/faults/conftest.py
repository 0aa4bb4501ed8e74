"""The games that faults befall in one process are served as those of the web's own tests."""

from __future__ import annotations

from web.conftest import game, serving

__all__ = ["game", "serving"]
