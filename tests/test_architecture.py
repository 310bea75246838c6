"""The rooms: which may import which, what stays private, and how large they may grow."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import matinee

ROOT = Path(matinee.__file__).parent
LAYERS = (
    ("errors", "_version"),
    ("base",),
    ("config",),
    ("data",),
    ("synth", "baseline", "charts", "feedback"),
    ("nn",),
    ("train",),
    ("evaluate", "recommend"),
    ("models",),
    ("serve", "testing"),
    ("lab",),
    ("cli",),
    ("__main__",),
)
"""Lowest first. A room imports lower ones freely, and never one beside it."""
CORE = {room for layer in LAYERS for room in layer} - {"lab", "cli", "__main__"}
LINES, FILES = 400, 16
REGISTRIES = {"cli/commands", "lab/rivals", "models/kinds", "recommend/interest/scorers"}
"""Folders whose files are entries of a registry, found because they stand there: of any number."""


@cache
def modules() -> dict[str, Path]:
    """Every module of the package by its dotted name below it; packages by their own name."""
    by_name = {}
    for path in sorted(ROOT.rglob("*.py")):
        parts = list(path.relative_to(ROOT).with_suffix("").parts)
        if parts[-1] == "__init__":
            parts.pop()
        if parts:
            by_name[".".join(parts)] = path
    return by_name


@cache
def imports(name: str) -> frozenset[str]:
    """The modules of the package that a module imports, by their dotted names.

    What only type checkers import is left out of circles by Python itself, but not here: a name
    that stands in a signature ties two files just as well.
    """
    path = modules()[name]
    package = name.split(".") if path.name == "__init__.py" else name.split(".")[:-1]
    source = path if path.name != "__init__.py" else path.with_suffix(".pyi")
    if not source.exists():
        return frozenset()
    names = set()
    for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.ImportFrom) or not node.level:
            continue
        base = package[: len(package) - node.level + 1]
        target = ".".join([*base, *(node.module or "").split(".")]).strip(".")
        for alias in node.names:
            inner = f"{target}.{alias.name}".strip(".")
            names.add(inner if inner in modules() else target)
    return frozenset(names - {"", name})


def room(name: str) -> str:
    return name.partition(".")[0]


def pairs() -> Iterator[tuple[str, str]]:
    return ((name, target) for name in modules() for target in imports(name))


def is_face(name: str) -> bool:
    return modules()[name].name == "__init__.py"


def test_every_room_has_a_layer() -> None:
    assert {room(name) for name in modules()} == {room for layer in LAYERS for room in layer}


def test_no_room_imports_upward_or_sideways() -> None:
    height = {name: at for at, layer in enumerate(LAYERS) for name in layer}
    wrong = [
        f"{name} -> {target}"
        for name, target in pairs()
        if room(name) != room(target) and height[room(target)] >= height[room(name)]
    ]
    assert wrong == []


def test_the_core_never_imports_the_lab() -> None:
    assert [pair for pair in pairs() if room(pair[0]) in CORE and room(pair[1]) == "lab"] == []


def test_no_private_module_is_imported_from_another_package() -> None:
    wrong = []
    for name, target in pairs():
        home, _, stem = target.rpartition(".")
        package = name if is_face(name) else name.rpartition(".")[0]
        if stem.startswith("_") and home and package != home:
            wrong.append(f"{name} -> {target}")
    assert wrong == []


def test_there_are_no_circles() -> None:
    """By files; a package's face stands for none of its files, since it imports them on demand."""
    state: dict[str, int] = {}
    circles: list[str] = []

    def visit(name: str, path: tuple[str, ...]) -> None:
        if state.get(name) == 1:
            circles.append(" -> ".join([*path[path.index(name) :], name]))
            return
        if state.get(name) == 2:
            return
        state[name] = 1
        for target in sorted(imports(name)):
            if not is_face(target):
                visit(target, (*path, name))
        state[name] = 2

    for name in modules():
        if not is_face(name):
            visit(name, ())
    assert circles == []


def test_no_file_is_long_and_no_room_is_crowded() -> None:
    long = {
        str(path.relative_to(ROOT)): lines
        for path in modules().values()
        if (lines := len(path.read_text(encoding="utf-8").splitlines())) > LINES
    }
    assert long == {}
    levels: dict[Path, int] = {}
    for path in modules().values():
        levels[path.parent] = levels.get(path.parent, 0) + 1
    by_room = {path.relative_to(ROOT).as_posix(): n for path, n in levels.items()}
    assert by_room.keys() >= REGISTRIES
    assert {room: n for room, n in by_room.items() if n > FILES and room not in REGISTRIES} == {}
