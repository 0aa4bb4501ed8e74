"""A large game, made up: `make seed-large` fills a database of its own, to see how pages hold up on it.

Guesses are drawn, not played, but every table that pages read is filled as play would fill it: labels, tallies,
attendance, the counters of samples and players; and what a game of that size has behind it besides, jobs, audit and
reports. Indexes of the large tables are built last, and nothing waits for the disk: a file that is cut off is no game.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Engine,
    LargeBinary,
    Select,
    Table,
    Text,
    case,
    cast,
    event,
    false,
    func,
    insert,
    literal,
    or_,
    select,
    true,
    type_coerce,
)

from app.db import rollups
from app.db.copying import number_on
from app.db.migrate import migrate
from app.db.prepared import Prepared
from app.db.rollups import day_of
from app.db.samples import HELD
from app.db.session import is_sqlite, now, open_engine, writing
from app.db.tables import (
    archives,
    arms,
    attendance,
    audit,
    generators,
    guesses,
    imports,
    jobs,
    label_tallies,
    labels,
    players,
    remarks,
    restocks,
    samples,
    tallies,
    tweets,
)

BATCH = 5_000  # rows that are written at once
SLICE = 1_000_000  # guesses that the database makes up at once
PRIME = 2**31 - 1
DAYS = 90
WORDS = (  # noqa: SIM905
    "we will fix the great big ferry before summer and the harbour clock says never mind my council likes a good "
    "bridge more than a bad tunnel so thank you all for coming out tonight it was beautiful the weather was rude"
).split()
REASONS = ("too quick", "repeated card", "recognised", "no cookie")
KINDS = ("restock", "retrain", "backup", "judge")  # of jobs
KEEN = 7  # the player with the first 600 guesses, and one in 500 after
SHELF = 1_000  # samples that may be dealt


def text(rng: Random, number: int) -> str:
    """A text of ten to twenty words that no other number has."""
    return f"{' '.join(rng.choices(WORDS, k=rng.randint(10, 20)))} {number}"


def seed(url: str, *, guess_count: int, sample_count: int, player_count: int, tweet_count: int) -> dict[str, float]:
    """Fill the database at `url`; what it holds, and the seconds that took."""
    began = time.monotonic()
    engine = _hasty(open_engine(url))
    migrate(engine)
    rng = Random(0)
    end = now().replace(minute=0, second=0, microsecond=0)
    with writing(engine) as connection:
        archive_id = _archive(connection, end)
        drawn = _generators(connection, archive_id, end)
    with _indexes_last(engine, (tweets, samples, players, guesses, labels)):
        _tweets(engine, archive_id, tweet_count, rng, end)
        _samples(engine, archive_id, drawn, sample_count, rng, end)
        _players(engine, player_count, end)
        _guesses(engine, archive_id, drawn, (guess_count, sample_count, player_count, tweet_count), end)
    _history(engine, archive_id, guess_count, end)
    with writing(engine) as connection:
        number_on(connection, guesses)
        if not is_sqlite(url):  # SQLite has nobody who would tell it, as a game has
            connection.exec_driver_sql("ANALYZE")
        counts: dict[str, float] = {
            table.name: connection.scalars(select(func.count()).select_from(table)).one()
            for table in (guesses, samples)
        }
    engine.dispose()
    return counts | {"seconds": round(time.monotonic() - began, 1)}


def _hasty(engine: Engine) -> Engine:
    """The engine, on SQLite without waiting for the disk, and with a gigabyte in memory."""

    def prepare(connection: Any, _: Any) -> None:
        for pragma in ("synchronous=OFF", "foreign_keys=OFF", "cache_size=-1000000"):
            connection.execute(f"PRAGMA {pragma}")

    if is_sqlite(str(engine.url)):
        event.listen(engine, "connect", prepare)
    return engine


@contextmanager
def _indexes_last(engine: Engine, filled: tuple[Table, ...]) -> Iterator[None]:
    """Fill tables without their indexes, and build those at the end, each in one sorted go."""
    indexes = sorted((index for table in filled for index in table.indexes), key=lambda index: str(index.name))
    with writing(engine) as connection:
        for index in indexes:
            index.drop(connection)
    yield
    for index in indexes:
        with writing(engine) as connection:
            index.create(connection)


def _archive(connection: Connection, end: datetime) -> int:
    row = {"slug": "large", "name": "Large", "handle": "LargeTest", "unit": "tweet", "is_demo": False}
    row |= {"created_at": end - timedelta(days=DAYS), "stamp": 2, "paused": False}
    return int(connection.execute(insert(archives).values(row).returning(archives.c.id)).scalar_one())


def _generators(connection: Connection, archive_id: int, end: datetime) -> list[int]:
    made: list[int] = []
    for number in range(1, 7):
        row = {
            "archive_id": archive_id,
            "number": number,
            "parent_id": made[-1] if made else None,
            "checkpoint_key": f"large/v{number}",
            "checkpoint_sha256": f"{number:064x}",
            "decoding": {"temperature": 0.9, "top_p": 0.95},
            "vetting_version": 1,
            "alphabet": "".join(map(chr, range(32, 127))),
            "bits_per_character": 2.0 - number * 0.02,
            "card": {"made_by": "seed", "tweets": 1},
            "created_at": end - timedelta(days=DAYS - number * 12),
        }
        made.append(int(connection.execute(insert(generators).values(row).returning(generators.c.id)).scalar_one()))
    parts = (("champion", made[-2], 0.75), ("candidate", made[-1], 0.2), ("anchor", made[0], 0.05))
    for arm, generator_id, share in parts:
        row = {"archive_id": archive_id, "arm": arm, "generator_id": generator_id, "share": share, "since": end}
        connection.execute(insert(arms).values(row))
    return made


def _fill(engine: Engine, table: Table, rows: Iterator[dict[str, Any]]) -> None:
    fill: Prepared | None = None
    while batch := list(islice(rows, BATCH)):
        fill = fill or Prepared(insert(table), tuple(batch[0]))
        with writing(engine) as connection:
            fill.each(connection, batch)


def _tweets(engine: Engine, archive_id: int, count: int, rng: Random, end: datetime) -> None:
    run = {"archive_id": archive_id, "source": "large.jsonl", "format": "jsonl", "state": "done", "read": count}
    run |= {"added": count, "left_out": {"retweet": count // 9, "only links": count // 40}, "deck_from": 0}
    with writing(engine) as connection:
        import_id = connection.execute(
            insert(imports)
            .values(run | {"deck_to": count, "started_at": end, "finished_at": end})
            .returning(imports.c.id)
        ).scalar_one()

    def rows() -> Iterator[dict[str, Any]]:
        for number in range(count):
            words = text(rng, number)
            yield {
                "archive_id": archive_id,
                "import_id": import_id,
                "source_key": f"id:{number}",
                "source_id": str(number),
                "text": words,
                "text_version": 1,
                "length": len(words),
                "split": "deck",
                "deck_seq": number,
                "posted_at": end - timedelta(hours=number % 50_000),
                "zone": "utc",
            }

    _fill(engine, tweets, rows())


def _samples(engine: Engine, archive_id: int, drawn: list[int], count: int, rng: Random, end: datetime) -> None:
    with writing(engine) as connection:
        runs = []
        for generator_id in drawn:
            row = {"archive_id": archive_id, "generator_id": generator_id, "seed": 1, "state": "done", "rejected": {}}
            row |= {"written": count, "shelved": count, "started_at": end, "tweets_rejected": {}}
            runs.append(connection.execute(insert(restocks).values(row).returning(restocks.c.id)).scalar_one())

    def rows() -> Iterator[dict[str, Any]]:
        for number in range(count):
            place = min(len(drawn) - 1, number * len(drawn) // count)
            seen = rng.randint(0, 20)
            words = text(rng, number)
            yield {
                "archive_id": archive_id,
                "generator_id": drawn[place],
                "restock_id": runs[place],
                "seed": number,
                "text": words,
                "text_version": 1,
                "length": len(words),
                "text_hash": f"{number:032x}",
                "shelved_stamp": 1,
                "retired_stamp": None if number >= count - SHELF else 2,
                "guesses": seen,
                "fooled": rng.randint(0, seen),
                "exposures": seen,
                # One in fifty was hidden, and every twentieth of those by vetting: it waits to be looked at.
                "hidden_at": end if number % 50 == 0 else None,
                "hidden_reason": None if number % 50 else f"{HELD}illness" if number % 1000 == 0 else "a trial",
            }

    _fill(engine, samples, rows())


def _players(engine: Engine, count: int, end: datetime) -> None:
    _fill(
        engine,
        players,
        (
            {
                "key": number.to_bytes(16),
                "created_at": end - timedelta(days=number % DAYS),
                "last_guess_at": end,
                "day": day_of(end),
                "day_accepted": 3,
            }
            for number in range(count)
        ),
    )


def _guesses(
    engine: Engine, archive_id: int, drawn: list[int], counts: tuple[int, int, int, int], end: datetime
) -> None:
    """Guesses with their labels, and what is counted with each; the database makes them up by itself."""
    guess_count = counts[0]
    for first in range(1, guess_count + 1, SLICE):
        last = min(first + SLICE - 1, guess_count)
        for table, made in (
            (guesses, _drawn(archive_id, drawn[0], len(drawn), counts, (first, last), end)),
            (labels, _read(first, last)),
        ):
            with writing(engine) as connection:
                connection.execute(insert(table).from_select(list(made.selected_columns.keys()), made))
    counted = (
        (tallies, ("archive_id", "generator_id", "day", "mode", "crowd"), ("guesses", "fooled", "accepted")),
        (label_tallies, ("archive_id", "day", "status", "reason"), ("labels",)),
        (attendance, ("day", "crowd"), ("players", "newcomers")),
    )
    for table, keys, sums in counted:
        with writing(engine) as connection:
            connection.execute(insert(table).from_select([*keys, *sums], _counted(keys, sums)))


def _drawn(
    archive_id: int,
    first_generator: int,
    generator_count: int,
    counts: tuple[int, ...],
    part: tuple[int, int],
    end: datetime,
) -> Select[Any]:
    """Guesses with the ids of a part, each column under its name."""
    guess_count, sample_count, player_count, tweet_count = counts
    counter = select(cast(literal(part[0]), BigInteger).label("id")).cte("counter", recursive=True)
    counter = counter.union_all(select(counter.c.id + 1).where(counter.c.id < part[1]))
    number = counter.c.id
    span = DAYS * rollups.SECONDS_PER_DAY * 1000
    at = round(end.timestamp() * 1000) - span + (number * span) // guess_count
    place = ((number - 1) * generator_count) // guess_count
    is_fooled = _chance(number, 1, 100) < 25 + 2 * place
    columns = {
        "id": number,
        "round_id": cast(cast(number + 10**15, Text), LargeBinary),
        # One of them plays without end: the page of a player shows that one.
        "player_id": case((or_(number % 500 == 0, number <= 600), KEEN), else_=1 + _chance(number, 2, player_count)),
        "archive_id": literal(archive_id),
        "tweet_id": 1 + _chance(number, 3, tweet_count),
        "sample_id": 1 + _chance(number, 4, sample_count),
        "generator_id": first_generator + place,
        "arm": literal("champion"),
        "mode": literal("endless"),
        "position": number,
        "repeat": false(),
        "tweet_index": number % 2,
        "pick": case((is_fooled, 1 - number % 2), else_=number % 2),
        "verdict": case((is_fooled, "fooled"), else_="spotted"),
        "recognised": false(),
        "has_cookie": true(),
        "policy_version": literal(1),
        "arm_probability": literal(0.75),
        "card_probability": literal(0.001),
        "dealt_at": at - 9000,
        "guessed_at": at,
        "answer": literal("{}"),
    }
    return select(*(value.label(name) for name, value in columns.items())).select_from(counter)


def _read(first: int, last: int) -> Select[Any]:
    """The labels of the guesses from one id to another: six of seven teach."""
    teaches = _chance(guesses.c.id, 5, 7) > 0
    reasons = {place: reason for place, reason in enumerate(REASONS)}
    status = case((teaches, "accepted"), else_="excluded")
    reason = case((teaches, None), else_=case(reasons, value=_chance(guesses.c.id, 6, len(REASONS))))
    columns = {
        **{"guess_id": guesses.c.id, "status": status, "reason": reason, "rules_version": literal(1)},
        **{"decided_at": guesses.c.guessed_at, "ruled_status": status, "ruled_reason": reason},
        "decided_by": literal("rules"),
    }
    return select(*(value.label(name) for name, value in columns.items())).where(guesses.c.id.between(first, last))


def _counted(keys: tuple[str, ...], sums: tuple[str, ...]) -> Select[Any]:
    """What is counted of guesses and labels, by these keys."""
    own: dict[str, ColumnElement[Any]] = {
        "day": (type_coerce(guesses.c.guessed_at, BigInteger) // (rollups.SECONDS_PER_DAY * 1000)),
        **{"crowd": literal("real"), "status": labels.c.status, "reason": func.coalesce(labels.c.reason, "")},
        **{"guesses": func.count(), "labels": func.count(), "newcomers": literal(0)},
        "fooled": _how_many(guesses.c.verdict == "fooled"),
        "accepted": _how_many(labels.c.status == "accepted"),
        "players": _how_many(guesses.c.id % 7 == 0),
    }
    wanted = [(own[name] if name in own else guesses.c[name]).label(name) for name in (*keys, *sums)]
    grouped = [name for name in keys if name != "crowd"]
    joined = select(*wanted).join_from(guesses, labels, labels.c.guess_id == guesses.c.id)
    return joined.group_by(*(own[name] if name in own else guesses.c[name] for name in grouped))


def _how_many(condition: ColumnElement[bool]) -> ColumnElement[Any]:
    return func.sum(case((condition, 1), else_=0))


def _chance(number: ColumnElement[Any], salt: int, below: int) -> ColumnElement[Any]:
    """A number from 0 that looks drawn by lot, and is the same for the same `number` (two steps of Lehmer's way)."""
    step = (cast(number, BigInteger) + 7919 * salt) * 48_271 % PRIME
    return step * 69_621 % PRIME % below


def _history(engine: Engine, archive_id: int, guess_count: int, end: datetime) -> None:
    """Jobs, audit and reports as they heap up: one of each in a thousand guesses, and more than a page lists."""
    heap = max(800, guess_count // 1000)
    begin = end - timedelta(days=DAYS)
    moments = [begin + timedelta(days=DAYS) / heap * number for number in range(heap)]
    states = ("done", "done", "done", "failed", "cancelled")
    asked = (
        {
            **{"kind": KINDS[number % len(KINDS)], "archive_id": archive_id, "arguments": {}, "asked_by": "schedule"},
            **{"wanted": "run", "state": states[number % len(states)], "progress": {}, "attempts": 1, "lost": 0},
            **{"created_at": at, "started_at": at, "finished_at": at, "outcome": "as it was to be expected"},
        }
        for number, at in enumerate(moments)
    )
    changed = (
        {
            **{"at": at, "who": f"admin {number % 9}", "what": "sample hidden", "subject": f"sample {number}"},
            **{"before": {"hidden": False}, "after": {"hidden": True}, "reason": "a trial"},
        }
        for number, at in enumerate(moments)
    )
    said = (
        {
            **{"guess_id": 1 + number * (guess_count // heap), "report": "this is not funny", "said_at": at},
            "settled_at": None if number % 2 else at,
        }
        for number, at in enumerate(moments)
    )
    for table, rows in ((jobs, asked), (audit, changed), (remarks, said)):
        _fill(engine, table, rows)


def counts_of(scale: float) -> dict[str, int]:
    """How many of each there are; 1: ten million guesses."""
    return {
        "guess_count": int(10_000_000 * scale),
        "sample_count": max(4000, int(100_000 * scale)),
        "player_count": int(1_000_000 * scale),
        "tweet_count": max(2000, int(50_000 * scale)),
    }


def main() -> None:
    """Fill the database that the arguments name."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--database", default="sqlite:///data-large/whichtweet.db", help="SQLAlchemy URL")
    parser.add_argument("--scale", type=float, default=1.0, help="1: ten million guesses")
    options = parser.parse_args()
    if options.database.startswith("sqlite:///"):
        Path(options.database.removeprefix("sqlite:///")).parent.mkdir(parents=True, exist_ok=True)
    done = seed(options.database, **counts_of(options.scale))
    print(json.dumps(done | {"at": datetime.now(UTC).isoformat(timespec="seconds")}))


if __name__ == "__main__":
    main()
