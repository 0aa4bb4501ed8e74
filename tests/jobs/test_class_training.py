"""Training on a class: from its own labels alone, for its own room alone."""

from __future__ import annotations

from datetime import timedelta

import pytest
from believers import add_believers, listening_generator
from factories import LONG_AGO
from sqlalchemy import insert, select, update

from app.db import classes, generators, jobs, labels
from app.db.archives import Archive
from app.db.generators import CHAMPION
from app.db.session import now, reading, writing
from app.db.tables import class_members, class_rounds, guesses, label_sets
from app.db.tables import generators as generator_rows
from app.game.classroom import ROUNDS
from app.jobs.class_training import train_on_class
from app.jobs.freezing import freeze_labels, read_set
from app.jobs.restocking import restock
from app.jobs.retraining import Errand
from app.jobs.supervising import Budget
from app.jobs.workshop import Skipped, Workshop


def a_class(workshop: Workshop, archive: Archive) -> tuple[int, list[int]]:
    """Guesses, those of five players made in a class of ten rounds; its id, and the guesses that count."""
    restock(workshop, archive, listening_generator(workshop, archive), 60)
    add_believers(workshop, archive, 300)
    with writing(workshop.engine) as connection:
        class_id = classes.open_room(
            connection,
            **{"code": "QRSTU", "key_hash": b"x", "seed": b"y", "archive_id": archive.id, "address": ""},
            **{"teaches": True, "seconds": 30, "created_at": LONG_AGO - timedelta(days=1)},
        )
        people = sorted(set(connection.scalars(select(guesses.c.player_id))))[:5]
        connection.execute(
            insert(class_members),
            [{"class_id": class_id, "player_id": who, "joined_at": LONG_AGO} for who in people],
        )
        connection.execute(update(guesses).where(guesses.c.player_id.in_(people)).values(mode="class"))
        made = connection.execute(
            select(guesses.c.id, guesses.c.sample_id, guesses.c.tweet_id, guesses.c.generator_id)
            .where(guesses.c.mode == "class")
            .order_by(guesses.c.id)
        ).all()
        chosen = {row.sample_id: row for row in made}
        rounds = list(chosen.values())[:ROUNDS]
        connection.execute(
            insert(class_rounds),
            [
                {
                    **{"class_id": class_id, "leg": 1, "number": number, "tweet_id": row.tweet_id},
                    **{"sample_id": row.sample_id, "generator_id": row.generator_id, "arm": "champion"},
                    **{"card_probability": 0.1, "tweet_index": 0},
                }
                for number, row in enumerate(rounds, start=1)
            ],
        )
        asked = {row.sample_id for row in rounds}
    return class_id, [row.id for row in made if row.sample_id in asked]


def test_a_class_is_learned_from_alone_and_leaves_everybodys_labels_new(workshop: Workshop, archive: Archive) -> None:
    class_id, counted = a_class(workshop, archive)
    frozen = freeze_labels(workshop, archive, 1, class_id=class_id)
    assert [line["guess"] for line in read_set(workshop, frozen["id"])] == counted
    with reading(workshop.engine) as connection:
        assert connection.execute(select(label_sets.c.class_id)).scalar_one() == class_id
        before = labels.count_new(connection, archive.id)
    with writing(workshop.engine) as connection:
        connection.execute(update(generator_rows).values(label_set_id=frozen["id"]))  # as if it had learned from them
    with reading(workshop.engine) as connection:
        assert labels.learned_up_to(connection, archive.id) == 0
        assert labels.count_new(connection, archive.id) == before
    with pytest.raises(Skipped, match="0 new labels teach"):
        freeze_labels(workshop, archive, 1, class_id=class_id + 1)


@pytest.mark.train
@pytest.mark.process
def test_what_learned_from_a_class_plays_in_its_room_alone(
    workshop: Workshop, archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.jobs.class_training.SAMPLES", ROUNDS + 2)
    class_id, counted = a_class(workshop, archive)
    with writing(workshop.engine) as connection:
        job = jobs.ask(connection, "class", archive.id, {"class": class_id}, asked_by="lecturer", at=now())
    told = train_on_class(workshop, archive, class_id, Errand(job_id=job or 0, budget=Budget(epochs=1)))
    assert told == f"v2 learned from {len(counted)} labels of the class QRSTU; it plays there alone"
    with reading(workshop.engine) as connection:
        room = classes.find_by_id(connection, class_id)
        assert room is not None
        assert room.generator_id is not None
        champion = generators.in_arm(connection, archive.id, CHAMPION)
        assert champion is not None
        assert champion.number == 1
        made = generators.find(connection, room.generator_id)
        assert made is not None
        assert (made.parent_id, made.card["made_by"]) == (champion.id, "class")
        assert made.checkpoint_sha256 != champion.checkpoint_sha256
        assert len(classes.samples_of(connection, made.id)) >= ROUNDS
