"""Texts that are numbers, and what to do about those that nearly are."""

from __future__ import annotations

import re


def to_number(text: str, decimal: str = ".") -> float | None:
    """Return the number that a text is, with this decimal mark, or None.

    As for ids, a number has ASCII digits and no ``_`` between them, which Python and DuckDB allow.
    """
    try:
        return None if "_" in text else float(text.replace(decimal, ".").encode("ascii"))
    except ValueError:
        return None


def number_hint(text: str) -> str:
    """Return what to do about a number with a decimal comma, separators of thousands, or quotes."""
    text = text.strip()
    if re.fullmatch(r"[1-9]\d{0,2}([,_]\d{3})+(\.\d+)?", text):
        return "; write numbers without separators of thousands"
    if to_number(text.replace(",", ".", 1)) is not None:
        return "; write decimals with a point, or state --decimal ,"
    mark = text[0]
    if mark in "'`" and text.endswith(mark) and len(text) > 1:
        return f"; --quote {mark!r} states the mark that encloses values"
    return ""
