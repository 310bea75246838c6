"""``Breakdown``: a model's errors by prediction, user and item."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..base.arrays import Float64, Int64
from .metric import Interval


@dataclass(frozen=True)
class CalibrationBin:
    """Test ratings with similar predictions.

    Attributes:
        predicted: Mean of the predictions.
        actual: Mean rating.
        interval: 95% normal interval of ``actual``, as if the ratings were independent.
        n: Number of ratings.
    """

    predicted: float
    actual: float
    interval: Interval
    n: int


@dataclass(frozen=True)
class ErrorBin:
    """The error on users or items with a similar number of training ratings.

    Attributes:
        ratings: Range of the number, such as "20-49".
        members: Users or items.
        n: Test ratings.
        rmse: RMSE of the model.
        rmse_interval: 95% interval by bootstrap over the members; None with fewer than two.
        bias_rmse: RMSE of the bias baseline.
        bias_interval: Likewise.
    """

    ratings: str
    members: int
    n: int
    rmse: float
    rmse_interval: Interval | None
    bias_rmse: float
    bias_interval: Interval | None


@dataclass(frozen=True)
class ItemError:
    """The error of a model on one item.

    Attributes:
        item_id: External id.
        title: Its title, or the id as text.
        n: Number of its test ratings.
        rmse: RMSE on these.
        at_least: Lower end of the 95% interval of the RMSE, by the spread of the squared errors.
        actual: Mean rating.
        predicted: Mean of the predictions.
    """

    item_id: Any
    title: str
    n: int
    rmse: float
    at_least: float
    actual: float
    predicted: float


@dataclass(frozen=True)
class Breakdown:
    """Breakdown of a model's errors on held-out ratings.

    Attributes:
        n: Test ratings.
        calibration: By predicted rating, ascending; bins with fewer than 10 ratings are left out.
        by_user: By the user's number of training ratings (or of ratings in the histories).
        by_item: By number of training ratings of the item.
        edges: Edges of the histogram of residuals (rating minus prediction), float64 (bins + 1,).
        counts: Residuals between each edge and the next, int64, shape (bins,); those beyond the
            outer edges count in the outer bins.
        bias: Mean residual.
        spread: Standard deviation of the residuals.
        worst: Items with the largest error: by ``at_least``, highest first, among
            those with enough test ratings.
        enough: Test ratings an item needs to be listed.
        judged: Number of items with that many.
    """

    n: int
    calibration: tuple[CalibrationBin, ...]
    by_user: tuple[ErrorBin, ...]
    by_item: tuple[ErrorBin, ...]
    edges: Float64
    counts: Int64
    bias: float
    spread: float
    worst: tuple[ItemError, ...]
    enough: int
    judged: int
