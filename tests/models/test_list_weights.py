"""List models trained on weighted interactions."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import matinee
from matinee.data import Histories, Ratings
from matinee.data.values.weights import weighted_by_age
from matinee.errors import DataError
from matinee.models import load_model
from matinee.models.kinds.popularity import Popularity
from matinee.testing import sample

pytestmark = pytest.mark.usefixtures("one_thread")

DAY = 86_400
NET = {"lists.net.epochs": 3, "lists.net.hidden": [8]}
MODELS: dict[str, tuple[str, dict[str, Any]]] = {
    "ease": ("ease", {"penalty": 5.0}),
    "by users": ("ease", {"penalty": 5.0, "solve": "users"}),
    "nearest": ("ease", {"penalty": 5.0, "lists.linear.nearest": 10}),
    "tilted": ("ease", {"penalty": 5.0, "tilt": 0.3, "denoising": 0.3}),
    "ials": ("ials", {"factors": 8, "sweeps": 4}),
    "item-knn": ("item-knn", {"shrinkage": 1.0}),
    "bm25": ("item-knn", {"weighting": "bm25"}),
    "bspm": ("bspm", {"singular_vectors": 8}),
    "mult-dae": ("mult-dae", NET),
    "recvae": (
        "recvae",
        {f"lists.recvae.{n}": v for n, v in (("hidden", 8), ("latent", 4), ("rounds", 2))},
    ),
    "lists": ("lists", NET),
    "popularity": ("", {}),
}
UNWEIGHTED_INPUT = ("mult-dae", "recvae", "popularity", "lists")
"""Models whose lists do not depend on the weights of the history in use; on this sample, where
nothing is better, ``lists`` is popularity."""


def made(name: str) -> Any:
    preset, options = MODELS[name]
    return matinee.model(preset, **options) if preset else Popularity()


def weighted(factor: float = 1.0) -> Ratings:
    plain = sample()
    each = np.random.default_rng(1).exponential(factor, len(plain)).astype(np.float32)
    return replace(plain, weights=each + np.float32(0.01 * factor))


def timed() -> Ratings:
    plain = sample()
    days = np.random.default_rng(0).integers(0, 400, len(plain))
    return replace(plain, times=days * DAY)


def scores(model: Any, histories: Histories | None = None) -> np.ndarray:
    return np.asarray(model.interest.scores(model.histories if histories is None else histories))


@pytest.mark.parametrize("name", MODELS)
def test_weights_of_one_change_no_bit(name: str) -> None:
    ones = replace(sample(), weights=np.ones(len(sample()), np.float32))
    plain, same = made(name).fit(sample(), seed=1), made(name).fit(ones, seed=1)
    assert np.array_equal(scores(plain), scores(same))
    assert np.array_equal(plain.bias.item_bias, same.bias.item_bias)
    assert (plain.love, plain.floor, plain.choice_rate) == (same.love, same.floor, same.choice_rate)


@pytest.mark.parametrize("name", MODELS)
def test_only_ratios_of_weights_matter_and_a_folder_keeps_them(name: str, tmp_path: Path) -> None:
    one = made(name).fit(weighted(), seed=1)
    assert np.abs(scores(one) - scores(made(name).fit(sample(), seed=1))).max() > 1e-4
    times_eight = replace(weighted(), weights=weighted().weights * np.float32(8.0))  # type: ignore[operator]
    assert np.array_equal(scores(one), scores(made(name).fit(times_eight, seed=1)))
    back = load_model(one.save(tmp_path / "model"))
    assert back.interest is not None
    assert one.interest is not None
    assert back.interest.unit == one.interest.unit != 1.0
    assert np.array_equal(scores(back), scores(one))


@pytest.mark.parametrize("name", MODELS)
def test_a_history_with_weights_is_that_of_training(name: str) -> None:
    model = made(name).fit(weighted(), seed=1)
    user = sample().user_ids.ids[7]
    own = weighted().take(weighted().users == 7)
    known = model.recommend(users=[user], k=8)
    new = model.recommend(own, k=8)
    assert new["item_id"].tolist() == known["item_id"].tolist()
    np.testing.assert_array_equal(new["score"], known["score"])
    plain = scores(model, model._people(replace(own, weights=None), "error").histories)
    changed = np.abs(plain - scores(model, model.histories.take([7]))).max() > 1e-6
    assert changed == (name not in UNWEIGHTED_INPUT)


def test_the_members_that_are_chosen_among_are_weighted() -> None:
    """People of three tastes, whose newer choices weigh more."""
    rng = np.random.default_rng(0)
    own = np.arange(300)[:, None] % 3 == np.arange(60)[None] % 3
    users, items = np.nonzero(rng.random((300, 60)) < np.where(own, 0.3, 0.03))
    plain = Ratings.from_arrays(users, items)
    each = rng.exponential(1.0, len(users)).astype(np.float32) + np.float32(0.01)
    model = matinee.model("lists", **NET).fit(replace(plain, weights=each), seed=1)
    assert model.interest is not None
    assert model.interest.name in ("linear", "blend")
    some = model.histories.take(np.arange(30))
    whole = replace(some, weights=None)
    assert np.abs(scores(model, some) - scores(model, whole)).max() > 1e-3
    one = model._people(replace(plain, weights=each).take(users == 4), "error").histories
    np.testing.assert_array_equal(scores(model, one)[0], scores(model, some)[4])


def test_a_history_without_weights_weighs_one_each() -> None:
    model = made("ials").fit(weighted(20.0), seed=1)
    own = sample().take(sample().users == 7)
    ones = replace(own, weights=np.ones(len(own), np.float32))
    plain, same = (scores(model, model._people(each, "error").histories) for each in (own, ones))
    assert np.array_equal(plain, same)
    # In training the mean weight is that of one interaction: these are a twentieth of it.
    assert np.abs(plain - scores(made("ials").fit(sample(), seed=1), Histories.of(own.by_user)))[
        7
    ].max() > (1e-3)


def test_the_closed_form_has_the_roots_of_the_weights_as_entries() -> None:
    ratings = weighted()
    model = matinee.model("ease", penalty=5.0).fit(ratings)
    x = np.zeros((ratings.n_users, ratings.n_items))
    assert ratings.weights is not None
    x[ratings.users, ratings.items] = np.sqrt(ratings.weights / ratings.weights.mean(dtype=float))
    p = np.linalg.inv(x.T @ x + 5.0 * np.eye(ratings.n_items))
    b = -p / np.diag(p)
    np.fill_diagonal(b, 0.0)
    np.testing.assert_allclose(scores(model), x @ b, atol=1e-4)


def test_popularity_adds_the_weights() -> None:
    ratings = weighted()
    model = Popularity().fit(ratings)
    assert ratings.weights is not None
    sums = np.bincount(ratings.items, ratings.weights, minlength=ratings.n_items)
    wanted = sums / ratings.weights.mean(dtype=float)
    assert model.interest is not None
    np.testing.assert_allclose(model.interest.counts, wanted, rtol=1e-5)


@pytest.mark.parametrize("name", ["ease", "ials", "popularity", "bias"])
def test_a_half_life_is_weights_by_age(name: str) -> None:
    kind = {"popularity": Popularity, "bias": matinee.Bias}.get(name)
    aged = kind(half_life=50.0) if kind else matinee.model(name, half_life=50.0)
    plain = kind() if kind else matinee.model(name)
    given = weighted_by_age(timed(), 50.0)
    aged.fit(timed(), seed=1)
    plain.fit(given, seed=1)
    assert np.array_equal(
        aged.rank_scores_coded(aged.histories), plain.rank_scores_coded(aged.histories)
    )
    assert np.array_equal(aged.weights, given.by_user.weights)
    # A history with times is weighed by the same clock: nothing in it is as new as training.
    own = timed().take(timed().users == 7)
    people = aged._people(own, "error").histories
    assert np.array_equal(people.weights, aged.histories.take([7]).weights)
    later = replace(own, times=own.times + 1000 * DAY)  # type: ignore[operator]
    assert (aged._people(later, "error").histories.weights == 1.0).all()
    with pytest.raises(DataError, match="half_life weighs ratings by their age"):
        aged.fit(sample())


@pytest.mark.parametrize("name", ["ease", "ials", "popularity"])
def test_an_update_goes_on_with_the_weights(name: str) -> None:
    whole = timed()
    assert whole.times is not None
    old = whole.times < 300 * DAY
    model = Popularity(half_life=50.0) if name == "popularity" else None
    model = model or matinee.model(name, half_life=50.0)
    model.fit(whole.take(old), seed=1).update(whole.take(~old), seed=1)
    anew = type(model)(settings=model.settings).fit(whole, seed=1)
    np.testing.assert_allclose(model.weights, anew.weights, rtol=1e-5)
    np.testing.assert_allclose(scores(model), scores(anew), atol=2e-3)


def test_autoencoders_weigh_the_interactions_that_order_their_lists() -> None:
    small = {"hidden": [4], "epochs": 1, "batch_size": 16, "teacher": "none", "device": "cpu"}
    options = {**small, "interest": "item-knn"}
    plain, heavy = (
        matinee.model("default", **options).fit(each, seed=1, progress=False)
        for each in (sample(), weighted())
    )
    assert np.abs(scores(plain) - scores(heavy)).max() > 1e-3
    wanted = made("item-knn").fit(weighted(), seed=1)
    options = {**options, "lists.knn.shrinkage": 1.0}
    same = matinee.model("default", **options).fit(weighted(), seed=1, progress=False)
    assert np.array_equal(scores(same), scores(wanted))
