"""Mutation testing of the rules (`make mutants`): the code is changed in one place at a time; does a test notice?

Each mutant is a module's text with one edit, compiled in a forked process that writes no file; there the module's tests
run, in a copy of the tree, until one fails. What is killed is pinned by a test. A survivor is for a person to look at:
it is a gap in the tests, a line that does nothing, or the same program in other words.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import traceback
from collections import Counter, deque
from collections.abc import Iterator, Mapping, Sequence
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import spec_from_file_location
from pathlib import Path
from random import Random
from typing import Any

from tools.edits import Mutant, mutants

HOUSE = Path(__file__).resolve().parents[1]
BUILD = HOUSE / "build" / "mutants"

# The rules, and for each the tests that are to notice: fast ones alone, without TensorFlow, browsers and processes.
TESTS: Mapping[str, tuple[str, ...]] = {
    "model/sampling.py": ("tests/model/test_sampling.py", "tests/model/test_generate.py"),
    "model/generate.py": ("tests/model/test_generate.py", "tests/game/test_steering.py"),
    "app/game/vetting.py": (
        "tests/game/test_vetting.py",
        "tests/game/test_strangers.py",
        "tests/game/test_third_parties.py",
    ),
    "app/game/rounds.py": ("tests/game/test_rounds.py", "tests/game/test_levels.py", "tests/game/test_opening.py"),
    "app/game/shelf.py": ("tests/game/test_rounds.py", "tests/game/test_levels.py"),
    "app/web/sealed.py": ("tests/web/test_sealed.py",),
    "app/game/labels.py": ("tests/game/test_labels.py",),
    "app/game/promotion.py": ("tests/game/test_promotion.py",),
    "app/game/gates.py": ("tests/game/test_gates.py",),
}
SPARE = 10  # CPU seconds that a mutant may take beyond three times what the unchanged code takes
PATIENCE = 900  # seconds by the clock, for what waits for ever and uses no CPU
MEMORY = 8 << 30  # bytes of address space, for what grows for ever
BROKEN = 70  # exit status of a child in which not the tests failed, but what tries them
LOADED = ("numpy", "pytest", "sqlalchemy", "alembic.command", "psycopg", "hypothesis.strategies")


class _Mutated(SourceFileLoader):
    """Imports one module from a text instead of its file."""

    def __init__(self, house: Path, mutant: Mutant) -> None:
        super().__init__(mutant.module.removesuffix(".py").replace("/", "."), str(house / mutant.module))
        self.code = compile(mutant.changed, self.path, "exec", dont_inherit=True)

    def get_code(self, fullname: str) -> Any:
        return self.code

    def find_spec(self, fullname: str, path: object = None, target: object = None) -> ModuleSpec | None:
        return spec_from_file_location(fullname, self.path, loader=self) if fullname == self.name else None


def _begin(house: Path, tests: Sequence[str], mutant: Mutant | None, limit: int) -> int:
    """Run tests in a process of its own, on a mutant or on the code as it is; the process's id."""
    if child := os.fork():
        return child
    try:
        os.chdir(house)
        sys.path[0] = str(house)
        resource.setrlimit(resource.RLIMIT_CPU, (limit, limit + 5))
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        signal.alarm(PATIENCE)
        if mutant is not None:
            sys.dont_write_bytecode = True
            sys.meta_path.insert(0, _Mutated(house, mutant))
            for stream in (1, 2):
                os.dup2(os.open(os.devnull, os.O_WRONLY), stream)
        import pytest

        marks = "not long and not train and not browser and not postgres and not process"
        os._exit(pytest.main(["-q", "-x", "--no-header", "-p", "no:cacheprovider", "-m", marks, *tests]))
    except BaseException:
        traceback.print_exc()
        os._exit(BROKEN)


def _limits(house: Path, modules: Sequence[str], tests: Mapping[str, Sequence[str]], spare: float) -> dict[str, int]:
    """CPU seconds for the mutants of each module; ends where a module's tests fail as it is."""
    limits = {}
    for module in modules:
        _, status, usage = os.wait4(_begin(house, tests[module], None, PATIENCE), 0)
        if status:
            raise SystemExit(f"{module}: its tests fail without any change, so they can say nothing of its mutants")
        limits[module] = 1 + int(spare + 3 * (usage.ru_utime + usage.ru_stime))
    return limits


def run(
    house: Path,
    chosen: Sequence[Mutant],
    tests: Mapping[str, Sequence[str]],
    *,
    workers: int = 2,
    minutes: float = 30,
    spare: float = SPARE,
) -> Iterator[tuple[Mutant, str, float]]:
    """Each mutant with what became of it (killed, survived, timed out) and the CPU seconds that it took.

    Args:
        house: the tree in which the tests run.
        chosen: the mutants, of modules of that tree.
        tests: for each module, the files of tests.
        workers: how many are tried at a time.
        minutes: of CPU for each worker, after which no more are begun.
        spare: CPU seconds that each may take beyond three times what the unchanged code takes.
    """
    os.environ |= {"OPENBLAS_NUM_THREADS": "1", "PYTHONPATH": str(house)}
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"  # none of these tests needs a plugin, and they take two seconds
    for name in LOADED:  # once, before the forks: most of the time of a start
        __import__(name)
    limits = _limits(house, sorted({each.module for each in chosen}), tests, spare)
    waiting, running, spent = deque(chosen), dict[int, Mutant](), 0.0
    while waiting or running:
        while waiting and len(running) < workers:
            mutant = waiting.popleft()
            running[_begin(house, tests[mutant.module], mutant, limits[mutant.module])] = mutant
        child, status, usage = os.wait4(-1, 0)
        if os.WIFEXITED(status) and os.WEXITSTATUS(status) == BROKEN:
            raise SystemExit("\n".join(["cannot be tried:", *running[child].diff()]))
        outcome = "timed out" if os.WIFSIGNALED(status) else "killed" if status else "survived"
        seconds = usage.ru_utime + usage.ru_stime
        spent += seconds
        if spent > 60 * minutes * workers:
            waiting.clear()
        yield running.pop(child), outcome, seconds


def copy_house(to: Path) -> None:
    """A copy of the tree, so that nobody's editing meanwhile decides about a mutant."""
    shutil.rmtree(to, ignore_errors=True)
    listing = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    for name in subprocess.run(listing, cwd=HOUSE, capture_output=True, text=True, check=True).stdout.split("\0"):
        if (HOUSE / name).is_file():
            (to / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(HOUSE / name, to / name)


def choose(seed: int, most: int, only: str) -> tuple[list[Mutant], Counter[str]]:
    """Up to `most` mutants by chance of each module whose path holds `only`, and how many each has."""
    chosen: list[Mutant] = []
    there: Counter[str] = Counter()
    for module in TESTS:
        if only in module:
            every = mutants(module, (HOUSE / module).read_text(encoding="utf-8"))
            there[module] = len(every)
            chosen += Random(f"{seed} {module}").sample(every, min(most, len(every)))  # noqa: S311
    return sorted(chosen, key=lambda each: (each.module, each.start, each.end)), there


def report(chosen: Sequence[Mutant], there: Mapping[str, int], known: Mapping[str, dict[str, Any]]) -> str:
    """The survivors with the lines that differ, and a table by module."""
    lines = []
    for mutant in chosen:
        if known.get(mutant.key, {}).get("outcome") == "survived":
            lines += [*mutant.diff(), ""]
    lines.append(f"{'':24}{'mutants':>9}{'tried':>8}{'killed':>8}{'timed out':>11}{'survived':>10}{'CPU s':>8}")
    for module, count in there.items():
        tried = [known[each.key] for each in chosen if each.module == module and each.key in known]
        became = Counter(each["outcome"] for each in tried)
        seconds = sum(each["seconds"] for each in tried)
        lines.append(
            f"{module:24}{count:>9}{len(tried):>8}{became['killed']:>8}{became['timed out']:>11}"
            f"{became['survived']:>10}{seconds:>8.0f}"
        )
    return "\n".join(lines)


def main() -> None:
    """Try the mutants that were not tried yet, and show what survived."""
    parser = argparse.ArgumentParser(
        prog="tools.mutants", description="Which changes of the rules does no test notice?"
    )
    parser.add_argument("--seed", type=int, default=0, help="of the chance that chooses mutants")
    parser.add_argument("--most", type=int, default=60, help="mutants of a module")
    parser.add_argument("--only", default="", help="modules whose path holds this")
    parser.add_argument("--minutes", type=float, default=30, help="of CPU a worker, after which no mutant is begun")
    parser.add_argument("--workers", type=int, default=min(2, os.cpu_count() or 1), help="mutants at a time")
    parser.add_argument("--again", action="store_true", help="try the survivors again, after tests were added")
    parser.add_argument("--fresh", action="store_true", help="forget what was tried before")
    asked = parser.parse_args()
    results = BUILD / "results.jsonl"
    if asked.fresh:
        results.unlink(missing_ok=True)
    chosen, there = choose(asked.seed, asked.most, asked.only)
    lines = results.read_text(encoding="utf-8").splitlines() if results.exists() else []
    known = {row["key"]: row for row in map(json.loads, lines)}
    done = {key for key, row in known.items() if not (asked.again and row["outcome"] == "survived")}
    waiting = [each for each in chosen if each.key not in done]
    Random(asked.seed).shuffle(waiting)  # noqa: S311  # so that what is tried until time is up is of all modules
    if waiting:
        copy_house(BUILD / "house")
    for number, (mutant, outcome, seconds) in enumerate(
        run(BUILD / "house", waiting, TESTS, workers=asked.workers, minutes=asked.minutes), 1
    ):
        known[mutant.key] = {"key": mutant.key, "outcome": outcome, "seconds": round(seconds, 2), "diff": mutant.diff()}
        with results.open("a", encoding="utf-8") as file:
            file.write(json.dumps(known[mutant.key], ensure_ascii=False) + "\n")
        print(f"{number} of {len(waiting)}: {outcome:9} {mutant.diff()[0]}", file=sys.stderr)  # noqa: T201
    print(report(chosen, there, known))  # noqa: T201


if __name__ == "__main__":
    main()
