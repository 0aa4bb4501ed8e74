"""What is made of what a training says: its last word, and its curve."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.jobs.errors import Interrupted, JobError
from app.jobs.supervising import Event, _outcome, _remembering

DONE = {"event": "done", "validation_bits": 2.5, "epochs": 3, "seconds": 4.5}


def test_a_checkpoint_that_a_crash_left_under_its_other_name_counts(tmp_path: Path) -> None:
    (tmp_path / ".checkpoint.old").mkdir()
    assert not _outcome(DONE, 0, tmp_path).stopped


def test_one_that_is_done_without_a_checkpoint_has_failed(tmp_path: Path) -> None:
    with pytest.raises(JobError, match="ended without a checkpoint"):
        _outcome(DONE, 0, tmp_path)


def test_one_that_is_stopped_before_its_first_checkpoint_goes_on_another_time(tmp_path: Path) -> None:
    with pytest.raises(Interrupted):
        _outcome(DONE | {"event": "stopped"}, 0, tmp_path)


def test_the_curve_of_a_run_outlives_whoever_listens(tmp_path: Path) -> None:
    def progress(step: int) -> Event:
        return {"event": "progress", "epoch": 0, "step": step, "steps": 9, "train_bits": 2.5, "validation_bits": None}

    first = _remembering(tmp_path, lambda event: None)
    for event in (progress(1), progress(2), {"event": "saved", "seconds": 4.0}, progress(3)):
        first(event)
    heard: list[Event] = []
    _remembering(tmp_path, heard.append)
    (event,) = heard
    assert event["event"] == "resumed"
    assert [point["step"] for point in event["curve"]] == [1, 2]


@pytest.mark.parametrize("kept", [None, b"", b"\xff", b"[1", b"{}"])
def test_a_curve_that_is_no_curve_ends_no_training(tmp_path: Path, kept: bytes | None) -> None:
    if kept is not None:
        (tmp_path / "curve.json").write_bytes(kept)
    heard: list[Event] = []
    _remembering(tmp_path, heard.append)({"event": "saved", "seconds": 4.0})
    assert all(event.get("curve", []) in ([], {}) for event in heard)
