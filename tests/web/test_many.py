"""More than one web process, proxies in front, keys that change: limits hold, and players stay who they are."""

from __future__ import annotations

from pathlib import Path

import pytest
from factories import add_game
from serving import Game, Opener, serve, settings
from sqlalchemy import Engine, select

from app.db.session import open_engine, reading, writing
from app.db.tables import counts
from app.web.limits import Counters, Limits
from app.web.problems import Problem
from app.web.sharing import Sharing

KEY = b"k" * 32


def hits(limits: Limits, times: int, player: str = "a") -> int:
    """How many of so many requests are let through."""
    passed = 0
    for _ in range(times):
        try:
            limits.check("rounds", player, "192.0.2.0/24")
        except Problem:
            continue
        passed += 1
    return passed


def test_what_two_processes_counted_is_summed_up(either_engine: Engine) -> None:
    ours, theirs = Counters(), Counters()
    here, there = (Sharing(either_engine, counters, KEY) for counters in (ours, theirs))
    assert hits(Limits("10/hour", "1000/hour", ours), 6) == 6
    assert hits(Limits("10/hour", "1000/hour", theirs), 3) == 3
    for sharing in (here, there, here, there):
        sharing.exchange()
    assert hits(Limits("10/hour", "1000/hour", theirs), 5) == 1
    there.exchange()
    assert hits(Limits("10/hour", "1000/hour", ours), 1) == 1, "so long as nothing was exchanged"
    here.exchange()
    assert hits(Limits("10/hour", "1000/hour", ours), 1) == 0
    with reading(either_engine) as connection:
        assert len(connection.execute(select(counts)).all()) == 2, "one of the player, one of the network"


def test_windows_of_all_processes_end_together(engine: Engine) -> None:
    at = 4_000_000_000.0  # ahead of the clock, by which windows are dropped
    early, late = Counters(lambda: at), Counters(lambda: at + 20)
    early.incr("x", 60)
    late.incr("x", 60)
    for counters in (early, late):
        Sharing(engine, counters, KEY).exchange()
    assert early.get_expiry("x") == late.get_expiry("x") == at + 60


def test_what_is_stored_of_a_count_names_nobody(engine: Engine) -> None:
    counters = Counters()
    hits(Limits("10/hour", "1000/hour", counters), 1, player="0123456789abcdef")
    Sharing(engine, counters, KEY).exchange()
    with reading(engine) as connection:
        stored = b"".join(connection.scalars(select(counts.c.key)))
    assert b"192" not in stored
    assert b"0123456789" not in stored


def test_a_clock_that_is_set_back_locks_nobody_out() -> None:
    clock = [1_800_000_000.0]
    limits = Limits("2/minute", "1000/minute", Counters(lambda: clock[0]))
    assert hits(limits, 5) == 2
    clock[0] -= 3600
    assert hits(limits, 5) == 2


@pytest.fixture
def behind(serving: Opener) -> Game:
    """A game that trusts a proxy on this machine and one in another network."""
    return serving(trusted_proxies=("127.0.0.1", "10.0.0.0/8"), network_rate_limit="2/minute")


def rounds(game: Game, address: str, times: int = 3) -> list[int]:
    headers = {"X-Forwarded-For": address}
    return [game.client(headers=headers).post("/api/rounds").status_code for _ in range(times)]


def test_behind_a_proxy_players_do_not_share_its_address(behind: Game) -> None:
    assert rounds(behind, "192.0.2.1") == [201, 201, 429]
    assert rounds(behind, "198.51.100.1") == [201, 201, 429]
    assert rounds(behind, "192.0.2.200") == [429] * 3, "one network"
    assert rounds(behind, "2001:db8:1:2::1") == [201, 201, 429]
    assert rounds(behind, "2001:db8:1:2:ffff::9") == [429] * 3, "one /64"
    assert rounds(behind, "2001:db8:1:3::1") == [201, 201, 429]


def test_behind_a_proxy_nobody_forges_an_address(behind: Game) -> None:
    """Whatever a player sends comes first in the line; the proxy adds what it saw."""
    assert rounds(behind, "203.0.113.1, 192.0.2.1", 2) == [201, 201]
    assert rounds(behind, "203.0.113.77, 192.0.2.1, 10.1.2.3", 2) == [429, 429]
    assert rounds(behind, "203.0.113.1", 1) == [201]


def test_without_a_trusted_proxy_nobody_is_believed(serving: Opener) -> None:
    game = serving(network_rate_limit="2/minute")
    assert rounds(game, "192.0.2.1", 2) == [201, 201]
    assert rounds(game, "198.51.100.1", 2) == [429, 429]


def test_a_domain_alone_makes_https(serving: Opener) -> None:
    response = serving(domain="game.example.org").client().get("/")
    assert "Secure" in response.headers["set-cookie"]
    assert response.headers["strict-transport-security"] == "max-age=31536000"


def test_after_a_change_of_keys_a_player_goes_on_with_a_cookie_of_the_new_key(sqlite_url: str, tmp_path: Path) -> None:
    """The former key can then be dropped, and still nobody is forgotten."""
    engine = open_engine(sqlite_url)
    with writing(engine) as connection:
        add_game(connection)
    engine.dispose()
    old, new, newer = ("o" * 40, "n" * 40, "m" * 40)
    with serve(settings(sqlite_url, tmp_path, secret_key=old)) as game, game.client() as client:
        token = client.post("/api/rounds").json()["round"]
        cookies = dict(client.cookies)
    both = settings(sqlite_url, tmp_path, secret_key=f"{new},{old}")
    with serve(both) as game, game.client(cookies=cookies) as client:
        assert client.post("/api/guesses", json={"round": token, "pick": 0}).status_code == 201
        dealt = client.post("/api/rounds")
        cookies = dict(dealt.cookies)
        assert "whichtweet" in cookies
    with serve(both) as game, game.client(cookies=cookies) as client:
        assert "set-cookie" not in client.post("/api/rounds").headers
    newest = settings(sqlite_url, tmp_path, secret_key=f"{newer},{new}")
    with serve(newest) as game, game.client(cookies=cookies) as client:
        assert client.get("/api/players/me").json()["guesses"] == 1
        refused = client.post("/api/guesses", json={"round": token, "pick": 0})
        assert refused.json()["type"] == "/problems/not-our-round", "sealed with a key that was dropped"
