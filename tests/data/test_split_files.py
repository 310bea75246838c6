"""Splits as files and by name."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from matinee import __version__
from matinee.data import (
    NAMED_SPLITS,
    ItemTable,
    Ratings,
    add,
    audit,
    fingerprint,
    join,
    load,
    named_split,
    share_vocabularies,
    split,
    split_files,
    split_parts,
    split_three,
    split_users,
)
from matinee.data.splits.named import given_part
from matinee.errors import DataError, MatineeError, UsageError


@pytest.fixture
def ratings() -> Ratings:
    rng = np.random.default_rng(0)
    pairs = rng.choice(40 * 30, size=600, replace=False)
    made = Ratings.from_arrays(
        [f"u{user}" for user in pairs // 30],
        pairs % 30 + 100,
        rng.choice([0.5, 1, 2.5, 4], 600),
        rng.integers(1_000, 9_000, 600),
        name="toy",
    )
    titles = np.array([f"Film {item}" for item in made.item_ids.ids], dtype=object)
    genres = np.empty(30, dtype=object)
    genres[:] = [("Drama", "War")] * 29 + [()]
    return replace(made, item_table=ItemTable(titles, genres))


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MATINEE_DATA", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    return tmp_path / "home"


def names(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_two_parts(ratings: Ratings, tmp_path: Path) -> None:
    out = tmp_path / "new" / "split"
    manifest = split_files(ratings, out, 0.25, seed=3, by="user")
    assert names(out) == ["items.parquet", "manifest.json", "test.parquet", "train.parquet"]
    assert json.loads((out / "manifest.json").read_text()) == manifest
    train, test = split(ratings, 0.25, seed=3, by="user")
    for name, part in (("train", train), ("test", test)):
        read = load(out / f"{name}.parquet")
        assert fingerprint(read) == fingerprint(part) == manifest["parts"][name]["fingerprint"]
        assert sorted(read.times.tolist()) == sorted(part.times.tolist())
        assert len(read) == manifest["parts"][name]["ratings"]
        # Titles travel with the parts.
        assert read.item_table.titles[0] == f"Film {read.item_ids.ids[0]}"
        assert read.item_table.genres[0] == ("Drama", "War")
    assert manifest["protocol"] == {"by": "user", "seed": 3, "holdout": 0.25}
    assert manifest["source"]["fingerprint"] == fingerprint(ratings)
    assert manifest["source"]["users"] == 40
    assert manifest["matinee"] == __version__


@pytest.mark.parametrize(
    ("options", "protocol"),
    [
        ({"by": "random", "valid": 0.1}, {"by": "random", "holdout": 0.2, "valid": 0.1}),
        ({"by": "last", "holdout": 2, "valid": 1}, {"by": "last", "holdout": 2, "valid": 1}),
        ({"by": "time", "at": (3_000, "5000")}, {"by": "time", "at": [3_000, 5_000]}),
    ],
)
def test_three_parts(
    ratings: Ratings, tmp_path: Path, options: dict[str, Any], protocol: dict[str, Any]
) -> None:
    manifest = split_files(ratings, tmp_path / "out", **options)
    assert manifest["protocol"] == {"seed": 0, **protocol}
    expected = split_three(ratings, **{"holdout": 0.2, **options})
    for name, part in zip(("train", "valid", "test"), expected, strict=True):
        assert fingerprint(load(tmp_path / "out" / f"{name}.parquet")) == fingerprint(part)


def test_at_one_moment(ratings: Ratings, tmp_path: Path) -> None:
    manifest = split_files(ratings, tmp_path / "out", by="time", at="1970-01-01T01:23:20Z")
    assert manifest["protocol"] == {"by": "time", "seed": 0, "at": 5_000}
    assert manifest["parts"]["test"]["first"] >= "1970-01-01T01:23:20Z"
    assert manifest["parts"]["train"]["last"] < "1970-01-01T01:23:20Z"


def test_users(ratings: Ratings, tmp_path: Path) -> None:
    split_files(ratings, tmp_path / "out", 5, seed=1, by="users", given=0.5)
    expected = split_users(ratings, 5, seed=1, given=0.5)
    for name, part in zip(("train", "given", "test"), expected, strict=True):
        assert fingerprint(load(tmp_path / "out" / f"{name}.parquet")) == fingerprint(part)


def test_people_with_a_validation_part(ratings: Ratings, tmp_path: Path) -> None:
    out = tmp_path / "out"
    manifest = split_files(ratings, out, 0.2, seed=1, by="people", valid=0.1, given=0.5)
    assert manifest["protocol"] == {
        "by": "people",
        "seed": 1,
        "holdout": 0.2,
        "valid": 0.1,
        "given": 0.5,
    }
    assert list(manifest["parts"]) == ["train", "valid", "test", "given", "valid_given"]
    parts = split_parts(ratings, "people", 0.2, 0.1, seed=1, given=0.5)
    for name, part in parts.named().items():
        assert fingerprint(load(out / f"{name}.parquet")) == fingerprint(part)
    train, test = named_split(out)
    assert not audit(train, test).contaminated


def test_folds(ratings: Ratings, tmp_path: Path, home: Path) -> None:
    manifest = split_files(ratings, tmp_path / "out", by="kfold", k=3)
    assert list(manifest["parts"]) == [
        f"fold-{f}/{p}" for f in (1, 2, 3) for p in ("train", "test")
    ]
    assert "fold-3/items.parquet" in names(tmp_path / "out")
    held = [load(tmp_path / "out" / f"fold-{fold}" / "test.parquet") for fold in (1, 2, 3)]
    assert fingerprint(join(*share_vocabularies(*held), name="all")) == fingerprint(ratings)
    with pytest.raises(DataError, match=r"the folds of a split \(fold-1, .*such as .*fold-1$"):
        load(tmp_path / "out")
    train, test = named_split(tmp_path / "out" / "fold-2")
    assert fingerprint(test) == fingerprint(held[1])
    assert not audit(train, test).contaminated


def test_without_times_or_titles(ratings: Ratings, tmp_path: Path) -> None:
    plain = replace(ratings, times=None, item_table=None)
    manifest = split_files(plain, tmp_path / "out")
    assert names(tmp_path / "out") == ["manifest.json", "test.parquet", "train.parquet"]
    assert load(tmp_path / "out" / "test.parquet").times is None
    assert "first" not in manifest["parts"]["test"]


def test_a_split_is_replaced_and_nothing_else(ratings: Ratings, tmp_path: Path) -> None:
    out = tmp_path / "out"
    split_files(ratings, out, by="kfold", k=2)
    split_files(ratings, out)
    assert "fold-1/train.parquet" not in names(out)
    before = (out / "manifest.json").read_text()
    with pytest.raises(MatineeError):
        split_files(ratings, out, by="time", at=0)
    assert (out / "manifest.json").read_text() == before
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("")
    with pytest.raises(UsageError, match="exists and is no split"):
        split_files(ratings, tmp_path / "mine")
    assert names(tmp_path / "mine") == ["thesis.txt"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mine", "out"]


def test_options_that_do_not_go_together(ratings: Ratings, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no validation part"):
        split_files(ratings, tmp_path / "out", by="kfold", valid=0.1)
    with pytest.raises(UsageError, match="does not use moments"):
        split_files(ratings, tmp_path / "out", by="people", at=5)
    with pytest.raises(UsageError, match="needs two moments"):
        split_files(ratings, tmp_path / "out", by="time", valid=0.1, at=5_000)
    with pytest.raises(UsageError, match="holds out no people: leave out --given"):
        split_files(ratings, tmp_path / "out", by="user", given=0.8)
    with pytest.raises(UsageError, match="no folds: leave out --folds"):
        split_files(ratings, tmp_path / "out", k=5)
    with pytest.raises(UsageError, match="no people held out"):
        split_files(ratings, tmp_path / "out", by="kfold", given=0.8)
    with pytest.raises(UsageError, match="not by share: leave out --holdout"):
        split_files(ratings, tmp_path / "out", 0.2, by="time", at=5_000)
    with pytest.raises(UsageError, match="folds of one size"):
        split_files(ratings, tmp_path / "out", 0.2, by="kfold")
    with pytest.raises(UsageError, match="did you mean 'random'"):
        split_files(ratings, tmp_path / "out", by="randon")  # type: ignore[arg-type]
    assert not (tmp_path / "out").exists()


def test_share_vocabularies_of_parts_read_apart() -> None:
    one = Ratings.from_arrays([1, 2], [10, 30], [1, 5])
    two = Ratings.from_arrays(["2", "x"], [20, 30], [0, 4])
    a, b = share_vocabularies(one, two)
    assert a.user_ids is b.user_ids
    assert a.user_ids.ids.tolist() == ["1", "2", "x"]
    assert a.item_ids.ids.tolist() == [10, 20, 30]
    assert b.user_ids.decode(b.users).tolist() == ["2", "x"]
    assert b.item_ids.decode(b.items).tolist() == [20, 30]
    assert (a.scale.low, a.scale.high) == (0, 5)
    assert a.item_table is None
    genres = np.empty(2, dtype=object)
    genres[:] = [("War",), ()]
    titled = replace(two, item_table=ItemTable(np.array(["B", "C"], dtype=object), genres))
    table = share_vocabularies(one, titled)[0].item_table
    assert table.titles.tolist() == ["10", "B", "C"]
    assert table.genres.tolist() == [(), ("War",), ()]


def test_unknown_names(home: Path) -> None:
    with pytest.raises(UsageError, match="did you mean 'ml-100k/u1'"):
        named_split("ml-100k/u11")
    with pytest.raises(DataError, match="`matinee data get ml-100k` first"):
        named_split("ml-100k/u1")
    (home / "ml-100k").mkdir(parents=True)
    (home / "ml-100k" / "u.data").write_text("")
    with pytest.raises(DataError, match=r"u1\.base is missing"):
        named_split("ml-100k/u1")
    with pytest.raises(UsageError, match="holds no train and test file"):
        named_split("ml-100k")


def lines(ratings: Ratings) -> set[str]:
    users = ratings.user_ids.decode(ratings.users).tolist()
    items = ratings.item_ids.decode(ratings.items).tolist()
    columns = users, items, ratings.values.astype(int).tolist(), ratings.times.tolist()
    return {"\t".join(map(str, row)) for row in zip(*columns, strict=True)}


@pytest.mark.parametrize("packed", [False, True])
def test_canonical_splits_of_ml_100k(
    real_data: Callable[[str], Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    packed: bool,
) -> None:
    folder = real_data("ml-100k")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    if packed:
        with zipfile.ZipFile(tmp_path / "ml-100k.zip", "w") as archive:
            for name in ("u1.base", "u1.test", "ua.base", "ua.test", "u.item"):
                archive.write(folder / name, f"ml-100k/{name}")
        add("ml-100k", tmp_path / "ml-100k.zip")
    else:
        add("ml-100k", folder)
    for name in ("u1", "ua") if packed else ("u1", "u2", "u3", "u4", "u5", "ua", "ub"):
        assert f"ml-100k/{name}" in NAMED_SPLITS
        train, test = named_split(f"ml-100k/{name}")
        assert lines(train) == set((folder / f"{name}.base").read_text().split("\n")) - {""}
        assert lines(test) == set((folder / f"{name}.test").read_text().split("\n")) - {""}
        assert train.user_ids is test.user_ids
        assert train.item_table.titles[0] == "Toy Story (1995)"
        assert not audit(train, test).contaminated


def test_seed_split_by_its_folder(
    real_data: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = real_data("ml-1m-seed-split")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("MATINEE_DATA", str(folder.parent))
    train, test = named_split("ml-1m-seed-split")
    assert (len(train), len(test)) == (800_167, 200_042)
    assert train.name == "ml-1m-seed-split train"
    whole = load(real_data("ml-1m") / "ratings.dat")
    assert fingerprint(join(train, test, name="all")) == fingerprint(whole)


def test_global_time_cuts_of_ml_1m(real_data: Callable[[str], Path]) -> None:
    ratings = load(real_data("ml-1m") / "ratings.dat")
    parts = split_three(ratings, 0.1, 0.1, by="time")
    assert [len(part) for part in parts] == [800_167, 100_021, 100_021]
    assert parts[0].times.max() == parts[1].times.min() == 975_768_738
    assert parts[2].times.min() == 978_133_414
    # At the moments themselves, no second is divided.
    parts = split_three(ratings, by="time", at=(975_768_738, 978_133_414))
    assert [len(part) for part in parts] == [800_164, 100_024, 100_021]


def test_weights_of_a_fold_are_read_however_it_is_named(
    ratings: Ratings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    weights = np.where(ratings.values > 2, 2.0, 0.5).astype(np.float32)
    split_files(replace(ratings, weights=weights), tmp_path / "parts", by="kfold")
    (tmp_path / "link").symlink_to(tmp_path / "parts" / "fold-2")
    monkeypatch.chdir(tmp_path / "parts" / "fold-1")
    for name in (".", "../fold-2", tmp_path / "link"):
        assert named_split(name)[0].weights is not None, name


def test_names_of_parts_leave_out_the_folders_above(ratings: Ratings, tmp_path: Path) -> None:
    split_files(ratings, tmp_path / "parts", by="kfold")
    train, test = named_split(tmp_path / "parts" / "fold-1")
    assert (train.name, test.name) == ("parts/fold-1 train", "parts/fold-1 test")


@pytest.mark.parametrize("by", ["random", "people", "kfold"])
def test_weights_of_a_split_are_read_again(ratings: Ratings, tmp_path: Path, by: str) -> None:
    weights = np.where(ratings.values > 2, 2.0, 0.5).astype(np.float32)
    split_files(replace(ratings, weights=weights), tmp_path / "parts", by=by)
    folder = tmp_path / "parts" / ("fold-1" if by == "kfold" else "")
    parts = [*named_split(folder), given_part(folder)]
    for part in [part for part in parts if part is not None]:
        assert part.weights is not None
        assert (part.weights == np.where(part.values > 2, 2.0, 0.5)).all()
    assert (parts[2] is not None) == (by == "people")
    assert named_split(folder, weight="rating")[0].implicit  # what is named is read
    for none in ("none", None):
        assert named_split(folder, weight=none)[0].weights is None
        assert named_split(folder, weight=none)[0].values.tolist() == parts[0].values.tolist()
    beside = tmp_path / "parts" / "beside"
    beside.mkdir()
    for name in ("train", "test"):
        (beside / f"{name}.csv").write_text("user,item,rating\na,x,1\nb,y,2\n")
    assert named_split(beside)[0].weights is None  # it is no part of the split
    split_files(ratings, tmp_path / "parts", by=by)
    assert named_split(folder)[0].weights is None


def test_weights_of_interactions_are_read_again(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    users, items = np.nonzero(rng.random((30, 20)) < 0.4)
    plays = {"user": users, "item": items, "plays": rng.integers(1, 9, len(users))}
    for stated in (True, False):
        whole = load(plays, weight="plays") if stated else load(plays)
        folder = tmp_path / str(stated)
        split_files(whole, folder, holdout=0.3, seed=0)
        for part in named_split(folder)[:2]:
            assert part.implicit
            assert part.values.max() > 1
            assert (part.weights is not None) == stated
            assert part.weights is None or np.array_equal(part.weights, part.values)
