"""Lists of ratings without a header whose columns are not user, item, rating and time."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from ..columns import ITEM, RATING, TIME, USER
from ..text import Layout
from ..unpack import Part
from .matrix import first_rows

_ORDER = (ITEM, USER, RATING, TIME)
# A product is an ASIN or an ISBN-10, and a customer a longer code that begins with A.
_PRODUCT = re.compile(r"B[0-9A-Z]{9}|[0-9]{9}[0-9X]")
_CUSTOMER = re.compile(r"A[0-9A-Z]{9,20}")


def by_position(parts: Sequence[Part], layout: Layout) -> tuple[Layout, tuple[str, ...]]:
    """The layout with names where it is one that puts the item first, and notes.

    Args:
        parts: Text files.
        layout: Their layout, of a list of ratings; one with a header is returned as it is.
    """
    if layout.names is not None:
        return layout, ()
    if 3 <= layout.width <= len(_ORDER):
        rows = first_rows(parts[0], layout)
        if rows and all(_PRODUCT.fullmatch(r[0]) and _CUSTOMER.fullmatch(r[1]) for r in rows):
            note = (
                "the columns are read as item, user, rating and time, as in the files of Amazon's "
                "reviews; --user 1 --item 2 reads them the other way round"
            )
            return replace(layout, names=_ORDER[: layout.width], headed=False), (note,)
    if layout.width > len(_ORDER):
        note = (
            f"{layout.width} columns without a header, of which the first four are read as user, "
            "item, rating and time; --user, --item, --rating and --time state others by number"
        )
        return layout, (note,)
    return layout, ()
