"""Who takes long to read an answer keeps nothing from others."""

from __future__ import annotations

import socket
from contextlib import ExitStack

import pytest
from factories import LONG_AGO, words
from serving import Game
from sqlalchemy import insert, select, update

from app.db import admins, audit
from app.db.audit import Change
from app.db.session import now, writing
from app.db.tables import guesses, labels, players, samples, tweets
from app.web.admin.office import COOKIE, hash_of

READERS = 17  # as many connections to the database as a web process has, and two more
ROUNDS = 1500


@pytest.mark.parametrize("path", ["/me/download", "/admin/labels.jsonl?archive=mayor", "/admin/audit.csv"])
def test_downloads_that_nobody_reads_hold_no_connection_to_the_database(game: Game, path: str) -> None:
    with game.client() as client:
        token = client.post("/api/rounds").json()["round"]
        assert client.post("/api/guesses", json={"round": token, "pick": 0}).status_code == 201
        cookie = f"whichtweet={client.cookies['whichtweet']}"
    with writing(game.engine) as connection:
        player = connection.scalar(select(players.c.id))
        for table in (tweets, samples):
            connection.execute(update(table).values(text=words(1, 4000)))
        row = connection.execute(select(guesses)).one()._asdict()
        del row["id"]
        admins.create(connection, "Ada", "$argon2id$", "viewer", now())
        admins.begin(connection, 1, hash_of("a-session"), now())
        cookie += f"; {COOKIE}=a-session"
        for _ in range(ROUNDS):
            audit.note(connection, "Ada", Change("looked", "at it all", {}, {"words": words(1, 8000)}), now())
        label = connection.execute(select(labels)).one()._asdict()
        rows = [row | {"round_id": number.to_bytes(16, "big"), "guessed_at": LONG_AGO} for number in range(ROUNDS)]
        connection.execute(insert(guesses), rows)
        others = connection.scalars(select(guesses.c.id).where(guesses.c.id != label["guess_id"]))
        connection.execute(insert(labels), [label | {"guess_id": other} for other in others])
        assert player == row["player_id"]
    host, _, port = game.url.removeprefix("http://").partition(":")
    with ExitStack() as held:
        for _ in range(READERS):
            reader = held.enter_context(socket.socket())
            reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            reader.settimeout(60)
            reader.connect((host, int(port)))
            reader.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\nCookie: {cookie}\r\n\r\n".encode())
            assert reader.recv(64).startswith(b"HTTP/1.1 200")
        with game.client(headers={"Cookie": cookie}) as client:
            assert client.get("/me").status_code == 200
            token = client.post("/api/rounds").json()["round"]
            assert client.post("/api/guesses", json={"round": token, "pick": 0}).status_code == 201
