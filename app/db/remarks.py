"""Remarks: what a player says of a round after the verdict."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, func, select
from sqlalchemy.dialects.postgresql import insert as postgres_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from app.db import reports
from app.db.tables import guesses, labels, players, remarks


def note(
    connection: Connection, round_id: bytes, key: bytes, at: datetime, *, reason: str | None, report: str | None
) -> bool:
    """Keep what the player with that key says of a guess of theirs; False if it is none of theirs.

    None leaves what was said before as it is; the last word counts. A third player's report hides the sample.
    """
    own = (
        select(guesses.c.id)
        .join(players, players.c.id == guesses.c.player_id)
        .where(guesses.c.round_id == round_id, players.c.key == key)
    )
    guess_id = connection.scalar(own)
    if guess_id is None:
        return False
    if report is not None:
        report = report.replace("\0", "")  # PostgreSQL keeps none, and no game that holds one could be copied there
    said = {name: words for name, words in (("reason", reason), ("report", report)) if words is not None}
    insert = sqlite_insert if connection.dialect.name == "sqlite" else postgres_insert
    statement = insert(remarks).values(guess_id=guess_id, said_at=at, **said)
    connection.execute(statement.on_conflict_do_update(index_elements=["guess_id"], set_={**said, "said_at": at}))
    if report:
        reports.hide_if_enough(connection, guess_id, at)
    return True


def by_sample(connection: Connection, archive_id: int) -> dict[int, dict[str, int]]:
    """What players said gave each sample away: sample -> reason -> how many real players said so.

    Each player counts once for a sample; those whose labels were taken back or wait in quarantine do not count, nor
    those without a cookie, of whom nobody can say whether they are several.
    """
    query = (
        select(guesses.c.sample_id, remarks.c.reason, func.count(guesses.c.player_id.distinct()))
        .select_from(remarks)
        .join(guesses, guesses.c.id == remarks.c.guess_id)
        .join(players, players.c.id == guesses.c.player_id)
        .join(labels, labels.c.guess_id == guesses.c.id)
        .where(
            guesses.c.archive_id == archive_id,
            remarks.c.reason.is_not(None),
            guesses.c.has_cookie,
            players.c.simulated.is_(None),
            players.c.retracted_at.is_(None),
            labels.c.decided_by != "screen",
        )
        .group_by(guesses.c.sample_id, remarks.c.reason)
    )
    found: dict[int, dict[str, int]] = {}
    for sample_id, reason, count in connection.execute(query):
        found.setdefault(sample_id, {})[reason] = count
    return found
