"""Configs and recipes: refused by the name of what is wrong."""

from __future__ import annotations

from typing import Any

import pytest

from model.config import RATE, TUNING_RATE, Config, ConfigError, Recipe


def test_a_config_comes_back_from_json_as_it_was() -> None:
    config = Config("gru", 3, 96, 20)
    assert Config.from_json(config.to_json()) == config


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"cell": "transformer"}, "cell"),
        ({"cell": ["lstm"]}, "cell"),
        ({"layers": 0}, "layers"),
        ({"units": 2.5}, "units"),
        ({"units": True}, "units"),
        ({"embedding": 10**9}, "embedding"),
        ({"depth": 2}, "depth"),
    ],
)
def test_a_malformed_config_is_refused_by_name(change: dict[str, Any], named: str) -> None:
    with pytest.raises(ConfigError, match=named):
        Config.from_json({**Config().to_json(), **change})


def test_a_missing_field_is_refused_by_name() -> None:
    data = Config().to_json()
    del data["units"]
    with pytest.raises(ConfigError, match="units"):
        Config.from_json(data)


@pytest.mark.parametrize(
    "change",
    [
        *({"minutes": -1.0}, {"rate": 0}, {"dropout": 1.0}, {"batch": float("nan")}, {"minutes": 0}, {"epochs": 0.0}),
        *({"batch": 2.5}, {"averaging": 1.0}, {"warm_up": 1.0}),
    ],
)
def test_a_malformed_recipe_is_refused_by_name(change: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=next(iter(change))):
        Recipe(**change)


def test_the_rate_climbs_and_then_falls() -> None:
    recipe = Recipe(rate=1.0, warm_up=0.1)
    rates = [recipe.rate_at(progress / 100) for progress in range(101)]
    assert max(rates) == rates[10] == 1.0
    assert rates[:11] == sorted(rates[:11])
    assert rates[10:] == sorted(rates[10:], reverse=True)
    assert 0 < rates[100] < 0.01


def test_small_corpora_get_more_noise() -> None:
    small, large = Recipe().filled(300_000), Recipe().filled(50_000_000)
    assert (small.dropout or 0) > (large.dropout or 0)
    assert Recipe(dropout=0.3).filled(300_000).dropout == 0.3


def test_short_trainings_get_less_noise() -> None:
    assert [Recipe(full_noise=6.0).noise_for(passes) for passes in (0.0, 1.5, 6.0, 30.0)] == [0.0, 0.25, 1.0, 1.0]
    assert Recipe(full_noise=0.0).noise_for(0.0) == 1.0


def test_a_network_that_begins_from_another_gets_no_more_noise_for_a_small_corpus() -> None:
    assert Recipe().filled(300_000, tuning=True) == Recipe(rate=TUNING_RATE, full_noise=0.0).filled(2_000_000)


def test_a_network_that_begins_from_another_takes_gentler_steps_unless_told_otherwise() -> None:
    rates = [recipe.filled(9, tuning=tuning).rate for recipe in (Recipe(), Recipe(rate=3e-3)) for tuning in (0, 1)]
    assert rates == [RATE, TUNING_RATE, 3e-3, 3e-3]
