"""Training an archive's first generators, with the real training: killed wherever, the same call goes on from there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from app.db.archives import Archive
from app.jobs.supervising import Budget, Shape
from app.jobs.training import make_generator
from app.jobs.workshop import Workshop
from model.checkpoint import checkpoint_digest

pytestmark = pytest.mark.train
pytest.importorskip("tensorflow", reason="TensorFlow is not installed: make setup-train")

STEPS = ("train", "keep the checkpoint", "evaluate", "register")


class KilledError(Exception):
    """Stands for the process that ended there."""


@pytest.mark.parametrize("last", STEPS)
def test_a_training_that_ended_behind_any_step_is_not_lost(workshop: Workshop, archive: Archive, last: str) -> None:
    shape, budget = Shape(layers=1, units=8), Budget(epochs=1)

    def dying(name: str, do: Callable[[], Any]) -> Any:
        result = do()
        if name == last:
            raise KilledError
        return result

    with pytest.raises(KilledError):
        make_generator(workshop, archive, shape, budget, step=dying)
    made = make_generator(workshop, archive, shape, budget)

    assert made.is_new is (last != "register")
    (folder,) = (path.parent for path in workshop.checkpoints.rglob("meta.json"))
    assert folder == workshop.checkpoints / archive.slug / checkpoint_digest(folder)[:16]
