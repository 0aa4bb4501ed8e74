"""How well scores rank cases: the area under the ROC curve, and its error where cases are not independent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def auc(scores: Floats, answers: Floats) -> float:
    """The chance that a case that is so scores above one that is not; 0.5 where all are alike."""
    return auc_and_error(scores, answers, np.ones(len(answers)), ())[0]


def auc_and_error(
    scores: Floats, answers: Floats, weights: Floats, clusters: Sequence[NDArray[Any]]
) -> tuple[float, float | None]:
    """The same where cases are weighted, and its standard error where those of a cluster are not independent.

    Obuchowski's (Biometrics 53, 1997) for each way of clustering; the ways together by what Cameron, Gelbach and Miller
    (2011) say of them, where hardly two cases are in the same cluster in two ways.

    Args:
        scores: of the cases.
        answers: 1 where a case is so, 0 where not.
        weights: of the cases.
        clusters: for each way of clustering, the number of each case's cluster, from 0.
    """
    yes, no = weights * answers, weights * (1 - answers)
    if not yes.sum() or not no.sum():
        return 0.5, None
    values, places = np.unique(scores, return_inverse=True)
    at_yes, at_no = (np.bincount(places, each, len(values)) / each.sum() for each in (yes, no))
    # For each case how many of the other kind it is on the right side of; ties are halves.
    above, below = (at_no.cumsum() - at_no / 2)[places], 1 - (at_yes.cumsum() - at_yes / 2)[places]
    found = float(yes @ above / yes.sum())
    pull = yes / yes.sum() * (above - found) + no / no.sum() * (below - found)
    alone = float(pull @ pull)
    together = []
    for cluster in clusters:
        sums = np.bincount(cluster, pull)
        if len(sums) < 2:
            return found, None
        together.append(float(sums @ sums) * len(sums) / (len(sums) - 1))
    variance = max(alone, *together, sum(together) - (len(together) - 1) * alone) if together else alone
    return found, variance**0.5 if variance > 0 else None


def effective_number(cluster: NDArray[Any], weights: Floats) -> float:
    """How many clusters there would be, were they all of one weight (Kish 1965), from the number of each case's."""
    shares = np.bincount(cluster, weights) / weights.sum()
    return float(1 / (shares @ shares))
