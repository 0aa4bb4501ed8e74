"""The migration of labels: a database with guesses in it goes up, and down again."""

from __future__ import annotations

from datetime import timedelta

import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory
from factories import LONG_AGO, add_game
from sqlalchemy import MetaData, Table, insert, select, update

from app.db.migrate import MIGRATIONS, downgrade, migrate
from app.db.session import reading, writing
from app.db.tables import generators, guesses, label_sets, labels, players, samples, set_players, tweets


def guess(connection, player_id, number):
    row = {
        "round_id": number.to_bytes(16, "big"),
        "player_id": player_id,
        "archive_id": 1,
        "tweet_id": connection.scalar(select(tweets.c.id).limit(1)),
        "sample_id": connection.scalar(select(samples.c.id).limit(1)),
        "generator_id": connection.scalar(select(generators.c.id).limit(1)),
        **{"arm": "champion", "mode": "endless", "position": number, "repeat": False, "tweet_index": 0, "pick": 1},
        **{"verdict": "fooled", "recognised": False, "has_cookie": True, "policy_version": 1},
        **{"arm_probability": 1.0, "card_probability": 0.5, "dealt_at": LONG_AGO, "answer": "{}"},
        "guessed_at": LONG_AGO + timedelta(seconds=9),
    }
    return connection.execute(insert(guesses).values(row).returning(guesses.c.id)).scalar_one()


@pytest.fixture
def before() -> str:
    """The revision that the one under test builds on."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    return str(ScriptDirectory.from_config(config).get_revision("0003").down_revision)


def test_labels_that_are_there_keep_what_they_say(either_engine, before):
    engine = either_engine
    with writing(engine) as connection:
        add_game(connection)
        row = {"key": b"k" * 16, "created_at": LONG_AGO}
        player_id = connection.execute(insert(players).values(row).returning(players.c.id)).scalar_one()
        for number, (status, reason) in enumerate(
            [("accepted", None), ("excluded", "too quick"), ("quarantined", "by an admin")]
        ):
            said = {"status": status, "reason": reason, "rules_version": 1, "decided_at": LONG_AGO}
            connection.execute(insert(labels).values(guess_id=guess(connection, player_id, number), **said))
        frozen = {"archive_id": 1, "cutoff_guess_id": 3, "rules_version": 1, "counts": {}, "file_key": "mayor/f"}
        connection.execute(insert(label_sets).values(frozen | {"sha256": "0" * 64, "created_at": LONG_AGO}))
        connection.execute(insert(label_sets).values(frozen | {"sha256": "1" * 64, "created_at": LONG_AGO}))
        connection.execute(update(generators).values(label_set_id=1))
    downgrade(engine, before)
    with reading(engine) as connection:
        old = Table("labels", MetaData(), autoload_with=connection)
        assert "ruled_status" not in old.c
        assert connection.scalar(select(old.c.reason).where(old.c.status == "excluded")) == "too quick"
    migrate(engine)
    with reading(engine) as connection:
        said = select(labels.c.ruled_status, labels.c.ruled_reason, labels.c.decided_by, labels.c.admin_status)
        said = said.order_by(labels.c.guess_id)
        assert [tuple(row) for row in connection.execute(said)] == [
            ("accepted", None, "rules", None),
            ("excluded", "too quick", "rules", None),
            ("accepted", None, "admin", "quarantined"),
        ]
        assert {tuple(row) for row in connection.execute(select(set_players))} == {(1, player_id, 1), (2, player_id, 1)}
        assert connection.scalar(select(players.c.retracted_at)) is None
        assert connection.scalar(select(label_sets.c.amendments)) == []
        concluded = select(label_sets.c.concluded_at).order_by(label_sets.c.id)
        assert list(connection.scalars(concluded)) == [LONG_AGO, None], "what a generator learned from is not new"
