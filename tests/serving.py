"""A real web server for tests, on a free port of this machine."""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import uvicorn
from sqlalchemy import Engine

from app.db.session import open_engine
from app.main import create_app
from app.settings import Settings
from app.web.connection import Connection
from app.web.services import Services

SECRET = "a secret of tests: long enough to be one"
NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # making one per client takes longer than a test
OPERATOR = "the operator's key of tests, long enough"


@dataclass(frozen=True)
class Game:
    """A game that is served: its address, its database, and what its routes use."""

    url: str
    engine: Engine
    services: Services

    def client(self, **more: Any) -> httpx.Client:
        """A browser of its own, with its own cookies."""
        return httpx.Client(base_url=self.url, timeout=30, verify=NO_TLS, **more)

    def simulated(self, name: str = "robot") -> httpx.Client:
        """A simulated player."""
        return self.client(headers={"Authorization": f"Bearer {OPERATOR}", "X-Whichtweet-Simulated": name})

    def refresh(self) -> None:
        """Let the server see now what it would see within a second."""
        self.services.catalogue.refresh()


class Server(uvicorn.Server):
    """Ends as soon as it may: uvicorn's own looks ten times a second, and hundreds of tests would wait for that."""

    async def main_loop(self) -> None:
        """Until it is asked to end."""
        ticks = 0
        while not await self.on_tick(ticks):
            ticks += 1
            await asyncio.sleep(0.01)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """What is answered is answered to its end, and the application ends last, as with uvicorn's own."""
        for server in self.servers:
            server.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        while self.server_state.connections or self.server_state.tasks:
            await asyncio.sleep(0.01)
        await self.lifespan.shutdown()


def stay_within_a_day(seconds: float) -> None:
    """Where midnight (UTC) is nearer than so many seconds, wait for it: a day's set would be another one after it."""
    left = 86_400 - time.time() % 86_400
    if left < seconds:
        time.sleep(left + 1)


def settings(database_url: str, data_dir: Path, **more: Any) -> Settings:
    given: dict[str, Any] = {"database_url": database_url, "data_dir": data_dir, "secret_key": SECRET}
    return Settings(**given | {"operator_key": OPERATOR, "rate_limit": "100000/minute", **_NETWORK, **more})


_NETWORK = {"network_rate_limit": "1000000/minute"}
Opener = Callable[..., Game]


@contextmanager
def serve(chosen: Settings) -> Iterator[Game]:
    """A server for these settings, until the block ends; what it can deal is loaded when the block begins."""
    app = create_app(chosen)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        config = uvicorn.Config(app, http=Connection, log_level="critical", lifespan="on", proxy_headers=False)
        server = Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        services: Services = app.state.services
        deadline = time.monotonic() + 20
        while not (server.started and services.catalogue.is_loaded):
            assert thread.is_alive(), "the server did not start"
            assert time.monotonic() < deadline, "the server was not ready in time"
            time.sleep(0.005)
        engine = open_engine(chosen.database)
        try:
            yield Game(f"http://127.0.0.1:{listener.getsockname()[1]}", engine, services)
        finally:
            server.should_exit = True
            thread.join(10)
            engine.dispose()
