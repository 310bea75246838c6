"""Models taken elsewhere give the same answers there."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest

from matinee.cli import main
from matinee.data import Histories, Vocabulary
from matinee.errors import UsageError
from matinee.models import (
    Autoencoder,
    Bias,
    Recommender,
    export_items,
    export_onnx,
    item_vectors,
    load_model,
)
from matinee.models._export import feeds
from matinee.nn.activations import ACTIVATIONS
from matinee.testing import sample

onnxruntime = pytest.importorskip("onnxruntime", reason="export needs matinee[onnx]")

SHAPES: dict[str, dict[str, Any]] = {
    "ratings": {"hidden": (10,), "input": "ratings"},
    "presence": {"hidden": (10,), "input": "presence", "input_scale": "sqrt", "center": "bias"},
    "centred": {
        "hidden": (10,),
        "input": "presence",
        "center": "bias",
        "center_output": True,
        "shrink": True,
        "validation": 0.2,
    },
    "mean": {"hidden": (8, 4, 8), "input": "presence", "input_scale": "sqrt", "center": "mean"},
    "tied": {"hidden": (8, 4, 8), "tied": True, "batch_norm": True, "center": "bias"},
    **{
        name: {"hidden": (6,), "activation": name, "output_activation": name, "clip": name != "elu"}
        for name in ACTIVATIONS
    },
}


def light(folder: Path, model: Recommender) -> Recommender:
    model.save(folder)
    return load_model(folder)


@pytest.mark.parametrize("shape", SHAPES)
def test_the_graph_is_the_model(shape: str, tmp_path: Path) -> None:
    model = light(
        tmp_path / "model",
        Autoencoder("base", **SHAPES[shape], epochs=2, batch_size=16).fit(sample(), seed=1),
    )
    assert export_onnx(model, tmp_path / "m.onnx") < 1e-4
    session = onnxruntime.InferenceSession(tmp_path / "m.onnx")
    names = session.get_modelmeta().custom_metadata_map["item_ids"].split("\n")
    assert names == model.item_ids.ids.tolist()
    for people in (
        [([3], [2.0])],
        [([1, 9], [5.0, 0.5]), ([0], [3.0]), (list(range(40)), [2.5] * 40), ([], [])],
    ):
        who = Histories.build(people)
        done = session.run(None, feeds(who))[0]
        wanted = model.scores_coded(who)
        if model.clip:
            wanted = wanted.clip(0.5, 5)
        np.testing.assert_allclose(done, wanted, atol=2e-5)


def test_many_people_at_once_get_the_same_predictions_every_time(tmp_path: Path) -> None:
    """The sums of a person's entries must not depend on the runtime's threads."""
    model = Autoencoder("base", hidden=(256,), epochs=2).fit(sample(), seed=1)
    export_onnx(model, tmp_path / "m.onnx")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 4
    session = onnxruntime.InferenceSession(tmp_path / "m.onnx", options)
    who = Histories.build([(list(range(40)), [0.5 + at % 5] * 40) for at in range(50)])
    wanted = model.scores_coded(who)
    for _ in range(20):
        np.testing.assert_allclose(session.run(None, feeds(who))[0], wanted, atol=2e-5)


def test_people_without_ratings_do_not_shift_others(tmp_path: Path) -> None:
    model = light(
        tmp_path / "model",
        Autoencoder("base", **SHAPES["presence"], epochs=2).fit(sample(), seed=1),
    )
    export_onnx(model, tmp_path / "m.onnx")
    session = onnxruntime.InferenceSession(tmp_path / "m.onnx")
    full = [([3, 5], [2.0, 4.0]), ([7], [1.0])]
    wanted = session.run(None, feeds(Histories.build(full)))[0]
    gaps = Histories.build([([], []), full[0], ([], []), ([], []), full[1], ([], [])])
    done = session.run(None, feeds(gaps))[0]
    assert done.shape == (6, 40)
    assert np.isfinite(done).all()
    np.testing.assert_allclose(done[[1, 4]], wanted, atol=1e-6)


def test_items_for_a_vector_database(tmp_path: Path) -> None:
    model = light(
        tmp_path / "model",
        Autoencoder("base", **SHAPES["presence"], epochs=2).fit(sample(), seed=1),
    )
    assert export_items(model, tmp_path / "items.parquet") == 10
    columns = duckdb.sql(f"SELECT * FROM '{tmp_path}/items.parquet'").fetchnumpy()
    assert list(columns) == ["item_id", "title", "bias", "vector"]
    assert columns["item_id"].tolist() == model.item_ids.ids.tolist()
    space = item_vectors(model)
    assert space is not None
    np.testing.assert_array_equal(np.stack(columns["vector"]), space.vectors)
    np.testing.assert_array_equal(columns["bias"], space.biases)
    with pytest.raises(UsageError, match=r"\.parquet"):
        export_items(model, tmp_path / "items.csv")


def test_what_cannot_be_exported(tmp_path: Path) -> None:
    bias = light(tmp_path / "bias", Bias().fit(sample()))
    with pytest.raises(UsageError, match="'bias'"):
        export_onnx(bias, tmp_path / "m.onnx")
    with pytest.raises(UsageError, match="no item vectors"):
        export_items(bias, tmp_path / "items.parquet")
    items = Autoencoder("base", rows="items", hidden=(4,), epochs=1).fit(sample())
    with pytest.raises(UsageError, match="items as rows"):
        export_onnx(light(tmp_path / "items", items), tmp_path / "m.onnx")
    assert not (tmp_path / "m.onnx").exists()


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "model"
    Autoencoder("base", **SHAPES["ratings"], epochs=1).fit(sample()).save(folder)
    onnx, items = tmp_path / "m.onnx", tmp_path / "items.parquet"
    assert main(["export", str(folder), "--onnx", str(onnx), "--items", str(items)]) == 0
    assert onnx.exists()
    assert items.exists()
    assert "40 items, vectors of 10" in capsys.readouterr().out
    assert main(["export", str(folder)]) == 2


def test_ids_with_line_ends_are_named_as_json(tmp_path: Path) -> None:
    ratings = sample()
    names = sorted(f"item\n{n}" for n in range(ratings.n_items))
    ratings = replace(ratings, item_ids=Vocabulary(np.array(names, dtype=object)))
    model = light(tmp_path / "model", Autoencoder("base", hidden=(3,), epochs=1).fit(ratings))
    export_onnx(model, tmp_path / "m.onnx")
    named = onnxruntime.InferenceSession(tmp_path / "m.onnx").get_modelmeta().custom_metadata_map
    assert json.loads(named["item_ids_json"]) == model.item_ids.ids.tolist()
    assert "item_ids" not in named
