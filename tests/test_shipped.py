"""What lies in the repository, ready for play: the demo's shelf and the base."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from app.game.strangers import Names, Recited
from app.jobs import demo
from app.jobs.base import LINEAGE, READ, SHIPPED, shipped_base
from model.checkpoint import read_checkpoint
from tools.recital import longest_recital, shared_texts


def lines(name: str) -> list[str]:
    return [json.loads(line)["text"] for line in (demo.DEMO / name).read_text("utf-8").splitlines()]


def test_the_demos_samples_hold_no_capitalised_word_that_its_archive_lacks() -> None:
    names = Names(lines(demo.POSTS))
    assert [text for text in lines(demo.SHELF) if names.lacking(text)] == []


def test_the_demos_samples_share_no_run_of_forty_with_the_archives_beside_the_repository(
    shared: Callable[[str], Path],
) -> None:
    shared("data/trump_archive.json")
    assert longest_recital(lines(demo.SHELF))[0] < 40


@pytest.mark.skipif(shipped_base() is None, reason="no base is shipped: make base")
def test_the_base_is_small_and_says_where_it_comes_from() -> None:
    told = read_checkpoint(SHIPPED).meta[LINEAGE]
    assert sum(file.stat().st_size for file in SHIPPED.iterdir()) <= 10_000_000
    assert all(archive["source"] and archive["licence"] and archive["tweets"] for archive in told["archives"])


@pytest.mark.skipif(shipped_base() is None, reason="no base is shipped: make base")
def test_the_base_knows_what_it_must_not_recite(shared: Callable[[str], Path]) -> None:
    shared("data/trump_archive.json")
    read = Recited.read(SHIPPED / READ)
    long = [text for text in shared_texts() if len(text.encode()) >= 40][::97]
    assert len(long) > 100
    assert all(read.holds(f"Well: {text}") for text in long)
