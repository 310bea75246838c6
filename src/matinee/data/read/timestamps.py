"""The column of times of a table, as SQL."""

from __future__ import annotations

from .source import SAMPLE, Scan, Workspace, literal, run
from .text import shorten

REALS = ("FLOAT", "DOUBLE", "DECIMAL")
"""What the names of DuckDB's types of reals start with."""
_CLOCKS = ("TIMESTAMP", "DATE")
_CLOCKS_OF_DAY = (" %H:%M", " %H:%M:%S", " %I:%M %p", " %I:%M:%S %p")
_CLOCK_FORMATS = ("", *_CLOCKS_OF_DAY, *("," + clock for clock in _CLOCKS_OF_DAY))


def _formats(*dates: str) -> str:
    return (
        "[" + ", ".join(literal(date + clock) for date in dates for clock in _CLOCK_FORMATS) + "]"
    )


# Two-digit years come first: %Y would read 20 as the year 20.
_MONTH_FIRST = _formats(
    *("%m/%d/%y", "%m-%d-%y", "%m/%d/%Y", "%m-%d-%Y", "%m %d, %Y", "%B %d, %Y", "%b %d, %Y")
)
_DAY_FIRST = _formats(
    *(
        "%d/%m/%y",
        "%d-%m-%y",
        "%d.%m.%y",
        "%d/%m/%Y",
        "%d-%m-%Y",
        "%d.%m.%Y",
        "%d %B %Y",
        "%d %b %Y",
        "%d-%b-%y",
        "%d-%b-%Y",
    )
)
_UNAMBIGUOUS = (
    "['%Y-%m', '%a %b %d %H:%M:%S %Y', '%a, %d %b %Y %H:%M:%S GMT', '%Y-%m-%d %H:%M:%S,%g', "
    "'%Y%m%dT%H%M%S', '%Y%m%dT%H%M%SZ', '%a %b %d %H:%M:%S UTC %Y', '%a %b %d %H:%M:%S GMT %Y', "
    "'%d%b%Y', '%d%b%Y:%H:%M:%S', '%A, %B %d, %Y', '%A, %d %B %Y', '%Y-%m-%d %I:%M %p', "
    "'%Y-%m-%d %I:%M:%S %p', '%Y/%m/%d %I:%M %p', '%Y/%m/%d %I:%M:%S %p', '%Y.%m.%d', "
    "'%Y.%m.%d %H:%M', '%Y.%m.%d %H:%M:%S', '%Y%m%d %H:%M:%S', '%b %d %Y', '%b %d %Y %I:%M%p', "
    "'%d-%b-%y %I.%M.%S.%f %p']"
)
# Apart from the others: DuckDB 2.0 takes the offset of one row for later ones without.
_WITH_OFFSET = (
    "['%a %b %d %H:%M:%S %z %Y', '%a, %d %b %Y %H:%M:%S %z', '%Y-%m-%d %H:%M:%S %z', "
    "'%Y-%m-%d %H:%M:%S.%f %z', '%Y-%m-%dT%H:%M:%S.%f%z', "
    "'%Y-%m-%dT%H:%M:%S%z', '%Y%m%dT%H%M%S%z', '%d/%b/%Y:%H:%M:%S %z']"
)
_FIRST_ISO = "TIMESTAMPTZ '1000-01-01'"
"""Earlier times are dates such as 01/02/21, which DuckDB takes for days of the year 1."""


def is_text(kind: str) -> bool:
    """Return whether a DuckDB type is text."""
    return kind == "VARCHAR" or kind.startswith("ENUM")


def number_sql(sql: str) -> str:
    """Return a text as a whole number, or NULL, as SQL."""
    return f"TRY_CAST(floor(TRY_CAST({sql} AS DOUBLE)) AS BIGINT)"


def time_column(scan: Scan, name: str, clock: str | None) -> tuple[str, str]:
    """Return SQL and type of a time column, or of a date column with a time-of-day column."""
    sql, kind = scan.columns[name]
    if clock is None:
        return sql, kind
    date = f"regexp_replace(CAST({sql} AS VARCHAR), '[ T]00:00(:00(\\.0+)?)?$', '')"
    later = f"coalesce(' ' || nullif(trim(CAST({scan.columns[clock][0]} AS VARCHAR)), ''), '')"
    whole = f"contains({date}, ':') OR TRY_CAST({date} AS DOUBLE) IS NOT NULL"
    return f"CASE WHEN {whole} THEN {date} ELSE {date} || {later} END", "VARCHAR"


def time_sql(
    work: Workspace, scan: Scan, name: str | None, clock: str | None, mapped: int, numbers: int
) -> tuple[str, bool, tuple[str, ...]]:
    """Return the time of a row as SQL, whether it is certainly in seconds, and notes.

    Args:
        work: Where the table is read.
        scan: The table.
        name: The column of times, if any.
        clock: The column of times of day, if ``name`` has only dates.
        mapped: Times among the first rows.
        numbers: How many of them are numbers.
    """
    if name is None:
        return "NULL::BIGINT", False, ()
    sql, kind = time_column(scan, name, clock)
    if kind.startswith(_CLOCKS):
        if kind == "TIMESTAMPTZ_NS":  # It has no epoch.
            sql = f"CAST({sql} AS TIMESTAMPTZ)"
        return f"TRY_CAST(floor(epoch({sql})) AS BIGINT)", True, ()
    if is_text(kind):
        number = number_sql(sql)
        iso = f"TRY_CAST({sql} AS TIMESTAMPTZ)"
        if mapped == numbers:  # Trying formats of dates costs more than reading the rows.
            # DuckDB evaluates a repeated expression twice for every row, but a branch of
            # coalesce only if needed: the list avoids repeating iso.
            late = f"list_filter([{iso}], lambda one: one >= {_FIRST_ISO})[1]"
            return f"coalesce({number}, TRY_CAST(floor(epoch({late})) AS BIGINT))", False, ()
        iso = f"CASE WHEN {iso} >= {_FIRST_ISO} THEN {iso} END"
        other = ", ".join(
            f"epoch(try_strptime({sql}, {formats}))" for formats in (_WITH_OFFSET, _UNAMBIGUOUS)
        )
        month, day = (f"try_strptime({sql}, {formats})" for formats in (_MONTH_FIRST, _DAY_FIRST))
        sample = f"FROM (SELECT * FROM {scan.relation} LIMIT {SAMPLE})"
        row = run(work, scan, f"SELECT count({month}), count({day}) {sample}").fetchone()
        by_month, by_day = row or (0, 0)
        if by_month or by_day:
            other = f"epoch({day if by_day > by_month else month})"
        # DuckDB's strptime reads "infinity", as PostgreSQL writes it, as the year 1900.
        other = f"CASE WHEN NOT contains({sql}, 'infinity') THEN coalesce({other}) END"
        notes: tuple[str, ...] = ()
        if by_day == by_month > 0:
            first = _first_text(work, scan, sql, f"{month} <> {day}")
            if first is not None:
                notes = (
                    f"times such as {shorten(first)} are read with the month first, which the "
                    "column does not settle; where the day comes first, write them as 2020-01-31",
                )
        return (
            (
                f"coalesce({number}, TRY_CAST(floor(epoch({iso})) AS BIGINT), "
                f"TRY_CAST(floor({other}) AS BIGINT))"
            ),
            numbers == 0,
            notes,
        )
    if kind.startswith(REALS):
        return f"TRY_CAST(floor({sql}) AS BIGINT)", False, ()
    return f"TRY_CAST({sql} AS BIGINT)", False, ()


def _first_text(work: Workspace, scan: Scan, sql: str, condition: str) -> str | None:
    """Return the first value of a text column that meets a condition, among the first rows."""
    sample = f"(SELECT * FROM {scan.relation} LIMIT {SAMPLE})"
    row = run(work, scan, f"SELECT {sql} FROM {sample} WHERE {condition} LIMIT 1").fetchone()
    return None if row is None else str(row[0])
