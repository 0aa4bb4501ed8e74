"""A screen: which of an archive's players guess in a way that no honest player does, told from all their guesses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from app.game import suspicion
from app.game.heed import Heed, heedless
from app.game.suspicion import Crowd, Seen, Suspicion
from app.game.weights import weigh
from app.jobs import joint
from app.jobs.joint import Fit, Picks, Variances

PASSES = 3  # the model is first told by everybody, then without those who were suspect


@dataclass(frozen=True)
class Screened:
    """What a screen found.

    Attributes:
        players: by id, what is to be said of each.
        crowd: what the honest ones are like; None where there are too few to say.
        strengths: by sample id its strength in logits, cross-fitted, and its standard error.
        variances: how far players and cards differ.
    """

    players: Mapping[int, Suspicion]
    crowd: Crowd | None
    strengths: Mapping[int, tuple[float, float]]
    variances: Variances


@dataclass(frozen=True)
class Rounds:
    """Guesses of real players at first sight, the oldest first, that the rules accept."""

    players: Sequence[int]
    samples: Sequence[int]
    tweets: Sequence[int]
    tweet_left: Sequence[bool]
    left: Sequence[bool]
    networks: Sequence[bytes | None]


def screen(rounds: Rounds, features: Mapping[int, Sequence[float]], heed: Heed = heedless) -> Screened:
    """Look at every player of these rounds.

    Args:
        rounds: all that is to be looked at.
        features: of each sample, by its id.
        heed: called many times; what it raises ends the screen.
    """
    names = [sorted(set(ids)) for ids in (rounds.players, rounds.samples, rounds.tweets)]
    if not names[0]:
        return Screened({}, None, {}, Variances())
    picks = _picks(rounds, names, features)
    trusted = np.ones(len(names[0]), dtype=np.bool_)
    told, variances = joint.fit_with_variances(_weighed(picks, rounds, trusted[picks.player]), heed=heed)
    found, crowd = _suspicions(picks, variances, told, trusted, heed)
    for _ in range(PASSES - 1):
        trusted = np.array([each.finding != "suspect" for each in found])
        taught = trusted[picks.player]
        weighed = _weighed(picks.only(taught), rounds, taught)
        told, variances = joint.fit_with_variances(weighed, variances, told, heed)
        found, crowd = _suspicions(picks, variances, told, trusted, heed)
    trusted = np.array([each.finding != "suspect" for each in found])
    clean = trusted[picks.player]
    honest = _weighed(picks.only(clean), rounds, clean)
    value, error = joint.strengths(honest, variances, told, heed=heed)
    return Screened(
        players=dict(zip(names[0], found, strict=True)),
        crowd=crowd,
        strengths={name: (float(value[i]), float(error[i])) for i, name in enumerate(names[1])},
        variances=variances,
    )


def _picks(rounds: Rounds, names: Sequence[Sequence[int]], features: Mapping[int, Sequence[float]]) -> Picks:
    numbers = [{name: number for number, name in enumerate(each)} for each in names]
    groups = (rounds.players, rounds.samples, rounds.tweets)
    player, sample, tweet = (
        np.array([number[name] for name in group], dtype=np.int64)
        for number, group in zip(numbers, groups, strict=True)
    )
    return Picks(
        *(player, sample, tweet),
        tweet_left=np.array(rounds.tweet_left, dtype=np.bool_),
        left=np.array(rounds.left, dtype=np.bool_),
        weight=np.ones(len(player)),
        features=joint.standardised([features[name] for name in names[1]]),
        counts=(len(names[0]), len(names[1]), len(names[2])),
    )


def _weighed(picks: Picks, rounds: Rounds, chosen: NDArray[np.bool_]) -> Picks:
    """The picks, weighed so that no player and no network rules what is learned of the cards."""
    networks = [network for network, is_chosen in zip(rounds.networks, chosen, strict=True) if is_chosen]
    return replace(picks, weight=weigh(picks.player.tolist(), networks).values)


def _suspicions(
    picks: Picks, variances: Variances, start: Fit, trusted: NDArray[np.bool_], heed: Heed
) -> tuple[list[Suspicion], Crowd | None]:
    base, lean = joint.without_each_player(picks, variances, start, trusted, heed=heed)
    order = np.argsort(picks.player, kind="stable")
    ends = np.cumsum(np.bincount(picks.player, minlength=picks.counts[0]))
    seen = []
    for end, count in zip(ends, np.bincount(picks.player, minlength=picks.counts[0]), strict=True):
        own = order[end - count : end][-suspicion.NEWEST :]
        seen.append(Seen(picks.tweet_left[own], picks.left[own], base[own], lean[own]))
    enough = [len(each.left) >= suspicion.FEWEST_GUESSES for each in seen]
    known = []
    for each, told, good in zip(seen, enough, trusted, strict=True):
        heed()
        if told and good:
            known.append(suspicion.skill_of(each))
    crowd = None
    if len(known) >= suspicion.FEWEST_PLAYERS:
        skills, errors = (np.array(each) for each in zip(*known, strict=True))
        crowd = suspicion.crowd_of(skills, errors)
    found = []
    for each in seen:
        heed()
        found.append(suspicion.suspect(each, crowd))
    return found, crowd
