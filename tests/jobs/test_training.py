"""Training an archive's first generators, with the real training: killed wherever, the same call goes on from there."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from stock import stock_archive

from app.db.archives import Archive
from app.db.session import open_engine
from app.jobs.supervising import Budget, Shape
from app.jobs.training import make_generator, run_of
from app.jobs.workshop import Workshop
from model.checkpoint import checkpoint_digest

pytestmark = pytest.mark.train

HOUSE = Path(__file__).parents[2]
STEPS = ("train", "keep the checkpoint", "evaluate", "register")
SHAPE, BUDGET = Shape(layers=1, units=8), Budget(epochs=1)


class KilledError(Exception):
    """Stands for the process that ended there."""


def killed_behind(last: str, workshop: Workshop, archive: Archive) -> None:
    def dying(name: str, do: Callable[[], Any]) -> Any:
        result = do()
        if name == last:
            raise KilledError
        return result

    with pytest.raises(KilledError):
        make_generator(workshop, archive, SHAPE, BUDGET, step=dying)


@pytest.fixture(scope="module")
def trained(migrated: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The checkpoints' folder as a process that ended right behind its training left it."""
    folder = tmp_path_factory.mktemp("trained")
    shutil.copy(migrated, folder / "whichtweet.db")
    engine = open_engine(f"sqlite:///{folder / 'whichtweet.db'}")
    stock_archive(engine)
    workshop = Workshop(engine, folder / "checkpoints")
    killed_behind("train", workshop, workshop.archive("gannet"))
    engine.dispose()
    return workshop.checkpoints


@pytest.mark.parametrize("last", STEPS)
def test_a_training_that_ended_behind_any_step_is_not_lost(
    workshop: Workshop, archive: Archive, trained: Path, last: str
) -> None:
    shutil.copytree(trained, workshop.checkpoints)
    (learned,) = workshop.checkpoints.rglob("meta.json")
    digest = checkpoint_digest(learned.parent)

    killed_behind(last, workshop, archive)
    made = make_generator(workshop, archive, SHAPE, BUDGET)

    assert made.is_new is (last != "register")
    (folder,) = (path.parent for path in workshop.checkpoints.rglob("meta.json"))
    assert folder == workshop.checkpoints / archive.slug / digest[:16]
    assert checkpoint_digest(folder) == digest


def test_the_command_refuses_what_is_being_trained_and_leaves_it_alone(
    workshop: Workshop, archive: Archive, tmp_path: Path
) -> None:
    folder = run_of(workshop, archive, SHAPE, 0, None)
    told: list[subprocess.CompletedProcess[str]] = []
    environment = os.environ | {
        "WHICHTWEET_DATA_DIR": str(tmp_path),
        "WHICHTWEET_DATABASE_URL": workshop.engine.url.render_as_string(),
        "WHICHTWEET_CHECKPOINT_DIR": str(workshop.checkpoints),
    }
    words = ["train", "--archive", archive.slug, "--layers", "1", "--units", "8", "--epochs", "1", "--from-scratch"]

    def meanwhile(_: Any) -> None:
        if told:
            return
        stands = (folder / "texts.json").stat().st_mtime_ns
        command = [sys.executable, "-m", "app.cli", *words]
        told.append(subprocess.run(command, cwd=HOUSE, env=environment, capture_output=True, text=True))
        assert (folder / "texts.json").stat().st_mtime_ns == stands

    made = make_generator(workshop, archive, SHAPE, BUDGET, on_event=meanwhile)

    assert made.is_new
    assert (told[0].returncode, told[0].stderr.count("\n")) == (2, 1)
    assert f"such a network is being trained for {archive.slug} right now" in told[0].stderr
