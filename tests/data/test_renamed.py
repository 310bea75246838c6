"""People recognised by their ratings, against a dense comparison of everybody with everybody."""

from __future__ import annotations

import numpy as np
import pytest

from matinee.data import Histories, Ratings, audit
from matinee.data.leaks import renamed as module
from matinee.data.leaks.renamed import HeldOutPeople, find_renamed, many_renamed

N_PEOPLE, N_ITEMS = 60, 80


def people(seed: int, n: int = N_PEOPLE, share: float = 0.4) -> tuple[np.ndarray, Histories]:
    """Ratings of 1 to 5 as a dense matrix, 0 where there is none, and as histories."""
    rng = np.random.default_rng(seed)
    dense = rng.integers(1, 6, (n, N_ITEMS)) * (rng.random((n, N_ITEMS)) < share)
    return dense, histories(dense)


def histories(dense: np.ndarray) -> Histories:
    rows = [np.flatnonzero(row) for row in dense]
    return Histories.build([(items, row[items]) for items, row in zip(rows, dense, strict=True)])


def asked(dense: np.ndarray, test: np.ndarray, same_row: np.ndarray | None = None) -> HeldOutPeople:
    who, items = np.nonzero(dense)
    none = np.full(len(dense), -1)
    return HeldOutPeople.of(
        who,
        items.astype(np.int32),
        dense[who, items].astype(np.float32),
        test[who, items],
        np.asarray(none if same_row is None else same_row, dtype=np.int32),
    )


def held_out(dense: np.ndarray, share: float = 0.2) -> np.ndarray:
    return np.random.default_rng(9).random(dense.shape) < share


def test_every_renamed_person_is_found_with_their_test_ratings() -> None:
    dense, train = people(0)
    order = np.random.default_rng(1).permutation(N_PEOPLE)
    test = held_out(dense)
    renamed = find_renamed(train, N_ITEMS, asked(dense[order], test))
    assert renamed.rows.tolist() == order.tolist()
    assert renamed.seen.tolist() == ((dense[order] > 0) & test).sum(axis=1).tolist()


def test_people_with_a_few_changed_ratings_are_found_as_a_dense_comparison_finds_them() -> None:
    dense, train = people(0)
    rng = np.random.default_rng(2)
    changed = np.where(rng.random(dense.shape) < rng.random((N_PEOPLE, 1)) * 0.3, 0, dense)
    noise = np.where((rng.random(dense.shape) < 0.06) & (changed > 0), 6 - changed, changed)
    test = held_out(dense)
    renamed = find_renamed(train, N_ITEMS, asked(noise, test))
    same = (noise[:, None] == dense[None]) & (noise[:, None] > 0)
    part = same.sum(axis=2) / (noise > 0).sum(axis=1)[:, None]
    tested = (same & test[:, None]).sum(axis=2) / ((noise > 0) & test).sum(axis=1)[:, None]
    alike = (part >= module.CONTAINED) & (tested >= module.CONTAINED_TEST)
    expected = np.where(alike.any(axis=1), alike.argmax(axis=1), -1)
    assert 10 < (expected >= 0).sum() < N_PEOPLE
    assert renamed.rows.tolist() == expected.tolist()


def test_other_people_are_not_found() -> None:
    renamed = find_renamed(people(0)[1], N_ITEMS, asked(*with_test(people(1)[0])))
    assert (renamed.rows == -1).all()
    assert renamed.seen.sum() == 0


def with_test(dense: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return dense, held_out(dense)


def test_a_model_that_was_trained_on_the_history_alone_is_sound() -> None:
    dense, _ = people(0)
    test = held_out(dense, 0.05)  # less than may be missing of all pairs
    train = histories(np.where(test, 0, dense))
    assert (find_renamed(train, N_ITEMS, asked(dense, test)).rows == -1).all()


def test_the_row_of_the_same_id_is_left_out_of_account() -> None:
    dense, train = people(0)
    test = held_out(dense)
    same_row = np.arange(N_PEOPLE)
    assert (find_renamed(train, N_ITEMS, asked(dense, test, same_row)).rows == -1).all()
    other = np.roll(same_row, 1)
    assert (find_renamed(train, N_ITEMS, asked(dense, test, other)).rows == same_row).all()


def test_few_ratings_prove_nothing() -> None:
    dense, train = people(0)
    few = dense.copy()
    for row in few:
        row[np.flatnonzero(row)[4:]] = 0
    assert (find_renamed(train, N_ITEMS, asked(few, few > 0)).rows == -1).all()


def test_among_interactions_a_long_row_that_holds_all_items_of_a_person_proves_nothing() -> None:
    dense, _ = people(0, share=0.2)
    ones = (dense > 0).astype(int)
    train = ones.copy()
    train[0] = 1
    asking = ones[1:]
    renamed = find_renamed(histories(train), N_ITEMS, asked(asking, held_out(asking)))
    assert not (renamed.rows == 0).any()
    # The people themselves are found.
    assert (renamed.rows == np.arange(1, N_PEOPLE)).mean() > 0.5  # many have too few


@pytest.mark.parametrize(("taken", "found"), [(1.0, True), (0.7, True), (0.3, False)])
def test_among_interactions_a_person_must_make_up_half_of_the_row(
    taken: float, found: bool
) -> None:
    rng = np.random.default_rng(3)
    ones = (rng.random((N_PEOPLE, 900)) < 0.06).astype(int)
    asking = ones * (rng.random(ones.shape) < taken)
    renamed = find_renamed(histories(ones), 900, asked(asking, held_out(asking)))
    of_row = asking.sum(axis=1) / ones.sum(axis=1)
    assert (renamed.rows[of_row < module.SHARE_OF_ROW] == -1).all()
    assert (renamed.rows == np.arange(N_PEOPLE)).any() == found


def test_pairs_that_nobody_has_do_not_hide_a_person() -> None:
    """However many: they are the rarest, and no row is found by them."""
    width = 400
    dense = np.random.default_rng(0).integers(1, 6, (20, width))
    train = histories(dense)
    asking = dense[:5].copy()
    asking[:, : module._PROBES + 3] = 9  # fewer than may be missing
    renamed = find_renamed(train, width, asked(asking, held_out(asking)))
    assert renamed.rows.tolist() == list(range(5))


def test_five_pairs_that_nobody_else_has_are_enough_among_64_people() -> None:
    """Each is 6 bits of evidence; 20 are needed, and 7 for a choice among 64 for 2."""
    dense = np.zeros((64, 64 * 5), dtype=int)
    for row in range(64):
        dense[row, row * 5 : row * 5 + 5] = 1 + np.arange(5)
    asking = dense[[20, 40]]
    renamed = find_renamed(histories(dense), 64 * 5, asked(asking, asking > 0))
    assert (renamed.rows.tolist(), renamed.seen.tolist()) == ([20, 40], [5, 5])
    four = asking * (asking > 1)
    assert (find_renamed(histories(dense), 64 * 5, asked(four, four > 0)).rows == -1).all()


def test_of_many_people_some_are_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    dense, train = people(0)
    monkeypatch.setattr(module, "MOST_PEOPLE", 10)
    renamed = find_renamed(train, N_ITEMS, asked(*with_test(dense)))
    assert (renamed.rows >= 0).sum() == 10
    assert renamed.rows[0] == 0
    assert renamed.rows[-1] == N_PEOPLE - 1


def test_nothing_asked_nothing_found() -> None:
    _, train = people(0)
    empty = np.zeros((3, N_ITEMS), dtype=int)
    assert find_renamed(train, N_ITEMS, asked(empty, empty > 0)).rows.tolist() == [-1, -1, -1]
    dense = people(1, 3)[0]
    assert (find_renamed(histories(empty), N_ITEMS, asked(dense, dense > 0)).rows == -1).all()


def test_the_audit_names_people_under_other_ids() -> None:
    dense, _ = people(0)
    who, items = np.nonzero(dense)
    values = dense[who, items]
    train = Ratings.from_arrays(who, items, values, name="train")
    some = who < 5
    test = Ratings.from_arrays(who[some] + 1000, items[some], values[some], name="test")
    checked = audit(train, test)
    assert checked.contaminated
    assert (checked.overlap, checked.renamed_users, checked.renamed_ratings) == (
        0,
        5,
        int(some.sum()),
    )
    assert checked.renamed_examples == ((1000, 0), (1001, 1), (1002, 2))
    few = Ratings.from_arrays(
        np.append(who[who == 0] + 1000, np.arange(2000, 2100)),
        np.append(items[who == 0], np.zeros(100, dtype=int)),
        np.append(values[who == 0], np.ones(100)),
    )
    checked = audit(train, few)  # one of 101, as by two accounts
    assert (checked.renamed_users, checked.contaminated) == (1, False)
    clean = audit(train, Ratings.from_arrays(who + 1000, items, 6 - values, name="other"))
    assert (clean.renamed_users, clean.contaminated) == (0, False)


def test_more_than_one_person_in_a_hundred_spoils_a_score() -> None:
    assert [many_renamed(1, people) for people in (99, 100)] == [True, False]
    assert not many_renamed(0, 0)


@pytest.mark.parametrize("people_asked", [1, 4])
@pytest.mark.parametrize("length", [1, 3])  # of the row that is looked for, in those of the others
def test_the_evidence_needed_is_that_of_a_dense_reference(people_asked: int, length: int) -> None:
    rows, n_items = 64, 120
    rng = np.random.default_rng(4)
    train = rng.integers(1, 3, (rows, n_items))
    others = rng.random((rows, n_items)).argsort(axis=1) < n_items // length
    train *= others
    train[0] = 1
    mean = (train > 0).sum() / rows
    counts = (train == 1).sum(axis=0)
    bits = -np.log2(np.minimum(n_items / mean * counts / rows, 1.0))
    needed = module.BITS + np.log2(rows) + np.log2(people_asked)
    enough = 1 + int(np.argmax(np.cumsum(bits) >= needed))
    assert 20 < enough < n_items
    for some, expected in ((enough - 1, -1), (enough, 0)):
        dense = np.zeros((people_asked, n_items), dtype=int)
        dense[0, :some] = 1
        dense[1:, -1] = 2  # of one rating, who prove nothing
        renamed = find_renamed(histories(train), n_items, asked(dense, dense > 0))
        assert renamed.rows.tolist() == [expected] + [-1] * (people_asked - 1)


@pytest.mark.parametrize(("missing", "found"), [(0, True), (1, False)])
def test_a_row_with_half_of_the_rarest_pairs_is_looked_at(missing: int, found: bool) -> None:
    """Those with fewer are left out, so that the time is that of the rarest pairs."""
    n_pairs, changed = 70, module._PROBES // 2 + missing
    train = np.where(np.random.default_rng(3).random((40, n_pairs)) < 0.25, 1, 2)
    train[0] = 1
    train[3:, 0] = 2  # the first pair of all is among the rarest
    train[1] = 2
    train[1, -changed:] = 3  # the only one who has the rarest pairs of the person
    dense = np.ones((1, n_pairs), dtype=int)
    dense[0, -changed:] = 3
    renamed = find_renamed(histories(train), n_pairs, asked(dense, dense > 0))
    assert n_pairs - changed >= module.CONTAINED * n_pairs
    expected = ([0], [n_pairs - changed]) if found else ([-1], [0])
    assert (renamed.rows.tolist(), renamed.seen.tolist()) == expected


def test_pairs_are_counted_among_many_ratings_of_an_item() -> None:
    rng = np.random.default_rng(4)
    dense = rng.integers(1, 11, (N_PEOPLE, 6)) * (rng.random((N_PEOPLE, 6)) < 0.7) / 2
    train, wanted = histories(dense), asked(dense[:20], np.ones((20, 6), dtype=bool))
    start, values, pair_of = module._distinct(wanted, 6)
    items = np.repeat(np.arange(6), np.diff(start))
    pairs = list(zip(items.tolist(), values.tolist(), strict=True))
    assert pairs == sorted(set(zip(wanted.items.tolist(), wanted.values.tolist(), strict=True)))
    assert np.array_equal(values[pair_of], wanted.values)
    assert np.array_equal(items[pair_of], wanted.items)
    counts = np.zeros(len(values), dtype=np.int64)
    every, none = np.ones(len(values), dtype=bool), np.empty(0, dtype=np.int32)
    rows = module._Rows(train.indptr, train.items, train.values)
    module._visit(rows, start, values, every, counts, none)
    assert counts.tolist() == [int((dense[:, item] == rating).sum()) for item, rating in pairs]
