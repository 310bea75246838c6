"""Parts of a response: numbers for JSON, and the reasons for predictions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from ..base.arrays import Float32, Float64, Int32, Int64
from ..data import Histories
from ..models import Recommender
from ..recommend import Predict, Reasons, combined, interest_reasons, reasons, shrink_few
from ._catalogue import Catalogue

CHOICES = 10
"""Number of next choices for which the probability of a choice is given."""


def scores_of(
    model: Recommender,
    people: list[Histories],
    love: float | None,
    personal: float,
    counts: Int64 | None,
    together: str,
) -> tuple[Float32, list[Float32 | None]]:
    """Return the ranking scores for one user, or for several together: float32 (1, items).

    Also returns each user's unclipped predicted ratings, float32 (items,), if the ranking needed
    them: they are not to be computed again for the items listed.

    With ``counts``, few ratings of an item count against it in a model that ranks by rating.
    """
    every, predicted = [], list[Float32 | None]()
    for person in people:
        scores, predictions = model.ranking_coded(person, love, personal)
        predicted.append(None if predictions is None else predictions[0])
        if counts is not None and model.ranks_by_rating:
            scores = shrink_few(scores, counts)
        every.append(scores)
    if len(people) == 1:
        return every[0], predicted
    return combined(np.concatenate(every), together, model.orders_by_rating(love)), predicted


def described_reasons(
    catalogue: Catalogue, history: Histories, because: Reasons, n: int
) -> list[dict[str, Any]]:
    """Return the reasons for each prediction."""
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
                for at, contribution in zip(positions, contributions, strict=True)
            ],
            "others": rest,
            "together": together,
        }
        for prediction, baseline, positions, contributions, rest, together in zip(
            numbers(because.predictions),
            numbers(because.baselines),
            shown.tolist(),
            numbers(moved),
            numbers(others),
            numbers(because.together),
            strict=True,
        )
    ]


class Entries:
    """Describes items for a user: the prediction and its reasons.

    ``usual`` are the predicted ratings of all items for a user without a history, float64 (items,).
    """

    def __init__(self, model: Recommender, catalogue: Catalogue, usual: Float64) -> None:
        self._model, self._catalogue, self._usual = model, catalogue, usual
        self._predict: Predict = partial(model.predict_coded, clip=False)

    def described(
        self, history: Histories, codes: Int32, why: int, known: Float32 | None = None
    ) -> list[dict[str, Any]]:
        """Items with their predictions and up to ``why`` reasons for them.

        Models of ratings give the predicted rating and its standard deviation; models of
        interactions the probability of a choice, if calibrated.

        ``known`` are the user's unclipped predictions of all items, if already computed.
        """
        n = len(codes)
        reasons: list[dict[str, Any] | None] = [None] * n
        predictions = None if known is None else known[codes].astype(np.float64)
        if why and n:
            because = self._reasons(history, codes)
            predictions = because.predictions
            reasons = [*described_reasons(self._catalogue, history, because, why)]
        predicted: Sequence[float | None] = [None] * n
        std: Sequence[float | None] = [None] * n
        chance: Sequence[float | None] = [None] * n
        if self._model.knows_ratings:
            rows = np.zeros(n, dtype=np.int64)
            if predictions is None:
                predictions = self._predict(history, rows, codes)
            low, high = self._model.scale.low, self._model.scale.high
            predicted = numbers(
                np.clip(predictions, low, high) if self._model.clip else predictions
            )
            if self._model.predictive_variance is not None:
                std = numbers(self._model.predict_coded_std(history, rows, codes, predictions)[1])
        elif self._model.choice_rate is not None:
            rows = np.zeros(n, dtype=np.int64)
            chance = numbers(self._model.choice_coded(history, rows, codes, CHOICES))
        return [
            {
                **self._catalogue.item(code),
                "predicted": predicted[at],
                "std": std[at],
                "chance": chance[at],
                "why": reasons[at],
            }
            for at, code in enumerate(codes.tolist())
        ]

    def _reasons(self, history: Histories, codes: Int32) -> Reasons:
        """Explain the predictions, or the interest if there are no ratings."""
        if self._model.interest is None or self._model.knows_ratings:
            predictions = None
            if self._model.stores_codes and history.users[0] >= 0:
                # No rating can be left out of a stored code: explain fold-in instead.
                rows = np.zeros(len(codes), dtype=np.int64)
                predictions = self._predict(history, rows, codes)
                history = replace(history, users=np.array([-1], dtype=np.int32))
            return reasons(self._predict, history, codes, self._usual[codes], predictions)
        return interest_reasons(self._model.interest, history, codes)


def choice_lifts(model: Recommender, history: Histories, groups: Sequence[Int64]) -> Float64:
    """Return one user's probability of choosing next from each group, minus that of a new user.

    Returns:
        float64 (groups,); 0 if the model is not calibrated.
    """
    if model.interest is None or model.choice_rate is None:
        return np.zeros(len(groups))
    choices = np.vstack(
        [model.interest.scores(Histories.build([([], [])])), model.interest.scores(history)]
    )
    share = model.choice_rate.shares(choices, np.zeros(choices.shape, dtype=np.bool_))
    return np.array([share[1, codes].sum() - share[0, codes].sum() for codes in groups])


def for_several(
    each: Sequence[list[dict[str, Any]]], scores: npt.NDArray[Any], together: str
) -> list[dict[str, Any]]:
    """Make a list for several users."""
    listed = []
    for at, entries in enumerate(zip(*each, strict=True)):
        name = "chance" if entries[0]["predicted"] is None else "predicted"
        values = [entry[name] for entry in entries]
        whole = None
        if values[0] is not None:
            whole = min(values) if together == "least_misery" else sum(values) / len(values)
        several = {name: None if whole is None else number(whole), "std": None, "why": None}
        each_ = values if name == "predicted" else None
        listed.append(
            {"rank": at + 1, **entries[0], **several, "each": each_, "score": number(scores[at])}
        )
    return listed


def number(value: Any) -> float:
    """Round to six decimals, for JSON."""
    return round(float(value), 6)


def numbers(values: npt.NDArray[Any]) -> list[Any]:
    """Return ``number`` of each value of an array."""
    return np.round(values.astype(np.float64), 6).tolist()
