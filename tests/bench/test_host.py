"""The bench of a small host: it counts all that a process started, and knows what the small form allows."""

from __future__ import annotations

import subprocess
import sys

import pytest

from bench import host

pytestmark = pytest.mark.slow  # to load the benches is

FAMILY = """
import subprocess, sys
kept = bytearray(b"x") * 40_000_000
child = [sys.executable, "-c", "import time; kept = bytearray(b'x') * 60_000_000; print(flush=True); time.sleep(60)"]
with subprocess.Popen(child, stdout=subprocess.PIPE) as process:
    process.stdout.readline()
    print(flush=True)
    sys.stdin.readline()
    process.kill()
"""


def test_what_a_process_started_counts_too() -> None:
    command = [sys.executable, "-c", FAMILY]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        held = host.megabytes_of(process.pid)
        process.communicate(b"\n")
    assert 100 < held < 200
    assert host.megabytes_of(process.pid) == 0.0


def test_what_the_small_form_allows_fits_a_host_of_two_gigabytes() -> None:
    allowed = host.allowed()
    assert set(allowed) == {"web", "worker"}
    assert sum(allowed.values()) < 2000
