"""The Netflix Prize reader at full size: rows per second, peak memory, and the named splits.

    python benchmarks/netflix_reader.py [--json] [--form combined,mv] [--ratings N] [--no-splits]

Generates a folder in the original format (17,770 movies, 480,189 users with ids up to 2,649,429,
100,480,507 ratings from 1999-11-11 to 2005-12-31) in a temporary folder, reads it, checks that
every rating came through, reads the named splits, and removes it. Ratings are drawn at random:
the counts are not the paper's, and the splits say so. Needs Linux and 2.6 GB of disk in TMPDIR.
Compiled kernels are loaded, by a small folder, before anything is timed.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

from _memory import peak_mib, reset_peak
from matinee.data import NAMED_SPLITS, load, named_parts

RATINGS, USERS, MOVIES = 100_480_507, 480_189, 17_770
LARGEST_ID = 2_649_429
FIRST_DAY, LAST_DAY = np.datetime64("1999-11-11"), np.datetime64("2005-12-31")
# The movies at which the second to fourth of the combined files begin.
COMBINED = (4_500, 9_211, 13_368)
ROOM = 2_600_000_000
DATES = np.arange(FIRST_DAY, LAST_DAY + 1)
# Shares of 1 to 5 stars, summed.
STARS = np.array([0.046, 0.147, 0.434, 0.770, 1.0])


@njit(cache=True, nogil=True)
def write_movie(
    movie: int,
    count: int,
    released: int,
    ids: npt.NDArray[np.int64],
    joined: npt.NDArray[np.int64],
    taken: npt.NDArray[np.int32],
    stars: npt.NDArray[np.float64],
    dates: npt.NDArray[np.uint8],
    out: npt.NDArray[np.uint8],
    sums: npt.NDArray[np.int64],
    rng: np.random.Generator,
) -> int:
    """Write the rows of a movie, by distinct users drawn with a skew; returns their bytes."""
    at, last = 0, len(dates) - 1
    digits = np.empty(10, dtype=np.uint8)
    for _ in range(count):
        user = int(len(ids) * rng.random() ** 3)
        while taken[user] == movie:
            user = int(len(ids) * rng.random() ** 3)
        taken[user] = movie
        start = max(released, joined[user])
        day = start + int((last - start + 1) * rng.random())
        rating = 1 + np.searchsorted(stars, rng.random(), side="right")
        number, width = ids[user], 0
        while number > 0:
            digits[width] = 48 + number % 10
            number //= 10
            width += 1
        for j in range(width):
            out[at + j] = digits[width - 1 - j]
        at += width
        out[at], out[at + 1], out[at + 2] = 44, 48 + rating, 44
        out[at + 3 : at + 13] = dates[day]
        out[at + 13] = 10
        at += 14
        sums[0] += ids[user] * movie
        sums[1] += rating * ids[user]
        sums[2] += day * rating
    return at


def movie_counts(ratings: int, rng: np.random.Generator) -> npt.NDArray[np.int64]:
    """Ratings of each movie: a few have very many, as in the original; they sum to the total."""
    shares = np.minimum(rng.lognormal(0.0, 1.9, MOVIES), 60)
    counts = np.maximum(3, np.minimum(230_000, shares / shares.sum() * ratings)).astype(np.int64)
    short = ratings - int(counts.sum())
    room = np.flatnonzero(counts < 200_000)
    counts[room] += short // len(room)
    counts[room[: short % len(room)]] += 1
    return counts


def generate(folder: Path, form: str, ratings: int) -> list[int]:
    """Write a folder; returns sums over its rows that a reader must find again."""
    rng = np.random.default_rng(0)
    others = rng.choice(LARGEST_ID - 2, USERS - 2, replace=False) + 2
    ids = rng.permutation(np.concatenate(([1, LARGEST_ID], others))).astype(np.int64)
    joined = (len(DATES) * rng.random(USERS) ** 0.5).astype(np.int64)
    released = (len(DATES) * rng.random(MOVIES) ** 4).astype(np.int64)
    counts = movie_counts(ratings, rng)
    dates = np.frombuffer("".join(DATES.astype(str)).encode(), dtype=np.uint8).reshape(-1, 10)
    out = np.empty(32 * int(counts.max()), dtype=np.uint8)
    taken, sums = np.zeros(USERS, dtype=np.int32), np.zeros(3, dtype=np.int64)

    def section(movie: int) -> Iterator[bytes | memoryview]:
        yield f"{movie}:\n".encode()
        size = write_movie(
            movie, counts[movie - 1], released[movie - 1], ids, joined, taken, STARS, dates, out,
            sums, rng,
        )  # fmt: skip
        yield out[:size].data

    if form == "mv":
        (folder / "training_set").mkdir(parents=True)
        for movie in range(1, MOVIES + 1):
            with (folder / "training_set" / f"mv_{movie:07}.txt").open("wb") as file:
                file.writelines(section(movie))
    else:
        folder.mkdir(parents=True)
        bounds = (1, *COMBINED, MOVIES + 1)
        for number in range(4):
            with (folder / f"combined_data_{number + 1}.txt").open("wb", buffering=0) as file:
                for movie in range(bounds[number], bounds[number + 1]):
                    for block in section(movie):
                        file.write(block)
    titles = (f"{movie},1999,Movie, the {movie}th\n" for movie in range(1, MOVIES + 1))
    (folder / "movie_titles.txt").write_text("".join(titles), encoding="latin-1")
    return sums.tolist()


def sums_of(ratings: Any) -> list[int]:
    """The same sums of ratings that were read."""
    first = int(FIRST_DAY.astype("datetime64[s]").astype(np.int64))
    totals = [0, 0, 0]
    for start in range(0, len(ratings), 1 << 22):
        part = slice(start, start + (1 << 22))
        user = ratings.user_ids.ids[ratings.users[part]]
        stars = ratings.values[part].astype(np.int64)
        day = (ratings.times[part] - first) // 86_400
        totals[0] += int((user * ratings.item_ids.ids[ratings.items[part]]).sum())
        totals[1] += int((stars * user).sum())
        totals[2] += int((day * stars).sum())
    return totals


def timed(call: Callable[[], Any]) -> tuple[Any, dict[str, float]]:
    """What a call gives, with its seconds on the wall and on the CPU, and its peak memory."""
    reset_peak()
    wall, cpu = time.perf_counter(), time.process_time()
    result = call()
    spent = {"seconds": time.perf_counter() - wall, "cpu_seconds": time.process_time() - cpu}
    return result, {**{name: round(value, 1) for name, value in spent.items()},
                    "peak_mib": round(peak_mib())}  # fmt: skip


def measure(scratch: Path, form: str, ratings: int, splits: bool) -> dict[str, Any]:
    """Generate, read and check one form of the folder; the splits by name, if asked for."""
    folder = scratch / "netflix"
    wanted, row = timed(lambda: generate(folder, form, ratings))
    size = sum(file.stat().st_size for file in folder.rglob("*.txt"))
    row = {"form": form, "generate_seconds": row["seconds"], "gigabytes": round(size / 1e9, 2)}
    found, spent = timed(lambda: load(folder))
    if sums_of(found) != wanted:
        raise SystemExit(f"{form}: what was read is not what was written")
    row |= spent | {
        "ratings": len(found),
        "users": found.n_users,
        "movies": found.n_items,
        "rows_per_second": round(len(found) / spent["seconds"]),
        "rows_per_cpu_second": round(len(found) / spent["cpu_seconds"]),
        "notes": found.notes,
    }
    del found
    if splits:
        row["splits"] = {name: one_split(name) for name in NAMED_SPLITS if is_window(name)}
    shutil.rmtree(folder)
    return row


def is_window(name: str) -> bool:
    """Whether a split is one of the paper's."""
    return name.startswith("netflix/") and not name.endswith("probe")


def one_split(name: str) -> dict[str, Any]:
    """Read a split by its name."""
    parts, spent = timed(lambda: named_parts(name))
    return spent | {
        "train": len(parts.train),
        "train_users": parts.train.n_users,
        "train_movies": parts.train.n_items,
        "valid": len(parts.valid),
        "test": len(parts.test),
        "notes": [*parts.train.notes, *parts.test.notes],
    }


def show(value: Any, indent: str = "") -> None:
    """Print what was measured, a line each."""
    for name, entry in value.items():
        if isinstance(entry, dict):
            print(f"{indent}{name}")
            show(entry, indent + "  ")
        elif isinstance(entry, (list, tuple)):
            for text in entry:
                print(f"{indent}note: {text}")
        else:
            print(f"{indent}{name:19} {entry:,}" if name != "form" else f"{name:19} {entry}")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--form", default="combined,mv", help="combined, mv, or both")
    parser.add_argument("--ratings", type=int, default=RATINGS)
    parser.add_argument("--no-splits", action="store_true", help="leave the named splits out")
    options = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as scratch:
        if shutil.disk_usage(scratch).free < ROOM * options.ratings / RATINGS:
            raise SystemExit(f"{scratch}: needs 2.6 GB of room; set TMPDIR to a larger disk")
        os.environ["MATINEE_DATA"] = scratch
        os.environ["XDG_CONFIG_HOME"] = scratch
        generate(Path(scratch) / "small", "combined", 20 * MOVIES)
        load(Path(scratch) / "small")
        for at, form in enumerate(options.form.split(",")):
            splits = at == 0 and not options.no_splits
            rows.append(measure(Path(scratch), form, options.ratings, splits))
            if not options.json:
                show(rows[-1])
    if options.json:
        print(json.dumps(rows))


if __name__ == "__main__":
    main()
