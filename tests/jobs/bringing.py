"""Tweets for an import, the import itself, and what it left in the database."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, select

from app.db.session import reading
from app.db.tables import archives as archives_table
from app.db.tables import imports as imports_table
from app.db.tables import tweets as tweets_table
from app.jobs.importing import Imported, import_archive

WORDS = [
    "".join(letters)
    for letters in {tuple(random.Random(n).choices("abcdefghijklmnopqrstuvwxyz", k=3 + n % 6)) for n in range(2000)}
]


def tweet(number: int, **fields: Any) -> dict[str, Any]:
    """A tweet that is like no other."""
    text = " ".join(random.Random(number).choices(sorted(WORDS), k=15))
    return {"id_str": str(10**18 + number), "text": text, "created_at": "Wed Dec 23 17:38:18 +0000 2009"} | fields


def write(folder: Path, rows: Sequence[object], name: str = "tweets.json") -> Path:
    file = folder / name
    file.write_text(json.dumps(list(rows)), encoding="utf-8")
    return file


def bring_in(engine: Engine, file: Path, **options: Any) -> Imported:
    return import_archive(engine, file, **({"slug": "mayor"} | options))


def stored(engine: Engine) -> list[Any]:
    with reading(engine) as connection:
        return list(connection.execute(select(tweets_table).order_by(tweets_table.c.id)))


def everything(engine: Engine) -> list[list[Any]]:
    """All rows that an import may touch."""
    with reading(engine) as connection:
        return [
            list(connection.execute(select(table).order_by(table.c.id)))
            for table in (archives_table, imports_table, tweets_table)
        ]
