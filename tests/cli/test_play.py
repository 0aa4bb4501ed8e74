"""`whichtweet play` brings the whole game up, and takes all of it down."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from ports import free_port
from serving import NO_TLS

from app.cli.play import Household, address_of
from app.settings import Settings

pytestmark = pytest.mark.process
Start = Callable[..., subprocess.Popen[str]]


def wait_for(condition: Callable[[], bool], seconds: float = 60) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.05)
    return False


def answers(address: str) -> bool:
    try:
        return httpx.get(address, timeout=5, verify=NO_TLS).status_code == 200
    except httpx.TransportError:
        return False


def status(pid: int) -> tuple[str, int] | None:
    """State and parent of a process, as Linux tells them; None when it is gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()
    except OSError:
        return None
    return fields[0], int(fields[1])


def children(pid: int) -> list[int]:
    everyone = [int(folder.name) for folder in Path("/proc").glob("[0-9]*")]
    direct = [each for each in everyone if (found := status(each)) and found[1] == pid]
    return direct + [grandchild for child in direct for grandchild in children(child)]


def alive(pid: int) -> bool:
    found = status(pid)
    return found is not None and found[0] != "Z"


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    started = []

    def begin(*command: str, **settings: str) -> subprocess.Popen[str]:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("WHICHTWEET_")}
        environment |= {"WHICHTWEET_DATA_DIR": str(tmp_path / "data"), "WHICHTWEET_OPEN_BROWSER": "no", **settings}
        process = subprocess.Popen(
            [sys.executable, "-m", "app.cli", *command], env=environment, stderr=subprocess.PIPE, text=True
        )
        started.append(process)
        return process

    yield begin
    for process in started:
        if process.poll() is None:
            process.kill()
        process.wait()
        if process.stderr:
            process.stderr.close()


def test_the_demo_is_on_screen_and_ctrl_c_stops_everything(start: Start) -> None:
    port = free_port()
    game = start("play", WHICHTWEET_PORT=str(port))
    assert wait_for(lambda: answers(f"http://127.0.0.1:{port}/"))
    page = httpx.get(f"http://127.0.0.1:{port}/", timeout=60).text
    assert "Which tweet is real?" in page
    assert wait_for(lambda: len(children(game.pid)) >= 2)
    household = children(game.pid)
    game.send_signal(signal.SIGINT)
    _, words = game.communicate(timeout=60)
    assert game.returncode == 0
    assert f"Play at http://127.0.0.1:{port}" in words
    assert "Traceback" not in words
    assert wait_for(lambda: not any(alive(pid) for pid in household), 10)


def test_a_killed_game_leaves_no_process_behind(start: Start) -> None:
    port = free_port()
    game = start("play", WHICHTWEET_PORT=str(port))
    assert wait_for(lambda: answers(f"http://127.0.0.1:{port}/") and len(children(game.pid)) >= 2)
    household = children(game.pid)
    game.kill()
    assert wait_for(lambda: not any(alive(pid) for pid in household), 40)


def test_a_taken_port_is_one_line_that_says_what_to_do(start: Start) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        _, words = start("play", WHICHTWEET_PORT=str(port)).communicate(timeout=60)
    assert len(words.splitlines()) == 1
    assert f"cannot listen on 127.0.0.1 port {port}" in words
    assert "make play PORT=" in words


def test_a_port_that_nobody_could_be_told_is_refused(start: Start) -> None:
    game = start("play", "--port", "0")
    _, words = game.communicate(timeout=60)
    assert game.returncode == 2
    assert len(words.splitlines()) == 1
    assert "found port 0" in words
    assert "make play PORT=" in words


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("127.0.0.1", "http://127.0.0.1:8000"),
        ("0.0.0.0", "http://127.0.0.1:8000"),
        ("localhost", "http://localhost:8000"),
        ("::", "http://[::1]:8000"),
        ("fd00::2", "http://[fd00::2]:8000"),
    ],
)
def test_whoever_listens_everywhere_is_found_on_this_machine(host: str, address: str) -> None:
    assert address_of(host, 8000) == address


def test_a_game_at_an_address_of_ipv6_is_on_screen(start: Start) -> None:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("this machine has no IPv6")
    address = f"http://[::1]:{free_port()}"
    game = start("play", "--host", "::1", WHICHTWEET_PORT=address.rpartition(":")[2])
    assert wait_for(lambda: answers(f"{address}/") or game.poll() is not None)
    assert wait_for(lambda: len(children(game.pid)) >= 2)
    game.send_signal(signal.SIGINT)
    _, words = game.communicate(timeout=60)
    assert game.returncode == 0
    assert f"Play at {address} " in words
    assert "Traceback" not in words


def test_an_installation_that_was_stopped_is_taken_up_and_one_that_fails_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    script, whole = house_whose_installer_fails(tmp_path / "house"), half_a_tensorflow(tmp_path / "packages")
    monkeypatch.syspath_prepend(str(tmp_path / "packages"))
    household = Household(Settings(data_dir=tmp_path), house=script.parents[1])

    installer = household._install_training()

    assert installer is not None
    installer.wait()
    assert household._heed(installer) is None
    log = tmp_path / "setup-train.log"
    assert log.read_text() == "asked for train\n"
    (line,) = [line for line in capsys.readouterr().err.splitlines() if "exit code 3" in line]
    assert str(log) in line
    whole.touch()
    assert household._install_training() is None


def house_whose_installer_fails(folder: Path) -> Path:
    """A folder like that of the program; its installer."""
    script = folder / "tools" / "venv.sh"
    script.parent.mkdir(parents=True)
    script.write_text('#!/bin/sh\necho "asked for $1"\nexit 3\n')
    script.chmod(0o755)
    (folder / "requirements-train.lock").touch()
    return script


def half_a_tensorflow(packages: Path) -> Path:
    """TensorFlow as an installer leaves it that is stopped on its way; the file that it would have written last."""
    info = packages / "tensorflow-9.9.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: tensorflow\nVersion: 9.9\n")
    (packages / "tensorflow").mkdir()
    (packages / "tensorflow" / "__init__.py").touch()
    return info / "INSTALLER"


def test_a_game_plays_without_metrics_where_another_program_has_their_port(start: Start) -> None:
    port = free_port()
    with socket.create_server(("127.0.0.1", port + 1000)):
        game = start("serve", WHICHTWEET_PORT=str(port))
        assert wait_for(lambda: answers(f"http://127.0.0.1:{port}/healthz") or game.poll() is not None)
        game.send_signal(signal.SIGTERM)
        _, words = game.communicate(timeout=60)
    assert f"No metrics: cannot serve metrics on 127.0.0.1 port {port + 1000}" in words
    assert "WHICHTWEET_METRICS_PORT" in words
    assert "Traceback" not in words


def test_metrics_are_not_served_at_the_games_own_port(start: Start) -> None:
    port = str(free_port())
    game = start("serve", WHICHTWEET_PORT=port, WHICHTWEET_METRICS_PORT=port)
    _, words = game.communicate(timeout=60)
    assert game.returncode == 2
    assert len(words.splitlines()) == 1
    assert f"cannot serve metrics on port {port}, the game's own: choose another port" in words


def test_a_port_of_metrics_that_was_chosen_and_is_taken_is_refused(start: Start) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = str(other.getsockname()[1])
        game = start("serve", WHICHTWEET_PORT=str(free_port()), WHICHTWEET_METRICS_PORT=taken)
        _, words = game.communicate(timeout=60)
    assert game.returncode == 2
    assert len(words.splitlines()) == 1
    assert f"cannot serve metrics on 127.0.0.1 port {taken}" in words


@pytest.mark.parametrize("command", ["play", "serve", "work"])
def test_a_data_folder_that_cannot_be_made_is_one_line_that_says_what_to_do(
    start: Start, tmp_path: Path, command: str
) -> None:
    (tmp_path / "file").write_text("in the way")
    _, words = start(command, WHICHTWEET_DATA_DIR=str(tmp_path / "file" / "data")).communicate(timeout=60)
    assert len(words.splitlines()) == 1
    assert "cannot write in the data folder" in words
    assert "WHICHTWEET_DATA_DIR" in words


def test_an_unknown_setting_stops_the_start_by_name(start: Start) -> None:
    game = start("play", WHICHTWEET_PROT="8123")
    _, words = game.communicate(timeout=60)
    assert game.returncode == 2
    assert len(words.splitlines()) == 1
    assert "unknown setting WHICHTWEET_PROT" in words


def test_the_web_server_is_found_past_any_proxy_of_the_environment(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    server = HTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("ALL_PROXY", "socks://127.0.0.1:9")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    web: Any = SimpleNamespace(poll=lambda: None)
    try:
        assert Household(Settings(data_dir=tmp_path))._wait_until_ready(web, f"http://127.0.0.1:{server.server_port}")
    finally:
        server.shutdown()
        server.server_close()
