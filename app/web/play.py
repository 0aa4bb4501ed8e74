"""Making a guess: opens the round, notes who guessed what, and turns a refusal into the problem it is."""

from __future__ import annotations

import json

from app.db.batch import Guess
from app.db.classes import Room
from app.db.guesses import Expired, GuessRefused, OtherPick, OutOfTurn, Recorded, Superseded
from app.db.session import now
from app.game.rounds import Deal
from app.web import metrics, problems
from app.web.bodies import GuessAsk
from app.web.identity import Visitor, open_round
from app.web.problems import Problem
from app.web.recorder import DatabaseAway
from app.web.services import Services

_KINDS: dict[type[GuessRefused], tuple[int, str]] = {
    OtherPick: (409, "already-answered"),
    OutOfTurn: (409, "out-of-turn"),
    Expired: (410, "round-expired"),
    Superseded: (410, "round-superseded"),
}


async def guess(house: Services, visitor: Visitor, ask: GuessAsk, in_class: Room | None = None) -> Recorded:
    """Record the visitor's guess, durably, and give its answer; rounds of a class are taken in its room alone.

    Raises:
        Problem: the round is not the visitor's, has passed, or was answered otherwise; or the database is away.
    """
    deal = open_round(house.seal, visitor, ask.round)
    if (deal.mode == "class") != (in_class is not None):
        raise problems.not_our_round()
    noted = _noted(house, visitor, ask, deal)
    if in_class is not None:
        noted = noted._replace(class_teaches=in_class.teaches)
    try:
        recorded = await house.recorder.record(noted)
    except GuessRefused as refused:
        status, kind = _KINDS[type(refused)]
        metrics.refused.labels(kind).inc()
        extra = {}
        if isinstance(refused, OtherPick):
            extra["recorded"] = json.loads(refused.answer) | {"pick": 1 - ask.pick}
        raise Problem(status, kind, str(refused), **extra) from None
    except DatabaseAway:
        raise problems.database_away() from None
    if recorded.is_new:
        metrics.guess_of("simulated" if visitor.simulated else "real").inc()
    return recorded


def _noted(house: Services, visitor: Visitor, ask: GuessAsk, deal: Deal) -> Guess:
    at = now()
    entry = house.catalogue.by_id(deal.archive_id)
    return Guess(
        deal=deal,
        pick=ask.pick,
        recognised=ask.recognised,
        shown_ms=ask.shown_ms,
        has_cookie=visitor.has_cookie,
        simulated=visitor.simulated,
        network=house.identity.network_mark(visitor.network, at) if visitor.network else None,
        guessed_at=at,
        is_expired=at > deal.dealt_at + house.round_life,
        shelf_stamp=entry.shelf.stamp if entry else deal.stamp,
    )
