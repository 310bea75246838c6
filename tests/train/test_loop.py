"""The training loop: reproducible, its best epoch by validation, and errors where it diverges."""

from __future__ import annotations

from dataclasses import replace
from threading import Event
from typing import Any

import numpy as np
import pytest
import torch
from problems import divide, ratings, run, settings

from matinee.errors import TrainingError, UsageError
from matinee.train import Epoch, Run, TrainConfig, train
from matinee.train.config import rows_per_step

FULL: dict[str, Any] = {
    "epochs": 6,
    "batch_size": 16,
    "learning_rate": 0.02,
    "objective": "conditional",
    "input": "presence",
    "code_dropout": 0.2,
}


def split(share: float = 0.3) -> tuple[Any, Any]:
    return divide(ratings(), share, np.random.default_rng(8))


def weights(done: Run) -> dict[str, np.ndarray]:
    return {name: array.copy() for name, array in done.network.arrays().items()}


def trained(done: Run) -> list[Epoch]:
    return list(train(done))


def same(one: Run, two: Run) -> bool:
    left, right = weights(one), weights(two)
    return all(np.array_equal(left[name], right[name]) for name in left)


@pytest.mark.parametrize("options", [FULL, {}, {"batch_norm": True, "batch_size": 7}], ids=str)
def test_the_seed_decides_every_bit(options: dict[str, Any]) -> None:
    runs = [run(settings(**options), seed=seed) for seed in (4, 4, 5)]
    histories = [trained(one) for one in runs]
    assert same(runs[0], runs[1])
    assert not same(runs[0], runs[2])
    for one, two in zip(histories[0], histories[1], strict=True):
        assert one.loss == two.loss
        assert one.train_rmse == two.train_rmse


def test_watching_changes_nothing() -> None:
    kept, out = split()
    chosen = settings(**{**FULL, "validation": 0.1})
    plain, watched = run(chosen, csr=kept), run(chosen, csr=kept, watch={"out": out, "in": kept})
    assert all(not epoch.watched for epoch in trained(plain))
    history = trained(watched)
    assert same(plain, watched)
    assert [set(epoch.watched) for epoch in history] == [{"out", "in"}] * 6
    assert all(epoch.watched["in"] != epoch.watched["out"] for epoch in history)
    assert watched.best_epoch == 0


def test_metrics_of_an_epoch() -> None:
    kept, out = split()
    state = run(settings(epochs=3, batch_size=16, learning_rate=0.01), csr=kept, valid=out)
    history = trained(state)
    assert [epoch.epoch for epoch in history] == [1, 2, 3]
    assert history == state.history
    for epoch in history:
        assert epoch.learning_rate == 0.01
        assert epoch.seconds > 0
        assert epoch.ratings_per_second == pytest.approx(len(kept.values) / epoch.seconds)
        assert epoch.train_rmse**2 <= epoch.loss  # a mean of roots
        assert set(epoch.as_dict()) == set(Epoch.__dataclass_fields__)
    assert history[2].loss < history[0].loss


def test_train_rmse_is_the_mean_over_batches_before_each_step() -> None:
    chosen = settings(epochs=1, batch_size=20, learning_rate=0.01)
    state, again = run(chosen), run(chosen)
    steps: list[float] = []
    real = again.backend.step
    again.backend.step = lambda *a: steps.append(real(*a)) or steps[-1]  # type: ignore
    epoch = trained(state)[0]
    trained(again)
    assert len(steps) == 3
    assert epoch.train_rmse == pytest.approx(np.sqrt(steps).mean(), rel=1e-12)
    assert epoch.loss == pytest.approx(np.mean(steps), rel=1e-12)


OVERFITS: dict[str, Any] = {
    "epochs": 60,
    "batch_size": 8,
    "learning_rate": 3e-3,
    "hidden": [32],
    "validation": 0.2,
}


def test_the_best_epoch_comes_back() -> None:
    kept, out = split()
    state = run(settings(**{**OVERFITS, "epochs": 25}), csr=kept, valid=out)
    seen = []
    for epoch in train(state):
        assert epoch.valid_rmse is not None
        seen.append((epoch.valid_rmse, weights(state)))
    scores = [score for score, _ in seen]
    best = int(np.argmin(scores))
    assert 0 < best < 24  # it overfits, after it has learned something
    assert state.best_epoch == best + 1
    assert all(np.array_equal(seen[best][1][name], array) for name, array in weights(state).items())
    assert state.valid is not None
    assert state.valid.rmse(state.network, state.inputs, state.known) == min(scores)


def test_patience_stops_and_no_patience_does_not() -> None:
    kept, out = split()
    patient = run(settings(**OVERFITS, patience=4), csr=kept, valid=out)
    history = trained(patient)
    assert len(history) == patient.best_epoch + 4 < 60
    assert patient.done
    scores = [epoch.valid_rmse for epoch in history]
    assert min(scores) == scores[patient.best_epoch - 1]  # type: ignore[type-var]
    # The same run without patience is the same up to there, and goes on.
    endless = run(settings(**{**OVERFITS, "epochs": 30}), csr=kept, valid=out)
    longer = trained(endless)
    assert len(longer) == 30
    assert [epoch.valid_rmse for epoch in longer][: len(scores)] == scores


def test_without_a_validation_part_the_last_epoch_stays() -> None:
    state = run(settings(epochs=3))
    last: dict[str, np.ndarray] = {}
    for epoch in train(state):
        last = weights(state)
        assert epoch.valid_rmse is None
    assert state.best_epoch == 0
    assert all(np.array_equal(last[name], array) for name, array in weights(state).items())


def test_stopping_between_epochs_and_coming_back() -> None:
    chosen = settings(**FULL)
    whole, parted = run(chosen), run(chosen)
    trained(whole)
    for epoch in train(parted):
        if epoch.epoch == 2:
            break
    assert len(parted.history) == 2
    assert [epoch.epoch for epoch in train(parted)] == [3, 4, 5, 6]
    assert same(whole, parted)
    assert trained(parted) == []


def test_stopping_within_an_epoch(monkeypatch: pytest.MonkeyPatch) -> None:
    """By another thread: no step follows, and the epoch is not reported."""
    going, stop, steps = run(settings(**FULL)), Event(), []
    step = going.backend.step

    def counted(*args: Any) -> float:
        steps.append(args)
        if len(steps) == len(going.cuts) + 2:
            stop.set()
        return step(*args)

    monkeypatch.setattr(going.backend, "step", counted)
    assert [epoch.epoch for epoch in train(going, stop)] == [1]
    assert len(steps) == len(going.cuts) + 2
    assert len(going.history) == 1


@pytest.mark.parametrize("options", [{"learning_rate": 1e6, "optimizer": "sgd"}, {"l2": 9e9}])
@pytest.mark.filterwarnings("ignore:overflow")
def test_divergence_stops_with_advice(options: dict[str, Any]) -> None:
    state = run(settings(**{"epochs": 50, "batch_size": 8, "learning_rate": 1e3, **options}))
    with pytest.raises(
        TrainingError, match=r"training diverged: the loss is .* at epoch"
    ) as caught:
        trained(state)
    for advice in ("lower learning_rate", f"now {state.config.learning_rate:g}", "warmup"):
        assert advice in str(caught.value)


@pytest.mark.parametrize("rows", [15, 17, 33])
def test_batch_norm_never_gets_one_row(rows: int) -> None:
    state = run(settings(batch_norm=True, batch_size=16, epochs=2), csr=ratings(rows=rows))
    sizes = np.diff([*state.cuts, rows])
    assert sizes.sum() == rows
    assert sizes.min() >= 2
    assert np.isfinite([epoch.loss for epoch in trained(state)]).all()


def test_batch_norm_over_one_row_is_refused() -> None:
    with pytest.raises(UsageError, match=r"batch_norm.*batch_size"):
        settings(batch_norm=True, batch_size=1)


def test_rows_without_ratings_are_no_batch() -> None:
    csr = ratings()
    some = csr.counts.copy()
    mask = np.repeat(np.arange(csr.n_rows) % 3 != 0, some)
    kept = np.concatenate([[0], np.cumsum(mask)])[csr.indptr]
    part = type(csr)(kept.astype(np.int64), csr.indices[mask], csr.values[mask], None, 90)
    state = run(settings(batch_size=10), csr=part)
    assert state.rows.tolist() == [r for r in range(60) if r % 3]
    assert len(state.cuts) == 4
    assert np.isfinite([epoch.loss for epoch in trained(state)]).all()


def test_the_automatic_batch_size() -> None:
    config = TrainConfig.make({"batch_size": "auto"})
    sizes = [rows_per_step(config, rows) for rows in (1, 60, 943, 6040, 480_189)]
    assert sizes == [16, 16, 64, 512, 512]
    assert rows_per_step(TrainConfig.make({"batch_size": 7}), 6040) == 7
    with pytest.raises(UsageError, match="batch_size"):
        TrainConfig.make({"batch_size": "automatic"})
    assert len(run(settings(batch_size="auto")).cuts) == 4


def test_in_float64_as_in_float32() -> None:
    chosen = settings(**{**FULL, "code_dropout": 0.0})
    single, double = run(chosen), run(chosen, dtype=torch.float64)
    # From the same weights: the two draw theirs differently.
    double.network.load_arrays(
        {n: a.astype(np.float64) for n, a in single.network.arrays().items()}
    )
    losses = [[epoch.loss for epoch in trained(one)] for one in (single, double)]
    assert np.allclose(*losses, rtol=1e-4)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"patience": 3}, "patience needs a validation share"),
        ({"schedule": "step"}, "a step schedule needs milestones"),
        ({"epochs": 0}, "epochs = 0"),
        ({"learning_rate": 0}, "learning_rate = 0"),
        ({"validation": 1}, "validation = 1"),
        ({"momentum": 1}, "momentum = 1"),
        ({"optimizer": "lion"}, "optimizer = 'lion'"),
        ({"learning_rat": 1}, "did you mean 'learning_rate'"),
    ],
    ids=str,
)
def test_options_that_make_no_training(options: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        TrainConfig.make(options)


def test_l2_against_the_sum_is_divided_by_the_ratings() -> None:
    csr = ratings()
    by_sum = run(settings(l2=0.5, l2_against="sum"), csr=csr)
    by_mean = run(settings(l2=0.5 / len(csr.values)), csr=csr)
    plain = run(settings(), csr=csr)
    losses = [[epoch.loss for epoch in train(one)] for one in (by_sum, by_mean, plain)]
    assert losses[0] == losses[1]
    assert losses[0] != losses[2]


def test_batches_are_drawn_at_random_and_anew() -> None:
    state = run(settings(epochs=2, batch_size=8))
    seen: list[np.ndarray] = []
    batch = state.batch
    state.batch = lambda rows, **options: (seen.append(rows), batch(rows, **options))[1]  # type: ignore[method-assign]
    list(train(state))
    first, second = np.split(np.concatenate(seen), 2)
    assert sorted(first) == sorted(second) == sorted(state.rows)
    assert first.tolist() != sorted(first)
    assert first.tolist() != second.tolist()


def test_weights_with_the_score_of_the_bias_model_are_not_copied() -> None:
    noise = replace(ratings(), values=np.random.default_rng(3).permutation(ratings().values))
    kept, out = divide(noise, 0.3, np.random.default_rng(8))
    chosen = settings(center="bias", shrink=True, epochs=20, validation=0.3, keep="settled")
    last = run(chosen, csr=kept, valid=out)
    trained(last)
    assert last.best == {}
    assert last.best_epoch == len(last.history)
    first = run(chosen.replace({"keep": "best"}), csr=kept, valid=out)
    trained(first)
    assert set(first.best) == set(first.network.arrays())
    assert first.best_epoch == 1


def test_training_stops_if_every_score_is_that_of_the_bias_model(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nothing can be learned from ratings that are noise."""
    noise = replace(ratings(), values=np.random.default_rng(3).permutation(ratings().values))
    kept, out = divide(noise, 0.3, np.random.default_rng(8))
    chosen = settings(center="bias", shrink=True, epochs=20, validation=0.3)
    state = run(chosen, csr=kept, valid=out)
    history = trained(state)
    assert len({epoch.valid_rmse for epoch in history}) == 1
    assert len(history) == 8
    state.history[1] = replace(history[1], valid_rmse=0.5)
    assert not state.done
    few = run(chosen.replace({"epochs": 5}), csr=kept, valid=out)
    assert len(trained(few)) == 4  # as many epochs as the decision needs
    density = len(kept.indices) ** 2 / (kept.n_rows * kept.n_columns)
    monkeypatch.setattr("matinee.train.run.SHARE_BY_DENSITY", 0.24 / density)
    assert len(trained(run(chosen, csr=kept, valid=out))) == 5
    rarely = run(chosen.replace({"score_every": 4}), csr=kept, valid=out)
    assert len(trained(rarely)) == 8
    monkeypatch.setattr("matinee.train.run.SPARSE", density)
    assert len(trained(run(chosen, csr=kept, valid=out))) == 20


def test_the_ratings_of_all_processes_decide_whether_data_is_sparse(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    noise = replace(ratings(), values=np.random.default_rng(3).permutation(ratings().values))
    kept, out = divide(noise, 0.3, np.random.default_rng(8))
    chosen = settings(center="bias", shrink=True, epochs=20, validation=0.3)
    state = run(chosen, csr=kept, valid=out)
    trained(state)
    density = len(kept.indices) ** 2 / (kept.n_rows * kept.n_columns)
    monkeypatch.setattr("matinee.train.run.SPARSE", 2 * density)
    monkeypatch.setattr("matinee.train.run.SHARE_BY_DENSITY", 0.0)
    assert state.done
    state.counts = 2 * state.counts  # another process has as many: four times the density
    assert not state.done
