"""``Explorer``: puts items without ratings in a share of the positions of lists."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ...base.arrays import Mask
from ...base.text import split_year
from ...base.top import top_k
from ...data import Histories
from ...models import Recommender
from ...models.new_items import NewItems
from ...recommend import words

Years = tuple[int | None, int | None] | None


class Explorer:
    """New items for lists.

    Args:
        model: The model being served.
        file: A table of items; see ``NewItems.read``.
        share: Mean share of the places of a list that new items take.
    """

    def __init__(self, model: Recommender, file: Path, share: float) -> None:
        self._new, self._share = NewItems.read(model, file), share
        table = self._new.item_table
        assert table is not None  # it was read from one
        self._titles = table.titles
        self._genres = [()] * len(table.titles) if table.genres is None else table.genres.tolist()
        self._of_genre, self._years = table.by_genre(), table.years
        self._with_title: dict[str, list[int]] = {}
        for code, title in enumerate(self._titles):
            for name in {_key(title), _key(split_year(title)[0])} - {""}:
                self._with_title.setdefault(name, []).append(code)

    def explored(
        self,
        entries: list[dict[str, Any]],
        history: Histories,
        seed: str,
        *,
        genres: Sequence[str],
        among: Sequence[str],
        years: Years,
        without: Collection[str],
    ) -> list[dict[str, Any]]:
        """Insert new items into a list at random positions; the other items move down.

        ``seed`` are hexadecimal digits, from the list's name.
        """
        rng = np.random.default_rng(int(seed, 16))
        wanted = int(len(entries) * self._share + rng.random())
        scores = self._new.rank_scores(history)
        scores[:, ~self._allowed(genres, among, years, without)] = -np.inf
        codes, best = top_k(scores, max(wanted, 1))
        explored = [
            self._entry(code, score)
            for code, score in zip(codes[0].tolist(), best[0].tolist(), strict=True)
            if score > -np.inf
        ][:wanted]
        positions = np.sort(rng.choice(len(entries), len(explored), replace=False)).tolist()
        mixed = list(entries)
        for position, entry in zip(positions, explored, strict=True):
            mixed.insert(position, entry)
        return [{**entry, "rank": at} for at, entry in enumerate(mixed[: len(entries)], 1)]

    def _allowed(
        self,
        genres: Sequence[str],
        among: Sequence[str],
        years: Years,
        without: Collection[str],
    ) -> Mask:
        """Return which new items may be listed, shape (new items,)."""
        allowed = self._having(among) if among else np.ones(len(self._titles), dtype=bool)
        if genres:
            allowed &= ~self._having(genres)
        if without:
            codes = self._new.item_ids.encode(list(without))
            allowed[codes[codes >= 0]] = False
            for name in without:
                if not name.isdecimal():  # an id, as of a rated item
                    allowed[self._with_title.get(_key(name), [])] = False
        low, high = years or (None, None)
        if low is not None:
            allowed &= self._years >= low
        if high is not None:
            allowed &= self._years <= high
        return allowed

    def _having(self, genres: Sequence[str]) -> Mask:
        """Return which new items have one of some genres, shape (new items,)."""
        having = np.zeros(len(self._titles), dtype=bool)
        for genre in self._of_genre.keys() & set(genres):
            having[self._of_genre[genre]] = True
        return having

    def _entry(self, code: int, score: float) -> dict[str, Any]:
        year = self._years[code]
        return {
            "item": str(self._new.item_ids.ids[code]),
            "title": str(self._titles[code]),
            "year": None if np.isnan(year) else int(year),
            "genres": list(self._genres[code]),
            "n_ratings": 0,
            "mean": None,
            "predicted": None,
            "std": None,
            "chance": None,
            "why": None,
            "score": round(score, 6),
            "new": True,
        }


def _key(title: str) -> str:
    """Return a title without case, accents and punctuation."""
    return " ".join(words(title))
