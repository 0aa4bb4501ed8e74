"""A large game, made up: `make seed-large` fills a database of its own, to see how pages hold up on it.

Guesses are drawn, not played, but every table that pages read is filled as play would fill it: labels, tallies,
attendance, the counters of samples and players.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

from sqlalchemy import Connection, Table, func, insert, select

from app.db import rollups, tallies
from app.db.copying import number_on
from app.db.migrate import migrate
from app.db.rollups import Attending, LabelKey, day_of
from app.db.session import now, open_engine, writing
from app.db.tables import (
    archives,
    arms,
    generators,
    guesses,
    imports,
    labels,
    players,
    remarks,
    restocks,
    samples,
    tweets,
)
from app.db.tallies import Count, TallyKey

BATCH = 5_000
DAYS = 90
WORDS = (  # noqa: SIM905
    "we will fix the great big ferry before summer and the harbour clock says never mind my council likes a good "
    "bridge more than a bad tunnel so thank you all for coming out tonight it was beautiful the weather was rude"
).split()
REASONS = ("too quick", "repeated card", "recognised", "no cookie")


def text(rng: Random, number: int) -> str:
    """A text of ten to twenty words that no other number has."""
    return f"{' '.join(rng.choices(WORDS, k=rng.randint(10, 20)))} {number}"


def seed(url: str, *, guess_count: int, sample_count: int, player_count: int, tweet_count: int) -> dict[str, float]:
    """Fill the database at `url`; what it holds, and the seconds that took."""
    began = time.monotonic()
    engine = open_engine(url)
    migrate(engine)
    rng = Random(0)
    end = now().replace(minute=0, second=0, microsecond=0)
    with writing(engine) as connection:
        archive_id = _archive(connection, end)
        drawn = _generators(connection, archive_id, end)
    _tweets(engine, archive_id, tweet_count, rng, end)
    _samples(engine, archive_id, drawn, sample_count, rng, end)
    _players(engine, player_count, end)
    _guesses(engine, archive_id, drawn, (guess_count, sample_count, player_count, tweet_count), rng, end)
    with writing(engine) as connection:
        number_on(connection, guesses)
        connection.exec_driver_sql("ANALYZE")
        counts = {
            table.name: connection.scalar(select(func.count()).select_from(table)) for table in (guesses, samples)
        }
    engine.dispose()
    return counts | {"seconds": round(time.monotonic() - began, 1)}


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


def _fill(engine, table: Table, rows) -> None:  # type: ignore[no-untyped-def]
    batch = []
    for row in rows:
        batch.append(row)
        if len(batch) == BATCH:
            with writing(engine) as connection:
                connection.execute(insert(table), batch)
            batch = []
    if batch:
        with writing(engine) as connection:
            connection.execute(insert(table), batch)


def _tweets(engine, archive_id: int, count: int, rng: Random, end: datetime) -> None:  # type: ignore[no-untyped-def]
    run = {"archive_id": archive_id, "source": "large.jsonl", "format": "jsonl", "state": "done", "read": count}
    run |= {"added": count, "left_out": {"retweet": count // 9, "only links": count // 40}, "deck_from": 0}
    with writing(engine) as connection:
        import_id = connection.execute(
            insert(imports)
            .values(run | {"deck_to": count, "started_at": end, "finished_at": end})
            .returning(imports.c.id)
        ).scalar_one()

    def rows():  # type: ignore[no-untyped-def]
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


def _samples(engine, archive_id: int, drawn: list[int], count: int, rng: Random, end: datetime) -> None:  # type: ignore[no-untyped-def]
    with writing(engine) as connection:
        runs = []
        for generator_id in drawn:
            row = {"archive_id": archive_id, "generator_id": generator_id, "seed": 1, "state": "done", "rejected": {}}
            row |= {"written": count, "shelved": count, "started_at": end, "tweets_rejected": {}}
            runs.append(connection.execute(insert(restocks).values(row).returning(restocks.c.id)).scalar_one())

    def rows():  # type: ignore[no-untyped-def]
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
                "retired_stamp": None if number >= count - 3000 else 2,
                "guesses": seen,
                "fooled": rng.randint(0, seen),
                "exposures": seen,
            }

    _fill(engine, samples, rows())


def _players(engine, count: int, end: datetime) -> None:  # type: ignore[no-untyped-def]
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


def _guess(
    number: int, player: int, archive_id: int, card: tuple[int, int, int], fooled: bool, at: datetime
) -> dict[str, Any]:
    """A row of guesses; `card`: ids of the tweet, the sample and its generator."""
    tweet_id, sample_id, generator_id = card
    return {
        "id": number + 1,
        "round_id": number.to_bytes(16),
        "player_id": player,
        "archive_id": archive_id,
        "tweet_id": tweet_id,
        "sample_id": sample_id,
        "generator_id": generator_id,
        "arm": "champion",
        "mode": "endless",
        "position": number,
        "repeat": False,
        "tweet_index": number & 1,
        "pick": (number & 1) ^ fooled,
        "verdict": "fooled" if fooled else "spotted",
        "recognised": False,
        "has_cookie": True,
        "policy_version": 1,
        "arm_probability": 0.75,
        "card_probability": 0.001,
        "dealt_at": at - timedelta(seconds=9),
        "guessed_at": at,
        "answer": "{}",
    }


def _guesses(engine, archive_id: int, drawn: list[int], counts, rng: Random, end: datetime) -> None:  # type: ignore[no-untyped-def]
    guess_count, sample_count, player_count, tweet_count = counts
    begin = end - timedelta(days=DAYS)
    step = timedelta(days=DAYS) / guess_count
    for first in range(0, guess_count, BATCH):
        rows, read, tallied = [], [], {}
        seen: Counter[LabelKey] = Counter()
        days: dict[tuple[int, str], Attending] = {}
        for number in range(first, min(first + BATCH, guess_count)):
            at = begin + step * number
            place = min(len(drawn) - 1, number * len(drawn) // guess_count)
            fooled = rng.random() < 0.25 + 0.02 * place
            player = rng.randint(1, player_count)
            card = (rng.randint(1, tweet_count), rng.randint(1, sample_count), drawn[place])
            rows.append(_guess(number, player, archive_id, card, fooled, at))
            taught = rng.random() < 0.86
            status, reason = ("accepted", None) if taught else ("excluded", rng.choice(REASONS))
            read.append(
                {"guess_id": number + 1, "status": status, "reason": reason, "rules_version": 1, "decided_at": at}
            )
            count = tallied.setdefault(TallyKey(archive_id, drawn[place], day_of(at), "endless", "real"), Count())
            count.guesses += 1
            count.fooled += fooled
            count.accepted += taught
            seen[LabelKey(archive_id, day_of(at), status, reason or "")] += 1
            days.setdefault((day_of(at), "real"), Attending()).players += number % 7 == 0
        with writing(engine) as connection:
            connection.execute(insert(guesses), rows)
            connection.execute(insert(labels), read)
            said = [
                {"guess_id": row["id"], "report": "this is not funny", "said_at": row["guessed_at"]}
                for row in rows[::500]
                if first + BATCH >= guess_count
            ]
            if said:
                connection.execute(insert(remarks), said)
            tallies.add(connection, tallied)
            rollups.attend(connection, days)
            rollups.count_labels(connection, seen)


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
