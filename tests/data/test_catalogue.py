"""The catalogue, the data home, names given by ``add``, and atomic writes."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from matinee.base.atomic import atomic_path
from matinee.data import CATALOGUE, add, data_home, forget, locate, registered
from matinee.data.sources.home import registry_path
from matinee.errors import DataError, MatineeError, UsageError


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MATINEE_DATA", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    return tmp_path / "home"


def test_catalogue_is_consistent() -> None:
    movielens = [name for name in CATALOGUE if name.startswith("ml-")]
    assert movielens == [
        "ml-100k", "ml-1m", "ml-10m", "ml-20m", "ml-25m", "ml-32m", "ml-latest-small",
    ]  # fmt: skip
    for name in movielens:
        assert CATALOGUE[name].url == f"https://files.grouplens.org/datasets/movielens/{name}.zip"
        assert (CATALOGUE[name].md5 is None) == (name == "ml-latest-small")
    for name, entry in CATALOGUE.items():
        assert entry.name == name
        assert entry.url.startswith("https://")
        assert entry.url.endswith(".zip")
        assert entry.md5 is None or len(bytes.fromhex(entry.md5)) == 16
        assert entry.ratings < entry.users * entry.items
    sums = [entry.md5 for entry in CATALOGUE.values() if entry.md5 is not None]
    assert len(set(sums)) == len(sums)


def test_home_from_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, home: Path
) -> None:
    assert data_home() == home
    monkeypatch.setenv("MATINEE_DATA", "~/ratings")
    assert data_home() == Path.home() / "ratings"
    monkeypatch.delenv("MATINEE_DATA")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert data_home() == tmp_path / "cache" / "matinee"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setattr(sys, "platform", "linux")
    assert data_home() == Path.home() / ".cache" / "matinee"
    monkeypatch.setattr(sys, "platform", "darwin")
    assert data_home() == Path.home() / "Library" / "Caches" / "matinee"
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path / "local"))
    assert data_home() == tmp_path / "local" / "matinee"


def test_locate_looks_in_the_home(home: Path) -> None:
    assert locate("ml-1m") is None
    home.mkdir()
    (home / "ml-1m").mkdir()
    assert locate("ml-1m") is None, "an empty folder is no data"
    (home / "ml-1m.zip").write_text("zip")
    assert locate("ml-1m") == home / "ml-1m.zip"
    (home / "ml-1m" / "ratings.dat").write_text("1::1::1::1")
    assert locate("ml-1m") == home / "ml-1m"
    assert locate("ml-1m/ratings.dat") == home / "ml-1m" / "ratings.dat"
    assert locate("ml-1m/../ml-1m.zip") is None
    assert locate(str(home / "ml-1m")) is None
    assert locate("") is None
    assert locate(".") is None


def test_a_part_is_never_data(home: Path) -> None:
    home.mkdir()
    (home / "ml-1m.zip.part").write_text("half")
    assert locate("ml-1m") is None


def test_add_and_forget(tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "mine.csv"
    file.write_text("user,item,rating\n1,1,1\n")
    monkeypatch.chdir(tmp_path)
    assert add("mine", "mine.csv") == file
    assert add("ml-1m", file) == file
    monkeypatch.chdir("/")
    assert locate("mine") == file
    home.mkdir()
    (home / "ml-1m.zip").write_text("zip")
    assert locate("ml-1m") == file, "a path of the user goes before the home folder"
    assert registered() == {"mine": file, "ml-1m": file}
    assert forget("ml-1m") == file
    assert locate("ml-1m") == home / "ml-1m.zip"
    assert file.exists()
    with pytest.raises(UsageError, match=r"'mini' is not a name given by add; did you mean 'mine'"):
        forget("mini")


def test_add_refuses(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such file or folder"):
        add("mine", tmp_path / "nothing")
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="an empty folder"):
        add("mine", tmp_path / "empty")
    for name in ("a/b", "", "-x", "..", "a b"):
        with pytest.raises(UsageError, match="cannot be a name"):
            add(name, tmp_path)
    assert registered() == {}


def test_registered_data_that_is_gone(tmp_path: Path) -> None:
    file = tmp_path / "mine.csv"
    file.write_text("x")
    add("mine", file)
    file.unlink()
    with pytest.raises(DataError, match=r"which is gone; `matinee data add mine PATH`"):
        locate("mine")


def test_damaged_registry(tmp_path: Path) -> None:
    registry_path().parent.mkdir(parents=True)
    for text in ("{", "[]", '{"datasets": []}', '{"other": {}}'):
        registry_path().write_text(text)
        with pytest.raises(DataError, match="not a registry of data sets"):
            locate("mine")


def test_registry_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "file"))
    monkeypatch.setattr(sys, "platform", "linux")
    with pytest.raises(MatineeError, match="set XDG_CONFIG_HOME to a folder you can write to"):
        add("mine", tmp_path / "file")


def test_registry_is_plain_json(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    add("mine", tmp_path)
    assert json.loads(registry_path().read_text()) == {"datasets": {"mine": str(tmp_path)}}


# Atomic writes.


def test_atomic_file(tmp_path: Path) -> None:
    target = tmp_path / "new" / "folder" / "table.csv"
    with atomic_path(target) as temporary:
        assert temporary.parent == target.parent
        temporary.write_text("one")
        assert not target.exists()
    assert target.read_text() == "one"
    # The mode is what the user's umask gives, not that of a private temporary.
    mask = os.umask(0o022)
    try:
        with atomic_path(target) as temporary:
            temporary.write_text("two")
    finally:
        os.umask(mask)
    assert target.read_text() == "two"
    assert stat.S_IMODE(target.stat().st_mode) == 0o644
    assert [path.name for path in target.parent.iterdir()] == ["table.csv"]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_atomic_leaves_the_old_file(tmp_path: Path, error: type[BaseException]) -> None:
    target = tmp_path / "table.csv"
    target.write_text("old")

    def break_off() -> None:
        with atomic_path(target) as temporary:
            temporary.write_text("half of the n")
            raise error

    with pytest.raises(error):
        break_off()
    assert target.read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["table.csv"]


@pytest.mark.parametrize("swap", [True, False])
def test_atomic_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, swap: bool) -> None:
    if not swap:
        monkeypatch.setattr("matinee.base.atomic._exchange", lambda one, other: False)
    target = tmp_path / "model"
    for content in ("one", "two"):
        with atomic_path(target) as temporary:
            temporary.mkdir()
            (temporary / content).write_text(content)
    assert [path.name for path in target.iterdir()] == ["two"]

    def break_off() -> None:
        with atomic_path(target) as temporary:
            temporary.mkdir()
            (temporary / "three").write_text("3")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        break_off()
    assert [path.name for path in target.iterdir()] == ["two"]
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


def test_atomic_follows_a_link(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "there" / "file")
    with atomic_path(tmp_path / "link") as temporary:
        temporary.write_text("through")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "there" / "file").read_text() == "through"


def test_atomic_errors_name_the_path(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "folder").mkdir()
    for target in (tmp_path / "file" / "below", tmp_path / "folder"):
        with (
            pytest.raises(MatineeError, match=f"{target}: cannot write"),
            atomic_path(target) as temporary,
        ):
            temporary.write_text("x")
    # An error about something else is left alone.
    with pytest.raises(FileNotFoundError), atomic_path(tmp_path / "out") as temporary:
        (tmp_path / "missing input").read_text()


def test_killed_writer_leaves_the_old_file(tmp_path: Path) -> None:
    target = tmp_path / "table.csv"
    target.write_text("old")
    script = (
        "import os, sys\nfrom matinee.base.atomic import atomic_path\n"
        "with atomic_path(sys.argv[1]) as temporary:\n"
        "    temporary.write_text('half'); os._exit(9)\n"
    )
    done = subprocess.run([sys.executable, "-c", script, str(target)], check=False)
    assert done.returncode == 9
    assert target.read_text() == "old"
