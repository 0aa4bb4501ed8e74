"""Connections end where a request's head is too large or does not come; all others are left alone."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import uvicorn
from serving import Game
from site_of_processes import Site
from starlette.types import ASGIApp, Receive, Scope, Send

from app.web.connection import MOST_BYTES, Connection

pytestmark = pytest.mark.slow  # they wait

BEGIN = b"GET /healthz HTTP/1.1\r\nHost: x\r\n"


class Impatient(Connection):
    """Waits a moment for a head, and for each so many bytes of a body."""

    patience = lull = 0.3
    least = 10_000


class Steady(Impatient):
    """Looks at a body's pace once a second: on a busy machine nothing may come for a third of one."""

    lull = 1.0


async def slow(scope: Scope, receive: Receive, send: Send) -> None:
    """Reads a body, takes its time, answers."""
    while (await receive()).get("more_body"):
        pass
    await asyncio.sleep(0.6)
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})


@contextmanager
def impatient(application: ASGIApp = slow, protocol: type[Connection] = Impatient) -> Iterator[int]:
    """A server that waits for heads for a moment; its port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        config = uvicorn.Config(application, http=protocol, log_level="critical", lifespan="off", timeout_keep_alive=20)
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        yield listener.getsockname()[1]
        server.should_exit = True
        thread.join(10)


def answer(port: int, *pieces: bytes, pause: float = 0.0) -> bytes:
    """What is said until the connection is closed, or enough was said."""
    found = b""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        try:
            for piece in pieces:
                connection.sendall(piece)
                time.sleep(pause)
        except (BrokenPipeError, ConnectionResetError):
            pass
        try:
            while not found.endswith(b"ok") and (piece := connection.recv(65_536)):
                found += piece
        except ConnectionResetError:
            pass
    return found


def port_of(game: Game) -> int:
    return int(game.url.rpartition(":")[2])


ENDLESS = {
    "one header": [BEGIN + b"X-A: ", *[b"a" * 65_536] * 60],
    "many headers": [BEGIN, *[b"".join(b"X-%d: a\r\n" % number for number in range(6000))] * 60],
    "an address": [b"GET /", *[b"a" * 65_536] * 60],
    "what follows a body": [
        b"POST /api/rounds HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX-A: ",
        *[b"a" * 65_536] * 60,
    ],
}


def is_cut_off(port: int, pieces: list[bytes]) -> bool:
    """Whether the other side hung up before all was sent."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        try:
            for piece in pieces:
                connection.sendall(piece)
                time.sleep(0.01)
        except (BrokenPipeError, ConnectionResetError):
            return True
    return False


@pytest.mark.parametrize("pieces", ENDLESS.values(), ids=ENDLESS.keys())
def test_a_head_without_an_end_is_cut_off(game: Game, pieces: list[bytes]) -> None:
    assert is_cut_off(port_of(game), pieces)
    assert game.client().get("/healthz").status_code == 200


def test_a_head_that_is_large_but_ends_is_read(game: Game) -> None:
    assert game.client().get("/healthz", headers={"X-A": "a" * (MOST_BYTES - 2000)}).status_code == 200
    assert game.client().get("/healthz", headers={"X-A": "a" * 300_000}).status_code == 400


@pytest.mark.parametrize("begin", [b"", b"GET / HT", BEGIN + b"X-A: a"])
def test_a_head_that_does_not_come_is_not_waited_for(begin: bytes) -> None:
    with impatient() as port:
        assert answer(port, begin) == b""
        assert answer(port, b"", BEGIN[:9], BEGIN[9:], b"X-A: a\r\n", pause=0.12) == b"", "dripping helps nobody"


def test_a_body_and_an_answer_may_take_longer_than_a_head() -> None:
    post = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 300000\r\n\r\n"
    with impatient(protocol=Steady) as port:
        assert answer(port, post, *[b"a" * 10_000] * 30, pause=0.05).endswith(b"ok")
        assert answer(port, BEGIN + b"\r\n", pause=0.5).endswith(b"ok")


@pytest.mark.parametrize("pieces", [[], [b"a"] * 20, [b"a" * 20_000] * 3 + [b"a"] * 20])
def test_a_body_that_hardly_comes_is_not_waited_for(pieces: list[bytes]) -> None:
    post = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 300000\r\n\r\n"
    with impatient() as port:
        assert answer(port, post, *pieces, pause=0.05) == b""


def test_a_body_that_the_application_does_not_take_is_waited_for() -> None:
    async def busy(scope: Scope, receive: Receive, send: Send) -> None:
        await asyncio.sleep(1.0)  # a disk that stands still, say: nothing is read meanwhile
        await slow(scope, receive, send)

    post = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9000000\r\n\r\n"
    with impatient(busy) as port:
        assert answer(port, post + b"a" * 9_000_000).endswith(b"ok")


@pytest.mark.process
def test_the_server_that_is_started_cuts_heads_off(tmp_path: Path) -> None:
    site = Site(tmp_path, f"sqlite:///{tmp_path / 'whichtweet.db'}")
    site.open_demo()
    try:
        web = site.web()
        assert is_cut_off(web.port, ENDLESS["one header"])
        assert web.answers()
    finally:
        site.close()
