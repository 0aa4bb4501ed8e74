"""The commands around archives: `import`, which fills one from a file, and `archives`, which lists them."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from rich import box
from rich.console import Console
from rich.table import Table

from app.archives import ArchiveError, ImportStoppedError
from app.archives.naming import slug_of
from app.archives.records import FORMATS
from app.cli.progress import Display
from app.cli.workbench import JsonOption, asked_to_stop, errors, open_workshop, say
from app.db import archives
from app.db.archives import Holdings
from app.db.migrate import migrate
from app.db.session import open_engine, reading
from app.jobs.base import Stand, stand_in_after_import
from app.jobs.importing import Imported, Progress, import_archive
from app.jobs.training import shortage
from app.jobs.workshop import Workshop
from app.settings import read_settings


def register(app: typer.Typer) -> None:
    """Add the commands to the program."""
    app.command("import")(import_command)
    app.command("archives")(archives_command)


def import_command(
    path: Annotated[Path, typer.Argument(help="the file of tweets", show_default=False)],
    archive: Annotated[str, typer.Option(help="archive to add them to; made if there is none of that name")],
    handle: Annotated[str | None, typer.Option(help="the account, such as @MayorOfGannet")] = None,
    name: Annotated[str | None, typer.Option(help="what pages call the archive; default: as it was typed")] = None,
    basis: Annotated[
        str | None,
        typer.Option(
            help="by what right they are played: own, public (a public figure's) or permission (a private person's); "
            "with own and permission no card names anybody else"
        ),
    ] = None,
    format: Annotated[str, typer.Option(help=f"auto (by the content), {', '.join(FORMATS)}")] = "auto",
    split: Annotated[str | None, typer.Option(help="plain text, one passage a: line or paragraph")] = None,
    encoding_errors: Annotated[
        str,
        typer.Option(
            help="bytes that are no UTF-8: strict refuses the file, replace puts a mark for each, windows-1252 reads "
            "them as older programs of Windows (and Excel's plain CSV) write them"
        ),
    ] = "strict",
    as_json: JsonOption = False,
) -> None:
    """Add the tweets in a file to an archive: the Trump Twitter Archive's JSON, an X export (its zip as it was
    downloaded, or its tweets.js), any CSV, TSV, JSON or JSON lines with a column of texts (of snscrape, twint, twarc,
    Tweepy, the API of X, Bluesky …), Mastodon's export (.zip, .tar.gz or its outbox.json) and statuses of its API
    (mastodon-archive), an RSS or Atom feed (of Mastodon, Bluesky, Nitter, a blog), a zip of one such file, or plain
    text.

    The format is told by the content. Retweets, quotes of others and texts that are there already are left out; a
    second import of the same file adds nothing. All of the file is imported or nothing: Ctrl-C leaves the archive as
    it was.
    """
    slug_of(archive)  # refused before anything is opened
    if basis not in (None, *archives.BASES):
        raise ArchiveError(f"--basis: found {basis!r}, expected {', '.join(archives.BASES)}")
    workshop = open_workshop()
    engine = workshop.engine
    with asked_to_stop() as stopping, Display(errors()) as display:
        display.at(f"importing {path.name}")

        def on_progress(so_far: Progress) -> None:
            words = f"{so_far.read:,} rows read, {so_far.added:,} tweets added"
            display.move(so_far.bytes_read, so_far.bytes_total, words)

        try:
            done = import_archive(
                engine,
                path,
                slug=archive,
                name=name,
                handle=handle,
                format=format,
                split=split,
                encoding_errors=encoding_errors,
                basis=basis,
                on_progress=on_progress,
                should_stop=stopping,
            )
        except ImportStoppedError:
            say("Stopped: nothing was imported.")
            raise typer.Exit(130) from None
    stand = stand_in_after_import(workshop, workshop.archive(done.slug))
    if as_json:
        more = {"stand_in": stand.generator and stand.generator.name, "stand_in_declined": stand.declined}
        typer.echo(json.dumps({"archive": done.slug, **asdict(done), **more}))
        return
    _print_imported(done)
    _say_what_is_next(workshop, done, stand)


def _say_what_is_next(workshop: Workshop, done: Imported, stand: Stand) -> None:
    if done.note:
        say(f"{done.note}.")
    if done.added:
        with reading(workshop.engine) as connection:
            splits = archives.holdings(connection, workshop.archive(done.slug)).splits
        lacking = shortage(done.slug, splits["train"], splits["validation"])
        say(f"{lacking}." if lacking else f"Next: whichtweet train --archive {done.slug}")
    if stand.generator is not None:
        name = stand.generator.name
        say(f"Until it is trained the shipped base plays as {name}: whichtweet restock --archive {done.slug}")
    if stand.declined:
        say(f"{done.slug} is played once it is trained; the shipped base does not stand in for it: {stand.declined}.")


def archives_command(as_json: JsonOption = False) -> None:
    """List the archives: their tweets by split, what was left out and why, the shelf, and the generator that plays."""
    engine = open_engine(read_settings().database)
    migrate(engine)
    with reading(engine) as connection:
        held = [archives.holdings(connection, archive) for archive in archives.listing(connection)]
    if as_json:
        typer.echo(json.dumps({"archives": [_described(each) for each in held]}))
        return
    if not held:
        say("No archive yet: whichtweet import PATH --archive NAME")
        return
    table = Table(box=box.SIMPLE_HEAD, padding=0, collapse_padding=True)
    table.add_column("archive", no_wrap=True)
    table.add_column("name")
    table.add_column("handle", no_wrap=True)
    for column in ("train", "validation", "deck", "left out", "shelf"):
        table.add_column(column, justify="right")
    table.add_column("champion")
    for each in held:
        archive = each.archive
        counts = (*each.splits.values(), sum(each.left_out.values()), each.shelf)
        name = f"{archive.name} (demo)" if archive.is_demo else archive.name
        handle = f"@{archive.handle}" if archive.handle else ""
        table.add_row(archive.slug, name, handle, *(f"{count:,}" for count in counts), each.champion or "none")
    Console().print(table)


def _described(held: Holdings) -> dict[str, Any]:
    archive = held.archive
    return {
        "slug": archive.slug,
        "name": archive.name,
        "handle": archive.handle,
        "unit": archive.unit,
        "demo": archive.is_demo,
        "tweets": held.splits,
        "left_out": held.left_out,
        "shelf": held.shelf,
        "champion": held.champion,
    }


def _print_imported(done: Imported) -> None:
    unit = f"{done.unit}s"
    say(f"Imported into {done.slug} in {done.seconds:.1f} s:")
    table = Table(box=box.SIMPLE, show_header=False)
    table.add_column()
    table.add_column(justify="right")
    table.add_row("rows read", f"{done.read:,}")
    table.add_row(f"{unit} added", f"{done.added:,}")
    for split, count in done.splits.items():
        table.add_row(f"  {split}", f"{count:,}")
    table.add_row("rows left out", f"{sum(done.left_out.values()):,}")
    for reason, count in done.left_out.items():
        table.add_row(f"  {reason}", f"{count:,}")
    Console().print(table)
    if done.leanings:
        kinds = ", ".join(f"{count:,} {leaning}" for leaning, count in done.leanings.items())
        say(f"Of the {unit} added these lean on others and are not dealt by default: {kinds}.")
