"""Label rules: which guesses teach. A guess never changes; a label is our reading of it, and rules may change."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, get_args

RULES_VERSION = 2
DAILY_CAP = 300  # accepted labels a player and day; what comes after waits in quarantine

# A glance at two cards, and the fastest skimming that still reads: about 1,000 words a minute. A careful reader
# needs four times as long; only guesses that cannot have read at all should fall below.
GLANCE_MS = 500
MS_PER_CHARACTER = 8

# Modes in which the first sight of two cards, drawn by chance, is like any other. In the others somebody chose the
# cards, or the players talk: a class teaches only where it was asked to.
TEACHING_MODES = ("endless", "daily")

# What overrules the rules for a whole player or a single label; see `standing`.
RETRACTED = "retracted"
BY_HAND = "by an admin"

Status = Literal["accepted", "quarantined", "excluded"]
DecidedBy = Literal["rules", "screen", "admin", "retraction"]
STATUSES: tuple[Status, ...] = get_args(Status)


@dataclass(frozen=True)
class Sighting:
    """What the rules look at in a guess. None stands for what is not known: a rule that needs it cannot run.

    Attributes:
        shown_at: when the player can have begun to read: the deal, or the guess before it if that came later.
        characters: of both cards together.
        accepted_today: labels of this player that were accepted on this day.
        mode: what the player was playing: endless, daily, challenge, practice or class.
        is_chosen: the pair was picked by somebody, not drawn by chance: the very first pair of a newcomer.
        class_teaches: for mode class: whoever opened the class said that its guesses may teach.
    """

    shown_at: datetime | None
    guessed_at: datetime
    characters: int | None
    has_cookie: bool | None
    is_simulated: bool
    is_repeat: bool
    recognised: bool
    accepted_today: int
    mode: str = "endless"
    is_chosen: bool = False
    class_teaches: bool = False


@dataclass(frozen=True)
class Label:
    """Whether a guess teaches, and if not, why not."""

    status: Status
    reason: str | None = None


def by_hand(status: Status) -> Label:
    """What a label says once an admin has set its status."""
    return Label(status, None if status == "accepted" else BY_HAND)


def judge(sighting: Sighting, learn_from: Collection[str] = ("real",)) -> Label:
    """The label of a guess; the first rule that applies gives the reason.

    A check that could not run is not a check that failed: where what it needs is not known, the rule does not apply.
    `learn_from` holds whose guesses teach: real, simulated.
    """
    is_real = not sighting.is_simulated
    excluded = {
        "simulated": sighting.is_simulated and "simulated" not in learn_from,
        "not simulated": is_real and "real" not in learn_from,
        "no cookie": sighting.has_cookie is False and is_real,
        "chosen pair": sighting.is_chosen,
        f"{sighting.mode} round": not _teaches(sighting),
        "repeated card": sighting.is_repeat,
        "recognised": sighting.recognised,
        # A simulated player reads in no time.
        "too quick": is_too_quick(sighting) is True and is_real,
    }
    for reason, applies in excluded.items():
        if applies:
            return Label("excluded", reason)
    if sighting.accepted_today >= DAILY_CAP and is_real:
        return Label("quarantined", "daily cap")
    return Label("accepted")


@dataclass(frozen=True)
class Standing:
    """How a label stands, by whose word, and what the rules alone say: what it goes back to when that word is taken
    back.
    """

    label: Label
    by: DecidedBy
    ruled: Label


def standing(ruled: Label, *, is_retracted: bool) -> Standing:
    """How a label stands, and by whose word, given what the rules say of the guess and of whom it is.

    A player whose labels were taken back teaches nothing new either; what the rules exclude keeps its own reason.
    """
    if is_retracted and ruled.status != "excluded":
        return Standing(Label("excluded", RETRACTED), "retraction", ruled)
    return Standing(ruled, "rules", ruled)


def is_too_quick(sighting: Sighting) -> bool | None:
    """Whether nobody could have read both cards between deal and guess; None where that cannot be told.

    It cannot where the time or the length is missing, or where the guess comes before the deal: two machines whose
    clocks differ, which says nothing of the player.
    """
    if sighting.shown_at is None or sighting.characters is None or sighting.guessed_at < sighting.shown_at:
        return None
    elapsed_ms = (sighting.guessed_at - sighting.shown_at).total_seconds() * 1000
    return elapsed_ms < GLANCE_MS + MS_PER_CHARACTER * sighting.characters


def _teaches(sighting: Sighting) -> bool:
    return sighting.mode in TEACHING_MODES or (sighting.mode == "class" and sighting.class_teaches)
