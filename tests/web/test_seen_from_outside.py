"""What an operator sees: metrics, and logs that tell of requests but of nobody."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from factories import add_game
from prometheus_client import CollectorRegistry, generate_latest
from serving import Game
from sqlalchemy import Engine, create_engine

from app.db import jobs, workers
from app.db.session import now, writing
from app.web import metrics
from app.web.census import Census

HOUSE = Path(__file__).resolve().parents[2]


def told(engine: Engine) -> str:
    registry = CollectorRegistry()
    registry.register(Census(engine))
    return generate_latest(registry).decode()


def test_the_census_tells_of_jobs_workers_labels_and_fool_rates(either_game: Game) -> None:
    with either_game.client() as client:
        token = client.post("/api/rounds").json()["round"]
        verdict = client.post("/api/guesses", json={"round": token, "pick": 0}).json()["verdict"]
    with writing(either_game.engine) as connection:
        jobs.ask(connection, "restock", 1, {}, asked_by="test", at=now())
        workers.beat(connection, "work-here-1-abcd", trains=True, at=now())
        workers.beat(connection, "work-gone-1-abcd", trains=True, at=now().replace(year=2020))
    words = told(either_game.engine)
    assert 'whichtweet_jobs{kind="restock",state="queued"} 1.0' in words
    assert 'whichtweet_workers{trains="yes"} 1.0' in words
    assert re.search(r'whichtweet_labels{archive="mayor",status="\w+"} 1.0', words)
    assert f'whichtweet_fool_rate{{archive="mayor"}} {float(verdict == "fooled")}' in words
    assert "whichtweet_database_up 1.0" in words


def test_without_its_database_the_census_says_so(tmp_path: Path) -> None:
    assert told(create_engine(f"sqlite:///{tmp_path}/no/such.db")).splitlines()[-1] == "whichtweet_database_up 0.0"


def test_every_alert_asks_for_a_metric_that_is_told(engine: Engine) -> None:
    with writing(engine) as connection:
        add_game(connection)
    ours = set(re.findall(r"whichtweet_[a-z_]+", told(engine)))
    ours |= {name for kind in vars(metrics).values() for name in _names(kind)}
    rules = yaml.safe_load((HOUSE / "deploy" / "alerts.yml").read_text())["groups"][0]["rules"]
    assert len(rules) >= 8
    for rule in rules:
        named = set(re.findall(r"whichtweet_[a-z_]+", rule["expr"]))
        assert named <= ours, rule["alert"]
        assert rule["annotations"]["remedy"]


def _names(metric: object) -> list[str]:
    describe = getattr(metric, "describe", None)
    if describe is None or isinstance(metric, type):
        return []
    return [name for family in describe() for name in (family.name, f"{family.name}_total", f"{family.name}_bucket")]


def test_every_answer_has_an_id_of_its_own(game: Game) -> None:
    first, second = (game.client().get("/healthz").headers["x-request-id"] for _ in range(2))
    assert re.fullmatch("[0-9a-f]{16}", first)
    assert first != second


LOGS = """
import logging, structlog
from app.cli.logs import write_logs
write_logs("info")
structlog.contextvars.bind_contextvars(request="abc")
structlog.get_logger("app.web.errors").error("unforeseen", path="/\\n{\\"forged\\": 1}\u202e")
structlog.contextvars.clear_contextvars()
structlog.contextvars.bind_contextvars(job=7)
logging.getLogger("whichtweet.work").info("job %d: done", 7)
structlog.get_logger("app.web").debug("not this")
"""


@pytest.mark.process
def test_logs_are_one_json_object_a_line_with_the_request_or_the_job() -> None:
    done = subprocess.run([sys.executable, "-c", LOGS], cwd=HOUSE, capture_output=True, text=True, check=True)
    lines = [json.loads(line) for line in done.stderr.splitlines()]
    assert [(line["event"], line["level"]) for line in lines] == [("unforeseen", "error"), ("job 7: done", "info")]
    assert (lines[0]["request"], lines[1]["job"]) == ("abc", 7)
    assert done.stderr.isascii()


@pytest.mark.parametrize("url", ["sqlite_url", pytest.param("postgres_url", marks=pytest.mark.postgres)])
def test_an_error_of_the_database_does_not_tell_what_was_written(url: str, request: pytest.FixtureRequest) -> None:
    from sqlalchemy import text
    from sqlalchemy.exc import DBAPIError

    from app.db.session import open_engine

    engine = open_engine(request.getfixturevalue(url))
    with pytest.raises(DBAPIError) as error, engine.connect() as connection:
        connection.execute(text("SELECT * FROM nowhere WHERE a = :secret"), {"secret": "what a player said"})
    assert "what a player said" not in str(error.value)
    engine.dispose()
