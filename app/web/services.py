"""The services that routes use, laid out once by create_app."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from fastapi import Request
from sqlalchemy import Engine

from app.web.catalogue import Catalogue
from app.web.dealer import Dealer
from app.web.identity import Identity, Visitor
from app.web.limits import Limits
from app.web.recorder import Recorder
from app.web.sealed import RoundSeal


@dataclass(frozen=True)
class Services:
    """What a route may use.

    Attributes:
        round_life: how long a round can be guessed at.
    """

    engine: Engine
    catalogue: Catalogue
    identity: Identity
    seal: RoundSeal
    dealer: Dealer
    recorder: Recorder
    limits: Limits
    round_life: timedelta

    def limit(self, what: str, visitor: Visitor) -> None:
        """Count a request of the visitor; simulated players are exempt.

        Raises:
            Problem: 429.
        """
        if visitor.simulated is None:
            # Whoever brings no cookie is a new player each time: their network is all that can be counted.
            player = visitor.key.hex() if visitor.has_cookie else None
            self.limits.check(what, player, visitor.network)


def services(request: Request) -> Services:
    """The services of the application that got this request."""
    return request.app.state.services  # type: ignore[no-any-return]
