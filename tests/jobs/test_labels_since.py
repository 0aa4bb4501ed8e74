"""Which labels are new since the last retraining, whatever was removed meanwhile."""

from __future__ import annotations

from datetime import timedelta

import pytest
from believers import add_believers, listening_generator
from sqlalchemy import delete, insert, update

from app.db import labels
from app.db.archives import Archive
from app.db.rollups import day_of
from app.db.session import now, reading, writing
from app.db.tables import guesses, label_tallies
from app.db.tables import labels as labels_table
from app.jobs.freezing import freeze_labels
from app.jobs.restocking import restock
from app.jobs.workshop import Workshop


@pytest.mark.process
def test_of_many_labels_the_newest_teach(workshop: Workshop, archive: Archive) -> None:
    restock(workshop, archive, listening_generator(workshop, archive), 60)
    add_believers(workshop, archive, 120)
    with reading(workshop.engine) as connection:
        last = labels.newest_guess(connection, archive.id)
        every, newest = (
            [each.guess_id for each in labels.taught(connection, archive.id, ("real",), up_to=last - 1, most=most)]
            for most in (1000, 50)
        )
    assert len(every) > 50
    assert newest == every[-50:]


@pytest.mark.process
def test_labels_are_new_although_all_that_came_before_were_removed(workshop: Workshop, archive: Archive) -> None:
    """A class meets twice a year, and guesses are kept for a season: SQLite numbers the next ones from 1 again."""
    restock(workshop, archive, listening_generator(workshop, archive), 60)
    add_believers(workshop, archive, 120)
    frozen = freeze_labels(workshop, archive, 1)
    with writing(workshop.engine) as connection:
        labels.conclude(connection, frozen["id"], now())
        row = {"archive_id": archive.id, "status": "accepted", "reason": ""}
        season = day_of(now()) - 90
        connection.execute(insert(label_tallies), [row | {"day": season, "labels": 500}])
        assert labels.count_new(connection, archive.id) == 0
        connection.execute(delete(labels_table))
        connection.execute(delete(guesses))

    add_believers(workshop, archive, 60, seed=1)
    with writing(workshop.engine) as connection:
        connection.execute(update(guesses).values(guessed_at=now() + timedelta(hours=1)))
        connection.execute(insert(label_tallies), [row | {"day": day_of(now()), "labels": 60}])

    with reading(workshop.engine) as connection:
        learned = labels.learned_up_to(connection, archive.id)
        assert labels.count_accepted(connection, archive.id, ("real",), after=learned) == 60
        assert labels.count_new(connection, archive.id) == 60
