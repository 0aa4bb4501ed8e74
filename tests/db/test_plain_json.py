"""What is kept as JSON is JSON, in both databases."""

from __future__ import annotations

import json
from math import inf, nan

from sqlalchemy import Engine, Text, cast, insert, select

from app.db.session import now, writing
from app.db.tables import jobs


def test_numbers_that_json_lacks_are_kept_as_null(either_engine: Engine) -> None:
    figures = {"scorer": {"states": inf, "bits": 0.97}, "training": [nan, -inf, "Infinity"]}
    row = {"kind": "retrain", "arguments": figures, "asked_by": "test", "wanted": "run", "state": "queued"}
    with writing(either_engine) as connection:
        connection.execute(insert(jobs).values(created_at=now(), **row))
        kept, stored = connection.execute(select(jobs.c.arguments, cast(jobs.c.arguments, Text))).one()

    assert kept == {"scorer": {"states": None, "bits": 0.97}, "training": [None, None, "Infinity"]}
    assert json.loads(stored) == kept
