"""The commands `sample` and `evaluate`: a checkpoint written with, and measured."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from app.db import archives, generators
from app.db.session import open_engine, reading
from app.settings import Settings, read_settings
from model.checkpoint import CheckpointError, read_checkpoint
from model.corpus import CorpusError, read_texts
from model.evaluate import bits_per_character
from model.generate import Decoding, generate


def register(app: typer.Typer) -> None:
    """Add the commands to the program."""
    app.command()(sample)
    app.command()(evaluate)


def sample(
    checkpoint: Annotated[Path | None, typer.Argument(help="folder of a checkpoint")] = None,
    archive: Annotated[str | None, typer.Option(help="slug of an archive: write with its champion")] = None,
    count: Annotated[int, typer.Option(min=1, help="how many samples")] = 5,
    temperature: Annotated[float | None, typer.Option(help="1 leaves the network's odds as they are")] = None,
    top_p: Annotated[float | None, typer.Option(help="share of the odds kept, the likeliest first")] = None,
    prompt: Annotated[str, typer.Option(help="text that every sample begins with")] = "",
    seed: Annotated[int, typer.Option(min=0, help="the same seed writes the same samples")] = 0,
    limit: Annotated[int, typer.Option(min=1, help="most characters of a sample")] = 280,
    as_json: Annotated[bool, typer.Option("--json", help="print one JSON object")] = False,
) -> None:
    """Write samples with a checkpoint, or with the champion of an archive, and print them.

    They are what the network writes, before vetting: the shelf of a game holds only those that passed it.
    """
    try:
        folder, decoding = _champion(read_settings(), archive) if archive else (checkpoint, Decoding())
        if folder is None:
            raise CheckpointError("nothing to sample from; give the folder of a checkpoint, or --archive NAME")
        fields = decoding.to_json()
        fields |= {"temperature": temperature} if temperature is not None else {}
        fields |= {"top_p": top_p} if top_p is not None else {}
        decoding = Decoding(**fields)
        drafts = generate(read_checkpoint(folder), count, decoding=decoding, seed=seed, prompt=prompt, limit=limit)
        if as_json:
            words = {"samples": [asdict(draft) for draft in drafts], "decoding": decoding.to_json()}
            typer.echo(json.dumps(words, ensure_ascii=False))
            return
        for draft in drafts:
            typer.echo(draft.text + ("" if draft.ended else " […]") + "\n")
    except ValueError as error:
        raise _refused(error) from None


def evaluate(
    checkpoint: Annotated[Path, typer.Argument(help="folder of a checkpoint")],
    texts: Annotated[Path, typer.Argument(help="JSONL file of texts that it was not trained on, objects with text")],
    as_json: Annotated[bool, typer.Option("--json", help="print one JSON object")] = False,
) -> None:
    """Measure how well a checkpoint foretells texts: mean surprise in bits per character, lower is better.

    The end mark of each text counts as one character; characters that it does not know cost bits, too.
    """
    try:
        found = read_texts(texts)
        bits = bits_per_character(read_checkpoint(checkpoint), [text.text for text in found])
    except (CheckpointError, CorpusError) as error:
        raise _refused(error) from None
    if as_json:
        typer.echo(json.dumps(asdict(bits)))
        return
    typer.echo(f"{bits.bits_per_character:.4f} bits per character")
    typer.echo(f"over {bits.characters:,} characters and end marks of {bits.tweets:,} texts")


def _champion(settings: Settings, slug: str) -> tuple[Path, Decoding]:
    """The folder of an archive's champion and how it writes."""
    engine = open_engine(settings.database)
    with reading(engine) as connection:
        archive = archives.find(connection, slug)
        if archive is None:
            known = ", ".join(each.slug for each in archives.listing(connection)) or "none yet"
            raise CheckpointError(f"no archive {slug!r}; known are: {known}")
        champion = generators.in_arm(connection, archive.id, generators.CHAMPION)
    if champion is None:
        raise CheckpointError(f"{slug} has no generator yet; train one with: whichtweet train --archive {slug}")
    return settings.checkpoints / champion.checkpoint_key, Decoding.from_json(champion.decoding)


def _refused(error: Exception) -> typer.Exit:
    typer.echo(" ".join(str(error).split()), err=True)
    return typer.Exit(2)
