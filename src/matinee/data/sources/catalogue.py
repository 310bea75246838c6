"""The public data sets Matinee knows by name."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType

_GROUPLENS = "https://files.grouplens.org/datasets/movielens"
_TERMS = "GroupLens: free for research; no redistribution or commercial use without permission"
_TERMS_OPEN = "GroupLens: free for research; redistribution under the same terms, not commercial"


@dataclass(frozen=True)
class Dataset:
    """A public data set: where it comes from and what should be in it.

    Attributes:
        name: What to call it ("ml-1m").
        url: The archive to download, a zip.
        md5: The archive's MD5 as its publisher states it, or None where it changes over time.
        licence: The terms in one line; the archive holds them in full.
        users: Number of users with a rating.
        items: Number of items with a rating.
        ratings: Number of ratings.
        scale: Lowest and highest rating.
        download_mb: Size of the archive in MB (10^6 bytes), about.
        description: One line.
    """

    name: str
    url: str
    md5: str | None
    licence: str
    users: int
    items: int
    ratings: int
    scale: tuple[float, float]
    download_mb: int
    description: str


def _movielens(
    name: str,
    md5: str | None,
    counts: tuple[int, int, int],
    low: float,
    megabytes: int,
    description: str,
    licence: str = _TERMS_OPEN,
) -> Dataset:
    url = f"{_GROUPLENS}/{name}.zip"
    return Dataset(name, url, md5, licence, *counts, (low, 5.0), megabytes, description)


CATALOGUE: MappingProxyType[str, Dataset] = MappingProxyType(
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
        )
    }
)
"""Data sets by name, smallest first but for ml-latest-small."""

UNDISTRIBUTED: MappingProxyType[str, str] = MappingProxyType(
    {
        "netflix": "the Netflix Prize data is no longer distributed; if you have its folder, "
        "`matinee data add netflix PATH`"
    }
)
"""Data sets that have named splits but cannot be downloaded, and what to do."""
