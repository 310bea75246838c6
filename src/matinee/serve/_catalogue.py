"""The items of the served model: titles, genres, search, neighbours and map."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..base.arrays import Float32, Int64, Mask
from ..data.values.ids import canonical, whole_number
from ..errors import nearest
from ..models import Recommender, item_counts, item_vectors
from ..recommend import TitleIndex, TitlePrefixes, most_alike, plane, unit_rows
from ._schema import Rating
from .problems import ProblemError

_FEW = 10
"""Least training ratings of an item on the map and among neighbours, as vectors of rarely rated
items are poorly determined."""


class Catalogue:
    """The items of one model.

    Attributes:
        item_ids: External ids of the items.
        counts: Training ratings of each item, int64 (n_items,), or None.
        order: Item codes, most rated first.
        unit: Item vectors as unit rows, or None if the model has none.
        titles: Finds items by title.
        genre_names: Most frequent first.
        years: By item code, float64; NaN if unknown.
    """

    def __init__(self, model: Recommender) -> None:
        self.item_ids = model.item_ids
        self._table = model.item_table
        self._means = model.bias.item_mean
        self.counts = item_counts(model)
        n = model.n_items
        self.order = np.argsort(
            -(np.zeros(n) if self.counts is None else self.counts), kind="stable"
        )
        self.titles = TitleIndex(model.item_ids, model.item_table)
        self._prefixes = TitlePrefixes(self._table, self.order)
        self.years = np.full(n, np.nan) if self._table is None else self._table.years
        self._of_genre = {} if self._table is None else self._table.by_genre()
        self.genre_names = list(self._of_genre)
        vectors = item_vectors(model)
        self.unit = None if vectors is None else unit_rows(vectors.vectors)
        self._points = self._explained = None
        self._learned = np.ones(n, dtype=np.bool_)
        if self.counts is not None and (self.counts >= _FEW).any():
            self._learned = self.counts >= _FEW
        if vectors is not None:
            self._points, self._explained = plane(vectors.vectors, self._learned)
        self.titles.search("a title", 1)  # build its indexes now, not at the first request

    @property
    def n_items(self) -> int:
        """Number of items."""
        return len(self.item_ids)

    def code(self, item: str) -> int:
        """Code of an id.

        Raises:
            ProblemError: 404, an unknown item.
        """
        position = int(self.item_ids.encode([item])[0])
        if position < 0:
            raise ProblemError(404, f"no item has the id {item!r}; GET /v1/items?q= finds ids")
        return position

    def titles_of(
        self, ratings: Sequence[Rating], lists: Mapping[str, Sequence[str | int]]
    ) -> list[tuple[str, int]]:
        """(field, position) of the names in a request that are titles."""
        fields = [("ratings", at) for at, rating in enumerate(ratings) if rating.title is not None]
        for field, names in lists.items():
            unknown = np.flatnonzero(self.item_ids.encode(list(names)) < 0).tolist()
            fields += [(field, at) for at in unknown if self.may_be_title(names[at])]
        return fields

    def may_be_title(self, name: str | int) -> bool:
        """Return whether an unknown id may be a title: no number is, where ids are numbers."""
        is_text = isinstance(name, str)
        return is_text and not (self.item_ids.numeric and whole_number(canonical(name)) is not None)

    def named(self, code: int) -> dict[str, Any]:
        """Id and title."""
        item = str(self.item_ids.ids[code])
        return {"item": item, "title": item if self._table is None else self._table.titles[code]}

    def item(self, code: int) -> dict[str, Any]:
        """Return all fields of an item."""
        year, genres = self.years[code], ()
        if self._table is not None and self._table.genres is not None:
            genres = self._table.genres[code]
        return {
            **self.named(code),
            "year": None if np.isnan(year) else int(year),
            "genres": list(genres),
            "n_ratings": None if self.counts is None else int(self.counts[code]),
            "mean": round(float(self._means[code]), 4),
        }

    def search(self, text: str | None, limit: int) -> list[dict[str, Any]]:
        """Items with titles similar to a text, or the most rated items."""
        if text is None or not text.strip():
            return [self.item(int(code)) for code in self.order[:limit]]
        exact = [int(code) for code in self.item_ids.encode([text.strip()]) if code >= 0]
        codes = dict.fromkeys([*exact, *self._prefixes.complete(text, limit)])
        if len(codes) < limit:
            ids = [titled.id for titled in self.titles.search(text, limit)]
            codes |= dict.fromkeys(self.item_ids.encode(ids).tolist())
        return [self.item(code) for code in list(codes)[:limit]]

    def similar(self, code: int, k: int) -> list[dict[str, Any]]:
        """Return the nearest items to an item.

        Raises:
            ProblemError: 404, the model has no item vectors.
        """
        unit = self._vectors()
        learned = np.flatnonzero(self._learned)
        rows = np.append(learned[learned != code], code)
        closest, cosines = most_alike(unit[rows], len(rows) - 1, k)
        return [
            {**self.item(int(row)), "similarity": round(float(cosine), 6)}
            for row, cosine in zip(rows[closest], cosines, strict=True)
        ]

    def position(self, code: int) -> dict[str, float] | None:
        """Return the position of an item on the map."""
        if self._points is None:
            return None
        x, y = self._points[code].round(5).tolist()
        return {"x": x, "y": y}

    def map(self, limit: int) -> dict[str, Any]:
        """Return the most rated items as points, by column.

        Raises:
            ProblemError: 404, the model has no item vectors.
        """
        self._vectors()
        assert self._points is not None
        assert self._explained is not None
        codes = self.order[:limit]
        items = [self.item(int(code)) for code in codes]
        at = {name: position for position, name in enumerate(self.genre_names)}
        points = self._points[codes].round(5)
        return {
            **{
                name: [item[name] for item in items]
                for name in ("item", "title", "year", "n_ratings", "mean")
            },
            "genres": [[at[name] for name in item["genres"]] for item in items],
            "genre_names": self.genre_names,
            "x": points[:, 0].tolist(),
            "y": points[:, 1].tolist(),
            "explained": self._explained.round(6).tolist(),
        }

    def groups(self) -> tuple[list[tuple[str, Int64]], list[tuple[int, Int64]]]:
        """Return the items of each genre and of each decade, by codes; decades in order of time."""
        known = np.flatnonzero(~np.isnan(self.years))
        decade = (self.years[known] // 10 * 10).astype(int)
        decades = [(int(d), known[decade == d]) for d in np.unique(decade)]
        return list(self._of_genre.items()), decades

    def allowed(
        self,
        exclude: Sequence[str],
        years: tuple[int | None, int | None] | None,
        among: Sequence[str] = (),
    ) -> Mask:
        """Mask of the items that may be listed.

        Args:
            exclude: Genres that none may have.
            years: The first and the last year.
            among: Genres of which each item must have one; empty for any.

        Raises:
            ProblemError: 422, an unknown genre, or years in the wrong order.
        """
        allowed = np.full(self.n_items, not among, dtype=np.bool_)
        for field, names, value in (("genres", among, True), ("exclude_genres", exclude, False)):
            for at, name in enumerate(names):
                if name not in self._of_genre:
                    known = ", ".join(self.genre_names) or "none, as its items have no genres"
                    near = nearest(name.title(), self.genre_names) or f"; the model has {known}"
                    raise ProblemError(
                        422,
                        f"{field}[{at}]: unknown genre {name!r}{near}",
                        pointer=f"/{field}/{at}",
                    )
                allowed[self._of_genre[name]] = value
        if years is not None:
            first, last = years
            if first is not None and last is not None and first > last:
                raise ProblemError(
                    422, f"years: the first, {first}, is after the last, {last}", pointer="/years"
                )
            with np.errstate(invalid="ignore"):
                allowed &= self.years >= (-np.inf if first is None else float(first))
                allowed &= self.years <= (np.inf if last is None else float(last))
        return allowed

    def _vectors(self) -> Float32:
        if self.unit is None:
            raise ProblemError(404, "this kind of model has no item vectors, so no item is near")
        return self.unit
