"""The model card: every part has its place, and is written from the figures that a bench left."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tools import model_card

FIGURE = {"samples": 0.03, "tweets": 0.03, "low": 0.02, "high": 0.05}
FIGURES = {name: FIGURE for name in ("Self-BLEU", "distinct 2-grams", "non-words", "length", "longest copied run")}
ROW = {"temperature": 1.0, "top_p": 0.9, "passed": 0.6, "outside": 3, "distance": 0.8, "figures": FIGURES}


def test_every_part_has_its_place_in_the_card() -> None:
    card = model_card.CARD.read_text("utf-8")
    for name in model_card.PARTS:
        assert card.count(f"<!-- {name} -->") == card.count(f"<!-- /{name} -->") == 1


def test_what_was_not_measured_says_so_with_its_command(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    parts = {"training": (tmp_path / "none.json", model_card.training, "make bench-training")}
    monkeypatch.setattr(model_card, "PARTS", parts)
    assert "*Not measured yet: `make bench-training`.*" in model_card.filled("<!-- training -->old<!-- /training -->")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("part", "figures", "said"),
    [
        (
            "quality",
            {
                "ours-10": {"float32": {"bits_per_character": 1.9876}},
                "ours-30": {"bfloat16": {"bits_per_character": 1.7}},
            },
            "| ours-10 |  | 1.988 |\n| ours-30 | 1.700 |  |",
        ),
        (
            "ablations",
            {
                f"base, 5 minutes: {change}": {"bits_per_character": bits, "train_bits": 1.6, "epochs": 1.5}
                for change, bits in (("as it is", 1.75), ("64 rows", 1.735))
            },
            "| 64 rows | 1.735 | -0.015 | 1.600 | 1.50 |",
        ),
        (
            "training",
            {
                **{"network": "2 x 512", "unit": "characters a second", "ours_to": {"stock": 1.85}},
                **{"contestants": {"stock": {"best": 8300.4, "batch": 64}}, "ours_share_of_products": 0.5},
            },
            "| stock | 8,300 | 64 | 1.85 |",
        ),
        (
            "sampling",
            {
                **{"network": "2 x 512", "unit": "characters a second"},
                **{"contestants": {"predict": {"1": 6.2}}, "ours_to": {"predict": {"1": 900.0}}},
            },
            "| predict | 6 (900.0) |",
        ),
        (
            "decoding",
            {"samples": 100, "cards": 200, "rows": [ROW], "best": {"temperature": 1.0, "top_p": 0.9}},
            "| 1 / 0.9 ← | 0.03 | 0.03 | 0.03 | 0.03 | 3 | 0.80 | 60% |",
        ),
        (
            "base-curve",
            {
                name: {"tweets": 200, "minutes": 5, "bits_per_character": 2.1, "base_has_read_the_account": True}
                for name in ("base-200", "scratch-200")
            },
            "has read the account's own train split",
        ),
    ],
)
def test_a_part_shows_what_a_bench_left(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, part: str, figures: dict[str, Any], said: str
) -> None:
    if part in ("decoding", "base-curve"):
        pytest.importorskip("matplotlib", reason="plots need matplotlib: make setup-train")
    (tmp_path / "it.json").write_text(json.dumps(figures))
    monkeypatch.setattr(model_card, "PICTURES", tmp_path)
    monkeypatch.setattr(model_card, "PARTS", {part: (tmp_path / "it.json", model_card.PARTS[part][1], "make it")})
    assert said in model_card.filled(f"<!-- {part} --><!-- /{part} -->")
