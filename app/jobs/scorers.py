"""Where scorers lie: each in a file that is called by its own SHA-256, checked whenever it is read."""

from __future__ import annotations

import hashlib
from pathlib import Path

from model.checkpoint import replace_file
from model.scorer import Scorer, ScorerError


def write_scorer(folder: Path, scorer: Scorer) -> str:
    """Keep a scorer in `folder` under the name of its SHA-256, which is returned."""
    data = scorer.to_bytes()
    digest = hashlib.sha256(data).hexdigest()
    folder.mkdir(parents=True, exist_ok=True)
    replace_file(scorer_file(folder, digest), data)
    return digest


def read_scorer(folder: Path, digest: str) -> Scorer:
    """The scorer with that SHA-256, verified.

    Raises:
        ScorerError: it is missing, damaged, or no scorer.
    """
    path = scorer_file(folder, digest)
    try:
        data = path.read_bytes()
        if hashlib.sha256(data).hexdigest() != digest:
            raise ScorerError(f"damaged: its SHA-256 is not {digest[:12]}…")
        return Scorer.from_bytes(data)
    except OSError as error:
        raise ScorerError(f"{path}: {error.strerror or error}") from None
    except ScorerError as error:
        raise ScorerError(f"{path}: {error}") from None


def scorer_file(folder: Path, digest: str) -> Path:
    """Where the scorer with that SHA-256 lies."""
    return folder / f"{digest[:16]}.safetensors"
