"""What a site that is open to others needs before it is: somebody who can moderate it, and a name to turn to."""

from __future__ import annotations

from ipaddress import ip_address

from sqlalchemy import Connection, Engine

from app.db import admins
from app.db.session import reading
from app.settings import Settings, SettingsError

NOBODY = "nobody can moderate it: whichtweet admin create NAME"


def is_public(settings: Settings) -> bool:
    """Whether others than this machine's users can come."""
    if settings.domain:
        return True
    try:
        return not ip_address(settings.host).is_loopback
    except ValueError:
        return settings.host != "localhost"


def faults(connection: Connection, settings: Settings) -> list[str]:
    """What a public site lacks, each with the remedy."""
    return unmoderated(connection) + unnamed(settings)


def unmoderated(connection: Connection) -> list[str]:
    """That nobody can moderate the site, with the remedy; nothing where somebody can."""
    if any(admin.may_change for admin in admins.listing(connection)):
        return []
    return [NOBODY]


def unnamed(settings: Settings) -> list[str]:
    """What the site does not say about who runs it, each with the remedy."""
    return [
        f"its pages do not say who runs it: set WHICHTWEET_{name.upper()}"
        for name in ("operator", "contact")
        if not getattr(settings, name)
    ]


def refuse_half_public(settings: Settings, engine: Engine) -> None:
    """Nothing, unless a public site's name is set and something that the public needs is lacking.

    Raises:
        SettingsError: what it lacks, and what to do.
    """
    if not settings.domain:
        return
    with reading(engine) as connection:
        lacking = faults(connection, settings)
    if lacking:
        raise SettingsError(f"{settings.domain} is not opened to the public: {'; '.join(lacking)}")
