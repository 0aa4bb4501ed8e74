"""When an archive's rule about names changes, its shelf is written anew, and both change in one moment."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import Engine
from stock import shelf

from app.db import archives, jobs, samples
from app.db.archives import Archive
from app.db.generators import Generator
from app.db.jobs import Job
from app.db.session import now, reading, writing
from app.game.third_parties import ThirdParties
from app.game.vetting import OTHERS
from app.jobs import tasks
from app.jobs.hold import Hold
from app.jobs.restocking import restock
from app.jobs.vetting import rules_for
from app.jobs.workshop import Interrupted, Workshop, plainly

pytestmark = pytest.mark.slow


def asked(engine: Engine, name_others: bool) -> Job:
    with writing(engine) as connection:
        arguments = {"name_others": name_others}
        job_id = jobs.ask(connection, "restock", 1, arguments, asked_by="Ada", at=now())
        assert job_id is not None
        return jobs.begin(connection, job_id, "work-test", now())


def may_name(engine: Engine) -> bool | None:
    with reading(engine) as connection:
        return archives.listing(connection)[0].own.name_others


def test_the_rule_changes_with_the_flip_and_nothing_older_stays(
    workshop: Workshop, archive: Archive, generator: Generator
) -> None:
    workshop = replace(workshop, shelf_full=40)
    restock(workshop, archive, generator, 40)
    old = {row.id for row in shelf(workshop.engine)}
    job = asked(workshop.engine, True)

    words = tasks.do(workshop, job, Hold(workshop.engine, job.claim), plainly)

    assert words == "the shelf is written anew: 40 samples of v1; cards may name others"
    assert may_name(workshop.engine) is True
    rows = shelf(workshop.engine)
    assert {row.id for row in rows if row.retired_stamp is not None} == old
    with reading(workshop.engine) as connection:
        assert samples.level(connection, archive.id) == 40


def test_called_off_it_leaves_the_shelf_and_the_rule_alone(
    workshop: Workshop, archive: Archive, generator: Generator
) -> None:
    workshop = replace(workshop, shelf_full=20)
    restock(workshop, archive, generator, 20)
    job = asked(workshop.engine, True)
    with writing(workshop.engine) as connection:
        jobs.cancel(connection, job.id, now())

    with pytest.raises(Interrupted):
        tasks.do(workshop, job, Hold(workshop.engine, job.claim), plainly)

    assert may_name(workshop.engine) is None
    assert [row.retired_stamp for row in shelf(workshop.engine) if row.shelved_stamp is not None] == [None] * 20


def test_samples_and_held_out_tweets_are_vetted_by_the_archives_own_rule(workshop: Workshop, archive: Archive) -> None:
    named = "the ferry was late, and Clive Bose waited with us"
    assert rules_for(workshop, archive)[0].card_fault(named) is None
    rules = rules_for(workshop, replace(archive, basis="own"))[0]
    assert rules.card_fault(named) == OTHERS
    assert rules.others is not None
    assert ThirdParties.but(archive.handle, archive.name).named_in(named)
