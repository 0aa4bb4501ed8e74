"""Label rules: which guesses teach. A guess never changes; a label is our reading of it, and rules may change."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

RULES_VERSION = 1
DAILY_CAP = 300  # accepted labels a player and day; what comes after waits in quarantine

# A glance at two cards, and the fastest skimming that still reads: about 1,000 words a minute. A careful reader
# needs four times as long; only guesses that cannot have read at all should fall below.
GLANCE_MS = 500
MS_PER_CHARACTER = 8

Status = Literal["accepted", "quarantined", "excluded"]


@dataclass(frozen=True)
class Sighting:
    """What the rules look at in a guess.

    Attributes:
        shown_at: when the player can have begun to read: the deal, or the guess before it if that came later.
        characters: of both cards together.
        accepted_today: labels of this player that were accepted on this day.
    """

    shown_at: datetime
    guessed_at: datetime
    characters: int
    has_cookie: bool
    is_simulated: bool
    is_repeat: bool
    recognised: bool
    accepted_today: int


@dataclass(frozen=True)
class Label:
    """Whether a guess teaches, and if not, why not."""

    status: Status
    reason: str | None = None


def judge(sighting: Sighting, learn_from: Collection[str] = ("real",)) -> Label:
    """The label of a guess; the first rule that applies gives the reason.

    `learn_from` holds whose guesses teach: real, simulated.
    """
    excluded = {
        "simulated": sighting.is_simulated and "simulated" not in learn_from,
        "not simulated": not sighting.is_simulated and "real" not in learn_from,
        "no cookie": not sighting.has_cookie and not sighting.is_simulated,
        "repeated card": sighting.is_repeat,
        "recognised": sighting.recognised,
        # A simulated player reads in no time.
        "too quick": is_too_quick(sighting) and not sighting.is_simulated,
    }
    for reason, applies in excluded.items():
        if applies:
            return Label("excluded", reason)
    if sighting.accepted_today >= DAILY_CAP and not sighting.is_simulated:
        return Label("quarantined", "daily cap")
    return Label("accepted")


def is_too_quick(sighting: Sighting) -> bool:
    """Whether nobody could have read both cards between deal and guess."""
    elapsed_ms = (sighting.guessed_at - sighting.shown_at).total_seconds() * 1000
    return elapsed_ms < GLANCE_MS + MS_PER_CHARACTER * sighting.characters
