"""Every way to play over the API: the daily ten, challenges, practice, mixed, and the first ten."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import httpx
import pytest
from factories import LONG_AGO, add_archive, add_game, add_generator, add_samples, add_tweets, words
from serving import Game, Opener
from sqlalchemy import Connection, insert, select, update

from app.db import archives, players
from app.db.samples import next_stamp
from app.db.session import now, writing
from app.db.sets import ScoreKey, count
from app.db.tables import guesses, labels, samples, set_cards, set_seats, sets
from app.game.sets import TEN
from app.web.discretion import Discretion

DAILY = {"mode": "daily", "archive": "mayor"}


def deal(client: httpx.Client, expect: int = 201, **ask: Any) -> dict[str, Any]:
    response = client.post("/api/rounds", json=ask)
    assert response.status_code == expect, response.text
    body: dict[str, Any] = response.json()
    return body


def guess(client: httpx.Client, round_: dict[str, Any], pick: int = 0) -> dict[str, Any]:
    response = client.post("/api/guesses", json={"round": round_["round"], "pick": pick})
    assert response.status_code == 201, response.text
    body: dict[str, Any] = response.json()
    return body


def texts(round_: dict[str, Any]) -> frozenset[str]:
    return frozenset(card["text"] for card in round_["cards"])


def play(client: httpx.Client, rounds: int = TEN, **ask: Any) -> list[frozenset[str]]:
    seen = []
    for _ in range(rounds):
        dealt = deal(client, **ask)
        seen.append(texts(dealt))
        guess(client, dealt)
    return seen


@pytest.fixture
def ada(game: Game) -> Iterator[httpx.Client]:
    with game.client() as client:
        yield client


@pytest.fixture
def bob(game: Game) -> Iterator[httpx.Client]:
    with game.client() as client:
        yield client


def today(game: Game) -> str:
    return game.services.fixed.today()


def test_the_daily_is_the_same_ten_for_everyone(ada: httpx.Client, bob: httpx.Client, game: Game) -> None:
    of_ada = play(ada, **DAILY)
    assert len(set().union(*of_ada)) == 2 * TEN
    assert play(bob, **DAILY) == of_ada
    assert deal(ada, 409, **DAILY)["type"] == "/problems/set-through"
    with game.engine.connect() as connection:
        rows = connection.execute(select(guesses.c.mode, guesses.c.set_id)).all()
    assert {row.mode for row in rows} == {"daily"}
    assert len({row.set_id for row in rows}) == 1


def test_the_daily_goes_on_where_it_was_left(ada: httpx.Client) -> None:
    play(ada, 3, **DAILY)
    fourth = deal(ada, **DAILY)
    assert texts(deal(ada, **DAILY)) == texts(fourth)
    verdict = guess(ada, fourth)
    assert verdict["played"] == 4
    assert 0 <= verdict["spotted"] <= 4


def test_a_round_that_was_had_ahead_still_says_which_of_how_many_it_is(ada: httpx.Client, game: Game) -> None:
    path = f"/daily/mayor/{today(game)}"
    first = deal(ada, **DAILY)
    deal(ada, **DAILY, after=first["round"])
    guess(ada, first)
    assert "Round 2 of 10" in ada.get(path).text


def test_the_daily_can_be_looked_at_one_round_ahead(ada: httpx.Client) -> None:
    first = deal(ada, **DAILY)
    second = deal(ada, **DAILY, after=first["round"])
    assert texts(second) != texts(first)
    assert deal(ada, 409, **DAILY, after=second["round"])["type"] == "/problems/out-of-turn"
    guess(ada, first)
    assert texts(deal(ada, **DAILY)) == texts(second)


def test_the_daily_stays_whatever_happens_to_the_shelf(ada: httpx.Client, bob: httpx.Client, game: Game) -> None:
    before = play(ada, **DAILY)
    with writing(game.engine) as connection:
        connection.execute(update(samples).values(retired_stamp=2))
    game.refresh()
    assert play(bob, **DAILY) == before


def test_a_card_that_was_taken_out_leaves_the_daily(ada: httpx.Client, bob: httpx.Client, game: Game) -> None:
    play(ada, 1, **DAILY)
    with writing(game.engine) as connection:
        out = connection.scalars(select(set_cards.c.sample_id).where(set_cards.c.place.in_((4, 9)))).all()
        connection.execute(update(samples).where(samples.c.id.in_(out)).values(hidden_at=now()))
        connection.exec_driver_sql("UPDATE archives SET stamp = stamp + 1")
    game.refresh()
    play(ada, 7, **DAILY)
    assert deal(ada, 409, **DAILY)["type"] == "/problems/set-through"
    result = ada.get(f"/api/sets/daily/mayor/{today(game)}").json()
    assert result["is_through"]
    assert result["verdicts"][4] == "-"
    assert result["players"] == 1


def test_a_daily_of_which_every_card_was_taken_out_is_gone_for_who_had_not_begun(ada: httpx.Client, game: Game) -> None:
    deal(ada, **DAILY)
    with writing(game.engine) as connection:
        connection.execute(update(samples).values(hidden_at=now()))
        next_stamp(connection, 1)
    game.refresh()
    for path in ("/daily/mayor", f"/daily/mayor/{today(game)}/result"):
        assert ada.get(path, follow_redirects=True).status_code == 404


def test_cards_of_the_daily_come_up_nowhere_else(serving: Opener) -> None:
    game = serving(fill=lambda connection: add_game(connection, cards=30, on_shelf=60))
    with game.client() as ada, game.client() as bob:
        kept = set().union(*play(ada, **DAILY))
        game.refresh()
        met: set[str] = set()
        for mode in ({"archive": "mayor"}, {"mode": "practice", "archive": "mayor", "generator": "v1"}):
            met |= set().union(*play(bob, 8, **mode))
        assert not met & kept


WAYS = ({"archive": "mayor"}, {"mode": "practice", "archive": "mayor", "generator": "v1"})


def test_once_the_deck_is_through_cards_of_the_daily_still_come_up_nowhere_else(serving: Opener) -> None:
    game = serving(fill=lambda connection: add_game(connection, cards=13, on_shelf=90))
    with game.client() as ada, game.client() as bob:
        kept = set().union(*play(ada, **DAILY))
        game.refresh()
        for mode in WAYS:
            assert not set().union(*play(bob, 9, **mode)) & kept


def test_a_deck_that_is_all_in_the_daily_can_be_played_on(serving: Opener) -> None:
    game = serving(fill=lambda connection: add_game(connection, cards=10, on_shelf=90))
    with game.client() as ada, game.client() as bob:
        play(ada, **DAILY)
        game.refresh()
        for mode in WAYS:
            play(bob, 12, **mode)


def test_a_card_that_was_kept_when_its_turn_came_is_a_first_sight_later_and_only_then(serving: Opener) -> None:
    game = serving(fill=lambda connection: add_game(connection, cards=13, on_shelf=90))
    said = []

    def go_on(client: httpx.Client, rounds: int) -> None:
        for _ in range(rounds):
            dealt = deal(client, archive="mayor")
            ahead = deal(client, archive="mayor", after=dealt["round"])
            guess(client, dealt)
            said.append(dealt.get("repeat", False))
            game.services.dealer.given.rounds.clear()  # as if another process was asked
            assert texts(deal(client, archive="mayor")) == texts(ahead)

    with game.client() as ada, game.client() as bob:
        play(ada, **DAILY)
        game.refresh()
        go_on(bob, 6)
        with writing(game.engine) as connection:
            connection.execute(update(sets).values(created_at=LONG_AGO))
            next_stamp(connection, 1)
        game.refresh()
        go_on(bob, 26)
    with game.engine.connect() as connection:
        query = select(guesses.c.tweet_id, guesses.c.repeat, labels.c.reason).order_by(guesses.c.id)
        query = query.join(labels, labels.c.guess_id == guesses.c.id).where(guesses.c.mode == "endless")
        rows = connection.execute(query).all()
    is_repeat = [row.tweet_id in {before.tweet_id for before in rows[:place]} for place, row in enumerate(rows)]
    assert is_repeat.count(False) == 13
    assert [row.repeat for row in rows] == [row.reason == "repeated card" for row in rows] == said == is_repeat


def test_a_card_met_in_one_mode_is_no_first_sight_in_another(ada: httpx.Client, game: Game) -> None:
    with writing(game.engine) as connection:
        connection.exec_driver_sql("UPDATE archives SET stamp = stamp + 1")
    play(ada, 12)
    challenge = ada.post("/api/challenges", json={"archive": "mayor"}).json()["challenge"]
    with game.client() as bob:
        held = deal(bob, mode="challenge", challenge=challenge)
        first = deal(bob, archive="mayor")
        guess(bob, first)
        del first
        guess(bob, held)
        met = {text for _ in range(20) for text in texts(deal(bob, archive="mayor"))}
        assert not met & texts(held)


def test_a_round_whose_card_came_up_elsewhere_meanwhile_is_a_repeat(ada: httpx.Client, game: Game) -> None:
    """Holding a round open, and learning its tweet in another mode, teaches the network nothing."""
    held = deal(ada, archive="mayor")
    sealed = game.services.seal.open(held["round"])
    with game.client() as bob:
        play(bob, 10)
        name = bob.post("/api/challenges", json={"archive": "mayor"}).json()["challenge"]
    with writing(game.engine) as connection:
        set_id = connection.scalar(select(sets.c.id).where(sets.c.name == name))
        card = set_cards.c.set_id == set_id
        connection.execute(update(set_cards).where(card, set_cards.c.place == 0).values(tweet_id=sealed.tweet_id))
    guess(ada, deal(ada, mode="challenge", challenge=name))
    guess(ada, held)
    with game.engine.connect() as connection:
        query = select(guesses.c.repeat, labels.c.status).join(labels, labels.c.guess_id == guesses.c.id)
        assert connection.execute(query.where(guesses.c.round_id == sealed.id)).one() == (True, "excluded")


@pytest.mark.parametrize("day", ["2019-02-30", "yesterday", "2999-01-01", "2020-01-01"])
def test_a_day_without_a_daily_says_so(ada: httpx.Client, day: str) -> None:
    assert deal(ada, 404, **DAILY, day=day)["type"] == "/problems/not-found"
    assert ada.get(f"/api/sets/daily/mayor/{day}").status_code == 404


def test_past_days_are_kept_and_can_be_played(ada: httpx.Client, bob: httpx.Client, game: Game) -> None:
    play(ada, **DAILY)
    yesterday = (now() - timedelta(days=1)).date().isoformat()
    with writing(game.engine) as connection:
        connection.execute(update(sets).values(name=yesterday))
    game.services.fixed._known.clear()
    assert len(play(bob, **DAILY, day=yesterday)) == TEN
    assert f"/daily/mayor/{yesterday}" in bob.get(f"/daily/mayor/{yesterday}/result").text


def test_a_result_is_told_when_the_set_is_through_and_spoils_nothing(
    ada: httpx.Client, bob: httpx.Client, game: Game
) -> None:
    seen = play(ada, **DAILY)
    play(bob, 4, **DAILY)
    half = bob.get(f"/api/sets/daily/mayor/{today(game)}").json()
    assert (half["played"], half["players"], half["average"], half["share"]) == (4, 0, None, None)
    whole = ada.get(f"/api/sets/daily/mayor/{today(game)}").json()
    assert whole["played"] == TEN
    assert whole["players"] == 1
    assert whole["share"].count("🟩") == whole["spotted"]
    assert not any(text in whole["share"] for pair in seen for text in pair)


def test_how_one_compares_is_told_from_five_others_on(game: Game) -> None:
    for number in range(6):
        with game.client() as client:
            play(client, **DAILY)
            result = client.get(f"/api/sets/daily/mayor/{today(game)}").json()
            assert result["players"] == number + 1
            assert (result["beaten"] is None) == (number < 5)


def spot(game: Game, client: httpx.Client, rounds: int, **ask: Any) -> None:
    """Play rounds, and take the tweet in each."""
    for _ in range(rounds):
        dealt = deal(client, **ask)
        guess(client, dealt, game.services.seal.open(dealt["round"]).tweet_index)


def hide_the_last(game: Game, *, is_hidden: bool = True) -> None:
    """Take the tenth sample of the daily out, or show it again."""
    with writing(game.engine) as connection:
        sample_id = connection.scalar(select(set_cards.c.sample_id).where(set_cards.c.place == TEN - 1))
        hidden_at = now() if is_hidden else None
        connection.execute(update(samples).where(samples.c.id == sample_id).values(hidden_at=hidden_at))
        next_stamp(connection, 1)
    game.refresh()


def count_others(game: Game, players: int, score: int) -> None:
    with writing(game.engine) as connection:
        set_id = connection.execute(select(sets.c.id)).scalar_one()
        count(connection, {ScoreKey(set_id, score): players})


def test_who_is_through_since_the_last_place_was_hidden_is_compared_with_all_others(
    ada: httpx.Client, game: Game
) -> None:
    spot(game, ada, 9, **DAILY)
    count_others(game, 6, 3)
    hide_the_last(game)
    result = ada.get(f"/api/sets/daily/mayor/{today(game)}").json()
    assert result["is_through"]
    assert (result["players"], result["beaten"]) == (7, 1.0)


@pytest.mark.parametrize("picks", ["spotted", "fooled"])
def test_a_last_place_that_is_shown_again_counts_nobody_twice(ada: httpx.Client, game: Game, picks: str) -> None:
    deal(ada, **DAILY)
    hide_the_last(game)
    count_others(game, 6, 3)
    spot(game, ada, 9, **DAILY)
    address = f"/api/sets/daily/mayor/{today(game)}"
    assert ada.get(address).json()["players"] == 7
    hide_the_last(game, is_hidden=False)
    assert not ada.get(address).json()["is_through"]
    dealt = deal(ada, **DAILY)
    tweet = game.services.seal.open(dealt["round"]).tweet_index
    guess(ada, dealt, tweet if picks == "spotted" else 1 - tweet)
    result = ada.get(address).json()
    own = TEN if picks == "spotted" else TEN - 1
    assert (result["spotted"], result["players"], result["beaten"]) == (own, 7, 1.0)
    assert result["average"] == pytest.approx((6 * 3 + own) / 7)


def test_a_set_whose_last_pair_names_somebody_is_played_to_its_end_before_it(
    ada: httpx.Client, bob: httpx.Client, game: Game
) -> None:
    deal(ada, **DAILY)
    with writing(game.engine) as connection:
        sample_id = connection.scalar(select(set_cards.c.sample_id).where(set_cards.c.place == TEN - 1))
        naming = f"Clive Bose and I say: {words(1, 70)}"
        connection.execute(update(samples).where(samples.c.id == sample_id).values(text=naming))
        archives.let_names(connection, 1, False)
        next_stamp(connection, 1)
    game.refresh()
    for client in (ada, bob):
        play(client, 9, **DAILY)
        assert deal(client, 409, **DAILY)["type"] == "/problems/set-through"
    assert bob.get(f"/api/sets/daily/mayor/{today(game)}").json()["players"] == 2


@pytest.mark.slow
def test_a_challenge_is_the_same_ten_and_then_side_by_side(ada: httpx.Client, bob: httpx.Client) -> None:
    mine = play(ada, 12)
    assert bob.post("/api/challenges", json={"archive": "mayor"}).status_code == 409
    made = ada.post("/api/challenges", json={"archive": "mayor"})
    assert made.status_code == 201
    assert ada.post("/api/challenges", json={"archive": "mayor"}).json() == made.json()
    name = made.json()["challenge"]
    before = bob.get(f"/api/sets/challenge/{name}").json()
    assert before["sittings"] == []
    assert not before["is_through"]
    assert play(bob, mode="challenge", challenge=name) == mine[2:]
    after = bob.get(f"/api/sets/challenge/{name}").json()
    assert [(each["is_maker"], each["is_you"]) for each in after["sittings"]] == [(True, False), (False, True)]
    assert all(len(each["verdicts"]) == TEN for each in after["sittings"])


def test_whoever_comes_late_to_a_challenge_that_many_played_stands_beside_them(
    ada: httpx.Client, bob: httpx.Client, game: Game
) -> None:
    play(ada)
    name = ada.post("/api/challenges", json={"archive": "mayor"}).json()["challenge"]
    keys = [bytes([number]) * 16 for number in range(60)]
    with writing(game.engine) as connection:
        players.add(connection, dict.fromkeys(keys), now())
        set_id = connection.execute(select(sets.c.id).where(sets.c.name == name)).scalar_one()
        for player in players.locked(connection, keys).values():
            row = {"player_id": player.id, "set_id": set_id, "place": TEN, "spotted": 5, "verdicts": "sf" * 5}
            connection.execute(insert(set_seats).values(row | {"began_at": now(), "finished_at": now()}))
    play(bob, mode="challenge", challenge=name)
    sittings = bob.get(f"/api/sets/challenge/{name}").json()["sittings"]
    assert len(sittings) == 51
    assert [place for place, each in enumerate(sittings) if each["is_you"]] == [50]


def test_no_card_of_the_latest_daily_gets_into_a_challenge(ada: httpx.Client, game: Game) -> None:
    play(ada, 11)
    with writing(game.engine) as connection:
        row = connection.execute(select(guesses.c.tweet_id, guesses.c.sample_id).order_by(guesses.c.id)).all()[5]
        made = {"archive_id": 1, "kind": "daily", "name": today(game), "created_at": now()}
        set_id = connection.execute(sets.insert().values(made).returning(sets.c.id)).scalar_one()
        card = {"set_id": set_id, "place": 0, "tweet_id": row.tweet_id, "sample_id": row.sample_id}
        connection.execute(
            set_cards.insert().values(card | {"arm": "champion", "arm_probability": 1, "card_probability": 1})
        )
        connection.exec_driver_sql("UPDATE archives SET stamp = stamp + 1")
    game.refresh()
    assert ada.post("/api/challenges", json={}).status_code == 201
    with game.engine.connect() as connection:
        ids = connection.scalars(select(set_cards.c.tweet_id).where(set_cards.c.set_id != set_id)).all()
    assert len(ids) == TEN
    assert row.tweet_id not in ids


def test_what_hangs_in_the_hall_leaves_no_gap_in_a_challenge(ada: httpx.Client, bob: httpx.Client, game: Game) -> None:
    mine = play(ada, 12)
    with writing(game.engine) as connection:
        newest = connection.scalars(select(guesses.c.sample_id).order_by(guesses.c.id.desc()).limit(1)).one()
        connection.execute(update(samples).where(samples.c.id == newest).values(hung_at=now()))
        connection.exec_driver_sql("UPDATE archives SET stamp = stamp + 1")
    game.refresh()

    name = ada.post("/api/challenges", json={}).json()["challenge"]

    assert play(bob, mode="challenge", challenge=name) == mine[1:11]
    assert [each["is_you"] for each in bob.get(f"/api/sets/challenge/{name}").json()["sittings"]] == [False, True]


def test_practice_is_against_the_generator_that_was_chosen(serving: Opener) -> None:
    def fill(connection: Connection) -> None:
        archive_id = add_game(connection)
        other = add_generator(connection, archive_id)
        add_samples(connection, archive_id, other, [words(20_000 + n, 70 + n) for n in range(40)], retired_stamp=2)

    game = serving(fill=fill)
    with game.client() as client:
        ask = {"mode": "practice", "archive": "mayor"}
        assert {guess(client, deal(client, **ask, generator="v2"))["generator"] for _ in range(5)} == {"v2"}
        # The two samples differ; the tweet beside them may well be the same.
        assert any(text.startswith("Note 20") for text in texts(deal(client, **ask, generator="v2")))
        assert any(text.startswith("Note 10") for text in texts(deal(client, **ask, generator="v1")))
        assert guess(client, deal(client, **ask, generator="v1"))["generator"] == "v1"
        assert deal(client, 404, **ask, generator="v9")["type"] == "/problems/not-found"
        assert deal(client, 404, **ask, generator="best")["type"] == "/problems/not-found"
        assert "You spotted" in client.get("/ways").text
    with game.engine.connect() as connection:
        assert set(connection.scalars(select(labels.c.reason))) == {"practice round"}


def test_a_mixed_game_takes_from_all_archives_and_reloads_the_same(serving: Opener) -> None:
    def two(connection: Connection) -> None:
        add_game(connection, "mayor")
        add_game(connection, "obama")
        add_game(connection, "demo", is_demo=True)

    with serving(fill=two).client() as client:
        slugs = []
        for _ in range(24):
            dealt = deal(client, mixed=True)
            assert texts(deal(client, mixed=True)) == texts(dealt)
            ahead = deal(client, mixed=True, after=dealt["round"])
            guess(client, dealt)
            assert texts(deal(client, mixed=True)) == texts(ahead)
            slugs.append(dealt["archive"]["slug"])
    assert set(slugs) == {"mayor", "obama"}


def test_a_mixed_game_goes_on_where_one_archive_is_met_to_its_end(serving: Opener) -> None:
    def two(connection: Connection) -> None:
        add_game(connection, "mayor", on_shelf=3)
        add_game(connection, "obama", on_shelf=9)

    with serving(fill=two).client() as client:
        for _ in range(12):
            dealt = deal(client, mixed=True)
            ahead = client.post("/api/rounds", json={"mixed": True, "after": dealt["round"]}).json()
            guess(client, dealt)
        assert ahead["type"] == deal(client, 409, mixed=True)["type"] == "/problems/all-met"


def test_the_first_round_is_short_chosen_and_no_label(ada: httpx.Client, game: Game) -> None:
    first = deal(ada)
    assert all(len(text) <= 90 for text in texts(first))
    guess(ada, first)
    with game.engine.connect() as connection:
        query = select(guesses.c.policy_version, labels.c.reason).join(labels, labels.c.guess_id == guesses.c.id)
        assert connection.execute(query).one() == (2, "chosen pair")


def test_the_first_ten_are_compared_with_everybodys(ada: httpx.Client, bob: httpx.Client) -> None:
    play(ada, 10)
    play(bob, 11)
    result = bob.get("/api/sets/first/mayor").json()
    assert (result["played"], result["players"], result["is_through"]) == (10, 2, True)


@pytest.mark.parametrize(
    "ask",
    [
        {"mode": "challenge"},
        {"mode": "practice"},
        {"day": "2026-11-24"},
        {"mode": "daily", "generator": "v1"},
        {"mixed": True, "archive": "mayor"},
        {"mode": "class"},
    ],
    ids=str,
)
def test_what_a_way_does_not_have_is_refused(ada: httpx.Client, ask: dict[str, Any]) -> None:
    assert deal(ada, 422, **ask)["type"] == "/problems/bad-request"


def test_a_round_of_one_way_does_not_lead_to_another(ada: httpx.Client) -> None:
    endless = deal(ada, archive="mayor")
    assert deal(ada, 422, **DAILY, after=endless["round"])["type"] == "/problems/bad-request"
    # In the mixed game it would lead farther ahead than the next place.
    for way in ({"mode": "practice", "archive": "mayor", "generator": "v1"}, DAILY):
        assert deal(ada, 422, mixed=True, after=deal(ada, **way)["round"])["type"] == "/problems/bad-request"


def test_archives_are_listed_with_size_champion_and_fool_rate(ada: httpx.Client) -> None:
    [archive] = ada.get("/api/archives").json()["archives"]
    assert (archive["size"], archive["champion"], archive["fool_rate"]) == (60, "v1", None)
    play(ada, 20)
    assert 0 <= ada.get("/api/archives").json()["archives"][0]["fool_rate"] <= 1


def test_a_sample_that_only_practice_deals_is_not_told_of_before_it_is_answered(serving: Opener) -> None:
    def fill(connection: Connection) -> None:
        archive_id = add_game(connection)
        other = add_generator(connection, archive_id)
        add_samples(connection, archive_id, other, [words(20_000 + n, 70 + n) for n in range(20)], retired_stamp=2)

    game = serving(fill=fill)
    discretion = Discretion(game.engine, game.services.catalogue, game.services.round_life)
    with game.client() as client:
        dealt = deal(client, mode="practice", archive="mayor", generator="v2")
        sealed = game.services.seal.open(dealt["round"])
        assert all(discretion.forbids(text, sealed.player) for text in texts(dealt))
        guess(client, dealt)
        assert not any(discretion.forbids(text, sealed.player) for text in texts(dealt))


def test_sets_are_played_alike_on_either_database(either_game: Game) -> None:
    with either_game.client() as ada, either_game.client() as bob:
        assert play(ada, **DAILY) == play(bob, **DAILY)
        play(ada, 10)
        name = ada.post("/api/challenges", json={}).json()["challenge"]
        play(bob, mode="challenge", challenge=name)
        assert len(bob.get(f"/api/sets/challenge/{name}").json()["sittings"]) == 2
        assert ada.get("/api/sets/first/mayor").json()["players"] == 1
        assert guess(bob, deal(bob, mode="practice", archive="mayor", generator="v1"))["generator"] == "v1"
        assert guess(bob, deal(bob, mixed=True))["played"] == 1
        assert bob.get("/ways").status_code == 200
        assert bob.get("/").status_code == 200


def test_practice_ends_with_what_its_network_wrote(serving: Opener) -> None:
    game = serving(fill=lambda connection: add_game(connection, on_shelf=2))
    with game.client() as client:
        for _ in range(2):
            guess(client, deal(client, mode="practice", archive="mayor", generator="v1"))
        assert (
            deal(client, 409, mode="practice", archive="mayor", generator="v1")["type"] == "/problems/practice-through"
        )
        page = client.get("/practice/mayor/v1")
    assert page.status_code == 409
    assert "You have met every card that v1 wrote." in page.text
    assert "writing" not in page.text
    assert 'href="/ways">' in page.text


def test_what_learned_from_a_class_is_practised_against_by_nobody(game: Game) -> None:
    with writing(game.engine) as connection:
        made = add_generator(connection, 1, card={"made_by": "class"})
        add_samples(connection, 1, made, [words(50_000 + seed) for seed in range(30)])
    game.refresh()
    with game.client() as client:
        assert deal(client, 404, mode="practice", archive="mayor", generator="v2")
        assert client.get("/practice/mayor/v2").status_code == 404
        assert deal(client, mode="practice", archive="mayor", generator="v1")
        ways = client.get("/ways").text
    assert "/practice/mayor/v1" in ways
    assert "/practice/mayor/v2" not in ways


def test_an_archive_of_which_too_few_cards_can_be_dealt_says_so(serving: Opener) -> None:
    def fill(connection: Connection) -> None:
        archive_id = add_archive(connection)
        texts = [words(seed) for seed in range(16)]
        add_tweets(connection, archive_id, [*texts[:7], *(text.replace("Note", "Ноте") for text in texts[7:])])
        generator_id = add_generator(connection, archive_id)
        add_samples(connection, archive_id, generator_id, [words(1000 + seed) for seed in range(40)])

    game = serving(fill=fill)
    page = game.client(follow_redirects=True).get("/daily/mayor")
    assert page.status_code == 404
    assert "7 of its tweets can be dealt, a daily needs 10" in page.text
    assert "writing" not in page.text
    assert 'href="/a/mayor">' in page.text
    assert game.client().get("/a/mayor").status_code == 200


def test_a_daily_waits_for_samples_where_they_are_too_few(serving: Opener) -> None:
    game = serving(fill=lambda connection: add_game(connection, cards=20, on_shelf=9))
    page = game.client(follow_redirects=True).get("/daily/mayor")
    assert page.status_code == 503
    assert "still writing" in page.text
    assert "It has written 9 cards for now, and a daily needs 10" in page.text


def test_an_archive_too_small_for_a_daily_says_so_and_what_can_be_played(serving: Opener) -> None:
    game = serving(fill=lambda connection: add_game(connection, cards=9))
    page = game.client(follow_redirects=True).get("/daily/mayor")
    assert page.status_code == 404
    assert "9 of its tweets can be dealt, a daily needs 10" in page.text
    assert 'href="/a/mayor">' in page.text
    assert "writing" not in page.text
    assert "data-again" not in page.text
    asked = game.client().post("/api/rounds", json={"mode": "daily", "archive": "mayor"})
    assert (asked.status_code, asked.json()["type"]) == (404, "/problems/no-daily")
    assert game.client().get("/a/mayor").status_code == 200
