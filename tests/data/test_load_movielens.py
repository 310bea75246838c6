"""MovieLens layouts: folders and archives, made up here and real where there is real data."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from matinee.data import Ratings, load
from matinee.errors import DataError, UsageError

RealData = Callable[[str], Path]

DAT = "1::10::5::978300760\n1::20::3::978302109\n2::10::4::978301968\n"
MOVIES_DAT = "10::Léon: The Professional (1994)::Crime|Drama\n20::Amélie (2001)::Comedy\n"
TAB = "1\t10\t5\t978300760\n1\t20\t3\t978302109\n2\t10\t4\t978301968\n"
CSV = (
    "userId,movieId,rating,timestamp\n1,10,5.0,978300760\n1,20,3.0,978302109\n2,10,4.0,978301968\n"
)
MOVIES_CSV = (
    'movieId,title,genres\n20,"American President, The (1995)",(no genres listed)\n'
    "10,Amélie (2001),Comedy|Romance\n99,Never rated,Drama\n"
)


def item_line(item: int, title: str, genres: list[int]) -> str:
    flags = ["1" if at in genres else "0" for at in range(19)]
    return "|".join([str(item), title, "01-Jan-1995", "", "http://x", *flags]) + "\n"


U_ITEM = item_line(10, 'Say "Léon" (1994)', [6, 8]) + item_line(20, "unknown", [0])

LAYOUTS: dict[str, dict[str, bytes]] = {
    "ml-1m": {
        "ratings.dat": DAT.encode(),
        "movies.dat": MOVIES_DAT.encode("latin-1"),
        "users.dat": b"1::F::1::10::48067\n",
        "README": b"...",
    },
    "ml-10m": {
        "ratings.dat": DAT.encode(),
        "movies.dat": MOVIES_DAT.encode(),
        "tags.dat": b"1::10::fun::1\n",
        "split_ratings.sh": b"#!",
    },
    "ml-25m": {
        "ratings.csv": CSV.encode(),
        "movies.csv": MOVIES_CSV.encode(),
        "tags.csv": b"userId,movieId,tag,timestamp\n1,10,fun,1\n",
        "links.csv": b"movieId,imdbId,tmdbId\n10,1,2\n",
        "genome-scores.csv": b"movieId,tagId,relevance\n10,1,0.5\n",
        "README.txt": b"...",
    },
    "ml-100k": {
        "u.data": TAB.encode(),
        "u.item": U_ITEM.encode("latin-1"),
        "u.genre": b"unknown|0\nAction|1\n",
        "u1.base": TAB.encode(),
        "u1.test": TAB.encode(),
        "u.user": b"1|24|M|technician|85711\n",
    },
}
TITLES = {
    "ml-1m": (
        ["Léon: The Professional (1994)", "Amélie (2001)"],
        [("Crime", "Drama"), ("Comedy",)],
    ),
    "ml-10m": (
        ["Léon: The Professional (1994)", "Amélie (2001)"],
        [("Crime", "Drama"), ("Comedy",)],
    ),
    "ml-25m": (["Amélie (2001)", "American President, The (1995)"], [("Comedy", "Romance"), ()]),
    "ml-100k": (['Say "Léon" (1994)', "unknown"], [("Crime", "Drama"), ("unknown",)]),
}


def lay_out(folder: Path, name: str) -> Path:
    folder.mkdir(parents=True)
    for file, data in LAYOUTS[name].items():
        (folder / file).write_bytes(data)
    return folder


def check(ratings: Ratings, name: str) -> None:
    assert ratings.user_ids.ids.tolist() == [1, 2]
    assert ratings.item_ids.ids.tolist() == [10, 20]
    assert ratings.values.tolist() == [5, 3, 4]
    assert ratings.times is not None
    assert ratings.times.tolist() == [978300760, 978302109, 978301968]
    assert ratings.item_table is not None
    titles, genres = TITLES[name]
    assert ratings.item_table.titles.tolist() == titles
    assert ratings.item_table.genres is not None
    assert ratings.item_table.genres.tolist() == genres
    assert ratings.notes == ()


@pytest.mark.parametrize("name", LAYOUTS)
def test_folder(tmp_path: Path, name: str) -> None:
    folder = lay_out(tmp_path / "x" / name, name)
    ratings = load(folder)
    check(ratings, name)
    assert ratings.name == name
    check(load(tmp_path / "x"), name)  # An archive unpacked into a folder of its own.
    table = "u1.base" if name == "ml-100k" else next(iter(LAYOUTS[name]))
    check(load(folder / table), name)


@pytest.mark.parametrize("name", LAYOUTS)
def test_zip(tmp_path: Path, name: str) -> None:
    path = tmp_path / f"{name}.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for file, data in LAYOUTS[name].items():
            archive.writestr(f"{name}-inner/{file}", data)
    ratings = load(path)
    check(ratings, name)
    assert ratings.name == name


def test_halves_of_a_split_have_names_of_their_own(tmp_path: Path) -> None:
    folder = lay_out(tmp_path / "ml-100k", "ml-100k")
    assert load(folder / "u1.base").name == "u1.base"
    assert load(folder / "u1.test").name == "u1.test"


def test_a_folder_that_holds_a_split_is_not_mixed(tmp_path: Path) -> None:
    for part in ("train", "test"):
        (tmp_path / f"{part}.dat").write_text(DAT)
    (tmp_path / "valid.dat").write_text(DAT)
    with pytest.raises(DataError, match=r"holds a split \(test.dat, train.dat.*/train\.dat$"):
        load(tmp_path)
    assert len(load(tmp_path / "train.dat")) == 3


@pytest.mark.parametrize("names", ["train-00000-of-1 test-00000-of-1", "my_train my_valid"])
def test_a_folder_of_files_named_after_parts_is_not_mixed(tmp_path: Path, names: str) -> None:
    for name in names.split():
        (tmp_path / f"{name}.dat").write_text(DAT)
    with pytest.raises(DataError, match="whose parts must not be mixed"):
        load(tmp_path)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MATINEE_DATA", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.chdir(tmp_path)
    return tmp_path / "home"


def test_names(home: Path) -> None:
    lay_out(home / "ml-1m", "ml-1m")
    ratings = load("ml-1m")
    check(ratings, "ml-1m")
    assert ratings.name == "ml-1m"
    assert load("ml-1m/ratings.dat").values.tolist() == [5, 3, 4]
    with pytest.raises(DataError, match=r"no such file in .*ml-1m; did you mean 'ratings.dat'"):
        load("ml-1m/rating.dat")


@pytest.mark.parametrize("source", ["./ml-1m", "ml-1m/"])
def test_a_path_is_not_the_data_set_of_that_name(home: Path, source: str) -> None:
    lay_out(home / "ml-1m", "ml-1m")
    folder = home.parent / "ml-1m"
    folder.mkdir()
    (folder / "ratings.csv").write_text("user,item,rating\n1,1,2\n2,2,3\n")
    assert load(source).values.tolist() == [2, 3]


def test_a_name_that_is_not_here_says_how_to_get_it(home: Path) -> None:
    with pytest.raises(
        DataError, match=r"matinee data get ml-20m, or matinee data add ml-20m PATH"
    ):
        load("ml-20m")
    with pytest.raises(DataError, match="matinee data get ml-20m"):
        load("ml-20m/ratings.csv")
    with pytest.raises(
        UsageError, match="no data set of that name; did you mean 'ml-latest-small'"
    ):
        load("ml-latest-smal")


def test_names_given_by_add(home: Path, tmp_path: Path) -> None:
    from matinee.data import add

    (tmp_path / "shop.csv").write_text(CSV)
    add("shop", tmp_path / "shop.csv")
    assert load("shop").name == "shop"
    with pytest.raises(UsageError, match="did you mean 'shop'"):
        load("shops")


def test_titles_beside_that_cannot_be_read_are_left_out_aloud(tmp_path: Path) -> None:
    folder = lay_out(tmp_path / "x", "ml-25m")
    (folder / "movies.csv").write_text("movieId,title\n1,a,b,c\n")
    ratings = load(folder)
    assert ratings.item_table is None
    assert len(ratings.notes) == 1
    assert "titles left out" in ratings.notes[0]
    assert "movies.csv, line 2: 4 columns" in ratings.notes[0]


def test_tables_beside_that_know_none_of_the_ids_are_left_out_aloud(tmp_path: Path) -> None:
    (tmp_path / "ratings.csv").write_text("user,item,rating\n1,10,3\n1,11,4\n2,10,4\n")
    (tmp_path / "movies.csv").write_text("item,title\n010,Dune\n011,Emma\n")
    (tmp_path / "users.csv").write_text("user,age\n001,20\n")
    notes = load(tmp_path / "ratings.csv").notes
    assert "none of its ids is an item of the ratings, such as 10" in notes[0]
    assert "none of its ids is a user of the ratings, such as 1" in notes[1]


def test_titles_in_utf_16_and_missing_genres(tmp_path: Path) -> None:
    (tmp_path / "ratings.csv").write_text("user,item,rating\n1,10,3\n1,11,4\n2,10,4\n")
    text = "item,title,genres\n10,Am\xe9lie,N/A\n11,Dune,Drama\n"
    (tmp_path / "movies.csv").write_text(text, "utf-16")
    table = load(tmp_path / "ratings.csv").item_table
    assert table is not None
    assert table.titles.tolist() == ["Am\xe9lie", "Dune"]
    assert table.genres is not None
    assert table.genres.tolist() == [(), ("Drama",)]


@pytest.mark.parametrize(
    ("encoding", "stated", "title"),
    [
        ("shift-jis", "shift-jis", "\u5343\u3068"),
        ("cp1252", None, "\u201cAm\xe9lie\u201d"),
        ("latin-1", "utf-8", "Am\xe9lie"),
    ],
)
def test_titles_in_other_encodings(
    tmp_path: Path, encoding: str, stated: str | None, title: str
) -> None:
    (tmp_path / "ratings.csv").write_text("user,item,rating\n1,10,3\n1,11,4\n2,10,4\n")
    (tmp_path / "movies.csv").write_text(f"item,title\n10,{title}\n11,Dune\n", encoding)
    (tmp_path / "users.csv").write_text(f"user,name\n1,{title}\n2,Ann\n", encoding)
    ratings = load(tmp_path / "ratings.csv", encoding=stated)
    assert ratings.item_table is not None
    assert ratings.item_table.titles.tolist() == [title, "Dune"]
    assert ratings.user_columns is not None
    assert ratings.user_columns.columns["name"].tolist() == [title, "Ann"]


def test_items_given(tmp_path: Path) -> None:
    (tmp_path / "r.csv").write_text("user,item,rating\n1,b,3\n2,a,4\n2,c,4\n")
    (tmp_path / "names.tsv").write_text("id\tname\tcategory\nb\tBee\tx;y\na\tAy\t\nb\tBad\tz\n")
    ratings = load(tmp_path / "r.csv", items=tmp_path / "names.tsv")
    assert ratings.item_table is not None
    assert ratings.item_table.titles.tolist() == ["Ay", "Bee", "c"]
    assert ratings.item_table.genres is not None
    assert ratings.item_table.genres.tolist() == [(), ("x", "y"), ()]
    made = {"item_id": ["a", "b"], "title": ["Ay", "Bee"]}
    ratings = load(tmp_path / "r.csv", items=made)
    assert ratings.item_table is not None
    assert ratings.item_table.titles.tolist() == ["Ay", "Bee", "c"]
    assert ratings.item_table.genres is None
    with pytest.raises(DataError, match="none of its ids is an item of the ratings, such as 'a'"):
        load(tmp_path / "r.csv", items={"item": ["z"], "title": ["Zed"]})
    with pytest.raises(DataError, match="no title column among: item"):
        load(tmp_path / "r.csv", items={"item": ["z"], "x": ["Zed"]})


@pytest.mark.parametrize(
    ("name", "ratings", "users", "items", "titled"),
    [
        ("ml-1m", 1_000_209, 6_040, 3_706, True),
        ("ml-100k", 100_000, 943, 1_682, True),
        ("ml-latest-small", 100_836, 610, 9_724, True),
        ("ml-1m-seed-split/train.dat", 800_167, 6_040, 3_676, False),
        ("ml-1m-seed-split/test.dat", 200_042, 6_037, 3_477, False),
        ("ml-100k/u1.base", 80_000, 943, 1_650, True),
        ("ml-100k/u1.test", 20_000, 459, 1_410, True),
    ],
)
def test_real(
    real_data: RealData, name: str, ratings: int, users: int, items: int, titled: bool
) -> None:
    real_data(name)
    read = load(name)
    assert (len(read), read.n_users, read.n_items) == (ratings, users, items)
    assert (read.scale.low, read.scale.high) == (0.5 if "latest" in name else 1, 5)
    assert read.times is not None
    assert read.times.min() > 789_000_000
    assert read.notes == ()
    assert (read.item_table is not None) == titled
    if read.item_table is not None:
        known = {str(one) for one in read.item_ids.ids}
        assert not known.intersection(read.item_table.titles)  # Each has a title, not its id.
        assert read.item_table.titles[0] == "Toy Story (1995)"


def test_real_rows_are_those_of_the_file(real_data: RealData) -> None:
    path = real_data("ml-1m") / "ratings.dat"
    read = load(path)
    raw = np.loadtxt(path, dtype=np.int64, delimiter=":", usecols=(0, 2, 4, 6))
    raw = raw[np.lexsort((raw[:, 1], raw[:, 0]))]
    np.testing.assert_array_equal(read.user_ids.decode(read.users), raw[:, 0])
    np.testing.assert_array_equal(read.item_ids.decode(read.items), raw[:, 1])
    np.testing.assert_array_equal(read.values, raw[:, 2])
    np.testing.assert_array_equal(read.times, raw[:, 3])


def test_real_split_is_the_whole(real_data: RealData) -> None:
    folder = real_data("ml-1m-seed-split")
    real_data("ml-1m")
    whole, both = load("ml-1m"), load([folder / "train.dat", folder / "test.dat"])
    assert whole.user_ids == both.user_ids
    assert whole.item_ids == both.item_ids
    for column in ("users", "items", "values", "times"):
        np.testing.assert_array_equal(getattr(whole, column), getattr(both, column))
