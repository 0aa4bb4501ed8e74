"""The commands around generators: those that make them, and `generators`, which says which one plays."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from app.cli.comparing import print_comparison
from app.cli.making import restock_command, retrain_command, train_command
from app.cli.workbench import ArchiveOption, JsonOption, at_the_terminal, open_workshop, say
from app.db import canaries, generators, samples, tallies
from app.db.archives import Archive
from app.db.generators import Decided, Generator
from app.db.session import reading
from app.jobs.bundles import export_generator, import_generator
from app.jobs.comparing import compare
from app.jobs.promoting import former_champion, promote
from app.jobs.workshop import JobError, Workshop

group = typer.Typer(no_args_is_help=True, rich_markup_mode=None)

GeneratorArgument = Annotated[str, typer.Argument(help="the generator, such as v2")]


def register(app: typer.Typer) -> None:
    """Add the commands to the program."""
    app.command("train")(train_command)
    app.command("restock")(restock_command)
    app.command("retrain")(retrain_command)
    app.add_typer(group, name="generators", help="List, show and compare generators, and say which one plays.")


@group.command("list")
def list_command(archive: ArchiveOption, as_json: JsonOption = False) -> None:
    """List an archive's generators: which one plays, how well each foretells tweets, how often it fooled players."""
    workshop = open_workshop()
    found = workshop.archive(archive)
    with reading(workshop.engine) as connection:
        known = generators.listing(connection, found.id)
    rows = [_described(workshop, found, generator) for generator in known]
    if as_json:
        typer.echo(json.dumps({"archive": archive, "generators": rows}))
        return
    table = Table(title=f"Generators of {archive}")
    for column in ("generator", "plays as", "rounds", "parent", "bits/char", "shelf", "guesses", "fool rate", "made"):
        table.add_column(column)
    for row in rows:
        rate = "" if row["fool_rate"] is None else f"{row['fool_rate']:.0%}"
        bits = "" if row["bits_per_character"] is None else f"{row['bits_per_character']:.3f}"
        share = f"{row['share']:.0%}" if row["share"] else ""
        cells = (row["generator"], ", ".join(row["arms"]), share, row["parent"] or "", bits, str(row["shelf"]))
        table.add_row(*cells, str(row["guesses"]), rate, row["created_at"][:16].replace("T", " "))
    Console().print(table)


@group.command("show")
def show_command(generator: GeneratorArgument, archive: ArchiveOption, as_json: JsonOption = False) -> None:
    """Show everything that is known of a generator."""
    workshop = open_workshop()
    found = workshop.archive(archive)
    chosen = _chosen(workshop, found, generator)
    body = _described(workshop, found, chosen) | {
        "checkpoint": str(workshop.folder(chosen.checkpoint_key)),
        "sha256": chosen.checkpoint_sha256,
        "decoding": dict(chosen.decoding),
        "vetting_version": chosen.vetting_version,
        "label_set": chosen.label_set_id,
        "card": dict(chosen.card),
        **_judged(workshop, found, chosen),
    }
    typer.echo(json.dumps(body) if as_json else json.dumps(body, indent=2, ensure_ascii=False))


@group.command("promote")
def promote_command(generator: GeneratorArgument, archive: ArchiveOption) -> None:
    """Make a generator the champion. Its samples are written first; the old one plays until they are on the shelf."""
    workshop = open_workshop()
    found = workshop.archive(archive)
    _promote(workshop, found, _chosen(workshop, found, generator), "promoted")


@group.command("rollback")
def rollback_command(archive: ArchiveOption) -> None:
    """Go back to the generator that was the champion before the present one."""
    workshop = open_workshop()
    found = workshop.archive(archive)
    _promote(workshop, found, former_champion(workshop, found), "rolled back")


@group.command("compare")
def compare_command(
    left: GeneratorArgument,
    right: GeneratorArgument,
    archive: ArchiveOption,
    count: Annotated[int, typer.Option("--samples", min=0, max=100, help="drafts of each to show")] = 5,
    seed: Annotated[int, typer.Option(min=0, help="of the first draft; both write from the same seeds")] = 0,
    as_json: JsonOption = False,
) -> None:
    """Show two generators side by side: figures with intervals, canaries between them, drafts of the same seeds."""
    workshop = open_workshop()
    found = workshop.archive(archive)
    one, other = (_chosen(workshop, found, name) for name in (left, right))
    compared = compare(workshop, found, one, other, count, seed)
    if as_json:
        typer.echo(json.dumps(compared))
        return
    print_comparison(compared)


@group.command("export")
def export_command(
    file: Annotated[Path, typer.Argument(help="the file to write; one that is there is replaced")],
    archive: ArchiveOption,
    generator: Annotated[str | None, typer.Option(help="such as v2; default: the champion")] = None,
) -> None:
    """Write a generator to one portable file: weights, vocabulary, network, decoding and model card."""
    workshop = open_workshop()
    found = workshop.archive(archive)
    chosen = _chosen(workshop, found, generator) if generator else _champion(workshop, found)
    size = export_generator(workshop, found, chosen, file)
    say(f"{chosen.name} of {archive} is in {file} ({size / 1e6:.1f} MB)")


@group.command("import")
def import_command(
    file: Annotated[Path, typer.Argument(help="what export wrote, here or on another machine")],
    archive: ArchiveOption,
) -> None:
    """Register the generator in a file for an archive, checked and measured. Promote it to let it play."""
    workshop = open_workshop()
    found = workshop.archive(archive)
    made, is_new = import_generator(workshop, found, file)
    new = "registered" if is_new else "was registered before"
    say(f"{made.name} {new}: {made.bits_per_character:.3f} bits per character on the validation split of {archive}")
    with reading(workshop.engine) as connection:
        champion = generators.in_arm(connection, found.id, generators.CHAMPION)
    plays = champion is not None and champion.id == made.id
    say(f"Next: whichtweet {'restock' if plays else f'generators promote {made.name}'} --archive {archive}")


def _champion(workshop: Workshop, archive: Archive) -> Generator:
    with reading(workshop.engine) as connection:
        champion = generators.in_arm(connection, archive.id, generators.CHAMPION)
    if champion is None:
        raise JobError(f"{archive.slug} has no generator yet: whichtweet train --archive {archive.slug}")
    return champion


def _promote(workshop: Workshop, archive: Archive, generator: Generator, verdict: str) -> None:
    decided = Decided(verdict, "command line")
    with at_the_terminal(workshop, "promote", archive, {"generator": generator.id}) as desk:
        level = promote(
            *(workshop, archive, generator),
            decided=decided,
            job_id=desk.job_id,
            on_progress=desk.on_progress,
            should_stop=desk.should_stop,
        )
        words = f"{generator.name} is the champion of {archive.slug}, {level:,} of its samples are on the shelf"
        desk.close(words)
    say(words)


def _judged(workshop: Workshop, archive: Archive, generator: Generator) -> dict[str, Any]:
    """Every canary of a generator and every decision about it, the newest first."""
    with reading(workshop.engine) as connection:
        decided = generators.decisions_on(connection, archive.id)
        tried = canaries.listing(connection, archive.id, generator.id)
    return {
        "canaries": [
            {"state": each.state, "opened_at": each.opened_at.isoformat(), "plan": each.plan, "looks": each.looks}
            for each in tried
        ],
        "decisions": [
            {
                **{"verdict": each.verdict, "taken_by": each.taken_by, "taken_at": each.taken_at.isoformat()},
                "figures": dict(each.figures),
            }
            for each in decided
            if each.generator_id == generator.id
        ],
    }


def _chosen(workshop: Workshop, archive: Archive, name: str) -> Generator:
    number = name.removeprefix("v")
    is_number = number.isdecimal() and len(number) < 100  # more digits than 4,300 Python would not read
    with reading(workshop.engine) as connection:
        found = generators.by_number(connection, archive.id, int(number)) if is_number else None
        known = [generator.name for generator in generators.listing(connection, archive.id)]
    if found is None:
        have = f"there are {', '.join(known)}" if known else "there are none yet: whichtweet train"
        raise JobError(f"{archive.slug} has no generator {name}; {have}")
    return found


def _described(workshop: Workshop, archive: Archive, generator: Generator) -> dict[str, Any]:
    with reading(workshop.engine) as connection:
        arms = generators.arms_of(connection, archive.id)
        parent = generators.find(connection, generator.parent_id) if generator.parent_id else None
        level = samples.level(connection, archive.id, generator.id)
        crowds = tallies.by_generator(connection, archive.id).get(generator.id, {})
    real = crowds.get("real")
    guesses, fooled = (real.guesses, real.fooled) if real else (0, 0)
    return {
        "generator": generator.name,
        "arms": [arm.arm for arm in arms.values() if arm.generator_id == generator.id],
        "share": sum(arm.share for arm in arms.values() if arm.generator_id == generator.id),
        "parent": parent.name if parent else None,
        "bits_per_character": generator.bits_per_character,
        "shelf": level,
        "guesses": guesses,
        "fooled": fooled,
        "fool_rate": fooled / guesses if guesses else None,
        "simulated": {name: vars(count) for name, count in crowds.items() if name != "real"},
        "created_at": generator.created_at.isoformat(),
    }
