"""Mutation testing: which edits are made, and what becomes of a mutant."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from tools.edits import mutants
from tools.mutants import HOUSE, TESTS


def lines(text: str) -> set[str]:
    """What becomes of a text of one line."""
    return {mutant.changed.strip() for mutant in mutants("rule.py", text)}


@pytest.mark.parametrize(
    ("line", "becomes"),
    [
        ("is_low = level < low", {"is_low = (level <= low)", "is_low = (level >= low)"}),
        ("far = near + step", {"far = (near - step)"}),
        ("row -= step", {"pass", "row += step"}),
        ("low = min(a, b)", {"low = max(a, b)"}),
        ("if ready: go = on", {"if (not ready): go = on"}),
        ("ok = a and b", {"ok = (a or b)", "ok = (a)", "ok = (b)"}),
        ("MOST = 8", {"MOST = 9"}),
        ("SHARE = 0.8", {"SHARE = 1.0"}),
        ("mode = 'daily'", {"mode = 'dailyx'"}),
        ("row.done = ended", {"pass"}),
        ("seen.add(mark)", {"pass"}),
    ],
)
def test_a_rule_is_changed_as_a_slip_of_the_hand_might_change_it(line: str, becomes: set[str]) -> None:
    assert lines(line) == becomes


def test_a_result_is_left_out() -> None:
    assert lines("def rule(): return verdict") == {"def rule(): return None"}


@pytest.mark.parametrize(
    "line",
    [
        '"""A rule."""',
        "from math import ceil",
        "words = 'for people to read'",
        "words = f'{figure:.3f} of {2}'",
        "Kind = Literal['tweet', 'passage']",
        "__all__ = ['rule']",
        "row: list[int]",
        "@cache(2)\nclass Rule(Base): ...",
    ],
)
def test_what_is_for_people_is_left_alone(line: str) -> None:
    assert lines(line) == set()


@pytest.mark.parametrize("module", TESTS)
def test_every_mutant_of_a_rule_is_another_program(module: str) -> None:
    text = (HOUSE / module).read_text(encoding="utf-8")
    made = mutants(module, text)

    assert len(made) > 20
    assert len({mutant.key for mutant in made}) == len(made)
    assert all(ast.dump(ast.parse(mutant.changed)) != ast.dump(ast.parse(text)) for mutant in made[::7])


def test_every_file_of_the_table_is_there() -> None:
    assert all((HOUSE / file).is_file() for module, files in TESTS.items() for file in (module, *files))


RULE = """
def waits(low, high):
    while low < high:
        low += 1
    return low, 5
"""
NOTICED = "from rule import waits\n\ndef test_it_waits():\n    assert waits(0, 3)[0] == 3\n"
TRY = """
from pathlib import Path
from tools.edits import mutants
from tools.mutants import run
chosen = mutants("rule.py", Path("rule.py").read_text())
for mutant, outcome, seconds in run(Path(".").resolve(), chosen, {"rule.py": ["test_rule.py"]}, spare=1):
    assert seconds > 0
    print(outcome, *mutant.diff()[1:], sep="|")
"""


@pytest.mark.slow
def test_a_mutant_that_a_test_notices_is_killed_and_one_that_never_ends_is_stopped(tmp_path: Path) -> None:
    (tmp_path / "rule.py").write_text(RULE)
    (tmp_path / "test_rule.py").write_text(NOTICED)
    command = [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(HOUSE)!r}){TRY}"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)

    became = {line.split("|", 2)[2]: line.split("|")[0] for line in done.stdout.splitlines() if "|" in line}
    assert became["+    while (low >= high):"] == "killed"
    assert became["+        low -= 1"] == became["+        pass"] == "timed out"
    assert became["+    return low, 6"] == "survived"
    assert (tmp_path / "rule.py").read_text() == RULE


@pytest.mark.slow
def test_tests_that_fail_without_a_mutant_end_the_run(tmp_path: Path) -> None:
    (tmp_path / "rule.py").write_text(RULE)
    (tmp_path / "test_rule.py").write_text(NOTICED.replace("== 3", "== 4"))
    command = [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(HOUSE)!r}){TRY}"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

    assert done.returncode == 1
    assert "rule.py: its tests fail without any change" in done.stderr
