"""How many inputs are tried: a short form with every run, a hundred thousand and more with `make fuzz`."""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, settings

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "20"))
TRIED = {"inputs": 0}

settings.register_profile(
    "fuzz", max_examples=EXAMPLES, deadline=None, database=None, suppress_health_check=list(HealthCheck)
)


@pytest.fixture
def tried() -> dict[str, int]:
    return TRIED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if TRIED["inputs"]:
        terminalreporter.write_line(f"{TRIED['inputs']:,} inputs were tried")
