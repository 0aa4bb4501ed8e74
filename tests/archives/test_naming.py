"""Names of archives and accounts as people type them."""

from __future__ import annotations

import pytest

from app.archives import ArchiveError
from app.archives.naming import handle_of, name_of, slug_of


@pytest.mark.parametrize(
    ("typed", "slug"),
    [("trump", "trump"), ("Donald J. Trump", "donald-j-trump"), (" --Été 2020!-- ", "ete-2020"), ("a_b", "a-b")],
)
def test_a_name_becomes_a_slug(typed: str, slug: str) -> None:
    assert slug_of(typed) == slug


@pytest.mark.parametrize("typed", ["", "  ", "---", "шекспир", "x" * 65, "../"])
def test_a_name_without_a_slug_is_refused_in_one_line(typed: str) -> None:
    with pytest.raises(ArchiveError, match=r"^cannot name an archive .*expected a name.*$"):
        slug_of(typed)


def test_a_handle_loses_its_at() -> None:
    assert handle_of("@realDonaldTrump") == handle_of(" realDonaldTrump ") == "realDonaldTrump"


@pytest.mark.parametrize("typed", ["gannet.bsky.social", "mayor-of-gannet"])
def test_handles_of_other_places_than_x_have_dots_and_hyphens(typed: str) -> None:
    assert handle_of(f"@{typed}") == typed


@pytest.mark.parametrize("typed", ["@", "two words", "@a@b", "x" * 65, "@naïve", ".hidden", "@ends.", "../../etc"])
def test_what_is_no_handle_is_refused(typed: str) -> None:
    with pytest.raises(ArchiveError, match="is no handle"):
        handle_of(typed)


def test_a_name_keeps_what_can_be_shown() -> None:
    assert name_of("  The 👨\u200d👩\u200d👧  of\nGannet ") == "The 👨\u200d👩\u200d👧 of Gannet"


@pytest.mark.parametrize("typed", ["n" * 201, "caf\udce9", "\x1b[31mred"])
def test_a_name_that_cannot_be_shown_is_refused(typed: str) -> None:
    with pytest.raises(ArchiveError, match="cannot call an archive"):
        name_of(typed)
