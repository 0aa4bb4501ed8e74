"""The house stands: imports point down, and the web starts without the heavy libraries."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections import Counter
from functools import cache
from pathlib import Path

import pytest

HOUSE = Path(__file__).resolve().parents[1]

# What each floor may import of the house; the longest matching prefix names a module's floor.
FLOORS: dict[str, tuple[str, ...]] = {
    "model.text": (),
    "model": ("model",),
    "app.wording": ("model.text",),
    "app.bundle": ("model",),
    "app.game": ("app.game", "app.wording", "model.text"),
    "app.archives": ("app.archives", "app.wording", "model.text"),
    "app.db": ("app.db", "app.game", "app.archives", "app.wording", "model.text"),
    "app.web": ("app.web", "app.bundle", "app.db", "app.game", "app.wording", "model"),
    "app.jobs": ("app.jobs", "app.bundle", "app.db", "app.game", "app.archives", "app.wording", "model"),
    "app.settings": ("app.game",),
    "app.keys": ("app.settings", "app.db"),
    "app.main": ("app", "model"),
    "app.cli": ("app", "model"),
}
TRAINERS = {"model.recurrent", "model.network", "model.train"}
HEAVY = ("tensorflow", "keras", "sklearn", "pandas")


@cache
def modules() -> dict[str, Path]:
    files = [*HOUSE.glob("app/**/*.py"), *HOUSE.glob("model/**/*.py")]
    return {".".join(f.relative_to(HOUSE).with_suffix("").parts).removesuffix(".__init__"): f for f in files}


@cache
def imports(file: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def floor_of(module: str) -> str:
    return max((f for f in FLOORS if module == f or module.startswith(f + ".")), key=len, default="")


def below(name: str, allowed: tuple[str, ...]) -> bool:
    return any(name == a or name.startswith(a + ".") or a.startswith(name + ".") for a in allowed)


@pytest.mark.parametrize("module", sorted(modules()))
def test_imports_point_down(module: str) -> None:
    if module in ("app", "model"):
        return
    floor = floor_of(module)
    assert floor, f"{module} stands on no floor: name it in FLOORS and in docs/house.md"
    ours = {name for name in imports(modules()[module]) if name.split(".")[0] in ("app", "model")}
    strange = sorted(name for name in ours if not below(name, FLOORS[floor]))
    assert not strange, f"{module} may import {FLOORS[floor] or 'nothing of the house'}, found {strange}"


@pytest.mark.parametrize("module", sorted(modules()))
def test_only_trainers_import_tensorflow(module: str) -> None:
    if module not in TRAINERS:
        assert not {name for name in imports(modules()[module]) if name.split(".")[0] in ("tensorflow", "keras")}


def test_all_of_dbos_lives_in_one_file() -> None:
    users = [name for name, file in modules().items() if any(i.split(".")[0] == "dbos" for i in imports(file))]
    assert users in ([], ["app.jobs.workflows"])


@pytest.mark.process
def test_the_web_starts_without_the_heavy_libraries() -> None:
    code = "import sys, app.main; print([m for m in sys.argv[1:] if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code, *HEAVY], cwd=HOUSE, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.process
def test_a_web_server_waits_for_nothing_that_it_does_not_use() -> None:
    # The client with which `play` asks whether the server is there, and what changes a schema that lags behind.
    code = (
        "import sys, app.cli; app.cli.program('serve'); import app.cli.public, app.db.migrate, app.main; "
        "print([m for m in ('httpx', 'alembic') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=HOUSE, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_every_file_of_tests_has_a_name_of_its_own() -> None:
    # pytest imports them by their bare names: of two alike, whichever comes second in a process cannot be collected.
    names = Counter(file.name for file in HOUSE.glob("tests/**/*.py"))
    assert [name for name, times in names.items() if times > 1 and name != "conftest.py"] == []
