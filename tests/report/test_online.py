"""Two served models compared by what people accepted from their lists."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from matinee.cli import main
from matinee.errors import UsageError
from matinee.feedback import Event, FeedbackStore, make_event, open_store
from matinee.lab.online import compare_online
from matinee.models import Bias, ItemMean, identity
from matinee.synth import synthesize

DAY = 86_400
NOW = 1_700_000_000


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("online")
    ratings = synthesize(60, 30, 600, seed=3).ratings
    return (
        ItemMean().fit(ratings).save(folder / "plain"),
        Bias().fit(ratings).save(folder / "better"),
    )


@pytest.fixture
def store(tmp_path: Path) -> Iterator[FeedbackStore]:
    opened = open_store(f"sqlite:{tmp_path / 'f.db'}")
    yield opened
    opened.close()


def lists(user: str, model: str, at: int, accepted: int | None, days: float = 0) -> list[Event]:
    """A list of three items, of which the one at a rank is clicked."""
    name, time = f"{model}.{user}-{at}", NOW + int((at + days) * 3600)
    events = [make_event(user=user, kind="shown", list=name, items=("i0", "i1", "i2"), time=time)]
    if accepted is not None:
        item = f"i{accepted - 1}"
        events.append(make_event(user=user, kind="click", list=name, item=item, time=time + 9))
    return events


def test_by_person(folders: tuple[Path, Path], store: FeedbackStore) -> None:
    one, two = map(identity, folders)
    later = make_event(user="z", kind="click", item="i0", time=NOW + 40 * DAY)
    store.add([*lists("a", one, 0, 1), *lists("a", one, 1, None), later])  # a half
    store.add([*lists("b", one, 0, None), *lists("c", two, 0, 2)])
    # Saw both: a person of the first list's model, of whose lists one was accepted.
    store.add([*lists("d", one, 0, 1), *lists("d", two, 1, None)])
    store.add(lists("e", two, 39 * 24, 3))  # whose days are not over
    store.add(lists("f", "another", 0, 3))
    wrong = lists("g", two, 0, None)
    store.add([*wrong, make_event(user="c", kind="click", list=wrong[0].list, item="i0", time=NOW)])
    result = compare_online(*folders, store, days=7)
    assert (result.first.n_lists, result.first.n_people) == (4, 3)
    assert result.first.acceptance == pytest.approx((0.5 + 0 + 0.5) / 3)
    # Another person's click does not count for g.
    assert (result.second.n_lists, result.second.n_people, result.second.acceptance) == (4, 2, 0.5)
    assert result.difference == pytest.approx(0.5 - 1 / 3)
    assert (result.interval, result.n_both) == (None, 1)
    assert result.first.by_rank[:4] == (0.5, 0.0, 0.0, None)
    assert result.second.by_rank[:3] == (0.0, 0.25, 0.25)
    assert "too few" in result.verdict


def test_what_comes_late_does_not_count(folders: tuple[Path, Path], store: FeedbackStore) -> None:
    one = identity(folders[0])
    shown, click = lists("a", one, 0, 1)
    late = make_event(user="a", kind="like", list=shown.list, item="i1", time=NOW + 8 * DAY)
    store.add([shown, late, *lists("a", one, 24 * 9, 1)])
    assert compare_online(*folders, store).first.acceptance == 0
    store.add([click])
    assert compare_online(*folders, store).first.acceptance == 1


def test_events_in_another_order_and_ranks_that_were_not_shown(
    folders: tuple[Path, Path], store: FeedbackStore
) -> None:
    one = identity(folders[0])
    shown, _ = lists("a", one, 0, 1)
    click = make_event(user="a", kind="click", list=shown.list, item="i0", rank=5, time=NOW + 9)
    store.add([*lists("a", one, 24 * 9, None), click, shown])  # the first list came last
    result = compare_online(*folders, store).first
    assert (result.n_people, result.acceptance) == (1, 1.0)
    assert result.by_rank[:5] == (0.5, 0.0, 0.0, None, None)


def test_folders_of_one_name_and_of_one_model(
    folders: tuple[Path, Path], store: FeedbackStore, tmp_path: Path
) -> None:
    twin = tmp_path / folders[0].name
    shutil.copytree(folders[1], twin)
    store.add(lists("a", identity(twin), 0, 1))
    result = compare_online(folders[0], twin, store)
    assert (result.first.name, result.second.name) == (str(folders[0]), str(twin))
    with pytest.raises(UsageError, match="hold the same model"):
        compare_online(folders[1], twin, store)
    with pytest.raises(UsageError, match="days = inf: give a number above 0"):
        compare_online(*folders, store, days=np.inf)


def test_many_people(
    folders: tuple[Path, Path],
    store: FeedbackStore,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    rng = np.random.default_rng(0)
    names = list(map(identity, folders))
    for at in range(240):
        liked = rng.random() < (0.2, 0.7)[at % 2]
        store.add(lists(f"u{at}", names[at % 2], at, 1 if liked else None))
        store.add(
            [
                make_event(
                    user=f"u{at}",
                    kind="rating",
                    item=str(1 + at % 7),
                    value=1 + at % 5,
                    time=NOW + at * 3600 + 60,
                )
            ]
        )
    store.add([make_event(user="z", kind="click", item="i0", time=NOW + 90 * DAY)])
    result = compare_online(*folders, store, days=1)
    assert result.interval is not None
    assert 0.1 < result.interval.low < 0.5 < result.interval.high
    assert "better" in result.verdict
    assert len(result.looks) > 10
    assert result.looks[-1].interval == result.interval
    assert sum(part.n for part in result.first.calibration) == 120
    assert sum(part.n for part in result.first.drift) == 120
    url = f"sqlite:{tmp_path / 'f.db'}"
    args = ["compare", *map(str, folders), "--feedback", url, "--days", "1"]
    assert main([*args, "--json", "--out", str(tmp_path / "page.html")]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["interval"] == list(result.interval)
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    for text in ("Acceptance by rank", "Calibration of better", "by time", "most recommended"):
        assert text in page
    assert main(["compare", *map(str, folders)]) == 2


def test_no_lists(folders: tuple[Path, Path], store: FeedbackStore) -> None:
    with pytest.raises(UsageError, match="kind 'shown'"):
        compare_online(*folders, store)


@pytest.mark.parametrize(("ratings", "errors"), [([5], []), ([5, 1], [1.96 * 2])])
def test_a_single_rating_has_no_interval(
    folders: tuple[Path, Path], store: FeedbackStore, ratings: list[int], errors: list[float]
) -> None:
    """Two people of one prediction: the half-width is 1.96 times the error of the mean."""
    name = identity(folders[0])
    for at, value in enumerate(ratings):
        user = f"u{at}"
        store.add(lists(user, name, at, None))
        store.add(
            [make_event(user=user, kind="rating", item="1", value=value, time=NOW + 9 * 3600)]
        )
    result = compare_online(*folders, store, days=1)
    assert [part.error for part in result.first.calibration] == pytest.approx(errors)
