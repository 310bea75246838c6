"""``ItemTable``: titles, genres, years and further columns of items."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ...base.arrays import Float64, Int32, Int64, Texts
from ...base.text import split_year
from .columns import SideColumns


@dataclass(frozen=True, eq=False)
class ItemTable:
    """Titles and genres of items, aligned with an item vocabulary.

    Attributes:
        titles: Object array of ``str`` by item code; the id as text if there is no title.
        genres: Object array of ``tuple[str, ...]`` by item code, or None if unknown.
        columns: Further columns by item code, or None.
        stated_years: int32 by item code, the years of a column such as ``year``, 0 if unknown;
            or None.
    """

    titles: Texts
    genres: Texts | None = None
    columns: SideColumns | None = None
    stated_years: Int32 | None = None

    def take(self, codes: npt.NDArray[np.integer[Any]]) -> ItemTable:
        """Select the rows of item codes, in that order."""
        return ItemTable(
            self.titles[codes],
            None if self.genres is None else self.genres[codes],
            None if self.columns is None else self.columns.take(codes),
            None if self.stated_years is None else self.stated_years[codes],
        )

    def by_genre(self) -> dict[str, Int64]:
        """Return the item codes of each genre, ascending; the most frequent genre first."""
        members: dict[str, list[int]] = {}
        for code, genres in enumerate(() if self.genres is None else self.genres):
            for genre in genres:
                members.setdefault(genre, []).append(code)
        names = sorted(members, key=lambda name: (-len(members[name]), name))
        return {name: np.array(members[name], dtype=np.int64) for name in names}

    @property
    def years(self) -> Float64:
        """Year by item code: the one in the title, else the stated one; NaN if unknown."""
        stated = [0] * len(self.titles) if self.stated_years is None else self.stated_years
        of_titles = (split_year(str(title))[1] for title in self.titles)
        return np.array(
            [year or other or np.nan for year, other in zip(of_titles, stated, strict=True)],
            dtype=np.float64,
        )

    @property
    def side(self) -> SideColumns:
        """The genres, the years in the titles and the further columns, if any."""
        years = [split_year(str(title))[1] or np.nan for title in self.titles]
        found = {} if self.genres is None else {"genres": self.genres}
        if not np.isnan(years).all():
            found["year"] = np.array(years, dtype=np.float64)
        return SideColumns({**found, **({} if self.columns is None else self.columns.columns)})
