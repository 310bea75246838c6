"""Tables without ratings, and the steps from ratings to interactions."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from matinee.data import RULES, Ratings, audit, load, named_split, split_files, split_parts
from matinee.errors import DataError, LeakError, UsageError
from matinee.models import Bias
from matinee.models.kinds.popularity import Popularity

CLICKS = "user_id,item_id,timestamp,device\n1,10,5,phone\n1,11,6,web\n2,10,7,web\n2,12,8,web\n"


def interactions(n: int = 600, seed: int = 0) -> Ratings:
    rng = np.random.default_rng(seed)
    pairs = rng.choice(40 * 30, size=n, replace=False)
    return Ratings.from_arrays(pairs // 30, pairs % 30, times=rng.integers(0, 10**6, n))


@pytest.mark.parametrize("stated", [{}, {"user": "1", "item": "2", "time": "3"}])
def test_a_third_column_of_times(tmp_path: Path, stated: dict[str, str]) -> None:
    """Without a header, numbers as large as times are no ratings."""
    file = tmp_path / "log.csv"
    file.write_text("1,10,978300760\n2,11,978300761\n1,11,978300762\n")
    clicks = load(file, **stated)
    assert clicks.implicit
    assert clicks.times is not None
    assert sorted(clicks.times.tolist()) == [978300760, 978300761, 978300762]
    assert not load(file, rating="3").implicit


def test_times_before_ratings(tmp_path: Path) -> None:
    file = tmp_path / "log.csv"
    file.write_text("1,10,978300760,5\n2,11,978300761,4\n")
    ratings = load(file)
    assert ratings.values.tolist() == [5, 4]
    assert "user, item, time and rating" in ratings.notes[0]
    file.write_text("4.5,1,10\n3,2,11\n")
    assert "although it holds decimals" in load(file).notes[0]


def test_a_table_without_ratings(tmp_path: Path) -> None:
    (tmp_path / "clicks.csv").write_text(CLICKS)
    clicks = load(tmp_path / "clicks.csv")
    assert clicks.implicit
    assert clicks.values.tolist() == [1.0] * 4
    assert clicks.times is not None
    assert clicks.notes[0] == (
        "read as interactions: the table has no rating column; device unused (--rating COL if one "
        "holds ratings)"
    )
    assert "4 interactions of 2 users with 3 items" in repr(clicks)
    (tmp_path / "pairs.tsv").write_text("1\t10\n1\t11\n2\t10\n")
    assert len(load(tmp_path / "pairs.tsv")) == 3
    assert not load({"user": [1, 2], "item": [1, 2], "rating": [3, 4]}).implicit


def test_weights_and_repeats() -> None:
    table = {"user": [1, 1, 1, 2], "item": [1, 1, 2, 1], "plays": [3, 4, 5, 6]}
    plays = load(table, repeats="sum")
    assert plays.implicit
    assert plays.values.tolist() == [7, 5, 6]
    assert (
        "1 repeated interaction of the same item by the same user: took the sum" in plays.notes[1]
    )
    assert load(table).values.tolist() == [4, 5, 6]
    assert load(table | {"n": [1, 1, 1, 9]}, weight="n").values.tolist() == [1, 1, 9]
    del table["plays"]
    assert load(table, repeats="sum").values.tolist() == [2, 1, 1]
    with pytest.raises(DataError, match=r"weight 0 of user 2 is .* --missing 0"):
        load(table | {"count": [1, 1, 1, 0]})
    with pytest.raises(DataError, match=r"weight -2 of user 1 is .* --missing -2,0 leaves"):
        load(table | {"quantity": [1, -2, 0, 1]})
    with pytest.raises(DataError, match=r"weight 'x' is not a number; .* --weight COL"):
        load(table | {"count": ["1", "1", "1", "x"]})
    with pytest.raises(UsageError, match="cannot be added up"):
        load(table | {"rating": [1, 1, 1, 2]}, repeats="sum")
    with pytest.raises(UsageError, match="interactions have no scale"):
        load(table, scale=(1, 5))


def test_named_steps() -> None:
    table = {
        "user": [1, 1, 1, 2, 2, 2, 3, 3, 4],
        "item": [1, 2, 3, 1, 2, 4, 1, 2, 5],
        "rating": [5, 4, 0, 4, 5, 1, -1, 4, 3],
    }
    ratings = load(table, missing=(0, -1), scale=(1, 5))
    assert len(ratings) == 7
    assert ratings.notes == ("2 rows of 0 or -1 left out: not rated",)
    assert ratings.item_ids.ids.tolist() == [1, 2, 4, 5]
    liked = load(table, missing=(0, -1), relevant=4)
    assert liked.implicit
    assert liked.values.tolist() == [1.0] * 5
    assert liked.item_ids.ids.tolist() == [1, 2]
    assert liked.notes[1] == ("5 ratings of 4 or more kept as interactions, 2 lower ones left out")
    core = load(ratings, relevant=4, k_core=2)
    assert core.n_users == core.n_items == 2
    assert core.notes[-1].startswith("2-core: 4 of 5 kept, of 2 users and 2 items")
    with pytest.raises(DataError, match="no rating is 6 or more; the highest is 5"):
        ratings.liked(6)
    with pytest.raises(UsageError, match="interactions; they have no rating to choose by"):
        liked.liked(4)
    with pytest.raises(DataError, match="no users and items are left with 3 of each other"):
        liked.k_core(3)
    with pytest.raises(UsageError, match="relevant = '4': give the lowest rating that counts"):
        load(ratings, relevant="4")  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="missing = 'none'"):
        load(table, missing="none")  # type: ignore[arg-type]
    with pytest.raises(UsageError, match=r"missing = 1e\+308: give the numbers"):
        load(table, missing=1e308)  # no rating is as large


@given(seed=st.integers(0, 500), n=st.integers(1, 200), k=st.integers(1, 6))
@settings(max_examples=60, deadline=None)
def test_k_core_against_one_at_a_time(seed: int, n: int, k: int) -> None:
    rng = np.random.default_rng(seed)
    pairs = {(int(p) // 12, int(p) % 12) for p in rng.integers(0, 15 * 12, n)}
    left = set(pairs)
    while True:
        users, items = ([pair[side] for pair in left] for side in (0, 1))
        bad = [p for p in left if users.count(p[0]) < k or items.count(p[1]) < k]
        if not bad:
            break
        left.remove(bad[0])
    whole = Ratings.from_arrays(*zip(*sorted(pairs), strict=True))
    if not left:
        with pytest.raises(DataError, match="no users and items are left"):
            whole.k_core(k)
        return
    core = whole.k_core(k)
    users, items = core.user_ids.decode(core.users), core.item_ids.decode(core.items)
    assert set(zip(users.tolist(), items.tolist(), strict=True)) == left


def test_the_light_gcn_format(tmp_path: Path) -> None:
    (tmp_path / "train.txt").write_text("0 5 6 7\n1 6\n2 \n3 5 7\n")
    (tmp_path / "test.txt").write_text("0 8\n3 6 8\n")
    train, test = named_split(tmp_path)
    assert train.implicit
    assert train.user_ids.decode(train.users).tolist() == [0, 0, 0, 1, 3, 3]
    assert train.item_ids.decode(train.items).tolist() == [5, 6, 7, 6, 5, 7]
    assert len(test) == 3
    assert not audit(train, test).contaminated
    (tmp_path / "train.txt").write_text(
        "1 5\n" + "".join(f"{u} 5 6 7\n" for u in range(2, 29)) + "0 6 x\n"
    )
    with pytest.raises(DataError, match=r"train\.txt, line 29: 'x' is no whole number"):
        load(tmp_path / "train.txt")


def test_recbole_inter(tmp_path: Path) -> None:
    (tmp_path / "a.inter").write_text(
        "user_id:token\titem_id:token\ttimestamp:float\nu\ti\t5\nv\ti\t7\nv\tj\t6\n"
    )
    read = load(tmp_path / "a.inter")
    assert read.implicit
    assert read.times is not None
    assert read.times.tolist() == [5, 7, 6]
    (tmp_path / "a.inter").write_text(
        "user_id:token\titem_id:token\trating:float\n1\t2\t3\n2\t1\t5\n"
    )
    assert load(tmp_path).values.tolist() == [3, 5]


@pytest.mark.parametrize("by", list(RULES))
def test_every_rule_splits_interactions_and_the_audit_knows(by: str, tmp_path: Path) -> None:
    whole = interactions()
    parts = split_parts(whole, by, 0.2, 0.1, seed=1, given=0.5)
    assert all(part.implicit for part in parts.named().values())
    audited = audit(parts.train, parts.test)
    assert not audited.contaminated
    assert audit(whole, parts.test).overlap == len(parts.test)
    split_files(whole, tmp_path / "out", 0.2, seed=1, by=by)
    train, test = named_split(tmp_path / "out")
    assert train.implicit
    assert len(train) + len(test) <= len(whole)
    assert not audit(train, test).contaminated
    popular = Popularity().fit(train)
    if parts.given is not None:
        assert audited.unseen_users == len(np.unique(parts.test.users))
    assert (
        popular.leak_guard.contains(
            popular.user_ids.ids, popular.item_ids.ids, train.users[:5], train.items[:5]
        ).all()
        or by == "people"
    )


def test_models_of_ratings_refuse_them_in_one_sentence() -> None:
    parts = split_parts(interactions(), "user")
    with pytest.raises(
        UsageError,
        match=r"bias needs ratings, and these are interactions: .*ease.* without --relevant",
    ) as error:
        Bias().fit(parts.train)
    assert "\n" not in str(error.value)
    popular = Popularity().fit(parts.train)
    with pytest.raises(UsageError, match="predicts no ratings"):
        popular.evaluate(parts.test)
    with pytest.raises(LeakError):
        Bias().fit(rated()).evaluate(rated())


def rated() -> Ratings:
    whole = interactions()
    values = np.random.default_rng(0).integers(1, 6, len(whole))
    return Ratings.from_arrays(whole.users, whole.items, values)


@pytest.mark.parametrize(
    ("name", "yes", "no"),
    [("clicked", 1, 0), ("is_liked", True, False), ("is_recommended", True, False)],
)
def test_rows_that_were_not_clicked_are_no_interactions(name: str, yes: object, no: object) -> None:
    """A log of what was shown has rows of 0."""
    shown = {"user": [1, 1, 2, 2], "item": [7, 8, 7, 9], name: [yes, no, yes, yes]}
    with pytest.raises(DataError, match=f"weight 0 of user 1 is .*--missing 0.*--rating {name}"):
        load(shown)
    assert len(load(shown, missing=0)) == 3
    assert load(shown, rating=name).scale.low == 0


def test_lists_of_a_model_of_counts_are_scored_by_the_scale_of_the_test_ratings() -> None:
    users, items = np.divmod(np.arange(100), 10)
    plays = {"user": users, "item": items, "plays": 1 + np.arange(100) % 80}
    model = Popularity().fit(load(plays, weight="plays"))
    rated = {"user": users[:20], "item": items[:20] + 1, "rating": 1 + np.arange(20) % 5}
    scored = model.evaluate_lists(rated, allow_overlap=True)
    assert scored.relevant == 4.0
    assert not any("scale" in note for note in scored.notes)


def test_ratings_that_are_all_equal_are_noted() -> None:
    users, items = np.divmod(np.arange(100), 10)
    frame = {"user": users, "item": items, "rating": np.ones(100)}
    assert "--relevant 1 reads interactions" in load(frame).notes[0]
    assert load({**frame, "rating": np.arange(100) % 2}).notes == ()
    assert load({name: column[:99] for name, column in frame.items()}).notes == ()
