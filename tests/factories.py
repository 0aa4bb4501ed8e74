"""Factories: rows for tests, each with sensible values that a test overrides where it matters."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import count
from random import Random
from typing import Any

from sqlalchemy import Connection, func, insert, select, update

from app.db import rollups
from app.db.batch import Guess
from app.db.rollups import LabelKey, day_of
from app.db.tables import archives, arms, generators, guesses, imports, labels, players, restocks, samples, tweets
from app.game.rounds import Deal

LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)
ALPHABET = "".join(map(chr, range(32, 127))) + "\n🔗é’“”…"
_numbers = count(1)

_PROSE = (
    "we will fix the great big ferry before summer and the harbour clock says never mind my council likes a good "
    "bridge more than a bad tunnel so thank you all for coming out tonight it was beautiful the weather was rude but "
    "our people are not believe me tomorrow there is soup at the town hall bring spoons bring chairs bring your dog"
)
_WORDS = _PROSE.split()


def words(seed: int, length: int = 110) -> str:
    """A text of about `length` characters, a different one for each seed."""
    rng = Random(seed)
    text = f"Note {seed}:"
    while len(text) < length:
        text += " " + rng.choice(_WORDS)
    return text[:length].rstrip().ljust(length, ".")


def add_archive(connection: Connection, slug: str = "mayor", **values: Any) -> int:
    row = {
        "slug": slug,
        "name": slug.title(),
        "handle": "MayorOfTest",
        "unit": "tweet",
        "is_demo": False,
        "created_at": LONG_AGO,
        "stamp": 1,
        "paused": False,
    } | values
    return int(connection.execute(insert(archives).values(row).returning(archives.c.id)).scalar_one())


def add_tweets(connection: Connection, archive_id: int, texts: Sequence[str], **values: Any) -> list[int]:
    """One import that is done, all of its tweets in the deck; gives the tweets' ids."""
    begin = (
        connection.execute(
            select(func.coalesce(func.max(tweets.c.deck_seq) + 1, 0)).where(tweets.c.archive_id == archive_id)
        ).scalar()
        or 0
    )
    run = {
        "archive_id": archive_id,
        "source": "tweets.jsonl",
        "format": "jsonl",
        "state": "done",
        "read": len(texts),
        "added": len(texts),
        "left_out": {},
        "deck_from": begin,
        "deck_to": begin + len(texts),
        "started_at": LONG_AGO,
        "finished_at": LONG_AGO,
    }
    import_id = connection.execute(insert(imports).values(run).returning(imports.c.id)).scalar_one()
    rows = [
        {
            "archive_id": archive_id,
            "import_id": import_id,
            "source_key": f"id:{begin + place + 1}",
            "source_id": str(10**9 + begin + place),
            "text": text,
            "text_version": 1,
            "length": len(text),
            "split": "deck",
            "leaning": None,
            "deck_seq": begin + place,
            "posted_at": LONG_AGO - timedelta(days=begin + place),
            "zone": "utc",
        }
        | values
        for place, text in enumerate(texts)
    ]
    return list(connection.scalars(insert(tweets).returning(tweets.c.id, sort_by_parameter_order=True), rows))


def add_generator(connection: Connection, archive_id: int, **values: Any) -> int:
    """A generator; the archive's first is its champion and anchor."""
    number = (
        1
        + connection.execute(
            select(func.count()).select_from(generators).where(generators.c.archive_id == archive_id)
        ).scalar_one()
    )
    row = {
        "archive_id": archive_id,
        "number": number,
        "checkpoint_key": f"mayor/v{number}",
        "checkpoint_sha256": f"{number:064x}",
        "decoding": {"temperature": 0.9, "top_p": 0.95},
        "vetting_version": 1,
        "alphabet": ALPHABET,
        "card": {},
        "created_at": LONG_AGO,
    } | values
    generator_id = int(connection.execute(insert(generators).values(row).returning(generators.c.id)).scalar_one())
    if number == 1:
        add_arm(connection, archive_id, "champion", generator_id, 1.0)
        add_arm(connection, archive_id, "anchor", generator_id, 0.0)
    return generator_id


def add_arm(connection: Connection, archive_id: int, arm: str, generator_id: int, share: float) -> None:
    row = {"archive_id": archive_id, "arm": arm, "generator_id": generator_id, "share": share, "since": LONG_AGO}
    connection.execute(insert(arms).values(row))


def add_samples(
    connection: Connection, archive_id: int, generator_id: int, texts: Sequence[str], **values: Any
) -> list[int]:
    """Samples on the shelf, by one restock; raises the archive's stamp as the flip does."""
    raised = update(archives).where(archives.c.id == archive_id).values(stamp=archives.c.stamp + 1)
    stamp = connection.execute(raised.returning(archives.c.stamp)).scalar_one()
    restock = {
        "archive_id": archive_id,
        "generator_id": generator_id,
        "seed": 1,
        "state": "done",
        "written": len(texts),
        "shelved": len(texts),
        "rejected": {},
        "started_at": LONG_AGO,
    }
    restock_id = connection.execute(insert(restocks).values(restock).returning(restocks.c.id)).scalar_one()
    rows = [
        {
            "archive_id": archive_id,
            "generator_id": generator_id,
            "restock_id": restock_id,
            "seed": seed,
            "text": text,
            "text_version": 1,
            "length": len(text),
            "text_hash": f"{next(_numbers):032x}",
            "shelved_stamp": stamp,
        }
        | values
        for seed, text in enumerate(texts)
    ]
    return list(connection.scalars(insert(samples).returning(samples.c.id, sort_by_parameter_order=True), rows))


def add_game(connection: Connection, slug: str = "mayor", cards: int = 60, on_shelf: int = 60, **values: Any) -> int:
    """An archive that can be played: a deck and a shelf of texts of like lengths; gives its id."""
    archive_id = add_archive(connection, slug, **values)
    lengths = Random(7)
    add_tweets(connection, archive_id, [words(seed, lengths.randint(60, 160)) for seed in range(cards)])
    generator_id = add_generator(connection, archive_id)
    add_samples(
        connection,
        archive_id,
        generator_id,
        [words(10_000 + seed, lengths.randint(60, 160)) for seed in range(on_shelf)],
    )
    return archive_id


def add_player(connection: Connection, **values: Any) -> int:
    """A player with a key of their own."""
    row = {"key": next(_numbers).to_bytes(16, "big"), "created_at": LONG_AGO} | values
    return int(connection.execute(insert(players).values(row).returning(players.c.id)).scalar_one())


def add_guess(
    connection: Connection, player_id: int, *, status: str = "accepted", reason: str | None = None, **values: Any
) -> int:
    """A guess of a player with its label, in the archive 1 unless said otherwise; counted as the game counts it."""
    return add_guesses(connection, player_id, [values], status=status, reason=reason)[0]


def add_guesses(
    connection: Connection,
    player_id: int,
    given: Sequence[Mapping[str, Any]],
    *,
    status: str = "accepted",
    reason: str | None = None,
) -> list[int]:
    """The same for many guesses, in a few statements; what is given names the same fields of each."""
    rows = [_guess_row(player_id, values) for values in given]
    ids = list(connection.scalars(insert(guesses).returning(guesses.c.id, sort_by_parameter_order=True), rows))
    said = {"status": status, "reason": reason, "ruled_status": status, "ruled_reason": reason, "rules_version": 2}
    judged = [
        said | {"guess_id": guess_id, "decided_at": row["guessed_at"]} for guess_id, row in zip(ids, rows, strict=True)
    ]
    connection.execute(insert(labels), judged)
    keys = (LabelKey(row["archive_id"], day_of(row["guessed_at"]), status, reason or "") for row in rows)
    rollups.count_labels(connection, Counter(keys))
    return ids


def _guess_row(player_id: int, values: Mapping[str, Any]) -> dict[str, Any]:
    number = next(_numbers)
    row = {
        "round_id": number.to_bytes(16, "big"),
        "player_id": player_id,
        "archive_id": 1,
        "generator_id": 1,
        "tweet_id": 1,
        "sample_id": 1,
        **{"arm": "champion", "mode": "endless", "position": number, "repeat": False, "tweet_index": 0, "pick": 0},
        **{"recognised": False, "has_cookie": True, "policy_version": 1, "arm_probability": 1.0},
        **{"card_probability": 0.1, "dealt_at": LONG_AGO, "answer": "{}"},
        "guessed_at": LONG_AGO + timedelta(seconds=9),
    } | values
    return row | {"verdict": "spotted" if row["pick"] == row["tweet_index"] else "fooled"}


def a_guess(number: int, place: int, card: tuple[int, int, int], at: datetime = LONG_AGO, **dealt: Any) -> Guess:
    """The guess of a player named by a number, at a place of theirs, about a tweet and a sample of a generator."""
    tweet_id, sample_id, generator_id = card
    usual: dict[str, Any] = {
        **{"id": bytes([number, place] * 8), "player": bytes([number] * 16), "archive_id": 1, "tweet_id": tweet_id},
        **{"sample_id": sample_id, "generator_id": generator_id, "arm": "champion", "mode": "endless"},
        **{"start": place, "position": place, "repeat": False, "tweet_index": 0, "arm_probability": 1.0},
        **{"card_probability": 1.0, "stamp": 1, "policy": 1, "characters": 100, "dealt_at": at, "set_id": 0},
    }
    deal = Deal(**usual | dealt)
    return Guess(
        deal=deal,
        pick=0,
        recognised=False,
        shown_ms=None,
        has_cookie=True,
        simulated=None,
        network=None,
        guessed_at=at,
        is_expired=False,
        shelf_stamp=deal.stamp,
    )
