"""What hangs in the hall, and the family tree."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.game.hanging import Member, family, groups


@dataclass(frozen=True)
class Seen:
    guesses: int
    fooled: int


def test_samples_are_grouped_by_how_players_rated_them() -> None:
    found = groups([Seen(10, 5), Seen(20, 15), Seen(10, 4), Seen(8, 2), Seen(10, 2), Seen(20, 0), Seen(4, 4)])
    assert [group.name for group in found] == ["Convincing", "Half right", "Caught"]
    assert [group.samples for group in found] == [
        [Seen(20, 15), Seen(10, 5)],
        [Seen(10, 4), Seen(8, 2)],
        [Seen(20, 0), Seen(10, 2)],
    ]


@pytest.mark.slow
@given(st.lists(st.integers(1, 40).flatmap(lambda n: st.builds(Seen, st.just(n), st.integers(0, n))), max_size=40))
def test_nothing_hangs_twice_or_with_too_few_guesses(seen: list[Seen]) -> None:
    hung = [sample for group in groups(seen) for sample in group.samples]
    assert all(sample.guesses >= 5 for sample in hung)
    assert all(hung.count(sample) <= seen.count(sample) for sample in hung)


def member(number: int, parent: int | None) -> Member:
    return Member(number, parent, f"v{number}", (), guesses=10, fooled=3)


def test_each_generator_stands_below_the_one_it_was_made_from() -> None:
    tree = family([member(1, None), member(2, 1), member(3, 1), member(4, 2), member(5, None)])
    assert [(depth, each.name) for depth, each in tree] == [(0, "v1"), (1, "v2"), (2, "v4"), (1, "v3"), (0, "v5")]


def test_one_whose_parent_is_not_shown_stands_at_the_top() -> None:
    assert [(depth, each.name) for depth, each in family([member(8, 7), member(9, 8)])] == [(0, "v8"), (1, "v9")]


def test_a_long_line_of_generators_is_no_trouble() -> None:
    tree = family([member(number, number - 1 or None) for number in range(1, 3000)])
    assert tree[-1][0] == 2998


def test_few_guesses_have_no_fool_rate() -> None:
    assert Member(1, None, "v1", (), guesses=4, fooled=2).fool_rate is None
    assert member(1, None).fool_rate == 0.3
