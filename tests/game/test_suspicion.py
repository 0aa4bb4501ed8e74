"""Suspicion: who is held, who is not, and when nothing can be told."""

from __future__ import annotations

from itertools import combinations
from math import prod

import numpy as np
import pytest

from app.game.suspicion import OUTLIER_REASON, SAME_SIDE_REASON, Crowd, Seen, at_least, crowd_of, skill_of, suspect

AVERAGE = Crowd(0.0, 0.5)


def seen(count, spots, sides="even", base=0.5):
    """A player who spots a share of the tweets; `sides` left: who always picks the left card."""
    rng = np.random.default_rng(count)
    tweet_left = rng.random(count) < 0.5
    left = (
        np.ones(count, bool) if sides == "left" else np.where(np.arange(count) < spots * count, tweet_left, ~tweet_left)
    )
    return Seen(tweet_left, left, np.full(count, base), np.zeros(count))


def test_one_who_always_picks_the_left_card_is_held():
    found = suspect(seen(60, 0.5, "left"), AVERAGE)
    assert (found.finding, found.reason) == ("suspect", SAME_SIDE_REASON)


@pytest.mark.parametrize("spots", [0.0, 0.1])
def test_one_who_spots_next_to_none_is_held(spots):
    found = suspect(seen(60, spots), AVERAGE)
    assert (found.finding, found.reason) == ("suspect", OUTLIER_REASON)


def test_one_who_knows_every_tweet_is_held():
    assert suspect(seen(200, 1.0), AVERAGE).reason == OUTLIER_REASON


@pytest.mark.parametrize("spots", [0.45, 0.6, 0.75, 0.85])
def test_who_is_better_or_worse_than_most_is_not(spots):
    assert suspect(seen(100, spots), AVERAGE).finding == "fine"


def test_of_few_guesses_nothing_is_told():
    assert suspect(seen(19, 0.0), AVERAGE).finding == "cannot tell"
    assert suspect(seen(0, 0.0), AVERAGE).finding == "cannot tell"


def test_without_a_crowd_nothing_is_told():
    assert suspect(seen(200, 0.0), None).finding == "cannot tell"


def test_skill_is_measured_from_what_the_cards_make_of_an_average_player():
    skill, error = skill_of(seen(400, 0.62))
    assert abs(skill) < 2 * error
    assert skill_of(seen(400, 0.8))[0] > 0.5


def test_a_fifth_that_votes_wrong_on_purpose_hardly_widens_the_crowd():
    rng = np.random.default_rng(3)
    skills = np.concatenate([rng.normal(0, 0.6, 400), np.full(100, -2.5)])
    crowd = crowd_of(skills, np.full(500, 0.2))
    assert abs(crowd.skill) < 0.3
    assert 0.5 <= crowd.spread <= 0.75  # the plain standard deviation is 1.15


def test_the_chance_of_at_least_so_many_is_exact():
    chances = np.array([0.1, 0.5, 0.7, 0.9])
    for count in range(5):
        exact = sum(
            prod(c if i in hit else 1 - c for i, c in enumerate(chances))
            for size in range(count, 5)
            for hit in combinations(range(4), size)
        )
        assert at_least(chances, count) == pytest.approx(exact)
