"""Approximate search among many short texts by trigrams."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..base.arrays import Int32, Int64

_LOOKED_AT = 400_000
"""Largest number of trigram occurrences to count for one query (about a millisecond)."""


class Trigrams:
    """Finds the texts that share the most trigrams with a query.

    Args:
        texts: The texts to search; the ends of a text count as spaces.
    """

    def __init__(self, texts: Sequence[str]) -> None:
        lengths = np.array([len(text) + 2 for text in texts], dtype=np.int64)
        grams = _grams("".join(f" {text} " for text in texts))
        owners = np.repeat(np.arange(len(texts), dtype=np.int32), lengths)
        within_text = np.ones(len(owners), dtype=bool)
        ends = np.cumsum(lengths)
        within_text[ends - 1] = within_text[ends - 2] = False  # trigrams that span two texts
        inside = within_text[: len(grams)]
        grams, owners = grams[inside], owners[: len(grams)][inside]
        order = np.lexsort((owners, grams))
        grams, owners = grams[order], owners[order]
        first = np.ones(len(grams), dtype=bool)
        first[1:] = (grams[1:] != grams[:-1]) | (owners[1:] != owners[:-1])
        self._grams, self._owners = grams[first], owners[first]
        self._sizes = np.bincount(self._owners, minlength=len(texts))

    def nearest(self, text: str, n: int) -> Int32:
        """Return positions of the n texts most similar to a query (Dice coefficient), best first.

        Fewer if fewer texts share a trigram with it.
        """
        grams = np.unique(_grams(f" {text} "))
        first = np.searchsorted(self._grams, grams, side="left")
        last = np.searchsorted(self._grams, grams, side="right")
        # The rarest trigrams discriminate best; frequent ones are skipped in long queries.
        rarest = np.argsort(last - first, kind="stable")
        looked_up = rarest[np.cumsum((last - first)[rarest]) <= _LOOKED_AT]
        owners = [self._owners[first[at] : last[at]] for at in looked_up]
        if not owners or len(self._sizes) == 0:
            return np.empty(0, np.int32)
        shared = np.bincount(np.concatenate(owners), minlength=len(self._sizes))
        dice = shared / (self._sizes + len(grams))
        threshold = np.partition(dice, -n)[-n] if n < len(dice) else 0.0
        similar = np.flatnonzero((dice >= threshold) & (dice > 0))
        return similar[np.argsort(-dice[similar], kind="stable")][:n].astype(np.int32)


def _grams(text: str) -> Int64:
    """Return the trigrams of a text as numbers, int64, shape (len(text) - 2,)."""
    points = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    letters = points.astype(np.int64)
    # A code point has 21 bits, so three fill 63.
    return (letters[:-2] << 42) | (letters[1:-1] << 21) | letters[2:]
