"""What commands print: results on stdout, everything else on stderr."""

from __future__ import annotations

import json
import math
import os
import shlex
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..base.text import aligned

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress, ProgressColumn


def echo(text: str = "") -> None:
    """A line of the result, on stdout."""
    sys.stdout.write(text + "\n")


def note(text: str) -> None:
    """Print a line that is not a result (a warning, an output path) to stderr."""
    # A closed terminal or pipe must not end a training run.
    with suppress(OSError):
        sys.stderr.write(text + "\n")
        sys.stderr.flush()


def console() -> Console:
    """Return a rich console on stderr. Progress is shown if ``console().is_terminal``."""
    from rich.console import Console

    return Console(stderr=True)


def bold(text: str) -> str:
    """Return the text, bold if stdout is a terminal that may be styled."""
    styled = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
    return f"\x1b[1m{text}\x1b[0m" if styled else text


def command_line(args: Sequence[Any]) -> str:
    """Return a matinee command as typed here, quoted for the shell."""
    started = Path(sys.argv[0])
    if shutil.which("matinee"):
        program = ["matinee"]
    elif started.name == "matinee" and started.exists():
        program = [sys.argv[0]]  # .venv/bin/matinee, if no environment is active
    else:
        program = ["python", "-m", "matinee"]
    return shlex.join([*program, *map(str, args)])


def progress(unit: str = "") -> Progress:
    """Return a progress bar on stderr with time spent and left; silent off a terminal.

    Use as ``with progress("ratings") as bar: task = bar.add_task("reading", total=n)``.

    Args:
        unit: What is counted; a percentage is shown in place of counts without one.
    """
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        TaskProgressColumn,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    done = (MofNCompleteColumn(), TextColumn(unit)) if unit else (TaskProgressColumn(),)
    times = TimeElapsedColumn(), TimeRemainingColumn()
    return bar_of(TextColumn("{task.description}"), BarColumn(), *done, *times)


@contextmanager
def downloading(name: str) -> Iterator[Callable[[int, int | None], None]]:
    """Show a bar of downloaded bytes; yields the callback for ``data.get``."""
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        TextColumn,
        TimeRemainingColumn,
        TransferSpeedColumn as Speed,
    )

    columns = (TextColumn(name), BarColumn(), DownloadColumn(), Speed(), TimeRemainingColumn())
    with bar_of(*columns) as bar:
        task = bar.add_task(name, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def bar_of(*columns: ProgressColumn) -> Progress:
    """Return a transient progress bar on stderr with these columns; silent off a terminal."""
    from rich.progress import Progress

    err = console()
    return Progress(*columns, console=err, transient=True, disable=not err.is_terminal)


def print_json(value: Any) -> None:
    """One JSON object on stdout; NumPy values are welcome, NaN and infinity become null."""
    echo(json.dumps(plain(value), allow_nan=False, ensure_ascii=False, indent=2))


def answer(as_json: bool, content: Any, text: str) -> None:
    """Print a result: one JSON object, or a text."""
    if as_json:
        print_json(content)
    else:
        echo(text)


def print_table(
    columns: Sequence[str], rows: Iterable[Sequence[Any]], title: str | None = None
) -> None:
    """Print an aligned plain table: numbers right-aligned, text left-aligned, nothing cut.

    Args:
        columns: Headings.
        rows: Cells; None is an empty cell. Numbers are formatted text or numbers.
        title: A line above the table.
    """
    table = [[_cell(value) for value in row] for row in rows]
    numbers = [
        c
        for c in range(len(columns))
        if table and all(not row[c] or _is_number(row[c]) for row in table)
    ]
    rule = ["-" * max(map(len, column)) for column in zip(columns, *table, strict=True)]
    if title:
        echo(title)
    for line in aligned([list(columns), rule, *table], numbers):
        echo(line)


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.4f}"
    return visible(str(value))


def visible(text: str) -> str:
    """Return a text of the data, such as a title, in which no terminal sees a command.

    Control characters (which may clear the screen, name the window or hide text) and marks that
    reverse the direction of writing become what Python writes for them.
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c == " " else ascii(c)[1:-1] for c in text)


def _is_number(text: str) -> bool:
    try:
        float(text.replace(",", "").rstrip("%"))
    except ValueError:
        return False
    return True


def plain(value: Any) -> Any:
    """Convert a value to JSON types."""
    if isinstance(value, Mapping):
        return {str(key): plain(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(inner) for inner in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Path):
        return str(value)
    if hasattr(value, "tolist"):  # a NumPy scalar or array
        return plain(value.tolist())
    if hasattr(value, "model_dump"):  # a Config
        return plain(value.model_dump(mode="json"))
    return value
