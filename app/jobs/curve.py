"""The curve of a training and its log, thinned so that its whole course fits into the job's row."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import datetime
from typing import Any

MOST = 150  # points kept; every other one goes when there are more
ON_A_CARD = 60  # points that a generator's card keeps
SAMPLES = 6  # the newest ones that are kept
LINES = 40  # of the log, the newest


class Curve:
    """What a training has said so far."""

    def __init__(self) -> None:
        self._points: list[dict[str, Any]] = []
        self._samples: list[str] = []
        self._log: list[str] = []
        self._last: dict[str, Any] = {}

    def take(self, event: Mapping[str, Any], at: datetime) -> None:
        """Note what the training says at a moment."""
        self._log = [*self._log, f"{at:%H:%M:%S} {_in_words(event)}"][-LINES:]
        if event["event"] == "sample":
            self._samples = [str(event.get("text", ""))[:300], *self._samples][:SAMPLES]
        if event["event"] == "resumed":
            self._points = points_of(event["curve"])
        elif event["event"] == "anew":
            self._points = []
        if event["event"] != "progress":
            return
        names = ("epoch", "step", "steps", "characters_per_second", "train_bits", "seconds_left")
        self._last = {name: event.get(name) for name in names} | {"bits_per_character": event.get("validation_bits")}
        # One that goes on from what it saved comes by some steps again.
        self._points = [point for point in self._points if point["step"] < event["step"]]
        self._points.append({name: self._last[name] for name in ("step", "train_bits", "bits_per_character")})
        if len(self._points) > MOST:
            # The newest stays: it is what one looks at.
            self._points = [*self._points[:-1:2], self._points[-1]]

    def figures(self) -> dict[str, Any]:
        """The newest figures, the curve, the newest samples and lines of the log, as plain values."""
        told: dict[str, Any] = {"curve": list(self._points), "samples": list(self._samples), "log": list(self._log)}
        return self._last | told

    def on_a_card(self) -> list[dict[str, Any]]:
        """The curve with as many points as a generator's card keeps, the last one among them."""
        every = -(-len(self._points) // ON_A_CARD) or 1
        return self._points[::-every][::-1]


def _in_words(event: Mapping[str, Any]) -> str:
    """One line of the log."""
    if event["event"] == "sample":
        return f"wrote: {str(event.get('text', ''))[:100]}"
    if event["event"] in ("failed", "anew"):
        return f"{event['event']}: {event.get('reason')}"
    if event["event"] == "resumed":
        return f"goes on after {len(points_of(event['curve']))} points of its curve"
    if event["event"] != "progress":
        return f"{event['event']} after {event.get('seconds', 0):,.0f} s"
    bits = [
        f"{name} {value:.3f}"
        for name, value in (("train", event.get("train_bits")), ("validation", event.get("validation_bits")))
        if value is not None
    ]
    words = [f"step {event.get('step', 0):,} of {event.get('steps', 0):,}, epoch {event.get('epoch', 0)}"]
    words += [f"{', '.join(bits)} bits per character"] if bits else []
    return "; ".join([*words, f"{event.get('characters_per_second', 0):,} characters/s"])


def points_of(told: object) -> list[dict[str, Any]]:
    """The points of a curve that somebody else wrote: of whatever stands there, what is one."""
    found = told[:ON_A_CARD] if isinstance(told, list) else []
    return [
        {"step": each["step"], "train_bits": each["train_bits"], "bits_per_character": each["bits_per_character"]}
        for each in found
        if isinstance(each, dict)
        and _is_figure(each.get("step"))
        and all(
            name in each and (each[name] is None or _is_figure(each[name]))
            for name in ("train_bits", "bits_per_character")
        )
    ]


def _is_figure(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
