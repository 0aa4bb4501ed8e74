"""The base: it stands in for an archive without a generator, and makes way for the archive's own."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest
from sqlalchemy import Engine
from stock import LETTERS, letter_writer, shelf, stock_archive, stock_generator

from app.cli.making import take_over
from app.cli.workbench import at_the_terminal
from app.db import generators, jobs
from app.db.archives import Archive
from app.db.generators import ANCHOR, CHAMPION
from app.db.session import reading
from app.game.strangers import Recited
from app.game.vetting import RECITED
from app.jobs import base as the_base
from app.jobs.base import READ, WORDS, stand_in, stand_in_after_import, start_for, words_read
from app.jobs.promoting import relieve
from app.jobs.restocking import restock
from app.jobs.supervising import Shape
from app.jobs.workshop import JobError, Workshop
from model.checkpoint import Checkpoint, write_checkpoint
from model.vocab import Vocab


@pytest.fixture
def based(workshop: Workshop, tmp_path: Path) -> Workshop:
    """A workshop with a base that writes letters at random."""
    return replace(workshop, base=write_base(tmp_path / "base"))


def write_base(folder: Path, change: Callable[[Checkpoint], Checkpoint] = lambda it: it) -> Path:
    checkpoint = change(letter_writer(end=0.03))  # an end that top-p does not cut off
    write_checkpoint(folder, replace(checkpoint, meta={**checkpoint.meta, "base": {"name": "letters"}}), half=True)
    Recited.of([]).write(folder / READ)
    (folder / WORDS).write_text("keel\nlighthouse\n")
    return folder


@pytest.fixture(autouse=True)
def nothing_is_strange(monkeypatch: pytest.MonkeyPatch) -> None:
    # Letters at random are strange to every archive: 4.5 bits per character.
    monkeypatch.setattr(the_base, "STRANGE", 9.0)


def arms(workshop: Workshop, archive: Archive) -> dict[str, int]:
    with reading(workshop.engine) as connection:
        return {name: arm.generator_id for name, arm in generators.arms_of(connection, archive.id).items()}


def test_the_base_stands_in_as_champion_and_never_as_anchor(based: Workshop) -> None:
    archive = based.archive("gannet")
    base = stand_in(based, archive)
    assert base is not None
    assert base.stands_in
    assert arms(based, archive) == {CHAMPION: base.id}
    assert (base.alphabet, base.name) == (LETTERS, "v1")


def test_an_archive_with_a_generator_needs_no_stand_in(based: Workshop) -> None:
    archive = based.archive("gannet")
    stock_generator(based, archive)
    declined: list[str] = []
    assert stand_in(based, archive, declined.append) is None
    assert not declined, "there is nothing to decline"


def test_no_base_no_stand_in(workshop: Workshop) -> None:
    declined: list[str] = []
    assert stand_in(workshop, workshop.archive("gannet"), declined.append) is None
    assert not declined
    assert start_for(workshop, Shape()) is None


def test_a_base_to_which_the_archive_is_strange_does_not_stand_in(
    based: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(the_base, "STRANGE", 3.2)
    declined: list[str] = []
    assert stand_in(based, based.archive("gannet"), declined.append) is None
    (why,) = declined
    assert re.match(r"these texts are strange to it \(\d\.\d\d bits per character, at most 3\.2 expected\)", why)


@pytest.mark.process
def test_the_first_generator_trained_for_the_archive_is_its_anchor_and_relieves_the_base(based: Workshop) -> None:
    archive = based.archive("gannet")
    base = stand_in(based, archive)
    assert base is not None
    assert RECITED not in restock(based, archive, base, 30).rejected
    own = stock_generator(based, archive, seed=1)
    assert arms(based, archive) == {CHAMPION: base.id, ANCHOR: own.id}

    words = relieve(based, archive, own, job_id=0)

    assert words is not None
    assert words.startswith("it is the champion, 120 of its samples")
    assert arms(based, archive) == {CHAMPION: own.id, ANCHOR: own.id}
    on_shelf = {row.generator_id for row in shelf(based.engine) if row.retired_stamp is None}
    assert on_shelf == {own.id}


@pytest.mark.process
def test_a_generator_that_is_not_ready_leaves_the_base_at_play(based: Workshop) -> None:
    archive = based.archive("gannet")
    base = stand_in(based, archive)
    assert base is not None
    own = stock_generator(based, archive, seed=1)
    write_checkpoint(based.folder(own.checkpoint_key), letter_writer(1, end=0.5))
    words = relieve(based, archive, own, job_id=0)
    assert words is not None
    assert "v1, the base, plays on: v2 is not ready" in words
    assert arms(based, archive)[CHAMPION] == base.id


@pytest.mark.process
def test_whoever_stops_the_taking_over_learns_that_the_generator_is_kept(
    based: Workshop, capsys: pytest.CaptureFixture[str]
) -> None:
    archive = based.archive("gannet")
    base = stand_in(based, archive)
    assert base is not None
    own = stock_generator(based, archive, seed=1)

    with at_the_terminal(based, "train", archive, {}) as desk:
        os.kill(os.getpid(), signal.SIGINT)
        assert take_over(based, archive, own, desk) == "it is kept, and the base plays on until it is promoted"
        desk.close("done")
    assert "The same command" not in capsys.readouterr().err, "its training is done: it would begin another one"
    with reading(based.engine) as connection:
        assert [job.state for job in jobs.listing(connection)] == ["done"]
    assert arms(based, archive)[CHAMPION] == base.id


def test_where_no_base_plays_nobody_is_relieved(workshop: Workshop, archive: Archive) -> None:
    stock_generator(workshop, archive)
    assert relieve(workshop, archive, stock_generator(workshop, archive, seed=1), job_id=0) is None


@pytest.mark.process
def test_what_the_base_has_read_is_turned_away(based: Workshop) -> None:
    archive = based.archive("gannet")
    base = stand_in(based, archive)
    assert base is not None
    assert based.base is not None
    Recited(np.arange(0, 1 << 32, 1 << 9, dtype=np.uint32)).write(based.base / READ)
    assert restock(based, archive, base, 30).rejected[RECITED] > 0


@pytest.mark.process
def test_a_name_that_the_archive_lacks_is_turned_away(based: Workshop, tmp_path: Path) -> None:
    def capitals(letters: Checkpoint) -> Checkpoint:
        """The same letters, one of them a capital."""
        return replace(letters, vocab=Vocab(LETTERS.replace("y", "Y")))

    archive = based.archive("gannet")
    shouting = replace(based, base=write_base(tmp_path / "other", capitals))
    base = stand_in(shouting, archive)
    assert base is not None
    done = restock(shouting, archive, base, 40)
    assert done.rejected["name not in the archive"] >= 5, done.rejected
    assert not any(f" {row.text}".count(" Y") for row in shelf(based.engine))


def test_a_damaged_base_is_named(based: Workshop) -> None:
    assert based.base is not None
    (based.base / "vocab.json").write_text("{}")
    with pytest.raises(JobError, match=r"the base is damaged: .*vocab.json"):
        stand_in(based, based.archive("gannet"))


@pytest.mark.slow
def test_a_damaged_base_fails_no_import_and_is_told(based: Workshop) -> None:
    assert based.base is not None
    (based.base / "vocab.json").write_text("{}")
    stand = stand_in_after_import(based, based.archive("gannet"))
    assert stand.generator is None
    assert "the base is damaged" in (stand.declined or "")


@pytest.mark.parametrize(
    ("shape", "fits"), [(Shape(1, 4, "lstm"), True), (Shape(2, 4, "lstm"), False), (Shape(1, 4, "gru"), False)]
)
def test_a_training_begins_from_the_base_where_its_shape_fits(based: Workshop, shape: Shape, fits: bool) -> None:
    assert (start_for(based, shape) == based.base) is fits


def test_the_stand_in_has_its_own_copy_of_the_checkpoint(based: Workshop) -> None:
    archive = based.archive("gannet")
    base: Any = stand_in(based, archive)
    files = sorted(file.name for file in based.folder(base.checkpoint_key).iterdir())
    assert files == ["meta.json", "vocab.json", "weights.safetensors"]


def test_the_words_that_were_read_are_the_archives_and_where_it_began_there_the_bases(
    based: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = based.archive("gannet")
    base = stand_in(based, archive)
    assert base is not None
    assert words_read(based, archive, base) is None, "a few words are no vocabulary"

    monkeypatch.setattr(the_base, "FEWEST_WORDS", 1)
    own = stock_generator(based, archive)
    here, alone = words_read(based, archive, base), words_read(based, archive, own)

    assert here is not None
    assert alone is not None
    assert {"ferry", "harbour", "believe"} <= alone
    assert here - alone == {"keel", "lighthouse"}


def test_where_every_word_is_new_drafts_are_led_to_none(engine: Engine, tmp_path: Path) -> None:
    """As with a script that has no spaces: what stands between two marks is a word of its own."""
    clauses = ["".join(Random(number).choices("あいうえおかきくけこ", k=12)) for number in range(2400)]
    stock_archive(engine, texts=["、".join(clauses[n : n + 4]) for n in range(0, 2400, 4)])
    workshop = Workshop(engine, tmp_path / "checkpoints")
    archive = workshop.archive("gannet")

    assert words_read(workshop, archive, stock_generator(workshop, archive)) is None


def test_a_base_whose_words_are_gone_is_told(based: Workshop) -> None:
    archive = based.archive("gannet")
    base = stand_in(based, archive)
    assert base is not None
    assert based.base is not None
    (based.base / WORDS).unlink()

    with pytest.raises(JobError, match=r"words\.txt"):
        words_read(based, archive, base)
