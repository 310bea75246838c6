"""The autoencoder through the shared battery, and what is its own."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from battery import Battery, Case, u1

import matinee
from matinee.base.threads import _use, kernel_thread_count
from matinee.baseline import fit_bias
from matinee.data import Histories, Ratings, Scale
from matinee.errors import DataError, UnknownIdError, UsageError
from matinee.models import Autoencoder, Bias, load_model, neighbours
from matinee.testing import all_pairs, fitted, histories_by_user, refitted, sample
from matinee.train import Epoch

QUICK = partial(Autoencoder, device="cpu")

STORED = [Case("default", QUICK, learns=True, bound=0.930)]
CASES = [
    Case(
        "base",
        partial(QUICK, "base", epochs=30, learning_rate=3e-3),
        learns=True,
        make_real=partial(QUICK, "base", epochs=25, learning_rate=1e-3),
        bound=0.975,
    ),
    Case("tuned", partial(QUICK, "tuned", epochs=20), learns=True),
    Case(
        "distilled",
        partial(QUICK, teachers=1, teacher_epochs=0.5, known_codes="encoded"),
        learns=True,
        bound=0.92,
    ),
    Case(
        "distilled, with columns",
        partial(QUICK, teachers=1, columns=True, teacher_epochs=0.5, known_codes="encoded"),
        learns=True,
    ),
    Case("tied", partial(QUICK, "tuned", epochs=20, tied=True, center="mean"), learns=True),
    Case("batch norm", partial(QUICK, "tuned", epochs=20, batch_norm=True), learns=True),
    Case(
        "deep",
        partial(
            QUICK,
            "tuned",
            epochs=15,
            hidden=[32, 16, 8, 16, 32],
            center="bias",
            clip=True,
            code_dropout=0.1,
            input_dropout=0.1,
            output_bias=True,
        ),
        learns=True,
    ),
]
BY_ITEMS = [
    Case("items", partial(QUICK, rows="items"), learns=True, bound=0.915),
    Case("items, columns", partial(QUICK, rows="items", columns=True, epochs=20), learns=True),
    Case("items, raw", partial(QUICK, "tuned", rows="items", epochs=20), learns=True),
]


pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.mark.parametrize("case", CASES, ids=str)
class TestAutoencoder(Battery):
    pass


@pytest.mark.usefixtures("stored_codes_are_kept")
@pytest.mark.parametrize("case", STORED, ids=str)
class TestStored(Battery):
    """With stored codes known people get other answers; test_stored.py has those of new ones."""

    def test_known_and_new_people_get_the_same_answers(self, case: Case) -> None:
        model, history = fitted(case), histories_by_user(sample())[104]
        items = sample().item_ids.ids
        new = model.predict("new", items, histories={"new": history})
        known = model.predict(104, items)
        assert 1e-3 < np.abs(new - known).mean() < 0.3


@pytest.mark.parametrize("case", BY_ITEMS, ids=str)
class TestByItems(Battery):
    """With items as rows a new person has no column, and the bias model answers for them."""

    def test_known_and_new_people_get_the_same_answers(self, case: Case) -> None:
        model, history = fitted(case), histories_by_user(sample())[104]
        items = sample().item_ids.ids
        predicted = model.predict("new", items, histories={"new": history})
        bias = Bias().fit(sample(), seed=3)
        assert np.allclose(
            predicted, bias.predict("new", items, histories={"new": history}), atol=1e-5
        )
        assert not np.allclose(predicted, model.predict(104, items), atol=1e-3)

    def test_interactions_are_learned(self, case: Case) -> None:
        table = refitted(case).lists
        assert ((table["user_id"] + table["item_id"]) % 2 == 0).mean() > 0.97


def test_the_vectors_of_people() -> None:
    model = fitted(STORED[0])
    assert isinstance(model, Autoencoder)
    assert model.histories is not None
    vectors = model.encode(model.histories)
    assert vectors.shape == (60, model.settings.network.hidden[-1])
    assert vectors.dtype == np.float32
    assert np.allclose(model.encode(model.histories.take([7, 3])), vectors[[7, 3]], atol=1e-5)
    by_items = fitted(BY_ITEMS[0])
    assert isinstance(by_items, Autoencoder)
    with pytest.raises(UsageError, match="no vectors for people"):
        by_items.encode(Histories.of(sample().by_user))
    with pytest.raises(UsageError, match="not fitted"):
        Autoencoder().encode(model.histories)


@pytest.mark.parametrize("rows", ["users", "items"])
def test_the_validation_part_counts_for_biases_in_the_end(rows: str) -> None:
    train = sample()
    options: dict[str, Any] = {"hidden": [8], "center": "bias", "rows": rows}
    model = QUICK("tuned", epochs=1, validation="auto", **options).fit(train, seed=1)
    assert model.n_valid == pytest.approx(len(train) / 10, abs=30)
    every = fit_bias(train.by_item if rows == "items" else train)
    assert np.allclose(model.inputs.offset, every.item_bias + np.float32(every.mean))


def test_what_is_known_after_a_fit(tmp_path: Path) -> None:
    seen: list[Epoch] = []
    model = QUICK("tuned", epochs=5, hidden=[8], validation=0.2)
    model.fit(sample(), seed=1, on_epoch=seen.append)
    assert [epoch.epoch for epoch in seen] == [1, 2, 3, 4, 5]
    assert model.epochs == seen
    assert model.settings.network.hidden == (8,)
    scores = [epoch.valid_rmse or np.inf for epoch in seen]
    assert model.best_epoch == 1 + int(np.argmin(scores))
    assert model.n_valid == pytest.approx(180, abs=40)
    model.save(tmp_path / "model")
    back = load_model(tmp_path / "model")
    assert isinstance(back, Autoencoder)
    assert back.epochs == seen
    assert (back.best_epoch, back.n_valid) == (model.best_epoch, model.n_valid)
    assert back.settings == model.settings
    plain = QUICK("tuned", epochs=3, hidden=[8]).fit(sample())
    assert (plain.best_epoch, plain.n_valid) == (3, 0)


def test_the_validation_part_serves_as_history_again() -> None:
    """It is kept out of training, not out of what the model knows of people."""
    model = QUICK("tuned", epochs=2, hidden=[8], validation=0.3).fit(sample())
    assert model.histories is not None
    assert len(model.histories.items) == 900


def test_the_nearest_items() -> None:
    model = QUICK(hidden=[4], epochs=2, interest="none", teacher="none").fit(sample(), seed=0)
    items = model.item_ids.ids[[3, 5]].tolist()
    alike = neighbours(model, items, k=2, few=1)
    assert [each.item_id for each in alike] == items
    vectors = model.item_space().vectors
    unit = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
    for code, each in zip((3, 5), alike, strict=True):
        cosines = unit @ unit[code]
        cosines[code] = -2.0
        wanted = model.item_ids.ids[np.argsort(-cosines)[:2]].tolist()
        assert [other for other, _, _ in each.similar] == wanted
    with pytest.raises(UnknownIdError, match="unknown item: nothing"):
        neighbours(model, [items[0], "nothing"])
    assert [n.item_id for n in neighbours(model, ["nothing", items[0]], unknown="skip")] == items[
        :1
    ]
    assert len(neighbours(model)) == 8


@pytest.mark.parametrize("preset", ["default", "accurate", "ease", "biased-mf"])
def test_an_option_of_the_model_passed_to_fit_is_refused(preset: str) -> None:
    with pytest.raises(UsageError, match=r"fit has no option 'epochs'.*matinee.model\(.*epochs="):
        matinee.model(preset).fit(sample(), epochs=3)


def test_watched_ratings_are_scored_as_by_evaluate() -> None:
    data = sample()
    out = np.random.default_rng(0).random(len(data)) < 0.2
    train, test = data.take(~out), data.take(out)
    extra = Ratings.from_arrays([100, 999], ["unheard-of", "item-01"], [5.0, 1.0])
    for options in ({}, {"rows": "items"}, {"clip": True, "center": "bias"}):
        model = QUICK("tuned", epochs=3, hidden=[8], **options)
        model.fit(train, watch={"test": test, "strange": extra})
        assert all(set(epoch.watched) == {"test"} for epoch in model.epochs)
        values = [epoch.watched["test"] for epoch in model.epochs]
        assert values[-1] == pytest.approx(model.evaluate(test).rmse, rel=1e-5)
        assert len(set(values)) == 3
        plain = QUICK("tuned", epochs=3, hidden=[8], **options).fit(train)
        assert np.array_equal(plain.predict(*all_pairs(data)), model.predict(*all_pairs(data)))


@pytest.mark.parametrize(
    ("options", "hidden"),
    [
        ({"max_table": 800}, (10, 20)),  # 40 items have 80 rows in the first table
        ({"max_table": 800, "rows": "items"}, (6, 13)),
        ({"max_table": 800, "hidden": [50]}, (10,)),
        ({"max_table": 1}, (1, 1)),
        ({"max_table": 1600}, (20, 30)),
        ({"max_table": 0}, (50, 30)),
        ({"width_per_rating": 2.0}, (36, 30)),  # 900 ratings, 60 users, 40 items
        ({"width_per_rating": 0.01}, (1, 1)),
        ({"width_per_rating": float("inf")}, (50, 30)),
        ({"width_per_rating": 2.0, "max_table": 800, "rows": "items"}, (6, 13)),
    ],
    ids=str,
)
def test_layers_that_would_be_too_large_for_the_data_are_narrower(
    options: dict[str, Any], hidden: tuple[int, ...], tmp_path: Path
) -> None:
    options = {"hidden": [50, 30], "epochs": 2, "teacher": "none", **options}
    net = QUICK("default", **options).fit(sample())
    assert net.network.config.hidden == hidden
    assert net.settings.network.hidden == tuple(options["hidden"])
    again = load_model(net.save(tmp_path / "model"))
    assert isinstance(again, Autoencoder)
    assert again.network.config.hidden == hidden
    asked = sample()
    users, items = asked.user_ids.ids[asked.users], asked.item_ids.ids[asked.items]
    assert np.array_equal(net.predict(users, items), again.predict(users, items))


def test_the_seed() -> None:
    users, items = all_pairs(sample())
    make = partial(QUICK, epochs=3, hidden=[16], shrink=False)
    one, two, other = (make().fit(sample(), seed=s).predict(users, items) for s in (1, 1, 2))
    assert np.array_equal(one, two)
    assert not np.allclose(one, other, atol=1e-3)


def test_overrides_and_their_errors() -> None:
    assert Autoencoder("base").settings.network.activation == "sigmoid"
    assert Autoencoder("base", hidden=7, epochs=2).settings.network.hidden == (7,)
    with pytest.raises(UsageError, match="Autoencoder: unknown key 'epoch'; did you mean 'epochs'"):
        Autoencoder(epoch=3)
    with pytest.raises(UsageError, match="unknown preset 'defualt'; did you mean 'default'"):
        Autoencoder("defualt")
    with pytest.raises(UsageError, match="Autoencoder: network: a tied decoder"):
        Autoencoder("base", tied=True, hidden=[4, 3])
    with pytest.raises(UsageError, match="device 'gpu': choose cpu, cuda or auto"):
        Autoencoder(device="gpu")
    if not torch.cuda.is_available():
        with pytest.raises(UsageError, match="torch finds no CUDA device"):
            Autoencoder(device="cuda")
    with pytest.raises((UsageError, TypeError), match="wach"):
        Autoencoder(epochs=1).fit(sample(), wach={})


SCALES: dict[str, tuple[float, float, float]] = {
    "half stars": (0.5, 4.0, 0.5),
    "percent": (1.0, 100.0, 1.0),
    "both signs": (-10.0, 10.0, 0.25),
    "with zero": (0.0, 5.0, 1.0),
    "one or the other": (0.0, 1.0, 1.0),
}


def scaled(low: float, high: float, step: float) -> tuple[Ratings, Ratings]:
    """Ratings by taste on a scale, with text ids: (train, test)."""
    rng = np.random.default_rng(2)
    pairs = rng.choice(300 * 80, 7000, replace=False)
    users, items = pairs // 80, pairs % 80
    taste = rng.normal(0, 1, (300, 3)), rng.normal(0, 1, (80, 3))
    raw = 0.5 + 0.12 * (taste[0][users] * taste[1][items]).sum(1) + rng.normal(0, 0.1, 7000)
    raw += rng.normal(0, 0.1, 300)[users] + rng.normal(0, 0.1, 80)[items]
    values = np.clip(low + np.rint(raw * (high - low) / step) * step, low, high)
    whole = Ratings.from_arrays(
        [f"u{u}" for u in users], [f"é {i}" for i in items], values, scale=Scale(low, high)
    )
    out = rng.random(7000) < 0.1
    return whole.take(~out), whole.take(out)


@pytest.mark.parametrize("scale", SCALES)
def test_any_scale_trains_and_beats_the_bias_baseline(scale: str) -> None:
    low, high, step = SCALES[scale]
    train, test = scaled(low, high, step)
    assert (train.values == 0).any() == (low <= 0)
    model = QUICK(epochs=20, learning_rate=1e-2, interest="popularity").fit(train, seed=0)
    result = model.evaluate(test)
    bias = result.baselines["bias"].rmse
    assert result.rmse < 0.97 * bias
    predicted = model.predict("u7", train.item_ids.ids)
    assert predicted.min() >= low
    assert predicted.max() <= high


def test_a_zero_is_a_rating() -> None:
    """Where every rating is shifted, what is learned shifts along: a 0 is not a missing value."""
    train, _ = scaled(0.0, 5.0, 1.0)
    up = Ratings(
        **{
            **{k: v for k, v in train.__dict__.items() if not k.startswith("by_")},
            "values": train.values + np.float32(2.0),
            "scale": Scale(2.0, 7.0),
        }
    )
    make = partial(QUICK, epochs=6)
    users, items = all_pairs(train)
    one, two = (make().fit(part, seed=0).predict(users, items) for part in (train, up))
    assert np.allclose(one + 2, two, atol=2e-3)


@pytest.mark.parametrize("seed", [-1, 1.5, "one", None])
def test_seeds_that_are_none(seed: Any) -> None:
    with pytest.raises(UsageError, match="seed must be a whole number of at least 0, not"):
        QUICK(epochs=1).fit(sample(), seed=seed)


def test_a_numpy_seed_is_a_seed(tmp_path: Path) -> None:
    make = partial(QUICK, "tuned", epochs=1, hidden=[4])
    one = make().fit(sample(), seed=np.int64(3), folder=tmp_path)
    one.save(tmp_path / "model")
    two = make().fit(sample(), seed=3)
    assert np.array_equal(one.predict(*all_pairs(sample())), two.predict(*all_pairs(sample())))


def test_ratings_that_are_no_numbers_are_refused() -> None:
    for bad in (np.nan, np.inf, -np.inf):
        ratings = Ratings.from_arrays([1, 2, 3], [1, 2, 2], [3.0, 4.0, bad], scale=Scale(1, 5))
        with pytest.raises(DataError, match="ratings: "):
            QUICK(epochs=1).fit(ratings)


def test_it_beats_the_bias_baseline_on_real_ratings(real_data: Callable[[str], Path]) -> None:
    train, test = u1(real_data("ml-100k"))
    result = QUICK(epochs=15).fit(train, seed=1).evaluate(test)
    assert result.rmse < result.baselines["bias"].rmse - 0.01
    assert result.baselines["bias"].rmse == pytest.approx(0.953, abs=0.002)


def test_any_number_of_threads_learns_the_same() -> None:
    before = torch.get_num_threads(), kernel_thread_count()
    messages: list[Any] = []
    for number in (1, 2):
        torch.set_num_threads(number)
        _use(number)
        messages.append(QUICK(epochs=4, hidden=[16]).fit(sample()).predict(*all_pairs(sample())))
    torch.set_num_threads(before[0])
    _use(before[1])
    assert np.allclose(*messages, atol=1e-3)
