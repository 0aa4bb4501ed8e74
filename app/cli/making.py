"""The commands that make generators and fill shelves: `train`, `restock`, `retrain`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from app.cli.workbench import ArchiveOption, Desk, JsonOption, at_the_terminal, open_workshop_for, say
from app.db import generators, samples
from app.db.archives import Archive
from app.db.generators import CHAMPION, Generator
from app.db.session import reading
from app.game.learning import WAYS, Way
from app.game.own_settings import LARGEST
from app.game.vetting import REASONS
from app.jobs import training
from app.jobs.base import stand_in, start_for
from app.jobs.promoting import relieve
from app.jobs.restocking import Restocked, restock
from app.jobs.retraining import Errand, retrain
from app.jobs.supervising import Budget, Shape, is_under_way, need_tensorflow
from app.jobs.workshop import Interrupted, JobError, Skipped, Workshop

BY_HAND = "retrain-by-hand"  # the run folder of retrainings at a terminal: the next goes on with one that was killed


def train_command(
    archive: ArchiveOption,
    minutes: Annotated[float | None, typer.Option(min=0.01, help="how long to train")] = None,
    epochs: Annotated[float | None, typer.Option(min=0.01, help="how often to read all tweets")] = None,
    layers: Annotated[int, typer.Option(min=1, max=16, help="recurrent layers of the network")] = Shape.layers,
    units: Annotated[int, typer.Option(min=1, max=8192, help="width of each layer")] = Shape.units,
    cell: Annotated[str, typer.Option(help="kind of layer: lstm, gru or rnn")] = Shape.cell,
    start: Annotated[
        str | None, typer.Option(help="begin from this checkpoint folder, or generator such as v2; default: the base")
    ] = None,
    from_scratch: Annotated[bool, typer.Option("--from-scratch", help="begin from chance, not from the base")] = False,
    seed: Annotated[int, typer.Option(min=0, help="the same seed begins with the same network")] = 0,
    as_json: JsonOption = False,
) -> None:
    """Train a generator on an archive: a network that learns to write like the account.

    Ctrl-C ends it early and keeps the best network so far; the same command goes on with a training that was killed.
    Without --minutes or --epochs it trains until nothing improves. It begins from the shipped base, which knows tweets,
    where the shape of the network allows. The first generator that is trained for an archive plays at once, or as soon
    as its samples are written where the base stood in; a later one, or one ended by Ctrl-C there, when it is promoted.
    """
    if minutes is not None and epochs is not None:
        raise typer.BadParameter("give --minutes or --epochs, not both")
    if start is not None and from_scratch:
        raise typer.BadParameter("give --start or --from-scratch, not both")
    workshop, found = open_workshop_for(archive)
    need_tensorflow()
    shape, budget = Shape(layers, units, cell), Budget(minutes, epochs)
    begin = None if from_scratch else _start(workshop, found, start) if start else start_for(workshop, shape)
    if is_under_way(training.run_of(workshop, found, shape, seed, begin)):
        raise JobError(f"such a network is being trained for {archive} right now: wait for it, or give another --seed")
    say(f"Beginning from {begin}" if begin else "Beginning from chance")
    arguments = {**asdict(shape), **asdict(budget), "seed": seed, "from_scratch": from_scratch}
    with at_the_terminal(workshop, "train", found, arguments) as desk:
        made = training.make_generator(
            *(workshop, found, shape, budget),
            seed=seed,
            start=begin,
            step=desk.step,
            on_event=desk.on_event,
            should_stop=desk.should_stop,
        )
        generator = workshop.generator(made.generator_id)
        new = "registered" if made.is_new else "was registered before"
        words = f"{generator.name} {new}: {made.bits_per_character:.3f} bits per character on the validation split"
        say(words)
        relieved = take_over(workshop, found, generator, desk)
        desk.close(f"{words}; {relieved}" if relieved else words)
    if as_json:
        figures = {"archive": archive, "generator": generator.name, "is_new": made.is_new, **asdict(made.trained)}
        typer.echo(json.dumps(figures | {"bits_per_character": made.bits_per_character}))
        return
    if relieved:
        say(f"{generator.name}: {relieved}")
    if _plays(workshop, generator):
        say("" if relieved else f"Next: whichtweet restock --archive {archive}")
    else:
        say(f"Next: whichtweet generators promote {generator.name} --archive {archive}")


def take_over(workshop: Workshop, archive: Archive, generator: Generator, desk: Desk) -> str | None:
    """Let a generator that was just trained relieve the base; as `relieve`, and told to whoever waits at the terminal.

    Stopped, it is kept, and the base plays on: its training is done, so the same command would begin another one.
    """
    told = False

    def on_progress(figures: Mapping[str, Any]) -> None:
        nonlocal told
        if not told:
            told = True
            say(f"The training is done. {generator.name} writes its samples, and plays when they are on the shelf.")
        desk.on_progress(figures)

    try:
        return desk.step(
            "fill the shelf",
            lambda: relieve(
                *(workshop, archive, generator),
                job_id=desk.job_id,
                on_progress=on_progress,
                should_stop=desk.should_stop,
            ),
        )
    except Interrupted:
        return "it is kept, and the base plays on until it is promoted"


def restock_command(
    archive: ArchiveOption,
    count: Annotated[
        int | None, typer.Option(min=1, max=LARGEST["shelf_full"], help="samples to add; default: up to a full shelf")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Let the champion write samples and put those that pass vetting on the shelf.

    Tells what share of its drafts each rule turned away, and, beside it, what share of held-out real tweets the same
    rule would have: a rule that no tweet breaks and many samples do is a good one.
    """
    workshop, found = open_workshop_for(archive)
    with reading(workshop.engine) as connection:
        champion = generators.in_arm(connection, found.id, CHAMPION)
    champion = champion or stand_in(workshop, found)
    if champion is None:
        raise JobError(f"{archive} has no generator yet: whichtweet train --archive {archive}")
    with reading(workshop.engine) as connection:
        level = samples.level(connection, found.id, champion.id)
    goal = count or workshop.shelf_full - level
    if goal <= 0:
        _skip(archive, f"the shelf of {archive} is full ({level:,} samples); add more with --count N", as_json)
        return
    with at_the_terminal(workshop, "restock", found, {"count": goal}) as desk:
        done = restock(
            *(workshop, found, champion, goal),
            job_id=desk.job_id,
            on_progress=desk.on_progress,
            should_stop=desk.should_stop,
        )
        desk.close(f"{done.shelved} samples of {done.generator} shelved")
    if as_json:
        typer.echo(json.dumps({"archive": archive, **asdict(done)}))
        return
    print_restock(done)


def retrain_command(
    archive: ArchiveOption,
    minutes: Annotated[float | None, typer.Option(min=0.01, help="how long to train; default: the setting")] = None,
    least: Annotated[
        int | None, typer.Option("--min-labels", min=0, help="new labels that it takes; default: the setting")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="seed of all chance")] = 0,
    learn: Annotated[
        str, typer.Option(help="decoding, scorer, weights (comma-separated); default: by the number of labels")
    ] = "",
    as_json: JsonOption = False,
) -> None:
    """Let a new generator learn from the players' guesses; it becomes the champion if it passes the gates.

    With few labels it learns how to draw (temperature, top-p), with 2,000 or more what to choose (a scorer) and how to
    write: from the archive's anchor it reads, beside the tweets, the samples that fooled players.
    """
    ways = _ways(learn)
    workshop, found = open_workshop_for(archive)
    budget = Budget(minutes=minutes or workshop.train_minutes)
    if is_under_way(training.run_folder(workshop, found, BY_HAND)):
        raise JobError(f"another retraining of {archive} is under way at a terminal: wait for it, or end it")
    try:
        with at_the_terminal(workshop, "retrain", found, asdict(budget)) as desk:
            errand = Errand(
                job_id=desk.job_id,
                budget=budget,
                seed=seed,
                least_labels=least,
                ways=ways,
                run=BY_HAND,
                step=desk.step,
                on_event=desk.on_event,
                on_progress=desk.on_progress,
                should_stop=desk.should_stop,
            )
            done = retrain(workshop, found, errand)
            desk.close(done.words)
    except Skipped as reason:
        _skip(archive, str(reason), as_json)
        return
    if as_json:
        typer.echo(json.dumps({"archive": archive, **asdict(done)}))
        return
    say(f"Learned from {done.labels} labels and {done.lessons} samples that fooled players: {done.learned}.")
    say(done.words)


def _skip(archive: str, reason: str, as_json: bool) -> None:
    """Say that there was nothing to do, which is no error."""
    if as_json:
        typer.echo(json.dumps({"archive": archive, "skipped": reason}))
    say(f"Skipped: {reason}")


def _ways(learn: str) -> tuple[Way, ...]:
    wanted = [word.strip() for word in learn.split(",") if word.strip()]
    if strange := [word for word in wanted if word not in WAYS]:
        raise typer.BadParameter(f"--learn: found {strange[0]!r}, expected {', '.join(WAYS)}")
    return tuple(way for way in WAYS if way in wanted)


def print_restock(done: Restocked) -> None:
    """What a restock came to, rule by rule, samples beside tweets."""
    say(
        f"{done.shelved:,} samples of {done.generator} shelved from {done.written:,} drafts in {done.seconds:.0f} s;"
        f" {done.level:,} are on the shelf now."
    )
    table = Table(title="Turned away, by the first rule broken")
    for column in ("rule", "drafts", "share", "share of held-out tweets"):
        table.add_column(column, justify="left" if column == "rule" else "right")
    for rule in REASONS:
        drafts, tweets = done.rejected.get(rule, 0), done.tweets_rejected.get(rule, 0)
        share = f"{drafts / max(1, done.written):.1%}"
        table.add_row(rule, f"{drafts:,}", share, f"{tweets / max(1, done.tweets_read):.1%}")
    Console().print(table)


def _start(workshop: Workshop, archive: Archive, name: str) -> Path:
    """The checkpoint folder that --start names, by itself or by a generator of the archive."""
    if name[:1] == "v" and name[1:].isdecimal() and len(name) < 100 and not Path(name).exists():
        with reading(workshop.engine) as connection:
            found = generators.by_number(connection, archive.id, int(name[1:]))
        if found is None:
            raise JobError(f"{archive.slug} has no generator {name} to begin from: whichtweet generators list")
        return workshop.folder(found.checkpoint_key).absolute()
    return Path(name).absolute()


def _plays(workshop: Workshop, generator: Generator) -> bool:
    with reading(workshop.engine) as connection:
        champion = generators.in_arm(connection, generator.archive_id, CHAMPION)
    return champion is not None and champion.id == generator.id
