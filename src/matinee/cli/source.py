"""The reading options, which every command that reads ratings has."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import wraps
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..errors import UsageError
from .numbers import parse_missing, parse_scale
from .options import with_options
from .output import note
from .show.reading import reading

if TYPE_CHECKING:
    from ..data import Ratings

_PANEL = "Reading"

Source = Annotated[
    str | None,
    typer.Argument(
        help="A catalogue name (ml-1m), a name of 'data add', a file, a folder or a quoted "
        "glob of files; nothing with --sql."
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")]


Options = Any
"""The parameter ``reading`` of a command with ``reading_options``: a mapping of its options."""

_METAVARS = {"scale": "LOW:HIGH", "repeats": "POLICY", "missing": "VALUE,..."}
_METAVARS |= {"items": "FILE", "people": "FILE"}
_METAVARS |= dict.fromkeys(
    ("user", "item", "rating", "time", "weight", "item_id", "title", "genres", "person_id"), "COL"
)


def _declared_options() -> tuple[dict[str, Any], dict[str, Any]]:
    """The fields of ``ReadOptions`` and the further ones of ``TableOptions``, as options by name.

    They are parsed from the source, since importing it would delay every command.
    """
    source = Path(__file__).parents[1] / "data" / "read" / "options.py"
    tree = ast.parse(source.read_text(encoding="utf-8"))
    layout, table = (_fields(node) for node in tree.body if isinstance(node, ast.ClassDef))
    return layout, table


def _fields(config: ast.ClassDef) -> dict[str, Any]:
    options: dict[str, Any] = {}
    for field_, doc in pairwise(config.body):
        if not (isinstance(field_, ast.AnnAssign) and isinstance(field_.target, ast.Name)):
            continue
        name, kind = field_.target.id, ast.unparse(field_.annotation)
        flag = "--" + name.replace("_", "-")
        help_ = str(ast.literal_eval(doc.value)) if isinstance(doc, ast.Expr) else ""
        text = " ".join(help_.replace("``", "").split())
        if kind.startswith("bool"):
            flags = f"{flag}/--no-{flag[2:]}" if kind == "bool | None" else flag
            option = typer.Option(flags, help=text, rich_help_panel=_PANEL)
            options[name] = Annotated[bool | None, option]
        else:
            metavar = _METAVARS.get(name, name.upper())
            plain = int if kind == "int" else Path if metavar == "FILE" else str
            options[name] = _option(plain, metavar, text)
    return options


def _option(kind: Any, metavar: str, text: str) -> Any:
    return Annotated[kind | None, typer.Option(metavar=metavar, help=text, rich_help_panel=_PANEL)]


_LAYOUT, _TABLE = _declared_options()
_COLUMNS = {name: _TABLE[name] for name in ("user", "item", "rating", "time", "weight")}
_OPTIONS = {
    "repeats": _TABLE["repeats"],
    "missing": _TABLE["missing"],
    "relevant": _option(
        float,
        "RATING",
        "Read ratings of at least this value as interactions, and leave out the others.",
    ),
}
_WHOLE = {
    "k_core": _option(int, "K", "Repeatedly leave out users and items with fewer than K entries."),
    "sql": _option(str, "QUERY", "Read the result of a query."),
    "database": _option(
        str,
        "FILE|URL",
        "The database of --sql: a DuckDB or SQLite file, or a URL (postgresql://, mysql://).",
    ),
    **{
        name: _TABLE[name]
        for name in ("items", "item_id", "title", "genres", "people", "person_id")
    },
}
_FILE = _option(
    Path,
    "TOML",
    "A file of these options, such as user = 'uid' and delimiter = ';'. Those of the command line "
    "take precedence.",
)


def reading_options(
    *, whole: bool = True, without: Sequence[str] = ()
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Give a command all reading options, in the place of its parameter ``reading``.

    Args:
        whole: Whether the command reads one source, which may be a query or be cut to a k-core.
        without: Options whose names have another meaning in the command.

    Returns:
        The decorator. The command's ``reading`` is a mapping of the options of ``read``; one of
        ``without`` is included if a file sets it.
    """
    kinds = {
        **_COLUMNS,
        "scale": _TABLE["scale"],
        **_OPTIONS,
        **_LAYOUT,
        **(_WHOLE if whole else {}),
        "read_options": _FILE,
    }
    kinds = {name: kind for name, kind in kinds.items() if name not in without}

    options = {name: (None, kind) for name, kind in kinds.items()}

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(command)
        def run(*args: Any, reading: dict[str, Any], **others: Any) -> Any:
            file = reading.pop("read_options")
            if file is not None:
                reading |= _options_of_file(file, {**reading, **dict.fromkeys(without)})
            for name in _LAYOUT:
                if reading[name] is None:
                    del reading[name]
            return command(*args, reading=reading, **others)

        return with_options("reading", options)(run)

    return decorate


def _options_of_file(file: Path, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return reading options from a TOML file that the command has and that were not given.

    Raises:
        UsageError: The file cannot be read, or states an option that does not exist.
    """
    from ..data import TableOptions

    stated = TableOptions.read_toml(file.expanduser()).stated()
    # As the command line writes them.
    for name, write in (("items", Path), ("scale", _joined(":")), ("missing", _joined(","))):
        if name in stated:
            stated[name] = write(stated[name])
    free = given.keys() - set_options(given).keys()
    return {name: value for name, value in stated.items() if name in free}


def _joined(between: str) -> Callable[[Sequence[float]], str]:
    return lambda values: between.join(map(repr, values))


def set_options(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the reading options that a command was given."""
    return {name: value for name, value in options.items() if value is not None}


def load_arguments(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the reading options of a command that are set, as arguments of ``load``."""
    scale, missing = parse_scale(options.get("scale")), parse_missing(options.get("missing"))
    return set_options({**options, "scale": scale, "missing": missing})


def read(source: str | None, *, notes: bool = True, **options: Any) -> Ratings:
    """Read ratings according to the options, and print the notes of reading to stderr.

    Args:
        source: What to read; None for a query.
        notes: Whether to print the notes.
        **options: Those of ``reading_options``, and ``allow_single``, which accepts ratings of one
            user or one item, which are enough to score or to serve.

    Raises:
        UsageError: Neither a source nor a query, or both.
        DataError: They cannot be read.
    """
    from ..data import load

    arguments = load_arguments(options)
    if (source is None) == ("sql" not in arguments):
        raise UsageError("name a SOURCE to read, or give a query with --sql (and not both)")
    if "database" in arguments and "sql" not in arguments:
        raise UsageError("--database needs --sql")
    with reading() as report:
        ratings = load(source, report=report, **arguments)
    if notes:
        for text in ratings.notes:
            note(f"matinee: {ratings.name}: {text}")
    return ratings


@dataclass(frozen=True)
class Reading:
    """The reading options of a command that may read more than one source.

    Attributes:
        options: Options of ``read``; those of ``_WHOLE`` apply to one source only.
        source: That source, which the command is about; None for a query's result.
    """

    options: Mapping[str, Any]
    source: str | None

    @property
    def steps(self) -> dict[str, Any]:
        """Return the set options that decide which ratings are read, JSON-serialisable."""
        left = _WHOLE.keys() - {"k_core"} | {"allow_single"}
        return {name: v for name, v in set_options(self.options).items() if name not in left}

    def with_steps(self, source: str, steps: Mapping[str, Any]) -> Reading:
        """Return the same with the options of an earlier command, for a source.

        Options given to this command take precedence.
        """
        unset = {name: value for name, value in steps.items() if name not in self.steps}
        return Reading({**self.options, **unset}, source)

    def __call__(self, source: str | None) -> Ratings:
        """Read a source."""
        whole = source == self.source
        return read(source, **{n: v for n, v in self.options.items() if whole or n not in _WHOLE})
