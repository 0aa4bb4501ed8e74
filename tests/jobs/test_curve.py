"""What a job's page shows of a training: a curve that stays short, samples, and a log in words."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from app.jobs.curve import LINES, MOST, ON_A_CARD, SAMPLES, Curve, points_of

AT = datetime(2026, 5, 1, 13, 45, 7, tzinfo=UTC)


def progress(step: int, **more: Any) -> dict[str, Any]:
    told = {"event": "progress", "epoch": 2, "step": step, "steps": 5000, "characters_per_second": 5800}
    return told | {"train_bits": 2.5, "validation_bits": None, "seconds_left": 60.0} | more


def test_a_long_training_is_thinned_and_keeps_its_first_and_newest_points() -> None:
    curve = Curve()
    for step in range(1, 1001):
        curve.take(progress(step), AT)
    points = curve.figures()["curve"]
    assert len(points) <= MOST
    assert (points[0]["step"], points[-1]["step"]) == (1, 1000)
    kept = curve.on_a_card()
    assert ON_A_CARD / 2 <= len(kept) <= ON_A_CARD
    assert kept[-1]["step"] == 1000
    assert [point["step"] for point in kept] == sorted(point["step"] for point in kept)


def test_a_training_that_said_nothing_has_no_curve() -> None:
    assert Curve().on_a_card() == []


@pytest.mark.parametrize(
    "odd",
    [
        *(None, "curve", {"step": 1}, [1, "a", None, []], [{"step": 1}]),
        [{"step": True, "train_bits": 1.0, "bits_per_character": 1.0}],
        [{"step": 1, "train_bits": "<b>", "bits_per_character": 1.0}],
        [{"step": 1, "train_bits": float("nan"), "bits_per_character": 1.0}],
        [{"step": 1, "train_bits": [], "bits_per_character": 1.0}],
    ],
)
def test_of_a_curve_that_a_stranger_wrote_what_is_none_is_left_out(odd: Any) -> None:
    good = {"step": 5, "train_bits": 3.5, "bits_per_character": None}
    assert points_of(odd) == []
    assert points_of([*(odd if isinstance(odd, list) else []), good | {"more": "x" * 999}]) == [good]
    assert len(points_of([good] * 10_000)) == ON_A_CARD


def test_the_log_tells_in_words_what_came_when_and_forgets_what_is_old() -> None:
    curve = Curve()
    curve.take(progress(1200, validation_bits=2.75), AT)
    curve.take({"event": "sample", "text": "we had soup"}, AT)
    curve.take({"event": "stopped", "seconds": 90.0}, AT)
    assert curve.figures()["log"] == [
        "13:45:07 step 1,200 of 5,000, epoch 2; train 2.500, validation 2.750 bits per character; 5,800 characters/s",
        "13:45:07 wrote: we had soup",
        "13:45:07 stopped after 90 s",
    ]
    for step in range(2 * LINES):
        curve.take(progress(step), AT)
        curve.take({"event": "sample", "text": f"sample {step}"}, AT)
    told = curve.figures()
    assert len(told["log"]) == LINES
    assert told["log"][-1].endswith(f"wrote: sample {2 * LINES - 1}")
    assert len(told["samples"]) == SAMPLES


def test_a_training_that_goes_on_keeps_the_curve_up_to_there() -> None:
    before, after = Curve(), Curve()
    for step in (10, 20, 30):
        before.take(progress(step), AT)
    after.take({"event": "resumed", "curve": before.on_a_card()}, AT)
    assert after.figures()["log"][-1] == "13:45:07 goes on after 3 points of its curve"
    for step in (30, 40):
        after.take(progress(step, train_bits=2.0), AT)
    told = [(point["step"], point["train_bits"]) for point in after.figures()["curve"]]
    assert told == [(10, 2.5), (20, 2.5), (30, 2.0), (40, 2.0)]


def test_a_training_that_begins_anew_has_a_curve_of_its_own() -> None:
    curve = Curve()
    curve.take({"event": "resumed", "curve": [{"step": 10, "train_bits": 2.5, "bits_per_character": None}]}, AT)
    curve.take({"event": "anew", "reason": "it had other texts"}, AT)
    assert curve.on_a_card() == []
