"""Origin: whether a request that changes something was sent by a page of another site."""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.types import Scope

LOOKING = frozenset(("GET", "HEAD", "OPTIONS"))


def is_foreign(scope: Scope) -> bool:
    """Whether another site's page asks for a change, as its browser says; False of programs, which say nothing.

    The cookie stays at home then (SameSite), yet the answer could set another in its place, or take it back.
    """
    if scope["method"] in LOOKING:
        return False
    said: dict[bytes, bytes] = {
        name: value for name, value in scope["headers"] if name in (b"sec-fetch-site", b"origin", b"host")
    }
    # Browsers say it over https and on this machine. It is right behind a proxy that gives us another host, too.
    site = said.get(b"sec-fetch-site")
    if site is not None:
        return site not in (b"same-origin", b"none")
    origin = said.get(b"origin")
    if origin is None:
        return False
    try:
        return urlsplit(origin).netloc != said.get(b"host")
    except ValueError:  # brackets around nothing
        return True
