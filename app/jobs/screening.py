"""Screening: players whose guesses no honest player makes are held, and cleared when later guesses speak for them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from app.db import archives, jobs, labels, overruling, remarks, screenings
from app.db import tables as db
from app.db.archives import Archive
from app.db.session import now, reading, writing
from app.game.form import form
from app.game.labels import Label
from app.game.suspicion import FEWEST_GUESSES, FEWEST_PLAYERS, Suspicion
from app.jobs.workshop import ShouldStop, Workshop, heed, never

if TYPE_CHECKING:
    from app.jobs.screens import Screened

MOST_GUESSES = 200_000  # the newest of an archive: older ones say little of who plays now
NEW_GUESSES = 50  # since the last screening, below which the schedule asks for none
REMARKED = ("spelling", "sense", "repeats", "style", "other")


def screen_players(workshop: Workshop, archive: Archive, should_stop: ShouldStop = never) -> dict[str, Any]:
    """Look at every player of an archive, hold and clear, and record it; the figures, as plain values.

    A check that could not run is not a check that failed: with too few players to compare, or without SciPy, nothing
    changes, and the reason is recorded.

    Raises:
        Interrupted: `should_stop` said so. Whoever was held or cleared by then stays so; nothing is recorded.
    """
    with reading(workshop.engine) as connection:
        cutoff = labels.newest_guess(connection, archive.id)
        rounds = screenings.rounds(connection, archive.id, workshop.learn_from, up_to=cutoff, most=MOST_GUESSES)
        held = screenings.held(connection, archive.id)
        texts = screenings.texts(connection, archive.id, {each.sample_id for each in rounds})
        said = remarks.by_sample(connection, archive.id)
    features = {}
    for name, text in texts.items():
        heed(should_stop)
        features[name] = _features(text, said.get(name, {}))
    found, trouble = _screen(rounds, features, should_stop)
    figures: dict[str, Any] = {"held": [], "cleared": [], "still held": []}
    if found is not None:
        figures |= _act(workshop, archive, found.players, held, should_stop) | _told(found)
    hold_newer_labels(workshop, archive, should_stop)
    record = {
        **{"archive_id": archive.id, "at": now(), "cutoff_guess_id": cutoff, "guesses": len(rounds)},
        **{"players": len({each.player_id for each in rounds}), "trouble": trouble, "figures": figures},
    }
    with writing(workshop.engine) as connection:
        screening_id = screenings.note(connection, record)
    return {"id": screening_id, "players": record["players"], "trouble": trouble, **figures}


def in_words(figures: Mapping[str, Any]) -> str:
    """What a screening came to, in one line."""
    if figures["trouble"]:
        return f"players could not be screened: {figures['trouble']}; nothing changed"
    counts = [len(figures[key]) for key in ("held", "cleared", "still held")]
    return "{} players screened: {} held, {} cleared, {} still held".format(figures["players"], *counts)


def ask_for_screenings(workshop: Workshop, due: datetime | None, moment: datetime) -> None:
    """Ask that players be screened where the time `due` has come and enough guesses are new, once for each time."""
    if due is None:
        return
    with reading(workshop.engine) as connection:
        listed = [archive.id for archive in archives.listing(connection)]
        wanted = [each for each in listed if screenings.new_guesses(connection, each, NEW_GUESSES) == NEW_GUESSES]
    for archive_id in wanted:
        with writing(workshop.engine) as connection:
            if not jobs.open_kinds(connection, archive_id) & {"screen", "retrain"}:
                once = f"screen:{archive_id}:{due:%Y-%m-%dT%H:%MZ}"
                jobs.ask(connection, "screen", archive_id, {}, asked_by="schedule", at=moment, once=once)


def _screen(
    rounds: list[screenings.Round], features: Mapping[int, list[float]], should_stop: ShouldStop
) -> tuple[Screened | None, str | None]:
    counts: dict[int, int] = {}
    for each in rounds:
        counts[each.player_id] = counts.get(each.player_id, 0) + 1
    enough = sum(count >= FEWEST_GUESSES for count in counts.values())
    if enough < FEWEST_PLAYERS:
        words = f"{enough} players with {FEWEST_GUESSES} labels or more, {FEWEST_PLAYERS} are needed to compare"
        return None, words
    try:
        from app.jobs.screens import Rounds, screen
    except ModuleNotFoundError as missing:
        return None, f"{missing.name} is not installed (make setup-train)"
    told = Rounds(
        players=[each.player_id for each in rounds],
        samples=[each.sample_id for each in rounds],
        tweets=[each.tweet_id for each in rounds],
        tweet_left=[each.tweet_index == 0 for each in rounds],
        left=[each.pick == 0 for each in rounds],
        networks=[each.network for each in rounds],
    )
    return screen(told, features, partial(heed, should_stop)), None


def _act(
    workshop: Workshop,
    archive: Archive,
    players: Mapping[int, Suspicion],
    held: Mapping[int, str],
    should_stop: ShouldStop,
) -> dict[str, list[dict[str, Any]]]:
    done: dict[str, list[dict[str, Any]]] = {"held": [], "cleared": [], "still held": []}
    for player_id, each in sorted(players.items()):
        heed(should_stop)
        row = {"player": player_id, **asdict(each)}
        if each.finding == "suspect" and each.reason is not None:
            with writing(workshop.engine) as connection:
                screenings.hold(connection, archive.id, player_id, each.reason, asdict(each), now())
            done["still held" if player_id in held else "held"].append(row)
        elif each.finding == "fine" and player_id in held:
            # The hold goes last: killed before, the next screening finds it, and gives back what is left.
            overruling.move_all(
                *(workshop.engine, player_id, db.labels.c.decided_by == "screen"),
                lambda connection, ids: overruling.give_back(connection, ids, now()),
                archive.id,
            )
            with writing(workshop.engine) as connection:
                screenings.clear(connection, archive.id, player_id, now())
            done["cleared"].append(row)
    return done


def hold_newer_labels(workshop: Workshop, archive: Archive, should_stop: ShouldStop) -> None:
    """Quarantine what those who are held have guessed, this time and before; what a person decided stays."""
    with reading(workshop.engine) as connection:
        held = screenings.held(connection, archive.id)
    for player_id, reason in sorted(held.items()):
        heed(should_stop)
        waits = Label("quarantined", reason)
        overruling.move_all(
            *(workshop.engine, player_id),
            (db.labels.c.status == "accepted") & (db.labels.c.decided_by == "rules"),
            lambda connection, ids, waits=waits: overruling.overrule(connection, ids, waits, "screen", now()),  # type: ignore[misc]
            archive.id,
        )


def _told(found: Screened) -> dict[str, Any]:
    return {
        "crowd": asdict(found.crowd) if found.crowd else None,
        "variances": asdict(found.variances),
        "cannot tell": sum(each.finding == "cannot tell" for each in found.players.values()),
    }


def _features(text: str, said: Mapping[str, int]) -> list[float]:
    """What a sample's strength is foretold by: its form, how much it repeats itself, and what players said of it."""
    words = text.lower().split()
    fresh = len(set(words)) / max(1, len(words))
    return [*form(text), fresh, *(said.get(reason, 0) ** 0.5 for reason in REMARKED)]
