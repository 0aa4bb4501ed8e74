"""Scorers are kept under their SHA-256, and refused when they are not what it says."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest

from app.jobs.scorers import read_scorer, scorer_file, write_scorer
from model.scorer import Held, Scorer, ScorerError


@pytest.fixture
def scorer() -> Scorer:
    mean, spread, weights = np.random.default_rng(0).random((3, 40)).astype(np.float32)
    return Scorer("ab" * 32, mean, spread, weights, Held(9, 0.6, 0.6, 0.9, 1.0, ((0.5, 0.4, 9),), 0.1, 30.0, 3.0))


def test_a_scorer_that_was_kept_is_the_same_when_read(scorer: Scorer, tmp_path: Path) -> None:
    digest = write_scorer(tmp_path, scorer)

    again = read_scorer(tmp_path, digest)

    assert (again.body, again.held) == (scorer.body, scorer.held)
    assert write_scorer(tmp_path, again) == digest


def test_a_damaged_scorer_is_told(scorer: Scorer, tmp_path: Path) -> None:
    digest = write_scorer(tmp_path, scorer)
    file = scorer_file(tmp_path, digest)
    file.write_bytes(file.read_bytes()[:-1])

    with pytest.raises(ScorerError, match="damaged"):
        read_scorer(tmp_path, digest)
    with pytest.raises(ScorerError, match="No such file"):
        read_scorer(tmp_path, "0" * 64)


def test_what_is_no_scorer_is_told_with_its_file(tmp_path: Path) -> None:
    digest = sha256(b"nothing at all").hexdigest()
    scorer_file(tmp_path, digest).write_bytes(b"nothing at all")

    with pytest.raises(ScorerError, match=f"{digest[:16]}.safetensors: not a scorer"):
        read_scorer(tmp_path, digest)
