from __future__ import annotations

import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from matinee.data import Histories, Ratings
from matinee.data.fingerprints import hash_ids
from matinee.evaluate import Overlap, PairSet
from matinee.evaluate.leak_guard import overlap_of

ids = st.one_of(st.integers(-(2**63), 2**63 - 1), st.integers(0, 20))
texts = st.text("bcéß_-", min_size=1, max_size=6)
"""No digits and none of the names of missing ids: what is the same id is tested with its rule."""


def pair_set(ratings: Ratings) -> PairSet:
    return PairSet.of(Histories.of(ratings.by_user), ratings.user_ids.ids, ratings.item_ids)


def shared_by(train: Ratings, test: Ratings) -> Overlap:
    ids = test.user_ids.ids, test.item_ids.ids
    return overlap_of(test, pair_set(train).contains(*ids, test.users, test.items))


def table(pairs: list[tuple[Any, Any]]) -> Ratings:
    # Text goes in as objects: NumPy's own strings lose a NUL at the end.
    sides = [
        np.array(side, object if str in map(type, side) else None)
        for side in zip(*pairs, strict=True)
    ]
    return Ratings.from_arrays(*sides, np.ones(len(pairs)))


@pytest.mark.parametrize("kind", ["int", "text"])
@settings(deadline=None)
@given(data=st.data())
def test_it_finds_just_the_shared_pairs(kind: str, data: st.DataObject) -> None:
    side = ids if kind == "int" else texts
    pairs = st.lists(st.tuples(side, side), min_size=1, max_size=30, unique=True)
    train, test = data.draw(pairs), data.draw(pairs)
    # Half of the time some are shared.
    test = list(dict.fromkeys(test + train[: data.draw(st.integers(0, 5))]))
    overlap = shared_by(table(train), table(test))
    shared = [pair for pair in test if pair in set(train)]
    assert overlap.count == len(shared)
    assert list(overlap.examples) == shared[:3]


def test_a_pair_is_not_its_mirror_image() -> None:
    assert shared_by(table([(1, 2), (3, 4)]), table([(2, 1), (4, 3)])).count == 0


def test_numbers_and_text_are_the_same_ids() -> None:
    numbers, text = table([(1, 20), (-3, 40)]), table([("1", "20"), ("-3", "40"), ("x", "y")])
    assert shared_by(numbers, text).count == 2
    assert shared_by(text, numbers).examples == ((1, 20), (-3, 40))


@pytest.mark.parametrize(("name", "number"), [(" 1", 1), ("1.0", 1), ("-0", 0)])
def test_one_number_written_otherwise_has_the_same_hash(name: str, number: int) -> None:
    written = hash_ids(np.array([name], dtype=object))
    assert written.tolist() == hash_ids(np.array([number])).tolist()


@pytest.mark.parametrize("name", ["01", "+1", "²", "9" * 19, "-" + "9" * 19])
def test_only_canonical_whole_numbers_are_numbers(name: str) -> None:
    others = np.array(["1", "0", "2", "-1"], dtype=object)
    assert not set(hash_ids(np.array([name], dtype=object)).tolist()) & set(
        hash_ids(others).tolist()
    )


def test_hashes_do_not_collide_by_structure() -> None:
    """A grid of small ids, as real ids are, against mixing that is too plain."""
    users, items = np.divmod(np.arange(1_000_000), 1000)
    grid = Ratings.from_arrays(users, items, np.ones(1_000_000))
    assert len(np.unique(pair_set(grid).hashes)) == 1_000_000


def test_hashes_are_the_same_in_every_process() -> None:
    code = (
        "import numpy as np\n"
        "from matinee.data.fingerprints import hash_ids\n"
        "print(hash_ids(np.array([7, -1])).tolist(),"
        " hash_ids(np.array(['é', 'b'], dtype=object)).tolist())"
    )
    printed = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONHASHSEED": "77"},
    ).stdout.strip()
    here = (
        hash_ids(np.array([7, -1])).tolist(),
        hash_ids(np.array(["é", "b"], dtype=object)).tolist(),
    )
    assert printed == f"{here[0]} {here[1]}"
    # Model folders hold such hashes: changing them would blind the guard of every one.
    assert here[0] == [7191089600892374487, 16490336266968443936]
    assert here[1][0] == 3394012004367669963


def test_unknown_positions_are_in_no_set() -> None:
    ratings = table([(1, 2), (3, 4)])
    contained = pair_set(ratings).contains(
        np.array([1, 3]), np.array([2, 4]), np.array([0, -1, 0, 1]), np.array([0, 0, -1, 1])
    )
    assert contained.tolist() == [True, False, False, True]
    empty = PairSet(np.empty(0, np.uint64))
    assert not empty.contains(np.array([1]), np.array([2]), np.array([0]), np.array([0])).any()
