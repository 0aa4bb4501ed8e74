"""How a comparison of two generators looks at the terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

FIGURES = {
    "fool_rate": "fool rate",
    "guesses": "guesses",
    "bits_per_character": "bits per character",
    "rejected": "drafts turned away",
    "self_bleu": "Self-BLEU of 200 samples",
    "distinct_3": "distinct 3-grams of 200 samples",
}


def print_comparison(compared: Mapping[str, Any]) -> None:
    """The figures of both, the canaries between them, and their drafts."""
    console, sides = Console(), compared["sides"]
    table = Table()
    for column in ("", *(side["generator"] for side in sides)):
        table.add_column(column)
    for key, name in FIGURES.items():
        table.add_row(name, *(_cell(side[key]) for side in sides))
    console.print(table)
    for canary in compared["canaries"]:
        tried = f"{canary['candidate']} was tried beside {canary['champion']} from {canary['opened_at'][:10]} on"
        words = canary["look"]["words"] if canary["look"] else "no look at the evidence"
        console.print(f"{tried}: {canary['state']} ({words})", highlight=False)
    for draft in compared["drafts"]:
        console.print(f"seed {draft['seed']}", style="dim", highlight=False)
        for name, text in draft.items():
            if name != "seed":
                console.print(Text(f"  {name}  {text}"))


def _cell(value: float | int | Sequence[float] | None) -> str:
    if value is None:
        return "–"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:.3f}"
    share, low, high = value
    return f"{share:.1%} (95 %: {low:.1%} to {high:.1%})"
