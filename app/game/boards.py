"""Leaderboards: which guesses are ranked, of which day and week, and how far a ranked streak reaches."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from app.game import skill
from app.game.scoring import Verdict
from app.game.skill import KNOWN_FROM, NEWCOMER, Belief

SPANS = ("day", "week")
# Everywhere else somebody may have told the answer: a friend's challenge, the neighbour in class, the daily ten.
RANKED_MODES = ("endless",)
SITTING = timedelta(minutes=10)  # a round left open for longer ends a ranked streak: there was time to look it up
_MILLISECOND = timedelta(milliseconds=1)
_SECONDS_PER_DAY = 86_400
_FIRST_MONDAY = 4  # 5 January 1970, as a day since 1970


@dataclass(frozen=True)
class Score:
    """What a player did in a span of time in one archive.

    Attributes:
        belief: the skill that these guesses alone tell.
        streak: tweets spotted in a row, in one sitting.
    """

    guesses: int
    spotted: int
    belief: Belief
    streak: int
    best_streak: int
    last_guess_at: datetime

    @property
    def level(self) -> float | None:
        """What the ranking goes by; None where there are too few guesses to be ranked."""
        return self.belief.cautious if self.guesses >= KNOWN_FROM else None


def counts(mode: str, verdict: Verdict, *, repeat: bool, is_owned: bool, has_score: bool) -> bool:
    """Whether a guess is ranked: made by somebody known, at cards that they had not seen or known (`is_owned`).

    Whoever has a score keeps no miss from it, by saying that they knew the tweet or by leaving their cookie out.
    """
    is_told = is_owned or (has_score and verdict == "fooled")
    return mode in RANKED_MODES and not repeat and is_told


def period(span: str, at: datetime) -> int:
    """The day, or the week that begins on Monday, of a moment: counted since 1970, UTC."""
    day = int(at.timestamp() // _SECONDS_PER_DAY)
    return day if span == "day" else (day - _FIRST_MONDAY) // 7


def after(before: Score | None, sample: Belief, verdict: Verdict, at: datetime, last: datetime | None) -> Score:
    """The score after one more ranked guess; `last`: when the player made their last guess, anywhere.

    A streak is one sitting: it ends with a miss, when a round was left open for more than ten minutes, and when it was
    left for a round elsewhere.
    """
    score = before or Score(0, 0, NEWCOMER, 0, 0, at)
    stayed = (
        before is not None
        and last is not None
        and abs(last - before.last_guess_at) < _MILLISECOND
        and at - last <= SITTING
    )
    streak = (score.streak if stayed else 0) + 1 if verdict == "spotted" else 0
    return Score(
        guesses=score.guesses + 1,
        spotted=score.spotted + (verdict == "spotted"),
        belief=skill.player_after(score.belief, sample, verdict),
        streak=streak,
        best_streak=max(score.best_streak, streak),
        last_guess_at=at,
    )
