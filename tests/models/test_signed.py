"""Folders that were altered and signed again: every field is checked before it is put to use."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from matinee.errors import ModelFileError
from matinee.models import Autoencoder, Bias, load_model, model
from matinee.models.folder import read
from matinee.models.folder.manifest import checksum
from matinee.testing import sample

SMALL = {"hidden": (4, 3, 4), "epochs": 1, "batch_size": 32}
LISTS: dict[str, tuple[str, dict[str, Any]]] = {
    "ease": ("ease", {"tilt": 0.1}),
    "near": ("ease", {"nearest": 3}),
    "ials": ("ials", {"factors": 4, "sweeps": 1}),
    "knn": ("item-knn", {}),
    "bspm": ("bspm", {"singular_vectors": 4}),
    "recvae": ("recvae", {"lists.recvae.hidden": 8, "latent": 4, "rounds": 1}),
    "network": ("mult-vae", {"lists.net.hidden": (8, 4, 8), "lists.net.epochs": 1}),
}
"""Presets of models of lists, and what makes them small."""


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Folders of a baseline and of networks by users and by items."""
    folder = tmp_path_factory.mktemp("saved")
    ratings = sample()
    models = {
        "bias": Bias(),
        "users": Autoencoder("base", **SMALL),
        "items": Autoencoder("base", rows="items", **SMALL),
        **{name: model(preset, **options) for name, (preset, options) in LISTS.items()},
    }
    return {name: model.fit(ratings).save(folder / name) for name, model in models.items()}


@pytest.fixture
def copy(saved: dict[str, Path], tmp_path: Path) -> Callable[[str], Path]:
    def make(name: str) -> Path:
        shutil.rmtree(tmp_path / "m", ignore_errors=True)
        return Path(shutil.copytree(saved[name], tmp_path / "m"))

    return make


def sign(folder: Path, manifest: dict[str, Any] | None = None) -> None:
    """Give every file and the manifest the checksums that fit."""
    file = folder / "manifest.json"
    content = json.loads(file.read_text()) if manifest is None else manifest
    content.pop("checksum", None)
    if manifest is None:
        for name in content["files"]:
            data = (folder / name).read_bytes()
            content["files"][name] = {"sha256": hashlib.sha256(data).hexdigest(), "size": len(data)}
    content["checksum"] = checksum(content)
    file.write_text(json.dumps(content))


def paths(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if path:
        yield path
    if isinstance(value, dict):
        for key in value:
            yield from paths(value[key], (*path, key))
    elif isinstance(value, list):
        for at in range(min(len(value), 2)):
            yield from paths(value[at], (*path, at))


def once(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function of a database and hashable values, called once for equal values."""
    answers: dict[tuple[Any, ...], Any] = {}

    def call(_: Any, *values: Any) -> Any:
        if values not in answers:
            answers[values] = function(_, *values)
        return answers[values]

    return call


WRONG = [None, -1, 10**9, 10**30, 0.5, "x", [], {}, [1], True, "../../x"]
# What is recorded of the training, but not needed for an answer, may be anything of its kind.
FREE = {"record", "metrics", "split", "seed", "versions"}


@pytest.mark.parametrize("name", ["bias", "users", "items"])
def test_any_wrong_field_is_an_error_or_changes_no_answer(
    saved: dict[str, Path], copy: Callable[[str], Path], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The tables stay as they are: reading each once is enough, and checks of them still run.
    connection = duckdb.connect()
    monkeypatch.setattr(duckdb, "connect", lambda: nullcontext(connection))
    for reading in ("read_users", "read_items", "read_histories"):
        monkeypatch.setattr(read, reading, once(getattr(read, reading)))
    manifest = json.loads((saved[name] / "manifest.json").read_text())
    whole = load_model(saved[name])
    people = whole.histories.take([0, 1])
    right = whole.scores_coded(people)
    folder = copy(name)
    tried = 0
    for path in paths(manifest):
        if path[0] in FREE or path[0] == "checksum" or "epochs" in path:
            continue
        for wrong in WRONG:
            altered = json.loads(json.dumps(manifest))
            parent = altered
            for part in path[:-1]:
                parent = parent[part]
            if parent[path[-1]] == wrong:
                continue
            parent[path[-1]] = wrong
            sign(folder, altered)
            tried += 1
            try:
                model = load_model(folder)
            except ModelFileError:
                continue
            result = model.scores_coded(people)
            assert result.shape == right.shape, (path, wrong)
            assert np.isfinite(result).all(), (path, wrong)
    assert tried > 100


@pytest.mark.parametrize(
    ("name", "array", "change"),
    [
        ("bias", "bias.item_bias", lambda a: a[:-1]),
        ("bias", "bias.item_bias", lambda a: a * np.nan),
        ("bias", "bias.item_mean", lambda a: np.append(a, a[:1])),
        ("bias", "items.counts", lambda a: a[:-1]),
        ("bias", "spread.items", lambda a: a[:-1]),
        ("users", "model.network.table_out", lambda a: a[:-1]),
        ("users", "model.network.table_in", lambda a: a[:-1]),
        ("users", "model.network.bias_out", lambda a: a[:-1]),
        ("users", "model.inputs.offset", lambda a: a[:-1]),
        ("bias", "spread.width", lambda a: a * 0),
        ("bias", "spread.bounds", lambda a: a[:1]),
        ("bias", "spread.weights", lambda a: a[:-1]),
        ("bias", "interest.counts", lambda a: a[:-1]),
        ("near", "interest.indices", lambda a: a + 10**6),
        ("near", "interest.indices", lambda a: -a),
        ("knn", "interest.indptr", lambda a: a[::-1]),
        ("knn", "interest.values", lambda a: a[:-1]),
        ("bspm", "interest.rows.indices", lambda a: a + 10**6),
        ("bspm", "interest.vectors", lambda a: a[:-1]),
        ("ials", "interest.items", lambda a: a[:-1]),
        ("ials", "interest.shared", lambda a: a[:-1]),
        ("ease", "interest.weights", lambda a: a + np.inf),
        ("recvae", "interest.weight.0", lambda a: a[:-1]),
        ("recvae", "interest.mean", lambda a: a.T),
        ("network", "interest.table", lambda a: a[:-1]),
        ("items", "model.known.indices", lambda a: a + 10**6),
        ("items", "model.known.indices", lambda a: -a),
        ("items", "model.known.indptr", lambda a: a[::-1].copy()),
        ("items", "model.known.indptr", lambda a: a * 2),
        ("items", "model.known.values", lambda a: a[:-1]),
    ],
)
def test_arrays_of_other_shapes_and_codes_are_errors(
    copy: Callable[[str], Path], name: str, array: str, change: Any
) -> None:
    folder = copy(name)
    arrays = load_file(folder / "weights.safetensors")
    arrays[array] = np.ascontiguousarray(change(arrays[array]))
    save_file(arrays, folder / "weights.safetensors")
    sign(folder)
    with pytest.raises(ModelFileError):
        load_model(folder)


@pytest.mark.parametrize("wrong", [None, "x", [], {}, [1.0, 2.0], float("nan"), float("inf")])
@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("bias", "spread.variance"),
        ("bias", "spread.n"),
        ("bias", "preference.intercept"),
        ("bias", "preference.slope"),
        ("bias", "floor"),
        ("ials", "choice_rate.power"),
        ("ials", "interest.name"),
        ("ials", "interest.ridge"),
        ("ials", "interest.unobserved"),
        ("ease", "interest.tilt.tilt"),
        ("ease", "interest.tilt.deviation"),
        ("bspm", "interest.settings.blur"),
        ("network", "interest.activation"),
        ("network", "interest.latent"),
    ],
)
def test_numbers_of_lists_and_deviations_are_checked(
    copy: Callable[[str], Path], name: str, path: str, wrong: Any
) -> None:
    folder = copy(name)
    set_field(folder, path, wrong)
    with pytest.raises(ModelFileError):
        load_model(folder)


@pytest.mark.parametrize("wrong", [None, "x", [], {}, [1.0, 2.0], float("nan"), -1.0])
def test_the_exponent_of_predicted_ratings_is_a_number_and_may_be_infinite(
    copy: Callable[[str], Path], wrong: Any
) -> None:
    folder = copy("bias")
    set_field(folder, "love", float("inf"))
    assert load_model(folder).love == float("inf")
    set_field(folder, "love", wrong)
    with pytest.raises(ModelFileError):
        load_model(folder)


def set_field(folder: Path, path: str, value: Any) -> None:
    """Write a field of a folder's manifest, and sign the folder again."""
    manifest = json.loads((folder / "manifest.json").read_text())
    *parents, last = path.split(".")
    parent = manifest
    for part in parents:
        parent = parent[part]
    parent[last] = value
    sign(folder, manifest)


@pytest.mark.parametrize(
    ("file", "query"),
    [
        ("histories", 'SELECT "user", item + 1000000 AS item, rating FROM t'),
        ("histories", 'SELECT "user", -item AS item, rating FROM t'),
        ("histories", 'SELECT "user" + 4000000000000 AS "user", item, rating FROM t'),
        ("histories", 'SELECT "user" + 1 AS "user", item, rating FROM t'),
        ("histories", 'SELECT "user", item, rating FROM t ORDER BY item, "user"'),
        ("histories", "SELECT \"user\", item, 'nan'::FLOAT AS rating FROM t"),
        ("histories", 'SELECT "user", item, NULL::FLOAT AS rating FROM t'),
        ("histories", 'SELECT "user", item, rating FROM t UNION ALL FROM t ORDER BY ALL'),
        ("users", "SELECT user_id FROM t LIMIT 5"),
        ("users", "SELECT 'x' AS user_id FROM t"),
        ("items", "SELECT item_id FROM t UNION ALL SELECT item_id FROM t"),
        ("items", "SELECT 1 AS item_id FROM t"),
        ("items", "SELECT item_id, NULL::VARCHAR AS title FROM t"),
        ("items", "SELECT item_id, 5 AS title FROM t"),
        ("items", "SELECT title FROM t"),
    ],
)
def test_tables_that_do_not_fit_are_errors(
    copy: Callable[[str], Path], file: str, query: str
) -> None:
    folder = copy("bias")
    target = folder / f"{file}.parquet"
    with duckdb.connect() as db:
        db.execute(f"CREATE TABLE t AS FROM '{target}'")
        db.execute(f"COPY ({query}) TO '{target}' (FORMAT parquet)")
    sign(folder)
    with pytest.raises(ModelFileError):
        load_model(folder)


@pytest.mark.parametrize("content", ["[" * 100_000, '{"a":' * 100_000, "9" * 10_000, "\ud800"])
def test_a_manifest_of_any_nonsense_is_an_error(copy: Callable[[str], Path], content: str) -> None:
    folder = copy("bias")
    (folder / "manifest.json").write_bytes(content.encode("utf-8", "surrogatepass"))
    with pytest.raises(ModelFileError):
        load_model(folder)


def test_a_manifest_beyond_any_size_is_not_read(copy: Callable[[str], Path]) -> None:
    folder = copy("bias")
    with (folder / "manifest.json").open("r+b") as file:
        file.truncate(1 << 40)  # a sparse file
    with pytest.raises(ModelFileError, match="a manifest has at most"):
        load_model(folder)
