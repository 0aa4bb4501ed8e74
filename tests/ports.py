"""Ports for servers that tests start as processes."""

from __future__ import annotations

import os
import socket
from contextlib import suppress
from itertools import count

# Below those that the system gives to whoever asks for any; another stretch of them for each process of a run.
_ports = count(10_000 + os.getpid() * 64 % 20_000)


def free_port() -> int:
    """A port that nobody listens at, and that the system gives to nobody meanwhile; each time another one."""
    for port in _ports:
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port
    raise AssertionError("unreachable")
