"""Completion of partly typed titles."""

from __future__ import annotations

from ..base.arrays import Int64
from ..base.text import split_year
from ..data import ItemTable
from ._title_keys import names, without_article, words

_WHOLE, _START, _WITHIN = range(3)


class TitlePrefixes:
    """Finds titles by the prefix of the title or of a word in it."""

    def __init__(self, table: ItemTable | None, order: Int64) -> None:
        titles: list[str] = [] if table is None else table.titles.tolist()
        self._order = order.tolist() if len(titles) else []
        self._texts: list[str] = []
        for title in titles:
            title_names = names(split_year(title)[0])
            forms = {
                " ".join(form) for name in title_names for form in (name, without_article(name))
            }
            self._texts.append("\n".join(f"\n{form}" for form in sorted(forms)) + "\n")

    def complete(self, text: str, n: int = 10) -> list[int]:
        """Return codes of at most n items whose titles complete a text.

        Exact matches come first, then titles starting with the text, then titles with a later word
        starting with it.
        """
        query = " ".join(words(text))
        if not query:
            return []
        ranked: list[list[int]] = [[], [], []]
        for code in self._order:
            key = self._texts[code]
            if query in key:
                if f"\n{query}\n" in key:
                    ranked[_WHOLE].append(code)
                elif f"\n{query}" in key:
                    ranked[_START].append(code)
                elif f" {query}" in key:
                    ranked[_WITHIN].append(code)
        return [code for rank in ranked for code in rank][:n]
