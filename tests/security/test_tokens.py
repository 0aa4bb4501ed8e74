"""Rounds cannot be read, made, changed, lent or spelled in another way."""

from __future__ import annotations

import base64
import os
import threading
import time
from random import Random

import httpx
import pytest
from serving import Game, Opener
from sqlalchemy import func, select

from app.db.session import reading
from app.db.tables import guesses
from app.game.rounds import OPENING, POLICY, Deal
from app.web.sealed import BadSeal, RoundSeal

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


def a_round(client: httpx.Client) -> str:
    return str(client.post("/api/rounds").json()["round"])


def mutated(token: str, rng: Random) -> str:
    """The token with something about it changed."""
    place = rng.randrange(len(token))
    other = rng.choice([letter for letter in LETTERS if letter != token[place]])
    kinds = (
        lambda: token[:place] + other + token[place + 1 :],
        lambda: token[:place] + token[place + 1 :] + other,
        lambda: token[:place],
        lambda: token[place:] + token[:place] if place else token + "A",
        lambda: token + "=" * rng.randint(1, 3),
        lambda: token[:place] + rng.choice("\n\t +/=\u00e9\x00") + token[place + 1 :],
        lambda: (
            base64.urlsafe_b64encode(_flipped(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)), rng))
            .rstrip(b"=")
            .decode()
        ),
        lambda: token.swapcase(),
    )
    return rng.choice(kinds)()


def _flipped(content: bytes, rng: Random) -> bytes:
    place = rng.randrange(len(content))
    return content[:place] + bytes([content[place] ^ (1 << rng.randrange(8))]) + content[place + 1 :]


@pytest.mark.parametrize("count", [2_000, pytest.param(100_000, marks=pytest.mark.long)])
def test_no_changed_round_is_opened(game: Game, count: int) -> None:
    rng = Random(count)
    seal = game.services.seal
    tokens = [a_round(game.client()) for _ in range(5)]
    for _ in range(count):
        changed = mutated(rng.choice(tokens), rng)
        if changed in tokens:
            continue
        with pytest.raises(BadSeal):
            seal.open(changed)


def test_all_changed_rounds_get_the_same_answer_over_http(game: Game) -> None:
    """Damaged, of another player, of other keys: nobody is told which."""
    rng = Random(1)
    client = game.client()
    token = a_round(client)
    foreign = RoundSeal([os.urandom(32)])
    strange = [mutated(token, rng) for _ in range(60)] + [a_round(game.client()), _resealed(game, token, foreign)]
    bodies = set()
    for changed in strange:
        response = client.post("/api/guesses", json={"round": changed, "pick": 0})
        assert response.status_code == 422
        bodies.add(response.json()["detail"] if len(changed) == len(token) else "")
    assert len(bodies - {""}) == 1
    with reading(game.engine) as connection:
        assert connection.scalar(select(func.count()).select_from(guesses)) == 0


def _resealed(game: Game, token: str, seal: RoundSeal) -> str:
    """The same round, sealed by somebody who does not have the key."""
    inside = game.services.seal._seal.open(token)
    return seal._seal.close(inside)


def test_a_round_tells_nothing_by_its_size(game: Game) -> None:
    """Neither the token nor the answer around it is longer when the tweet comes first."""
    around: dict[int, set[int]] = {0: set(), 1: set()}
    for _ in range(40):
        response = game.client().post("/api/rounds")
        body = response.json()
        opened: Deal = game.services.seal.open(body["round"])
        texts = sum(len(card["text"]) for card in body["cards"])
        around[opened.tweet_index].add(len(response.text) - texts)
    assert around[0] == around[1]
    assert len(around[0]) == 1


def test_a_token_seen_twice_says_nothing_of_what_is_in_it(game: Game) -> None:
    """Sealed again, the same round is other characters: two tokens cannot be compared."""
    client = game.client()
    first = game.services.seal.open(a_round(client))
    again = game.services.seal._seal.close(game.services.seal._seal.open(a_round(client)))
    assert game.services.seal.open(again) == first
    assert again != a_round(client)
    assert first.policy in (POLICY, OPENING)


def test_of_forty_parallel_guesses_with_either_card_one_counts(either_game: Game) -> None:
    client = either_game.client()
    token = a_round(client)
    cookies = dict(client.cookies)
    statuses: list[int] = []
    together = threading.Barrier(40)

    def send(pick: int) -> None:
        with either_game.client(cookies=cookies) as own:
            together.wait()
            statuses.append(own.post("/api/guesses", json={"round": token, "pick": pick}).status_code)

    threads = [threading.Thread(target=send, args=(number % 2,)) for number in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses.count(201) == 1
    assert set(statuses) == {200, 201, 409}
    with reading(either_game.engine) as connection:
        assert connection.scalar(select(func.count()).select_from(guesses)) == 1


def test_whoever_asks_again_in_new_tabs_shops_for_nothing(game: Game) -> None:
    client = game.client()
    first = client.post("/api/rounds").json()
    cookies = dict(client.cookies)
    for _ in range(10):
        with game.client(cookies=cookies) as tab:
            assert tab.post("/api/rounds").json()["cards"] == first["cards"]
            assert tab.get("/").text.count(first["round"]) > 0


def test_whoever_clears_their_cookies_begins_as_a_newcomer(game: Game) -> None:
    client = game.client()
    for _ in range(3):
        client.post("/api/guesses", json={"round": a_round(client), "pick": 0})
    client.cookies.clear()
    opened = game.services.seal.open(a_round(client))
    assert (opened.start, opened.position >= 0) == (0, True)
    assert client.get("/api/players/me").json()["guesses"] == 0


def test_verdicts_take_as_long_whatever_they_say(serving: Opener) -> None:
    """The fastest of those that are spotted, and of those that are fooled: a busy machine slows neither for long."""
    game = serving()
    times: dict[str, list[float]] = {"spotted": [], "fooled": []}

    def tells() -> bool:
        fast = [min(found) for found in times.values()]
        return max(fast) >= 3 * min(fast)

    for _ in range(6):
        client = game.client()  # who has met all cards of the deck is dealt no new ones
        for number in range(50):
            token = a_round(client)
            began = time.perf_counter()
            verdict = client.post("/api/guesses", json={"round": token, "pick": number % 2}).json()["verdict"]
            times[verdict].append(time.perf_counter() - began)
        if not tells():
            break
    assert not tells()
