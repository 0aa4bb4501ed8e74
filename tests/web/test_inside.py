"""Inside the network: what is read and written, for whom, and what is told to nobody."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import timedelta
from html import unescape
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from factories import add_archive, add_generator, add_samples, add_tweets, words
from loops import awaited
from serving import Game, Opener
from sqlalchemy import Connection, select, update
from sqlalchemy.exc import OperationalError

from app.db.samples import next_stamp
from app.db.session import now, writing
from app.db.tables import guesses, samples, tweets
from app.web.desk import Desk
from model.checkpoint import Checkpoint, write_checkpoint
from model.config import Config
from model.vocab import END_ID, Vocab

LETTERS = " abcdefghijklmnopqrstuvwxyzN:0123456789.,!?'"
OWN = "a text that nobody in the town has ever posted: zebra quiz"


def a_network() -> Checkpoint:
    vocab, config = Vocab(LETTERS), Config("lstm", layers=2, units=8, embedding=4)
    random = np.random.default_rng(3)
    weights = {
        name: (0.4 * random.standard_normal([len(vocab) if size is None else size for size in shape])).astype("f4")
        for name, shape in config.shapes.items()
    }
    weights["output.bias"][END_ID] = -30.0  # what it writes has no end of its own: nobody knows the seed it is drawn by
    return Checkpoint(config, vocab, weights, {"bits_per_character": 4.5})


def parrot(text: str) -> Checkpoint:
    """A network that, wherever it stands in `text`, all but surely goes on with it: its state counts the characters."""
    vocab = Vocab(LETTERS)
    units = len(text) + 1
    config = Config("rnn", layers=1, units=units, embedding=1)
    weights = {
        name: np.zeros([len(vocab) if size is None else size for size in shape], np.float32)
        for name, shape in config.shapes.items()
    }
    # A one at place t says that t characters were read; it moves on by one with each step.
    shift = np.eye(units, k=1, dtype=np.float32) * 40
    weights["layers.0.recurrent"] = shift
    weights["embedding"][0, 0] = 1.0  # the start mark, and nothing else, lights the first place
    weights["layers.0.kernel"][0, 0] = 40.0
    for place, symbol in enumerate([*vocab.encode(text).tolist(), 1]):
        weights["output.kernel"][place, symbol] = 30.0
    return Checkpoint(config, vocab, weights, {"bits_per_character": 1.0})


@pytest.fixture
def game(serving: Opener, tmp_path: Path) -> Game:
    write_checkpoint(tmp_path / "checkpoints" / "mayor" / "v1", a_network())
    return serving()


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A desk that may take its time: the machine may be busy."""
    monkeypatch.setattr("app.web.desk.PATIENCE", 120.0)


def card_texts(game: Game) -> tuple[str, str]:
    with game.engine.connect() as connection:
        tweet = connection.scalar(select(tweets.c.text).order_by(tweets.c.id))
        sample = connection.scalar(select(samples.c.text).order_by(samples.c.id))
    assert tweet
    assert sample
    return tweet, sample


def figures(page: str) -> list[dict[str, Any]]:
    found = re.search(r"data-figures>(.*?)</script>", page, re.DOTALL)
    assert found, page
    return json.loads(found[1])  # type: ignore[no-any-return]


def answered(client: httpx.Client) -> tuple[dict[str, Any], dict[str, Any]]:
    dealt = client.post("/api/rounds").json()
    return dealt, client.post("/api/guesses", json={"round": dealt["round"], "pick": 0}).json()


def test_a_text_is_read_by_a_plain_form(game: Game) -> None:
    with game.client() as client:
        assert "Inside the" in client.get("/inside").text
        page = client.post("/inside", data={"text": OWN, "layer": "1", "unit": "5"})
    assert page.status_code == 200
    assert "".join(one["c"] for one in figures(page.text)) == OWN
    assert "You see unit 5 of layer 1." in page.text
    assert "LSTM of 2 layers with 8 units each" in page.text
    assert page.text.count('<path d="M0') == 6
    assert "bits per character" in page.text


@pytest.mark.parametrize(
    ("text", "says"),
    [("", "There is nothing to read yet"), (" \n ", "There is nothing to read yet"), ("ab " * 100, "at most 280")],
)
def test_what_cannot_be_read_is_said(game: Game, text: str, says: str) -> None:
    with game.client() as client:
        page = client.post("/inside", data={"text": text})
    assert page.status_code == 422
    assert says in page.text


def test_hostile_texts_are_read_as_text(game: Game) -> None:
    hostile = "</script><script>alert(1)</script> \u202eabc z\u0351\u0352\u0353\u0354\u0355 \U0001f600 &amp;"
    with game.client() as client:
        page = client.post("/inside", data={"text": hostile})
    assert page.status_code == 200
    assert "<script>alert" not in page.text
    assert "\u202e" not in page.text
    assert "".join(one["c"] for one in figures(page.text)).startswith("</script><script>alert(1)")


@pytest.mark.parametrize("which", [0, 1], ids=["tweet", "sample"])
@pytest.mark.parametrize(
    "disguise", [str, str.upper, lambda text: f"well, {text[10:42]}?!"], ids=["as is", "loud", "piece"]
)
def test_a_card_that_may_still_come_is_refused(game: Game, which: int, disguise: Callable[[str], str]) -> None:
    text = disguise(card_texts(game)[which])
    with game.client() as client:
        for path, name in (("/inside", "text"), ("/inside/write", "prompt")):
            page = client.post(path, data={name: text[:140]})
            assert page.status_code == 422
            assert "may still be asked about" in page.text
            assert "data-figures" not in page.text


def test_cards_that_were_answered_may_be_read_and_by_nobody_else(game: Game) -> None:
    with game.client() as client, game.client() as other:
        dealt, _ = answered(client)
        for card in dealt["cards"]:
            assert client.post("/inside", data={"text": card["text"]}).status_code == 200
            assert other.post("/inside", data={"text": card["text"]}).status_code == 422


def test_samples_that_come_later_are_refused_too(game: Game) -> None:
    text = "a brand new sample about the ferry and its seven captains, all asleep"
    with game.client() as client:
        assert client.post("/inside", data={"text": text}).status_code == 200
        with game.engine.begin() as connection:
            add_samples(connection, 1, 1, [text])
        game.refresh()
        assert client.post("/inside", data={"text": text}).status_code == 422


def test_samples_of_a_network_that_is_not_at_play_are_refused_too(game: Game) -> None:
    # A class plays against what was trained on it, and practice against any.
    text = "what a network wrote that learned from a class, and plays there alone"
    with game.client() as client:
        assert client.post("/inside", data={"text": text}).status_code == 200
        with game.engine.begin() as connection:
            add_samples(connection, 1, add_generator(connection, 1), [text])
        game.refresh()
        assert client.post("/inside", data={"text": text}).status_code == 422


def test_a_sample_that_is_shown_again_is_refused_again(game: Game) -> None:
    _, text = card_texts(game)
    with game.client() as client:
        # One that was hidden just now may still lie before somebody who was dealt it.
        for hidden_at, status in ((now() - timedelta(hours=3), 200), (None, 422), (now(), 422)):
            with game.engine.begin() as connection:
                connection.execute(update(samples).where(samples.c.text == text).values(hidden_at=hidden_at))
                next_stamp(connection, 1)
            game.refresh()
            assert client.post("/inside", data={"text": text}).status_code == status


def test_the_network_reads_both_cards_of_an_answered_round(game: Game) -> None:
    with game.client() as client, game.client() as other:
        dealt, verdict = answered(client)
        read = client.get(f"/api/guesses/{verdict['guess']}/reading?layer=1&unit=2")
        assert read.status_code == 200
        for card, told in zip(dealt["cards"], read.json()["texts"], strict=True):
            assert "".join(one["c"] for one in told) == card["text"]
            assert all((len(one["best"]), len(one["gates"])) == (5, 6) for one in told)
        page = client.get(f"/v/{verdict['guess']}/reading").text
        assert page.count("data-figures") == 2
        assert 'content="noindex"' in page
        assert re.findall(r'<section class="side (\w+)"', page)[verdict["tweet"]] == "real"
        for path in (f"/api/guesses/{verdict['guess']}/reading", f"/v/{verdict['guess']}/reading"):
            assert other.get(path).status_code == 404
        assert client.get("/api/guesses/nonsense/reading").status_code == 404
        assert client.get(f"/api/guesses/{dealt['round'][:32]}/reading").status_code == 404


def test_without_a_cookie_an_answered_round_itself_opens_its_reading(game: Game) -> None:
    dealt = game.client().post("/api/rounds").json()
    form = {"round": dealt["round"]}
    path = f"/v/{game.services.seal.open(dealt['round']).id.hex()}/reading"
    assert game.client().post(path, data=form).status_code == 404  # not before the guess
    verdict = game.client().post("/api/guesses", json=form | {"pick": 0}).json()
    assert path == f"/v/{verdict['guess']}/reading"
    page = game.client().post(path, data=form | {"layer": "1", "unit": ["5", "2"]})
    assert page.status_code == 200
    assert page.text.count("data-figures") == 2
    assert "You see unit 5 of layer 1." in page.text
    assert game.client().get(path).status_code == 404
    somebody = game.client().post("/api/rounds").json()
    assert game.client().post(path, data={"round": somebody["round"]}).status_code == 404
    with game.client() as other:
        answered(other)
        assert other.post(path, data=form, follow_redirects=True).status_code == 404


@pytest.mark.parametrize("path", ["/daily/mayor", "/practice/mayor/v1", "/mixed", "/a/mayor"])
def test_the_reading_leads_on_in_the_same_way_to_play(game: Game, path: str) -> None:
    def opened(page: str) -> str:
        return str(re.findall(r'action="(/(?:daily|practice|mixed|a/)[^"]*)"', page)[-1])

    with game.client() as client:
        page = client.get(path, follow_redirects=True).text
        token = re.findall(r'name="round" value="([^"]+)"', page)
        verdict = client.post(opened(page), data={"round": token, "pick": "0"}, follow_redirects=True).text
        inside = re.findall(r'formaction="([^"]+)"', verdict)
        read = client.post(inside[0], follow_redirects=True).text
    assert "data-figures" in read
    assert opened(read) == opened(page)


def test_the_reading_of_a_round_of_a_class_leads_on_to_its_archive(game: Game) -> None:
    with game.client() as client:
        _, verdict = answered(client)
        with writing(game.engine) as connection:
            connection.execute(update(guesses).values(mode="class"))
        page = client.get(f"/v/{verdict['guess']}/reading")
    assert page.status_code == 200
    assert '<form method="post" action="/a/mayor">' in page.text


def test_a_field_for_a_unit_that_was_cleared_leaves_the_choice_to_us(game: Game) -> None:
    with game.client() as client:
        _, verdict = answered(client)
        page = client.get(f"/v/{verdict['guess']}/reading?layer=1&unit=")
    assert page.status_code == 200
    assert re.search(r"You see unit \d of layer 1\.", page.text)


def test_a_layer_that_is_no_number_is_refused_as_anything_else_is(game: Game) -> None:
    with game.client() as client:
        refused, page = client.get("/api/guesses/00/reading?layer=x"), client.get("/v/00/reading?layer=x")
    assert (refused.status_code, refused.headers["Content-Type"]) == (422, "application/problem+json")
    assert refused.json()["type"] == "/problems/bad-request"
    assert refused.json()["detail"].startswith("layer: ")
    assert (page.status_code, page.headers["Content-Type"]) == (422, "text/html; charset=utf-8")


def test_the_network_writes_along(game: Game) -> None:
    with game.client() as client:
        page = client.post("/inside/write", data={"prompt": "the zebra ", "temperature": "0.5", "top_p": "0.9"})
    assert page.status_code == 200
    text = "".join(one["c"] for one in figures(page.text))
    assert len(text) == 280 - len("the zebra")
    assert "Written by a machine" in page.text
    assert 'value="0.5" selected' in page.text


def test_it_does_not_write_what_lies_on_the_shelf(serving: Opener, tmp_path: Path) -> None:
    shelved = words(77, 110)

    def fill(connection: Connection) -> None:
        archive_id = add_archive(connection)
        add_tweets(connection, archive_id, [words(seed) for seed in range(30)])
        add_samples(connection, archive_id, add_generator(connection, archive_id), [shelved])

    write_checkpoint(tmp_path / "checkpoints" / "mayor" / "v1", parrot(shelved))
    game = serving(fill)
    with game.client() as client:
        page = client.post("/inside/write", data={"prompt": "", "temperature": "0.2", "top_p": "0.5"})
        text = "".join(one["c"] for one in figures(page.text))
        assert text.startswith(shelved[:20])
        assert all(shelved[place : place + 30] not in text for place in range(len(shelved) - 29))
        # Once answered, it is theirs to look at: the same network says it in full.
        answered(client)
        again = client.post("/inside/write", data={"prompt": "", "temperature": "0.2", "top_p": "0.5"})
        assert "".join(one["c"] for one in figures(again.text)).startswith(shelved[:100])


@pytest.mark.process
def test_a_text_that_is_broken_off_answers_nobody_else(tmp_path: Path) -> None:
    """The database was away while a text was written: what is left of it must not be told to the next visitor."""
    folder = tmp_path / "v1"
    write_checkpoint(folder, a_network())
    desk = Desk()

    def away(text: str) -> bool:
        raise OperationalError("SELECT", {}, OSError("the database is away"))

    async def visits() -> dict[str, Any]:
        wish = {"prompt": "", "temperature": 1.0, "top_p": 0.98, "seed": 1, "limit": 280}
        with pytest.raises(OperationalError):
            await desk.write({"folder": str(folder), **wish}, away)
        return await desk.read({"folder": str(folder), "texts": ["zebra"], "layer": None, "unit": None})

    try:
        read = awaited(visits())
    finally:
        desk.close()
    assert [one["c"] for one in read["texts"][0]] == [*"zebra", ""]


def test_odd_settings_fall_back_to_the_usual(game: Game) -> None:
    with game.client() as client:
        page = client.post("/inside/write", data={"prompt": "", "temperature": "nan", "top_p": "-1"})
    assert page.status_code == 200
    assert 'value="1.0" selected' in page.text
    assert 'value="0.98" selected' in page.text


def test_readings_have_a_pace_of_their_own(game: Game) -> None:
    with game.client() as client:
        client.get("/")
        answers = [client.post("/inside", data={"text": ""}).status_code for _ in range(31)]
        assert answers == [422] * 30 + [429]
        assert client.post("/api/rounds").status_code == 201


def test_where_the_network_is_not_at_hand_play_goes_on(serving: Opener) -> None:
    game = serving()
    with game.client() as client:
        page = client.post("/inside", data={"text": OWN})
        assert page.status_code == 503
        assert "The network is not here." in unescape(page.text)
        _, verdict = answered(client)
        missing = client.get(f"/api/guesses/{verdict['guess']}/reading")
        assert (missing.status_code, missing.json()["type"]) == (503, "/problems/no-network")
