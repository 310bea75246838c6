"""Text tables: the layout of a file, and the line of each row."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from ...errors import DataError, UsageError
from ..values.numbers import to_number
from .columns import RATING, listed, recognised
from .headers import has_row_names, is_row_of_items, stands_above_numbers
from .options import ReadOptions
from .source import literal
from .unpack import Part, paths_of

_SAMPLE = 1 << 16
_LOOKED_AT = 20
# In order of preference if several fit.
_DELIMITERS = ("::", "\t", ",", ";", "|", " ")
QUOTE = '"'
_LONGEST = 1 << 20
_NAMES = {"\t": "tab", " ": "space"}


@dataclass(frozen=True)
class Layout:
    """How the lines of a text table are made.

    Attributes:
        delimiter: Column separator; ``"::"`` in the older MovieLens files.
        quote: The character that may enclose a value, or ``""``.
        names: The columns' names, or None without a header.
        width: The number of columns.
        escape: The escape of a quote mark within quotes: another one, or a backslash.
        blank: Blank lines at the start.
        headed: Whether the first line is a header, even if other column names are used.
        partitions: Columns whose values are in the names of the folders.
    """

    delimiter: str
    quote: str
    names: tuple[str, ...] | None
    width: int
    escape: str = ""
    blank: int = 0
    headed: bool | None = None
    partitions: tuple[str, ...] = ()

    @property
    def has_header(self) -> bool:
        """Whether the first line is not a row."""
        return self.names is not None if self.headed is None else self.headed

    @property
    def numbers(self) -> tuple[str, ...]:
        """The columns' numbers from 1, their names in SQL."""
        return tuple(str(at + 1) for at in range(self.width))

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns' names, or their numbers from 1."""
        names = self.names or self.numbers
        return tuple(name or f"column {at + 1}" for at, name in enumerate(names))

    def split(self, record: str) -> list[str]:
        """Return the values of one record."""
        if self._is_plain(record):
            return record.split(self.delimiter)
        try:
            rows = list(
                csv.reader(
                    io.StringIO(record, newline=""),
                    delimiter=self.delimiter,
                    quotechar=self.quote,
                    doublequote=not self.escape,
                    escapechar=self.escape or None,
                )
            )
        except csv.Error:
            return record.split(self.delimiter)
        return rows[0] if rows else []

    def width_of(self, record: str) -> int:
        """Return the number of values of one record, which may have millions."""
        if self._is_plain(record):
            return record.count(self.delimiter) + 1
        return len(self.split(record))

    def _is_plain(self, record: str) -> bool:
        """Return whether nothing in a record is quoted."""
        return not self.quote or self.quote not in record

    def goes_on(self, line: bytes, inside: bool = False) -> bool:
        """Return whether a quoted value continues after the lines, which begin ``inside`` one."""
        if not self.quote or self.quote.encode() not in line:
            return inside
        opened, closed = _quoting(self.delimiter.encode(), self.quote.encode(), bool(self.escape))
        at = 0
        while True:
            if not inside:
                start = opened.search(line, at)
                if start is None:
                    return False
                at = start.end()
            end = closed.match(line, at)
            if end is None:
                return True
            at, inside = end.end(), False

    def relation(self, parts: Sequence[Part]) -> str:
        """Return the files as SQL, every column as text."""
        columns = ", ".join(f"'{number}': 'VARCHAR'" for number in self.numbers)
        return (
            f"read_csv({paths_of(parts)}, auto_detect=false, {hive(self.partitions)}, "
            f"compression='none', delim={literal(self.delimiter)}, quote={literal(self.quote)}, "
            f"escape={literal(self.escape or self.quote)}, "
            f"header={'true' if self.has_header else 'false'}, skip={self.blank}, "
            f"columns={{{columns}}})"
        )


@cache
def _quoting(
    delimiter: bytes, quote: bytes, escaped: bool
) -> tuple[re.Pattern[bytes], re.Pattern[bytes]]:
    """Return what opens a quoted value, and its rest. Each looks at a byte once."""
    delimiter, quote = re.escape(delimiter), re.escape(quote)
    inner = rb"\\(?s:.)|[^" + quote + rb"\\]" if escaped else b"[^" + quote + b"]|" + quote * 2
    opened = re.compile(b"(?:^|" + delimiter + b")" + quote)
    return opened, re.compile(b"(?:" + inner + b")*+" + quote)


def hive(partitions: Sequence[str]) -> str:
    """How DuckDB reads values in the names of folders, as SQL: as text, or not at all."""
    if not partitions:
        return "hive_partitioning=false"
    return "hive_partitioning=true, hive_types_autocast=false"


def sniff(
    path: Path,
    label: str,
    roles: Sequence[str],
    mapped: Mapping[str, str],
    options: ReadOptions | None = None,
) -> Layout:
    """Return the layout of a text table, from its first lines.

    ``roles`` are in the order of a file without a header; columns that are mapped help to
    recognise a header.

    Raises:
        UsageError: The number of names differs from the number of columns.
        DataError: The file is empty, is no text, or has no columns.
    """
    sample, is_whole = _first_bytes(path)
    text = sample.decode("utf-8-sig", errors="replace")
    every = re.split("\r\n|\n|\r", text)
    lines = [line for line in every if line.strip()]
    if not is_whole:
        cut = lines.pop() if lines else ""
        if cut and not lines:
            raise DataError(
                f"{label}: the first line has more than {len(sample):,} bytes ({shorten(cut)}); "
                "expected lines of user, item, rating"
            )
    if not lines:
        raise DataError(f"{label}: is empty; expected lines of user, item, rating")
    if sample[257:262] == b"ustar":
        raise DataError(f"{label}: is a tar archive; unpack it first")
    if "\x00" in lines[0]:
        message = f"{label}: is no text table (csv, tsv, dat, json lines) nor parquet"
        if lines[0].count("\x00") * 3 > len(lines[0]):
            order = "be" if lines[0].startswith("\x00") else "le"
            message += f"; if it is text in UTF-16, state --encoding utf-16-{order}"
        raise DataError(message)
    options = options or ReadOptions()
    delimiters = _DELIMITERS if options.delimiter is None else (options.delimiter,)
    if re.match(r"(--|/\*|PRAGMA|CREATE|DROP|INSERT)( |$)", lines[0]):
        raise DataError(
            f"{label}: is SQL, such as a dump, not a table; load it into a database and give that "
            "as --database with --sql, or export the table as CSV"
        )
    if re.match(r"\s*<(!doctype|html|\?xml|table)", lines[0], re.IGNORECASE):
        raise DataError(
            f"{label}: is a web page or XML, not a table; a download that failed or needs a login "
            "leaves such a file: download it again"
        )
    best = max(
        (_fit(delimiter, lines[:_LOOKED_AT], roles, mapped, options) for delimiter in delimiters),
        key=lambda fit: fit[0],  # The first of equals.
    )
    layout = best[1]
    if layout.delimiter == " " and re.match(r" +\S|\S+ {2,}\S", lines[0]):
        raise DataError(
            f"{label}: blanks stand before the columns, or several between them; make them one: "
            "sed -E 's/^ +//; s/ +/ /g' FILE > NEW"
        )
    layout = replace(layout, blank=every.index(lines[0]))
    if options.columns is not None:
        if len(options.columns) != layout.width:
            raise UsageError(
                f"{label}: --columns gives {len(options.columns)} names, and the first line has "
                f"{layout.width} columns: {shorten(lines[0])}"
            )
        layout = replace(layout, names=options.columns, headed=layout.has_header)
    if layout.width < 2:
        raise DataError(
            f"{label}: the first line is {shorten(lines[0])}: no columns in it; separate them by "
            "comma, tab, semicolon, '|' or '::', or state what does with --delimiter"
        )
    names = tuple(name for name in layout.names or () if name)
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise DataError(f"{label}: two columns are called {twice!r}; rename one")
    return layout


def _first_bytes(path: Path) -> tuple[bytes, bool]:
    """Return the first lines of a file, which may be as long as a matrix is wide, or all of it."""
    with path.open("rb") as file:
        sample = more = file.read(_SAMPLE)
        while more and sample.count(b"\n") < 2 and len(sample) < _LONGEST:
            sample += (more := file.read(_SAMPLE))
        return sample, not file.read(1)


def _fit(
    delimiter: str,
    lines: Sequence[str],
    roles: Sequence[str],
    mapped: Mapping[str, str],
    options: ReadOptions,
) -> tuple[tuple[int, int, int, bool], Layout]:
    """How well a delimiter suits the first lines, and the layout it makes."""
    quote = "" if delimiter == "::" else QUOTE if options.quote is None else options.quote
    rows = [Layout(delimiter, quote, None, 0).split(line) for line in lines]
    first = tuple(value.strip() for value in rows[0])
    ratings = RATING in roles
    if ratings and has_row_names(first, rows[1:], roles):
        first = ("", *first)
    width = len(first)
    # A column's number from 1 is no name: the first rating may be by user 1, or a 4.
    named = {role: name for role, name in mapped.items() if not _is_position(name, width)}
    known = recognised(first, roles, named)
    # A name is never a number, and a row of ratings has at least one.
    header = known > 0 or (
        bool(ratings or named) and not any(is_number(value, options.decimal) for value in first)
    )
    header = header or (
        is_row_of_items(first, rows[1:])
        if ratings
        else stands_above_numbers(first, rows[1:], options.decimal)
    )
    if options.header is not None:
        header = options.header
    if not header and not ratings and delimiter == "|":
        quote = ""  # The titles of u.item contain literal quotes.
    alike = [row for row in rows if len(row) == width > 1]
    # A first line that only might be a header is weak evidence.
    numeric = (
        [row for row in alike if any(is_number(value, options.decimal) for value in row)]
        if ratings and header and not known and options.header is None
        else alike
    )
    if ratings and not header:
        # Other layouts than user, item, rating have a text in the third column.
        number = mapped.get(RATING, "3")
        at = int(number) - 1 if number.isdigit() else 2
        numeric = [row for row in alike if at < width > 2 and is_number(row[at], options.decimal)]
    fit = (known, len(numeric), len(alike), width > 1)
    if ratings and not header and not numeric:
        fit = (known, 0, len(alike) if width > 2 else 0, width > 1)
    return fit, Layout(delimiter, quote, first if header else None, width)


def _is_position(name: str, width: int) -> bool:
    """Return whether a column that the caller named may be the number of one, from 1."""
    return name.isascii() and name.isdigit() and 1 <= int(name) <= width


def is_number(text: str, decimal: str = ".") -> bool:
    """Return whether a text is a number, with this decimal mark."""
    return to_number(text, decimal) is not None


def shorten(text: str, limit: int = 60) -> str:
    """Quote a user's text for a message."""
    return repr(text if len(text) <= limit else text[: limit - 1] + "…")


def same_layout(layouts: Sequence[Layout], parts: Sequence[Part]) -> Layout:
    """Return the one layout of several files.

    Raises:
        DataError: Two of them differ.
    """
    for layout, part in zip(layouts, parts, strict=True):
        if layout != layouts[0]:
            raise DataError(
                f"{parts[0].label} and {part.label} differ: {_words(layouts[0])} against "
                f"{_words(layout)}; read them one at a time"
            )
    return layouts[0]


def _words(layout: Layout) -> str:
    between = _NAMES.get(layout.delimiter, repr(layout.delimiter))
    names = listed(layout.names) if layout.names else f"{layout.width} without a header"
    return f"columns {names} (separated by {between})"


def records(path: Path, layout: Layout) -> Iterator[tuple[int, bytes]]:
    """Yield the non-blank records of a text file with the number of their first line."""
    with path.open("rb") as file:
        held, start, size, inside = list[bytes](), 0, 0, False
        for number, line in enumerate(file, start=1):
            if not held:
                start = number
            held.append(line)
            size += len(line)
            inside = layout.goes_on(line, inside)
            if inside and size < _LONGEST:
                continue  # A quoted value continues on the next line.
            record = b"".join(held).rstrip(b"\r\n")
            if record:
                yield start, record
            held, size, inside = [], 0, False
        record = b"".join(held)
        if record.strip(b"\r\n"):
            yield start, record


def line_of(parts: Sequence[Part], layout: Layout, row: int) -> str:
    """Return the file and the line number of a row, counted from 0, as messages name them."""
    at = -1
    for part in parts:
        for number, (line, _) in enumerate(records(part.path, layout)):
            if not layout.has_header or number > 0:
                at += 1
                if at == row:
                    return f"{part.label}, line {line}"
    return f"{parts[-1].label}, line 0"


def first_fault(parts: Sequence[Part], layout: Layout) -> DataError | None:
    """Return the first line that is not a row of the table, or None."""
    for part in parts:
        for line, record in records(part.path, layout):
            fault = _fault(record, layout)
            if fault and layout.names and layout.names[0].startswith("#"):
                fault += "; --comment '#' leaves out lines that start with #, such as the first"
            elif fault and line < _LOOKED_AT // 4 and "column" in fault:
                fault += "; lines above the names are left out with --skip N"
            if fault:
                return DataError(f"{part.label}, line {line}: {fault}")
        with part.path.open("rb") as file:
            if len({line.endswith(b"\r\n") for line in file if line.endswith(b"\n")}) > 1:
                return DataError(
                    f"{part.label}: mixes Windows and Unix line ends; make them one: "
                    "tr -d '\\r' < FILE > NEW"
                )
    return None


def _fault(record: bytes, layout: Layout) -> str:
    try:
        text = record.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        return (
            f"not UTF-8 (byte 0x{record[error.start]:02x} in "
            f"{shorten(record.decode('latin-1'))}); if the file is Latin-1, state --encoding "
            "latin-1 (cp1252 and utf-16 are others)"
        )
    if layout.goes_on(record):
        return f"a quote is opened and never closed: {shorten(text)}"
    width = layout.width_of(text)
    if width != layout.width:
        return (
            f"{width} column{'s' * (width != 1)} where the first line has {layout.width}: "
            f"{shorten(text)}; mend or remove the line"
        )
    return ""
