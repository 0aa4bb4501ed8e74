"""Arithmetic: what NumPy must be told, before it is imported, to multiply at its best."""

from __future__ import annotations

import contextlib
from pathlib import Path


def numpy_at_its_best() -> dict[str, str]:
    """Variables under which NumPy multiplies fastest in one of several processes; read when it is imported."""
    best = {"OPENBLAS_NUM_THREADS": "1"}
    with contextlib.suppress(OSError):
        if " avx512f " in Path("/proc/cpuinfo").read_text(encoding="utf-8"):
            # Its own choice on newer processors is half as fast (../docs/decisions.md).
            best["OPENBLAS_CORETYPE"] = "SkylakeX"
    return best
