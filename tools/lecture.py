"""Runs the code on the pages of the lecture, docs/rnn, and draws its plots anew (`make lecture`)."""

from __future__ import annotations

import json
import os
import re
import sys
import time
from pathlib import Path
from typing import Any

HOUSE = Path(__file__).resolve().parents[1]
LECTURE = HOUSE / "docs" / "rnn"
PAGES = ("one-to-one", "cells", "many", "forgetting", "training")
_BLOCK = re.compile(r"^```python\n(.*?)^```", re.DOTALL | re.MULTILINE)


def run_page(name: str, pictures: Path) -> dict[str, Any]:
    """Run the blocks of a page one after the other, from the project's folder; what they defined.

    A page puts its plots into the folder `PICTURES`.
    """
    import matplotlib as mpl

    mpl.use("svg")
    mpl.rcParams["svg.hashsalt"] = name  # the same plot is the same file
    pictures.mkdir(parents=True, exist_ok=True)
    text = (LECTURE / f"{name}.md").read_text(encoding="utf-8")
    named: dict[str, Any] = {"PICTURES": pictures, "__name__": name}
    os.chdir(HOUSE)
    for block in _BLOCK.finditer(text):
        line = text.count("\n", 0, block.start()) + 2
        code = compile("\n" * (line - 1) + block.group(1), str(LECTURE / f"{name}.md"), "exec")
        exec(code, named)  # noqa: S102  # the code of our own page
    return named


def run_notebook(name: str) -> dict[str, Any]:
    """Run the cells of a notebook one after the other; what they defined."""
    cells = json.loads((LECTURE / f"{name}.ipynb").read_text(encoding="utf-8"))["cells"]
    named: dict[str, Any] = {"__name__": name}
    for number, cell in enumerate(cells):
        if cell["cell_type"] == "code":
            exec(compile("".join(cell["source"]), f"{name}.ipynb, cell {number}", "exec"), named)  # noqa: S102
    return named


def main() -> None:
    """Run all pages and the solution, and say how long each took."""
    for page in PAGES:
        begun = time.monotonic()
        run_page(page, LECTURE / "pictures")
        print(f"{page}: {time.monotonic() - begun:.0f} s", file=sys.stderr)  # noqa: T201
    run_notebook("solution")


if __name__ == "__main__":
    main()
