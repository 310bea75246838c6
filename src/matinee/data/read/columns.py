"""Which column of a table is the user, the item, the rating and the time.

Columns are recognised by their usual names, or mapped by the caller. A file with no header is read
by position.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Mapping, Sequence
from functools import lru_cache

from ...errors import DataError, UsageError, nearest
from .source import SAMPLE, Scan, Workspace, is_nested, run

USER, ITEM, RATING, TIME, WEIGHT = "user", "item", "rating", "time", "weight"
CLOCK = "clock"
"""The time of day, if the column of the time has only dates."""
TITLE, GENRES, PERSON = "title", "genres", "person"


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


# Compared without case, spaces, hyphens and underscores. If a table has two, the earlier name wins.
USUAL: dict[str, tuple[str, ...]] = {
    USER: _words(
        "userid user uid customerid customer custid memberid member visitorid visitor accountid "
        "account personid person reviewerid reviewer profileid profile viewerid viewer clientid "
        "client username reader readerid listener listenerid player playerid sessionid session"
    ),
    ITEM: _words(
        "itemid item iid movieid movie filmid film productid product asin parentasin isbn bookid "
        "book songid song trackid track artistid artist showid show businessid articleid "
        "sku skuid gameid game appid app animeid anime albumid album recipeid recipe videoid video"
    ),
    RATING: _words(
        "rating ratings myrating yourrating score scores stars star overall userrating bookrating "
        "movierating starrating overallrating reviewscore reviewrating myscore userscore "
        "ratingscore ratingval ratingvalue value"
    ),
    TIME: _words(
        "timestamp time datetime date ts unixtime unixreviewtime ratedat createdat reviewtime "
        "epoch clickedat viewedat purchasedat orderedat playedat watchedat eventtime"
    ),
    WEIGHT: _words(
        "weight weights count counts plays playcount listens listencount clicks views quantity "
        "clicked isclick isclicked liked isliked islike purchased ispurchase bought converted "
        "isconverted watched played viewed isread recommended isrecommended"
    ),
    TITLE: _words(
        "title name itemname itemtitle movietitle producttitle filmtitle booktitle originaltitle "
        "songtitle tracktitle artistname moviename bookname filmname gametitle gamename animename "
        "albumtitle albumname recipename"
    ),
    GENRES: _words("genres genre categories category"),
}
USUAL[PERSON] = (*USUAL[USER], "id")
RATING_ROLES = (USER, ITEM, RATING, TIME, WEIGHT)
ITEM_ROLES = (ITEM, TITLE, GENRES)
PEOPLE_ROLES = (PERSON,)
OPTIONAL = (TIME, GENRES, WEIGHT)
_BY_NAME = (WEIGHT,)
"""Roles that no column of a file without a header has by its position."""
_MATRIX = 4
"""Minimum number of columns of a user-by-item matrix."""
_CLOCK = r"\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?( ?[AaPp][Mm])?"
_TYPED = re.compile(r":(token|float)(_seq)?$")
"""What RecBole's files add to a column's name."""
_AGGREGATE = re.compile(r'(?i)^(?:avg|mean|max|min|sum|first|last|any_value)\("?([\w.]+)"?\)$')
"""How databases and Spark call the aggregate of a column."""


def option_of(role: str, roles: Sequence[str]) -> str:
    """Return the option that states the column of a role."""
    if role == PERSON:
        return "--person-id"
    return "--item-id" if role == ITEM and TITLE in roles else f"--{role}"


@lru_cache(maxsize=1 << 16)  # a matrix has a name for each item
def plain(name: str) -> str:
    """Normalise a column name: "User ID", "user_id:token" and "userId" are equal.

    Text in brackets, as in "Rating (1-10)", an aggregate around a name, as in "avg(rating)", a
    leading comment mark and invisible characters, such as a byte order mark, are ignored.
    """
    composed = unicodedata.normalize("NFC", _TYPED.sub("", name))
    inner = _AGGREGATE.sub(r"\1", composed)
    bare = re.sub(r"(?<=\w)\s*(\(.*\)|\[.*\])\s*$", "", inner)
    return re.sub(r"^[\ufeff\u200b]*#+|[\s_\-./\ufeff\u200b]+", "", bare).lower()


def recognised(names: Sequence[str], roles: Sequence[str], mapped: Mapping[str, str]) -> int:
    """Return how many of the roles these column names fill, mapped or by their usual names."""
    present = {plain(name) for name in names}
    return sum(
        plain(mapped[role]) in present if role in mapped else not present.isdisjoint(USUAL[role])
        for role in roles
    )


def assign(
    names: Sequence[str],
    roles: Sequence[str],
    mapped: Mapping[str, str],
    *,
    header: bool,
    label: str,
) -> dict[str, str]:
    """Return the column of each role.

    Roles are in the order of a file without a header, whose columns are named by their numbers
    from 1.

    Returns:
        Column by role; an optional role that no column fills is left out. A table of interactions
        has no rating; if there is one, a weight is that of ratings, if mapped.

    Raises:
        DataError: No column is recognised for a role.
        UsageError: A mapped column is not there, or is mapped twice.
    """
    columns: dict[str, str] = {}
    for role in roles:
        if role in mapped:
            columns[role] = _mapped(mapped[role], option_of(role, roles), names, header, label)
    taken = set(columns.values())
    for role in roles:
        if role not in columns:
            if header:
                name = _usual(role, names, taken)
            else:
                # Interactions that have a weight have no rating.
                by_name = role in _BY_NAME or (role == RATING and WEIGHT in mapped)
                name = None if by_name else _at(roles.index(role), names, taken)
            if name is not None:
                columns[role] = name
                taken.add(name)
            elif role not in OPTIONAL and not (
                role == RATING and (header or len(names) == 2 or {WEIGHT, TIME} & set(mapped))
            ):
                raise DataError(_missing(role, option_of(role, roles), names, header, label))
    if RATING in columns and WEIGHT not in mapped:
        columns.pop(WEIGHT, None)  # a column of counts weights ratings only if that is stated
    for name in columns.values():
        _refuse_twin(name, names, mapped.values(), label)
    for role, name in columns.items():
        twice = [other for other, column in columns.items() if column == name and other != role]
        if twice:
            raise UsageError(
                f"{label}: column {name!r} cannot be both the {role} and the {twice[0]}"
            )
    return columns


def other_choices(
    names: Sequence[str], columns: Mapping[str, str], mapped: Mapping[str, str], label: str
) -> tuple[str, ...]:
    """Notes on columns that could fill a role as well as the one that was recognised for it.

    Raises:
        DataError: Two columns have one usual name in two spellings, such as ``userId`` and
            ``user_id``, for a role that the table must have.
    """
    notes = []
    if CLOCK in columns:
        notes.append(f"the time is read from columns {columns[TIME]!r} and {columns[CLOCK]!r}")
    for role, chosen in columns.items():
        if role in mapped or role == CLOCK:
            continue
        free = [name for name in names if name == chosen or name not in columns.values()]
        others = [name for name in free if name != chosen and plain(name) in USUAL[role]]
        same = [name for name in others if plain(name) == plain(chosen)]
        if same and role not in OPTIONAL:
            raise DataError(
                f"{label}: columns {chosen!r} and {same[0]!r} could both be the {role}; say which "
                f"it is with --{role} COL"
            )
        if others:
            notes.append(
                f"the {role} is read from column {chosen!r}, although {listed(others, 3)} could be "
                f"it too; --{role} COL states another"
            )
        elif role == USER and "." in chosen and plain(chosen).endswith("name"):
            notes.append(
                f"people are distinguished by the names in {chosen!r}; --{role} COL states a "
                "column of ids"
            )
    return tuple(notes)


def columns_of(
    work: Workspace, scan: Scan, mapped: Mapping[str, str]
) -> tuple[dict[str, str], tuple[str, ...]]:
    """Find the column of each role of ratings, among columns of single values.

    Returns:
        The columns by role, and notes on others that could fill a role.

    Raises:
        DataError: No column is recognised for a role, or two that have the same usual name.
        UsageError: A mapped column is not there, is mapped twice, or holds objects or lists.
    """
    nested = [name for name, (_, kind) in scan.columns.items() if is_nested(kind)]
    names = [name for name in scan.columns if name not in nested]
    for role, name in mapped.items():
        if name in nested:
            fields = [other for other in names if other.startswith(f"{name}.")]
            among = (
                f"name one of its fields ({listed(fields)})" if fields else "name another column"
            )
            raise UsageError(
                f"{scan.label}: --{role} {name!r}: the column holds objects or lists; {among}"
            )
    try:
        columns = assign(names, RATING_ROLES, mapped, header=scan.header, label=scan.label)
    except DataError as error:
        raise DataError(f"{error}{_layout_hint(scan, names, nested)}") from None
    except UsageError as error:
        if not (scan.header and scan.lines and any(map(str.isdecimal, mapped.values()))):
            raise
        raise UsageError(f"{error}; --no-header if the first line is a row") from None
    if scan.header and TIME in columns and TIME not in mapped:
        date = _usual(TIME, names, set(columns.values()))
        if date is not None and _is_clock(work, scan, columns[TIME]):
            columns |= {TIME: date, CLOCK: columns[TIME]}
    if RATING not in columns:
        for name in nested:
            if plain(name) in USUAL[RATING]:
                raise DataError(
                    f"{scan.label}: column {name!r} holds objects or lists, no ratings; name the "
                    "column of the ratings with --rating COL"
                )
    if scan.header:
        return columns, other_choices(names, columns, mapped, scan.label)
    if not mapped or RATING in mapped or RATING not in columns or len(names) == len(columns):
        return columns, ()
    return columns, (
        f"the rating is read from column {columns[RATING]}, by its position; --rating COL states "
        "another, and --columns names all, if none holds ratings",
    )


def refuse_renamed(work: Workspace, scan: Scan, columns: Mapping[str, str], role: str) -> None:
    """Refuse rows without an id that have it in a column of another usual name.

    Files of different times, or lines of JSON, may name the column differently.

    Raises:
        DataError: No row has both columns.
    """
    chosen = scan.columns[columns[role]][0]
    for name, (sql, _) in scan.columns.items():
        if name in columns.values() or plain(name) not in USUAL[role]:
            continue
        query = f"SELECT count({sql}), count(CASE WHEN {chosen} IS NOT NULL THEN {sql} END)"
        filled, both = run(work, scan, f"{query} FROM {scan.relation}").fetchall()[0]
        if filled and not both:
            raise DataError(
                f"{scan.label}: some rows have the {role} in column {columns[role]!r}, and others "
                f"in {name!r}; rename one, or read them one at a time"
            )


def _is_clock(work: Workspace, scan: Scan, name: str) -> bool:
    """Return whether all values of a column, among the first rows, are times of day."""
    text = f"nullif(trim(CAST({scan.columns[name][0]} AS VARCHAR)), '')"
    query = f"SELECT bool_and(regexp_full_match({text}, '{_CLOCK}'))"
    row = run(work, scan, f"{query} FROM (SELECT * FROM {scan.relation} LIMIT {SAMPLE})").fetchone()
    return bool(row and row[0])


def _layout_hint(scan: Scan, names: Sequence[str], nested: Sequence[str]) -> str:
    """Suggest what else may be wrong if no column is recognised for a role."""
    if nested:
        return (
            f" ({listed(nested)}: objects or lists, no ids; a table has one row, or one line of "
            "JSON, for each rating: unnest() in --sql or DataFrame.explode() makes rows of lists)"
        )
    if not scan.header:
        return ""
    if recognised(names, RATING_ROLES, {}) > 1:
        return ""
    hints = []
    if scan.lines is not None:
        hints = ["lines above the names are left out with --skip N", "--no-header if it has none"]
    if hints and names and names[0].startswith(("#", "%")):
        hints.append(f"--comment '{names[0][0]}' leaves out lines that start with {names[0][0]}")
    if len(names) >= _MATRIX and plain(names[0]) in ("", *USUAL[USER], *USUAL[ITEM], *USUAL[TITLE]):
        hints.append(
            "a matrix needs a row for each user, four items or more, and cells that are numbers "
            "(with commas: --decimal ,) or blank"
            if scan.lines is not None
            else "of a table with a column for each item, pass one with a row for each rating"
        )
    return f" ({'; '.join(hints)})" if hints else ""


def _refuse_twin(name: str, names: Sequence[str], stated: Collection[str], label: str) -> None:
    """Refuse columns whose names differ only in case, unless stated.

    In DuckDB's SQL such names are equal, and it appends ``_1`` to the second.

    Raises:
        DataError: Naming both.
    """
    for other in names:
        bare = re.sub(r"_\d+$", "", other)
        same = bare.lower() == name.lower() and bare != name
        if same and (other == bare or bare != bare.lower() or name != name.lower()):
            if name in stated and other == bare:
                continue
            raise DataError(
                f"{label}: columns {name!r} and {bare!r} differ only in case; rename one, or "
                "leave one out"
            )


def _usual(role: str, names: Sequence[str], taken: set[str]) -> str | None:
    # Of "Timestamp" and "Timestamp (UTC)" the second: times without a zone are read as UTC.
    free: dict[str, str] = {}
    for name in sorted(names, key=lambda name: "utc" not in name.lower()):
        if name not in taken:
            free.setdefault(plain(name), name)
    return next((free[usual] for usual in USUAL[role] if usual in free), None)


def _at(position: int, names: Sequence[str], taken: set[str]) -> str | None:
    if position < len(names) and names[position] not in taken:
        return names[position]
    return None


def _mapped(name: str, option: str, names: Sequence[str], header: bool, label: str) -> str:
    if name in names:
        return name
    same = [other for other in names if plain(other) == plain(name)]
    if len(same) == 1:
        return same[0]
    if not header:
        raise UsageError(
            f"{label}: {option} {name!r}: the file has no header, so its {len(names)} columns go "
            f"by number, 1 to {len(names)}"
        )
    raise UsageError(
        f"{label}: {option} {name!r}: no such column{nearest(name, names)}; found: {listed(names)}"
    )


def _missing(role: str, option: str, names: Sequence[str], header: bool, label: str) -> str:
    if not header:
        return (
            f"{label}: no {role} column: the file has no header and {len(names)} "
            f"column{'s' * (len(names) != 1)}; expected user, item, rating and perhaps time, or "
            f"name each by its number, as with {option} COL"
        )
    return f"{label}: no {role} column among: {listed(names)}; say which it is with {option} COL"


def listed(names: Sequence[str], limit: int = 12) -> str:
    """List at most ``limit`` column names for a message."""
    shown = ", ".join(names[:limit])
    return shown if len(names) <= limit else f"{shown} and {len(names) - limit} more"
