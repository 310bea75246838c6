"""Solves a linear autoencoder exactly, on the side of the items or of the users.

With X the interactions (users, items), W the diagonal weights of users, scaled to keep the total
weight, and Y = W^(1/2) X:

    G = Y'Y,  Gamma = diag(G) p / (1 - p) + l2,  P = (G + Gamma)^-1
    B[i, j] = -P[i, j] m[j] off the diagonal, 0 on it

where p is the dropout probability of the input (``denoising``) and m[j] = P[j, j]^-k with k the
diagonal power, 1 in EASE (Steck 2019) and EDLAE (Steck 2020); or relaxed, for xi > 0,
m[j] = Gamma[j] + max(0, (1 - xi) / P[j, j] - Gamma[j]) where 1 - Gamma[j] P[j, j] > xi and Gamma[j]
elsewhere (RLAE and RDLAE, Moon et al. 2023, arXiv 2305.12922).

On the users' side, the push-through identity P = Gamma^-1 - Gamma^-1 Y' K Y Gamma^-1, with
K = (I + Y Gamma^-1 Y')^-1 of shape (users, users), gives the same scores without an item-by-item
matrix.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Protocol

import numpy as np

from ...base.arrays import Array, Float32, Float64, Mask
from ...base.memory import memory_limit
from ...data import Csr
from ...errors import UsageError
from ...nn import weighted_rows
from .config import LinearConfig
from .gram import Interactions, gram, interactions
from .invert import invert
from .kernels import spread
from .known import KnownRows

COMPILED = 1 << 27
"""Number of products from which scores of the users' side are computed by the kernel. Fewer take
scipy a tenth of a second, and importing Numba takes longer."""
_DOUBLE = 8000
"""Largest size solved in float64; larger systems use float32."""


class LinearWeights(Protocol):
    """A fitted linear autoencoder."""

    def scores(self, rows: Csr) -> Float32:
        """Return scores of all items, float32 (users, items), for weighted inputs."""


@dataclass(frozen=True, eq=False)
class ItemWeights:
    """Item-by-item weights.

    Attributes:
        weights: float32 (items, items); column j weighs the history for item j. 0 on the diagonal.
    """

    weights: Float32

    def scores(self, rows: Csr) -> Float32:
        """See ``LinearWeights``."""
        return weighted_rows(rows.indptr, rows.indices, rows.values, self.weights)


@dataclass(frozen=True, eq=False)
class UserWeights:
    """The same weights in user-by-user form: memory is users², not items².

    Attributes:
        kernel: float32 (users, users), K of the module's description; symmetric.
        rows: float32 CSR (users, items), Y.
        gamma: float32 (items,).
        scale: float32 (items,), m.
        diagonal: float32 (items,), the diagonal of P.
    """

    kernel: Float32
    rows: Any
    gamma: Float32
    scale: Float32
    diagonal: Float32

    def scores(self, rows: Csr) -> Float32:
        """See ``LinearWeights``."""
        inputs = rows.scipy(rows.values)
        scores = np.empty(inputs.shape, dtype=np.float32)
        factor = (self.scale / self.gamma).astype(np.float32)
        columns, reduced = self._columns, self._reduced(inputs)
        if len(reduced) * len(columns.data) < COMPILED:
            # The same sums, in one thread but without Numba's import.
            np.multiply((columns.T @ reduced.T).T, factor, out=scores)
        else:
            spread(reduced, columns.indptr, columns.indices, columns.data, factor, scores)
        # -P m off the diagonal: add back the diagonal of P for the items of a history.
        entries = inputs.tocoo()
        own_terms = (
            entries.data * (self.scale / self.gamma - self.scale * self.diagonal)[entries.col]
        )
        # scores holds x Gamma^-1 Y'KY Gamma^-1 m = x (Gamma^-1 - P) m.
        np.subtract.at(scores, (entries.row, entries.col), own_terms)
        return scores

    def without(self, kept: Mask) -> UserWeights:
        """Return the weights as solved without the users outside a mask, shape (users,).

        Gamma and m are kept. With R the users left out, their inverse's block gives
        K' = K - K[:, R] K[R, R]^-1 K[R, :], and P' = P + U K[R, R]^-1 U' with
        U = P Y[R]' = Gamma^-1 Y' K[:, R] (Woodbury).
        """
        columns = self.kernel[:, ~kept].astype(np.float64)
        inner = np.linalg.inv(columns[~kept])
        moved = (self.rows.T @ columns) / self.gamma[:, None]
        left = columns[kept]
        return UserWeights(
            self.kernel[np.ix_(kept, kept)] - (left @ inner @ left.T).astype(np.float32),
            self.rows[kept],
            self.gamma,
            self.scale,
            self.diagonal + np.einsum("ij,jk,ik->i", moved, inner, moved).astype(np.float32),
        )

    def _reduced(self, rows: Any) -> Float32:
        """Compute ``x Gamma^-1 Y' K`` of each row x, float32 (scored users, users).

        A multiple x of a row of Y needs no product with K: Y Gamma^-1 Y' K = I - K.
        """
        from scipy import sparse

        reduced = np.empty((rows.shape[0], len(self.kernel)), dtype=np.float32)
        users, factors = self._users.find(rows)
        for row in np.flatnonzero(users >= 0):
            np.negative(self.kernel[users[row]], out=reduced[row])
            reduced[row, users[row]] += 1.0
            reduced[row] *= factors[row]
        new = np.flatnonzero(users < 0)
        if len(new):
            inner = rows[new] @ sparse.diags(1.0 / self.gamma)
            people = np.asarray((inner @ self.rows.T).todense(), dtype=np.float32)
            reduced[new] = people @ self.kernel
        return reduced

    @cached_property
    def _columns(self) -> Any:
        """``rows`` by item."""
        return self.rows.tocsc()

    @cached_property
    def _users(self) -> KnownRows:
        return KnownRows(self.rows)


@dataclass(frozen=True, eq=False)
class Solved:
    """A solved system, before the weights of each item are scaled.

    Attributes:
        by_items: float (items, items), -P off the diagonal and 0 on it; None on the users' side.
        by_users: The users' side with scale 1; None on the items' side.
        gamma: float64 (items,).
        diagonal: float64 (items,), the diagonal of P.
    """

    by_items: Array | None
    by_users: UserWeights | None
    gamma: Float64
    diagonal: Float64

    def scale(self, config: LinearConfig) -> Float64:
        """Return m of the module's description, float64 (items,)."""
        gamma, diagonal = self.gamma, self.diagonal
        if not config.relax:
            return np.asarray(diagonal**-config.diagonal_power, dtype=np.float64)
        relaxed = gamma + np.maximum(0.0, (1.0 - config.relax) / diagonal - gamma)
        return np.where(1.0 - gamma * diagonal > config.relax, relaxed, gamma)

    def weights(self, scale: Float64 | None = None) -> ItemWeights | UserWeights:
        """Return the weights with a scale per item, computed in place of the solution."""
        if self.by_users is not None:
            scaled = self.by_users
            return scaled if scale is None else replace(scaled, scale=scale.astype(np.float32))
        assert self.by_items is not None
        if scale is not None:
            np.multiply(self.by_items, scale.astype(self.by_items.dtype), out=self.by_items)
        return ItemWeights(self.by_items.astype(np.float32, copy=False))


def fit_linear(rows: Csr, config: LinearConfig, values: Float32 | None = None) -> LinearWeights:
    """Fit a linear autoencoder to the interactions of users.

    Args:
        rows: Interactions by user; values are not read.
        config: The options; ``tilt`` is applied by the caller, in ``values``.
        values: Strength of each entry, float32 (entries,); 1 by default.

    Raises:
        UsageError: The system does not fit in ``config.max_gib`` on either side.
        TrainingError: The system is singular to working precision.
    """
    if config.nearest:
        from .near import fit_near

        return fit_near(rows, config, values)
    solved = solve(rows, config, values)
    return solved.weights(solved.scale(config))


def solve(rows: Csr, config: LinearConfig, values: Float32 | None = None) -> Solved:
    """Solve the system of ``fit_linear``, for weights of any scale."""
    known = interactions(rows, config.user_power, values)
    by_items = side(known.shape, config) == "items"
    gamma = known.gamma(config)
    return _by_items(known, gamma) if by_items else _by_users(known, gamma)


def solve_mib(users: int, items: int, config: LinearConfig) -> float:
    """Return the peak memory of solving in MiB: the system, and in float64 its copy."""
    size = items if _smaller(users, items, config) == "items" else users
    each = 8 + 4 if size <= _DOUBLE else 4
    return 1.1 * size * size * each / 2**20


def side(shape: tuple[int, int], config: LinearConfig) -> str:
    """Choose the side to solve on: "items" or "users".

    Raises:
        UsageError: Neither fits in memory.
    """
    users, items = shape
    chosen = _smaller(users, items, config)
    need = solve_mib(users, items, config) / 1024
    if need > allowed_gib(config):
        bound = f"linear.max_gib allows {config.max_gib:g}. Raise it, solve"
        if allowed_gib(config) < config.max_gib:
            bound = f"half of this machine's memory is {half_of_memory():.1f}. Solve"
        raise UsageError(
            f"{users:,} users by {items:,} items: solving on the side of the {chosen} takes "
            f"{need:.1f} GiB, and {bound} among "
            "the nearest items of each (linear.nearest=100), drop rare items or users (k_core), or "
            "train the preset ials, item-knn or mult-dae instead"
        )
    return chosen


def allowed_gib(config: LinearConfig) -> float:
    """Return the memory limit of solving in GiB: ``max_gib``, at most half of the process's."""
    return min(config.max_gib, half_of_memory())


def half_of_memory() -> float:
    """Return half of the memory available to this process, in GiB."""
    return memory_limit() / 2**31


def _smaller(users: int, items: int, config: LinearConfig) -> str:
    if config.solve != "auto":
        return config.solve
    return "items" if items <= users else "users"


def _by_items(known: Interactions, gamma: Float64) -> Solved:
    n_items = known.shape[1]
    system = gram(known.weighted(), np.float64 if n_items <= _DOUBLE else np.float32)
    system[np.diag_indices(n_items)] += gamma
    inverse = invert(system)
    diagonal = np.diag(inverse).astype(np.float64)
    np.negative(inverse, out=inverse)
    np.fill_diagonal(inverse, 0.0)
    return Solved(inverse, None, gamma, diagonal)


def _by_users(known: Interactions, gamma: Float64) -> Solved:
    from scipy import sparse

    n_users = known.shape[0]
    weighted = known.weighted()
    half = (weighted @ sparse.diags(1.0 / np.sqrt(gamma))).tocsr()
    system = gram(half.T.tocsr(), np.float64 if n_users <= _DOUBLE else np.float32)
    system[np.diag_indices(n_users)] += 1.0
    kernel = invert(system)
    diagonal = 1.0 / gamma - _quadratic(weighted.tocsc(), kernel) / np.square(gamma)
    weights = UserWeights(
        kernel.astype(np.float32, copy=False),
        weighted.astype(np.float32),
        gamma.astype(np.float32),
        np.ones(len(gamma), dtype=np.float32),
        diagonal.astype(np.float32),
    )
    return Solved(None, weights, gamma, diagonal)


def _quadratic(columns: Any, kernel: Array) -> Float64:
    """Compute y' K y of each column y of a sparse matrix, float64 (columns,)."""
    quadratic = np.zeros(columns.shape[1])
    for at in range(columns.shape[1]):
        part = slice(columns.indptr[at], columns.indptr[at + 1])
        entry_users, values = columns.indices[part], columns.data[part]
        quadratic[at] = values @ (kernel[np.ix_(entry_users, entry_users)] @ values)
    return quadratic
