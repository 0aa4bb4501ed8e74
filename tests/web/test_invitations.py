"""An archive that is entered by an invitation: there for who followed the link, and for nobody else."""

from __future__ import annotations

import pytest
from factories import add_archive, add_game, add_generator, add_tweets, words
from serving import Game, Opener
from sqlalchemy import Connection, select, update

from app.db import archives as room
from app.db.session import writing
from app.db.tables import archives


def two_games(connection: Connection) -> None:
    add_game(connection)
    add_game(connection, "cousin", invite="s3cret-link_0")


def slugs(client) -> list[str]:
    return [each["slug"] for each in client.get("/api/archives").json()["archives"]]


def test_without_the_invitation_the_archive_is_not_there(serving: Opener) -> None:
    client = serving(two_games).client()
    assert slugs(client) == ["mayor"]
    assert client.post("/api/rounds", json={"archive": "cousin"}).status_code == 404
    assert client.get("/a/cousin").status_code == 404
    assert "cousin" not in client.get("/a/mayor").text.lower()


def test_who_followed_the_invitation_plays_it_from_then_on(serving: Opener) -> None:
    client = serving(two_games).client()
    followed = client.get("/i/s3cret-link_0", follow_redirects=False)
    assert followed.status_code == 303
    assert followed.headers["location"] == "/a/cousin"
    assert client.get("/a/cousin").status_code == 200
    assert set(slugs(client)) == {"mayor", "cousin"}
    dealt = client.post("/api/rounds", json={"archive": "cousin"}).json()
    assert client.post("/api/guesses", json={"round": dealt["round"], "pick": 0}).status_code == 201


def test_an_invitation_is_remembered_from_the_last_page_of_questions_on(serving: Opener) -> None:
    client = serving(two_games).client()
    client.get("/i/s3cret-link_0")
    page = client.get("/")
    given = [each for each in page.headers.get_list("set-cookie") if each.startswith("whichtweet_invites=")]
    assert len(given) == 1
    assert given[0].startswith("whichtweet_invites=s3cret-link_0; ")
    assert f"Max-Age={400 * 86_400}" in given[0]
    assert set(slugs(client)) == {"mayor", "cousin"}


@pytest.mark.parametrize("brought", ["", ".", '"é.\\012b"', "a b", "x" * 40])
def test_what_was_never_an_invitation_is_not_given_back(serving: Opener, brought: str) -> None:
    client = serving(two_games).client()
    page = client.get("/", headers={"Cookie": f"whichtweet_invites={brought}".encode("latin-1")})
    assert page.status_code == 200
    assert "whichtweet_invites" not in " ".join(page.headers.get_list("set-cookie"))


def test_who_was_invited_is_told_that_the_network_is_still_writing(serving: Opener) -> None:
    def unwritten(connection: Connection) -> None:
        archive_id = add_archive(connection, "cousin", invite="s3cret-link_0")
        add_tweets(connection, archive_id, [words(1), words(2)])
        add_generator(connection, archive_id)

    game = serving(unwritten)
    invited, stranger = game.client(), game.client()
    invited.get("/i/s3cret-link_0")
    for path in ("/", "/a/cousin"):
        page = invited.get(path)
        assert page.status_code == 503
        assert "The network is still writing" in page.text
        assert "nothing to play yet" not in page.text
    assert "There is nothing to play yet." in stranger.get("/").text


def test_a_wrong_invitation_leads_nowhere(serving: Opener) -> None:
    client = serving(two_games).client()
    assert client.get("/i/another").status_code == 404
    assert client.get("/a/cousin").status_code == 404


def test_a_new_invitation_shuts_the_old_one_out(serving: Opener) -> None:
    game: Game = serving(two_games)
    client = game.client()
    client.get("/i/s3cret-link_0")
    token = client.post("/api/rounds", json={"archive": "cousin"}).json()["round"]
    with writing(game.engine) as connection:
        changed = {"invite": "another-link", "stamp": archives.c.stamp + 1}
        connection.execute(update(archives).where(archives.c.slug == "cousin").values(changed))
    game.refresh()
    assert client.get("/a/cousin").status_code == 404
    # The round that is open may be answered; it leads to no other.
    assert client.post("/api/guesses", json={"round": token, "pick": 0}).status_code == 201
    for ask in ({"after": token}, {"after": token, "archive": "cousin"}):
        assert client.post("/api/rounds", json=ask).status_code == 404
    assert client.post("/a/cousin", data={"round": token}).status_code == 404
    client.get("/i/another-link")
    assert client.get("/a/cousin").status_code == 200


def test_a_private_persons_archive_is_behind_an_invitation_at_once(game: Game) -> None:
    with writing(game.engine) as connection:
        room.note_basis(connection, "mayor", "public")
        assert connection.scalar(select(archives.c.invite)) is None
        room.note_basis(connection, "mayor", "permission")
        invite = connection.scalar(select(archives.c.invite))
        room.note_basis(connection, "mayor", "permission")
        assert connection.scalar(select(archives.c.invite)) == invite
    assert len(invite) >= 16
