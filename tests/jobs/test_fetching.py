"""Fetching from an address: what arrives, what is refused, and that no address behind the firewall is reached."""

from __future__ import annotations

import ipaddress
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import pytest

from app.jobs.fetching import Address, Limits, fetch, is_public
from app.jobs.workshop import Interrupted, JobError

BODY = b"text\nThe harbour is open.\n" * 1000


def here(address: Address) -> bool:
    """The one address at which the tests' server listens."""
    return str(address) == "127.0.0.1"


class Server(BaseHTTPRequestHandler):
    """Answers as its path asks."""

    asked: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        self.asked.append(f"{self.headers['Host'].partition(':')[0]}{self.path}")
        kind, _, rest = self.path[1:].partition("/")
        if kind == "to":
            self.send_response(302)
            self.send_header("Location", rest)
            self.end_headers()
            return
        self.send_response(404 if kind == "gone" else 200)
        for _ in range(60 if kind == "headers" else 0):  # headers that drip for longer than any limit here
            self.send_header("X-Drip", "1")
            try:
                self.flush_headers()
            except OSError:  # nobody listens any more
                return
            time.sleep(0.02)
        if kind == "file":
            self.send_header("Content-Length", str(len(BODY)))
        self.end_headers()
        if kind in ("file", "stream"):
            self.wfile.write(BODY)
        while kind == "drip":
            try:
                self.wfile.write(b".")
            except OSError:  # nobody listens any more
                return
            time.sleep(0.01)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def site() -> Iterator[str]:
    Server.asked = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), Server)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)  # seconds until it sees its end
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_file_arrives_whole_and_says_how_far_it_is(site: str, tmp_path: Path) -> None:
    told: list[dict[str, int]] = []
    target = tmp_path / "new" / "tweets.csv"
    assert fetch(f"{site}/file/tweets.csv", target, may_reach=here, on_progress=told.append) == len(BODY)
    assert target.read_bytes() == BODY
    assert told[-1] == {"bytes_read": len(BODY), "bytes_total": len(BODY)}
    assert [path.name for path in target.parent.iterdir()] == ["tweets.csv"]


def test_a_redirect_is_followed_with_the_name_kept(site: str, tmp_path: Path) -> None:
    there = site.replace("127.0.0.1", "localhost")
    fetch(f"{site}/to/{there}/file/x", tmp_path / "x", may_reach=here)
    assert Server.asked[-1] == "localhost/file/x"


@pytest.mark.parametrize(
    ("path", "limits", "words"),
    [
        ("file/x", Limits(bytes=1000), "more than 1,000 bytes"),
        ("stream/x", Limits(bytes=1000), "more than 1,000 bytes"),
        ("stream/x", Limits(seconds=0), "took longer than 0 s"),
        ("drip/x", Limits(seconds=0.2), "took longer than 0 s"),
        ("headers/x", Limits(seconds=0.2), "took longer than 0 s"),
        ("empty/x", Limits(), "is empty"),
        ("gone/x", Limits(), "answers 404, expected 200"),
        ("to//to//to//to//to//to//to//file/x", Limits(), "leads from one address to the next"),
        ("to/file:///etc/passwd", Limits(), "is no address of a file"),
        ("to/http://xn--/x", Limits(), "cannot be fetched"),
    ],
)
def test_what_cannot_be_taken_is_told_and_leaves_nothing(
    site: str, tmp_path: Path, path: str, limits: Limits, words: str
) -> None:
    with pytest.raises(JobError, match=words):
        fetch(f"{site}/{path}", tmp_path / "x", may_reach=here, limits=limits)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("kind", ["file", "drip"])
def test_it_stops_when_it_is_asked_to(site: str, tmp_path: Path, kind: str) -> None:
    with pytest.raises(Interrupted):
        fetch(f"{site}/{kind}/x", tmp_path / "x", may_reach=here, should_stop=lambda: True)
    assert list(tmp_path.iterdir()) == []


def test_a_redirect_to_an_address_that_may_not_be_reached_is_not_followed(site: str, tmp_path: Path) -> None:
    other = site.replace("127.0.0.1", "127.0.0.2")
    with pytest.raises(JobError, match=r"127\.0\.0\.2, which is no public address"):
        fetch(f"{site}/to/{other}/file/x", tmp_path / "x", may_reach=here)
    assert len(Server.asked) == 1


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "2130706433", "0x7f.1", "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0", "10.0.0.7"]
)
def test_the_own_machine_is_never_asked(site: str, tmp_path: Path, host: str) -> None:
    port = site.rpartition(":")[2]
    with pytest.raises(JobError, match=r"no public address|no machine is called|cannot be fetched|is no address"):
        fetch(f"http://{host}:{port}/file/x", tmp_path / "x")
    assert Server.asked == []


@pytest.mark.parametrize(
    "url",
    [
        "ftp://example.org/x",
        "file:///etc/passwd",
        "https://me:secret@example.org/x",
        "x",
        "https://[::1/",
        "http://xn--/",
    ],
)
def test_other_kinds_of_address_are_refused(tmp_path: Path, url: str) -> None:
    with pytest.raises(JobError, match="address"):
        fetch(url, tmp_path / "x")


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("93.184.216.34", True),
        ("2606:2800:220:1::1", True),
        ("169.254.169.254", False),
        ("192.0.0.192", False),
        ("::ffff:192.0.0.192", False),
        ("100.64.0.1", False),
        ("192.168.1.1", False),
        ("224.0.0.1", False),
        ("fe80::1", False),
        ("fd00::1", False),
        ("::ffff:10.0.0.1", False),
        ("2002:0a00:0001::", False),  # 10.0.0.1 by 6to4
        ("64:ff9b::5db8:d822", True),  # 93.184.216.34 from a network that has no IPv4
        ("64:ff9b::a00:1", False),  # and 10.0.0.1
        ("64:ff9b::7f00:1", False),
        ("64:ff9b:1::a00:1", False),
        ("::127.0.0.1", False),
        ("::ffff:0:10.0.0.1", False),
        ("fec0::1", False),
    ],
)
def test_only_addresses_of_the_public_internet_may_be_reached(address: str, public: bool) -> None:
    assert is_public(ipaddress.ip_address(address)) is public
