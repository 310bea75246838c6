"""External ids and the row numbers behind them."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

Ids = npt.NDArray[Any]
"""External ids: int64, or object holding ``str``. Never mixed."""


class Vocabulary:
    """The sorted, distinct ids of one side (users or items) and their codes ``0 .. n-1``.

    Codes are private to the package: nothing that leaves it shows one.

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
    def _code_of(self) -> dict[str, int]:
        return {name: code for code, name in enumerate(self.ids)}

    def encode(self, ids: Iterable[Any] | Ids) -> npt.NDArray[np.int32]:
        """Codes of external ids, int32, with -1 for an id that is not known.

        An id may come as text where the vocabulary is numeric (``"42"`` from a command line or a
        JSON key) and as a number where it is text; both find what they mean.
        """
        array = ids if isinstance(ids, np.ndarray) else np.array(list(ids), dtype=object)
        if array.size == 0 or len(self) == 0:
            return np.full(array.size, -1, dtype=np.int32)
        if not self.numeric:
            if np.issubdtype(array.dtype, np.number):
                array = array.astype(str)
            get = self._code_of.get
            return np.fromiter(
                (get(str(name), -1) for name in array), dtype=np.int32, count=len(array)
            )
        known = np.ones(len(array), dtype=bool)
        if array.dtype == object or array.dtype.kind in "US":
            parsed = np.zeros(len(array), dtype=np.int64)
            for at, value in enumerate(array):
                try:
                    number = int(value)
                    known[at] = -(2**63) <= number < 2**63 and (
                        isinstance(value, str) or number == value
                    )
                    parsed[at] = number if known[at] else 0
                except (TypeError, ValueError, OverflowError):
                    known[at] = False
            array = parsed
        elif array.dtype.kind == "f":
            with np.errstate(invalid="ignore"):
                parsed = array.astype(np.int64)
            known = parsed == array
            array = parsed
        array = array.astype(np.int64, copy=False)
        place = np.minimum(np.searchsorted(self.ids, array), len(self) - 1)
        found = known & (self.ids[place] == array)
        return np.where(found, place, -1).astype(np.int32)

    def decode(self, codes: npt.NDArray[np.integer[Any]]) -> Ids:
        """External ids of codes, which must all be known (0 or more)."""
        return np.asarray(self.ids[codes])

    def take(self, codes: npt.NDArray[np.integer[Any]]) -> Vocabulary:
        """The vocabulary of a subset of the codes, which must be ascending."""
        return Vocabulary(self.ids[codes])

    @classmethod
    def of(cls, ids: Ids) -> tuple[Vocabulary, npt.NDArray[np.int32]]:
        """A vocabulary of the ids in an array (repeats welcome) and the code of each."""
        if ids.dtype.kind in "iu":
            array = ids.astype(np.int64, copy=False)
        else:
            array = np.array([str(value) for value in ids], dtype=object)
        distinct, codes = np.unique(array, return_inverse=True)
        return cls(distinct), codes.astype(np.int32)
