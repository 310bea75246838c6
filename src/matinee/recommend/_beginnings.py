"""Titles that somebody has begun to type."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ..data import ItemTable
from ._title_keys import names, split_year, without_article, words

_WHOLE, _START, _WITHIN = range(3)


class Beginnings:
    """Finds titles by their first letters, or by those of words within them.

    Args:
        table: The titles, or None where there are none.
        order: Item codes, int64 (n_items,), those to name first in front.
    """

    def __init__(self, table: ItemTable | None, order: npt.NDArray[np.int64]) -> None:
        titles: list[str] = [] if table is None else table.titles.tolist()
        self._order = order.tolist() if len(titles) else []
        self._texts: list[str] = []
        for title in titles:
            found = names(split_year(title)[0])
            forms = {" ".join(form) for name in found for form in (name, without_article(name))}
            self._texts.append("\n".join(f"\n{form}" for form in sorted(forms)) + "\n")

    def complete(self, text: str, n: int = 10) -> list[int]:
        """Codes of at most n items whose titles go on from a text.

        Titles that are just the text come first, then those that start with it, then those that
        have it at the start of a later word.
        """
        wanted = " ".join(words(text))
        if not wanted:
            return []
        ranked: list[list[int]] = [[], [], []]
        for code in self._order:
            found = self._texts[code]
            if wanted in found:
                if f"\n{wanted}\n" in found:
                    ranked[_WHOLE].append(code)
                elif f"\n{wanted}" in found:
                    ranked[_START].append(code)
                elif f" {wanted}" in found:
                    ranked[_WITHIN].append(code)
        return [code for rank in ranked for code in rank][:n]
