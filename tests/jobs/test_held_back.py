"""Samples that join a person with something grave are stored, and dealt only when somebody has released them."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from sqlalchemy import select
from stock import shelf

from app.db import held, restocks, samples
from app.db.archives import Archive
from app.db.generators import Generator
from app.db.session import now, reading, writing
from app.db.tables import samples as samples_table
from app.game import sensitive
from app.game.vetting import FORM, HELD
from app.jobs import filling
from app.jobs.restocking import restock
from app.jobs.workshop import JobError, Workshop

pytestmark = pytest.mark.slow


class Touchy:
    """Lists by which a d near its beginning makes a text grave: the network of the tests writes letters at random."""

    def subject(self, text: str) -> str | None:
        return "crime" if "d" in text[:20] else None


def test_what_is_held_waits_behind_a_full_shelf(
    workshop: Workshop, archive: Archive, generator: Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sensitive, "shipped", Touchy)
    done = restock(workshop, archive, generator, 60)
    assert (done.shelved, done.level) == (60, 60)
    assert done.rejected[HELD] > 0
    assert sum(done.rejected.values()) == done.written - done.shelved
    with reading(workshop.engine) as connection:
        waiting = held.listing(connection)
        assert held.count(connection) == len(waiting) == done.rejected[HELD]
    assert {row.why for row in waiting} == {"crime"}
    assert all("d" in row.text[:20] for row in waiting)
    released, refused, *_ = waiting
    with writing(workshop.engine) as connection:
        assert held.rule(connection, released.id, "release", now()) == "crime"
        assert held.rule(connection, refused.id, "refuse", now()) == "crime"
        assert held.rule(connection, released.id, "refuse", now()) is None
        assert samples.level(connection, archive.id) == 61
        kept = select(samples_table.c.hidden_reason).where(samples_table.c.id == refused.id)
        assert connection.scalar(kept) == "refused"
        assert held.count(connection) == len(waiting) - 2


def test_the_gates_see_what_plays_and_count_what_broke_a_rule(
    workshop: Workshop, archive: Archive, generator: Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """How much is held hangs on how much is chosen: where fewer drafts are, a candidate's would seem to be better."""
    monkeypatch.setattr(sensitive, "shipped", Touchy)
    done = restock(workshop, archive, generator, 20)
    with reading(workshop.engine) as connection:
        row, texts = restocks.find(connection, done.restock_id), samples.texts_of(connection, done.restock_id)
    assert row is not None
    assert row.turned_away == row.written - row.shelved - done.rejected[HELD] - done.rejected.get(FORM, 0)
    assert len(texts) == 20
    assert not any("d" in text[:20] for text in texts)


def test_a_shelf_for_which_nearly_all_is_held_back_is_given_up(
    workshop: Workshop, archive: Archive, generator: Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every draft is grave: it would be filled for ever, and the table of samples with it."""
    monkeypatch.setattr(sensitive, "shipped", lambda: SimpleNamespace(subject=lambda text: "crime"))
    monkeypatch.setattr(filling, "HELD_TRIAL", 40)

    with pytest.raises(JobError, match=r"hardly anything else .* (\d+) of \1 chosen drafts are held back"):
        restock(workshop, archive, generator, 1, should_stop=lambda: len(shelf(workshop.engine)) > 200)

    assert shelf(workshop.engine) == []
