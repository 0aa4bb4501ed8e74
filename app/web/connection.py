"""A connection: the server's own protocol, with an end to how long and how slowly a request may come.

Headers of any size would be kept in memory until they end, and whoever sends none, or a body drop by drop, keeps a
connection for ever. A proxy in front has limits of its own; without one, as on a local network, there are these.
"""

from __future__ import annotations

import asyncio
from asyncio import TimerHandle

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MOST_BYTES = 64 * 1024  # of a head, and of what follows a body in chunks


class Connection(HttpToolsProtocol):
    """Closes where a head is too large or does not come, or a body hardly does."""

    patience = 20.0  # seconds for the whole of a head
    lull = 60.0  # seconds in which a body must bring some bytes: a telephone may go through a tunnel
    least = 8 * 1024  # so many

    _head = 0  # bytes since something that was not part of a head
    _waiting: TimerHandle | None = None
    _body: int | None = None  # bytes of a body since it was last looked at; None: none is expected
    _watching: TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Wait for the first head."""
        super().connection_made(transport)
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no more."""
        self._arrived()
        self._body_came()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take what came, and count it as long as it belongs to a head."""
        self._head += len(data)
        super().data_received(data)
        if self.transport.is_closing():
            return
        if self._head > MOST_BYTES:
            self._arrived()
            self.send_400_response("Too many headers.")
        elif self._head and self._waiting is None:
            self._wait()
        if self._body is not None and self._watching is None:
            self._watching = self.loop.call_later(self.lull, self._look_at_pace)

    def on_headers_complete(self) -> None:
        """The head is whole."""
        self._arrived()
        self._body = 0
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """A piece of a body, which has limits of its own."""
        self._arrived()
        self._body = (self._body or 0) + len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        """The request is whole."""
        self._arrived()
        self._body_came()
        super().on_message_complete()

    def _wait(self) -> None:
        self._waiting = self.loop.call_later(self.patience, self.transport.close)

    def _arrived(self) -> None:
        self._head = 0
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None

    def _body_came(self) -> None:
        self._body = None
        if self._watching is not None:
            self._watching.cancel()
            self._watching = None

    def _look_at_pace(self) -> None:
        self._watching = None
        # While the application has not taken what came, nothing more is read: that is no fault of who sends it.
        if self._body is not None and self._body < self.least and not self.flow.read_paused:
            self.transport.close()
        elif self._body is not None:
            self._body = 0
            self._watching = self.loop.call_later(self.lull, self._look_at_pace)
