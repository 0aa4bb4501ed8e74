"""Names: the slug of an archive and the handle of an account, as somebody typed them."""

from __future__ import annotations

import re
import unicodedata

from app.archives import ArchiveError

LONGEST_SLUG = 64
LONGEST_NAME = 200  # characters of what pages call an archive
_SLUG = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
# Of X, Mastodon, Reddit (hyphens) or Bluesky (a domain).
_HANDLE = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,62}[A-Za-z0-9_-])?")


def slug_of(name: str) -> str:
    """`name` as a slug: lower-case letters, digits and single hyphens.

    Raises:
        ArchiveError: nothing of the name is left, or too much.
    """
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    slug = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")
    if not _SLUG.fullmatch(slug) or len(slug) > LONGEST_SLUG:
        raise ArchiveError(
            f"cannot name an archive {name[:80]!r}: expected a name with 1 to {LONGEST_SLUG} letters (a to z) or digits"
        )
    return slug


def slug_meant(name: str | None) -> str | None:
    """The slug of the archive that a command names, as typed when it was imported or as a slug.

    What no archive can be called stays as it is: whoever looks it up says that there is none.
    """
    try:
        return None if name is None else slug_of(name)
    except ArchiveError:
        return name


def name_of(given: str) -> str:
    """What pages call an archive, with single spaces.

    Raises:
        ArchiveError: it is too long, or holds what cannot be shown.
    """
    name = " ".join(given.split())
    if len(name) > LONGEST_NAME or any(unicodedata.category(c) in ("Cc", "Cs") for c in name):
        raise ArchiveError(
            f"cannot call an archive {name[:80]!r}: expected up to {LONGEST_NAME} characters in UTF-8, none for control"
        )
    return name


def handle_of(given: str) -> str:
    """A handle without its @.

    Raises:
        ArchiveError: it is no handle.
    """
    handle = given.strip().removeprefix("@")
    if not _HANDLE.fullmatch(handle):
        raise ArchiveError(
            f"{given[:80]!r} is no handle: expected @ and up to 64 letters (a to z), digits, underscores, dots, hyphens"
        )
    return handle
