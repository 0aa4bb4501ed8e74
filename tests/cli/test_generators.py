"""whichtweet generators: list, show, compare, promote and roll back, on a game that was played."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from letters import furnish
from stock import stock_generator

from app.db import canaries, generators, samples
from app.db.canaries import Opening
from app.db.session import now, open_engine, writing
from app.game.canary import plan_for
from app.jobs.workshop import Workshop

pytestmark = pytest.mark.process
HOUSE = Path(__file__).resolve().parents[2]
Command = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def played(migrated: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A champion that was played, and v2, which is tried beside it."""
    folder = tmp_path_factory.mktemp("generators")
    url = f"sqlite:///{folder / 'whichtweet.db'}"
    shutil.copy(migrated, folder / "whichtweet.db")
    furnish(url, folder, 300)
    engine = open_engine(url)
    workshop = Workshop(engine, folder / "checkpoints")
    candidate = stock_generator(workshop, workshop.archive("gannet"), seed=1, end=0.04)
    with writing(engine) as connection:
        opening = Opening(plan_for(6), "retrain", [{"name": "bits", "outcome": "passed", "words": "bits are fine"}])
        canaries.open_canary(connection, 1, candidate.id, opening, now())
    engine.dispose()
    return folder


@pytest.fixture
def command(played: Path, tmp_path: Path) -> Command:
    shutil.copytree(played, tmp_path, dirs_exist_ok=True)

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "app.cli", "generators", *words, "--archive", "gannet"],
            cwd=HOUSE,
            env=os.environ | {"WHICHTWEET_DATA_DIR": str(tmp_path), "COLUMNS": "160"},
            capture_output=True,
            text=True,
        )

    return run


def test_the_list_tells_who_plays_how_often(command: Command) -> None:
    rows = json.loads(command("list", "--json").stdout)["generators"]

    assert [(row["generator"], row["arms"], round(row["share"], 2)) for row in rows] == [
        ("v1", ["anchor", "champion"], 0.5),
        ("v2", ["candidate"], 0.5),
    ]
    assert "candidate" in command("list").stdout


def test_a_generator_is_shown_with_its_canary_and_the_decisions_on_it(command: Command) -> None:
    shown = json.loads(command("show", "v2", "--json").stdout)

    assert [each["state"] for each in shown["canaries"]] == ["open"]
    assert [(each["verdict"], each["taken_by"]) for each in shown["decisions"]] == [("canary opened", "retrain")]
    assert shown["decisions"][0]["figures"]["gates"][0]["words"] == "bits are fine"


def test_two_generators_are_compared_by_figures_and_by_drafts_of_the_same_seeds(command: Command) -> None:
    compared = json.loads(command("compare", "v1", "v2", "--samples", "3", "--seed", "7", "--json").stdout)

    v1, v2 = compared["sides"]
    rate, low, high = v1["fool_rate"]
    assert low < rate < high
    assert (v1["guesses"], v2["fool_rate"], v2["guesses"]) == (120, None, 0)
    assert v1["self_bleu"] > 0
    assert [draft["seed"] for draft in compared["drafts"]] == [7, 8, 9]
    # Two networks that write alike, and the same chance: the same drafts.
    assert all(draft["v1"] == draft["v2"] for draft in compared["drafts"])
    assert [(each["candidate"], each["champion"], each["state"]) for each in compared["canaries"]] == [
        ("v2", "v1", "open")
    ]
    words = command("compare", "v1", "v2").stdout
    assert "v2 was tried beside v1" in words
    assert "seed 0" in words


@pytest.mark.long
def test_promoting_by_hand_ends_the_canary_and_can_be_rolled_back(command: Command, tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path / 'whichtweet.db'}")

    def state() -> tuple[str, str, int]:
        with writing(engine) as connection:
            champion = generators.in_arm(connection, 1, "champion")
            assert champion is not None
            canary = canaries.listing(connection, 1)[0]
            return champion.name, canary.state, samples.level(connection, 1, champion.id)

    os.environ["WHICHTWEET_SHELF_FULL"] = "120"
    try:
        assert "v2 is the champion of gannet" in command("promote", "v2").stderr
        assert state() == ("v2", "stopped", 120)
        assert "v1 is the champion of gannet" in command("rollback").stderr
        assert state()[0] == "v1"
    finally:
        del os.environ["WHICHTWEET_SHELF_FULL"]
        engine.dispose()


@pytest.mark.parametrize("name", ["v9", "v99999999999999999999"])
def test_a_generator_that_is_not_there_is_told_with_those_that_are(command: Command, name: str) -> None:
    said = command("compare", "v1", name)

    assert said.returncode == 2
    assert f"gannet has no generator {name}; there are v1, v2" in said.stderr
