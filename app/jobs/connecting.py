"""Connecting within a time: no byte of a certificate, of headers or of a body is waited for beyond it."""

from __future__ import annotations

import ssl
import time
from collections.abc import Iterable
from typing import Any

import httpcore


class Overtime(RuntimeError):  # noqa: N818
    """The time is up."""


class Clock:
    """A time that runs from now on."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    @property
    def is_over(self) -> bool:
        """Whether it is up."""
        return time.monotonic() >= self._end

    def within(self, seconds: float | None) -> float:
        """How long to wait, in seconds: as long as was asked for, or what is left where that is less.

        Raises:
            Overtime: nothing is left.
        """
        left = self._end - time.monotonic()
        if left <= 0:
            raise Overtime
        return left if seconds is None else min(seconds, left)


class Clocked(httpcore.NetworkBackend):
    """Opens connections that last as long as a clock runs."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._backend = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """Connect to a machine."""
        wait = self._clock.within(timeout)
        return _Stream(self._backend.connect_tcp(host, port, wait, local_address, socket_options), self._clock)


class _Stream(httpcore.NetworkStream):
    # A timeout of the stream beneath is for one piece alone: a server that drips sets it back with every byte.
    def __init__(self, stream: httpcore.NetworkStream, clock: Clock) -> None:
        self._stream = stream
        self._clock = clock

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, self._clock.within(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, self._clock.within(timeout))

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        stream = self._stream.start_tls(ssl_context, server_hostname, self._clock.within(timeout))
        return _Stream(stream, self._clock)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)

    def close(self) -> None:
        self._stream.close()
