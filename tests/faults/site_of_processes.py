"""A site of real processes (web servers, workers), a crowd that plays on it, and what is true after every fault."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import httpx
from factories import add_samples, add_tweets
from ports import free_port
from serving import NO_TLS, OPERATOR, SECRET
from sqlalchemy import func, select
from stock import LETTERS, small_talk, stock_archive, stock_generator

from app.db import workers
from app.db.migrate import migrate
from app.db.session import now, open_engine, reading, writing
from app.db.tables import generators, guesses, jobs, labels
from app.jobs.demo import open_demo
from app.jobs.workshop import Workshop
from model.checkpoint import checkpoint_digest, read_checkpoint

HOUSE = Path(__file__).resolve().parents[2]
PATIENCE = 180.0  # seconds; the machine may be busy


def wait_for(condition: Callable[[], bool], seconds: float = PATIENCE, words: str = "waited in vain") -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, words
        time.sleep(0.03)


def _in_letters(texts: list[str]) -> list[str]:
    """Texts without what the network cannot write: with it they would be no cards."""
    return [" ".join("".join(filter(LETTERS.__contains__, text.lower())).split()) for text in texts]


@dataclass
class Site:
    """A game on one database, with as many processes as a test starts."""

    folder: Path
    url: str
    settings: dict[str, object] = field(default_factory=dict)
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def open_demo(self) -> None:
        engine = open_engine(self.url)
        migrate(engine)
        open_demo(engine, self.folder / "checkpoints")
        engine.dispose()

    def open_small_talk(self) -> None:
        """As many cards as the demo has, and a network that writes at once: what is tried is who does what."""
        engine = open_engine(self.url)
        migrate(engine)
        stock_archive(engine)
        workshop = Workshop(engine, self.folder / "checkpoints")
        generator = stock_generator(workshop, workshop.archive("gannet"))
        with writing(engine) as connection:
            add_tweets(connection, generator.archive_id, _in_letters(small_talk(800, seed=2)))
            add_samples(connection, generator.archive_id, generator.id, _in_letters(small_talk(1400, seed=3)))
        engine.dispose()

    def web(self, port: int | None = None, **settings: object) -> Web:
        """A web server, once it answers."""
        port = port or free_port()
        more = {"port": port, "metrics_port": free_port()} | settings
        web = Web(self._start("serve", **more), port)
        wait_for(lambda: web.answers() or web.process.poll() is not None, words=self.words())
        assert web.process.poll() is None, self.words()
        return web

    def work(self, **settings: object) -> subprocess.Popen[bytes]:
        """A worker, once its heart beats."""
        before = self.at_work()
        process = self._start("work", **settings)
        wait_for(lambda: bool(self.at_work() - before) or process.poll() is not None, words=self.words())
        assert process.poll() is None, self.words()
        return process

    def at_work(self) -> set[str]:
        engine = open_engine(self.url)
        with reading(engine) as connection:
            found = {worker.name for worker in workers.listing(connection, now().replace(year=2000))}
        engine.dispose()
        return found

    def words(self) -> str:
        log = self.folder / "processes.log"
        return log.read_text() if log.exists() else ""

    def close(self) -> None:
        for process in self.processes:
            process.kill()
            process.wait()

    def _start(self, command: str, **settings: object) -> subprocess.Popen[bytes]:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("WHICHTWEET_")}
        given = {
            **{"data_dir": self.folder, "database_url": self.url, "secret_key": SECRET, "operator_key": OPERATOR},
            **{"rate_limit": "100000/minute", "network_rate_limit": "1000000/minute", "sample_retires_after": 1000},
            **{"retrain_cron": "", "backup_cron": "", "screen_cron": "", "shelf_low": 1},
            **self.settings,
            **settings,
        }
        environment |= {f"WHICHTWEET_{name.upper()}": str(value) for name, value in given.items()}
        with (self.folder / "processes.log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "app.cli", command], cwd=HOUSE, env=environment, stderr=log, stdout=log
            )
        self.processes.append(process)
        return process


@dataclass
class Web:
    """A web server's process and its port."""

    process: subprocess.Popen[bytes]
    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def answers(self) -> bool:
        try:
            return httpx.get(f"{self.url}/readyz", timeout=5, verify=NO_TLS).status_code == 200
        except httpx.TransportError:
            return False

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def drain(self) -> None:
        """End it politely; it is given the time that it needs."""
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(PATIENCE)


class Crowd:
    """Players who send every guess until it is acknowledged, and remember what they were told."""

    def __init__(self, urls: list[str], players: int, simulated: str | None = None) -> None:
        self.urls = urls
        self.headers = {"Authorization": f"Bearer {OPERATOR}", "X-Whichtweet-Simulated": simulated or ""}
        if simulated is None:
            self.headers = {}
        self.told: dict[str, bytes] = {}  # round -> the first acknowledgement
        self.again: list[str] = []  # rounds whose acknowledgement was lost: the retry got the first answer
        self.statuses: Counter[int] = Counter()
        self.troubles: list[str] = []
        self._stopping = threading.Event()
        self._threads = [threading.Thread(target=self._play, args=(number,)) for number in range(players)]

    def __enter__(self) -> Crowd:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        for thread in self._threads:
            thread.join(PATIENCE)
            assert not thread.is_alive(), "a player waits for an answer that does not come"

    def have_played(self, more: int) -> None:
        """Wait until so many more guesses were acknowledged."""
        goal = len(self.told) + more
        wait_for(lambda: len(self.told) >= goal, words=f"the game stands still: {self.statuses} {self.troubles}")

    def _play(self, number: int) -> None:
        client = httpx.Client(timeout=30, headers=self.headers, verify=NO_TLS)
        while not self._stopping.is_set():
            dealt = self._insist(client, number, "/api/rounds", {}, give_up=True)
            if dealt is None:
                continue
            token = dealt.json()["round"]
            answer = self._insist(client, number, "/api/guesses", {"round": token, "pick": number % 2})
            if answer is None:
                continue
            if answer.status_code == 200:
                self.again.append(token)
            self.told[token] = answer.content
            time.sleep(0.02)  # a little rest: what starts beside them needs the machine, too
        client.close()

    def _insist(
        self, client: httpx.Client, number: int, path: str, body: dict[str, object], give_up: bool = False
    ) -> httpx.Response | None:
        attempts = 0
        while not (give_up and self._stopping.is_set()):
            url = self.urls[(number + attempts) % len(self.urls)]  # a proxy would go to the next one, too
            attempts += 1
            try:
                response = client.post(url + path, json=body)
            except httpx.TransportError:
                time.sleep(0.05)
                continue
            self.statuses[response.status_code] += 1
            if response.status_code in (200, 201):
                return response
            if response.status_code == 503:
                assert int(response.headers["retry-after"]) > 0
                time.sleep(0.1)
                continue
            self.troubles.append(response.text)
            return None
        return None


def nothing_is_lost(site: Site, web: Web, crowd: Crowd) -> None:
    """Every acknowledged guess is stored exactly once, nothing else is, and each retry gets its first answer."""
    assert not crowd.troubles
    assert set(crowd.statuses) <= {200, 201, 503}
    engine = open_engine(site.url)
    with reading(engine) as connection:
        stored = Counter(connection.scalars(select(guesses.c.answer)).all())
        assert connection.scalar(select(func.count()).select_from(labels)) == stored.total()
    assert stored == Counter(answer.decode() for answer in crowd.told.values())
    with httpx.Client(timeout=30, verify=NO_TLS) as client:
        for number, (token, answer) in enumerate(crowd.told.items()):
            if number % 7 == 0:  # of all, so many that any rule would show
                picks = [client.post(f"{web.url}/api/guesses", json={"round": token, "pick": pick}) for pick in (0, 1)]
                assert sorted(response.status_code for response in picks) == [200, 409]
                assert answer in [response.content for response in picks]
    engine.dispose()


def no_checkpoint_is_half_written(site: Site) -> None:
    """Whatever the database names can be read, and is what was registered."""
    engine = open_engine(site.url)
    with reading(engine) as connection:
        rows = connection.execute(select(generators.c.checkpoint_key, generators.c.checkpoint_sha256)).all()
    assert rows
    for key, digest in rows:
        read_checkpoint(site.folder / "checkpoints" / key)
        assert checkpoint_digest(site.folder / "checkpoints" / key) == digest
    engine.dispose()


def jobs_have_ended(site: Site) -> list[str]:
    """Wait until no job is queued or running; how they ended."""
    engine = open_engine(site.url)

    def states() -> list[str]:
        with reading(engine) as connection:
            return list(connection.scalars(select(jobs.c.state).order_by(jobs.c.id)))

    wait_for(lambda: not {"queued", "running"} & set(states()), 300, "a job does not end")
    ended = states()
    engine.dispose()
    return ended
