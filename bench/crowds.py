"""Crowds made of code, whose skills and whose samples' strengths are known: what a screen is tried on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from app.jobs.screens import Rounds

KINDS = ("skilled", "careless", "one side", "bot", "saboteur")


class Crowd:
    """Players of several kinds who guess at cards of known strength.

    `shares` says how many of the players are of each kind; the others are skilled to different degrees.
    """

    def __init__(
        self,
        players: int = 200,
        guesses: int = 60,
        samples: int = 300,
        shares: Mapping[str, float] | None = None,
        seed: int = 1,
        spread: float = 0.6,
        level: float = 0.5,
    ) -> None:
        rng = np.random.default_rng(seed)
        shares = shares or {}
        self.kinds = [kind for kind in KINDS[1:] for _ in range(round(players * shares.get(kind, 0)))]
        self.kinds += ["skilled"] * (players - len(self.kinds))
        self.skills = {player: rng.normal(0, spread) for player in range(players)}
        sides = rng.normal(0, 0.25, players)
        self.features = {sample: list(rng.normal(0, 1, 4)) for sample in range(samples)}
        slope = np.array([0.4, -0.3, 0.0, 0.0])
        self.strengths = {s: float(np.array(f) @ slope + rng.normal(0, 0.5)) for s, f in self.features.items()}
        eases = rng.normal(0, 0.5, samples)
        columns: dict[str, list[Any]] = {
            name: [] for name in ("players", "samples", "tweets", "tweet_left", "left", "networks")
        }
        for player, kind in enumerate(self.kinds):
            for _ in range(guesses):
                sample, tweet, tweet_left = rng.integers(samples), rng.integers(samples), bool(rng.random() < 0.5)
                logit = level + self.skills[player] - self.strengths[int(sample)] + eases[tweet]
                left = self._pick(kind, logit, sides[player], tweet_left, rng)
                row = (player, int(sample), int(tweet), tweet_left, left, str(player).encode())
                for column, value in zip(columns.values(), row, strict=True):
                    column.append(value)
        self.rounds = Rounds(**columns)

    @staticmethod
    def _pick(kind: str, logit: float, side: float, tweet_left: bool, rng: np.random.Generator) -> bool:
        if kind == "one side":
            return bool(rng.random() < 0.98)
        if kind in ("careless", "bot"):
            looks = kind == "careless" and rng.random() < 0.3
            if not looks:
                return bool(rng.random() < 0.5)
        if kind == "saboteur":
            logit = -(logit + 1.5)  # reads better than most, and says the opposite
        return bool(rng.random() < 1 / (1 + np.exp(-(logit if tweet_left else -logit) - side)))

    def of(self, kind: str) -> list[int]:
        """The players of a kind."""
        return [player for player, each in enumerate(self.kinds) if each == kind]
