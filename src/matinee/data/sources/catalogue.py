"""The registry of public data sets: one entry of ``DATASETS`` for each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from types import MappingProxyType

_GROUPLENS = "https://files.grouplens.org/datasets/movielens"
_TERMS = "GroupLens: free for research; no redistribution or commercial use without permission"
_TERMS_OPEN = "GroupLens: free for research; redistribution under the same terms, not commercial"


@dataclass(frozen=True)
class NamedSplit:
    """A split that came with its data, so that scores by it can be compared.

    Attributes:
        name: What to call it ("ml-100k/u1").
        dataset: The data set it is in.
        train: File of the training part, relative to the data set; "" if that is all of the
            data set but the test part.
        test: File of the test part.
        description: One line.
        valid: File of a validation part, which training on the whole training part includes.
    """

    name: str
    dataset: str
    train: str
    test: str
    description: str
    valid: str = ""


@dataclass(frozen=True)
class Derived:
    """A data set derived from another.

    Attributes:
        dataset: The other.
        relevant: Ratings of at least this value are its interactions.
        k_core: Users and items with fewer are left out.
    """

    dataset: str
    relevant: float
    k_core: int


@dataclass(frozen=True)
class Dataset:
    """A public data set: its source and expected contents.

    Attributes:
        name: What to call it ("ml-1m").
        licence: The terms in one line; the archive has the full text.
        users: Number of users with a rating.
        items: Number of items with a rating.
        ratings: Number of ratings.
        scale: Lowest and highest rating.
        description: One line.
        url: The archive to download, a zip; "" if it cannot be downloaded.
        md5: The archive's MD5 as its publisher states it, or None if it changes over time.
        download_mb: Size of the archive in MB (10^6 bytes), about.
        splits: Splits that came with it.
        derived: What it is derived from, if its own files are only test parts.
        obtain: How to obtain it, if there is no archive to download.
    """

    name: str
    licence: str
    users: int
    items: int
    ratings: int
    scale: tuple[float, float]
    description: str
    url: str = ""
    md5: str | None = None
    download_mb: int = 0
    splits: tuple[NamedSplit, ...] = ()
    derived: Derived | None = None
    obtain: str = ""


def _movielens(
    name: str,
    md5: str | None,
    counts: tuple[int, int, int],
    low: float,
    megabytes: int,
    description: str,
    licence: str = _TERMS_OPEN,
    splits: tuple[NamedSplit, ...] = (),
) -> Dataset:
    url = f"{_GROUPLENS}/{name}.zip"
    scale = (low, 5.0)
    return Dataset(name, licence, *counts, scale, description, url, md5, megabytes, splits)


def _of_100k() -> Iterator[NamedSplit]:
    for fold in range(1, 6):
        what = f"80/20, fold {fold} of 5; the test parts are disjoint"
        yield NamedSplit(f"ml-100k/u{fold}", "ml-100k", f"u{fold}.base", f"u{fold}.test", what)
    for letter in "ab":
        what = "10 test ratings of each user; ua and ub have disjoint test parts"
        name = f"u{letter}"
        yield NamedSplit(f"ml-100k/{name}", "ml-100k", f"{name}.base", f"{name}.test", what)


DATASETS: MappingProxyType[str, Dataset] = MappingProxyType(
    {
        entry.name: entry
        for entry in (
            _movielens(
                "ml-100k",
                "0e33842e24a9c977be4e0107933c0723",
                (943, 1682, 100_000),
                1.0,
                5,
                "1997 to 1998, whole stars; the splits u1 to u5, ua and ub come with it",
                _TERMS,
                tuple(_of_100k()),
            ),
            _movielens(
                "ml-1m",
                "c4d9eecfca2ab87c1945afe126590906",
                (6040, 3706, 1_000_209),
                1.0,
                6,
                "2000 to 2003, whole stars, 20 ratings or more from each user",
                _TERMS,
            ),
            _movielens(
                "ml-10m",
                "ce571fd55effeba0271552578f2648bd",
                (69_878, 10_677, 10_000_054),
                0.5,
                66,
                "1995 to 2009, half stars",
            ),
            _movielens(
                "ml-20m",
                "cd245b17a1ae2cc31bb14903e1204af3",
                (138_493, 26_744, 20_000_263),
                0.5,
                199,
                "1995 to 2015, half stars",
            ),
            _movielens(
                "ml-25m",
                "6b51fb2759a8657d3bfcbfc42b592ada",
                (162_541, 59_047, 25_000_095),
                0.5,
                262,
                "1995 to 2019, half stars",
            ),
            _movielens(
                "ml-32m",
                "d472be332d4daa821edc399621853b57",
                (200_948, 84_432, 32_000_204),
                0.5,
                239,
                "1995 to 2023, half stars",
            ),
            _movielens(
                "ml-latest-small",
                None,
                (610, 9724, 100_836),
                0.5,
                1,
                "1996 to 2018, half stars; changes over time (counts as of September 2018)",
            ),
            Dataset(
                name="netflix",
                licence="Netflix Prize: research; no longer distributed",
                users=480_189,
                items=17_770,
                ratings=100_480_507,
                scale=(1.0, 5.0),
                description="1999 to 2005, whole stars; four windows of time and the probe",
                obtain="the Netflix Prize data is no longer distributed; if you have its folder, "
                "`matinee data add netflix PATH`",
            ),
            Dataset(
                name="gowalla-lightgcn",
                licence="SNAP loc-gowalla: research; no licence stated",
                users=29_858,
                items=40_981,
                ratings=1_027_370,
                scale=(1.0, 1.0),
                description="places that people went to, as NGCF and LightGCN split them",
                splits=(
                    NamedSplit(
                        name="gowalla-lightgcn",
                        dataset="gowalla-lightgcn",
                        train="train_fit.parquet",
                        test="test.parquet",
                        description="LightGCN's train and test; LightGCN++'s validation part",
                        valid="train_valid.parquet",
                    ),
                ),
                obtain="its train.txt and test.txt are in LightGCN's repository; put them into a "
                "folder and `matinee data add gowalla-lightgcn PATH`",
            ),
            Dataset(
                name="ml-1m-quest",
                licence=_TERMS,
                users=5949,
                items=2810,
                ratings=571_531,
                scale=(1.0, 1.0),
                description="ml-1m as Anelli et al. 2022 use it: 4 stars or more, 10-core",
                splits=tuple(
                    NamedSplit(
                        name=f"ml-1m-quest/{fold}",
                        dataset="ml-1m-quest",
                        train="",
                        test=f"test-{fold}.parquet",
                        description=f"test part {fold} of Anelli et al. 2022",
                    )
                    for fold in range(3)
                ),
                derived=Derived("ml-1m", relevant=4, k_core=10),
                obtain="its test parts are in the repository of Anelli et al. 2022; put them as "
                "test-0.parquet and so on into a folder and `matinee data add ml-1m-quest PATH`",
            ),
        )
    }
)
"""All data sets by name."""

CATALOGUE: MappingProxyType[str, Dataset] = MappingProxyType(
    {name: entry for name, entry in DATASETS.items() if entry.url}
)
"""Data sets that can be downloaded, smallest first except ml-latest-small."""

UNDISTRIBUTED: MappingProxyType[str, str] = MappingProxyType(
    {name: entry.obtain for name, entry in DATASETS.items() if not entry.url}
)
"""Data sets that cannot be downloaded, and what to do."""
