"""The commands `labels list | screen | retract | restore | export`: which guesses teach, and whose do not any more."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from app.cli.workbench import ArchiveOption, JsonOption, at_the_terminal, open_workshop, say
from app.db import audit, retractions, rollups, screenings
from app.db.audit import Change
from app.db.copying import one_moment
from app.db.exporting import CROWDS, FORMATS, Export
from app.db.rollups import day_of
from app.db.session import now, reading, writing
from app.jobs.screening import in_words, screen_players
from app.jobs.workshop import JobError, Workshop

BY = "command line"
group = typer.Typer(no_args_is_help=True, rich_markup_mode=None)
PlayerOption = Annotated[
    int, typer.Option("--player", min=1, max=(1 << 63) - 1, help="the player's number, as the dashboard shows it")
]
ReasonOption = Annotated[str, typer.Option(help="why; kept in the audit")]


def register(app: typer.Typer) -> None:
    """Add the commands to the program."""
    app.add_typer(group, name="labels", help="Count, screen, take back, give back and export labels.")


@group.command("list")
def list_command(archive: ArchiveOption, as_json: JsonOption = False) -> None:
    """Count an archive's labels by status and reason, and say who waits in quarantine, and whether that has jumped."""
    workshop = open_workshop()
    found = workshop.archive(archive)
    with reading(workshop.engine) as connection:
        counts: Counter[tuple[str, str]] = Counter()
        by_day = rollups.labels_by_status(connection, 0, found.id)
        held = screenings.held(connection, found.id)
        last = screenings.last(connection, found.id)
    for (_, status, reason), count in by_day.items():
        counts[status, reason] += count
    alarm = rollups.label_alarm(by_day, day_of(now()))
    if as_json:
        rows = [{"status": status, "reason": reason or None, "labels": n} for (status, reason), n in _sorted(counts)]
        screened = None if last is None else {"at": last.at.isoformat(), "trouble": last.trouble}
        body: dict[str, Any] = {"archive": archive, "labels": rows, "alarm": alarm, "screened": screened}
        typer.echo(json.dumps(body | {"held": [{"player": who, "reason": why} for who, why in sorted(held.items())]}))
        return
    table = Table(title=f"Labels of {archive}")
    for column in ("status", "reason", "labels"):
        table.add_column(column, justify="right" if column == "labels" else "left")
    for (status, reason), count in _sorted(counts):
        table.add_row(status, reason, f"{count:,}")
    Console().print(table)
    for player_id, reason in sorted(held.items()):
        say(f"Player {player_id} waits in quarantine: {reason}.")
    if alarm:
        say(alarm + ".")


@group.command("screen")
def screen_command(archive: ArchiveOption, as_json: JsonOption = False) -> None:
    """Look for players whose guesses no honest player makes; hold them, and clear those whom later guesses clear."""
    workshop = open_workshop()
    found = workshop.archive(archive)
    with at_the_terminal(workshop, "screen", found, {}) as desk:
        figures = desk.step("screen the players", lambda: screen_players(workshop, found, desk.should_stop))
        desk.close(in_words(figures))
    if as_json:
        typer.echo(json.dumps({"archive": archive, **figures}))
        return
    say(in_words(figures).capitalize() + ".")
    for row in figures["held"]:
        spotted, left = f"{row['spotted_share']:.0%}", f"{row['left_share']:.0%}"
        words = f"spotted {spotted} of {row['guesses']}, picked the left card in {left}"
        say(f"Player {row['player']} is held: {row['reason']} ({words}).")


@group.command("retract")
def retract_command(player: PlayerOption, reason: ReasonOption = "", as_json: JsonOption = False) -> None:
    """Take all labels of a player back, those to come included; says which generators learned from them.

    The next retraining leaves them out. Guesses never change: `labels restore` gives the labels back.
    """
    workshop = open_workshop()
    _known(workshop, player)
    _note(workshop, "player's labels taken back", player, {}, reason)
    changed = retractions.retract(workshop.engine, player, now())
    _note(workshop, "labels moved", player, {"labels": changed})
    with reading(workshop.engine) as connection:
        learned = retractions.learned_from(connection, player)
    if as_json:
        typer.echo(json.dumps({"player": player, "labels": changed, "generators": [asdict(each) for each in learned]}))
        return
    say(f"{changed:,} labels of player {player} are taken back. The next retraining leaves them out.")
    for each in learned:
        plays = f", which plays as {' and '.join(each.plays_as)}" if each.plays_as else ""
        say(f"{each.name} of {each.archive}{plays}, learned from {each.labels:,} of them.")
    if not learned:
        say("No generator learned from them.")


@group.command("restore")
def restore_command(player: PlayerOption, reason: ReasonOption = "", as_json: JsonOption = False) -> None:
    """Give a player's labels back: each stands again as an admin left it by hand, or else as the rules say."""
    workshop = open_workshop()
    if not _known(workshop, player):
        raise JobError(f"the labels of player {player} are not taken back")
    _note(workshop, "player's labels given back", player, {}, reason)
    changed = retractions.restore(workshop.engine, player, now())
    _note(workshop, "labels moved", player, {"labels": changed})
    if as_json:
        typer.echo(json.dumps({"player": player, "labels": changed}))
        return
    say(f"{changed:,} labels of player {player} stand again as an admin left them, or as the rules say.")


@group.command("export")
def export_command(
    archive: ArchiveOption,
    out: Annotated[Path, typer.Option(help="file to write; the data sheet and simulated players go beside it")],
    kind: Annotated[str, typer.Option("--format", help="jsonl or csv")] = "jsonl",
    with_texts: Annotated[bool, typer.Option("--with-texts", help="tweets with their texts, not by id alone")] = False,
    as_json: JsonOption = False,
) -> None:
    """Write every label of an archive to a file, for research: pseudonyms of this export alone, dates by day.

    Simulated players go to a file of their own. A data sheet beside each says what it is, how it came to be, what its
    fields mean, and what it must not be used for.
    """
    if kind not in FORMATS:
        raise JobError(f"found --format {kind}, expected {' or '.join(FORMATS)}")
    workshop = open_workshop()
    found = workshop.archive(archive)
    change = Change("labels exported", archive, {}, {"format": kind, "texts": with_texts})
    with writing(workshop.engine) as connection:
        audit.note(connection, BY, change, now())
    written: dict[str, int] = {}
    for crowd in CROWDS:
        file = out if crowd == "real" else out.with_name(f"{out.stem}.simulated{out.suffix}")
        export = Export(found, "csv" if kind == "csv" else "jsonl", crowd, with_texts)
        lines = _write_export(workshop, export, file)
        if lines or crowd == "real":
            written[str(file)] = lines
    if as_json:
        typer.echo(json.dumps({"archive": archive, "format": kind, "files": written}))
        return
    for name, lines in written.items():
        say(f"{name}: {lines:,} labels, with its data sheet {_sheet_of(Path(name))}")


def _write_export(workshop: Workshop, export: Export, file: Path) -> int:
    """Write a file and its data sheet as of one moment, whole or not at all; how many labels it holds.

    Where no simulated player has any, there is neither.
    """
    count, beside = 0, file.with_name(f".{file.name}.new")
    try:
        with one_moment(workshop.engine) as connection, beside.open("w", encoding="utf-8", newline="") as stream:
            for line in export.lines(connection):
                stream.write(line)
                count += 1
            sheet = export.data_sheet(connection, now())
        count -= export.format == "csv"  # its first line names the fields
        if count or export.crowd == "real":
            beside.replace(file)
            _sheet_of(file).write_text(sheet, encoding="utf-8")
        else:  # of an export before
            file.unlink(missing_ok=True)
            _sheet_of(file).unlink(missing_ok=True)
    except OSError as error:
        if error.filename == str(beside):
            error.filename = str(file)  # what was asked for
        raise
    finally:
        beside.unlink(missing_ok=True)
    return count


def _sheet_of(file: Path) -> Path:
    return file.with_name(f"{file.stem}.data-sheet.md")


def _known(workshop: Workshop, player: int) -> bool:
    with reading(workshop.engine) as connection:
        found = retractions.is_retracted(connection, player)
    if found is None:
        raise JobError(f"there is no player {player}: the dashboard shows players' numbers beside their labels")
    return found


def _note(workshop: Workshop, what: str, player: int, after: dict[str, Any], reason: str = "") -> None:
    # What is asked for is noted before: it takes many transactions, and may be cut short.
    change = Change(what, f"player {player}", {}, after, reason or None)
    with writing(workshop.engine) as connection:
        audit.note(connection, BY, change, now())


def _sorted(counts: Counter[tuple[str, str]]) -> list[tuple[tuple[str, str], int]]:
    return sorted(counts.items(), key=lambda item: (item[0][0], -item[1]))
