"""The services that routes use, laid out once by create_app."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from fastapi import Request
from sqlalchemy import Engine

from app.game.vetting import BlockedWords
from app.web.apart import apart
from app.web.catalogue import Catalogue
from app.web.codes import TransferCodes
from app.web.dealer import Dealer
from app.web.fixed import FixedSets
from app.web.identity import Identity, Visitor
from app.web.limits import Limits
from app.web.recorder import Recorder
from app.web.rooms import Rooms
from app.web.sealed import RoundSeal

__all__ = ["Services", "apart", "services"]


@dataclass(frozen=True)
class Services:
    """What a route may use.

    Attributes:
        round_life: how long a round can be guessed at.
        blocked_words: that no nickname may hold, nor a card.
    """

    engine: Engine
    catalogue: Catalogue
    identity: Identity
    seal: RoundSeal
    dealer: Dealer
    fixed: FixedSets
    recorder: Recorder
    limits: Limits
    round_life: timedelta
    moving: TransferCodes
    blocked_words: BlockedWords
    rooms: Rooms

    def limit(self, what: str, visitor: Visitor) -> None:
        """Count a request of the visitor; simulated players are exempt.

        Raises:
            Problem: 429.
        """
        if visitor.simulated is None:
            # Whoever brings no cookie is a new player each time: their network is all that can be counted.
            player = visitor.key.hex() if visitor.has_cookie else None
            # A class sits behind one address.
            is_in_class = self.rooms.exempts(visitor.key)
            self.limits.check(what, player, None if is_in_class else visitor.network)


def services(request: Request) -> Services:
    """The services of the application that got this request."""
    return request.app.state.services  # type: ignore[no-any-return]
