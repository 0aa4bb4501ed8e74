"""The games that are attacked are served as those of the web's own tests."""

from __future__ import annotations

from web.conftest import either_game, either_serving, game, serving

__all__ = ["either_game", "either_serving", "game", "serving"]
