"""Writes the tables and plots of docs/scale.md from bench/results (`make scale-page`).

What was not measured says so, with the command that measures it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from bench.growth import SIZES, compared
from tools.model_card import HOUSE, RESULTS, Part, filled, picture, table

PAGE = HOUSE / "docs" / "scale.md"
COLOURS = {"sqlite": "#0969da", "postgresql": "#cf222e"}
# A player's day: so many rounds; and the share of a day's that falls into its busiest hour.
ROUNDS_A_DAY, BUSIEST_HOUR = 20, 0.1
AT_MOST = 0.5  # of what a web process can do, so that nobody waits


def load(found: Mapping[str, Any]) -> str:
    """What rounds, pages and guesses cost beside bare JSON, and what so many daily players need."""
    rows = [
        (
            kind,
            f"{found['requests_per_second'][kind]:,}",
            f"{found['ratio_by_clock'][kind]:.2f}",
            f"{found['ratio_by_processor_time'][kind]:.2f}",
            f"{found['p99_ms'][kind]:.0f} ms",
        )
        for kind in ("bare", "round", "page", "guess")
    ]
    head = ("request", "a second", "of bare, by the clock", "of bare, by processor time", "99th percentile")
    note = (
        f"One web process on one of {found['cores']} cores, {found['players']} players on {found['connections']}"
        f" connections. It started in {found['start_seconds']:.1f} s and held {found['megabytes']:.0f} MB in the end."
    )
    return f"{note}\n\n{table(head, rows)}\n\n{_needed(found['requests_per_second'])}"


def _needed(rates: Mapping[str, float]) -> str:
    """Web processes for so many daily players: each of a round's three requests takes its share of a second."""
    seconds = sum(1 / rates[kind] for kind in ("round", "page", "guess"))
    rows = []
    for players in (10**2, 10**4, 10**6):
        busiest = players * ROUNDS_A_DAY * BUSIEST_HOUR / 3600
        rows.append((f"{players:,}", f"{busiest:,.2f}", str(max(1, math.ceil(busiest * seconds / AT_MOST)))))
    words = (
        f"If a player plays {ROUNDS_A_DAY} rounds a day, a tenth of them in the busiest hour, each with its page and"
        " its guess, and a web process is to be busy half of the time at most:"
    )
    return f"{words}\n\n{table(('players a day', 'rounds a second', 'web processes'), rows)}"


def memory(found: Mapping[str, Any]) -> str:
    """Whether a web process stays small."""
    return (
        f"Over {found['requests']:,} requests a web process grew from {found['megabytes_at_start']:.0f} MB to"
        f" {found['megabytes_in_the_end']:.0f} MB ({found['megabytes_at_most']:.0f} MB at most), of which the second"
        f" half added {found['second_half_added']:.1f} MB. It starts in {found['start_seconds']:.2f} s (median of"
        f" {len(found['starts'])})."
    )


def growth(found: Sequence[Mapping[str, Any]]) -> str:
    """Rates by the size of the game, with a plot for each way in which it grows."""
    measured = list(compared([dict(row) for row in found]))
    rows = [
        (
            row["database"],
            *(f"{row[name]:,}" for name in ("tweets", "guesses", "players")),
            *(f"{row['requests_per_second'][kind]:,}" for kind in ("round", "guess")),
            *(f"{beside[kind]:.2f}" for kind in ("round", "guess")),
            f"{row['start_seconds']:.1f} s",
            f"{row['megabytes']:.0f} MB",
        )
        for row, beside in measured
    ]
    head = (
        *("database", "tweets", "guesses", "players", "rounds a second", "guesses a second"),
        *("rounds beside the smallest", "guesses beside the smallest", "start", "memory"),
    )
    plots = [
        picture(f"growth-{name}.svg", f"Rates by the number of {name}", partial(_draw, measured=measured, name=name))
        for name in ("tweets", "guesses")
    ]
    return table(head, rows) + "".join(plots)


def _draw(axes: Any, measured: list[tuple[dict[str, Any], dict[str, float]]], name: str) -> None:
    """Rates over the smallest game's, for the games that differ from it by `name` (and players) alone."""
    other, kept = ("guesses", SIZES[0].guesses) if name == "tweets" else ("tweets", SIZES[-1].tweets)
    for database, colour in COLOURS.items():
        some = sorted(
            (row[name], beside) for row, beside in measured if row["database"] == database and row[other] == kept
        )
        for kind, style in (("round", "o-"), ("guess", "s--")):
            points = [(count, beside[kind]) for count, beside in some]
            if points:
                axes.plot(*zip(*points, strict=True), style, color=colour, label=f"{kind}s, {database}")
    axes.axhspan(0.9, 1.1, alpha=0.12, color="#1a7f37", label="within a tenth")
    axes.set(xscale="log", xlabel=name, ylabel="rate beside the smallest game's")
    axes.set_ylim(bottom=0)
    axes.legend(fontsize="small")


def pages(found: Mapping[str, Any], most: int | None = None) -> str:
    """The dashboard's pages, the slowest first; all of them, or the first `most`."""
    held = ", ".join(f"{count:,} {name}" for name, count in found["held"].items())
    ordered = sorted(found["pages"].items(), key=lambda item: -item[1]["p95_ms"])
    names = ("processor_ms", "median_ms", "p95_ms")
    rows = [(f"`{address}`", *(f"{row[name]:.0f} ms" for name in names)) for address, row in ordered[:most]]
    slow = sum(row["p95_ms"] > found["limit_ms"] for _, row in ordered)
    play = found["play"]
    note = (
        f"{held}; {found['requests']} requests of each page on one core (`{found['command']}`), at a load average of"
        f" {found['load_average']:g} on {found['cores']} cores. {slow} of {len(ordered)} take longer than"
        f" {found['limit_ms']:.0f} ms at the 95th percentile. Players waited {play['alone']['p95_ms']:.0f} ms before"
        f" and {play['meanwhile']['p95_ms']:.0f} ms meanwhile (95th percentiles)."
    )
    head = ("page", "processor time", "median", "95th percentile")
    return f"{note}\n\n{table(head, rows)}"


def pages_on_postgresql(found: Mapping[str, Any]) -> str:
    """The ten slowest."""
    return pages(found, most=10)


def meanwhile(found: Mapping[str, Any]) -> str:
    """What players wait while something else is done."""
    rows = [
        (
            name,
            *(f"{row['median_ms'][kind]:.0f} ms" for kind in ("round", "guess")),
            *(f"{row['p99_ms'][kind]:.0f} ms" for kind in ("round", "guess")),
        )
        for name, row in found["meanwhile"].items()
    ]
    head = ("meanwhile", "round: median", "guess: median", "round: 99th percentile", "guess: 99th percentile")
    return f"{found['seconds']:.0f} seconds of play each, on {found['cores']} cores.\n\n{table(head, rows)}"


def host(found: Mapping[str, Any]) -> str:
    """What web server and worker hold at most, beside what a small host lets them have."""
    names = ("web", "worker")
    rows = [(name, *(f"{row[f'{each}_megabytes']} MB" for each in names)) for name, row in found["held"].items()]
    rows.append(("compose.small.yaml allows", *(f"{found['allowed'][each]} MB" for each in names)))
    return table(("while people play, and the worker does", "web server", "worker with all it starts"), rows)


PARTS: dict[str, Part] = {
    "load": (RESULTS / "load.json", load, "make bench-load"),
    "memory": (RESULTS / "memory.json", memory, "make bench-memory"),
    "growth": (RESULTS / "growth.json", growth, "make bench-growth"),
    "pages": (RESULTS / "pages.json", pages, "make bench-pages"),
    "pages-postgresql": (RESULTS / "pages-postgresql.json", pages_on_postgresql, "python -m bench.pages --postgresql"),
    "meanwhile": (RESULTS / "meanwhile.json", meanwhile, "make bench-meanwhile"),
    "host": (RESULTS / "host.json", host, "make bench-host"),
}


def main(page: Path = PAGE) -> None:
    """Write the page anew."""
    page.write_text(filled(page.read_text("utf-8"), PARTS), encoding="utf-8")


if __name__ == "__main__":
    main()
