"""News: one line for a player who comes back, about what the network learned meanwhile, and from whom."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Engine

from app.db import novelties, players
from app.db.archives import Archive
from app.db.novelties import Generation
from app.db.rollups import day_of
from app.db.session import now, reading


def since_last_visit(engine: Engine, key: bytes, archive: Archive) -> str | None:
    """The line; None for somebody new, or who was here today."""
    at = now()
    with reading(engine) as connection:
        player = players.find(connection, key)
        if player is None or player.last_guess_at is None or day_of(player.last_guess_at) >= day_of(at):
            return None
        since = _since(player.last_guess_at, at)
        champion = novelties.champion(connection, archive.id)
        if champion is None:
            return None
        before = novelties.champion_before(connection, archive.id, player.last_guess_at)
        if before is None or before.id == champion.id:
            return f"Nothing has changed {since}: v{champion.number} still plays{_rate(champion)}."
        yours = novelties.taught(connection, player.id, archive.id, before.cutoff, champion.cutoff)
    return told(since, before, champion, yours)


def told(since: str, before: Generation, champion: Generation, yours: int) -> str:
    """What a change of generators means, in words."""
    learned = champion.learned - before.learned
    opening = since[0].upper() + since[1:]
    if learned > 0:
        of_yours = f", {yours} of them yours" if yours else ""
        lesson = f"{opening} it learned from {learned} {'guess' if learned == 1 else 'guesses'}{of_yours}."
    else:
        lesson = f"{opening} another network plays."
    if champion.fool_rate is None:
        return f"{lesson} v{champion.number} plays now, and has not fooled enough people yet to say how well."
    compared = "" if before.fool_rate is None else f" (v{before.number}: {before.fool_rate:.0%})".replace("%", " %")
    return f"{lesson} v{champion.number} now fools {round(champion.fool_rate * 100)} %{compared}."


def _rate(champion: Generation) -> str:
    return "" if champion.fool_rate is None else f" and fools {round(champion.fool_rate * 100)} %"


def _since(moment: datetime, at: datetime) -> str:
    days = day_of(at) - day_of(moment)
    return "since yesterday" if days == 1 else f"since {moment.day} {moment:%B}" + f" {moment:%Y}" * (days > 300)
