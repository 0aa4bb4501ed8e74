"""Training from the outside: what is learned, what is told, and what is left when it is interrupted."""

from __future__ import annotations

import json
import shutil
import sys
from collections import Counter
from contextlib import nullcontext
from dataclasses import asdict, replace
from math import log2
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import safetensors.numpy
from networks import a_checkpoint, small_talk

from model.checkpoint import read_checkpoint
from model.config import Config, Recipe
from model.corpus import Text
from model.evaluate import bits_per_character
from model.train import STATE, Event, Job, OtherRunError, Standing, TrainingError, train, widened

pytestmark = pytest.mark.train


def a_job(out: Path, **change: Any) -> Job:
    recipe = Recipe(
        epochs=4, batch=8, window=32, rate=4e-3, dropout=0.1, weight_dropout=0.1, averaging=0.9, validations=8
    )
    return Job(
        **{
            "texts": small_talk(400, 1),
            "validation": small_talk(40, 2),
            "out": out,
            "config": Config(layers=1, units=48, embedding=16),
            "recipe": recipe,
            **change,
        }
    )


class Ended(NamedTuple):
    """A training that has ended: what it was, how far it came, and what it told."""

    job: Job
    standing: Standing
    told: list[Event]

    def copied_to(self, folder: Path) -> Path:
        """All that it left, for a test to do with as it likes; the checkpoint's folder there."""
        shutil.copytree(self.job.out.parent, folder, dirs_exist_ok=True)
        return folder / self.job.out.name


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory) -> Ended:
    """One training for all tests of what a training leaves."""
    told: list[Event] = []
    job = a_job(tmp_path_factory.mktemp("ended") / "out", report=told.append)
    return Ended(job, train(job), told)


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


def test_the_figure_in_the_checkpoint_is_the_one_measured(ended: Ended) -> None:
    checkpoint = read_checkpoint(ended.job.out)
    measured = bits_per_character(checkpoint, [text.text for text in ended.job.validation]).bits_per_character
    assert checkpoint.meta["bits_per_character"] == ended.standing.best_bits == pytest.approx(measured, abs=0.01)


@pytest.mark.parametrize(("most", "number"), [("VALIDATION_TEXTS", 10), ("VALIDATION_CHARACTERS", 300)])
def test_what_is_measured_on_is_taken_from_all_the_texts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, most: str, number: int
) -> None:
    monkeypatch.setattr(f"model.train.{most}", number)
    first, last = small_talk(10, 2), [Text("zzz zzz zzz zzz zzz zzz")] * 20
    job = a_job(tmp_path / "out", validation=[*first, *last], should_stop=lambda: True)
    train(job)
    every_third = [text.text for text in job.validation[::3]]
    measured = bits_per_character(read_checkpoint(job.out), every_third).bits_per_character
    assert read_checkpoint(job.out).meta["bits_per_character"] == pytest.approx(measured, abs=0.01)


def test_an_epoch_is_as_long_where_rows_stay_empty(tmp_path: Path) -> None:
    """So few texts in so many rows: windows are mostly empty, and there are more of them than the characters fill."""
    recipe = Recipe(epochs=3, batch=64, window=4)
    job = a_job(tmp_path / "out", texts=small_talk(5, 1), recipe=recipe)
    standing = train(job)
    assert (standing.epoch, standing.ended) == (2, "done")
    assert standing.read == 3 * sum(len(text.text) + 1 for text in job.texts)


def test_the_same_seed_trains_the_same_network(tmp_path: Path, ended: Ended) -> None:
    assert train(a_job(tmp_path / "again")).best_bits == pytest.approx(ended.standing.best_bits, abs=1e-4)


def test_a_seed_may_be_larger_than_tensorflow_takes(tmp_path: Path) -> None:
    recipe = Recipe(epochs=1, batch=8, window=32, seed=2**70)
    assert train(a_job(tmp_path / "out", recipe=recipe)).ended == "done"


def test_it_stops_when_nothing_improves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("model.train.VALIDATION_SHARE", 1.0)  # so small a network need not wait to be measured again
    recipe = Recipe(epochs=1000, batch=8, window=32, rate=0.05, averaging=0.5, validations=1000, patience=1)
    job = a_job(tmp_path / "out", texts=small_talk(60, 1), recipe=recipe)
    standing = train(job)
    assert standing.ended == "done"
    assert standing.epoch < 900


def test_fine_tuning_begins_where_the_other_ended(tmp_path: Path, ended: Ended) -> None:
    base = read_checkpoint(ended.job.out)
    quick = Recipe(epochs=0.2, batch=8, window=32, rate=1e-3, dropout=0.0, averaging=0.5)
    accented = [Text(text.text + "é") for text in small_talk(80, 3)]
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


def test_divergence_is_told_and_the_last_good_checkpoint_stays(tmp_path: Path, ended: Ended) -> None:
    out = ended.copied_to(tmp_path)
    wild = Recipe(epochs=4, batch=8, window=32, rate=1e30, warm_up=0.0)
    with pytest.raises(TrainingError, match=r"diverged at step .*; the last good checkpoint stays"):
        train(a_job(out, recipe=wild))
    assert read_checkpoint(out).meta["bits_per_character"] == ended.standing.best_bits


def test_what_diverged_is_not_gone_on_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("model.train.SAVE_SECONDS", 0.0)
    told: list[str] = []
    wild = Recipe(epochs=4, batch=8, window=32, rate=1e30, warm_up=0.0)
    job = a_job(tmp_path / "out", recipe=wild, resume=True, report=lambda event: told.append(event["event"]))
    for times in (1, 2):
        with pytest.raises(TrainingError, match="and the next training begins anew"):
            train(job)
        assert told.count("saved") >= times  # each time from its first step
        assert not (tmp_path / "out.training" / STATE).exists()


@pytest.mark.parametrize("changed", [{"memory.0": None}, {"memory.0": np.zeros((1, 2), "f4")}, {"standing": "{}"}])
def test_what_another_program_left_is_known_for_that(tmp_path: Path, ended: Ended, changed: dict[str, Any]) -> None:
    out = ended.copied_to(tmp_path)
    state = out.with_name("out.training") / STATE
    arrays = safetensors.numpy.load(state.read_bytes())
    standing = {"standing": json.dumps(asdict(ended.standing))} | changed
    arrays = {name: array for name, array in (arrays | changed).items() if isinstance(array, np.ndarray)}
    state.write_bytes(safetensors.numpy.save(arrays, {"standing": standing["standing"]}))
    with pytest.raises(OtherRunError, match=r"another program's.*; remove it to begin anew"):
        train(a_job(out, recipe=replace(ended.job.recipe, epochs=5), resume=True))


def test_a_board_that_cannot_be_written_to_ends_no_training(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("tensorboard", reason="TensorBoard is not installed: make setup-train")
    from model.network import tf

    flushed: list[int] = []

    class FullBoard:
        def as_default(self, step: int) -> Any:
            return nullcontext()

        def flush(self) -> None:
            flushed.append(1)
            raise tf.errors.ResourceExhaustedError(None, None, "No space left on device")

    monkeypatch.setattr(tf.summary, "create_file_writer", lambda folder: FullBoard())
    assert train(a_job(tmp_path / "out", texts=small_talk(40, 1))).ended == "done"
    assert len(flushed) == 1


def test_a_full_disk_is_told_and_loses_nothing(tmp_path: Path, ended: Ended, monkeypatch: pytest.MonkeyPatch) -> None:
    out = ended.copied_to(tmp_path)
    before = read_checkpoint(out).meta

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(TrainingError, match="No space left on device; the last good checkpoint stays"):
        train(a_job(out))
    assert read_checkpoint(out).meta == before


def test_two_trainings_never_write_to_one_place(tmp_path: Path) -> None:
    def second() -> bool:
        with pytest.raises(TrainingError, match="another training is writing there"):
            train(a_job(tmp_path / "out"))
        return True

    assert train(a_job(tmp_path / "out", should_stop=second)).ended == "stopped"


def test_another_job_does_not_resume_this_one(tmp_path: Path) -> None:
    train(a_job(tmp_path / "out", should_stop=lambda: True))
    with pytest.raises(TrainingError, match="made with other texts or settings; remove it to begin anew") as refusal:
        train(a_job(tmp_path / "out", texts=small_talk(401, 1), resume=True))
    assert Path(str(refusal.value).partition(":")[0]).is_file()


@pytest.mark.parametrize("changed", ["RATE", "TUNING_RATE"])
def test_a_run_whose_recipe_has_other_defaults_by_now_is_another_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, changed: str
) -> None:
    """As after an upgrade."""
    start = a_checkpoint(layers=1, units=48, embedding=16) if changed == "TUNING_RATE" else None
    job = a_job(tmp_path / "out", recipe=Recipe(batch=8, window=32), start=start, should_stop=lambda: True)
    train(job)
    monkeypatch.setattr(f"model.config.{changed}", 1e-3)
    with pytest.raises(OtherRunError, match="made with other texts or settings"):
        train(replace(job, resume=True))


def test_a_finished_training_is_not_done_again_nor_is_tensorflow_loaded(
    tmp_path: Path, ended: Ended, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = ended.standing
    monkeypatch.setitem(sys.modules, "model.network", None)  # what imports it fails
    again = train(a_job(ended.copied_to(tmp_path), resume=True))
    assert (again.step, again.best_bits, again.ended) == (done.step, done.best_bits, "done")


def test_a_finished_training_goes_on_where_more_is_asked_for(tmp_path: Path, ended: Ended) -> None:
    longer = replace(ended.job.recipe, epochs=5)
    more = train(a_job(ended.copied_to(tmp_path), recipe=longer, resume=True))
    assert more.ended == "done"
    assert ended.standing.step < more.step < 1.5 * ended.standing.step


def test_what_goes_on_with_a_larger_budget_is_measured_on_the_way(
    tmp_path: Path, ended: Ended, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("model.train.VALIDATION_SHARE", float("inf"))  # it need not wait to be measured again
    told: list[str] = []
    longer = replace(ended.job.recipe, epochs=8)
    train(
        a_job(ended.copied_to(tmp_path), recipe=longer, resume=True, report=lambda event: told.append(event["event"]))
    )
    assert told.count("sample") == 4  # the second half of eight


def test_saving_is_told_also_between_validations(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("model.train.SAVE_SECONDS", 0.0)
    told: list[str] = []

    def stop() -> bool:
        return "saved" in told

    job = a_job(tmp_path / "out", report=lambda event: told.append(event["event"]), should_stop=stop)
    assert train(job).ended == "stopped"
    assert "sample" not in told[: told.index("saved")]


@pytest.mark.parametrize(("seconds", "times"), [(0.0, 1), (60.0, 2)])
def test_whoever_asks_to_stop_waits_for_no_slow_measuring(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seconds: float, times: int
) -> None:
    monkeypatch.setattr("model.train.MEASURE_SECONDS", seconds)
    told: list[str] = []
    job = a_job(tmp_path / "out", report=lambda event: told.append(event["event"]))
    stopped = train(replace(job, should_stop=lambda: "sample" in told))
    assert (stopped.ended, told.count("sample")) == ("stopped", times)
    assert read_checkpoint(job.out).meta["bits_per_character"] == stopped.best_bits
    rest = train(replace(job, resume=True))
    assert (rest.ended, rest.step > stopped.step) == ("done", True)


def test_tensorboard_gets_scalars_and_samples(ended: Ended) -> None:
    pytest.importorskip("tensorboard", reason="TensorBoard is not installed: make setup-train")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    board = EventAccumulator(str(ended.job.out.with_name("out.training") / "tensorboard")).Reload()
    assert {"train_bits", "validation_bits", "text"} <= set(board.Tags()["tensors"])
    assert board.Tensors("validation_bits")[-1].step == ended.standing.step


def test_progress_says_all_that_a_watcher_needs(ended: Ended) -> None:
    progress = [event for event in ended.told if event["event"] == "progress"][-1]
    assert progress.keys() >= {"epoch", "step", "steps", "characters_per_second", "train_bits", "validation_bits"}
    assert progress["step"] == progress["steps"]
    assert progress["seconds_left"] == 0
    # A network that knows little may end at once; not each time.
    assert any(event["text"] for event in ended.told if event["event"] == "sample")
