"""Parts of an answer: numbers for JSON, and the reasons for predictions."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ..data import Histories
from ..recommend import Reasons
from ._catalogue import Catalogue


def whys(
    catalogue: Catalogue, history: Histories, because: Reasons, n: int
) -> list[dict[str, Any]]:
    """What moved each prediction."""
    rated = [
        {**catalogue.named(code), "rating": rating}
        for code, rating in zip(history.items.tolist(), numbers(history.values), strict=True)
    ]
    shown = because.strongest(n)
    moved = np.take_along_axis(because.contributions, shown, axis=1)
    others = because.contributions.sum(axis=1) - moved.sum(axis=1)
    return [
        {
            "prediction": prediction,
            "baseline": baseline,
            "reasons": [
                {**rated[at], "contribution": contribution}
                for at, contribution in zip(places, contributions, strict=True)
            ],
            "others": rest,
            "together": together,
        }
        for prediction, baseline, places, contributions, rest, together in zip(
            numbers(because.predictions),
            numbers(because.baselines),
            shown.tolist(),
            numbers(moved),
            numbers(others),
            numbers(because.together),
            strict=True,
        )
    ]


def for_several(
    catalogue: Catalogue,
    codes: npt.NDArray[np.int32],
    each: npt.NDArray[np.float64],
    scores: npt.NDArray[Any],
    together: str,
) -> list[dict[str, Any]]:
    """A list for several people.

    Args:
        catalogue: The items.
        codes: Those listed, best first, shape (n,).
        each: Predicted rating of each person, shape (people, n).
        scores: What the list is ranked by, shape (n,).
        together: How it is ordered, "least_misery" or "mean".
    """
    whole = each.min(axis=0) if together == "least_misery" else each.mean(axis=0)
    return [
        {
            "rank": at + 1,
            **catalogue.item(code),
            "predicted": number(whole[at]),
            "std": None,
            "why": None,
            "each": numbers(each[:, at]),
            "score": number(scores[at]),
        }
        for at, code in enumerate(codes.tolist())
    ]


def number(value: Any) -> float:
    """For JSON: a millionth of a rating point is enough."""
    return round(float(value), 6)


def numbers(values: npt.NDArray[Any]) -> list[Any]:
    """Likewise, of a whole array."""
    found: list[Any] = np.round(values.astype(np.float64), 6).tolist()
    return found
