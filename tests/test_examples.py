"""The programs in ``examples/`` do what they say."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import duckdb
import numpy as np
import pytest

from matinee.data import synthesize
from matinee.models import Autoencoder, export_items, load_model

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    model = Autoencoder("base", hidden=(16,), center="bias", epochs=4, batch_size=32)
    ratings = synthesize(200, 150, 8000, seed=1).ratings
    return model.fit(ratings, seed=0).save(tmp_path_factory.mktemp("examples") / "model")


def run(name: str, *args: object, seconds: float = 120) -> str:
    done = subprocess.run(
        [sys.executable, EXAMPLES / name, *map(str, args)],
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_retrieval(folder: Path, tmp_path: Path) -> None:
    pytest.importorskip("usearch", reason="the example needs usearch")
    export_items(load_model(folder, light=True), tmp_path / "items.parquet")
    said = run("retrieve_usearch.py", folder, tmp_path / "items.parquet")
    assert float(said.split(" a search, ")[1].split("%")[0]) > 95


def test_batch_scoring(folder: Path, tmp_path: Path) -> None:
    run("batch_scoring.py", folder, tmp_path / "top.parquet", "-k", 3)
    rows = duckdb.sql(f"SELECT * FROM '{tmp_path}/top.parquet'").fetchnumpy()
    wanted = load_model(folder).recommend(users=load_model(folder).user_ids.ids, k=3)
    assert rows["item_id"].tolist() == wanted["item_id"].tolist()


@pytest.mark.slow
def test_ray(folder: Path, tmp_path: Path) -> None:
    pytest.importorskip("ray", reason="the example needs ray[data]")
    model = load_model(folder)
    assert model.histories is not None
    people = model.histories.take(np.arange(50))
    people = type(people)(
        people.indptr, people.items, people.values, np.full(50, -1, dtype=np.int32)
    )
    rows = np.repeat(np.arange(50), people.counts)
    flat = {"u": rows, "i": model.item_ids.decode(people.items), "r": people.values}
    with duckdb.connect() as db:
        db.register("flat", flat)
        db.execute(
            "COPY (SELECT u AS user_id, list(i) AS items, list(r) AS ratings FROM flat "
            f"GROUP BY u) TO '{tmp_path}/people.parquet' (FORMAT parquet)"
        )
    run("ray_scoring.py", folder, tmp_path / "people.parquet", tmp_path / "out", seconds=300)
    found = duckdb.sql(
        f"SELECT user_id, rank, item_id FROM '{tmp_path}/out/*.parquet' ORDER BY user_id, rank"
    ).fetchnumpy()
    wanted = model.recommend(
        {
            user: dict(zip(flat["i"][rows == user], flat["r"][rows == user], strict=True))
            for user in range(50)
        }
    )
    assert found["item_id"].tolist() == wanted["item_id"].tolist()
