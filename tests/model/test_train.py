"""Training from the outside: what is learned, what is told, and what is left when it is interrupted."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from math import log2
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest
from networks import a_checkpoint

pytestmark = pytest.mark.train
pytest.importorskip("tensorflow", reason="TensorFlow is not installed: make setup-train")

from model.checkpoint import read_checkpoint  # noqa: E402
from model.config import Config, Recipe  # noqa: E402
from model.corpus import Text, read_texts  # noqa: E402
from model.evaluate import bits_per_character  # noqa: E402
from model.train import Job, TrainingError, main, train, widened  # noqa: E402

HOUSE = Path(__file__).parents[2]
NOUNS, VERBS = ["harbour", "town", "pier", "bridge", "mayor", "ferry"], ["opens", "closes", "sings", "sleeps", "waits"]


def tweets(count: int, seed: int) -> list[Text]:
    """Small talk of an invented mayor: enough order to be learned in seconds."""
    random = Random(seed)
    return [Text(f"The {random.choice(NOUNS)} {random.choice(VERBS)} today. Good!") for _ in range(count)]


def write(path: Path, texts: list[Text]) -> Path:
    path.write_text("".join(json.dumps({"text": text.text}) + "\n" for text in texts))
    return path


def a_job(out: Path, **change: Any) -> Job:
    recipe = Recipe(
        epochs=4, batch=8, window=32, rate=4e-3, dropout=0.1, weight_dropout=0.1, averaging=0.9, validations=8
    )
    return Job(
        **{
            "texts": tweets(400, 1),
            "validation": tweets(40, 2),
            "out": out,
            "config": Config(layers=1, units=48, embedding=16),
            "recipe": recipe,
            **change,
        }
    )


def unigram_bits(learned: list[Text], measured: list[Text]) -> float:
    """Bits per character of a guesser who knows only how often each character comes."""
    counts = Counter("".join(text.text + "\0" for text in learned))
    text = "".join(text.text + "\0" for text in measured)
    return sum(-log2(counts[character] / counts.total()) for character in text) / len(text)


@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
def test_it_learns_more_than_how_often_characters_come(tmp_path: Path, cell: str) -> None:
    job = a_job(tmp_path / "out", config=Config(cell, 1, 48, 16))
    train(job)
    bits = bits_per_character(read_checkpoint(job.out), [text.text for text in job.validation])
    assert bits.bits_per_character < 0.5 * unigram_bits(list(job.texts), list(job.validation))


def test_the_figure_in_the_checkpoint_is_the_one_measured(tmp_path: Path) -> None:
    job = a_job(tmp_path / "out")
    standing = train(job)
    checkpoint = read_checkpoint(job.out)
    measured = bits_per_character(checkpoint, [text.text for text in job.validation]).bits_per_character
    assert checkpoint.meta["bits_per_character"] == standing.best_bits == pytest.approx(measured, abs=0.01)


def test_the_same_seed_trains_the_same_network(tmp_path: Path) -> None:
    ends = [train(a_job(tmp_path / name)).best_bits for name in ("one", "two")]
    assert ends[0] == pytest.approx(ends[1], abs=1e-4)


def test_a_seed_may_be_larger_than_tensorflow_takes(tmp_path: Path) -> None:
    recipe = Recipe(epochs=1, batch=8, window=32, seed=2**70)
    assert train(a_job(tmp_path / "out", recipe=recipe)).ended == "done"


def test_it_stops_when_nothing_improves(tmp_path: Path) -> None:
    recipe = Recipe(epochs=1000, batch=8, window=32, rate=0.05, averaging=0.5, validations=1000, patience=1)
    job = a_job(tmp_path / "out", texts=tweets(60, 1), recipe=recipe)
    standing = train(job)
    assert standing.ended == "done"
    assert standing.epoch < 900


def test_fine_tuning_begins_where_the_other_ended(tmp_path: Path) -> None:
    train(a_job(tmp_path / "base"))
    base = read_checkpoint(tmp_path / "base")
    quick = Recipe(epochs=0.2, batch=8, window=32, rate=1e-3, dropout=0.0, averaging=0.5)
    accented = [Text(text.text + "é") for text in tweets(80, 3)]
    tuned = train(a_job(tmp_path / "tuned", texts=accented, recipe=quick, start=base))
    fresh = train(a_job(tmp_path / "fresh", texts=accented, recipe=quick))
    assert (tuned.best_bits or 9) < 0.7 * (fresh.best_bits or 0)
    assert "é" in read_checkpoint(tmp_path / "tuned").vocab.characters


def test_whoever_begins_from_a_base_says_so_and_resumes_from_no_other(tmp_path: Path) -> None:
    train(a_job(tmp_path / "base", should_stop=lambda: True))
    plain = read_checkpoint(tmp_path / "base")
    base = replace(plain, meta={**plain.meta, "base": {"name": "it"}})
    train(a_job(tmp_path / "tuned", start=base, should_stop=lambda: True))
    assert read_checkpoint(tmp_path / "tuned").meta["base"] == {"name": "it"}
    assert "base" not in plain.meta
    with pytest.raises(TrainingError, match="made with other texts or settings"):
        train(a_job(tmp_path / "tuned", resume=True))


def test_new_symbols_begin_as_the_mean_of_the_known() -> None:
    start = a_checkpoint()
    weights = widened(start, start.vocab.extended(["é" * 9]))
    for name, axis in (("embedding", 0), ("output.kernel", 1), ("output.bias", 0)):
        known, wide = start.weights[name], weights[name]
        assert np.allclose(np.take(wide, range(known.shape[axis]), axis), known)
        assert np.allclose(np.take(wide, -1, axis), known.mean(axis))


def test_divergence_is_told_and_the_last_good_checkpoint_stays(tmp_path: Path) -> None:
    good = train(a_job(tmp_path / "out"))
    wild = Recipe(epochs=4, batch=8, window=32, rate=1e30, warm_up=0.0)
    with pytest.raises(TrainingError, match=r"diverged at step .*; the last good checkpoint stays"):
        train(a_job(tmp_path / "out", recipe=wild))
    assert read_checkpoint(tmp_path / "out").meta["bits_per_character"] == good.best_bits


def test_a_full_disk_is_told_and_loses_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    train(a_job(tmp_path / "out"))
    before = read_checkpoint(tmp_path / "out").meta

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(TrainingError, match="No space left on device; the last good checkpoint stays"):
        train(a_job(tmp_path / "out"))
    assert read_checkpoint(tmp_path / "out").meta == before


def test_two_trainings_never_write_to_one_place(tmp_path: Path) -> None:
    def second() -> bool:
        with pytest.raises(TrainingError, match="another training is writing there"):
            train(a_job(tmp_path / "out"))
        return True

    assert train(a_job(tmp_path / "out", should_stop=second)).ended == "stopped"


def test_another_job_does_not_resume_this_one(tmp_path: Path) -> None:
    train(a_job(tmp_path / "out", should_stop=lambda: True))
    with pytest.raises(TrainingError, match="made with other texts or settings; remove it to begin anew") as refusal:
        train(a_job(tmp_path / "out", texts=tweets(401, 1), resume=True))
    assert Path(str(refusal.value).partition(":")[0]).is_file()


def test_a_finished_training_is_not_done_again(tmp_path: Path) -> None:
    done = train(a_job(tmp_path / "out"))
    again = train(a_job(tmp_path / "out", resume=True))
    assert (again.step, again.best_bits, again.ended) == (done.step, done.best_bits, "done")


def words(folder: Path, *, epochs: int) -> list[str]:
    """The command line of a small training, and the files that it names."""
    files = [write(folder / "train.jsonl", tweets(600, 1)), write(folder / "validation.jsonl", tweets(40, 2))]
    named = zip(("--train", "--validation", "--out"), (*files, folder / "out"), strict=True)
    return [*(str(word) for pair in named for word in pair), "--layers=1", "--units=48", f"--epochs={epochs}"]


def start(words: list[str]) -> subprocess.Popen[str]:
    """`python -m model.train` as the worker starts it."""
    command = [sys.executable, "-m", "model.train", *words]
    return subprocess.Popen(command, cwd=HOUSE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)


def events(text: Iterable[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text]


def test_a_killed_training_goes_on_with_the_same_curve(tmp_path: Path) -> None:
    def job(folder: Path, steps: list[int]) -> Job:
        """The job of `words`, in this process; `steps` grows with each step."""
        texts = {"texts": read_texts(folder / "train.jsonl"), "validation": read_texts(folder / "validation.jsonl")}
        shape, recipe = Config("lstm", 1, 48), Recipe(epochs=30)
        return Job(
            **texts, out=folder / "out", config=shape, recipe=recipe, resume=True, should_stop=lambda: steps.append(1)
        )

    (tmp_path / "whole").mkdir()
    words(tmp_path / "whole", epochs=30)
    all_steps: list[int] = []
    whole = train(job(tmp_path / "whole", all_steps))
    (tmp_path / "cut").mkdir()
    child = start(words(tmp_path / "cut", epochs=30))
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


def test_tensorboard_gets_scalars_and_samples(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard", reason="TensorBoard is not installed: make setup-train")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    standing = train(a_job(tmp_path / "out"))
    board = EventAccumulator(str(tmp_path / "out.training" / "tensorboard")).Reload()
    assert board.Tags()["tensors"] >= ["train_bits", "validation_bits"]
    assert board.Tensors("validation_bits")[-1].step == standing.step
    assert "text" in board.Tags()["tensors"]


def test_progress_says_all_that_a_watcher_needs(tmp_path: Path) -> None:
    told: list[dict[str, Any]] = []
    train(a_job(tmp_path / "out", report=told.append))
    progress = [event for event in told if event["event"] == "progress"][-1]
    assert progress.keys() >= {"epoch", "step", "steps", "characters_per_second", "train_bits", "validation_bits"}
    assert progress["step"] == progress["steps"]
    assert progress["seconds_left"] == 0
    # A network that knows little may end at once; not each time.
    assert any(event["text"] for event in told if event["event"] == "sample")


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
