"""The Bayesian factorisation machine, trained by Gibbs sampling."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from ...base.arrays import Array, Float32, Float64, Int32, Int64, without_prefix
from ...baseline.variance import HeldOutPredictions, Source
from ...data import Histories, Ratings, SideColumns
from ...train.bayes.config import BayesianConfig
from ...train.bayes.cross_fit import FEW, cross_fit, held_out_predictions
from ...train.bayes.posterior import Posterior
from ...train.bayes.run import Score, sample_posterior
from ...train.bayes.sampler import rank_for
from ...train.config import validation_share
from ..one_shot import EpochLog, OneShot
from ..registry import ModelKind, around
from ..settings import Settings


class BayesianFM(OneShot):
    """A Bayesian factorisation machine over ids and implicit features, trained by Gibbs sampling.

    With ``columns``, side information about users and items is included as features.

    Rendle's factorisation machine (2010) with the features of SVD++ on both sides (the items that a
    user has rated, the users that have rated an item), hyperpriors as in Freudenthaler,
    Schmidt-Thieme & Rendle (2011) and, for ratings of few levels, an ordered probit. Rendle, Zhang
    & Koren (2019) measured models of this kind on MovieLens. A prediction is the mean over a
    thinned set of samples; in each, a user's factors are the conditional mean given their ratings
    (fold-in), for known and new users alike. With ``columns``, new users have the mean of the
    training users in place of their own columns.

    Deviations from the bias model are shrunk by a coefficient fitted on a validation part.

    Args:
        preset: "bayesian" (the default), or path of a TOML file with ``kind = "bayesian"``.
        settings: All options, instead of a preset; the section ``bayesian`` applies.
        device: Accepted for compatibility; the model runs on the CPU.
        **overrides: Single options by name, over the preset: ``rank=20``.

    Attributes:
        settings: The options.
        posterior: The samples, after ``fit``.
        shrinkage: Shrinkage coefficient of the deviations from the bias model, 1 for none.
        epochs: Metrics of every sweep, each computed from its own sample only.
        n_valid: Ratings that the coefficient was fitted on: the validation part or, below 50,000
            ratings, all of them by cross-fitting.
    """

    kind: ClassVar[str] = "bayesian"

    posterior: Posterior

    def _learn(self, train: Ratings, rng: np.random.Generator, log: EpochLog) -> None:
        from ...train import hold_out_ratings, shrinkage_coefficient

        def swept(rmse: float, score: Score) -> None:
            log.add(rmse**2, rmse, score)

        config = self.settings.section(BayesianConfig)
        by_user = train.by_user
        if config.validation == "auto" and len(train) < FEW:
            entries = np.arange(len(train))
            mean, variance, base = cross_fit(train, config, rng)
            source: Source = "cross-fitting"
            self.posterior = sample_posterior(train, config, rng, swept)
        else:
            kept_out = validation_share(config.validation, len(train))
            held = np.zeros(len(train), dtype=bool)
            if kept_out:
                held = hold_out_ratings(train, kept_out, rng)
            self.posterior = sample_posterior(train.take(~held), config, rng, swept)
            entries = np.flatnonzero(by_user.aligned(held))
            mean, variance, base = held_out_predictions(self.posterior, train, held)
            source = "validation"
        self.shrinkage, self.n_valid = 1.0, len(entries)
        if not len(entries):
            return
        wanted = by_user.values[entries] - base
        self.shrinkage = shrinkage_coefficient(mean - base, wanted)
        shrunk = base + self.shrinkage * (mean - base)
        self._validation = HeldOutPredictions(entries, shrunk, source, self._extras(variance))

    def _extras(self, variance: Float64) -> Float64:
        """Return the posterior variance as covariate of the predictive variance, float64 (n, 1).

        Standard deviations below a hundredth of the scale count as that.
        """
        unit = max(self.scale.high - self.scale.low, 1e-12)
        return np.log(variance / unit**2 + 1e-4)[:, None]

    def _predict(self, histories: Histories, rows: Int64, items: Int32) -> Float64:
        return self._predict_with(histories, rows, items)[0]

    def _predict_with(
        self, histories: Histories, rows: Int64, items: Int32, predicted: Float64 | None = None
    ) -> tuple[Float64, Float64 | None]:
        base = self.bias.predict(histories, rows, items)
        mean, variance = self.posterior.predict(histories, rows, items)
        return base + self.shrinkage * (mean - base), self._extras(variance)

    def _scores(self, histories: Histories) -> Float32:
        scores = self.bias.scores(histories)
        scores += np.float32(self.shrinkage) * (self.posterior.scores(histories) - scores)
        return scores

    @property
    def side_columns(self) -> tuple[SideColumns | None, SideColumns | None]:
        """See ``Hooks``."""
        return self.posterior.side_columns

    def _arrays(self) -> dict[str, Array]:
        return {f"posterior.{name}": array for name, array in self.posterior.state()[0].items()}

    def _values(self) -> dict[str, Any]:
        return {"share": self.shrinkage, "n_valid": self.n_valid, **self.posterior.state()[1]}

    def _load(self, arrays: dict[str, Array], config: dict[str, Any]) -> None:
        self.posterior = Posterior.restore(without_prefix("posterior.", arrays), config)
        self.shrinkage, self.n_valid = float(config["share"]), int(config["n_valid"])


def _seconds(settings: Mapping[str, Any], users: int, ratings: int) -> float:
    options = settings["bayesian"]
    rank = rank_for(ratings) if options["rank"] == "auto" else int(options["rank"])
    return 1.0 + 2e-8 * ratings * rank * int(options["sweeps"]) * int(options["chains"])


def _shortened(settings: Settings, epochs: int) -> dict[str, Any]:
    options = settings.section(BayesianConfig)
    sweeps = max(min(options.sweeps, epochs), 2)
    return {"bayesian.sweeps": sweeps, "bayesian.burn_in": min(options.burn_in, sweeps // 2)}


def _space(settings: Settings) -> dict[str, Any]:
    options = settings.section(BayesianConfig)
    rank = 12 if options.rank == "auto" else options.rank
    return {
        "bayesian.rank": around(rank, 4.0, 4.0, least=1),
        "bayesian.likelihood": {"choices": ["auto", "normal"]},
    }


KINDS = (
    ModelKind(
        name="bayesian",
        cls=BayesianFM,
        summary="Bayesian factorisation machine over ids and implicit features, by Gibbs sampling.",
        settings=BayesianConfig,
        epochs=lambda settings: int(settings["bayesian"]["sweeps"]),
        cost=_seconds,
        shorten=_shortened,
        space=_space,
    ),
)
