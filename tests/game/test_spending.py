"""Alpha spending: a few looks that err together no more often than one may."""

from __future__ import annotations

import numpy as np
import pytest

from app.game.spending import boundaries, spent

FIVE = (0.2, 0.4, 0.6, 0.8, 1.0)


def test_a_single_look_is_the_plain_test() -> None:
    assert boundaries((1.0,), (0.05,)) == pytest.approx((1.645,), abs=1e-3)


def test_five_equal_looks_have_the_boundaries_of_the_books() -> None:
    found = boundaries(FIVE, tuple(spent(part, 0.05) for part in FIVE))

    assert found == pytest.approx((4.23, 2.89, 2.30, 1.96, 1.74), abs=0.01)


def test_nothing_is_spent_before_anything_is_known_and_all_of_it_at_the_end() -> None:
    assert (spent(0, 0.05), spent(1, 0.05), spent(1.3, 0.05)) == (0, 0.05, 0.05)
    assert [spent(part, 0.05) for part in FIVE] == sorted(spent(part, 0.05) for part in FIVE)


@pytest.mark.parametrize("looks", [(0.1, 0.5, 1.0), (0.35, 0.4, 0.9, 1.0), (0.9, 1.0)])
def test_looks_that_come_at_odd_moments_err_no_more_often(looks: tuple[float, ...]) -> None:
    random = np.random.default_rng(1)
    steps = random.normal(0, np.sqrt(np.diff((0, *looks))), (200_000, len(looks)))
    walks = np.cumsum(steps, axis=1) / np.sqrt(looks)

    erred = (walks >= boundaries(looks, tuple(spent(part, 0.05) for part in looks))).any(axis=1).mean()

    assert erred == pytest.approx(0.05, abs=0.002)


def test_looks_without_more_evidence_are_refused() -> None:
    with pytest.raises(ValueError, match="growing evidence"):
        boundaries((0.5, 0.5), (0.01, 0.05))
