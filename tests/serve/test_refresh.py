"""A served model learns from feedback, behind a gate."""

from __future__ import annotations

import json
import shutil
import sys
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from matinee.cli import main
from matinee.data import Ratings, Vocabulary, split
from matinee.errors import MatineeError, UsageError
from matinee.evaluate import prequential_gain
from matinee.feedback import FeedbackStore, make_event, open_store
from matinee.models import Bias, ItemMean, identity, load_model
from matinee.models.kinds.popularity import Popularity
from matinee.models.update import known_ratings
from matinee.serve.refresh import feedback_ratings, refresh, rollback
from matinee.synth import synthesize

DAY = 86_400
NOW = 1_700_000_000


@pytest.fixture(scope="module")
def parts() -> tuple[Ratings, Ratings]:
    return split(synthesize(120, 80, 6000, seed=5).ratings, 0.3, 0)


@pytest.fixture
def folder(parts: tuple[Ratings, Ratings], tmp_path: Path) -> Path:
    # Few of the ratings, so that there is something to learn.
    return Bias().fit(parts[0].take(np.arange(len(parts[0])) % 4 == 0)).save(tmp_path / "model")


@pytest.fixture
def store(tmp_path: Path, parts: tuple[Ratings, Ratings]) -> Any:
    opened = open_store(f"sqlite:{tmp_path / 'f.db'}")
    fill(opened, parts[1])
    yield opened
    opened.close()


def fill(store: FeedbackStore, ratings: Ratings, *, wrong: bool = False) -> None:
    """Feedback over 20 days; wrong ratings, if asked for, before the last 5."""
    times = NOW + np.arange(len(ratings)) * 20 * DAY // len(ratings)
    users = ratings.user_ids.decode(ratings.users).tolist()
    items = ratings.item_ids.decode(ratings.items).tolist()
    values = ratings.values.astype(float)
    early = times < NOW + 15 * DAY
    values[early & wrong] = 6 - values[early & wrong]
    rows = zip(users, items, values.tolist(), times.tolist(), strict=True)
    store.add(
        [
            make_event(user=user, kind="rating", item=item, value=value, time=time)
            for user, item, value, time in rows
        ]
    )


def test_a_better_model_is_swapped_in_and_rolled_back(
    folder: Path, store: FeedbackStore, parts: tuple[Ratings, Ratings]
) -> None:
    before, first = load_model(folder), identity(folder)
    done = refresh(folder, store, days=5)
    assert (done.decision, done.how, done.n_new) == ("swapped", "update", len(parts[1]))
    assert done.gain is not None
    assert done.gain.gain > 0
    assert done.lists is not None
    assert done.lists.gain == pytest.approx(done.lists.after - done.lists.before)
    assert done.because == ()
    assert done.n_scored == done.gain.n == pytest.approx(len(parts[1]) / 4, abs=2)
    after = load_model(folder)
    assert after.provenance.n_ratings == before.provenance.n_ratings + len(parts[1])
    assert after.record["refresh"]["decision"] == "swapped"
    assert refresh(folder, store, days=5).decision == "waiting"  # all of it is known now
    second = identity(folder)
    rollback(folder)
    restored = load_model(folder)
    assert restored.provenance == before.provenance
    assert restored.record["refresh"]["former"] == [first, second]  # their lists still count
    np.testing.assert_array_equal(restored.bias.item_bias, before.bias.item_bias)
    with pytest.raises(UsageError, match="no former model"):
        rollback(folder)


def test_a_model_that_cannot_be_read_is_rolled_back(folder: Path) -> None:
    shutil.copytree(folder, folder.with_name("model.previous"))
    (folder / "manifest.json").write_text("{")
    rollback(folder)
    assert load_model(folder).kind == "bias"


def test_one_refresh_of_a_folder_at_a_time(
    folder: Path, store: FeedbackStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of two that end together, the second would keep the first one's model as the former."""

    def gain_while_others_start(*given: Any, **more: Any) -> Any:
        for start in (lambda: refresh(folder, store, days=5), lambda: rollback(folder)):
            with pytest.raises(MatineeError, match="another process is refreshing"):
                start()
        return prequential_gain(*given, **more)

    before = identity(folder)
    monkeypatch.setattr(
        sys.modules[refresh.__module__], "prequential_gain", gain_while_others_start
    )
    assert refresh(folder, store, days=5).decision == "swapped"
    rollback(folder)
    assert load_model(folder).record["refresh"]["former"][0] == before
    assert [each.name for each in folder.parent.iterdir() if "lock" in each.name] == []


def test_a_model_of_interactions_is_refused_with_what_to_do(
    parts: tuple[Ratings, Ratings], store: FeedbackStore, tmp_path: Path
) -> None:
    folder = Popularity().fit(parts[0].liked(4)).save(tmp_path / "chosen")
    with pytest.raises(UsageError, match=r"chosen: .* trained on interactions: .* --lists$"):
        refresh(folder, store)


def test_a_model_that_replaces_the_one_in_service_meanwhile_stays(
    folder: Path, store: FeedbackStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gain_while_another_is_saved(*given: Any, **more: Any) -> Any:
        ItemMean().fit(known_ratings(load_model(folder))).save(folder)
        return prequential_gain(*given, **more)

    module = sys.modules[refresh.__module__]
    monkeypatch.setattr(module, "prequential_gain", gain_while_another_is_saved)
    with pytest.raises(MatineeError, match="replaced during the refresh"):
        refresh(folder, store, days=5)
    assert load_model(folder).kind == "item-mean"
    assert not folder.with_name("model.previous").exists()


def test_items_that_feedback_adds_have_their_titles(
    folder: Path, store: FeedbackStore, tmp_path: Path
) -> None:
    users = load_model(folder).user_ids.ids[:30].tolist()
    early = NOW + DAY  # known to the candidate before the newest days
    events = [
        make_event(user=user, kind="like", item=item, time=early)
        for user in users
        for item in ("n1", "n2")
    ]
    store.add(events)
    table = tmp_path / "new.csv"
    table.write_text("item_id,title,genres\nn1,First (2020),Drama|War\nunrated,Other,War\n")
    assert (
        refresh(folder, store, days=5, margin=9, list_margin=9, items=table).decision == "swapped"
    )
    model = load_model(folder)
    titles = model.item_table
    assert titles is not None
    assert titles.genres is not None
    first, second = model.item_ids.encode(["n1", "n2"]).tolist()
    assert (titles.titles[first], titles.genres[first]) == ("First (2020)", ("Drama", "War"))
    assert (titles.titles[second], titles.genres[second]) == ("n2", ())
    assert model.item_ids.encode(["unrated"])[0] < 0


def test_a_worse_model_is_kept_out(
    folder: Path, tmp_path: Path, parts: tuple[Ratings, Ratings]
) -> None:
    store = open_store(f"sqlite:{tmp_path / 'wrong.db'}")
    fill(store, parts[1], wrong=True)
    before = load_model(folder).provenance
    done = refresh(folder, store, days=5)
    assert done.decision == "kept"
    assert done.gain is not None
    assert done.gain.interval is not None
    assert "ratings" in done.because
    assert done.gain.interval.low < -0.002
    assert load_model(folder).provenance == before
    assert not folder.with_name("model.previous").exists()
    url = f"sqlite:{tmp_path / 'wrong.db'}"
    assert main(["refresh", str(folder), "--feedback", url, "--days", "5"]) == 3
    store.close()


def test_worse_lists_are_kept_out(
    folder: Path, store: FeedbackStore, capsys: pytest.CaptureFixture[str]
) -> None:
    # Lists that must be better by 0.5 of nDCG, which they are not.
    done = refresh(folder, store, days=5, list_margin=-0.5)
    assert (done.decision, done.because) == ("kept", ("lists",))
    assert done.lists is not None
    assert done.lists.interval is not None
    assert not folder.with_name("model.previous").exists()


def test_lists_of_two_models_with_different_items() -> None:
    from matinee.data import as_ratings
    from matinee.evaluate import list_gain

    few = as_ratings({"user_id": [1, 1, 2], "item_id": ["a", "b", "a"], "rating": [5, 1, 4]})
    more = as_ratings(
        {
            "user_id": [1, 1, 2, 3, 3],
            "item_id": ["a", "b", "a", "c", "a"],
            "rating": [5, 1, 4, 5, 5],
        }
    )
    test = as_ratings({"user_id": [2, 2], "item_id": ["c", "b"], "rating": [5.0, 1.0]})
    models = [ItemMean().fit(each) for each in (few, more)]
    shown = []
    for model in models:
        people = model._people(None, "skip")
        shown.append((people.histories, people.rows(test.user_ids.ids)))
    gain = list_gain(models[0], models[1], test, (shown[0], shown[1]))
    assert gain is not None
    # The first does not know the one liked item; the second lists it first.
    assert (gain.before, gain.after, gain.n, gain.n_people) == (0.0, 1.0, 1, 1)
    assert gain.interval is None
    assert list_gain(models[0], models[1], test, (shown[0], shown[1]), relevant=6.0) is None


def test_who_was_erased_is_trained_without(folder: Path, store: FeedbackStore) -> None:
    user = str(load_model(folder).user_ids.ids[0])
    store.erase(user)
    done = refresh(folder, store, days=5)
    assert (done.decision, done.how) == ("swapped", "anew")
    assert user not in {str(each) for each in load_model(folder).user_ids.ids}


def test_who_was_erased_is_removed_at_once_by_a_refresh_that_waits(
    folder: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    former = Bias().fit(split(synthesize(120, 80, 6000, seed=5).ratings, 0.3, 0)[0])
    former.save(folder.with_name("model.previous"))
    before = load_model(folder)
    url = f"sqlite:{tmp_path / 'empty.db'}"
    with closing(open_store(url)) as store:
        store.erase(str(before.user_ids.ids[7]))
        store.erase("nobody")
    assert main(["refresh", str(folder), "--feedback", url]) == 0
    assert "erased people removed: 1" in caplog.text
    for each in (folder, folder.with_name("model.previous")):
        assert before.user_ids.ids[7] not in load_model(each).user_ids.ids
    after = load_model(folder)
    assert after.histories is not None
    assert before.histories is not None
    assert np.array_equal(after.histories.take([7]).items, before.histories.take([8]).items)
    assert after.record["removed"] == 1
    capsys.readouterr()
    content = {file.name: file.read_bytes() for file in folder.iterdir()}
    assert main(["refresh", str(folder), "--feedback", url, "--json"]) == 0
    done = json.loads(capsys.readouterr().out)
    assert (done["decision"], done["how"], done["removed"]) == ("waiting", "anew", 0)
    assert content == {file.name: file.read_bytes() for file in folder.iterdir()}


def test_who_was_erased_is_removed_by_a_refresh_that_keeps(
    folder: Path, store: FeedbackStore
) -> None:
    served, user = identity(folder), load_model(folder).user_ids.ids[0]
    store.erase(str(user))
    done = refresh(folder, store, days=5, list_margin=-0.5)
    assert (done.decision, done.how, done.removed) == ("kept", "anew", 1)
    assert user not in load_model(folder).user_ids.ids
    assert load_model(folder).record["refresh"]["former"] == [served]  # lists of it still count
    done = refresh(folder, store, days=5)  # the weights were trained with the person
    assert (done.decision, done.how, done.removed) == ("swapped", "anew", 0)
    assert "removed" not in load_model(folder).record
    assert user not in load_model(folder.with_name("model.previous")).user_ids.ids


def test_who_comes_back_after_an_erasure_is_not_removed_again(
    folder: Path, store: FeedbackStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = str(load_model(folder).user_ids.ids[0])
    store.erase(user)
    store.add([make_event(user=user, kind="rating", item="1", value=5, time=NOW + 19 * DAY)])
    assert refresh(folder, store, days=5).decision == "swapped"
    assert user in {str(each) for each in load_model(folder).user_ids.ids}
    done = refresh(folder, store, days=5)
    assert (done.decision, done.how, done.removed) == ("waiting", "update", 0)
    monkeypatch.setattr("matinee.feedback.store.time.time", lambda: 2e9)
    store.erase(user)
    assert refresh(folder, store, days=5).removed == 1


def test_a_model_whose_users_were_all_erased_is_trained_on_feedback_alone(
    folder: Path, parts: tuple[Ratings, Ratings], tmp_path: Path
) -> None:
    with closing(open_store(f"sqlite:{tmp_path / 'new.db'}")) as store:
        for user in load_model(folder).user_ids.ids.tolist():
            store.erase(str(user))
        people = Vocabulary(parts[1].user_ids.ids + 1000)
        fill(store, replace(parts[1], user_ids=people))
        done = refresh(folder, store, days=5, margin=9, list_margin=9)
    assert (done.decision, done.how, done.n_new) == ("swapped", "anew", len(parts[1]))
    assert load_model(folder).user_ids.ids.min() >= 1000


def test_too_little_waits(folder: Path, tmp_path: Path) -> None:
    store = open_store(f"sqlite:{tmp_path / 'empty.db'}")
    assert refresh(folder, store).decision == "waiting"
    store.add([make_event(user="u", kind="like", item="1")])
    assert refresh(folder, store).decision == "waiting"
    store.close()


def test_feedback_as_ratings(tmp_path: Path) -> None:
    from matinee.data import Scale

    store = open_store(f"sqlite:{tmp_path / 'f.db'}")
    events = [
        ("a", "rating", "x", 2.0),
        ("a", "rating", "x", 3.0),
        ("a", "rating", "x", 5.0, NOW - 1),  # it came late
        ("a", "dislike", "y", None),
        ("b", "like", "x", None),
        ("b", "click", "y", None),
        ("b", "rating", "z", 9.0),
        ("b", "like", "w", None),
        ("b", "not_interested", "w", None),
        ("b", "like", "w", None, NOW - 1),
    ]
    store.add(
        [
            make_event(user=u, kind=k, item=i, value=v, time=at[0] if at else NOW)
            for u, k, i, v, *at in events
        ]
    )
    ratings_kept = feedback_ratings(store, Scale(1.0, 5.0))
    assert ratings_kept is not None
    users, items = (
        ratings_kept.user_ids.decode(ratings_kept.users),
        ratings_kept.item_ids.decode(ratings_kept.items),
    )
    rows = set(zip(users, items, ratings_kept.values.tolist(), strict=True))
    assert rows == {("a", "x", 3.0), ("a", "y", 1.0), ("b", "x", 4.0)}
    assert ratings_kept.times is not None
    assert ratings_kept.weights is None
    weighted = feedback_ratings(store, Scale(1.0, 5.0), {"like": 0.5, "dislike": 0.25})
    assert weighted is not None
    assert weighted.weights is not None
    assert dict(zip(weighted.values.tolist(), weighted.weights.tolist(), strict=True)) == {
        3.0: 1.0,
        1.0: 0.25,
        4.0: 0.5,
    }
    # Of ratings from 0.1 to 0.9, read as float32, both ends are on the scale.
    store.add([make_event(user="c", kind="rating", item=f"{v}", value=v) for v in (0.1, 0.9)])
    small = feedback_ratings(store, Ratings.from_arrays([1, 2], [1, 2], [0.1, 0.9]).scale)
    assert small is not None
    assert {0.1, 0.9} <= set(small.values.astype(float).round(6).tolist())
    with pytest.raises(UsageError, match="'click' becomes no rating"):
        feedback_ratings(store, Scale(1.0, 5.0), {"click": 2.0})
    with pytest.raises(UsageError, match="like = 0: give a number above 0"):
        feedback_ratings(store, Scale(1.0, 5.0), {"like": 0.0})
    store.close()


def test_feedback_of_the_newest_days_alone_leaves_nothing_to_train_on(
    folder: Path, store: FeedbackStore, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    url = f"sqlite:{tmp_path / 'f.db'}"
    assert main(["refresh", str(folder), "--feedback", url, "--days", "50"]) == 0
    assert "newest 50 days, which leaves none to train on" in capsys.readouterr().out


def test_the_command(
    folder: Path, store: FeedbackStore, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    url = f"sqlite:{tmp_path / 'f.db'}"
    assert main(["refresh", str(folder), "--feedback", url, "--days", "5", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert (answer["decision"], answer["how"]) == ("swapped", "update")
    assert answer["gain"]["after"] < answer["gain"]["before"]
    assert main(["refresh", str(folder), "--rollback", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"decision": "rolled back"}
    assert main(["refresh", str(folder)]) == 2
    assert main(["refresh", str(folder), "--feedback", url, "--weight", "like"]) == 2
    for days in ("0", "inf"):
        assert main(["refresh", str(folder), "--feedback", url, "--days", days]) == 2
    none = tmp_path / "none.db"
    assert main(["refresh", str(folder), "--feedback", f"sqlite:{none}"]) == 2
    assert not none.exists()
    for margin in ("--margin", "--list-margin"):
        assert main(["refresh", str(folder), "--feedback", url, margin, "nan"]) == 2
