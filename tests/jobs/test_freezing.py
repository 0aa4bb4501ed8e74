"""Frozen sets of labels: which of them stay."""

from __future__ import annotations

import os

import pytest
from sqlalchemy import select, update

from app.db import jobs, labels
from app.db.archives import Archive
from app.db.generators import Generator
from app.db.labels import NewSet
from app.db.session import now, writing
from app.db.tables import generators, label_sets, players, set_players
from app.jobs.freezing import drop_failed, put
from app.jobs.workshop import Workshop


def froze(workshop: Workshop, archive: Archive, cutoff: int, class_id: int | None = None) -> int:
    """A set of one player's labels, with its file."""
    key = f"{archive.slug}/labels/{cutoff}.jsonl"
    put(workshop.folder(key), b"{}\n")
    with writing(workshop.engine) as connection:
        player = connection.scalar(select(players.c.id))
        if player is None:
            given = {"key": b"p" * 16, "created_at": now()}
            player = connection.execute(players.insert().values(given).returning(players.c.id)).scalar_one()
        frozen = NewSet(archive.id, cutoff, 1, {}, key, f"{cutoff:064x}", {player: 3}, class_id)
        return labels.keep_set(connection, frozen, now())


def left(workshop: Workshop, archive: Archive) -> tuple[list[int], list[int], list[str]]:
    """The sets that are there, those whose players are known, and the files."""
    with workshop.engine.connect() as connection:
        sets = list(connection.scalars(select(label_sets.c.id).order_by(label_sets.c.id)))
        known = list(connection.scalars(select(set_players.c.label_set_id).order_by(set_players.c.label_set_id)))
    return sets, known, sorted(file.stem for file in workshop.folder(f"{archive.slug}/labels").iterdir())


def test_what_failed_retrainings_froze_goes_and_what_a_generator_learned_from_stays(
    workshop: Workshop, archive: Archive, generator: Generator
) -> None:
    froze(workshop, archive, 1)
    learned = froze(workshop, archive, 2)
    changed_nothing = froze(workshop, archive, 3)
    froze(workshop, archive, 4, class_id=5)
    with writing(workshop.engine) as connection:
        connection.execute(update(generators).values(label_set_id=learned))
        labels.conclude(connection, changed_nothing, now())

    drop_failed(workshop)

    kept = [learned, changed_nothing]
    assert left(workshop, archive) == (kept, kept, ["2", "3"])


def test_files_that_no_set_names_go_once_nobody_can_be_at_work_on_them(workshop: Workshop, archive: Archive) -> None:
    named = froze(workshop, archive, 1)
    with writing(workshop.engine) as connection:
        labels.conclude(connection, named, now())
    for name in ("1", "lost", "just-written"):
        put(workshop.folder(f"{archive.slug}/labels/{name}.jsonl"), b"{}\n")
    for name in ("1", "lost"):
        os.utime(workshop.folder(f"{archive.slug}/labels/{name}.jsonl"), (1e9, 1e9))

    drop_failed(workshop)

    assert left(workshop, archive)[2] == ["1", "just-written"]


@pytest.mark.parametrize("kind", ["retrain", "class"])
def test_while_a_retraining_is_at_work_nothing_that_was_frozen_goes(
    workshop: Workshop, archive: Archive, kind: str
) -> None:
    frozen = froze(workshop, archive, 1)
    with writing(workshop.engine) as connection:
        asked = jobs.ask(connection, kind, archive.id, {}, asked_by="test", at=now())
        assert asked is not None
        claim = jobs.begin(connection, asked, "work-1", now()).claim
    drop_failed(workshop)
    assert left(workshop, archive) == ([frozen], [frozen], ["1"])

    with writing(workshop.engine) as connection:
        jobs.finish(connection, claim, "failed", "it broke", now())
    drop_failed(workshop)
    assert left(workshop, archive) == ([], [], [])
