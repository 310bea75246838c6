"""The data sets of lists that have named splits, and the counts that are published of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from matinee.data import DATASETS, NAMED_SPLITS, audit, load, named_parts, named_split
from matinee.errors import DataError, UsageError


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MATINEE_DATA", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    return tmp_path / "home"


def test_every_split_of_a_data_set_has_a_name() -> None:
    for dataset in DATASETS.values():
        assert bool(dataset.url) != bool(dataset.obtain)
        for split in dataset.splits:
            assert NAMED_SPLITS[split.name] is split
            assert split.dataset == dataset.name


def test_gowalla(real_data: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MATINEE_DATA", str(real_data("gowalla-lightgcn").parent))
    parts = named_parts("gowalla-lightgcn")
    assert parts.valid is not None
    assert (len(parts.train), len(parts.valid), len(parts.test)) == (719_081, 91_047, 217_242)
    train, test = named_split("gowalla-lightgcn")
    assert (len(train), train.n_users, train.n_items) == (810_128, 29_858, 40_981)
    assert train.implicit
    assert not audit(train, test).contaminated


def test_ml_1m_quest(real_data: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch) -> None:
    real_data("ml-1m")
    monkeypatch.setenv("MATINEE_DATA", str(real_data("ml-1m-quest").parent))
    whole = load("ml-1m-quest")
    assert (len(whole), whole.n_users, whole.n_items) == (571_531, 5949, 2810)
    assert whole.notes[-1].startswith("10-core: 571,531 of 575,281 kept")
    train, test = named_split("ml-1m-quest/0")
    assert (len(train), len(test)) == (571_531 - 116_671, 116_671)
    assert train.times is not None
    assert not audit(train, test).contaminated


def test_a_data_set_made_of_another_takes_no_options_in_silence(home: Path) -> None:
    folder = home / "ml-1m"
    folder.mkdir(parents=True)
    rows = [f"{user},{item},5" for user in range(12) for item in range(12)]
    (folder / "ratings.csv").write_text("user,item,rating\n" + "\n".join(rows))
    assert len(load("ml-1m-quest", k_core=12)) == 144
    with pytest.raises(DataError, match="with 13 of each other"):
        load("ml-1m-quest", k_core=13)
    for option in ({"scale": (1, 5)}, {"missing": 5}, {"skip": 3}, {"time": "when"}):
        with pytest.raises(UsageError, match=r"ml-1m-quest: .* are read already"):
            load("ml-1m-quest", **option)


def test_the_published_text_files_serve_as_well(home: Path) -> None:
    folder = home / "gowalla-lightgcn"
    folder.mkdir(parents=True)
    (folder / "train.txt").write_text("0 1 2 3\n1 2 3\n2 4 1\n")
    with pytest.raises(DataError, match=r"train_fit\.parquet is missing"):
        named_split("gowalla-lightgcn")
    (folder / "test.txt").write_text("0 4\n1 1 4\n")
    train, test = named_split("gowalla-lightgcn")
    assert (len(train), len(test)) == (7, 3)
    assert named_parts("gowalla-lightgcn").valid is None


def test_what_is_not_here(home: Path) -> None:
    with pytest.raises(DataError, match="matinee data add ml-1m-quest PATH"):
        named_split("ml-1m-quest/0")
    with pytest.raises(DataError, match="matinee data get ml-1m, or"):
        load("ml-1m-quest")
    folder = home / "ml-1m-quest"
    folder.mkdir(parents=True)
    (folder / "test-0.parquet").write_bytes(b"")
    with pytest.raises(DataError, match=r"test-0\.parquet: is empty"):
        named_split("ml-1m-quest/0")
