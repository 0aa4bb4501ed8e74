"""The docs say what the code does."""

from __future__ import annotations

import re
import runpy
from pathlib import Path

import typer

from app.cli import FILES, program

HOUSE = Path(__file__).resolve().parents[1]
README = (HOUSE / "README.md").read_text(encoding="utf-8")


def test_the_readme_lists_the_settings_as_they_are() -> None:
    docs = runpy.run_path(str(HOUSE / "tools" / "docs.py"))
    assert docs["with_settings"](README) == README, "run make docs"


def test_the_readme_names_every_command() -> None:
    commands = set(typer.main.get_command(program()).commands)  # type: ignore[attr-defined]
    assert commands == set(FILES)
    table = README.split("| command |")[1].split("\n\n")[0]
    named = set(re.findall(r"`([a-z]+)`", table))
    assert commands == named


def test_every_link_in_the_docs_leads_somewhere() -> None:
    dead = []
    for page in [*HOUSE.glob("*.md"), *HOUSE.glob("docs/**/*.md"), *HOUSE.glob("demo/*.md")]:
        for target in re.findall(r"\]\(([^)#]+)", page.read_text(encoding="utf-8")):
            if "://" not in target and not (page.parent / target).exists():
                dead.append(f"{page.relative_to(HOUSE)}: {target}")
    assert not dead
