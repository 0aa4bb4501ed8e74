"""Players made of code play over the API, are marked, and are counted by generator."""

from __future__ import annotations

import json
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from random import Random
from threading import Thread

import httpx
import numpy as np
import pytest
import typer

from app.cli.simulate import SimulationError, Verdict, client_at, load_player, pick_of, play, report, seat_all


def left(one: str, other: str, rng: Random) -> int:
    return 0


def test_a_player_is_found_by_its_path() -> None:
    assert load_player("tests.cli.test_simulate:left")("a", "b", Random(0)) == 0


@pytest.mark.parametrize("path", ["nowhere:left", "tests.cli.test_simulate:right", "tests.cli.test_simulate", ":left"])
def test_a_player_that_is_not_there_is_refused_by_name(path: str) -> None:
    with pytest.raises(typer.BadParameter, match=r"expected package\.module:function"):
        load_player(path)


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("raise RuntimeError('boom')", r"RuntimeError: boom \(stranger\.py, line 1\)"),
        ("def left(:", "SyntaxError: .*"),
        ("exit(3)", "SystemExit: 3.*"),
    ],
)
def test_a_module_that_cannot_be_imported_is_refused_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: str, words: str
) -> None:
    (tmp_path / "stranger.py").write_text(code)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(typer.BadParameter, match=rf"^stranger:left: {words}; expected package\.module:function$"):
        load_player("stranger:left")


@pytest.mark.parametrize("answer", [1, True, 1.0, np.int64(1), np.bool_(True), np.array(1)])
def test_a_pick_may_be_any_kind_of_one(answer: object) -> None:
    assert pick_of(lambda left, right, rng: answer, "a", "b", Random(0)) == 1  # type: ignore[arg-type, return-value]


@pytest.mark.parametrize("answer", [2, -1, 0.5, float("nan"), None, "1", np.array([0, 1]), [1]])
def test_any_other_answer_is_refused(answer: object) -> None:
    with pytest.raises(SimulationError, match=r"^the player answered .*, expected 0 \(left\) or 1 \(right\)$"):
        pick_of(lambda left, right, rng: answer, "a", "b", Random(0))  # type: ignore[arg-type, return-value]


def test_a_player_that_fails_is_told_with_its_line() -> None:
    def failing(one: str, other: str, rng: Random) -> int:
        raise KeyError(one)

    with pytest.raises(SimulationError, match=r"^the player failed: KeyError: 'a' \(test_simulate\.py, line \d+\)$"):
        pick_of(failing, "a", "b", Random(0))


class Another(BaseHTTPRequestHandler):
    """Some other server."""

    def do_POST(self) -> None:
        """Answer with a page."""
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"<html></html>")

    def log_message(self, format: str, *arguments: object) -> None:
        """Say nothing."""


def test_another_server_is_told_as_no_game() -> None:
    server = HTTPServer(("127.0.0.1", 0), Another)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        with (
            httpx.Client(base_url=f"http://127.0.0.1:{server.server_port}") as client,
            pytest.raises(SimulationError, match=r"is no game: /api/rounds answered 200 without .*--url$"),
        ):
            play(client, "mayor", left, Random(0), 1, lambda: True)
    finally:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize("address", ["http://[::1", "http://a..b", "http://xn--"])
def test_what_is_no_address_is_told_in_one_line(address: str) -> None:
    with pytest.raises(SimulationError, match=r"--url"), client_at(address, {}) as client:
        play(client, "mayor", left, Random(0), 1, lambda: True)


@pytest.mark.parametrize("proxy", ["socks://10.0.0.1:1080", "socks5://10.0.0.1:1080", "http://10.0.0.1:3128"])
def test_this_machine_is_asked_by_no_proxy(monkeypatch: pytest.MonkeyPatch, proxy: str) -> None:
    """It would get to know the operator's key."""
    for name in ("ALL_PROXY", "HTTP_PROXY"):
        monkeypatch.setenv(name, proxy)
    for address in ("http://127.0.0.1:8000", "http://[::1]:8000", "http://localhost:8000"):
        with client_at(address, {}) as client:
            assert not client._mounts


def test_a_proxy_that_cannot_be_used_is_told_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALL_PROXY", "socks://10.0.0.1:1080")
    with pytest.raises(SimulationError, match=r"^a proxy that the environment names cannot be used \(.*ALL_PROXY"):
        client_at("http://game.example.org", {})


def test_the_report_counts_by_generator(capsys: pytest.CaptureFixture[str]) -> None:
    verdicts = [Verdict("v2", True), Verdict("v2", False), Verdict("v10", False)]
    report(verdicts, "left", "mayor", as_json=True)
    body = json.loads(capsys.readouterr().out)
    assert body["guesses"] == 3
    assert list(body["generators"]) == ["v2", "v10"]
    assert body["generators"]["v2"]["fool_rate"] == 0.5
    assert 0 < body["generators"]["v2"]["low"] < 0.5 < body["generators"]["v2"]["high"] < 1


@pytest.mark.parametrize("failure", [SimulationError("the player failed"), KeyboardInterrupt()])
def test_where_one_player_fails_the_others_get_up(failure: BaseException) -> None:
    guesses = [0, 0, 0]

    def sit(index: int, goes_on: Callable[[], bool]) -> list[Verdict]:
        if index == 1:
            raise failure
        while goes_on():
            guesses[index] += 1
        return []

    with pytest.raises(type(failure)):
        seat_all(3, sit)


def test_what_all_players_came_to_is_told_in_their_order() -> None:
    told = seat_all(9, lambda index, goes_on: [Verdict(f"v{index}", goes_on())])
    assert [verdict.generator for verdict in told] == [f"v{index}" for index in range(9)]
    assert all(verdict.fooled for verdict in told)
