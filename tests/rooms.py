"""A class for tests: a room, a lecturer, players with phones."""

from __future__ import annotations

import re
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import httpx
from serving import Game

from app.db import classes
from app.db.session import now, writing

CODE, KEY = "QRSTU", "the key of tests"


@dataclass
class Lecturer:
    """Presses the buttons on the lectern."""

    client: httpx.Client

    def wall(self) -> str:
        return self.client.get(f"/class/{CODE}/lectern").text

    def press(self, do: str) -> str:
        place = re.search(r'name="place" value="([\d.]+)"', self.wall())
        assert place
        data = {"place": place[1], "do": do}
        return self.client.post(f"/class/{CODE}/lectern", data=data, follow_redirects=True).text


def open_room(game: Game, **more: Any) -> Lecturer:
    values = {"archive_id": 1, "address": game.url, "teaches": True, "seconds": 60, "created_at": now()}
    with writing(game.engine) as connection:
        secret = {"key_hash": sha256(KEY.encode()).digest(), "seed": b"a class of tests"}
        classes.open_room(connection, code=CODE, **secret, **values | more)
    client = game.client()
    client.post(f"/class/{CODE}/key", data={"key": KEY})
    return Lecturer(client)


def come_in(game: Game, name: str = "") -> httpx.Client:
    client = game.client()
    client.get(f"/class/{CODE}")
    answer = client.post(f"/class/{CODE}/join", data={"name": name}, follow_redirects=True)
    assert answer.status_code == 200, answer.text
    return client


def room(client: httpx.Client) -> str:
    return client.get(f"/class/{CODE}").text


def token(page: str) -> str:
    found = re.search(r'name="round" value="([^"]+)"', page)
    assert found, page
    return found[1]


def texts(page: str) -> list[str]:
    return re.findall(r'<span class="text" dir="auto">(.*?)</span>', page, re.DOTALL)


def pick(client: httpx.Client, card: int, page: str | None = None, and_look: bool = True) -> str:
    data = {"round": token(page or room(client)), "pick": str(card)}
    answer = client.post(f"/class/{CODE}/pick", data=data, follow_redirects=and_look)
    assert answer.status_code == (200 if and_look else 303), answer.text
    return answer.text
