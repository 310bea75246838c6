from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from matinee.base.compiled import kernel
from matinee.data import Ratings
from matinee.errors import DataError, MatineeError, UnknownIdError, UsageError
from matinee.synth import (
    SynthConfig,
    Synthetic,
    World,
    _kernels as kernels,
    read_manifest,
    synthesize,
    write_synthetic,
)


@pytest.fixture(scope="module")
def medium() -> Synthetic:
    return synthesize(1500, 800, 120_000, seed=3)


def _expected(data: Synthetic, ratings: Ratings) -> np.ndarray:
    return data.expected(
        ratings.user_ids.decode(ratings.users), ratings.item_ids.decode(ratings.items)
    )


def _rmse(prediction: Any, ratings: Ratings) -> float:
    return float(np.sqrt(np.mean((ratings.values.astype(np.float64) - prediction) ** 2)))


def _same(one: Ratings, other: Ratings) -> None:
    for column in ("users", "items", "values", "times"):
        np.testing.assert_array_equal(getattr(one, column), getattr(other, column))


def test_counts_are_exact_and_no_pair_repeats(medium: Synthetic) -> None:
    ratings = medium.ratings
    assert (len(ratings), ratings.n_users, ratings.n_items) == (120_000, 1500, 800)
    assert ratings.compact() is ratings  # every user and item has a rating
    pairs = ratings.users.astype(np.int64) * ratings.n_items + ratings.items
    assert (np.diff(pairs) > 0).all()  # ordered by user then item, each pair once
    assert set(np.unique(ratings.values)) == {1, 2, 3, 4, 5}


@given(
    users=st.integers(2, 30), items=st.integers(2, 30), share=st.floats(0, 1), seed=st.integers(0)
)
@settings(max_examples=60, deadline=None)
def test_any_small_shape(users: int, items: int, share: float, seed: int) -> None:
    least, most = max(users, items), users * items
    n = least + round(share * (most - least))
    ratings = synthesize(users, items, n, seed=seed % 2**63, threads=1).ratings
    pairs = ratings.users.astype(np.int64) * items + ratings.items
    assert len(np.unique(pairs)) == len(ratings) == n
    assert ratings.compact() is ratings


def test_every_pair_can_be_asked_for() -> None:
    ratings = synthesize(7, 40, 280).ratings
    np.testing.assert_array_equal(ratings.items, np.tile(np.arange(40), 7))


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("size", [1, 997, 50_000])
def test_same_whatever_the_chunks_and_threads(medium: Synthetic, size: int, threads: int) -> None:
    chunks = list(World(medium.world.config).chunks(size, threads))
    assert len(chunks) > 1
    for column in ("users", "items", "values", "times"):
        joined = np.concatenate([getattr(chunk, column) for chunk in chunks])
        np.testing.assert_array_equal(joined, getattr(medium.ratings, column))


def test_same_in_another_process(medium: Synthetic) -> None:
    code = (
        "import numpy as np; from matinee.synth import synthesize;"
        "r = synthesize(1500, 800, 120_000, seed=3).ratings;"
        "print(r.values.sum(), (r.items * (r.times % 1009)).sum(), '|'.join(r.item_table.titles))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        timeout=600,
        env={**os.environ, "NUMBA_NUM_THREADS": "2", "PYTHONHASHSEED": "5"},
    )
    r = medium.ratings
    assert r.times is not None
    assert r.item_table is not None
    titles = "|".join(r.item_table.titles)
    assert done.stdout.strip() == f"{r.values.sum()} {(r.items * (r.times % 1009)).sum()} {titles}"


def test_another_seed_is_another_world(medium: Synthetic) -> None:
    other = synthesize(1500, 800, 120_000, seed=4).ratings
    assert np.mean(other.items == medium.ratings.items) < 0.05
    assert np.corrcoef(other.by_item.counts, medium.ratings.by_item.counts)[0, 1] < 0.2


# The standard error of a mean of n squared errors whose kurtosis is near 3 is MSE * sqrt(2 / n),
# so that of the RMSE is RMSE / sqrt(2 n); five of them never fail by chance.
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"low": 0.5, "step": 0.5},
        {"low": -10.0, "high": 10.0},
        {"low": 1, "high": 100},
        {"low": 0, "high": 1, "step": 1},
        {"noise": 0.2, "rank": 3, "twin": 1.0},
        {"noise": 3.0, "mean": 1.0},
        {"pull": 3.0, "taste": 1.0},
    ],
)
def test_the_floor_is_what_the_best_prediction_gets(options: dict[str, float]) -> None:
    data = synthesize(600, 400, 60_000, seed=1, **options)
    ratings = data.ratings
    best = _expected(data, ratings)
    tolerance = 5 * data.floor / np.sqrt(2 * len(ratings))
    assert _rmse(best, ratings) == pytest.approx(data.floor, abs=tolerance)
    # No shrinking, stretching or shifting of it does better, beyond luck.
    residual = ratings.values - best
    spread = data.floor / np.sqrt(len(ratings))
    assert abs(residual.mean()) < 5 * spread
    centred = best - best.mean()
    assert abs((residual * centred).mean()) < 5 * spread * centred.std()
    assert data.floor < float(ratings.values.std())


def test_the_floor_of_a_part_is_its_own(medium: Synthetic) -> None:
    ratings = medium.ratings
    high = ratings.take(_expected(medium, ratings) > 4.5)  # near the top there is less room
    low = ratings.take(_expected(medium, ratings) < 3.5)
    assert medium.floor_of(high) < medium.floor - 0.1 < medium.floor_of(low)
    for part in (high, low):
        floor = medium.floor_of(part)
        tolerance = 8 * floor / np.sqrt(2 * len(part))
        assert _rmse(_expected(medium, part), part) == pytest.approx(floor, abs=tolerance)
    assert medium.floor_of(ratings) == pytest.approx(medium.floor, rel=1e-12)
    assert medium.floor_of(high.compact()) == pytest.approx(medium.floor_of(high), rel=1e-12)


@pytest.mark.parametrize("n_levels", [2, 5, 100])
@pytest.mark.parametrize("level", [-30.0, 0.2, 1.5, 3.99, 60.0, 140.0])
@pytest.mark.parametrize("sigma", [1e-3, 0.8, 20.0])
def test_moments_agree_with_integration(level: float, sigma: float, n_levels: int) -> None:
    from scipy.stats import norm

    edges = np.arange(n_levels - 1) + 0.5
    cdf = np.concatenate([[0.0], norm.cdf(edges, level, sigma), [1.0]])
    k, p = np.arange(n_levels), np.diff(cdf)
    mean = (k * p).sum()
    moments = moments_of(level, sigma, n_levels)
    np.testing.assert_allclose(moments, (mean, ((k - mean) ** 2 * p).sum()), rtol=1e-9, atol=1e-9)


stream, uniform_number, normal_number = kernels._stream, kernels._uniform, kernels._normal
fill_traits, race, reject, moments = (
    kernels._fill_traits,
    kernels._race,
    kernels._reject,
    kernels._moments,
)


@kernel()
def moments_of(level: float, sigma: float, n_levels: int) -> tuple[float, float]:
    return moments(level, sigma, n_levels)


@kernel()
def traits_of(user: int, tables: Any, traits: np.ndarray) -> None:
    fill_traits(stream(tables.seed, user, 0), tables, traits)


@kernel()
def by_race(key: int, n: int, scratch: Any, tables: Any) -> None:
    race(key, n, scratch, tables)


@kernel()
def by_rejection(key: int, n: int, scratch: Any, tables: Any) -> None:
    reject(key, n, scratch, tables)


@kernel()
def key_of(user: int) -> np.uint64:
    return stream(np.uint64(1), user, 1)


@kernel()
def draws(uniform: np.ndarray, normal: np.ndarray) -> None:
    key = stream(np.uint64(5), 12, 3)
    for k in range(len(uniform)):
        uniform[k] = uniform_number(key, k)
        normal[k] = normal_number(key, k)


def test_random_numbers_are_uniform_and_normal() -> None:
    uniform, normal = np.empty(20_000), np.empty(20_000)
    draws(uniform, normal)
    assert 0 < uniform.min() < 1e-3
    assert 1 - 1e-3 < uniform.max() < 1
    assert abs(uniform.mean() - 0.5) < 5 / np.sqrt(12 * 20_000)
    assert abs(np.corrcoef(uniform[1:], uniform[:-1])[0, 1]) < 5 / np.sqrt(20_000)
    assert abs(normal.mean()) < 5 / np.sqrt(20_000)
    assert abs(normal.var() - 1) < 5 * np.sqrt(2 / 20_000)


def test_alias_table_keeps_the_weights() -> None:
    weights = np.random.default_rng(0).exponential(size=37) ** 3
    weights /= weights.sum()
    threshold, alias = kernels.alias_table(weights)
    back = threshold.copy()
    np.add.at(back, alias, 1 - threshold)
    np.testing.assert_allclose(back / 37, weights, rtol=1e-12)


@pytest.mark.parametrize("method", [by_race, by_rejection])
def test_both_ways_of_choosing_items_have_one_distribution(method: Any) -> None:
    tables = World(SynthConfig(users=2, items=6, ratings=6, pull=2.0))._tables
    scratch = kernels.Scratch.of(*tables.factors.shape)
    seen, picks, traits = scratch.seen, scratch.picks, scratch.traits
    traits_of(0, tables, traits)
    affinity = kernels._affinity.__wrapped__
    match = np.array([affinity(traits, item, tables.factors, tables.twin) for item in range(6)])
    weights = tables.weights / (1 + np.exp(-2.0 * match))
    weights[2] = 0.0
    # Draw two without replacement: P(i, then j) = w_i / W * w_j / (W - w_i).
    total = weights.sum()
    exact = np.outer(weights, weights) / (total * (total - weights))[:, None]
    np.fill_diagonal(exact, 0.0)
    seen[2] = True
    counts = np.zeros((6, 6))
    draws = 20_000
    for k in range(draws):
        key = np.uint64(key_of(k))
        method(key, 2, scratch, tables)
        counts[picks[0], picks[1]] += 1
    assert seen.sum() == 1
    error = np.sqrt(exact * (1 - exact) / draws)
    assert (np.abs(counts / draws - exact) <= 5 * error + 1e-9).all()


def test_a_search_that_takes_long_ends_in_the_race() -> None:
    # Nearly all weight on few items: proposals keep hitting what was taken.
    data = synthesize(40, 2000, 4000, skew=30.0, cutoff=60.0, least=90)
    assert len(data.ratings) == 4000
    assert data.ratings.by_user.counts.min() >= 90


def test_popularity_and_activity_are_skewed(medium: Synthetic) -> None:
    items = np.sort(medium.ratings.by_item.counts)[::-1]
    users = medium.ratings.by_user.counts
    assert items[:80].sum() > 0.35 * len(medium.ratings)
    assert items[400:].sum() < 0.2 * len(medium.ratings)
    assert users.min() >= 16  # a fifth of the mean of 80
    assert users.mean() > 1.2 * np.median(users)
    flat = synthesize(1500, 800, 120_000, seed=3, skew=0, cutoff=0, pull=0).ratings
    assert flat.by_item.counts.max() < 2 * 150


def test_ratings_are_not_missing_at_random(medium: Synthetic) -> None:
    rng = np.random.default_rng(0)
    anyhow = medium.expected(rng.integers(1, 1501, 50_000), rng.integers(1, 801, 50_000))
    assert medium.ratings.values.mean() > anyhow.mean() + 0.15


def test_times_increase_with_no_ties_within_some_years(medium: Synthetic) -> None:
    times = medium.ratings.times
    assert times is not None
    for user in range(0, 1500, 50):
        of_user = times[medium.ratings.users == user]
        assert len(np.unique(of_user)) == len(of_user)
    assert times.min() >= 946_684_800
    assert times.max() < 1_104_537_600 + 20_000
    # Not simply in the order of the items.
    assert (np.diff(times[:100]) < 0).any()


def test_titles_are_distinct_and_genres_go_with_taste(medium: Synthetic) -> None:
    table = medium.ratings.item_table
    assert table is not None
    assert table.genres is not None
    assert len({title.rsplit(" (", 1)[0] for title in table.titles}) == 800
    assert all(1930 <= int(title[-5:-1]) <= 1999 for title in table.titles)
    main = np.array([genres[0] for genres in table.genres])
    factors = medium.world._tables.factors
    likeness = factors @ factors.T
    same = main[:, None] == main[None, :]
    off = ~np.eye(800, dtype=bool)
    assert likeness[same & off].mean() > likeness[~same].mean() + 0.2


def test_a_large_catalogue_still_has_distinct_titles() -> None:
    titles = World(SynthConfig(users=2, items=20_000, ratings=20_000)).item_table.titles
    assert len({title.rsplit(" (", 1)[0] for title in titles}) == 20_000


@pytest.mark.parametrize(
    ("asked", "named"),
    [
        ({"ratings": 101}, "only 100 pairs"),
        ({"ratings": 9}, "at least 10"),
        ({"users": 1}, "users"),
        ({"items": 1}, "items"),
        ({"low": 5, "high": 1}, "5 to 1"),
        ({"step": 0.7}, "step 0.7"),
        ({"step": 8}, "step 8"),
        ({"step": 0}, "step"),
        ({"noise": 0}, "noise"),
        ({"noise": float("nan")}, "noise"),
        ({"high": float("inf")}, "high"),
        ({"least": 11}, "at most 5"),
        ({"seed": -1}, "seed"),
        ({"nois": 1}, "did you mean 'noise'"),
        ({"step": 1e-9}, "different ratings"),
    ],
)
def test_what_cannot_be_made_is_refused(asked: dict[str, Any], named: str) -> None:
    with pytest.raises(UsageError, match=named):
        synthesize(**{"users": 10, "items": 10, "ratings": 50, **asked})


def test_unknown_ids_are_named(medium: Synthetic) -> None:
    with pytest.raises(UnknownIdError, match=r"user 1501 .* 1 to 1,500"):
        medium.expected([1, 1501], [1, 1])
    with pytest.raises(UnknownIdError, match="item 0 "):
        medium.expected([1], [0])


def test_written_files_hold_the_same_ratings(tmp_path: Path, medium: Synthetic) -> None:
    folder = tmp_path / "it's here"
    done: list[int] = []
    manifest = write_synthetic(
        folder, 1500, 800, 120_000, seed=3, chunk=25_000, threads=2, report=done.append
    )
    assert sum(done) == 120_000
    assert sorted(path.name for path in folder.iterdir()) == sorted(
        [*manifest.files, "items.parquet", "manifest.json"]
    )
    assert len(manifest.files) > 3
    ratings = medium.ratings
    with duckdb.connect() as db:
        files = [str(folder / name) for name in manifest.files]
        rows = db.execute("FROM read_parquet(?)", [files]).fetchnumpy()
        items = db.execute("FROM read_parquet(?)", [str(folder / "items.parquet")]).fetchnumpy()
    np.testing.assert_array_equal(rows["user_id"], ratings.users + 1)
    np.testing.assert_array_equal(rows["item_id"], ratings.items + 1)
    np.testing.assert_array_equal(rows["rating"], ratings.values)
    np.testing.assert_array_equal(rows["timestamp"], ratings.times)
    assert ratings.item_table is not None
    assert ratings.item_table.genres is not None
    assert list(items["title"]) == list(ratings.item_table.titles)
    assert items["genres"][0] == "|".join(ratings.item_table.genres[0])

    assert manifest == read_manifest(folder)
    assert manifest.floor == medium.floor
    assert manifest.mean == pytest.approx(ratings.values.mean(dtype=np.float64), rel=1e-9)
    assert manifest.std == pytest.approx(ratings.values.std(dtype=np.float64), rel=1e-9)
    again = World(read_manifest(folder).config)
    np.testing.assert_array_equal(again.expected([3], [5]), medium.expected([3], [5]))


def test_a_folder_is_replaced_only_if_it_was_generated(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    write_synthetic(folder, 10, 10, 50)
    before = (folder / "manifest.json").read_bytes()
    write_synthetic(folder, 10, 10, 50)
    assert (folder / "manifest.json").read_bytes() == before
    write_synthetic(folder, 10, 10, 60)
    assert read_manifest(folder).config.ratings == 60

    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "thesis.tex").write_text("years of work")
    with pytest.raises(UsageError, match="precious: exists and is not synthetic data"):
        write_synthetic(precious, 10, 10, 50)
    assert (precious / "thesis.tex").read_text() == "years of work"


def test_an_interrupted_write_leaves_nothing(tmp_path: Path) -> None:
    def stop(_: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_synthetic(tmp_path / "data", 100, 50, 2000, chunk=500, report=stop)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "there is no manifest"),
        ("{", "cannot be read"),
        ("{}", "not the manifest"),
        ("[]", "not the manifest"),
        ('{"format": "matinee-synthetic", "version": 2}', "version 2"),
        ('{"format": "matinee-synthetic", "version": 1, "floor": "low"}', "generate"),
    ],
)
def test_bad_manifests(tmp_path: Path, text: str | None, message: str) -> None:
    if text is not None:
        (tmp_path / "manifest.json").write_text(text)
    with pytest.raises(DataError, match=message):
        read_manifest(tmp_path)


def test_manifest_tampering_is_noticed(tmp_path: Path) -> None:
    write_synthetic(tmp_path / "data", 10, 10, 50)
    file = tmp_path / "data" / "manifest.json"
    values = json.loads(file.read_text())
    values["config"]["noize"] = 1
    file.write_text(json.dumps(values))
    with pytest.raises(MatineeError, match=r"manifest\.json.*noize"):
        read_manifest(tmp_path / "data")


def test_two_million_ratings_in_bounded_memory(tmp_path: Path) -> None:
    code = (
        "import resource, sys; from matinee.synth import write_synthetic;"
        "write_synthetic(sys.argv[1], 50, 40, 500, seed=1);"
        "base = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss;"
        "m = write_synthetic(sys.argv[1], 12_000, 5_000, 2_000_000, chunk=100_000);"
        "peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss;"
        "print(m.floor, (peak - base) / 1024)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "data")],
        capture_output=True,
        text=True,
        timeout=300,
        check=True,
    )
    floor, mebibytes = map(float, done.stdout.split())
    assert 0.78 < floor < 0.82
    # All two million rows would be 40 MB in columns; DuckDB's buffers do not grow with the rows.
    assert mebibytes < 150
    with duckdb.connect() as db:
        rows = db.execute(
            "SELECT count(*), count(DISTINCT (user_id, item_id)) FROM read_parquet(?)",
            [str(tmp_path / "data" / "ratings-*.parquet")],
        ).fetchone()
    assert rows == (2_000_000, 2_000_000)


def test_the_command_prints_the_floor(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from matinee.cli import main

    shape = ["--users", "60", "--items", "40", "--ratings", "900"]
    args = ["data", "synth", str(tmp_path / "data"), *shape, "--set", "high=10", "--json"]
    assert main(args) == 0
    answer = json.loads(capsys.readouterr().out)
    data = synthesize(60, 40, 900, high=10)
    assert answer["floor"] == data.floor
    assert answer["config"]["high"] == 10
    assert main([*args, "--set", "users=70"]) == 0  # --set has the last word
    assert json.loads(capsys.readouterr().out)["config"]["users"] == 70
    for wrong in ("threads=2", "noize=1", "users=1"):
        assert main([*args, "--set", wrong]) == 2
        assert wrong.partition("=")[0] in capsys.readouterr().err
