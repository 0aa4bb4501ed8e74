"""Every route of the dashboard that changes something: found in the routers, so that a new one is tried as well."""

from __future__ import annotations

import re

import pytest
from fastapi.routing import APIRoute

from app.web.admin import ROOMS

OWN = {"/admin/sign-out", "/admin/sign-out-everywhere"}  # what a viewer may do, of themselves
DOOR = "/admin/sign-in"


def changes() -> list[str]:
    """The addresses of all routes that take more than a look, with something in each of their places."""
    found = []
    for room in ROOMS:
        for route in room.router.routes:
            assert isinstance(route, APIRoute)
            assert route.methods is not None
            if route.methods - {"GET", "HEAD"}:
                assert route.methods == {"POST"}
                path = re.sub(r"\{slug[^}]*\}", "mayor", route.path)
                found.append("/admin" + re.sub(r"\{[^}]*\}", "1", path))
    return sorted(found)


CHANGES = changes()


def test_there_are_as_many_as_there_are_forms() -> None:
    assert len(CHANGES) >= 27
    assert {DOOR, *OWN} <= set(CHANGES)


def test_a_viewer_and_a_stranger_change_nothing(viewer):
    stranger = viewer.another()
    tried = [path for path in CHANGES if path not in {DOOR, *OWN}]
    assert {path: viewer.post(path).status_code for path in tried} == dict.fromkeys(tried, 403)
    assert {path: stranger.post(path).status_code for path in tried} == dict.fromkeys(tried, 401)


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://testserver.evil.example", "http://[", None])
def test_no_other_site_changes_anything(desk, origin):
    assert {path: desk.post(path, origin=origin).status_code for path in CHANGES} == dict.fromkeys(CHANGES, 403)
