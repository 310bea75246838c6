"""``SampledMember``: a Bayesian factorisation machine as a member of an ensemble."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from ....base.arrays import Array, Float32, Float64, Int32, Int64, State, without_prefix
from ....data import Histories, Ratings, SideColumns
from ....train.bayes.config import BayesianConfig
from ....train.bayes.cross_fit import FEW, cross_fit
from ....train.bayes.posterior import Posterior
from ....train.bayes.run import sample_posterior
from ...settings import Settings

if TYPE_CHECKING:
    from ....base.arrays import Mask
    from ....train import Epoch


@dataclass(eq=False)
class SampledMember:
    """A sampled factorisation machine, which predicts alike for known and new users.

    Attributes:
        settings: The options it was trained with.
        posterior: Its samples.
        shrinkage: Shrinkage coefficient by cross-fitting; None where there were
            ratings enough to do without, and of a loaded member.
    """

    by_items: ClassVar = False
    epochs: ClassVar[tuple[Epoch, ...]] = ()  # sweeps are not logged in an ensemble
    teacher_epochs: ClassVar[tuple[Epoch, ...]] = ()

    settings: Settings
    posterior: Posterior
    shrinkage: float | None = None

    @classmethod
    def fit(cls, train: Ratings, settings: Settings, seed: int, held: Mask | None) -> Self:
        """Sample from the ratings outside the validation part."""
        from ....train import shrinkage_coefficient

        known, shrinkage = train if held is None else train.take(~held), None
        config, rng = settings.section(BayesianConfig), np.random.default_rng(seed)
        if len(train) < FEW:
            mean, _, base = cross_fit(known, config, rng)
            residuals = known.by_user.values - base
            shrinkage = shrinkage_coefficient(mean - base, residuals)
        return cls(settings, sample_posterior(known, config, rng), shrinkage)

    @property
    def side_columns(self) -> tuple[SideColumns | None, SideColumns | None]:
        """See ``Hooks``."""
        return self.posterior.side_columns

    @property
    def best_epoch(self) -> int:
        """Number of sweeps."""
        return self.settings.section(BayesianConfig).sweeps

    @property
    def n_parameters(self) -> int:
        """Number of stored values of all samples."""
        return sum(array.size for array in self.posterior.state()[0].values())

    def predict(self, histories: Histories, rows: Int64, items: Int32) -> Float64:
        """Return predicted ratings, as ``Hooks._predict``."""
        return self.posterior.predict(histories, rows, items)[0]

    def scores(self, histories: Histories) -> Float32:
        """Return predicted ratings of all items, as ``Hooks._scores``."""
        return self.posterior.scores(histories)

    def encode(self, histories: Histories) -> Float32:
        """Return no codes, float32 (users, 0)."""
        return np.zeros((len(histories), 0), dtype=np.float32)

    def state(self) -> State:
        """Return arrays by name and a JSON-serialisable configuration, for ``restore``."""
        arrays, rest = self.posterior.state()
        tensors = {f"posterior.{name}": array for name, array in arrays.items()}
        return tensors, {"settings": self.settings.model_dump(mode="json"), **rest}

    @classmethod
    def restore(cls, tensors: dict[str, Array], config: dict[str, Any]) -> Self:
        """Restore from the output of ``state``."""
        posterior = Posterior.restore(without_prefix("posterior.", tensors), config)
        return cls(Settings.make(config["settings"], "model"), posterior)
