"""About: who runs it, and what is kept; three reports hide a sample; old marks of networks go."""

from __future__ import annotations

from datetime import timedelta
from html import unescape
from pathlib import Path

import pytest
from serving import Game, Opener
from sqlalchemy import func, select

from app.db import networks, reports
from app.db import remarks as said_of
from app.db.session import now, reading, writing
from app.db.tables import guesses, remarks, samples
from app.jobs.removing import drop_networks
from app.jobs.workshop import Workshop
from app.web.about import About


def test_about_says_who_runs_it_and_how_to_reach_them(serving: Opener) -> None:
    game = serving(operator="Ada <b>Lovelace</b>", contact="ada@example.org")
    with game.client() as client:
        page = client.get("/about").text
    assert "Ada &lt;b&gt;Lovelace&lt;/b&gt; runs this site." in page
    assert page.count('href="mailto:ada@example.org"') == 2
    for words in ("parody", "What is kept", "30 days", "Having something removed", "Report a card"):
        assert words in page


def test_where_nobody_has_said_who_runs_it_the_page_says_how_to(game: Game) -> None:
    with game.client() as client:
        page = unescape(client.get("/about").text)
    assert "WHICHTWEET_OPERATOR" in page
    assert "mailto:" not in page


@pytest.mark.parametrize(
    ("contact", "address"),
    [
        ("ada@example.org", "mailto:ada@example.org"),
        ("https://example.org/us", "https://example.org/us"),
        ("@ada on the square", None),
        ("javascript:alert(1)", None),
        ("a@b@c", None),
        ("", None),
    ],
)
def test_only_what_is_an_address_becomes_a_link(contact: str, address: str | None) -> None:
    assert About("", contact).address == address


def report(game: Game, sample_text: str | None, words: str = "about my aunt", **more: str) -> tuple[str, str]:
    """One new player reports the sample (or the first one dealt); its text and the guess."""
    with game.simulated(more["name"]) if more else game.client() as client:
        dealt = client.post("/api/rounds").json()
        verdict = client.post("/api/guesses", json={"round": dealt["round"], "pick": 0}).json()
        with writing(game.engine) as connection:
            found = select(samples.c.id).where(samples.c.text == sample_text)
            guess = guesses.c.round_id == bytes.fromhex(verdict["guess"])
            if sample_text is not None:
                sample_id = connection.scalar(found)
                connection.execute(guesses.update().where(guess).values(sample_id=sample_id))
        assert client.patch(f"/api/guesses/{verdict['guess']}", json={"report": words}).status_code == 204
        assert client.patch(f"/api/guesses/{verdict['guess']}", json={"report": words}).status_code == 204
    return dealt["cards"][1 - verdict["tweet"]]["text"], verdict["guess"]


def hidden(game: Game) -> list[str]:
    with game.engine.connect() as connection:
        return list(connection.scalars(select(samples.c.hidden_reason).where(samples.c.hidden_at.is_not(None))))


def test_three_players_reports_hide_a_sample_until_they_are_read(either_game: Game) -> None:
    game = either_game
    text, _ = report(game, None)
    report(game, text, name="robot")
    report(game, text, words="")
    report(game, text)
    assert hidden(game) == [], "two players, however often; a simulated one and an empty report do not count"
    report(game, text)
    assert hidden(game) == ["three reports"]
    with writing(game.engine) as connection:
        waiting = reports.listing(connection)
        assert len(waiting) >= 3, "an admin still sees them"
        theirs = select(remarks.c.guess_id).where(remarks.c.report == "about my aunt").order_by(remarks.c.guess_id)
        reports.settle(connection, list(connection.scalars(theirs))[-1], now())
    assert hidden(game) == []


def test_reports_without_a_cookie_are_read_but_hide_nothing_and_teach_nothing(game: Game) -> None:
    """Nobody can say of three browsers that keep no cookie whether they are three people."""
    with game.engine.connect() as connection:
        sample_id = connection.scalars(select(samples.c.id)).first()
    for _ in range(3):
        dealt = game.client().post("/api/rounds").json()
        verdict = game.client().post("/api/guesses", json={"round": dealt["round"], "pick": 0}).json()
        with writing(game.engine) as connection:
            guess = guesses.c.round_id == bytes.fromhex(verdict["guess"])
            connection.execute(guesses.update().where(guess).values(sample_id=sample_id))
        body = {"report": "about my aunt", "reason": "sense", "round": dealt["round"]}
        assert game.client().patch(f"/api/guesses/{verdict['guess']}", json=body).status_code == 204
    assert hidden(game) == []
    with writing(game.engine) as connection:
        assert [row.words for row in reports.listing(connection)] == ["about my aunt"] * 3
        assert said_of.by_sample(connection, 1) == {}
        connection.execute(guesses.update().values(has_cookie=True))
        assert said_of.by_sample(connection, 1) == {sample_id: {"sense": 3}}


def guess_three_times(game: Game) -> None:
    """One player guesses at three rounds."""
    with game.client() as client:
        for _ in range(3):
            dealt = client.post("/api/rounds").json()
            client.post("/api/guesses", json={"round": dealt["round"], "pick": 0})


def test_marks_of_networks_are_dropped_when_they_are_old(either_game: Game) -> None:
    game = either_game
    guess_three_times(game)
    with writing(game.engine) as connection:
        first = connection.scalar(select(func.min(guesses.c.id)))
        connection.execute(guesses.update().where(guesses.c.id == first).values(guessed_at=now() - timedelta(days=31)))
        before = now() - timedelta(days=30)
        to_come = now() + timedelta(days=1)
        assert networks.drop(connection, 0, before, to_come) == first
        assert networks.drop(connection, first, before, to_come) is None
        marked = connection.scalars(select(guesses.c.id).where(guesses.c.network.is_not(None))).all()
    assert len(marked) == 2
    assert first not in marked


def test_a_guess_made_while_a_clock_was_ahead_keeps_no_mark_for_years(either_game: Game) -> None:
    """The worker goes through guesses in their order, and would wait for that one's time to come."""
    game = either_game
    guess_three_times(game)
    with writing(game.engine) as connection:
        ids = connection.scalars(select(guesses.c.id).order_by(guesses.c.id)).all()
        for id, days in zip(ids[:2], (3650, -31), strict=True):
            at = now() + timedelta(days=days)
            connection.execute(guesses.update().where(guesses.c.id == id).values(guessed_at=at))
    drop_networks(Workshop(game.engine, Path("unused")), 0, now())
    with reading(game.engine) as connection:
        assert connection.scalars(select(guesses.c.id).where(guesses.c.network.is_not(None))).all() == ids[2:]
