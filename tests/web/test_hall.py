"""The hall shows what fooled the most, and nothing that whoever looks may still be asked about."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape

import pytest
from factories import add_arm, add_generator
from serving import Game
from sqlalchemy import Engine, func, insert, select, update

from app.db import browsing, classes, hall, shelf
from app.db.migrate import downgrade, migrate
from app.db.session import now, writing
from app.db.tables import archives, guesses, players, samples, set_cards, sets, tallies, tweets

LONG_HUNG = timedelta(hours=3)


def rate(
    game: Game, place: int, guessed: int, fooled: int, *, retired: bool = True, hung: bool = False
) -> tuple[int, str]:
    """Give a sample its guesses; its id and text."""
    with writing(game.engine) as connection:
        sample_id, text = connection.execute(
            select(samples.c.id, samples.c.text).order_by(samples.c.id).offset(place).limit(1)
        ).one()
        values = {"guesses": guessed, "fooled": fooled, "retired_stamp": 3 if retired else None}
        values["hung_at"] = now() - LONG_HUNG if hung else None
        connection.execute(update(samples).where(samples.c.id == sample_id).values(values))
        connection.execute(update(archives).values(stamp=archives.c.stamp + 1))
    game.refresh()
    return sample_id, text


def shown(game: Game, path: str = "/hall") -> str:
    with game.client() as client:
        answer = client.get(path)
    assert answer.status_code == 200
    return unescape(answer.text)


def test_what_hangs_is_shown_by_how_players_rated_it(either_game: Game) -> None:
    _, convincing = rate(either_game, 0, 20, 15, hung=True)
    _, half = rate(either_game, 1, 20, 7, hung=True)
    _, caught = rate(either_game, 2, 20, 1, hung=True)
    page = shown(either_game)
    order = [page.index(words) for words in ("Convincing", convincing, "Half right", half, "Caught", caught)]
    assert order == sorted(order)
    assert page.count("Written by a machine") == 3
    assert "fooled 15 of 20" in page
    assert 'content="noindex"' in page


def test_what_is_hidden_leaves_the_hall_at_once(either_game: Game) -> None:
    sample_id, text = rate(either_game, 0, 20, 15, hung=True)
    _, other = rate(either_game, 1, 20, 14, hung=True)
    assert text in shown(either_game)
    with writing(either_game.engine) as connection:
        browsing.hide(connection, "sample", 1, [sample_id], now(), "three reports")
    page = shown(either_game)
    assert text not in page
    assert other in page
    with either_game.client() as client:
        assert client.get(f"/hall/{sample_id}").status_code == 404
        assert client.get(f"/hall/{sample_id}.png").status_code == 404


def test_a_picture_of_an_archive_by_invitation_is_kept_by_no_cache_between(game: Game) -> None:
    """It would hand it to everybody."""
    sample_id, _ = rate(game, 0, 20, 15, hung=True)
    path = f"/hall/{sample_id}.png"
    assert game.client().get(path).headers["cache-control"] == "public, max-age=3600"
    with writing(game.engine) as connection:
        connection.execute(update(archives).values(invite="s3cret-link_0", stamp=archives.c.stamp + 1))
    game.refresh()
    with game.client() as client:
        assert client.get(path).status_code == 404
        client.get("/i/s3cret-link_0")
        assert client.get(path).headers["cache-control"] == "private, max-age=3600"


def test_an_empty_hall_says_when_samples_come_to_hang_there(game: Game) -> None:
    page = shown(game)
    assert page.count("Nothing to see here yet") == 1
    assert "Convincing" not in page


def test_a_group_that_is_empty_stands_beside_one_that_is_not(game: Game) -> None:
    rate(game, 0, 20, 15, hung=True)
    page = shown(game)
    assert "Nothing to see here yet" not in page
    assert page.count("None of these yet.") == 2


def test_what_is_on_the_shelf_or_was_hung_just_now_is_shown_to_nobody(game: Game) -> None:
    _, on_shelf = rate(game, 0, 10, 9, retired=False)
    sample_id, fresh = rate(game, 1, 20, 18)
    page = shown(game)
    assert on_shelf not in page
    assert fresh not in page, "a round with it may still be open"
    with game.client() as client:
        assert client.get(f"/hall/{sample_id}").status_code == 404
        assert client.get(f"/hall/{sample_id}.png").status_code == 404
    with game.engine.connect() as connection:
        hung = connection.scalar(select(samples.c.hung_at).where(samples.c.id == sample_id))
        assert hung is not None
        assert connection.scalar(select(func.count()).where(samples.c.hung_at.is_not(None))) == 1


def test_what_hangs_is_never_dealt_again_even_to_seats_that_lag_behind(game: Game) -> None:
    with game.client() as client:
        dealt = client.post("/api/rounds").json()
        with game.engine.connect() as connection:
            texts = dict(connection.execute(select(samples.c.text, samples.c.id)).all())
        open_sample = next(texts[card["text"]] for card in dealt["cards"] if card["text"] in texts)
        with writing(game.engine) as connection:
            connection.execute(
                update(samples).where(samples.c.id == open_sample).values(guesses=20, fooled=20, retired_stamp=99)
            )
            assert hall.hang(connection, 1, now()) == 1
            assert hall.hang(connection, 1, now()) == 0
            practice = {sample.id for sample in shelf.all_of(connection, 1)}
            in_class = {sample_id for sample_id, _ in classes.samples_of(connection, 1)}
        assert len(practice) == len(in_class) == 59
        assert open_sample not in practice | in_class
        game.refresh()
        again = client.post("/api/rounds").json()
        assert all(texts.get(card["text"]) != open_sample for card in again["cards"])


def test_what_a_player_has_answered_is_shown_to_that_player_alone(game: Game) -> None:
    with game.client() as client, game.client() as other:
        dealt = client.post("/api/rounds").json()
        tweet = client.post("/api/guesses", json={"round": dealt["round"], "pick": 0}).json()["tweet"]
        with writing(game.engine) as connection:
            sample_id = connection.scalar(select(guesses.c.sample_id))
            connection.execute(update(samples).where(samples.c.id == sample_id).values(guesses=9, fooled=8))
            not_met = tweets.c.id.not_in(select(guesses.c.tweet_id))
            other_id, unmet = connection.execute(select(tweets.c.id, tweets.c.text).where(not_met).limit(1)).one()
            connection.execute(update(tweets).where(tweets.c.id == other_id).values(guesses=9, fooled=9))
            connection.execute(
                update(tweets).where(tweets.c.id.in_(select(guesses.c.tweet_id))).values(guesses=9, fooled=8)
            )
        page, others = unescape(client.get("/hall").text), unescape(other.get("/hall").text)
        for place, card in enumerate(dealt["cards"]):
            assert card["text"] in page
            assert card["text"] not in others
            kind = "real" if place == tweet else "machine"
            assert re.search(rf'class="card {kind}">[^/]*/p><p class="text" dir="auto">{re.escape(card["text"])}', page)
        assert unmet not in page + others
        assert re.search(r"[12] more waits? here until you have met", page)


def test_a_sample_by_itself_and_its_picture_say_what_it_is(game: Game) -> None:
    sample_id, text = rate(game, 0, 20, 15, hung=True)
    page = shown(game, f"/hall/{sample_id}")
    assert text in page
    assert '<meta name="robots" content="noindex">' in page
    assert f'<meta property="og:image" content="{game.url}/hall/{sample_id}.png">' in page
    assert re.search(r'og:title" content="Written by a machine\.', page)
    with game.client() as client:
        picture = client.get(f"/hall/{sample_id}.png")
        assert picture.headers["content-type"] == "image/png"
        assert picture.headers["x-robots-tag"] == "noindex"
        assert picture.content[:8] == b"\x89PNG\r\n\x1a\n"
        for path in ("/hall/0", "/hall/99999999999999999999.png", "/hall/of/nowhere", "/hall/x", f"/hall/{5000 * '1'}"):
            assert client.get(path).status_code == 404


def test_a_hidden_sample_hangs_no_more(game: Game) -> None:
    sample_id, text = rate(game, 0, 20, 15, hung=True)
    with writing(game.engine) as connection:
        connection.execute(update(samples).where(samples.c.id == sample_id).values(hidden_at=now()))
    assert text not in shown(game)
    with game.client() as client:
        assert client.get(f"/hall/{sample_id}.png").status_code == 404


def test_the_family_tree_tells_fool_rates_of_real_players(game: Game) -> None:
    with writing(game.engine) as connection:
        second = add_generator(connection, 1, parent_id=1)
        add_arm(connection, 1, "candidate", second, 0.0)
        for crowd, guessed, fooled in (("real", 40, 10), ("robot", 500, 500)):
            key = {"archive_id": 1, "generator_id": second, "day": 1, "mode": "endless", "crowd": crowd}
            connection.execute(tallies.insert().values(key | {"guesses": guessed, "fooled": fooled, "accepted": 0}))
    page = shown(game)
    family = page[page.index('class="family"') :]
    assert re.search(r'deep-0">.*<b>v1</b>.*champion.*anchor.*0 guesses so far', family, re.DOTALL)
    assert re.search(r'deep-1">.*<b>v2</b>.*candidate.*fools 25 % <small>\(14 to 40 %, 40 guesses\)', family, re.DOTALL)


@pytest.mark.parametrize("name", [None, "robot"])
def test_guesses_count_for_the_tweet_too_if_a_person_made_them(either_game: Game, name: str | None) -> None:
    with either_game.simulated(name) if name else either_game.client() as client:
        for pick in (0, 1, 0):
            dealt = client.post("/api/rounds").json()
            client.post("/api/guesses", json={"round": dealt["round"], "pick": pick})
            client.post("/api/guesses", json={"round": dealt["round"], "pick": pick})
    with either_game.engine.connect() as connection:
        counted = connection.execute(select(func.sum(tweets.c.guesses), func.sum(tweets.c.fooled))).one()
        fooled = connection.scalar(select(func.count()).where(guesses.c.verdict == "fooled"))
    assert tuple(counted) == ((0, 0) if name else (3, fooled))


def test_the_counters_of_tweets_are_made_up_for_when_the_schema_changes(either_game: Game) -> None:
    with either_game.client() as client, either_game.simulated() as robot:
        for who in (client, robot, client):
            dealt = who.post("/api/rounds").json()
            who.post("/api/guesses", json={"round": dealt["round"], "pick": 0})
    engine: Engine = either_game.engine
    query = select(tweets.c.id, tweets.c.guesses, tweets.c.fooled).order_by(tweets.c.id)
    with engine.connect() as connection:
        before = connection.execute(query).all()
        assert connection.scalar(select(func.count()).select_from(players)) == 2
    either_game.services.catalogue.stop()  # it reads the tables that are about to be locked
    downgrade(engine, "0009")
    migrate(engine)
    with engine.connect() as connection:
        assert connection.execute(query).all() == before


def test_the_hall_looks_by_its_indexes(game: Game) -> None:
    plans = []
    with game.engine.connect() as connection:
        for query in ("samples WHERE archive_id = 1 AND guesses >= 5", "tweets WHERE archive_id = 1 AND fooled > 0"):
            table = query.split()[0]
            sql = f"EXPLAIN QUERY PLAN SELECT text FROM {query} ORDER BY {table}.fooled DESC, {table}.id DESC LIMIT 9"
            plans += [row.detail for row in connection.exec_driver_sql(sql)]
    assert any("ix_samples_rated" in plan for plan in plans)
    assert any("ix_tweets_doubted" in plan for plan in plans)
    assert not any("SCAN" in plan or "TEMP B-TREE" in plan for plan in plans)


def test_what_lies_in_a_set_neither_hangs_nor_is_read_out(game: Game) -> None:
    sample_id, text = rate(game, 0, 20, 20)
    with writing(game.engine) as connection:
        row = {"archive_id": 1, "kind": "challenge", "name": "pier", "created_at": now()}
        set_id = connection.execute(insert(sets).values(row).returning(sets.c.id)).scalar_one()
        card = {"set_id": set_id, "place": 0, "tweet_id": 1, "sample_id": sample_id, "arm": "champion"}
        connection.execute(insert(set_cards).values(card | {"arm_probability": 1.0, "card_probability": 0.1}))
        assert hall.hang(connection, 1, now()) == 0
        # So long off the shelf that no seat can be dealt it any more.
        connection.execute(update(archives).values(stamp=archives.c.stamp + 9000))
    game.refresh()
    assert text not in shown(game)
    with game.client() as client:
        assert client.post("/inside", data={"text": text}).status_code == 422
