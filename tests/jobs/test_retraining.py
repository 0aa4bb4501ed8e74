"""Retraining, from the labels to the canary; only the training itself is a stand-in."""

from __future__ import annotations

import fcntl
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from letters import ENDS, seeded, stand_in, workshop_of
from sqlalchemy import Engine, update
from stock import letter_writer, shelf, stock_archive

from app.db import canaries, generators, samples
from app.db.archives import Archive
from app.db.generators import Decision, Recipe
from app.db.session import now, open_engine, reading, writing
from app.db.tables import restocks as restocks_table
from app.db.tables import samples as samples_table
from app.jobs import retraining, studying
from app.jobs.hold import by_hand
from app.jobs.retraining import Errand, Retrained, retrain
from app.jobs.supervising import Budget
from app.jobs.training import run_folder
from app.jobs.workshop import Interrupted, JobError, Skipped, Workshop
from model.checkpoint import write_checkpoint

STEPS = (
    *("see who is tried", "freeze the labels", "fix the bounds", "learn to choose", "write the texts", "train"),
    *("keep the checkpoint", "compare the networks", "evaluate", "evaluate the champion", "register"),
    *("write samples", "pass the gates", "open the canary"),
)


pytestmark = pytest.mark.process


@pytest.fixture
def workshop(played: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workshop]:
    """A game that was played, and where a training takes no time."""
    shutil.copytree(played, tmp_path, dirs_exist_ok=True)
    monkeypatch.setattr(retraining, "need_tensorflow", lambda: None)
    monkeypatch.setattr(studying, "train", stand_in())
    engine = open_engine(f"sqlite:///{tmp_path / 'whichtweet.db'}")
    with seeded(1 << 51):
        yield workshop_of(engine, tmp_path)
    engine.dispose()


@pytest.fixture
def archive(workshop: Workshop) -> Archive:
    return workshop.archive("gannet")


def run(workshop: Workshop, archive: Archive, **how: Any) -> Retrained:
    with by_hand(workshop.engine, "retrain", archive.id, {}, lambda: False) as hold:
        return retrain(
            workshop, archive, Errand(job_id=hold.claim.job_id, budget=Budget(minutes=1), ways=("weights",), **how)
        )


def decisions(workshop: Workshop) -> list[Decision]:
    with reading(workshop.engine) as connection:
        return generators.decisions_on(connection, 1)


def test_what_passes_its_gates_is_tried_beside_the_champion(workshop: Workshop, archive: Archive) -> None:
    names: list[str] = []

    def step(name: str, do: Callable[[], Any]) -> Any:
        names.append(name)
        return do()

    done = run(workshop, archive, step=step)

    assert tuple(names) == STEPS
    assert (done.verdict, done.generator, done.champion, done.shelved) == ("canary", "v2", "v1", 220)
    assert {gate["outcome"] for gate in done.gates} == {"passed"}
    assert len(done.gates) == 7
    assert "is tried beside v1 in 50% of rounds, for 14 days at most" in done.words
    with reading(workshop.engine) as connection:
        arms = {arm.arm: (arm.generator_id, round(arm.share, 2)) for arm in generators.arms_of(connection, 1).values()}
        canary = canaries.find_open(connection, 1)
        assert samples.level(connection, 1, 1) == samples.level(connection, 1, 2) == 220
    assert arms == {"anchor": (1, 0.05), "candidate": (2, 0.5), "champion": (1, 0.45)}
    assert canary is not None
    assert (canary.scorer, canary.opened_by, canary.fixed.active) == (None, "retrain", 6)
    [decision] = decisions(workshop)
    assert (decision.verdict, decision.taken_by) == ("canary opened", "retrain")
    assert decision.figures["budget"]["anchor"]["name"] == "v1"


def test_it_leaves_the_texts_alone_that_another_learns_from(workshop: Workshop, archive: Archive) -> None:
    names: list[str] = []

    def step(name: str, do: Callable[[], Any]) -> Any:
        names.append(name)
        return do()

    folder = run_folder(workshop, archive, "by hand")
    folder.mkdir(parents=True)
    with (folder / "lock").open("a+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(Interrupted):
            run(workshop, archive, run="by hand", step=step, should_stop=lambda: names[-1:] == ["write the texts"])
    assert names[-1] == "write the texts"
    assert not (folder / "train.jsonl").exists()


def test_what_foretells_tweets_worse_is_held_back_before_it_writes(
    workshop: Workshop, archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    def worse(folder: Path, *_: Any, **__: Any) -> Any:
        odd = letter_writer(1, end=ENDS)
        odd.weights["output.bias"][7] += 3.0
        write_checkpoint(folder / "checkpoint", odd)
        return stand_in()(folder, *_, **__)

    monkeypatch.setattr(studying, "train", worse)

    done = run(workshop, archive)

    assert (done.verdict, done.shelved) == ("hold", 0)
    assert "v2 is held back: bits per character" in done.words
    [decision] = decisions(workshop)
    assert (decision.verdict, decision.figures["gates"][0]["outcome"]) == ("held", "failed")
    assert {row.generator_id for row in shelf(workshop.engine)} == {1}


def test_what_writes_unlike_tweets_is_held_back_and_leaves_no_sample(
    workshop: Workshop, archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    bounds = retraining.bounds_of

    def strict(*where: Any) -> dict[str, Any]:
        found = bounds(*where)
        found["ranges"]["Self-BLEU"] = [0.0, 0.0001]
        return found

    monkeypatch.setattr(retraining, "bounds_of", strict)

    done = run(workshop, archive)

    assert done.verdict == "hold"
    assert "Self-BLEU" in done.words
    assert [gate["name"] for gate in done.gates if gate["outcome"] == "failed"] == ["Self-BLEU"]
    assert {row.generator_id for row in shelf(workshop.engine)} == {1}
    with reading(workshop.engine) as connection:
        assert canaries.find_open(connection, 1) is None


@pytest.mark.long
def test_a_small_archive_cannot_be_judged_and_waits_for_an_admin(
    workshop: Workshop, archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retraining, "bounds_of", lambda *_: {"ranges": {}, "lengths": [], "marks": {}, "tweets": 120})

    done = run(workshop, archive)

    assert done.verdict == "hold"
    assert "cannot judge by 120 tweets (400 or more are needed): an admin decides" in done.words


def crowned_meanwhile(workshop: Workshop, when: str) -> Callable[[str, Callable[[], Any]], Any]:
    """Steps; when one of them is done somebody crowns another generator, which takes over the shelf as it is."""
    done: list[str] = []

    def step(name: str, do: Callable[[], Any]) -> Any:
        result = do()
        if name == when and when not in done:
            done.append(name)
            with writing(workshop.engine) as connection:
                champion = generators.in_arm(connection, 1, "champion")
                assert champion is not None
                same = ("checkpoint_key", "checkpoint_sha256", "vetting_version", "alphabet", "bits_per_character")
                decoding = {**champion.decoding, "no_repeat": 30}
                recipe = Recipe(decoding=decoding, **{each: getattr(champion, each) for each in same})
                other = generators.register(connection, 1, recipe, now())[0]
                for table in (samples_table, restocks_table):
                    own = update(table).where(table.c.generator_id == champion.id)
                    connection.execute(own.values(generator_id=other.id))
                generators.crown(connection, 1, other.id, samples.next_stamp(connection, 1), now())
        return result

    return step


ANEW = ("evaluate the new champion", "write samples", "pass the gates", "open the canary")


@pytest.mark.parametrize(
    ("when", "again"),
    [
        ("fix the bounds", ()),
        pytest.param("register", ("pass the gates", *ANEW), marks=pytest.mark.long),
        ("pass the gates", ("pass the gates", "open the canary", *ANEW)),
    ],
)
def test_who_was_crowned_meanwhile_is_whom_it_is_measured_and_tried_beside(
    workshop: Workshop, archive: Archive, when: str, again: tuple[str, ...]
) -> None:
    names: list[str] = []
    crowning = crowned_meanwhile(workshop, when)

    def step(name: str, do: Callable[[], Any]) -> Any:
        names.append(name)
        return crowning(name, do)

    done = run(workshop, archive, step=step)

    with reading(workshop.engine) as connection:
        canary = canaries.find_open(connection, 1)
        champion = generators.in_arm(connection, 1, "champion")
    assert canary is not None, done.words
    assert champion is not None
    assert champion.decoding["no_repeat"] == 30
    assert (done.verdict, done.champion, canary.champion_id) == ("canary", champion.name, champion.id)
    assert f"is tried beside {champion.name}" in done.words
    assert tuple(names) == STEPS if not again else (*STEPS[:12], *again)
    [decision] = decisions(workshop)
    assert decision.figures["budget"]["champion"]["name"] == champion.name
    assert len(canary.gates) == 7


def test_a_candidate_that_is_worse_than_who_was_crowned_meanwhile_is_held_back(
    workshop: Workshop, archive: Archive
) -> None:
    def step(name: str, do: Callable[[], Any]) -> Any:
        result = crowning(name, do)
        return result * 2 if name == "evaluate" else result

    crowning = crowned_meanwhile(workshop, "pass the gates")

    def lenient(name: str, do: Callable[[], Any]) -> Any:
        result = step(name, do)
        return (result[0], result[1] * 2) if name == "evaluate the champion" else result

    done = run(workshop, archive, step=lenient)

    assert done.verdict == "hold"
    assert "is held back: bits per character" in done.words
    with reading(workshop.engine) as connection:
        assert canaries.find_open(connection, 1) is None
        candidate = generators.by_number(connection, 1, 2)
        assert candidate is not None
        assert samples.level(connection, 1, candidate.id) == 0
    assert [each.verdict for each in decisions(workshop)] == ["held"]


def test_while_one_is_tried_the_next_retraining_waits(workshop: Workshop, archive: Archive) -> None:
    run(workshop, archive)

    with pytest.raises(Skipped, match="v2 is still tried"):
        run(workshop, archive, least_labels=0)


def test_too_few_new_labels_are_a_reason_to_skip(workshop: Workshop, archive: Archive) -> None:
    with pytest.raises(Skipped, match="120 new labels teach, 500 are needed"):
        run(replace(workshop, retrain_min_labels=500), archive)


@pytest.mark.long
def test_asked_to_stop_it_ends_without_a_trace_on_the_shelf(workshop: Workshop, archive: Archive) -> None:
    asked: list[bool] = []

    def stop_once_writing() -> bool:
        with reading(workshop.engine) as connection:
            asked.append(generators.by_number(connection, 1, 2) is not None)
        return asked[-1]

    with pytest.raises(Interrupted):
        run(workshop, archive, should_stop=stop_once_writing)

    with reading(workshop.engine) as connection:
        assert samples.level(connection, 1) == samples.level(connection, 1, 1)
        assert canaries.find_open(connection, 1) is None


def test_without_a_generator_there_is_nothing_to_begin_from(engine: Engine, tmp_path: Path) -> None:
    stock_archive(engine)
    workshop = Workshop(engine, tmp_path)

    with pytest.raises(JobError, match="no generator of its own yet"):
        run(workshop, workshop.archive("gannet"))
