"""What another site sends changes nothing: neither what a player has, nor who they are."""

from __future__ import annotations

from typing import Any

import pytest
from serving import Game

FOREIGN = (
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Origin": "https://[", "Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site", "Origin": "https://blog.example.org"},
)


@pytest.mark.parametrize("headers", FOREIGN)
@pytest.mark.parametrize(
    ("method", "path", "form"),
    [
        ("POST", "/me/forget", {}),
        ("POST", "/a/mayor", {"round": "x", "pick": "0"}),
        ("POST", "/mixed", {}),
        ("POST", "/move", {"code": "AAAAA-AAAAA"}),
        ("POST", "/api/rounds", {}),
        ("DELETE", "/api/players/me", {}),
    ],
)
def test_no_form_of_another_site_costs_a_player_their_cookie(
    game: Game, headers: dict[str, str], method: str, path: str, form: dict[str, Any]
) -> None:
    """It comes without the cookie (SameSite), but the answer could set another in its place, or take it back."""
    response = game.client().request(method, path, data=form, headers=headers)
    assert response.status_code == 403
    assert "set-cookie" not in response.headers
    assert "another site" in response.text


@pytest.mark.parametrize("site", ["same-origin", "none", None])
def test_what_our_own_pages_send_is_taken(game: Game, site: str | None) -> None:
    # Behind a proxy the address that is asked for need not be the one in the bar; the browser knows better.
    origin = game.url if site is None else "https://game.example.org"
    headers = {"Origin": origin} | ({} if site is None else {"Sec-Fetch-Site": site})
    assert game.client().post("/a/mayor", headers=headers).status_code == 200
    assert game.client().post("/api/rounds", headers=headers).status_code == 201
    assert game.client().post("/api/rounds").status_code == 201, "a program"


def test_a_link_from_another_site_leads_to_the_game(game: Game) -> None:
    headers = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
    assert game.client().get("/", headers=headers).status_code == 200
    assert game.client().head("/", headers=headers).status_code == 200
