"""``CountShift``: blending weights of user and item networks that depend on rating counts.

A network over items predicts an item better the more ratings it has, and a network over users
predicts a user better the more ratings they have. So the weights are shifted between them by

    shift(u, i) = a (ln n_i - mean) + b (ln n_u - mean)

times the difference between the mean of the item networks and the mean of the user networks, both
without students, which have already learned from the other side. Only known users are shifted.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from ....base.arrays import Array, Float64, Int64

EXPECTED, DEVIATION = np.array([-0.05, 0.05]), 0.05
"""Prior mean and standard deviation of a and b. The best values on a validation part of
MovieLens-1M, -0.080 and 0.082, carried over to MovieLens-100K, whose 2,000 validation ratings
cannot determine them; the prior mean is nearer to 0."""


@dataclass(frozen=True, eq=False)
class CountShift:
    """A fitted shift.

    Attributes:
        direction: What a shift of 1 adds to the weights, float64 (members,); it sums to 0.
        slopes: a and b, float64 (2,).
        centers: Means of the log counts of items and of users, float64 (2,).
        log_counts: Log counts of the items, float64 (items,).
    """

    direction: Float64
    slopes: Float64
    centers: Float64
    log_counts: Float64

    @classmethod
    def fit(
        cls,
        direction: Float64,
        deviations: Float64,
        residuals: Float64,
        log_counts: Float64,
        items: Array,
        log_users: Float64,
        total: float,
    ) -> Self:
        """Fit a ridge regression to the blend's residuals on the validation part.

        Args:
            direction: As the attribute.
            deviations: Of the members from the bias model, float64 (members, n).
            residuals: Ratings minus the blend's predictions, float64 (n,).
            log_counts: As the attribute.
            items: Item of each rating, (n,).
            log_users: Log count of each rating's user, float64 (n,).
            total: Sum of the weights, which scales the shift.
        """
        direction = direction * total
        difference = direction @ deviations
        centers = np.array([log_counts[items].mean(), log_users.mean()])
        logs = np.column_stack([log_counts[items], log_users]) - centers
        columns = logs * difference[:, None]
        noise = max(float(np.mean(np.square(residuals))), 1e-12)
        precision = columns.T @ columns / noise + np.eye(2) / DEVIATION**2
        first = columns.T @ residuals / noise + EXPECTED / DEVIATION**2
        return cls(direction, np.linalg.solve(precision, first), centers, log_counts)

    def of(self, items: Array, counts: Int64) -> Float64:
        """Return the shift for items and users' rating counts, broadcast to one shape."""
        a, b = self.slopes
        of_items = a * (self.log_counts[items] - self.centers[0])
        return of_items + b * (np.log(np.maximum(counts, 1)) - self.centers[1])

    def state(self) -> dict[str, Array]:
        """Return arrays by name, for ``restore``."""
        names = ("direction", "slopes", "centers", "log_counts")
        return {f"blend.shift.{name}": getattr(self, name) for name in names}

    @classmethod
    def restore(cls, tensors: dict[str, Array], members: int) -> Self | None:
        """Restore from the output of ``state``; None if there is no shift.

        Raises:
            ValueError: The shapes do not fit.
        """
        if "blend.shift.slopes" not in tensors:
            return None
        names = ("direction", "slopes", "centers", "log_counts")
        shift = cls(*(tensors[f"blend.shift.{name}"] for name in names))
        shapes = shift.direction.shape, shift.slopes.shape, shift.centers.shape
        if shapes != ((members,), (2,), (2,)) or shift.log_counts.ndim != 1:
            raise ValueError(f"blend.shift has arrays of the shapes {shapes}")
        return shift
