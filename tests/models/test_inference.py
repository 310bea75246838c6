"""Inference in NumPy, which every model uses, gives the answers of the torch network."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch_network import TorchNetwork

from matinee.data import Histories
from matinee.models import (
    Autoencoder,
    Ensemble,
    Recommender,
    item_vectors,
    load_model,
    preset,
)
from matinee.models.networks._fitted import _csr
from matinee.nn import Forward, NetworkConfig, RowOutputs
from matinee.nn.activations import ACTIVATIONS
from matinee.testing import all_pairs, checkerboard, same_rows, sample
from matinee.train import _shrink

STRANGERS: list[dict[str, float]] = [
    {"item-03": 5.0},
    {},
    {f"item-{i:02}": 0.5 + i % 10 / 2 for i in range(0, 40, 2)},
    {f"item-{i:02}": 3.0 for i in range(39)},
]

SHAPES: dict[str, dict[str, Any]] = {
    **{name: {"activation": name} for name in ACTIVATIONS},
    **{f"out-{name}": {"output_activation": name} for name in ACTIVATIONS},
    "deep": {"hidden": (12, 5, 9)},
    "tied": {"hidden": (12, 6, 5, 6, 12), "tied": True, "output_activation": "elu"},
    "presence": {"input": "presence", "input_scale": "sqrt", "center": "bias"},
    "mean": {"input_scale": "sqrt", "center": "mean"},
    "ratings": {"input": "ratings", "input_scale": "sqrt", "center": "bias"},
    "batch-norm": {"hidden": (12, 6, 12), "batch_norm": True},
    "tied-norm": {"hidden": (12, 6, 12), "batch_norm": True, "tied": True, "center": "bias"},
    "items": {"rows": "items", "center": "bias", "input": "presence"},
    "centred": {
        "input": "presence",
        "input_scale": "sqrt",
        "center": "bias",
        "center_output": True,
        "shrink": True,
        "validation": 0.2,
    },
    "items-columns": {"rows": "items", "center": "bias", "input": "presence", "columns": True},
    "items-centred": {
        "rows": "items",
        "center": "bias",
        "center_output": True,
        "shrink": True,
        "validation": 0.2,
    },
    "items-norm": {"rows": "items", "batch_norm": True, "activation": "selu"},
}


def pair(model: Recommender, folder: Path) -> tuple[Recommender, Recommender]:
    """A model that torch answers for, and the same as it is loaded."""
    model.save(folder)
    heavy, light = load_model(folder), load_model(folder)
    if isinstance(heavy, Autoencoder):
        heavy._fitted = TorchNetwork(heavy._trained)  # type: ignore[assignment]
    elif isinstance(heavy, Ensemble):
        heavy.members = [TorchNetwork(member) for member in heavy.members]  # type: ignore[misc]
    return heavy, light


def trained(**network: Any) -> Autoencoder:
    options = {"hidden": (10,), **network}
    return Autoencoder("base", **options, epochs=3, batch_size=16).fit(sample(), seed=1)


@pytest.fixture(params=SHAPES, ids=str, scope="module")
def models(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Recommender, Recommender]:
    """A model as it was saved, and the same without torch; tests must not change them."""
    return pair(trained(**SHAPES[request.param]), tmp_path_factory.mktemp("light") / "model")


def test_every_prediction_is_the_same(models: tuple[Recommender, Recommender]) -> None:
    heavy, light = models
    users, items = all_pairs(sample())
    np.testing.assert_allclose(light.predict(users, items), heavy.predict(users, items), atol=2e-5)
    for person in range(len(STRANGERS)):
        wanted = heavy.predict(person, heavy.item_ids.ids, histories=STRANGERS)
        predictions = light.predict(person, light.item_ids.ids, histories=STRANGERS)
        np.testing.assert_allclose(predictions, wanted, atol=2e-5)


def test_scores_of_all_items_are_the_same(models: tuple[Recommender, Recommender]) -> None:
    heavy, light = models
    for who in (heavy.histories, heavy.histories.take([3, 3, 0])):
        np.testing.assert_allclose(
            light.scores_coded(who), heavy.scores_coded(who), atol=2e-5, rtol=1e-5
        )


def test_compiled_gathering_gives_the_same(
    models: tuple[Recommender, Recommender], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Large work goes to kernels, which a small threshold sends everything to."""
    heavy, light = models
    monkeypatch.setattr("matinee.nn.sparse.gather.COMPILED", 0)
    users, items = all_pairs(sample())
    np.testing.assert_allclose(light.predict(users, items), heavy.predict(users, items), atol=2e-5)
    assert heavy.histories is not None
    some = heavy.histories.take([3, 7, 0])
    np.testing.assert_allclose(
        light.scores_coded(some), heavy.scores_coded(some), atol=2e-5, rtol=1e-5
    )


def test_lists_are_the_same(models: tuple[Recommender, Recommender]) -> None:
    heavy, light = models
    assert same_rows(light.recommend(STRANGERS, k=40), heavy.recommend(STRANGERS, k=40))


def test_item_vectors_make_the_scores(models: tuple[Recommender, Recommender]) -> None:
    _, light = models
    if light.settings.network.output_activation != "linear" or not light.folds_in:
        return
    vectors, biases = light.item_space()
    who = light.histories.take([5])
    scores = light.scores_coded(who)[0]
    dots = (light.encode(who) @ vectors.T + biases)[0]
    # All but the person's own bias.
    np.testing.assert_allclose(scores - dots, np.mean(scores - dots), atol=2e-5)


ENSEMBLE = [
    {"set": {"hidden": [6], "input": "presence", "input_scale": "sqrt"}, "copies": 2},
    {"set": {"hidden": [5, 3, 5], "activation": "tanh"}},
    {"set": {"rows": "items", "hidden": [4]}},
    {"set": {"rows": "items", "hidden": [5], "activation": "sigmoid"}},
]


@pytest.fixture(scope="module")
def ensembles(tmp_path_factory: pytest.TempPathFactory) -> tuple[Recommender, Recommender]:
    settings = preset("base").replace(
        {"epochs": 3, "batch_size": 16, "center": "bias", "validation": 0.1}, "test"
    )
    members = settings.model_copy(update={"members": _members()})
    with pytest.MonkeyPatch.context() as patch:  # or so few ratings are shrunk to the bias model
        patch.setattr(_shrink, "STEIN_FACTOR", 0.0)
        model = Ensemble(settings=members).fit(sample(), seed=1)
    return pair(model, tmp_path_factory.mktemp("light") / "model")


def _members() -> tuple[Any, ...]:
    from matinee.models import Member

    return tuple(Member.make(each) for each in ENSEMBLE)


def test_an_ensemble_is_the_same(ensembles: tuple[Recommender, Recommender]) -> None:
    heavy, light = ensembles
    users, items = all_pairs(sample())
    np.testing.assert_allclose(light.predict(users, items), heavy.predict(users, items), atol=2e-5)
    assert same_rows(light.recommend(STRANGERS, k=40), heavy.recommend(STRANGERS, k=40))
    assert heavy.histories is not None
    np.testing.assert_allclose(
        light.scores_coded(heavy.histories), heavy.scores_coded(heavy.histories), atol=2e-5
    )


def test_standard_deviations_are_the_same(
    models: tuple[Recommender, Recommender], ensembles: tuple[Recommender, Recommender]
) -> None:
    users, items = all_pairs(sample())
    for heavy, light in (models, ensembles):
        wanted = heavy.predict(users, items, with_std=True)[1]
        predictions = light.predict(users, items, with_std=True)[1]
        np.testing.assert_allclose(predictions, wanted, rtol=1e-3)


def test_with_items_as_rows_new_people_are_as_uncertain(tmp_path: Path) -> None:
    model = Autoencoder("base", rows="items", hidden=(10,), epochs=3, validation=0.2)
    heavy, light = pair(model.fit(sample(), seed=1), tmp_path / "model")
    items = heavy.item_ids.ids
    wanted = heavy.predict(0, items, histories=STRANGERS, with_std=True)[1]
    predictions = light.predict(0, items, histories=STRANGERS, with_std=True)[1]
    np.testing.assert_allclose(predictions, wanted, rtol=1e-3)


def test_vectors_of_an_ensemble_rank_as_it_does(
    ensembles: tuple[Recommender, Recommender],
) -> None:
    _, light = ensembles
    space = item_vectors(light)
    assert space is not None
    who = light.histories.take([4])
    new = Histories(who.indptr, who.items, who.values, np.array([-1], np.int32))
    used = [m for m, w in zip(light.members, light.new, strict=True) if w and not m.by_items]
    hidden = np.concatenate([member.encode(new) for member in used], axis=1)
    dots = (hidden @ space.vectors.T + space.biases)[0]
    scores = light.scores_coded(new)[0]
    np.testing.assert_allclose(scores - dots, np.mean(scores - dots), atol=5e-5)


def test_it_serves_without_torch(tmp_path: Path) -> None:
    trained(**SHAPES["presence"]).save(tmp_path / "model")
    code = (
        "import sys; from matinee.models import load_model\n"
        f"m = load_model({str(tmp_path / 'model')!r})\n"
        "assert len(m.recommend([{'item-01': 4.0}])) == 10\n"
        "assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=600)


def test_a_loaded_model_is_saved_whole_and_can_be_fitted(tmp_path: Path) -> None:
    heavy, light = pair(trained(hidden=(8, 4, 8), tied=True, batch_norm=True), tmp_path / "one")
    _, again = pair(light, tmp_path / "two")
    assert isinstance(again, Autoencoder)
    assert isinstance(light, Autoencoder)
    assert same_rows(again.recommend(STRANGERS), heavy.recommend(STRANGERS))
    assert again.n_parameters == light.n_parameters
    trained_network = light.network
    assert light.n_parameters == sum(
        p.numel() for p in trained_network.parameters() if p.requires_grad
    )
    before = again.predict(*all_pairs(sample()))
    again.fit(sample(), seed=1)
    np.testing.assert_array_equal(before, again.predict(*all_pairs(sample())))


def test_light_is_accepted_and_does_nothing(tmp_path: Path) -> None:
    model = trained(hidden=(8,))
    model.save(tmp_path / "model")
    loaded = load_model(tmp_path / "model", light=True)
    assert type(loaded) is Autoencoder
    assert same_rows(loaded.recommend(STRANGERS), model.recommend(STRANGERS))


def test_many_people_with_long_histories_take_the_summed_path(tmp_path: Path) -> None:
    """Unlike histories are gathered and summed, alike ones multiplied: both must be right."""
    heavy, light = pair(
        Autoencoder("base", hidden=(6,), input="presence", center="bias", epochs=2).fit(
            checkerboard()
        ),
        tmp_path / "model",
    )
    rng = np.random.default_rng(0)
    ids = heavy.item_ids.ids
    few = [{int(i): 3.0 for i in rng.choice(ids, 2, replace=False)} for _ in range(400)]
    wanted, result = heavy.recommend(few, k=40), light.recommend(few, k=40)
    assert same_rows(result, wanted)


def test_rows_without_ratings_and_gathering_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("matinee.nn.sparse.gather.GATHERED", 24)
    rng = np.random.default_rng(1)
    config = NetworkConfig(hidden=(4,), input="ratings")
    arrays = {
        "table_in": rng.normal(size=(9000, 4)).astype(np.float32),
        "table_out": rng.normal(size=(9000, 4)).astype(np.float32),
        "bias_in": np.zeros(4, np.float32),
        "bias_out": np.zeros(9000, np.float32),
    }
    forward = Forward(
        config,
        arrays,
        offset=np.zeros(9000, np.float32),
        row_reg=-1.0,
        outputs=RowOutputs(),
    )
    sizes = [3, 0, 9, 1, 0, 0, 6] * 40
    people = [(rng.choice(9000, n, replace=False), rng.uniform(1, 5, n)) for n in sizes]
    who = Histories.build(people)
    hidden, _ = forward.encode(_csr(who, forward))
    for row, (items, values) in enumerate(people):
        sums = (arrays["table_in"][items] * values.astype(np.float32)[:, None]).sum(axis=0)
        wanted = ACTIVATIONS[config.activation].torch(torch)(torch.from_numpy(sums)).numpy()
        np.testing.assert_allclose(hidden[row], wanted, atol=1e-4)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activations_are_torchs(name: str) -> None:
    x = np.array([-80.0, -6.0, -1e-3, -0.0, 0.0, 1e-3, 1.0, 6.0, 6.5, 80.0], np.float32)
    with np.errstate(all="raise", under="ignore"):
        output = ACTIVATIONS[name].numpy(x.copy())
    np.testing.assert_allclose(
        output, ACTIVATIONS[name].torch(torch)(torch.from_numpy(x)).numpy(), atol=1e-6
    )
    assert output.dtype == np.float32
