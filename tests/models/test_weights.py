"""Training on weighted ratings."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import matinee
from matinee.baseline.bias import fit_bias
from matinee.data import Ratings
from matinee.data.values.weights import weighted_by_age
from matinee.errors import DataError, UsageError
from matinee.models import Autoencoder, load_model
from matinee.testing import all_pairs, sample

pytestmark = pytest.mark.usefixtures("one_thread")

DAY = 86_400
OPTIONS: dict[str, Any] = {
    "hidden": [4],
    "batch_size": 16,
    "epochs": 2,
    "teacher": "none",
    "validation": 0.1,
    "interest": "popularity",
    "device": "cpu",
}


def timed() -> Ratings:
    plain = sample()
    days = np.random.default_rng(0).integers(0, 400, len(plain))
    return replace(plain, times=days * DAY)


def fitted(train: Ratings, **options: Any) -> Autoencoder:
    made = Autoencoder("default", **{**OPTIONS, **options})
    return made.fit(train, seed=1, progress=False)


def answers(model: Any) -> Any:
    return model.predict(*all_pairs(sample()))


def test_a_half_life_is_weights_by_age(tmp_path: Path) -> None:
    aged = fitted(timed(), half_life=50.0)
    weighted = weighted_by_age(timed(), 50.0)
    by_weights = fitted(weighted)
    assert np.array_equal(answers(aged), answers(by_weights))
    assert np.abs(answers(aged) - answers(fitted(timed()))).max() > 0.01
    assert np.array_equal(aged.weights, weighted.by_user.weights)
    again = load_model(aged.save(tmp_path / "model"))
    assert np.array_equal(again.weights, aged.weights)
    assert np.array_equal(answers(again), answers(aged))
    assert load_model(aged.save(tmp_path / "bare", histories=False)).weights is None


def test_equal_weights_are_none() -> None:
    equal = replace(sample(), weights=np.full(len(sample()), 3.0, dtype=np.float32))
    assert np.array_equal(answers(fitted(equal)), answers(fitted(sample())))


def test_batches_weigh_their_ratings_the_teacher_not() -> None:
    from matinee.models.networks.trainer import Trainer
    from matinee.train import RunContext

    weighted = weighted_by_age(timed(), 50.0)
    settings = Autoencoder("default", **{**OPTIONS, "validation": 0, "objective": "reconstruct"})
    run = Trainer(weighted, settings.settings, 1, RunContext()).run
    batch = run.batch(np.array([7, 2]), salt=0)
    csr = weighted.by_user
    assert csr.weights is not None
    wanted = np.concatenate([csr.weights[csr.indptr[r] : csr.indptr[r + 1]] for r in (7, 2)])
    np.testing.assert_allclose(batch.weight, wanted / csr.weights.mean(), rtol=1e-6)
    assert batch.weight.dtype == batch.target.dtype


def test_an_update_goes_on_with_the_weights() -> None:
    whole = timed()
    old = whole.times < 300 * DAY  # type: ignore[operator]
    model = fitted(whole.take(old), half_life=50.0, epochs=1)
    model.update(whole.take(~old), epochs=1, progress=False)
    wanted = weighted_by_age(whole, 50.0).by_user.weights
    assert wanted is not None
    assert model.weights == pytest.approx(wanted, rel=1e-5)
    assert model.provenance.newest == int(whole.times.max())  # type: ignore[union-attr]


def test_refusals(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="half_life weighs ratings by their age"):
        fitted(sample(), half_life=50.0)
    weighted = weighted_by_age(timed(), 50.0)
    with pytest.raises(UsageError, match="the model biased-mf takes no weights of ratings"):
        matinee.model("biased-mf").fit(weighted)
    wrong = replace(weighted, weights=np.zeros(len(weighted), dtype=np.float32))
    with pytest.raises(UsageError, match="a weight is not above 0"):
        fitted(wrong)
    short: Any = [1.0, 2.0]
    with pytest.raises(UsageError, match=r"one for each rating, not float64 of the shape \(2,\)"):
        fitted(replace(weighted, weights=short))


def test_a_run_with_other_weights_is_not_resumed(tmp_path: Path) -> None:
    class StopError(Exception):
        pass

    def stop(epoch: Any) -> None:
        raise StopError

    def run(weights: np.ndarray, **options: Any) -> Autoencoder:
        train = replace(sample(), weights=weights)
        made = Autoencoder("default", **OPTIONS)
        return made.fit(train, seed=1, progress=False, folder=tmp_path / "run", **options)

    weights = np.linspace(0.5, 2.0, len(sample()), dtype=np.float32)
    with pytest.raises(StopError):
        run(weights, on_epoch=stop)
    with pytest.raises(UsageError, match="the weights changed since it was made"):
        run(weights[::-1].copy(), resume=True)
    again = run(weights, resume=True)
    assert np.array_equal(answers(again), answers(fitted(replace(sample(), weights=weights))))


def test_the_bias_model_takes_weights() -> None:
    weighted = weighted_by_age(timed(), 50.0)
    bias = matinee.Bias().fit(weighted)
    assert np.array_equal(bias.bias.item_bias, fit_bias(weighted).item_bias)
    assert np.abs(answers(bias) - answers(matinee.Bias().fit(timed()))).max() > 0.01
