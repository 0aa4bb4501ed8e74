"""The docs say what the code does."""

from __future__ import annotations

import re
import runpy
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
import typer

from app.cli import FILES, program

HOUSE = Path(__file__).resolve().parents[1]
# The pages that most changes touch; decisions have a line each for what, why and what else.
WRAPPED = ("README.md", "CONTRIBUTING.md", "docs/admin.md", "docs/house.md", "docs/security.md")
README = (HOUSE / "README.md").read_text(encoding="utf-8")


def test_no_entry_of_the_changelog_stands_twice_or_ends_in_the_middle() -> None:
    entries = re.findall(r"^- .*(?:\n  .*)*", (HOUSE / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert len(entries) > 100
    first = Counter(entry.partition("\n")[0] for entry in entries)
    assert not [line for line, times in first.items() if times > 1]
    assert not [entry for entry in entries if not entry.endswith((".", ".)", "!"))]


@pytest.mark.parametrize("name", WRAPPED)
def test_prose_is_wrapped_at_120_columns(name: str) -> None:
    page = re.sub(r"^```.*?^```", "", (HOUSE / name).read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    assert not [line for line in page.splitlines() if len(line) > 120 and not line.lstrip().startswith("|")]


def test_the_readme_lists_the_settings_as_they_are() -> None:
    docs = runpy.run_path(str(HOUSE / "tools" / "docs.py"))
    assert docs["with_settings"](README) == README, "run make docs"


def test_the_readme_names_every_command() -> None:
    commands = set(typer.main.get_command(program()).commands)  # type: ignore[attr-defined]
    assert commands == set(FILES)
    table = README.split("| command |")[1].split("\n\n")[0]
    named = set(re.findall(r"`([a-z]+)`", table))
    assert commands == named


def test_every_file_that_the_docs_name_is_there() -> None:
    # Not by **: that walks through all that is installed.
    pages = [page for part in ("", "docs/**/", "bench/", "demo/", "tests/") for page in HOUSE.glob(f"{part}*.md")]
    named = [(page, name) for page in pages for name in _files_in(page)]
    assert len(named) > 50
    assert not [f"{page.name}: {name}" for page, name in named if not (HOUSE / name).exists()]


def _files_in(page: Path) -> set[str]:
    pattern = r"`((?:app|model|templates|static|tests|bench|tools)/[\w./-]+\.(?:py|html|js|css|txt))`"
    return set(re.findall(pattern, page.read_text(encoding="utf-8")))


def test_every_link_in_the_docs_leads_somewhere() -> None:
    dead = []
    for page in [*HOUSE.glob("*.md"), *HOUSE.glob("docs/**/*.md"), *HOUSE.glob("demo/*.md")]:
        for target in re.findall(r"\]\(([^)#]+)", page.read_text(encoding="utf-8")):
            if "://" not in target and not (page.parent / target).exists():
                dead.append(f"{page.relative_to(HOUSE)}: {target}")
    assert not dead


def test_every_command_and_every_option_says_what_it_is_for() -> None:
    docs = runpy.run_path(str(HOUSE / "tools" / "docs.py"))
    silent = []
    for name, command in docs["commands"]():
        silent += [name] if not command.help else []
        silent += [f"{name} {each.name}" for each in command.params if not getattr(each, "help", None)]
    assert not silent


def test_every_call_of_the_api_says_what_it_does_and_what_each_answer_means() -> None:
    docs = runpy.run_path(str(HOUSE / "tools" / "docs.py"))
    silent = []
    for path, methods in docs["openapi"]()["paths"].items():
        for method, operation in methods.items():
            answers = operation["responses"].values()
            if not operation.get("description") or not all(answer.get("description") for answer in answers):
                silent.append(f"{method} {path}")
    assert not silent


def test_every_command_that_the_docs_give_can_be_typed() -> None:
    docs = runpy.run_path(str(HOUSE / "tools" / "docs.py"))
    known = {name: {option for each in command.params for option in each.opts} for name, command in docs["commands"]()}
    targets = set(re.findall(r"^([a-z][\w-]*):", (HOUSE / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    wrong = []
    given = [
        (page.name, line) for page in [*HOUSE.glob("*.md"), *HOUSE.glob("docs/**/*.md")] for line in _code_of(page)
    ]
    for page, line in given:
        for typed in re.findall(r"whichtweet((?: [a-z]+)*)((?: [^ ]+)*)", line.split("  #")[0]):
            name = _longest_name(f"whichtweet{typed[0]}", known)
            options = set(re.findall(r"(?<= )--[\w-]+", "".join(typed))) - {"--json", "--help"}
            wrong += [f"{page}: {line}"] if (typed[0] and name == "whichtweet") or options - known[name] else []
        for typed in re.findall(r"^make ((?:[a-z][\w-]*(?: |$))+)", line.split("#")[0]):
            wrong += [f"{page}: make {each}" for each in typed.split() if each not in targets and "bench-" not in each]
        for module in re.findall(r"python -m ((?:app|bench|tools)[\w.]*)|make bench-([a-z]+)", line):
            file = Path("/".join((module[0] or f"bench.{module[1]}").split("."))).with_suffix(".py")
            wrong += [] if (HOUSE / file).exists() else [f"{page}: {file}"]
    assert len(given) > 500
    assert not wrong


def _code_of(page: Path) -> list[str]:
    """The lines of a page's blocks of shell, and what else it sets as code."""
    text = page.read_text(encoding="utf-8")
    blocks = [line for block in re.findall(r"```sh\n(.*?)```", text, re.DOTALL) for line in block.splitlines()]
    return [*blocks, *re.findall(r"`([^`\n]+)`", re.sub(r"```.*?```", "", text, flags=re.DOTALL))]


def _longest_name(typed: str, known: dict[str, set[str]]) -> str:
    """The command that so many words begin with: arguments follow it."""
    words = typed.split()
    return next(name for end in range(len(words), 0, -1) if (name := " ".join(words[:end])) in known)


def test_every_page_stands_in_the_contents_of_the_site_once() -> None:
    contents = (HOUSE / "mkdocs.yml").read_text(encoding="utf-8").partition("\nnav:")[2]
    listed = Counter(re.findall(r"([\w/-]+\.md)$", contents, re.MULTILINE))
    pages = {str(page.relative_to(HOUSE / "docs")) for page in HOUSE.glob("docs/**/*.md")}
    made = {"index.md", "demo.md", "changelog.md", "api.md", "settings.md", "commands.md"}
    assert listed == Counter(pages | made)


def test_every_picture_of_the_docs_is_shown() -> None:
    pages = [*HOUSE.glob("*.md"), *HOUSE.glob("docs/**/*.md")]
    shown = {
        target for page in pages for target in re.findall(r"!\[[^\]]*\]\(.*?([\w-]+\.\w+)\)", page.read_text("utf-8"))
    }
    there = {picture.name for picture in HOUSE.glob("docs/**/pictures/*")}
    assert there == shown & there


@pytest.mark.slow
def test_the_docs_build_as_a_site_with_the_pages_that_the_code_tells(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(tmp_path)]
    built = subprocess.run(command, cwd=HOUSE, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr
    assert "POST /api/guesses" in (tmp_path / "api.html").read_text(encoding="utf-8")
    assert "whichtweet import" in (tmp_path / "commands.html").read_text(encoding="utf-8")
    assert "WHICHTWEET_PORT" in (tmp_path / "settings.html").read_text(encoding="utf-8")
    pages = [page.read_text(encoding="utf-8") for page in tmp_path.glob("*.html")]
    assert not any(re.search(r"<(?:script|link)[^>]+(?:src|href)=\"https?://fonts", page) for page in pages)


def test_every_test_that_security_names_is_there() -> None:
    """A line of the threat model without its test is a wish."""
    page = (HOUSE / "docs" / "security.md").read_text(encoding="utf-8")
    named = re.findall(r"`(tests/[\w/]+\.py)(?:::(\w+))?`", page)
    assert len(named) > 40
    missing = [
        f"{file}::{name}"
        for file, name in named
        if not (HOUSE / file).exists() or (name and f"def {name}(" not in (HOUSE / file).read_text(encoding="utf-8"))
    ]
    assert not missing
    lines = [line for line in page.splitlines() if line.startswith("| ") and "---" not in line]
    untested = [line for line in lines if "tests/" not in line and not line.startswith("| threat")]
    assert not untested
