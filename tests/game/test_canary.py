"""The canary's rules: what is fixed, when one looks, and what a look decides."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from app.game.canary import LOOKS, Plan, Standing, is_due, judge, jumped, next_look, plan_for
from app.game.effect import Effect

PASSED = Standing(gates_passed=True)


def seen(z: float = 0.0, guesses: int = 5000, players: int = 100) -> Effect:
    return Effect(0.02 * z, 0.02, z, players, guesses, guesses // 5, 0.4, 0.4)


def small_plan() -> Plan:
    return plan_for(8)


def test_the_shares_are_a_fifth_and_half_where_few_play() -> None:
    assert (plan_for(30).share, plan_for(30).anchor_share, plan_for(30).is_small) == (0.2, 0.05, False)
    assert (plan_for(29).share, plan_for(29).is_small) == (0.5, True)
    assert plan_for(8, 0.3, as_said=True).share == 0.3


def test_the_least_players_are_half_of_the_active_ones_where_few_play() -> None:
    assert [plan_for(active).least_players for active in (0, 8, 29, 500)] == [3, 4, 15, 20]


def test_there_are_five_looks_at_most_and_the_last_at_all_that_was_planned() -> None:
    plan = plan_for(100)

    assert len(plan.looks) == len(LOOKS) == 5
    assert plan.looks[-1] == plan.guesses
    assert plan_for(100, 0.5).guesses < plan.guesses < plan_for(100, 0.1).guesses


def test_a_share_that_leaves_nothing_to_the_champion_is_refused() -> None:
    with pytest.raises(ValueError, match="leaves some to a champion"):
        plan_for(100, 0.96)


def test_a_canary_ends_before_the_first_guesses_of_its_evidence_are_removed() -> None:
    assert [plan_for(100, kept_days=days).days for days in (0, 1, 7, 14, 30)] == [14.0, 0.75, 6.75, 13.75, 14.0]


def test_a_plan_survives_being_stored() -> None:
    plan = plan_for(8)

    assert Plan.from_json(plan.to_json()) == plan


def test_one_looks_when_enough_came_in_or_the_days_are_over() -> None:
    plan = plan_for(100)
    first, second = plan.looks[:2]

    assert not is_due(plan, [], first - 1, 3)
    assert is_due(plan, [], first, 3)
    assert not is_due(plan, [first + 7], second - 1, 3)
    assert is_due(plan, [first + 7], second, 3)
    assert is_due(plan, [], 0, 14)
    # Looks that were missed are not made up for.
    assert next_look(plan, [plan.looks[2] + 1]) == plan.looks[3]
    assert next_look(plan, [plan.guesses]) is None


def test_an_early_look_needs_far_more_than_the_last_one() -> None:
    plan = plan_for(100)
    early = judge(plan, [], seen(2.5, plan.looks[0]), 3, PASSED)
    late = judge(plan, list(plan.looks[:4]), seen(2.5, plan.looks[4]), 9, PASSED)

    assert (early.verdict, late.verdict) == ("go on", "promote")
    assert early.limit > 4 > 2 > late.limit


def test_a_candidate_that_fools_less_is_rolled_back() -> None:
    plan = plan_for(100)

    assert judge(plan, [], seen(-5, plan.looks[0]), 2, PASSED).verdict == "roll back"


def test_the_last_look_ends_it() -> None:
    plan = plan_for(100)
    look = judge(plan, list(plan.looks[:4]), seen(0.5, plan.guesses), 9, PASSED)

    assert (look.verdict, look.basis, look.is_last) == ("no difference", "play", True)


def test_what_is_left_of_the_error_may_be_spent_on_the_last_day() -> None:
    plan = plan_for(100)
    on_time = judge(plan, [], seen(1.75, plan.looks[1]), 5, PASSED)
    last_day = judge(plan, [], seen(1.75, plan.looks[1]), 14, PASSED)

    assert (on_time.verdict, last_day.verdict) == ("go on", "promote")
    assert last_day.limit == pytest.approx(1.695, abs=0.01)


def test_too_few_players_decide_nothing_however_clear_it_looks() -> None:
    plan = plan_for(100)

    assert judge(plan, [], seen(9, plan.looks[0], players=5), 3, PASSED).verdict == "go on"
    assert judge(plan, [], seen(9, plan.looks[0], players=5), 14, PASSED).verdict == "no difference"


def test_a_busy_site_that_found_nothing_in_time_keeps_its_champion() -> None:
    assert judge(plan_for(100), [], seen(1.0, 2000), 14, Standing(True, scorer=0.2)).verdict == "no difference"


@pytest.mark.parametrize(
    ("standing", "z", "verdict", "basis", "words"),
    [
        (Standing(True, 0.03), 1.0, "promote", "gates and scorer", "the scorer's +0.03 log odds"),
        (Standing(True, -0.01), 1.0, "no difference", "gates and scorer", "the scorer expects -0.01 log odds"),
        (Standing(True), 1.0, "promote", "gates alone", "no scorer chose both"),
        (Standing(True), -0.5, "no difference", "gates alone", "play points downwards"),
        (Standing(False, 0.03), 1.0, "no difference", "gates and scorer", "did not pass the gates"),
    ],
)
def test_a_small_site_decides_on_the_last_day_by_what_else_is_known(
    standing: Standing, z: float, verdict: str, basis: str, words: str
) -> None:
    look = judge(small_plan(), [562, 1124], seen(z, 2000, players=8), 14, standing)

    assert (look.verdict, look.basis) == (verdict, basis)
    assert words in look.words


def test_where_nobody_played_the_gates_decide_alone() -> None:
    nothing = Effect(0.0, math.inf, 0.0, 0, 0, 0, None, None)

    look = judge(small_plan(), [], nothing, 14, PASSED)

    assert (look.verdict, look.basis) == ("promote", "gates alone")
    assert look.to_json()["error"] is look.to_json()["limit"] is None


def test_a_second_look_on_the_last_day_without_a_new_guess_still_ends_it() -> None:
    plan = small_plan()

    look = judge(plan, [562, 1124], replace(seen(0.5, 1124, players=8)), 14, PASSED)

    assert look.verdict == "promote"


@pytest.mark.parametrize(
    ("ours", "rounds", "theirs", "their_rounds", "jumps"),
    [
        (2, 10, 0, 1000, False),  # so few may be anybody
        (5, 200, 0, 800, True),
        (5, 200, 20, 800, False),
        (14, 500, 1, 500, True),
        (4, 500, 2, 500, False),
        (0, 0, 0, 0, False),
        (700, 5000, 700, 5000, False),  # more than a float holds ways to choose among
        (900, 5000, 500, 5000, True),
        (900, 5000, 0, 0, False),  # nothing to compare with
    ],
)
def test_reports_jump_where_chance_does_not_explain_them(
    ours: int, rounds: int, theirs: int, their_rounds: int, jumps: bool
) -> None:
    assert jumped(ours, rounds, theirs, their_rounds) is jumps
