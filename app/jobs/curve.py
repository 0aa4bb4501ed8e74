"""The curve of a training, thinned so that its whole course fits into the job's row."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

MOST = 150  # points kept; every other one goes when there are more
SAMPLES = 6  # the newest ones that are kept


class Curve:
    """What a training has said so far."""

    def __init__(self) -> None:
        self._points: list[dict[str, Any]] = []
        self._samples: list[str] = []
        self._last: dict[str, Any] = {}

    def take(self, event: Mapping[str, Any]) -> None:
        """Note what the training says."""
        if event["event"] == "sample":
            self._samples = [str(event.get("text", ""))[:300], *self._samples][:SAMPLES]
        if event["event"] != "progress":
            return
        names = ("epoch", "step", "steps", "characters_per_second", "train_bits", "seconds_left")
        self._last = {name: event.get(name) for name in names} | {"bits_per_character": event.get("validation_bits")}
        self._points.append({name: self._last[name] for name in ("step", "train_bits", "bits_per_character")})
        if len(self._points) > MOST:
            # The newest stays: it is what one looks at.
            self._points = [*self._points[:-1:2], self._points[-1]]

    def figures(self) -> dict[str, Any]:
        """The newest figures, the curve and the newest samples, as plain values."""
        return self._last | {"curve": list(self._points), "samples": list(self._samples)}
