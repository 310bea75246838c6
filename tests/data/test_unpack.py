"""Compressed files: bounded in what they unpack to, and in the time that many members take."""

from __future__ import annotations

import gzip
import os
import sys
import time
import zipfile
from pathlib import Path

import pytest

from matinee import DataError, load
from matinee.data.read import unpack

ROWS = b"1,2,3\n2,3,4\n"


@pytest.mark.parametrize("kind", ["gz", "zip"])
def test_what_unpacks_to_far_more_than_its_size_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.setattr(unpack, "_SMALL", 2 << 20)
    path = tmp_path / f"r.csv.{kind}"

    def write(repeats: int) -> None:
        if kind == "gz":
            path.write_bytes(gzip.compress(ROWS * repeats))
            return
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name in ("a.csv", "b.csv"):  # Each is within the bound by itself.
                archive.writestr(name, ROWS * (repeats // 2 + 1))

    write(200_000)
    with pytest.raises(DataError, match=r"unpacks to more than 2 MiB, from 0\.0 MiB.*unpack it"):
        load(path)
    write(10)
    assert len(load(path)) == 2


@pytest.mark.skipif(sys.platform != "linux", reason="names of files are bytes there alone")
def test_names_that_are_not_utf8(tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(b"caf\xe9.csv")
    path.write_bytes(b"user,item,rating\n1,2,3\n2,3,4\n")
    ratings = load(path)
    assert len(ratings) == 2
    assert ratings.name == "caf\ufffd"
    path.write_bytes(b"user,item,rating\n1,2,x\n2,3,4\n")
    with pytest.raises(DataError, match="line 2: rating 'x'"):
        load(path)


def test_a_zip_of_many_members_takes_no_longer_for_each(tmp_path: Path) -> None:
    def seconds(members: int) -> float:
        path = tmp_path / f"{members}.zip"
        with zipfile.ZipFile(path, "w") as archive:
            for number in range(members):
                archive.writestr(f"{number}.csv", f"user,item,rating\n{number},1,3\n{number},2,4\n")
        began = time.process_time()
        assert len(load(path)) == 2 * members
        return time.process_time() - began

    seconds(10)
    assert seconds(800) < 12 * max(seconds(200), 0.1)


@pytest.mark.parametrize("noted", [True, False])
def test_several_tables_read_as_one_are_noted(tmp_path: Path, noted: bool) -> None:
    # Files called part-00000 and so on are one table, written in pieces.
    names = ["2024.csv", "2025.csv"] if noted else ["part-00000.csv", "part-00001.csv"]
    source = tmp_path / "shop.zip"
    with zipfile.ZipFile(source, "w") as made:
        for at, name in enumerate(names):
            made.writestr(name, f"user,item,rating\n1,{at},3\n2,{at},4\n")
    ratings = load(source)
    assert len(ratings) == 4
    note = (
        f"the 2 tables in {source} are read as one (2024.csv, 2025.csv); to read only one, "
        f"name it: {source}/2024.csv"
    )
    assert ratings.notes == ((note,) if noted else ())
    assert load(f"{source}/{names[1]}", allow_single=True).item_ids.ids.tolist() == [1]
    zipfile.ZipFile(source).extractall(tmp_path / "shop")
    folder = load(tmp_path / "shop")
    assert folder.notes == ((note.replace(".zip", ""),) if noted else ())
    with pytest.raises(DataError, match=r"holds no '2026\.csv'"):
        load(source / "2026.csv", allow_single=True)


def test_one_table_of_a_zip_is_not_noted(tmp_path: Path) -> None:
    source = tmp_path / "shop.zip"
    with zipfile.ZipFile(source, "w") as made:
        made.writestr("a.csv", "user,item,rating\n1,1,3\n2,2,4\n")
    assert load(source).notes == ()
