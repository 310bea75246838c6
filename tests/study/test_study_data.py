"""The data of a run: splits, nested samples, synthetic worlds."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from matinee.data import Ratings
from matinee.errors import DataError, UsageError
from matinee.lab.study import Data
from matinee.lab.study.runs.data import DataCache, describe_data, prepare

WORLD = {"users": 200, "items": 80, "ratings": 6000}


def data(**rest: Any) -> Data:
    return Data.make({"name": "w", "synthetic": WORLD, "holdout": 0.2, **rest})


def pairs(ratings: Ratings) -> set[tuple[Any, Any]]:
    users = ratings.user_ids.ids[ratings.users]
    return set(zip(users.tolist(), ratings.item_ids.ids[ratings.items].tolist(), strict=True))


def people(ratings: Ratings) -> set[Any]:
    return set(ratings.user_ids.ids[np.unique(ratings.users)].tolist())


def test_a_synthetic_world_is_split_and_its_floor_is_that_of_the_test_part() -> None:
    made = prepare(describe_data(data(), 0))
    assert len(made.train) == 4800
    assert len(made.test) == 1200
    assert not pairs(made.train) & pairs(made.test)
    assert made.floor is not None
    assert 0.5 < made.floor < 1.0


@pytest.mark.parametrize("share", ["users", "ratings"])
def test_samples_are_nested(share: str) -> None:
    sizes = [0.05, 0.1, 0.3, 1.0]
    made = [prepare(describe_data(data(**{share: size}), 0)) for size in sizes]
    for small, large in itertools.pairwise(made):
        assert pairs(small.train) < pairs(large.train)
        assert pairs(small.test) <= pairs(large.test)
    if share == "users":
        assert [len(people(m.train)) for m in made] == [10, 20, 60, 200]
        assert all(people(m.test) <= people(m.train) for m in made[:-1])
    else:
        assert all(people(m.train) == people(made[-1].train) for m in made)  # nobody is emptied
        assert all(len(m.test) == len(made[-1].test) for m in made)
        assert len(made[2].train) == pytest.approx(0.3 * len(made[3].train), rel=0.1)


def test_the_cut_versions_users_are_a_share_of_the_share() -> None:
    half = prepare(describe_data(data(users=0.5), 0, users=0.2))
    assert len(people(half.train)) == 20
    assert pairs(half.train) == pairs(prepare(describe_data(data(users=0.1), 7)).train)


def test_all_seeds_share_a_split_unless_they_resplit() -> None:
    def test_part(seed: int, resplit: bool) -> set[tuple[Any, Any]]:
        return pairs(prepare(describe_data(data(resplit=resplit), seed)).test)

    assert test_part(0, False) == test_part(1, False)
    assert test_part(0, True) != test_part(1, True)
    assert test_part(0, True) == test_part(0, False)


def test_by_time_the_validation_part_is_left_out() -> None:
    made = prepare(describe_data(data(by="time", holdout=0.1, validation=0.1), 0))
    assert len(made.train) == 4800
    assert len(made.test) == 600
    assert made.train.times is not None
    assert made.test.times is not None
    assert made.train.times.max() <= made.test.times.min()


def test_people_are_held_out_and_some_of_their_ratings_given() -> None:
    made = prepare(describe_data(data(by="people", given=0.5, holdout=0.2), 0))
    assert made.given is not None
    assert len(people(made.test)) == 40
    assert people(made.test) == people(made.given)
    assert not people(made.test) & people(made.train)
    assert len(made.given) == pytest.approx(len(made.test), rel=0.1)


def test_interactions_of_a_core() -> None:
    made = prepare(describe_data(data(relevant=4, k_core=5, by="user"), 0))
    assert made.train.implicit
    assert made.test.implicit
    assert any(note.startswith("5-core") for note in made.train.notes)
    counts = np.bincount(made.train.users) + np.bincount(
        made.test.users, minlength=made.train.n_users
    )
    assert counts.min() >= 5
    assert "relevant" not in describe_data(data(), 0)


def test_ratings_of_the_unseen_are_dropped_and_counted() -> None:
    sparse = {"synthetic": {"users": 400, "items": 300, "ratings": 900}}
    whole = prepare(describe_data(data(**sparse), 0))
    seen = prepare(describe_data(data(**sparse, seen_only=True), 0))
    assert whole.dropped is None
    assert pairs(seen.train) == pairs(whole.train)
    items = set(seen.train.item_ids.ids[np.unique(seen.train.items)].tolist())
    known = {(u, i) for u, i in pairs(whole.test) if u in people(seen.train) and i in items}
    assert pairs(seen.test) == known
    assert seen.dropped == len(whole.test) - len(known) > 0
    assert whole.floor != seen.floor


def test_what_is_not_asked_for_is_not_in_a_description() -> None:
    """Else the runs of every other study would have new keys."""
    plain = describe_data(data(), 0)
    assert describe_data(data(seen_only=True), 0) == plain | {"seen_only": True}
    assert "seen_only" not in plain


def test_a_shelf_keeps_what_it_made() -> None:
    cache = DataCache()
    one = cache.get(describe_data(data(), 0))
    assert cache.get(describe_data(data(), 1)) is one
    assert cache.get(describe_data(data(users=0.5), 0)) is not one


def test_a_source_that_changed_is_refused(tmp_path: Any) -> None:
    for part in ("train", "test"):
        rows = "".join(f"{u},{i},{(u + i) % 5}\n" for u in range(4) for i in range(6))
        (tmp_path / f"{part}.csv").write_text(f"user,item,rating\n{rows}", "utf-8")
    plain = Data.make({"name": "d", "source": str(tmp_path)})
    description = describe_data(plain, 0)
    assert len(prepare(description).train) == 24
    with pytest.raises(DataError, match="changed since"):
        prepare({**description, "fingerprint": "0"})


def test_a_source_is_read_by_its_options(tmp_path: Path) -> None:
    file = tmp_path / "r.csv"
    rows = [f"{u};{i};{1 + (u + i) % 5},5;1" for u in range(1, 9) for i in range(1, 7)]
    file.write_text("kunde;buch;note;rating\n" + "\n".join(rows), encoding="utf-8")
    read = {"user": "kunde", "item": "buch", "rating": "note", "delimiter": ";", "decimal": ","}
    plain = {"name": "own", "source": str(file), "holdout": 0.25}
    described = describe_data(Data.make({**plain, "read": read}), 0)
    made = prepare(described)
    assert len(made.train) + len(made.test) == 48
    assert sorted(set(made.train.values.tolist())) == [1.5, 2.5, 3.5, 4.5, 5.5]
    assert described["read"] == read
    with pytest.raises(UsageError, match="delimter"):
        Data.make({**plain, "read": {"delimter": ";"}})
