"""Ways to play: endless in one archive or mixed, the daily ten, a challenge, practice against one generator."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from app.db.past import Played
from app.web.bodies import RoundAsk
from app.web.problems import Problem

MIXED = "/mixed"


@dataclass(frozen=True)
class Way:
    """What a visitor plays.

    Attributes:
        mode: endless, daily, challenge, practice or class, as guesses carry it.
        slug: the archive; None: the main one (a challenge has its own).
        name: of a daily its UTC date, "" for today's; of a challenge the word in its address.
        generator: in practice the generator's number.
        is_mixed: endless, from all archives in turn.
    """

    mode: str = "endless"
    slug: str | None = None
    name: str = ""
    generator: int = 0
    is_mixed: bool = False

    @property
    def path(self) -> str:
        """The address of its page."""
        if self.is_mixed:
            return MIXED
        return {
            "endless": f"/a/{self.slug}",
            "daily": f"/daily/{self.slug}/{self.name}",
            "challenge": f"/c/{self.name}",
            "practice": f"/practice/{self.slug}/v{self.generator}",
            "class": f"/a/{self.slug}",  # its room is the lecturer's to lead: whoever looks back plays on alone
        }[self.mode]

    @property
    def result(self) -> str:
        """The address of what came of a set, or of the first ten."""
        return f"{self.path}/result"


def way_of(played: Played, slug: str, *, is_mixed: bool) -> Way:
    """The way in which a round of the archive `slug` was played; that it was a mixed one, no guess knows."""
    generator = played.generator if played.mode == "practice" else 0
    return Way(played.mode, None if played.mode == "challenge" else slug, played.set_name or "", generator, is_mixed)


def is_date(words: str) -> bool:
    """Whether these words are a date as a daily is named by it."""
    try:
        return date.fromisoformat(words).isoformat() == words
    except ValueError:
        return False


def generator_number(words: str) -> int:
    """The number in a generator's name such as v3.

    Raises:
        Problem: 404; it is no such name.
    """
    digits = words.removeprefix("v")
    if not (digits.isascii() and digits.isdigit() and len(digits) < 10):
        raise Problem(404, "not-found", f"there is no generator {words}")
    return int(digits)


def wanted(ask: RoundAsk) -> Way:
    """The way to play that a request asks for.

    Raises:
        Problem: 422; it names what that way does not have, or lacks what it needs.
    """
    needed = {"challenge": ask.challenge, "practice": ask.generator}.get(ask.mode, "")
    if needed is None:
        raise Problem(
            422, "bad-request", f"{'generator' if ask.mode == 'practice' else 'challenge'}: {ask.mode} needs one"
        )
    given = {"daily": ask.day, "challenge": ask.challenge, "practice": ask.generator, "endless": ask.mixed or None}
    for mode, value in given.items():
        if value is not None and mode != ask.mode:
            raise Problem(422, "bad-request", f"mode: what was asked for belongs to {mode}, not to {ask.mode}")
    if ask.archive is not None and (ask.mixed or ask.mode == "challenge"):
        raise Problem(422, "bad-request", "archive: a challenge and a mixed game have none to choose")
    return Way(
        ask.mode,
        ask.archive,
        ask.day or ask.challenge or "",
        generator_number(ask.generator) if ask.generator else 0,
        ask.mixed,
    )
