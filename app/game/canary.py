"""The canary's rules: how long a candidate is tried beside the champion, when one looks, and what a look decides.

Everything that could bend a verdict is fixed when the canary opens: the shares, the guesses at which one looks, the
error that may be spent, the day on which it ends.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal, Self

from app.game.effect import Effect
from app.game.spending import boundaries, spent

SHARE = 0.20  # of rounds that the candidate plays
ANCHOR_SHARE = 0.05  # of rounds that the anchor plays: a yardstick over the years, no evidence
SMALL_SHARE = 0.50  # the candidate's, where few people play
FEW_PLAYERS = 30  # active within a week: fewer make a site small
LEAST_PLAYERS = 20  # in the evidence, before anything is decided on it
LEAST_LABELS = 5  # accepted, of a player whose guesses count
DAYS = 14.0  # that a canary takes at most
MARGIN = 0.25  # days: so long before its first guesses are removed a canary ends
ALPHA = 0.045  # one-sided, over all looks; a little below 5 %, for the model's error is itself an estimate
LOOKS = (0.2, 0.4, 0.6, 0.8, 1.0)  # of the planned guesses
# Guesses for which +5 points are found out about four times in five, each arm having its share of them:
# NEEDED * (1 / candidate's share + 1 / champion's share), the shares being those among the two.
NEEDED = 700
LEAST_REPORTS = 3  # of a candidate's rounds, before more than the champion's are a jump
RARE = 0.001  # so seldom would chance alone bring as many

Verdict = Literal["go on", "promote", "roll back", "no difference"]
Basis = Literal["play", "gates and scorer", "gates alone"]


@dataclass(frozen=True)
class Plan:
    """What is fixed when a canary opens.

    Attributes:
        share: of rounds that the candidate plays.
        anchor_share: of rounds that the anchor plays.
        guesses: of evidence, at which the last look comes.
        looks: guesses of evidence at which one looks; the last of them is `guesses`.
        least_players: in the evidence, before a look decides.
        active: players who were active in the week before it opened.
        is_small: whether so few play that it may end without enough evidence.
    """

    share: float
    anchor_share: float
    guesses: int
    looks: tuple[int, ...]
    least_players: int
    active: int
    is_small: bool
    days: float = DAYS
    alpha: float = ALPHA

    @classmethod
    def from_json(cls, fields: Mapping[str, Any]) -> Self:
        """The plan that `to_json` described."""
        return cls(**{**fields, "looks": tuple(fields["looks"])})

    def to_json(self) -> dict[str, Any]:
        """The fields as plain values."""
        return asdict(self)


@dataclass(frozen=True)
class Look:
    """One look at the evidence.

    Attributes:
        limit: the z at which it would have been decided; infinite where there were too few players.
        basis: what the verdict rests on.
    """

    verdict: Verdict
    basis: Basis
    effect: Effect
    limit: float
    is_last: bool
    words: str

    def to_json(self) -> dict[str, Any]:
        """The figures as plain values."""
        figures = self.effect.to_json()
        return {
            **{"verdict": self.verdict, "basis": self.basis, "limit": _plain(self.limit), "is_last": self.is_last},
            **{name: _plain(value) for name, value in figures.items()},
            "words": self.words,
        }


@dataclass(frozen=True)
class Standing:
    """What a verdict rests on where play does not tell.

    Attributes:
        gates_passed: whether the candidate passed every gate; one that was let in by hand may have met none.
        scorer: by how many log odds the scorer expects the candidate to be believed more; None where none chose the
            samples of both.
    """

    gates_passed: bool
    scorer: float | None = None


def plan_for(
    active: int,
    share: float = SHARE,
    anchor_share: float = ANCHOR_SHARE,
    *,
    as_said: bool = False,
    kept_days: int = 0,
) -> Plan:
    """The plan of a canary where `active` players were seen within a week.

    A small site's candidate plays half of the rounds at least, unless a person said how many (`as_said`). Where guesses
    are kept for `kept_days` alone (0: for good), it ends before the first of its evidence goes.

    Raises:
        ValueError: that share leaves nothing to the champion.
    """
    is_small = active < FEW_PLAYERS
    chosen = max(share, SMALL_SHARE) if is_small and not as_said else share
    if not 0 < chosen < 1 - anchor_share:
        raise ValueError(
            f"found a share of {chosen:.0%} for the candidate, expected one that leaves some to a champion"
        )
    champion = 1 - chosen - anchor_share
    both = chosen + champion
    guesses = math.ceil(NEEDED * (both / chosen + both / champion))
    least = min(LEAST_PLAYERS, max(3, math.ceil(active / 2))) if is_small else LEAST_PLAYERS
    looks = tuple(math.ceil(part * guesses) for part in LOOKS)
    days = min(DAYS, kept_days - MARGIN) if kept_days else DAYS
    return Plan(chosen, anchor_share, guesses, looks, least, active, is_small, days)


def next_look(plan: Plan, looked_at: Sequence[int]) -> int | None:
    """The guesses of evidence at which the next look is due, given those of the looks before; None after the last."""
    last = max(looked_at, default=0)
    return next((at for at in plan.looks if at > last), None)


def is_due(plan: Plan, looked_at: Sequence[int], guesses: int, days: float) -> bool:
    """Whether it is time to look: enough came in, or the last day is over."""
    due = next_look(plan, looked_at)
    return days >= plan.days or (due is not None and guesses >= due)


def judge(plan: Plan, looked_at: Sequence[int], effect: Effect, days: float, standing: Standing) -> Look:
    """What one look decides.

    Args:
        plan: as it was fixed.
        looked_at: guesses of evidence at the looks before this one.
        effect: what the evidence shows.
        days: since the canary opened.
        standing: what decides where play cannot.
    """
    is_over = days >= plan.days
    is_last = is_over or effect.guesses >= plan.guesses
    limit = math.inf
    # Before the first look at enough players none of the error is spent.
    if effect.players >= plan.least_players and effect.guesses > max(looked_at, default=0):
        limit = _limit(plan, looked_at, effect.guesses, is_last)
    look = Look("go on", "play", effect, limit, is_last, "")
    if effect.z >= limit:
        return _worded(look, "promote", f"the candidate fools more: {_told(effect)}")
    if effect.z <= -limit:
        return _worded(look, "roll back", f"the candidate fools less: {_told(effect)}")
    if not is_last or (not is_over and effect.players < plan.least_players):
        return _worded(look, "go on", f"not decided yet: {_told(effect)}")
    if plan.is_small and effect.guesses < plan.guesses:
        return _undecided(look, plan, standing)
    return _worded(look, "no difference", f"no difference was found: {_told(effect)}")


def jumped(candidate: int, candidate_rounds: int, champion: int, champion_rounds: int) -> bool:
    """Whether something bad (reports, hidden samples) befalls the candidate's rounds more often than chance explains.

    Given how many there are of both, each is the candidate's with the candidate's share of the rounds: an exact
    one-sided binomial test. Where only one of the two was played there is nothing to compare.
    """
    rounds = candidate_rounds + champion_rounds
    if candidate < LEAST_REPORTS or not rounds:
        return False
    both, share = candidate + champion, candidate_rounds / rounds
    if not 0 < share < 1:
        return False
    return sum(_binomial(count, both, share) for count in range(candidate, both + 1)) < RARE


def _binomial(count: int, of: int, share: float) -> float:
    """The chance of exactly so many; by logarithms, since a thousand can be chosen in more ways than a float holds."""
    ways = math.lgamma(of + 1) - math.lgamma(count + 1) - math.lgamma(of - count + 1)
    return math.exp(ways + count * math.log(share) + (of - count) * math.log1p(-share))


def _limit(plan: Plan, looked_at: Sequence[int], guesses: int, is_last: bool) -> float:
    evidence = (*looked_at, guesses)
    spending = [spent(at / plan.guesses, plan.alpha) for at in evidence]
    if is_last:
        spending[-1] = plan.alpha  # whatever was not spent before
    return boundaries(tuple(map(float, evidence)), tuple(spending))[-1]


def _undecided(look: Look, plan: Plan, standing: Standing) -> Look:
    """A small site's candidate on the last day: what was known before decides, unless play speaks against it."""
    effect = look.effect
    basis: Basis = "gates alone" if standing.scorer is None else "gates and scorer"
    look = replace(look, basis=basis)
    played = f"not decided by play in {plan.days:.0f} days ({_told(effect)})"
    if not standing.gates_passed:
        return _worded(look, "no difference", f"{played}; it did not pass the gates")
    if effect.estimate < 0:
        return _worded(look, "no difference", f"{played}; play points downwards")
    if standing.scorer is None:
        return _worded(look, "promote", f"{played}; promoted on the gates alone: no scorer chose both")
    if standing.scorer <= 0:
        return _worded(look, "no difference", f"{played}; the scorer expects {_log_odds(standing.scorer)}")
    return _worded(look, "promote", f"{played}; promoted on the gates and the scorer's {_log_odds(standing.scorer)}")


def _worded(look: Look, verdict: Verdict, words: str) -> Look:
    return replace(look, verdict=verdict, words=words)


def _told(effect: Effect) -> str:
    counted = f"{effect.guesses:,} guesses of {effect.players:,} players"
    if not math.isfinite(effect.error):
        return f"{counted} are too few to tell"
    low, high = effect.interval()
    return f"{_points(effect.estimate)} (95 %: {100 * low:+.1f} to {100 * high:+.1f}) in {counted}"


def _points(value: float) -> str:
    return f"{100 * value:+.1f} points"


def _log_odds(value: float) -> str:
    # Of being believed: how many points that is hangs on what a sample stands beside.
    return f"{value:+.2f} log odds"


def _plain(value: Any) -> Any:
    # Infinity is no JSON.
    return None if isinstance(value, float) and not math.isfinite(value) else value
