"""The link of a network with ordinal outputs, fitted before and again after training."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ...base.arrays import Mask
from ...baseline import fit_bias
from ...baseline.ordinal import OrdinalLink, levels_of
from ...data import Histories, Ratings
from ...train import Run, part


def first_link(ratings: Ratings, held: Mask | None, earlier: OrdinalLink | None) -> OrdinalLink:
    """Fit the link used in training to the scores of the bias model.

    It does not depend on the kind of rows, so that teacher and student share latent scores.

    Args:
        ratings: All ratings.
        held: Mask of the validation part, shape (ratings,).
        earlier: The link of a network that is updated, which is kept unless the levels of the
            ratings have changed.

    Raises:
        UsageError: Too few or too many levels.
    """
    levels = levels_of(ratings.values, ratings.name)
    if earlier is not None and earlier.levels == tuple(levels):
        return earlier
    known = ratings.by_user if held is None else part(ratings.by_user, held)[0]
    scores = fit_bias(known).predict(Histories.of(known), known.entry_rows, known.indices)
    return OrdinalLink.fit(scores, known.values, levels, weights=known.relative_weights)


def fit_link_again(run: Run) -> None:
    """Refit the link to the trained network's scores of the validation part, if any.

    Skipped if training ratings have weights: the validation part has none, so the thresholds would
    no longer fit the weighted ratings.
    """
    link = run.inputs.link
    if link is None or not run.valid or run.known.relative_weights is not None:
        return
    with run.threads():
        scores = run.valid.predict(run.network, run.inputs.latent, run.known)
    refitted = OrdinalLink.fit(scores, run.valid.values, np.array(link.levels), link)
    run.inputs = replace(run.inputs, link=refitted)
