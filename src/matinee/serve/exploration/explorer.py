"""``Explorer``: puts items that nobody rated in a share of the places of lists."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ...data import Histories
from ...models import Recommender
from ...models.new_items import NewItems
from ...recommend import split_year, top_k

Years = tuple[int | None, int | None] | None


class Explorer:
    """New items for lists.

    Args:
        model: The model being served.
        file: A table of items; see ``NewItems.read``.
        share: Share of the places of every list that new items take, in the mean.
    """

    def __init__(self, model: Recommender, file: Path, share: float) -> None:
        self._new, self._share = NewItems.read(model, file), share
        table = self._new.item_table
        assert table is not None  # it was read from one
        self._titles = table.titles
        n = len(self._titles)
        self._genres = [()] * n if table.genres is None else table.genres.tolist()
        self._years = [split_year(str(title))[1] for title in self._titles]

    def explored(
        self,
        entries: list[dict[str, Any]],
        history: Histories,
        seed: str,
        *,
        genres: Sequence[str] = (),
        among: Sequence[str] = (),
        years: Years = None,
        without: Collection[str] = (),
    ) -> list[dict[str, Any]]:
        """A list with new items in some of its places, at random; its other items move down.

        Args:
            entries: The list of one person.
            history: What they gave, one row.
            seed: Hexadecimal digits that the places are drawn by, those of the list's name.
            genres: Genres to leave out.
            among: Genres of which each must have one; any where this is empty.
            years: The first and the last year.
            without: Ids of new items to leave out.
        """
        rng = np.random.default_rng(int(seed, 16))
        wanted = int(len(entries) * self._share + rng.random())
        scores = self._new.rank_scores(history)
        allowed = [
            self._allowed(at, genres, among, years, without) for at in range(len(self._titles))
        ]
        scores[:, ~np.array(allowed)] = -np.inf
        codes, best = top_k(scores, max(wanted, 1))
        found = [
            self._entry(code, score)
            for code, score in zip(codes[0].tolist(), best[0].tolist(), strict=True)
            if score > -np.inf
        ][:wanted]
        places = np.sort(rng.choice(len(entries), len(found), replace=False)).tolist()
        mixed = list(entries)
        for place, entry in zip(places, found, strict=True):
            mixed.insert(place, entry)
        return [{**entry, "rank": at} for at, entry in enumerate(mixed[: len(entries)], 1)]

    def _allowed(
        self,
        at: int,
        genres: Sequence[str],
        among: Sequence[str],
        years: Years,
        without: Collection[str],
    ) -> bool:
        if among and not set(self._genres[at]) & set(among):
            return False
        if str(self._new.item_ids.ids[at]) in without or set(self._genres[at]) & set(genres):
            return False
        year = self._years[at]
        if years is None or years == (None, None):
            return True
        low, high = years
        return year is not None and (low or year) <= year <= (high or year)

    def _entry(self, code: int, score: float) -> dict[str, Any]:
        return {
            "item": str(self._new.item_ids.ids[code]),
            "title": str(self._titles[code]),
            "year": self._years[code],
            "genres": list(self._genres[code]),
            "n_ratings": 0,
            "mean": None,
            "predicted": None,
            "std": None,
            "why": None,
            "score": score,
            "new": True,
        }
