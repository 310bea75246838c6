r"""When two ids are the same: the one rule, for arrays, single values and SQL.

An id is compared by its canonical text:

- Bytes are UTF-8 text; others are written as ``\xFF``, as DuckDB writes them.
- Blanks around it do not count, and text is composed (Unicode NFC).
- A whole number has one form, however a table stores it: ``1``, ``1.0``, ``"1"``, ``" 1 "`` and
  ``"1.00"`` are the id 1. This applies to numbers in plain notation, in ASCII digits with no
  leading zero: ``"01"``, ``"+1"``, ``"1_2"``, ``"1e3"`` and ``"٧"`` are texts, and other ids.
- A boolean is the text ``True`` or ``False``, as Python and pandas write it.
- Nothing else is changed: letter case counts, and ``1.5`` is the text ``"1.5"``.

What a spreadsheet or a database writes for a missing value (``MISSING``, and the empty text)
is not an id: such rows are left out when a table is read, and counted in a note.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Any

import numpy as np

from ...base.arrays import Array, Int64, Mask, Texts

MISSING = (
    *("", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN"),
    *("<NA>", "N/A", "NA", "NULL", "NaN", "None", "n/a", "nan", "null", "NaT", r"\N"),
)
"""Texts that are missing ids: those that pandas reads as missing, and ``NaT`` and ``\\N``."""

_BLANKS = " \t\n\v\f\r\x85\xa0\u2007\u2009\u200b\u2028\u2029\u202f\u3000\ufeff"
_NUMBER = re.compile(r"(-?(?:0|[1-9][0-9]*))(?:\.0+)?")
_LOOKED_AT = 100_000
_FEW = 0.02
"""Share of ids up to which texts among numbers are noted."""
_ODD = {
    re.compile(r"^[0-9](?:[.,][0-9]+)?[eE]\+[0-9]+$"): (
        "are numbers that a spreadsheet has rounded, so that different ids may have become one, or "
        "that numpy.savetxt has written; export the column as text, or with fmt='%d'"
    ),
    re.compile(r"^(?:'.+'|“.+”|‘.+’|`.+`)$"): (
        "stand in quote marks, which are part of the id; in a text file --quote states the mark "
        "that encloses values"
    ),
    re.compile(r'^=".*"$'): (
        "are formulas by which a spreadsheet keeps text; export the column as plain text"
    ),
    re.compile(r"^[1-9][0-9]{0,2}(?:[,'’ \u00a0\u202f][0-9]{3})+$"): (
        "are numbers with separators of thousands, and other ids than the plain numbers; export "
        "the column without them"
    ),
    re.compile(
        r"^(?:\[[^\[\]]*,[^\[\]]*\]|\([^()]*,[^()]*\)|\{[^{}]*,[^{}]*\})$"
        r"|^(?![0-9]{1,3}(?:,[0-9]{3})+$)[0-9]+(?:(?:[|;][0-9]+)+|(?:,[0-9]+){2,})$"
    ): (
        "seem to be lists of several; a table has one row for each, as DataFrame.explode() and "
        "unnest() in --sql make them"
    ),
    re.compile(r"[\x00-\x08\x0e-\x1f\x7f]"): "hold control characters: the file may be damaged",
}
"""Patterns of ids that a program has changed, and the note for each."""
_INT64 = range(-(2**63), 2**63)
# Integers up to here are exact in float64; DuckDB and Python write larger ones differently.
_EXACT = 9e15


def canonical(value: Any) -> str | None:
    """Return the text by which an id is compared; None if missing.

    Args:
        value: Text, bytes, a number, or any object that is known by its text.
    """
    if type(value) is str:
        return _canonical_text(value)
    if value is None or type(value).__name__ in ("NAType", "NaTType"):
        return None
    if isinstance(value, str):
        return _canonical_text(str.__str__(value))  # Not the name of a member of an enumeration.
    if isinstance(value, np.timedelta64):  # which is an integer to NumPy
        return str(value)
    if isinstance(value, (bool, np.bool_)):
        return str(bool(value))
    if isinstance(value, (int, np.integer)):
        return str(int(value))
    if isinstance(value, (float, np.floating)):
        real = float(value)
        if real != real:
            return None
        if abs(real) < _EXACT and real.is_integer():
            return str(int(real))
        return _canonical_text(repr(real) if isinstance(value, float) else str(value))
    if isinstance(value, (bytes, bytearray, memoryview)):
        return _canonical_text(decoded(bytes(value)))
    if isinstance(value, Decimal):
        return _decimal(value)
    if getattr(value, "ndim", None) == 0 and hasattr(value, "item"):
        return canonical(value.item())  # A tensor.
    return _canonical_text(str(value))


def mixed_texts(values: Iterable[Any]) -> Texts:
    """Return the values of a mixed column as text: texts as they are, others as ids are written."""
    texts = [value if type(value) is str else canonical(value) for value in values]
    return np.array(texts, dtype=object)


def canonical_array(values: Iterable[Any]) -> Texts:
    """``canonical`` of each value: object array of ``str`` or None, shape (n,)."""
    return np.array([canonical(value) for value in values], dtype=object)


def whole_number(text: str | None) -> int | None:
    """Return the number of a canonical text that is how a 64-bit integer is written, else None."""
    if text is None or len(text) > 20 or not text.isascii():
        return None
    if not text.removeprefix("-").isdigit():
        return None
    number = int(text)
    return number if number in _INT64 and str(number) == text else None


def whole_numbers(values: Array) -> tuple[Int64, Mask]:
    """Ids as 64-bit integers, and which of them are such: int64 and bool, shape (n,).

    Ids that are not whole numbers have the number 0.
    """
    if values.dtype.kind == "i":
        return values.astype(np.int64, copy=False), np.ones(len(values), dtype=bool)
    if values.dtype.kind == "u":
        fits = values <= np.uint64(2**63 - 1)
        return np.where(fits, values, 0).astype(np.int64), fits
    if values.dtype.kind == "f":
        with np.errstate(invalid="ignore"):
            whole = (np.abs(values) < _EXACT) & (values == np.floor(values))
        if not len(values) or bool(whole.all()) or bool((np.abs(values[~whole]) < _EXACT).all()):
            return np.where(whole, values, 0).astype(np.int64), whole
    numbers = np.zeros(len(values), dtype=np.int64)
    known = np.zeros(len(values), dtype=bool)
    for at, value in enumerate(values.tolist() if values.dtype.kind in "US" else values):
        number = whole_number(canonical(value))
        if number is not None:
            numbers[at], known[at] = number, True
    return numbers, known


def decoded(data: bytes) -> str:
    """Decode bytes as UTF-8, or write them as DuckDB does if that fails."""
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return "".join(
            chr(byte) if 32 <= byte < 127 and byte not in b"\"'\\" else f"\\x{byte:02X}"
            for byte in data
        )


def canonical_sql(sql: str) -> str:
    """``canonical`` of a VARCHAR as SQL. Apply it to distinct ids, not to every row."""
    # nfc_normalize drops what follows a zero character.
    composed = f"CASE WHEN contains({sql}, chr(0)) THEN {sql} ELSE nfc_normalize({sql}) END"
    text = f"trim({composed}, {literal(_BLANKS)})"
    number = f"regexp_extract({text}, '{_NUMBER.pattern}', 1)"
    plain = f"regexp_full_match({text}, '{_NUMBER.pattern}')"
    return f"CASE WHEN NOT {plain} THEN {text} WHEN {number} = '-0' THEN '0' ELSE {number} END"


def missing_sql(sql: str) -> str:
    """Return SQL for whether a VARCHAR is not an id."""
    listed = ", ".join(map(literal, MISSING))
    return f"trim({sql}, {literal(_BLANKS)}) IN ({listed})"


def suspicious_ids(ids: Texts) -> Iterator[str]:
    """Notes on texts that look as if a program had changed the ids on the way.

    Args:
        ids: Distinct canonical texts; only the first 100,000 are examined.
    """
    looked_at = [str(text) for text in ids[:_LOOKED_AT]]
    for pattern, message in _ODD.items():
        odd = [text for text in looked_at if pattern.search(text)]
        if odd:
            yield f"ids such as {odd[0]!r} ({len(odd):,} of them) {message}"
    texts = [text for text in looked_at if whole_number(text) is None]
    if 0 < len(texts) <= len(looked_at) * _FEW:
        yield (
            f"ids such as {texts[0]!r} ({len(texts):,} of {len(looked_at):,}) are no numbers, "
            "unlike the others; if they are no ids, as in a line of totals, remove their rows"
        )


def _canonical_text(text: str) -> str:
    # Most ids are digits or a short ASCII code; the rest is seldom needed.
    if text.isascii():
        if text.isalnum() and not text.isdigit():
            return text
    else:
        text = unicodedata.normalize("NFC", text)
    text = text.strip(_BLANKS)
    match = _NUMBER.fullmatch(text)
    if match is None:
        return text
    return "0" if match[1] == "-0" else match[1]


def _decimal(value: Decimal) -> str | None:
    if value.is_nan():
        return None
    text = format(value, "f")
    return _canonical_text(text.rstrip("0").rstrip(".") if "." in text else text)


def literal(text: str) -> str:
    """Return a text as SQL."""
    return "'" + text.replace("'", "''") + "'"
