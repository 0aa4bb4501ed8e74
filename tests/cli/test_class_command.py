"""The command `class`: which address it tells players."""

from __future__ import annotations

import shutil
import subprocess
import sys

import pytest

pytestmark = pytest.mark.process

# A machine of its own, as far as networks go; in a pair of linked interfaces each stands for a cable to the other.
_ALONE = ("unshare", "--map-root-user", "--net")
_JOIN = "ip link add v0 type veth peer name v1 && ip link set v1 up && ip link set v0 up && ip addr add {} dev v0"
_ASK = "from app.cli.classroom import local_address; print(local_address())"


def told(prepare: str) -> str:
    """The address that is told in a network where `prepare` was run."""
    if not all(map(shutil.which, ("unshare", "ip"))):
        pytest.skip("no network of our own can be made: unshare or ip is missing")
    probe = subprocess.run([*_ALONE, "sh", "-c", prepare], capture_output=True, text=True, check=False)
    if probe.returncode:
        pytest.skip(f"no network of our own can be made here: {probe.stderr.strip()}")
    script = f"{prepare} && exec {sys.executable} -c '{_ASK}'"
    run = subprocess.run([*_ALONE, "sh", "-c", script], capture_output=True, text=True, check=True)
    return run.stdout.strip()


def test_in_a_network_that_leads_nowhere_else_players_are_told_the_address_there() -> None:
    assert told(_JOIN.format("192.168.7.23/24")) == "192.168.7.23"


def test_with_a_way_out_it_is_the_address_that_goes_there() -> None:
    way_out = _JOIN.format("10.9.8.7/24") + " && ip route add default via 10.9.8.1"
    assert told(f"ip addr add 10.1.1.1/24 dev lo && {way_out}") == "10.9.8.7"


def test_a_machine_in_no_network_has_none() -> None:
    assert told("ip link set lo up") == "127.0.0.1"
