"""Change one thing of a file at a time, and see whether its tests notice.

    python tests/tools/mutate.py src/matinee/evaluate/metrics.py tests/evaluate/test_metrics.py

A mutant swaps an operator (< and <=, + and -, and and or), moves a number, negates a condition, or
swaps min and max. The tests run on a copy of the package with the mutant in it; the working tree is
not touched. Mutants that no test notices are printed at the end, with their line: each is a test
that is missing, or a change that means nothing. The exit status is 1 where there are any.
"""

from __future__ import annotations

import argparse
import ast
import copy
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src"
_OPERATORS: dict[type[ast.AST], type[ast.AST]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
    ast.And: ast.Or,
    ast.Or: ast.And,
    ast.USub: ast.UAdd,
}
_NAMES = {
    "min": "max",
    "max": "min",
    "minimum": "maximum",
    "maximum": "minimum",
    "any": "all",
    "all": "any",
    "floor": "ceil",
}


def mutants(tree: ast.Module) -> Iterator[tuple[int, str, ast.Module]]:
    """Every mutant of a module: its line, what was changed, and the changed module."""
    skipped = _uncalled(tree)
    for at, node in enumerate(ast.walk(tree)):
        if node in skipped:
            continue
        for number, change in enumerate(_changes(node)):
            changed = copy.deepcopy(tree)
            same = next(other for i, other in enumerate(ast.walk(changed)) if i == at)
            _apply(same, number)
            yield getattr(node, "lineno", 0), change, changed


def _uncalled(tree: ast.Module) -> set[ast.AST]:
    """Nodes of docstrings, annotations and imports, in which a change means nothing."""
    names: set[ast.AST] = set()
    for node in ast.walk(tree):
        parts: list[ast.AST | None] = []
        if isinstance(node, ast.arg):
            parts.append(node.annotation)
        elif isinstance(node, ast.FunctionDef):
            parts.append(node.returns)
        elif isinstance(node, ast.AnnAssign):
            parts.append(node.annotation)
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            parts.append(node.value)
        for part in parts:
            if part is not None:
                names.update(ast.walk(part))
    return names


def _changes(node: ast.AST) -> list[str]:
    """What can be changed of a node, in the order of ``_apply``."""
    match node:
        case ast.Compare(ops=[op]) if type(op) in _OPERATORS:
            return [_swap(op)]
        case ast.BinOp(op=op) | ast.BoolOp(op=op) | ast.UnaryOp(op=op) | ast.AugAssign(op=op) if (
            type(op) in _OPERATORS
        ):
            return [_swap(op)]
        case ast.Constant(value=bool(value)):
            return [f"{value} to {not value}"]
        case ast.Constant(value=int(value) | float(value)):
            return [f"{value} to {_moved(value)}"]
        case ast.Name(id=name) | ast.Attribute(attr=name) if name in _NAMES:
            return [f"{name} to {_NAMES[name]}"]
        case ast.If() | ast.While() | ast.IfExp():
            return ["condition negated"]
        case _:
            return []


def _apply(node: ast.AST, number: int) -> None:
    match node:
        case ast.Compare(ops=[op]):
            node.ops = [_OPERATORS[type(op)]()]  # type: ignore[list-item]
        case ast.BinOp() | ast.BoolOp() | ast.UnaryOp() | ast.AugAssign():
            node.op = _OPERATORS[type(node.op)]()  # type: ignore[assignment]
        case ast.Constant(value=bool(value)):
            node.value = not value
        case ast.Constant(value=int(value) | float(value)):
            node.value = _moved(value)
        case ast.Name():
            node.id = _NAMES[node.id]
        case ast.Attribute():
            node.attr = _NAMES[node.attr]
        case ast.If() | ast.While() | ast.IfExp():
            node.test = ast.UnaryOp(ast.Not(), node.test)


def _swap(op: ast.AST) -> str:
    return f"{type(op).__name__} to {_OPERATORS[type(op)].__name__}"


def _moved(value: float) -> float:
    return value + 1 if isinstance(value, int) else value * 2 or 1.0


def main() -> int:
    """Run the tests on every mutant asked for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("file", type=Path, help="a file of src/matinee")
    parser.add_argument("tests", nargs="+", help="what to hand to pytest")
    parser.add_argument("--lines", help="mutate lines FIRST-LAST alone")
    parser.add_argument("--most", type=int, help="try as many, drawn at random")
    parser.add_argument("--seed", type=int, default=0, help="of the draw")
    parser.add_argument(
        "--seconds",
        type=float,
        default=120.0,
        help="until a mutant has hung; at least five times what the tests take",
    )
    asked = parser.parse_args()
    file = asked.file.resolve().relative_to(SOURCE)
    tree = ast.parse((SOURCE / file).read_text("utf-8"))
    first, last = map(int, asked.lines.split("-")) if asked.lines else (0, sys.maxsize)
    names = [each for each in mutants(tree) if first <= each[0] <= last]
    if asked.most is not None and len(names) > asked.most:
        names = sorted(random.Random(asked.seed).sample(names, asked.most), key=lambda m: m[0])
    survivors = []
    with tempfile.TemporaryDirectory() as folder:
        copied = Path(folder) / "src"
        shutil.copytree(SOURCE, copied)
        started = time.monotonic()
        if _run(copied, asked.tests, None) != "passed":
            print("the tests fail without a mutant")
            return 2
        # A mutant may loop forever; on a busy machine tests that pass take long as well.
        limit = max(asked.seconds, 5.0 * (time.monotonic() - started))
        for at, (line, change, changed) in enumerate(names, start=1):
            (copied / file).write_text(ast.unparse(changed), "utf-8")
            outcome = _run(copied, asked.tests, limit)
            word = {"passed": "ALIVE", "failed": "killed", "late": f"killed after {limit:.0f} s"}
            print(f"{at}/{len(names)} {file}:{line} {change}: {word[outcome]}")
            sys.stdout.flush()
            if outcome == "passed":
                survivors.append((line, change))
    print(f"{len(names) - len(survivors)} of {len(names)} mutants were killed")
    lines = (SOURCE / file).read_text("utf-8").splitlines()
    for line, change in survivors:
        print(f"{file}:{line}: {change}\n    {lines[line - 1].strip()}")
    return 1 if survivors else 0


def _run(
    source: Path, tests: list[str], seconds: float | None
) -> Literal["passed", "failed", "late"]:
    """How the tests end on a copy of the package."""
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *tests]
    environment = {**os.environ, "PYTHONPATH": str(source), "PYTHONDONTWRITEBYTECODE": "1"}
    try:
        done = subprocess.run(
            command, cwd=ROOT, env=environment, capture_output=True, timeout=seconds
        )
    except subprocess.TimeoutExpired:
        return "late"
    return "failed" if done.returncode else "passed"


if __name__ == "__main__":
    sys.exit(main())
