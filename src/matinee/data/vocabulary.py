"""External ids and the row numbers behind them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from ..base.arrays import Array, Int32
from .values.ids import canonical, canonical_array, whole_numbers

Ids = Array
"""External ids: int64, or object holding ``str``. Never mixed."""


class Vocabulary:
    """The sorted, distinct ids of one side (users or items) and their codes ``0 .. n-1``.

    Codes are internal to the package and never exposed.

    Args:
        ids: Distinct ids, ascending; int64, or object of ``str``.

    Attributes:
        ids: The ids by code, shape (n,).
    """

    def __init__(self, ids: Ids) -> None:
        if ids.dtype != np.int64 and ids.dtype != object:
            raise TypeError(f"ids must be int64 or object of str, not {ids.dtype}")
        self.ids = ids

    def __len__(self) -> int:
        return len(self.ids)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Vocabulary) and (
            self is other or (self.numeric == other.numeric and np.array_equal(self.ids, other.ids))
        )

    __hash__ = None  # type: ignore[assignment]

    @property
    def numeric(self) -> bool:
        """Whether the ids are integers."""
        return bool(self.ids.dtype == np.int64)

    @cached_property
    def _code_of(self) -> dict[str | None, int]:
        return {name: code for code, name in enumerate(self.ids)}

    def encode(self, ids: Iterable[Any] | Ids) -> Int32:
        """Return codes of external ids, int32, with -1 for an id that is not known.

        Two ids are the same by the rule of ``data.values.ids``: ``"42"`` from a command line or a
        JSON key and ``42.0`` from a data frame both find 42.
        """
        array = ids if isinstance(ids, np.ndarray) else np.fromiter(ids, dtype=object)
        if array.size == 0 or len(self) == 0:
            return np.full(array.size, -1, dtype=np.int32)
        if not self.numeric:
            get = self._code_of.get
            return np.fromiter(
                (get(canonical(name), -1) for name in array), dtype=np.int32, count=len(array)
            )
        numbers, known = whole_numbers(array)
        position = np.minimum(np.searchsorted(self.ids, numbers), len(self) - 1)
        known_id = known & (self.ids[position] == numbers)
        return np.where(known_id, position, -1).astype(np.int32)

    def decode(self, codes: npt.NDArray[np.integer[Any]]) -> Ids:
        """External ids of codes, which must all be known (0 or more)."""
        return np.asarray(self.ids[codes])

    def take(self, codes: npt.NDArray[np.integer[Any]]) -> Vocabulary:
        """Return the vocabulary of a subset of the codes, which must be ascending."""
        return Vocabulary(self.ids[codes])

    @classmethod
    def union(cls, vocabularies: Sequence[Vocabulary]) -> Vocabulary:
        """Return the vocabulary of the ids of several; ids are text if they are text in one."""
        first = vocabularies[0]
        if all(other == first for other in vocabularies[1:]):
            return first
        ids = [v.ids for v in vocabularies]
        if not all(v.numeric for v in vocabularies):
            ids = [v.ids.astype(str).astype(object) if v.numeric else v.ids for v in vocabularies]
        return cls(np.unique(np.concatenate(ids)))

    @classmethod
    def of(cls, ids: Ids) -> tuple[Vocabulary, Int32]:
        """Return a vocabulary of the ids in an array (repeats welcome) and the code of each.

        Ids are int64 if each is a whole number by the rules of ``data.values.ids``, else text.
        """
        numbers, whole = whole_numbers(ids)
        array: Ids = numbers
        if not whole.all():
            array = canonical_array(ids)
            array[array == None] = ""  # noqa: E711  (element by element)
        distinct, codes = np.unique(array, return_inverse=True)
        return cls(distinct), codes.astype(np.int32)
