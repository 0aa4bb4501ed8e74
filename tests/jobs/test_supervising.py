"""What is made of a training's last word."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.jobs.errors import Interrupted, JobError
from app.jobs.supervising import _outcome

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
