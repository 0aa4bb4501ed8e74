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

from app.jobs.texts import read_texts
from app.jobs.training_process import main
from model.checkpoint import read_checkpoint
from model.config import Config, Recipe
from model.corpus import Text
from model.train import Job, train

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


def test_a_killed_training_goes_on_with_the_same_curve(tmp_path: Path) -> None:
    def job(folder: Path, steps: list[int]) -> Job:
        """The job of `words`, in this process; `steps` grows with each step."""
        texts = {"texts": read_texts(folder / "train.jsonl"), "validation": read_texts(folder / "validation.jsonl")}
        shape, recipe = Config("lstm", 1, 48), Recipe(epochs=12)
        return Job(
            **texts, out=folder / "out", config=shape, recipe=recipe, resume=True, should_stop=lambda: steps.append(1)
        )

    (tmp_path / "whole").mkdir()
    words(tmp_path / "whole", epochs=12)
    all_steps: list[int] = []
    whole = train(job(tmp_path / "whole", all_steps))
    (tmp_path / "cut").mkdir()
    child = start(words(tmp_path / "cut", epochs=12))
    for line in child.stdout or ():
        if json.loads(line)["event"] == "sample":
            child.kill()
    assert child.wait() == -signal.SIGKILL
    steps: list[int] = []
    rest = train(job(tmp_path / "cut", steps))
    assert rest.step == whole.step == len(all_steps)
    assert 0 < len(steps) < len(all_steps)
    assert rest.best_bits == pytest.approx(whole.best_bits, abs=0.02)
    assert rest.ended == "done"


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
