"""The lecture: each page's code runs as it stands, and the exercise has a solution that wins where it can."""

from __future__ import annotations

import ast
import json
import re
import runpy
from pathlib import Path

import pytest

pytestmark = pytest.mark.train

HOUSE = Path(__file__).resolve().parents[1]
LECTURE = runpy.run_path(str(HOUSE / "tools" / "lecture.py"))
FOLDER = HOUSE / "docs" / "rnn"


def sources(notebook: str) -> list[str]:
    cells = json.loads((FOLDER / f"{notebook}.ipynb").read_text(encoding="utf-8"))["cells"]
    return ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]


def functions(cell: str) -> set[str]:
    return {node.name for node in ast.parse(cell).body if isinstance(node, ast.FunctionDef)}


@pytest.mark.parametrize("page", LECTURE["PAGES"])
def test_the_code_of_each_page_runs_and_draws_the_plots_that_it_shows(
    page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(HOUSE)
    LECTURE["run_page"](page, tmp_path)
    shown = re.findall(r"\]\(pictures/([\w-]+\.svg)\)", (FOLDER / f"{page}.md").read_text(encoding="utf-8"))
    assert {file.name for file in tmp_path.iterdir()} == set(shown)
    assert all((FOLDER / "pictures" / name).exists() for name in shown)


def test_the_solution_wins_where_there_is_something_to_know_and_only_there() -> None:
    done = LECTURE["run_notebook"]("solution")
    assert done["ours"] < 0.9 * done["naive"]
    assert done["walk_ours"] > 0.95 * done["walk_naive"]


def test_the_exercise_is_the_solution_with_blanks() -> None:
    asked, solved = sources("exercise"), sources("solution")
    assert len(asked) == len(solved)
    assert sum(cell.count("# BLANK") for cell in asked) >= 6
    assert not any("BLANK" in cell for cell in solved)
    for before, after in zip(asked, solved, strict=True):
        assert functions(before) == functions(after)
