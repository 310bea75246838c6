"""The rooms of the package, drawn from its own imports: what docs/architecture.md shows."""

from __future__ import annotations

import ast
from collections import Counter
from functools import cache
from pathlib import Path

import matinee

ROOT = Path(matinee.__file__).parent


@cache
def rooms() -> list[str]:
    """The packages at the top level, lowest first: none imports one that stands after it."""
    imported = imports()
    left = sorted({room for pair in imported for room in pair} | set(_packages()))
    ordered: list[str] = []
    while left:
        free = [r for r in left if all(b in ordered for a, b in imported if a == r)]
        if not free:
            raise ValueError(f"rooms that import one another: {left}")
        ordered += free
        left = [room for room in left if room not in free]
    return ordered


@cache
def imports() -> dict[tuple[str, str], int]:
    """How many files of one room import from another, by (importing, imported)."""
    counts: Counter[tuple[str, str]] = Counter()
    for path in sorted(ROOT.rglob("*.py")):
        parts = path.relative_to(ROOT).parts
        if parts[0] not in _packages():
            continue
        targets = set()
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.level:
                package = ["matinee", *parts[:-1]]
                base = package[: len(package) - node.level + 1]
                target = [*base, *(node.module or "").split(".")][1:2]
                targets |= set(target) & set(_packages())
        counts.update((parts[0], room) for room in targets - {parts[0]})
    return dict(counts)


def table() -> str:
    """The rooms as a Markdown table, highest first."""
    imported = imports()
    lines = ["| room | what it is | files | imports |", "| --- | --- | --- | --- |"]
    for room in reversed(rooms()):
        below = [other for other in reversed(rooms()) if (room, other) in imported]
        face = (ROOT / room / "__init__.py").read_text("utf-8")
        about = (ast.get_docstring(ast.parse(face)) or "").partition("\n")[0]
        inner = sorted(p.name for p in (ROOT / room).iterdir() if (p / "__init__.py").exists())
        within = f" ({', '.join(f'`{name}`' for name in inner)})" if inner else ""
        files = len(list((ROOT / room).rglob("*.py")))
        names = ", ".join(f"`{other}`" for other in below) or "–"
        lines.append(f"| `{room}`{within} | {about} | {files} | {names} |")
    return "\n".join(lines)


def graph() -> str:
    """The same as a mermaid graph, with only the arrows that no longer way stands for."""
    imported = imports()
    lines = ["```mermaid", "graph BT"]
    for (high, low), _ in sorted(imported.items()):
        between = [r for r in rooms() if (high, r) in imported and _reaches(r, low, imported)]
        if not between:
            lines.append(f"  {high} --> {low}")
    return "\n".join([*lines, "```"])


def _reaches(start: str, goal: str, imported: dict[tuple[str, str], int]) -> bool:
    below = [b for a, b in imported if a == start]
    return goal in below or any(_reaches(room, goal, imported) for room in below)


@cache
def _packages() -> list[str]:
    return sorted(p.name for p in ROOT.iterdir() if (p / "__init__.py").exists())
