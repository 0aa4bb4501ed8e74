"""Scores: what leaderboards show, kept with each ranked guess so that no page scans guesses or players."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import Connection, and_, bindparam, delete, func, or_, select, tuple_

from app.db.prepared import Prepared
from app.db.tables import players, scores
from app.db.upserts import replace
from app.game.boards import SPANS, Score, period
from app.game.skill import Belief

SHOWN = 20  # players on a board
KEPT = timedelta(days=14)  # scores after their time: enough for the last week's to be looked at
BATCH = 500  # rows of one transaction
LOOKED_AT = 1000  # places that are counted to tell a player theirs; beyond, "further down" is enough


class ScoreKey(NamedTuple):
    """Whose score, where and when."""

    span: str
    period: int
    archive_id: int
    player_id: int


@dataclass(frozen=True)
class Row:
    """One line of a board."""

    player_id: int
    nickname: str | None
    guesses: int
    spotted: int
    belief: Belief
    best_streak: int


_KEY = [scores.c[name] for name in ScoreKey._fields]


def keys(archive_id: int, player_id: int, at: datetime) -> list[ScoreKey]:
    """The scores that a guess at that moment moves."""
    return [ScoreKey(span, period(span, at), archive_id, player_id) for span in SPANS]


_FIGURES = (
    *(scores.c.guesses, scores.c.spotted, scores.c.skill, scores.c.skill_variance),
    *(scores.c.streak, scores.c.best_streak, scores.c.last_guess_at),
)
_OF = Prepared(select(*_KEY, *_FIGURES), among=("keys", _KEY))


def of(connection: Connection, wanted: Collection[ScoreKey]) -> dict[ScoreKey, Score]:
    """The scores with those keys. Whoever means to change them has locked the players."""
    found = {}
    for row in _OF.rows(connection, keys=[tuple(key) for key in wanted]):
        guesses, spotted, mean, variance, streak, best, last = row[4:]
        found[ScoreKey(*row[:4])] = Score(guesses, spotted, Belief(mean, variance), streak, best, last)
    return found


def keep(connection: Connection, changed: Mapping[ScoreKey, Score]) -> None:
    """Write scores, new or changed, in a fixed order."""
    if not changed:
        return
    rows: list[dict[str, Any]] = [
        key._asdict()
        | {
            "guesses": score.guesses,
            "spotted": score.spotted,
            "skill": score.belief.mean,
            "skill_variance": score.belief.variance,
            "level": score.level,
            "streak": score.streak,
            "best_streak": score.best_streak,
            "last_guess_at": score.last_guess_at,
        }
        for key, score in sorted(changed.items(), key=lambda item: item[0])
    ]
    changing = tuple(name for name in rows[0] if name not in ScoreKey._fields)
    replace(connection, scores, ScoreKey._fields, changing, rows)


def top(connection: Connection, span: str, archive_id: int, at: datetime, limit: int = SHOWN) -> list[Row]:
    """The best of the span that `at` lies in; reads as many rows of the index as it gives."""
    query = (
        select(
            scores.c.player_id,
            players.c.nickname,
            scores.c.guesses,
            scores.c.spotted,
            scores.c.skill,
            scores.c.skill_variance,
            scores.c.best_streak,
        )
        .join(players, players.c.id == scores.c.player_id)
        .where(*_ranked(span, archive_id, at))
        .order_by(scores.c.level.desc())
        .limit(limit)
    )
    return [Row(*row[:4], Belief(row[4], row[5]), row[6]) for row in connection.execute(query)]


def place(connection: Connection, key: ScoreKey, at: datetime) -> int | None:
    """How many stand above the player, plus one; None where unranked or beyond the places that are counted."""
    own = select(scores.c.level).where(tuple_(*_KEY) == tuple(key)).scalar_subquery()
    level = connection.scalar(select(own))
    if level is None:
        return None
    above = select(scores.c.player_id).where(*_ranked(key.span, key.archive_id, at), scores.c.level > level)
    count = connection.scalar(select(func.count()).select_from(above.limit(LOOKED_AT).subquery())) or 0
    return None if count >= LOOKED_AT else count + 1


def forget(connection: Connection, player_id: int) -> None:
    """Take a player off every board."""
    connection.execute(delete(scores).where(scores.c.player_id == player_id))


# One by one: SQLite reads the whole table for a list of keys.
_DROP = Prepared(delete(scores).where(*(column == bindparam(column.name) for column in _KEY)))


def drop_old(connection: Connection, at: datetime) -> int:
    """Drop some scores of days and weeks that no board shows any more; how many, 0 when nothing is left."""
    floors = {span: period(span, at - KEPT) for span in SPANS}
    old = or_(*(and_(scores.c.span == span, scores.c.period < floor) for span, floor in floors.items()))
    some = [ScoreKey(*row)._asdict() for row in connection.execute(select(*_KEY).where(old).limit(BATCH))]
    _DROP.each(connection, some)
    return len(some)


def _ranked(span: str, archive_id: int, at: datetime) -> tuple[Any, ...]:
    return (
        scores.c.span == span,
        scores.c.period == period(span, at),
        scores.c.archive_id == archive_id,
        scores.c.level.is_not(None),
    )
