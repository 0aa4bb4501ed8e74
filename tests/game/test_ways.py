"""What is learned from how many labels, and how the search for a decoding goes: one careful step at a time."""

from __future__ import annotations

import pytest

from app.game.learning import LEAST_GUESSES, TEMPERATURES, TOP_PS, Draw, Tried, next_draw, side_by_side, ways

NOW = Draw(1.0, 0.98)


def tried(guesses: float, rate: float) -> Tried:
    return Tried(guesses, guesses * rate)


def test_few_labels_choose_the_decoding_and_many_train_a_scorer_and_the_network() -> None:
    assert ways(50) == ways(1999) == ("decoding",)
    assert ways(2000) == ways(50_000) == ("scorer", "weights")


def test_nothing_is_changed_before_the_present_decoding_is_known() -> None:
    assert next_draw({}, NOW).draw is None
    step = next_draw({NOW: tried(99, 0.3)}, NOW)
    assert step.draw is None
    assert "has 99 labels by chance, 100 are needed" in step.words


def test_the_first_step_goes_to_a_neighbour_that_is_more_cautious() -> None:
    assert next_draw({NOW: tried(300, 0.3)}, NOW).draw == Draw(0.9, 0.98)


def test_a_step_that_failed_a_gate_comes_after_the_others() -> None:
    first = next_draw({NOW: tried(300, 0.3)}, NOW).draw
    assert first is not None
    assert next_draw({NOW: tried(300, 0.3)}, NOW, {first}).draw == Draw(1.0, 0.95)
    assert next_draw({NOW: tried(300, 0.3)}, NOW, NOW.neighbours()).draw == first


def test_a_step_that_fooled_fewer_is_taken_back() -> None:
    worse = Draw(0.9, 0.98)

    step = next_draw({NOW: tried(400, 0.35), worse: tried(400, 0.2)}, worse)

    assert step.draw == NOW
    assert "temperature 1, top-p 0.98 fooled" in step.words


def test_a_step_that_fooled_more_goes_on_the_same_way() -> None:
    better = Draw(0.9, 0.98)

    assert next_draw({NOW: tried(400, 0.2), better: tried(400, 0.35)}, better).draw == Draw(0.8, 0.98)
    sideways = Draw(1.0, 1.0)
    assert next_draw({NOW: tried(400, 0.2), sideways: tried(400, 0.35)}, sideways).draw == Draw(0.9, 1.0)


def test_where_no_neighbour_fools_more_it_has_settled() -> None:
    known = {draw: tried(300, 0.2) for draw in NOW.neighbours()} | {NOW: tried(300, 0.3)}

    step = next_draw(known, NOW)

    assert step.draw is None
    assert "it has settled" in step.words


def test_a_lucky_start_of_a_few_guesses_does_not_decide() -> None:
    lucky = Draw(0.9, 0.98)

    assert next_draw({NOW: tried(2000, 0.3), lucky: tried(LEAST_GUESSES - 1, 0.9)}, NOW).draw == lucky
    assert next_draw({NOW: tried(2000, 0.3), lucky: tried(LEAST_GUESSES - 1, 0.9)}, lucky).draw is None


@pytest.mark.parametrize("temperature", TEMPERATURES)
@pytest.mark.parametrize("top_p", TOP_PS)
def test_every_step_is_one_step_within_the_grid(temperature: float, top_p: float) -> None:
    place = Draw(temperature, top_p)

    step = next_draw({place: tried(500, 0.3)}, place).draw

    assert step in place.neighbours()
    assert all(place in neighbour.neighbours() for neighbour in place.neighbours())


def test_any_decoding_has_a_place_on_the_grid() -> None:
    assert Draw.nearest(0.84, 0.999) == Draw(0.8, 1.0)
    assert Draw.nearest(5.0, 0.1) == Draw(1.1, 0.9)


def many(draw: Draw, week: int, guesses: int, rate: float) -> list[tuple[Draw, int, float, bool]]:
    return [(draw, week, 1.0, number < guesses * rate) for number in range(guesses)]


def test_decodings_are_compared_in_the_weeks_in_which_both_were_played() -> None:
    """At first players are easily fooled: whatever was played then would look better for ever."""
    old, new = NOW, Draw(0.9, 0.98)
    rounds = many(old, 1, 600, 0.45) + many(old, 9, 400, 0.28) + many(new, 9, 400, 0.30)
    known = side_by_side(rounds)
    assert {draw: each.guesses for draw, each in known.items()} == {old: 1000, new: 400}
    assert known[new].fooled / 400 > known[old].fooled / 1000
    assert sum(each.fooled for each in known.values()) == pytest.approx(sum(fooled for *_, fooled in rounds))
    assert next_draw(known, old).draw == new


def test_what_was_played_alone_is_known_by_the_mean_of_all() -> None:
    known = side_by_side(many(NOW, 1, 200, 0.4) + many(Draw(0.9, 0.98), 2, 200, 0.2))
    assert [each.fooled / each.guesses for each in known.values()] == pytest.approx([0.3, 0.3])
    assert side_by_side([]) == {}
