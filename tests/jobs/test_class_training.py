"""Training on a class: from its own labels alone, for its own room alone."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
from believers import add_believers, listening_generator
from factories import LONG_AGO
from sqlalchemy import func, insert, select, update

from app.db import classes, generators, jobs, labels, screenings
from app.db.archives import Archive
from app.db.generators import CHAMPION
from app.db.session import now, reading, writing
from app.db.tables import class_members, class_rounds, guesses, label_sets
from app.db.tables import generators as generator_rows
from app.db.tables import screenings as screening_rows
from app.game.classroom import ROUNDS
from app.game.suspicion import OUTLIER_REASON
from app.jobs.class_training import IN_ALL, LEAST, SAMPLES, TRAINED_BY, train_on_class
from app.jobs.freezing import freeze_labels, read_set
from app.jobs.restocking import make_do, restock
from app.jobs.retraining import Errand
from app.jobs.supervising import Budget, Event
from app.jobs.workshop import Interrupted, JobError, Skipped, Workshop


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


@pytest.mark.process
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


@pytest.mark.process
def test_a_class_does_not_wait_until_all_of_the_archives_players_are_screened(
    workshop: Workshop, archive: Archive
) -> None:
    """Whoever is held in the archive teaches nothing in a class either."""
    class_id, counted = a_class(workshop, archive)
    with writing(workshop.engine) as connection:
        one = connection.execute(select(guesses.c.player_id).where(guesses.c.id == counted[0])).scalar_one()
        screenings.hold(connection, archive.id, one, OUTLIER_REASON, {}, LONG_AGO)

    frozen = freeze_labels(workshop, archive, 1, class_id=class_id)

    who = {line["player"] for line in read_set(workshop, frozen["id"])}
    assert len(who) == 4
    assert one not in who
    with reading(workshop.engine) as connection:
        assert connection.execute(select(func.count()).select_from(screening_rows)).scalar_one() == 0


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
        assert made.bits_per_character == made.card["training"]["bits_per_character"]


@pytest.mark.train
@pytest.mark.process
def test_five_minutes_are_kept_whatever_the_machine(workshop: Workshop, archive: Archive) -> None:
    class_id, _ = a_class(workshop, archive)
    asked_at = now()
    clock = [asked_at]
    with writing(workshop.engine) as connection:
        job = jobs.ask(connection, "class", archive.id, {"class": class_id}, asked_by="lecturer", at=asked_at)
    assert job
    told: list[Event] = []

    def on_event(event: Event) -> None:
        told.append(event)
        clock[0] = asked_at + TRAINED_BY + timedelta(seconds=1)  # it has begun to learn, and the time is up

    def on_progress(figures: Mapping[str, Any]) -> None:
        if figures["samples"] >= LEAST:
            clock[0] = asked_at + IN_ALL  # enough are written, and the time is up again

    # So long a training ends in this test by nothing but the clock.
    errand = Errand(job_id=job, budget=Budget(minutes=600), on_event=on_event, on_progress=on_progress)
    words = train_on_class(workshop, archive, class_id, errand, lambda: clock[0])
    assert "v2 learned from" in words
    assert told[-1]["event"] == "stopped"
    with reading(workshop.engine) as connection:
        room = classes.find_by_id(connection, class_id)
        assert room is not None
        written = len(classes.samples_of(connection, room.generator_id or 0))
    assert LEAST <= written <= SAMPLES


@pytest.mark.train
@pytest.mark.process
def test_a_machine_that_is_too_slow_says_so_in_time(workshop: Workshop, archive: Archive) -> None:
    class_id, _ = a_class(workshop, archive)
    with writing(workshop.engine) as connection:
        job = jobs.ask(connection, "class", archive.id, {"class": class_id}, asked_by="lecturer", at=now())
    errand = Errand(job_id=job or 0, budget=Budget(minutes=600))
    with pytest.raises(JobError, match="too slow to learn anything in five minutes"):
        train_on_class(workshop, archive, class_id, errand, lambda: now() + IN_ALL)
    with reading(workshop.engine) as connection:
        room = classes.find_by_id(connection, class_id)
        assert room is not None
        assert room.generator_id is None


@pytest.mark.process
def test_what_was_written_in_time_will_do_if_it_is_enough(workshop: Workshop, archive: Archive) -> None:
    writer = listening_generator(workshop, archive)

    def stopped_early(job_id: int) -> None:
        stored: list[Mapping[str, Any]] = []
        with pytest.raises(Interrupted):
            restock(
                *(workshop, archive, writer, 200),
                job_id=job_id,
                on_progress=stored.append,
                should_stop=lambda: bool(stored) and stored[-1]["samples"] >= 12,
            )

    stopped_early(1)
    made = make_do(workshop, writer, 1, 12)
    assert made is not None
    assert 12 <= made.shelved < 200
    assert made.level == made.shelved
    stopped_early(2)
    assert make_do(workshop, writer, 2, 200) is None
    with reading(workshop.engine) as connection:
        assert len(classes.samples_of(connection, writer.id)) == made.shelved
    assert make_do(workshop, writer, 3, 1) is None
