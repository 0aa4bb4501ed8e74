"""Archives in the database: who sees them when, and what they hold. On both databases."""

from __future__ import annotations

import pytest
from sqlalchemy import Connection, Engine, insert, select, update

from app.db import archives, imports, tweets
from app.db.imports import Outcome
from app.db.locks import alone
from app.db.session import now, reading, writing
from app.db.tables import archives as archives_table
from app.db.tables import imports as imports_table
from app.db.tables import samples as samples_table
from app.db.tables import tweets as tweets_table
from app.db.tweets import DeckCard, NewTweet
from tests.factories import LONG_AGO, add_archive, add_generator, add_samples, add_tweets


def new(key: str, split: str = "train", **fields: object) -> NewTweet:
    values = {
        "source_key": key,
        "source_id": None,
        "text": f"text of {key}",
        "split": split,
        "leaning": None,
        "deck_seq": None,
        "posted_at": None,
        "zone": None,
    } | fields
    return NewTweet(**values)  # type: ignore[arg-type]


def begin(connection: Connection, slug: str = "mayor") -> tuple[int, int]:
    """An archive and an import of it that runs."""
    archive_id = archives.hold_place(
        connection, slug, name="Mayor", handle="Mayor", unit="tweet", is_demo=False, at=LONG_AGO
    )
    return archive_id, imports.begin(connection, archive_id, source="a.json", format="json", at=LONG_AGO)


def outcome(added: int = 1, **left_out: int) -> Outcome:
    return Outcome(added + sum(left_out.values()), added, left_out, 0, 0)


def test_nothing_is_seen_before_the_flip(either_engine: Engine) -> None:
    with writing(either_engine) as connection:
        archive_id, import_id = begin(connection)
        tweets.add(connection, archive_id, import_id, [new("id:1"), new("id:2", "deck", deck_seq=0)])
    with reading(either_engine) as connection:
        assert archives.find(connection, "mayor") is None
        assert archives.listing(connection) == []
        assert list(tweets.texts(connection, archive_id, "train")) == []
        assert tweets.deck_cards(connection, archive_id) == []
        assert tweets.counts(connection, archive_id) == {"train": 0, "validation": 0, "deck": 0}
    with writing(either_engine) as connection:
        imports.finish(connection, import_id, Outcome(2, 2, {}, 0, 1), now())
    with reading(either_engine) as connection:
        found = archives.find(connection, "mayor")
        assert found is not None
        assert (found.name, found.stamp) == ("Mayor", 1)
        assert archives.listing(connection) == [found]
        assert list(tweets.texts(connection, archive_id, "train")) == ["text of id:1"]
        assert tweets.counts(connection, archive_id) == {"train": 1, "validation": 0, "deck": 1}


def test_a_running_import_adds_nothing_to_what_is_seen(either_engine: Engine) -> None:
    with writing(either_engine) as connection:
        archive_id = add_archive(connection)
        add_tweets(connection, archive_id, ["old"])
        _, import_id = begin(connection)
        tweets.add(connection, archive_id, import_id, [new("id:x", "deck", deck_seq=1, text="new")])
    with reading(either_engine) as connection:
        assert list(tweets.texts(connection, archive_id, "deck")) == ["old"]
        assert [card.text for card in tweets.deck_cards(connection, archive_id)] == ["old"]
        assert [tweet.text for tweet in tweets.stored(connection, archive_id, 0)] == ["old"]
        assert tweets.counts(connection, archive_id)["deck"] == 1


def test_an_import_that_added_nothing_leaves_the_stamp(either_engine: Engine) -> None:
    with writing(either_engine) as connection:
        archive_id = add_archive(connection, stamp=7)
        add_tweets(connection, archive_id, ["old"])
        _, import_id = begin(connection)
        imports.finish(connection, import_id, outcome(0, retweet=3), now())
    with reading(either_engine) as connection:
        found = archives.find(connection, "mayor")
        assert found is not None
        assert found.stamp == 7


def test_texts_come_in_the_order_of_their_ids(either_engine: Engine) -> None:
    with writing(either_engine) as connection:
        archive_id = add_archive(connection)
        add_tweets(connection, archive_id, [f"text {number}" for number in range(2500)], split="train", deck_seq=None)
    with reading(either_engine) as connection:
        assert list(tweets.texts(connection, archive_id, "train")) == [f"text {number}" for number in range(2500)]


def test_the_deck_is_read_from_any_place_on(either_engine: Engine) -> None:
    with writing(either_engine) as connection:
        archive_id = add_archive(connection)
        first = add_tweets(connection, archive_id, ["a", "b"])
        second = add_tweets(connection, archive_id, ["c"], leaning="reply", hidden_at=LONG_AGO)
    with reading(either_engine) as connection:
        assert [card.text for card in tweets.deck_cards(connection, archive_id)] == ["a", "b", "c"]
        assert tweets.deck_cards(connection, archive_id, 0) == [
            DeckCard(first[1], 1, "b", None, False),
            DeckCard(second[0], 2, "c", "reply", True),
        ]
        assert tweets.deck_blocks(connection, archive_id) == [(0, 2), (2, 3)]
        assert imports.deck_end(connection, archive_id) == 3


def test_known_keys_name_the_import_that_wrote_them(either_engine: Engine) -> None:
    with writing(either_engine) as connection:
        archive_id, import_id = begin(connection)
        other_id, other_import = begin(connection, "other")
        tweets.add(connection, archive_id, import_id, [new("id:1")])
        tweets.add(connection, other_id, other_import, [new("id:2")])
        assert tweets.known(connection, archive_id, {"id:1", "id:2", "id:3"}) == {"id:1": import_id}


def test_holdings_count_by_split_and_reason(either_engine: Engine) -> None:
    with writing(either_engine) as connection:
        archive_id = add_archive(connection)
        add_tweets(connection, archive_id, ["a", "b"])
        add_tweets(connection, archive_id, ["c"], split="train", deck_seq=None)
        connection.execute(update(imports_table).values(left_out={"retweet": 2, "empty": 1}))
        found = archives.find(connection, "mayor")
        assert found is not None
        held = archives.holdings(connection, found)
    assert held.splits == {"train": 1, "validation": 0, "deck": 2}
    assert held.left_out == {"retweet": 4, "empty": 2}
    assert (held.shelf, held.champion) == (0, None)


def test_the_shelf_level_counts_what_the_champion_may_deal_now(either_engine: Engine) -> None:
    with writing(either_engine) as connection:
        archive_id = add_archive(connection)
        add_tweets(connection, archive_id, ["a"])
        champion = add_generator(connection, archive_id)
        other = add_generator(connection, archive_id)
        ids = add_samples(connection, archive_id, champion, [f"sample {number}" for number in range(6)])
        add_samples(connection, archive_id, other, ["another's"])
        stamp = connection.execute(select(archives_table.c.stamp)).scalar_one()
        changes = [
            {"retired_stamp": stamp},
            {"hidden_at": LONG_AGO},
            {"shelved_stamp": stamp + 1},
            {"shelved_stamp": None},
        ]
        for sample_id, values in zip(ids, changes, strict=False):
            connection.execute(update(samples_table).where(samples_table.c.id == sample_id).values(**values))
        connection.execute(update(samples_table).where(samples_table.c.id == ids[4]).values(retired_stamp=stamp + 1))
        found = archives.find(connection, "mayor")
        assert found is not None
        held = archives.holdings(connection, found)
    assert (held.shelf, held.champion) == (2, "v1")


def test_a_place_is_given_up_only_when_nothing_was_ever_there(either_engine: Engine) -> None:
    with writing(either_engine) as connection:
        fresh, import_id = begin(connection)
        imports.fail(connection, import_id, LONG_AGO)
        kept = add_archive(connection, "kept")
        add_tweets(connection, kept, ["a"])
        busy, _ = begin(connection, "busy")
        for archive_id in (fresh, kept, busy):
            archives.give_up_place(connection, archive_id)
        assert list(connection.scalars(select(archives_table.c.slug).order_by(archives_table.c.id))) == ["kept", "busy"]
        assert connection.execute(select(imports_table).where(imports_table.c.archive_id == fresh)).first() is None


def test_what_an_import_wrote_is_removed_in_batches(either_engine: Engine) -> None:
    with writing(either_engine) as connection:
        archive_id, import_id = begin(connection)
        for start in (0, 500, 1000):
            tweets.add(connection, archive_id, import_id, [new(f"id:{start + n}") for n in range(400)])
    removed = []
    while not removed or removed[-1]:
        with writing(either_engine) as connection:
            removed.append(imports.remove_batch(connection, import_id))
    assert removed == [500, 500, 200, 0]


def test_the_same_key_twice_is_refused(either_engine: Engine) -> None:
    from sqlalchemy.exc import IntegrityError

    with writing(either_engine) as connection:
        archive_id, import_id = begin(connection)
        tweets.add(connection, archive_id, import_id, [new("id:1")])
    with pytest.raises(IntegrityError), writing(either_engine) as connection:
        tweets.add(connection, archive_id, import_id, [new("id:1")])


def test_only_one_at_a_time_is_alone(either_engine: Engine) -> None:
    with alone(either_engine, "import-a") as first, alone(either_engine, "import-a") as second:
        assert (first, second) == (True, False)
        with alone(either_engine, "import-b") as another:
            assert another
    with alone(either_engine, "import-a") as again:
        assert again


def test_reading_the_texts_needs_no_sorting(engine: Engine) -> None:
    with writing(engine) as connection:
        archive_id = add_archive(connection)
        add_tweets(connection, archive_id, ["a"])
        connection.execute(
            insert(imports_table).values(
                archive_id=archive_id, source="", format="", state="running", started_at=LONG_AGO, left_out={}
            )
        )
        wanted = select(tweets_table.c.text).where(
            tweets_table.c.archive_id == archive_id,
            tweets_table.c.import_id.not_in([2]),
            tweets_table.c.split == "train",
        )
        plan = connection.exec_driver_sql(
            "EXPLAIN QUERY PLAN "
            + str(wanted.order_by(tweets_table.c.id).compile(engine, compile_kwargs={"literal_binds": True}))
        ).all()
    assert not any("TEMP B-TREE" in row[-1] for row in plan)
