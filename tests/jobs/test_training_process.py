"""A training from the outside: what its process says, and what is left when it is killed or asked to stop."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from networks import small_talk

from app.jobs import supervising
from app.jobs.errors import Interrupted
from app.jobs.supervising import Budget, Shape
from app.jobs.texts import read_texts
from app.jobs.training_process import main
from model.checkpoint import read_checkpoint
from model.config import Config, Recipe
from model.corpus import Text
from model.train import Event, Job, Standing, train

pytestmark = pytest.mark.train

HOUSE = Path(__file__).parents[2]


def write(path: Path, texts: list[Text]) -> Path:
    path.write_text("".join(json.dumps({"text": text.text}) + "\n" for text in texts))
    return path


def words(folder: Path, *, epochs: int) -> list[str]:
    """The command line of a small training, and the files that it names."""
    files = [write(folder / "train.jsonl", small_talk(600, 1)), write(folder / "validation.jsonl", small_talk(40, 2))]
    named = zip(("--train", "--validation", "--out"), (*files, folder / "out"), strict=True)
    return [*(str(word) for pair in named for word in pair), "--layers=1", "--units=48", f"--epochs={epochs}"]


def start(words: list[str]) -> subprocess.Popen[str]:
    """`python -m app.jobs.training_process` as the worker starts it."""
    command = [sys.executable, "-m", "app.jobs.training_process", *words]
    return subprocess.Popen(command, cwd=HOUSE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)


def events(text: Iterable[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text]


# The process, which says how far it is at each step, and measures whenever it is due. It is killed well behind what it
# saved when it measured for the tenth time.
DYING = """
import os, signal, sys
from app.jobs import training_process
from model import train

train.TELL_SECONDS, train.VALIDATION_SHARE = 0.0, float("inf")
tell, told = training_process._tell, []

def dying(event):
    tell(event)
    told.append(event["event"])
    if told.count("sample") == 10 and told[-6:] == ["progress"] * 6:
        os.kill(os.getpid(), signal.SIGKILL)

training_process._tell = dying
sys.exit(training_process.main())
"""


def test_a_killed_training_goes_on_with_the_same_curve(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("model.train.TELL_SECONDS", 0.0)
    monkeypatch.setattr("model.train.VALIDATION_SHARE", float("inf"))

    def trained(out: Path) -> tuple[Standing, dict[int, float]]:
        """How the job of `words`, in this process, ends, and what was measured last at each of its steps."""
        told: list[Event] = []
        texts = {name: read_texts(tmp_path / f"{name}.jsonl") for name in ("train", "validation")}
        shape, recipe = Config("lstm", 1, 48), Recipe(epochs=24)
        standing = train(Job(*texts.values(), out, shape, recipe, resume=True, report=told.append))
        return standing, {event["step"]: event["validation_bits"] for event in told if event["event"] == "progress"}

    command = [sys.executable, "-c", DYING, *words(tmp_path, epochs=24)]
    died = subprocess.run(command, cwd=HOUSE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert died.returncode == -signal.SIGKILL
    told = events(died.stdout.splitlines())
    saved = max(place for place, event in enumerate(told) if event["event"] == "sample")
    lost = [event["step"] for event in told[saved + 2 :]]

    rest, later = trained(tmp_path / "out")
    whole, curve = trained(tmp_path / "whole")
    assert rest.ended == whole.ended == "done"
    assert (rest.step, rest.read) == (whole.step, whole.read)
    assert sorted(later) == list(range(lost[0], whole.step + 1))
    assert len(lost) == 5
    assert later == pytest.approx({step: curve[step] for step in later}, abs=0.02)
    assert len(set(later.values())) > 5
    assert rest.best_bits == pytest.approx(whole.best_bits, abs=0.02)


def test_one_that_does_not_end_when_it_is_asked_to_goes_on_another_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervising, "STOP_SECONDS", 0.0)
    words(tmp_path, epochs=1)  # for its texts
    told: list[Event] = []
    with pytest.raises(Interrupted):
        supervising.train(
            *(tmp_path, Shape(1, 48), Budget(epochs=10_000)), on_event=told.append, should_stop=lambda: bool(told)
        )
    assert not supervising.is_under_way(tmp_path)


def test_a_run_with_other_settings_begins_anew(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """As after an upgrade, whose trainings have another recipe than the one that it interrupted."""
    asked = [*words(tmp_path, epochs=1), "--resume"]
    assert main(asked) == 0
    first = (tmp_path / "out" / "meta.json").read_bytes()
    assert main([*asked, "--seed=5"]) == 0
    told = [event["event"] for event in events(capsys.readouterr().out.splitlines())]
    assert [event for event in told if event in ("anew", "done")] == ["done", "anew", "done"]
    assert (tmp_path / "out" / "meta.json").read_bytes() != first


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_keeps_the_best_checkpoint(tmp_path: Path, number: signal.Signals) -> None:
    child = start(words(tmp_path, epochs=10_000))
    assert child.stdout
    child.stdout.readline()
    child.send_signal(number)
    last = events(child.stdout)[-1]
    assert (last["event"], child.wait()) == ("stopped", 0)
    best = read_checkpoint(tmp_path / "out").meta["bits_per_character"]
    assert best == pytest.approx(last["validation_bits"])


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"--train": "nowhere.jsonl"}, "nowhere.jsonl: No such file"),
        ({"--cell": "transformer"}, "cell: found 'transformer'"),
        ({"--epochs": "-1"}, "epochs: found -1.0"),
        ({"--epochs": "0"}, "epochs: found 0.0"),
        ({"--start": "nowhere"}, "nowhere: no such checkpoint folder"),
    ],
)
def test_bad_input_fails_with_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], change: dict[str, str], reason: str
) -> None:
    assert main([*words(tmp_path, epochs=1), *(word for pair in change.items() for word in pair)]) == 1
    (event,) = events(capsys.readouterr().out.splitlines())
    assert event["event"] == "failed"
    assert reason in event["reason"]
    assert not (tmp_path / "out").exists()
