"""Items that nobody rated, from their columns."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from matinee.cli import main
from matinee.data import ItemTable, Ratings, Vocabulary
from matinee.errors import UsageError
from matinee.models import BiasedMF, ItemMean, Recommender
from matinee.models.new_items import NewItems, item_columns

GENRES = ("Drama", "War", "Comedy")


def texts(values: list[object]) -> np.ndarray:  # type: ignore[type-arg]
    result = np.empty(len(values), dtype=object)
    result[:] = values
    return result


def table(n: int) -> ItemTable:
    titles = [f"Film {at} ({1950 + at})" for at in range(n)]
    return ItemTable(texts(list(titles)), texts([(GENRES[at % 3],) for at in range(n)]))


@pytest.fixture(scope="module")
def ratings() -> Ratings:
    """60 people who rate by genre: a third likes each."""
    rng = np.random.default_rng(0)
    users, items = np.nonzero(rng.random((60, 30)) < 0.6)
    values = np.where(users % 3 == items % 3, 5.0, 2.0)
    result = Ratings.from_arrays(users, items, values)
    return Ratings(**{**result.__dict__, "item_table": table(30)})


@pytest.fixture(scope="module")
def model(ratings: Ratings) -> Recommender:
    return BiasedMF().fit(ratings, progress=False)


def test_people_get_the_new_items_of_their_genre(model: Recommender) -> None:
    new = NewItems(model, [101, 100, 102], table(3).take(np.array([1, 0, 2])))
    for user in range(6):
        predicted = new.predict(user, [100, 101, 102])
        assert int(np.argmax(predicted)) == user % 3
        listed = new.recommend(users=[user], k=2)
        assert listed["item_id"][0] == 100 + user % 3
        assert listed["rank"].tolist() == [1, 2]
        assert listed["title"][0] == f"Film {user % 3} ({1950 + user % 3})"
    # Somebody who is new, by their ratings.
    assert new.recommend([{0: 5.0, 3: 5.0, 1: 2.0, 2: 2.0}], k=1)["item_id"].tolist() == [100]
    assert np.ptp(new.predict("nobody", [100, 101, 102])) < 0.6


def test_it_is_the_regression_of_every_persons_predictions(model: Recommender) -> None:
    new = NewItems(model, [100, 101], table(2))
    assert model.histories is not None
    scores = model.scores_coded(model.histories).astype(np.float64)
    columns = item_columns(model.item_ids, model.item_table, new.item_ids, new.item_table)
    counts = np.bincount(model.histories.items, minlength=model.n_items)
    weights = counts / (counts + 10.0)
    mean = np.average(columns.known, axis=0, weights=weights)
    spread = np.sqrt(np.average((columns.known - mean) ** 2, axis=0, weights=weights))
    x, z = (columns.known - mean) / spread, (columns.new - mean) / spread
    for row in (0, 7):
        # Ridge regression with an intercept that is not penalised, as augmented least squares.
        level = np.average(scores[row], weights=weights)
        a = np.vstack([np.sqrt(weights)[:, None] * x, np.sqrt(new.penalty) * np.eye(x.shape[1])])
        b = np.append(np.sqrt(weights) * (scores[row] - level), np.zeros(x.shape[1]))
        beta = np.linalg.lstsq(a, b, rcond=None)[0]
        expected = np.clip(level + z @ beta, 2, 5)
        user = model.user_ids.ids[row]
        np.testing.assert_allclose(new.predict(user, [100, 101]), expected, rtol=1e-6)


def test_known_and_unknown_people_are_answered_together(
    model: Recommender, monkeypatch: pytest.MonkeyPatch
) -> None:
    new = NewItems(model, [100, 101], table(2))
    users = [5, "nobody", 0, 7, "else", 5]
    each = [new.predict(user, 100)[0] for user in users]
    monkeypatch.setattr("matinee.models.new_items.predictor._PEOPLE", 2)
    np.testing.assert_allclose(new.predict(users, 100), each)


def test_vectors_and_words_are_columns(ratings: Ratings) -> None:
    model = ItemMean().fit(ratings)
    vectors = {at: np.eye(3)[at % 3] for at in range(30)} | {100: np.eye(3)[1]}
    new = NewItems(model, [100, 7777], vectors=vectors)
    assert new.predict(0, [100]).shape == (1,)
    ids = Vocabulary.of(np.array([100]))[0]
    result = item_columns(model.item_ids, table(30), ids, table(1), words=4, vectors=vectors)
    assert result.known.shape == (30, len(result.names)) == (30, 3 + 3 + 4 + 3)
    assert result.new[0, -3:].tolist() == [0, 1, 0]
    with pytest.raises(UsageError, match="same length"):
        NewItems(model, [100], vectors={1: [1.0], 2: [1.0, 2.0]})
    with pytest.raises(UsageError, match="none is of a known item"):
        NewItems(model, [100], vectors={100: [1.0]})


def test_what_cannot_be(model: Recommender) -> None:
    with pytest.raises(UsageError, match="known to the model"):
        NewItems(model, [100, 3], table(2))
    with pytest.raises(UsageError, match="nothing is known"):
        NewItems(model, [100])
    with pytest.raises(UsageError, match="each id once"):
        NewItems(model, [100, 100], table(2))
    new = NewItems(model, [100, 101], table(2))
    with pytest.raises(UsageError, match="not among the new items"):
        new.predict(0, [3])
    with pytest.raises(UsageError, match="differ in length"):
        new.predict([0, 1], [100, 101, 100])
    with pytest.raises(UsageError, match="k must be a whole number"):
        new.recommend(users=[0], k=2.5)  # type: ignore[arg-type]


def test_the_command(
    model: Recommender, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = model.save(tmp_path / "model")
    file = tmp_path / "new.csv"
    file.write_text(
        "item_id,title,genres\n3,Film 3 (1953),Drama\n"
        "100,Other (1990),Drama\n101,Another (1991),War\n102,Third (1992),Comedy\n"
    )
    args = ["recommend", str(folder), "--user", "1", "--new-items", str(file), "--json"]
    assert main(args) == 0
    rows = json.loads(capsys.readouterr().out)["recommendations"]
    assert rows[0]["item_id"] == 101
    assert {row["item_id"] for row in rows} == {100, 101, 102}
    assert main([*args, "--only", str(file)]) == 2
    capsys.readouterr()
    assert main([*args, "--personal", "1"]) == 0
    answer = json.loads(capsys.readouterr().out)["recommendations"]
    assert model.histories is not None
    row = int(model.user_ids.encode([1])[0])
    new = NewItems.read(model, file)
    scores = new.rank_scores(model.histories.take([row]), personal=1.0)[0]
    assert [each["score"] for each in answer] == pytest.approx(np.sort(scores)[::-1].tolist())
    assert answer[0]["score"] != pytest.approx(rows[0]["score"], abs=1e-4)
    skipping = ["recommend", str(folder), "--user", "none", "--new-items", str(file)]
    assert main([*skipping, "--skip-unknown", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["recommendations"] == []
    assert main(skipping) == 1


def test_the_only_column_of_ids_is_the_items(model: Recommender, tmp_path: Path) -> None:
    file = tmp_path / "new.csv"
    file.write_text("id;name;category\n900;Film (1990);War\n")
    assert NewItems.read(model, file).recommend(users=[1])["item_id"].tolist() == [900]
