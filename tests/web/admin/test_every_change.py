"""Every route of the dashboard: found in the routers, so that a new one is tried as well, by whom it is not for."""

from __future__ import annotations

import re

import pytest
from fastapi.routing import APIRoute

from app.web.admin import ROOMS

OWN = {"/admin/sign-out", "/admin/sign-out-everywhere"}  # what a viewer may do, of themselves
DOOR = "/admin/sign-in"


def addresses(method: str) -> list[str]:
    """The addresses of all routes of a method, with something in each of their places."""
    found = []
    for room in ROOMS:
        for route in room.router.routes:
            assert isinstance(route, APIRoute)
            assert route.methods in ({"GET"}, {"POST"}), route.path
            if method in route.methods:
                path = route.path.replace("{slug}", "mayor").replace("{kind}", "csv")
                found.append("/admin" + re.sub(r"\{[^}]*\}", "1", path))
    return sorted(found)


CHANGES, LOOKS = addresses("POST"), addresses("GET")


def test_there_are_as_many_as_there_are_forms() -> None:
    assert len(CHANGES) >= 27
    assert {DOOR, *OWN} <= set(CHANGES)


def test_a_stranger_sees_nothing(outside):
    """Neither a page nor a word of what is asked for, be it there or not."""
    assert len(LOOKS) >= 24
    for path in LOOKS:
        answer = outside.get(path)
        if path == DOOR:
            continue
        assert answer.status_code in (303, 401), path
        assert answer.headers.get("location", DOOR).startswith(DOOR), path
        assert "mayor" not in answer.text, path


def test_a_viewer_looks_at_everything(viewer):
    """What is not there is not found; nothing is refused for the role, and nothing breaks."""
    answers = {path: viewer.get(path).status_code for path in LOOKS}
    assert {path: status for path, status in answers.items() if status in (401, 403, 500)} == {}


def test_a_viewer_and_a_stranger_change_nothing(viewer):
    stranger = viewer.another()
    tried = [path for path in CHANGES if path not in {DOOR, *OWN}]
    assert {path: viewer.post(path).status_code for path in tried} == dict.fromkeys(tried, 403)
    assert {path: stranger.post(path).status_code for path in tried} == dict.fromkeys(tried, 401)


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://testserver.evil.example", "http://[", None])
def test_no_other_site_changes_anything(desk, origin):
    assert {path: desk.post(path, origin=origin).status_code for path in CHANGES} == dict.fromkeys(CHANGES, 403)
