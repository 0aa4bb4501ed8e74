"""The commands `sample` and `evaluate`: a checkpoint written with, and measured."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from app.archives.naming import slug_meant
from app.db import archives, generators, tweets
from app.db import samples as samples_room
from app.db.migrate import migrate
from app.db.session import open_engine, reading
from app.game.measures import Beside, compare
from app.game.vetting import LONGEST, BlockedWords, CardRules
from app.jobs.texts import TextsError, read_texts
from app.settings import Settings, read_settings
from model.checkpoint import Checkpoint, CheckpointError, read_checkpoint
from model.evaluate import bits_per_character
from model.generate import Decoding, Draft, beam, generate


def register(app: typer.Typer) -> None:
    """Add the commands to the program."""
    app.command()(sample)
    app.command()(evaluate)


def sample(
    checkpoint: Annotated[Path | None, typer.Argument(help="folder of a checkpoint")] = None,
    archive: Annotated[
        str | None, typer.Option(help="name of an archive: write with its champion", callback=slug_meant)
    ] = None,
    count: Annotated[int, typer.Option(min=1, help="how many samples")] = 5,
    temperature: Annotated[float | None, typer.Option(help="1 leaves the network's odds as they are")] = None,
    top_p: Annotated[float | None, typer.Option(help="share of the odds kept, the likeliest first")] = None,
    prompt: Annotated[str, typer.Option(help="text that every sample begins with")] = "",
    seed: Annotated[int, typer.Option(min=0, help="the same seed writes the same samples")] = 0,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="most characters of a sample")] = 280,
    width: Annotated[
        int,
        typer.Option("--beam", min=0, max=1000, help="instead of drawing, search the likeliest with so many beams"),
    ] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="print one JSON object")] = False,
) -> None:
    """Write samples with a checkpoint, or with the champion of an archive, and print them.

    They are what the network writes, before vetting: the shelf of a game holds only those that passed it.
    """
    try:
        _one_of(checkpoint, archive)
        folder, decoding = _champion(read_settings(), archive) if archive else (checkpoint, Decoding())
        if folder is None:
            raise CheckpointError("nothing to sample from; give the folder of a checkpoint, or --archive NAME")
        fields = decoding.to_json()
        fields |= {"temperature": temperature} if temperature is not None else {}
        fields |= {"top_p": top_p} if top_p is not None else {}
        decoding = Decoding(**fields)
        network = read_checkpoint(folder)
        drafts: Iterable[Draft] = (
            beam(network, width, prompt=prompt, limit=limit)[:count]
            if width
            else generate(network, count, decoding=decoding, seed=seed, prompt=prompt, limit=limit)
        )
        if as_json:
            words = {"samples": [asdict(draft) for draft in drafts], "decoding": decoding.to_json()}
            typer.echo(json.dumps(words, ensure_ascii=False))
            return
        for draft in drafts:
            typer.echo(draft.text + ("" if draft.ended else " […]") + "\n")
    except ValueError as error:
        raise _refused(error) from None


def evaluate(
    checkpoint: Annotated[Path | None, typer.Argument(help="folder of a checkpoint")] = None,
    texts: Annotated[Path | None, typer.Argument(help="JSONL file of texts that it was not trained on")] = None,
    archive: Annotated[
        str | None, typer.Option(help="measure the champion of an archive, and its shelf", callback=slug_meant)
    ] = None,
    samples: Annotated[int, typer.Option(min=0, help="also compare so many samples with the texts")] = 0,
    learned: Annotated[Path | None, typer.Option(help="JSONL file of the texts it was trained on")] = None,
    temperature: Annotated[float, typer.Option(help="of the samples")] = Decoding.temperature,
    top_p: Annotated[float, typer.Option(help="of the samples")] = Decoding.top_p,
    seed: Annotated[int, typer.Option(min=0, help="of the samples")] = 0,
    plot: Annotated[Path | None, typer.Option(help="SVG file for a picture of the comparison")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print one JSON object")] = False,
) -> None:
    """Measure how well a checkpoint foretells texts: mean surprise in bits per character, lower is better.

    The end mark of each text counts as one character; characters that it does not know cost bits, too.

    With --samples and --learned it also writes samples and shows where they are mixed otherwise than real tweets:
    each figure beside the range within which 95 % of equally large draws of the texts lie. With --archive the texts
    are the archive's validation split, the samples those on its shelf, and they are compared with tweets that could
    be cards.
    """
    try:
        _one_of(checkpoint, archive)
        if archive:
            it = _of_archive(read_settings(), archive)
        elif checkpoint and texts:
            if samples and learned is None:
                raise TextsError("--samples needs --learned, the texts it was trained on: to see what it copies")
            it = _with_samples(_of_files(checkpoint, texts, learned), samples, Decoding(temperature, top_p), seed)
        else:
            raise CheckpointError("nothing to measure; give a checkpoint and a file of texts, or --archive NAME")
        if plot and not samples and not it.samples:
            raise TextsError("--plot shows samples beside texts: none are on the shelf, or asked for with --samples")
        measured: dict[str, Any] = asdict(bits_per_character(it.network, it.texts)) | {"unended": it.unended}
        compared = compare(it.samples, it.cards, it.learned, seed=seed) if samples or (archive and it.samples) else {}
        if compared:
            measured["compared"] = {name: asdict(figure) for name, figure in compared.items()}
        if plot and compared:
            plot.write_text(picture(compared), encoding="utf-8")
    except (ValueError, OSError) as error:
        raise _refused(error) from None
    if as_json:
        typer.echo(json.dumps(measured))
        return
    _show(measured, compared)


def _show(measured: dict[str, Any], compared: dict[str, Beside]) -> None:
    typer.echo(f"{measured['bits_per_character']:.4f} bits per character")
    typer.echo(f"over {measured['characters']:,} characters and end marks of {measured['tweets']:,} texts")
    if measured["unended"]:
        typer.echo(f"{measured['unended']:,} drafts came to no end within the length of a card: they are left out")
    if compared:
        Console().print(_table(compared))


@dataclass(frozen=True)
class Measured:
    """What is measured, and beside what."""

    network: Checkpoint
    texts: Sequence[str]  # that it was not trained on
    cards: Sequence[str]  # those of them that samples are compared with
    learned: Sequence[str]
    samples: Sequence[str] = ()
    unended: int = 0  # drafts that came to no end, and are not among them


def _one_of(checkpoint: Path | None, archive: str | None) -> None:
    if checkpoint is not None and archive is not None:
        raise CheckpointError(f"found {checkpoint} and --archive {archive}; give a checkpoint or --archive, not both")


def _of_files(checkpoint: Path, texts: Path, learned: Path | None) -> Measured:
    real = [text.text for text in read_texts(texts)]
    known = [text.text for text in read_texts(learned)] if learned else []
    return Measured(read_checkpoint(checkpoint), real, real, known)


def _with_samples(it: Measured, count: int, decoding: Decoding, seed: int) -> Measured:
    """The same beside samples that may be as long as the texts, and as a card can be."""
    limit = max(LONGEST["tweet"], min(max(map(len, it.texts), default=0), LONGEST["passage"]))
    ended = [each.text for each in generate(it.network, count, decoding=decoding, seed=seed, limit=limit) if each.ended]
    return replace(it, samples=[text for text in ended if text], unended=count - len(ended))


def _of_archive(settings: Settings, slug: str) -> Measured:
    folder, _ = _champion(settings, slug)
    engine = open_engine(settings.database)
    with reading(engine) as connection:
        archive = archives.find(connection, slug)
        champion = archive and generators.in_arm(connection, archive.id, generators.CHAMPION)
        if archive is None or champion is None:
            raise CheckpointError(f"{slug} was removed meanwhile")
        learned, real = (list(tweets.texts(connection, archive.id, split)) for split in ("train", "validation"))
        shelf = samples_room.shelved_texts(connection, archive.id, champion.id)
    rules = CardRules(BlockedWords.read(settings.blocked_words), longest=LONGEST[archive.unit])
    cards = [text for text in real if rules.card_fault(text) is None]
    return Measured(read_checkpoint(folder), real, cards, learned, shelf)


def _table(compared: dict[str, Beside]) -> Table:
    table = Table("figure", "samples", "real tweets", "95 % of draws", "")
    for name, it in compared.items():
        words = "" if it.within else "lower" if it.samples < it.low else "higher"
        table.add_row(name, f"{it.samples:.3f}", f"{it.tweets:.3f}", f"{it.low:.3f} to {it.high:.3f}", words)
    return table


def picture(compared: dict[str, Beside]) -> str:
    """An SVG: for each figure the range of real tweets as a band, and the samples as a dot where they lie beside it."""
    rows, high = [], 24
    for place, (name, it) in enumerate(compared.items()):
        # The band is drawn equally wide for all figures; a dot far outside of it stays at the edge.
        far = (it.samples - it.low) / max(it.high - it.low, 1e-9)
        x, y = 300 + 120 * min(max(far, -1.0), 2.0), 20 + high * place
        colour = "#1a7f37" if 0 <= far <= 1 else "#cf222e"
        rows.append(f'<text x="8" y="{y + 4}">{name}</text><rect x="300" y="{y - 5}" width="120" height="10"/>')
        rows.append(f'<circle cx="{x:.1f}" cy="{y}" r="5" fill="{colour}"/><text x="560" y="{y + 4}">{it.samples:.3f}')
        rows.append(f" ({it.low:.3f} to {it.high:.3f})</text>")
    size = f'width="740" height="{20 + high * len(compared)}"'
    style = "<style>text{font:13px sans-serif;fill:#57606a}rect{fill:#8b949e66}</style>"
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size}>{style}{"".join(rows)}</svg>\n'


def _champion(settings: Settings, slug: str) -> tuple[Path, Decoding]:
    """The folder of an archive's champion and how it writes."""
    engine = open_engine(settings.database)
    migrate(engine)
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
