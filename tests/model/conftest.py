"""Keeps TensorFlow out of runs that leave its tests out: to collect them is to import it, which takes seconds."""

from __future__ import annotations

from pathlib import Path

import pytest

TRAINERS = {"test_network.py", "test_train.py"}


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    return True if collection_path.name in TRAINERS and "not train" in config.option.markexpr else None
