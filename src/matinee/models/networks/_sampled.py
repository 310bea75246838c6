"""``SampledMember``: a Bayesian factorisation machine as a member of an ensemble."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import numpy.typing as npt

from ...base.arrays import Float32, Float64, Int32, Int64
from ...data import Histories, Ratings
from ...train.bayes.config import BayesianConfig
from ...train.bayes.posterior import Posterior
from ...train.bayes.run import sample_posterior
from ..settings import Settings

if TYPE_CHECKING:
    from ...base.arrays import Mask
    from ...train import Epoch


@dataclass(eq=False)
class SampledMember:
    """A sampled factorisation machine, which predicts for new users as for those trained on.

    Attributes:
        settings: The options it was trained with.
        posterior: Its samples.
    """

    settings: Settings
    posterior: Posterior

    @classmethod
    def fit(cls, train: Ratings, settings: Settings, seed: int, held: Mask | None) -> Self:
        """Sample from the ratings outside the validation part."""
        known = train if held is None else train.take(~held)
        config = settings.section(BayesianConfig)
        return cls(settings, sample_posterior(known, config, np.random.default_rng(seed)))

    @property
    def by_items(self) -> bool:
        """See ``Member``."""
        return False

    @property
    def has_codes(self) -> bool:
        """See ``Member``."""
        return False

    @property
    def epochs(self) -> list[Epoch]:
        """No epochs: sweeps are not logged in an ensemble."""
        return []

    @property
    def teacher_epochs(self) -> list[Epoch]:
        """None, as there is no teacher."""
        return []

    @property
    def best_epoch(self) -> int:
        """Number of sweeps."""
        return self.settings.section(BayesianConfig).sweeps

    @property
    def n_parameters(self) -> int:
        """Stored numbers of all samples."""
        return sum(array.size for array in self.posterior.state()[0].values())

    def predict(self, histories: Histories, rows: Int64, items: Int32) -> Float64:
        """Predicted ratings, as ``Recommender._predict``."""
        return self.posterior.predict(histories, rows, items)[0]

    def scores(self, histories: Histories) -> Float32:
        """Predicted ratings of all items, as ``Recommender._scores``."""
        return self.posterior.scores(histories)

    def encode(self, histories: Histories) -> Float32:
        """No codes, float32 (users, 0)."""
        return np.zeros((len(histories), 0), dtype=np.float32)

    def validation_predictions(self, train: Ratings, held: Mask, base: Float64) -> Float64:
        """Predictions of the validation part, without it, float64 (n,), in the order of by_user.

        Args:
            train: All training ratings.
            held: Which are the validation part.
            base: Predictions for users with no other ratings, (n,).
        """
        known = Histories.of(train.take(~held).by_user)
        by_user = train.by_user
        entries = np.flatnonzero(by_user.aligned(held))
        rows = np.repeat(np.arange(by_user.n_rows), by_user.counts)[entries]
        some = known.counts[rows] > 0
        predictions = base.copy()
        predictions[some] = self.predict(known, rows[some], by_user.indices[entries][some])
        return predictions

    def state(self) -> tuple[dict[str, npt.NDArray[Any]], dict[str, Any]]:
        """Arrays by name, and a JSON-able configuration, to make the same again."""
        arrays, rest = self.posterior.state()
        tensors = {f"posterior.{name}": array for name, array in arrays.items()}
        return tensors, {"settings": self.settings.model_dump(mode="json"), **rest}

    @classmethod
    def restore(cls, tensors: dict[str, npt.NDArray[Any]], config: dict[str, Any]) -> Self:
        """From what ``state`` returned."""
        own = {name.removeprefix("posterior."): array for name, array in tensors.items()}
        return cls(Settings.make(config["settings"], "model"), Posterior.restore(own, config))
