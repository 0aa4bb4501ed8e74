"""The edits of mutation testing: a module's text changed in one place, as a slip of the hand might change it.

Comparisons and their borders, arithmetic, conditions and each of their parts, figures, names and modes, results, and
statements that are left out. What is for people is left alone: docstrings, messages, types.
"""

from __future__ import annotations

import ast
import difflib
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

_SWAPS: Mapping[type, tuple[type, ...]] = {
    **{ast.Lt: (ast.LtE, ast.GtE), ast.LtE: (ast.Lt, ast.Gt), ast.Gt: (ast.GtE, ast.LtE), ast.GtE: (ast.Gt, ast.Lt)},
    **{ast.Eq: (ast.NotEq,), ast.NotEq: (ast.Eq,), ast.Is: (ast.IsNot,), ast.IsNot: (ast.Is,)},
    **{ast.In: (ast.NotIn,), ast.NotIn: (ast.In,), ast.And: (ast.Or,), ast.Or: (ast.And,)},
    **{ast.Add: (ast.Sub,), ast.Sub: (ast.Add,), ast.Mult: (ast.Div,), ast.Div: (ast.Mult,), ast.FloorDiv: (ast.Mult,)},
    **{ast.Mod: (ast.Mult,), ast.Pow: (ast.Mult,), ast.BitAnd: (ast.BitOr,), ast.BitOr: (ast.BitAnd,)},
    **{ast.BitXor: (ast.BitAnd,), ast.LShift: (ast.RShift,), ast.RShift: (ast.LShift,)},
}
_PAIRS = (("min", "max"), ("any", "all"), ("floor", "ceil"), ("bisect_left", "bisect_right"))
_NAMES = {name: other for pair in _PAIRS for name, other in (pair, pair[::-1])}
_PASSED_OVER = {"annotation", "returns", "decorator_list", "bases", "op", "ops", "ctx"}
_LEFT_ALONE = (ast.JoinedStr, ast.Import, ast.ImportFrom)  # words for people, and what cannot go


@dataclass(frozen=True)
class Mutant:
    """One edit: `after` stands for the bytes from `start` to `end` of a module's text."""

    module: str
    text: str  # of the module, unchanged
    start: int
    end: int
    after: str

    @property
    def changed(self) -> str:
        """The module's text with the edit."""
        raw = self.text.encode()
        return (raw[: self.start] + self.after.encode() + raw[self.end :]).decode()

    @property
    def key(self) -> str:
        """Names the edit for as long as the module stays as it is."""
        return hashlib.sha256(f"{self.module}\0{self.changed}".encode()).hexdigest()[:16]

    def diff(self) -> list[str]:
        """The place, and the lines that differ."""
        lines = difflib.unified_diff(self.text.splitlines(), self.changed.splitlines(), n=0, lineterm="")
        number = self.text.encode()[: self.start].count(b"\n") + 1
        return [f"{self.module}:{number}", *(line for line in lines if line[:3] not in ("---", "+++", "@@ "))]


def mutants(module: str, text: str) -> list[Mutant]:
    """Every mutant of a module, in the order of its text."""
    starts = [0]
    for line in text.encode().splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    found = {}
    for node, after in _edits(ast.parse(text)):
        start, end = (starts[row - 1] + column for row, column in _extent(node))
        mutant = Mutant(module, text, start, end, after)
        found[mutant.changed] = mutant  # two operators may come to the same
    return sorted(found.values(), key=lambda each: (each.start, each.end))


def _extent(node: Any) -> tuple[tuple[int, int], tuple[int, int]]:
    return (node.lineno, node.col_offset), (node.end_lineno, node.end_col_offset)


def _edits(node: ast.AST) -> Iterator[tuple[ast.AST, str]]:
    """A node and the code to stand in its place, for this node and all below it."""
    yield from _statement(node) if isinstance(node, ast.stmt) else _expression(node)
    test = getattr(node, "test", None)
    if test is not None and not isinstance(test, ast.Compare | ast.BoolOp | ast.UnaryOp):
        yield test, f"(not {ast.unparse(test)})"
    for name, value in ast.iter_fields(node):
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST) and name not in _PASSED_OVER and not _is_for_people(child):
                yield from _edits(child)


def _is_for_people(node: ast.AST) -> bool:
    """Whether changing it changes nothing that the program does: docstrings, messages, types."""
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return True
    if isinstance(node, ast.Assign) and any(isinstance(t, ast.Name) and t.id == "__all__" for t in node.targets):
        return True
    return isinstance(node, _LEFT_ALONE) or (isinstance(node, ast.Subscript) and ast.unparse(node.value) == "Literal")


def _statement(node: ast.stmt) -> Iterator[tuple[ast.AST, str]]:
    if isinstance(node, ast.Expr | ast.AugAssign | ast.Raise | ast.Continue | ast.Break):
        yield node, "pass"
    if isinstance(node, ast.Assign) and not any(isinstance(target, ast.Name | ast.Tuple) for target in node.targets):
        yield node, "pass"
    if isinstance(node, ast.AugAssign):
        for other in _SWAPS.get(type(node.op), ()):
            yield node, ast.unparse(ast.AugAssign(node.target, other(), node.value))
    if isinstance(node, ast.Return) and node.value is not None and ast.unparse(node.value) != "None":
        yield node, "return None"


def _expression(node: ast.AST) -> Iterator[tuple[ast.AST, str]]:
    made: list[ast.expr] = []
    if isinstance(node, ast.Compare):
        for place, op in enumerate(node.ops):
            for other in _SWAPS[type(op)]:
                ops = [*node.ops[:place], other(), *node.ops[place + 1 :]]
                made.append(ast.Compare(node.left, ops, node.comparators))
    elif isinstance(node, ast.BinOp):
        made += [ast.BinOp(node.left, other(), node.right) for other in _SWAPS.get(type(node.op), ())]
    elif isinstance(node, ast.BoolOp):
        made += [ast.BoolOp(other(), node.values) for other in _SWAPS[type(node.op)]]
        for place in range(len(node.values)):
            left = [*node.values[:place], *node.values[place + 1 :]]
            made.append(left[0] if len(left) == 1 else ast.BoolOp(node.op, left))
    elif isinstance(node, ast.UnaryOp):
        made.append(node.operand)
    elif isinstance(node, ast.Constant):
        yield from ((node, repr(other)) for other in _constants(node.value))
    elif isinstance(node, ast.Call):
        yield from _renamed(node.func)
    yield from ((node, f"({ast.unparse(each)})") for each in made)


def _constants(value: object) -> list[object]:
    if isinstance(value, bool):
        return [not value]
    if isinstance(value, int):
        return [value + 1]
    if isinstance(value, float):
        return [value * 1.25 if value else 1.0]
    # What has spaces is for people; names, modes and marks are not.
    return [value + "x"] if isinstance(value, str) and " " not in value else []


def _renamed(function: ast.expr) -> Iterator[tuple[ast.AST, str]]:
    if isinstance(function, ast.Name) and function.id in _NAMES:
        yield function, _NAMES[function.id]
    elif isinstance(function, ast.Attribute) and function.attr in _NAMES:
        yield function, f"{ast.unparse(function.value)}.{_NAMES[function.attr]}"
