"""Evidence: the guesses that a canary is judged by, and what players and admins held against its samples."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
from sqlalchemy import ColumnElement, Connection, Row, and_, exists, false, func, or_, select

from app.db import reports, restocks
from app.db.canaries import Canary
from app.db.generators import CANDIDATE, CHAMPION
from app.db.tables import guesses, holds, labels, players, remarks, samples
from app.game.canary import LEAST_LABELS
from app.game.effect import Evidence
from app.game.rounds import AT_RANDOM
from app.game.weights import weigh

NEWEST = 20_000  # guesses that say who is active: whoever made so many in a week is no small site


@dataclass(frozen=True)
class Trouble:
    """What speaks against an arm since the canary opened.

    Attributes:
        rounds: that were guessed at.
        reports: not set aside, of different players and, where they are known, of different networks.
        hidden: samples of these rounds that were taken off the shelf since. Those that nobody met are none: what
            vetting holds back, and what a blocked word takes off a shelf, says nothing of rounds.
        drafts: that were written for it.
        rejected: of them, by vetting (the choice by form is none of its rules).
    """

    rounds: int
    reports: int
    hidden: int
    drafts: int
    rejected: int


def read(connection: Connection, canary: Canary, learn_from: Collection[str]) -> Evidence:
    """The guesses that count, weighed so that no player and no network rules the verdict.

    Endless rounds dealt at random behind the canary's opening, of players who teach and have at least five accepted
    labels in the archive; the player met neither card before, and the label is accepted. Of players whose labels wait
    in quarantine only what a person accepted counts.
    """
    earlier = guesses.alias("earlier")
    met = (
        exists()
        .where(earlier.c.player_id == guesses.c.player_id, earlier.c.id < guesses.c.id)
        .where(or_(earlier.c.sample_id == guesses.c.sample_id, earlier.c.tweet_id == guesses.c.tweet_id))
    )
    # What they guessed since the last screening waits from the next one on; a person's word stands.
    is_held = (
        exists()
        .where(holds.c.player_id == guesses.c.player_id, holds.c.archive_id == canary.archive_id)
        .where(holds.c.cleared_at.is_(None), labels.c.decided_by != "admin")
    )
    columns = (guesses.c.player_id, guesses.c.tweet_id, guesses.c.arm, guesses.c.verdict, guesses.c.network)
    query = (
        select(*columns)
        .join(labels, labels.c.guess_id == guesses.c.id)
        .join(players, players.c.id == guesses.c.player_id)
        .where(guesses.c.archive_id == canary.archive_id, guesses.c.id > canary.after_guess_id)
        .where(guesses.c.mode == "endless", guesses.c.policy_version.in_(AT_RANDOM), guesses.c.repeat.is_(False))
        .where(labels.c.status == "accepted", _teaches(learn_from), _of_arms(canary), ~met, ~is_held)
        .order_by(guesses.c.id)
    )
    rows = connection.execute(query).all()
    steady = _steady(connection, canary.archive_id, sorted({row.player_id for row in rows}))
    rows = [row for row in rows if row.player_id in steady]
    weights = weigh([row.player_id for row in rows], [row.network for row in rows]).values
    return Evidence(
        candidate=np.array([row.arm == CANDIDATE for row in rows], np.bool_),
        fooled=np.array([row.verdict == "fooled" for row in rows], np.bool_),
        player=np.array([row.player_id for row in rows], np.int64),
        tweet=np.array([row.tweet_id for row in rows], np.int64),
        weight=weights,
    )


def accepted(connection: Connection, canary: Canary) -> int:
    """How many labels behind a canary's opening are accepted, in endless rounds of both arms; `read` gives no more.

    Counted as they stand: labels that came back, or that a person accepted, are in none of the counters of guesses.
    """
    query = (
        select(func.count())
        .select_from(guesses)
        .join(labels, labels.c.guess_id == guesses.c.id)
        .where(guesses.c.archive_id == canary.archive_id, guesses.c.id > canary.after_guess_id)
        .where(guesses.c.mode == "endless", labels.c.status == "accepted", _of_arms(canary))
    )
    return int(connection.execute(query).scalar_one())


def active_players(connection: Connection, archive_id: int, learn_from: Collection[str], since: datetime) -> int:
    """How many of those who teach have played the archive since then, as far as its newest 20,000 guesses tell."""
    newest = (
        select(guesses.c.player_id, guesses.c.guessed_at)
        .where(guesses.c.archive_id == archive_id, guesses.c.mode == "endless")
        .order_by(guesses.c.id.desc())
        .limit(NEWEST)
        .subquery()
    )
    query = (
        select(func.count(func.distinct(newest.c.player_id)))
        .join(players, players.c.id == newest.c.player_id)
        .where(newest.c.guessed_at >= since, _teaches(learn_from))
    )
    return int(connection.execute(query).scalar_one())


def troubles(connection: Connection, canary: Canary) -> tuple[Trouble, Trouble]:
    """What speaks against the candidate, and against the champion beside it."""
    both = ((CANDIDATE, canary.generator_id), (CHAMPION, canary.champion_id))
    candidate, champion = (_trouble(connection, canary, arm, generator_id) for arm, generator_id in both)
    return candidate, champion


def _trouble(connection: Connection, canary: Canary, arm: str, generator_id: int) -> Trouble:
    own = (
        guesses.c.archive_id == canary.archive_id,
        guesses.c.id > canary.after_guess_id,
        guesses.c.arm == arm,
        guesses.c.generator_id == generator_id,
    )
    rounds = connection.execute(select(func.count()).select_from(guesses).where(*own)).scalar_one()
    reported = (
        select(guesses.c.player_id, guesses.c.network)
        .join(remarks, remarks.c.guess_id == guesses.c.id)
        .join(players, players.c.id == guesses.c.player_id)
        .where(*own, reports.is_open(), guesses.c.has_cookie, players.c.simulated.is_(None))
        .where(players.c.retracted_at.is_(None))
    )
    hidden = (
        select(func.count(func.distinct(guesses.c.sample_id)))
        .join(samples, samples.c.id == guesses.c.sample_id)
        .where(*own, samples.c.hidden_at >= canary.opened_at)
    )
    batches = restocks.since(connection, generator_id, canary.opened_at)
    return Trouble(
        rounds=rounds,
        reports=_voices(connection.execute(reported)),
        hidden=connection.execute(hidden).scalar_one(),
        drafts=sum(batch.written for batch in batches),
        rejected=sum(batch.turned_away for batch in batches),
    )


def _voices(reporters: Iterable[Row[int, bytes | None]]) -> int:
    """How many people there are for certain among players, each with the network of a round: one may play as many."""
    known = {(player_id, network) for player_id, network in reporters}
    networks = {network if network is not None else player_id for player_id, network in known}
    return min(len(networks), len({player_id for player_id, _ in known}))


def _steady(connection: Connection, archive_id: int, player_ids: Sequence[int]) -> set[int]:
    """Those of the players who have enough accepted labels in the archive."""
    found: set[int] = set()
    for begin in range(0, len(player_ids), 500):
        query = (
            select(guesses.c.player_id)
            .join(labels, labels.c.guess_id == guesses.c.id)
            .where(guesses.c.archive_id == archive_id, labels.c.status == "accepted")
            .where(guesses.c.player_id.in_(player_ids[begin : begin + 500]))
            .group_by(guesses.c.player_id)
            .having(func.count() >= LEAST_LABELS)
        )
        found |= set(connection.scalars(query))
    return found


def _of_arms(canary: Canary) -> ColumnElement[bool]:
    return or_(
        and_(guesses.c.arm == CANDIDATE, guesses.c.generator_id == canary.generator_id),
        and_(guesses.c.arm == CHAMPION, guesses.c.generator_id == canary.champion_id),
    )


def _teaches(learn_from: Collection[str]) -> ColumnElement[bool]:
    """Real players, unless the settings say that simulated ones teach: then there is nobody else to be judged by."""
    crowds: dict[str, Any] = {"real": players.c.simulated.is_(None), "simulated": players.c.simulated.is_not(None)}
    return or_(false(), *(crowds[crowd] for crowd in learn_from))
