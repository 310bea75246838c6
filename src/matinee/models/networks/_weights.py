"""The weights of an ensemble's members, fitted on the validation part."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ...base.arrays import Float64, Mask
from ...data import Ratings
from ._fitted import FittedNetwork
from .blend.count_shift import CountShift
from .blend.sampled import SampledMember

Members = Sequence[FittedNetwork | SampledMember]


def fit_weights(
    members: Members,
    entries: list[list[int]],
    predicted: list[Float64],
    base: Float64,
    residuals: Float64,
) -> Float64:
    """Fit the weights of some members, float64 (members,); 0 for the others.

    Args:
        members: All members.
        entries: Numbers of those with a weight; copies, which differ in their seed only, share an
            entry.
        predicted: Predictions of the validation part by each member, (n,).
        base: Those of the bias model, (n,).
        residuals: The ratings minus these, (n,).
    """
    from ...train import fit_blend

    size = len(members)
    means = [np.mean([predicted[m] for m in entry], axis=0) - base for entry in entries]
    deviations = np.column_stack(means) if means else np.zeros((len(base), 0))
    first = [members[entry[0]] for entry in entries]
    shrinkages = [each.shrinkage if isinstance(each, SampledMember) else None for each in first]
    sampled = next((at for at, each in enumerate(shrinkages) if each is not None), None)
    if sampled is None:
        return fit_blend(deviations, residuals, entries, size).weights
    # With few ratings the sampled member's cross-fitted shrinkage is more accurate than any
    # weight fitted here: the others are blended by what they add to it.
    shrinkage = shrinkages[sampled] or 0.0
    center = shrinkage * deviations[:, sampled]
    others = [at for at in range(len(entries)) if at != sampled]
    added = deviations[:, others] - center[:, None]
    blend = fit_blend(added, residuals - center, [entries[at] for at in others], size)
    copies = entries[sampled]
    blend.weights[copies] = shrinkage * (1.0 - blend.weights.sum()) / len(copies)
    return blend.weights


def fit_shift(
    members: Members,
    known: Float64,
    train: Ratings,
    held: Mask,
    deviations: Float64,
    residuals: Float64,
) -> tuple[CountShift | None, Float64]:
    """Fit how the weights depend on counts; also return the shifts of the weights (members, n).

    Args:
        members: All members.
        known: Their weights for known users, float64 (members,).
        train: All training ratings.
        held: Mask of the validation part.
        deviations: The members' deviations from the bias model, float64 (members, n).
        residuals: The ratings minus the bias model's predictions, float64 (n,).
    """
    direction = np.zeros(len(members))
    for by_items, sign in ((True, 1.0), (False, -1.0)):
        side = [
            number
            for number, member in enumerate(members)
            if isinstance(member, FittedNetwork)
            and member.by_items == by_items
            and member.settings.train.teacher == "none"
        ]
        direction[side] = sign / max(len(side), 1)
    if not (direction.max() > 0 > direction.min()) or not known.any():
        return None, np.zeros_like(deviations)
    by_user = train.by_user
    entries = np.flatnonzero(by_user.aligned(held))
    users = by_user.rows_of(entries)
    items = by_user.indices[entries]
    counts = by_user.counts - np.bincount(users, minlength=by_user.n_rows)
    log_users = np.log(np.maximum(counts, 1))[users]
    shift = CountShift.fit(
        direction,
        deviations,
        residuals - known @ deviations,
        np.log(np.maximum(train.by_item.counts, 1)),
        items,
        log_users,
        float(known.sum()),
    )
    return shift, shift.direction[:, None] * shift.of(items, np.maximum(counts, 1)[users])


def disagreement(deviations: Float64, weights: Float64) -> Float64:
    """Return the weighted standard deviation of the members' predictions, float64 (n,)."""
    positive = np.maximum(weights, 0.0)  # a shift by counts may make one negative
    share = positive / np.maximum(positive.sum(axis=0), 1e-12)
    mean = (share * deviations).sum(axis=0)
    return np.sqrt((share * np.square(deviations - mean)).sum(axis=0))
