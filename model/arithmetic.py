"""Arithmetic: what this processor can do, and what NumPy must be told, before it is imported, to multiply well."""

from __future__ import annotations

from pathlib import Path


def processor_has(*features: str) -> bool:
    """Whether this processor has one of these features, by their names in /proc/cpuinfo."""
    try:
        return not set(Path("/proc/cpuinfo").read_text(encoding="utf-8").split()).isdisjoint(features)
    except OSError:
        return False


def has_bfloat16() -> bool:
    """Whether this processor multiplies bfloat16 faster than float32."""
    return processor_has("avx512_bf16", "amx_bf16")


def numpy_at_its_best() -> dict[str, str]:
    """Variables under which NumPy multiplies fastest in one of several processes; read when it is imported."""
    best = {"OPENBLAS_NUM_THREADS": "1"}
    if processor_has("avx512f"):
        # Its own choice on newer processors is half as fast (../docs/decisions.md).
        best["OPENBLAS_CORETYPE"] = "SkylakeX"
    return best
