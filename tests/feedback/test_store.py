"""What a store promises, held to SQLite and to a real PostgreSQL alike."""

from __future__ import annotations

import math
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import FrozenInstanceError
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import duckdb
import pytest

from matinee.errors import FeedbackError, UsageError
from matinee.feedback import (
    KINDS,
    BusyError,
    Event,
    FeedbackStore,
    Writer,
    _sqlite,
    event,
    events_table,
    export_events,
    make_event,
    open_store,
    writer,
)
from matinee.feedback.event import Kind
from matinee.feedback.store import hash_of

Open = Callable[[], FeedbackStore]

EVENTS = [
    make_event(key="a", user="ann", kind="rating", item=7, value=4.5, time=1000),
    make_event(key="b", user="bob", kind="click", item="x'); --", list="l", rank=2, time=1001),
    make_event(key="c", user="ann", kind="shown", list="l", items=["7", "Ünïcode"], time=1002),
    make_event(key="d", user="ann", kind="not_interested", item="9", time=1003),
]


def test_what_was_added_is_read_by_another(open_: Open) -> None:
    assert open_().add(EVENTS) == [True] * 4
    other = open_()
    assert [event for _, event in other.page()] == EVENTS
    assert list(other.events()) == EVENTS
    assert other.of_user("ann") == [EVENTS[0], EVENTS[2], EVENTS[3]]
    assert other.of_user("ann", ["rating", "click"]) == [EVENTS[0]]
    assert other.of_user("ann", limit=2) == EVENTS[2:]
    assert other.of_user("nobody") == []
    numbers = [number for number, _ in other.page()]
    assert numbers == sorted(numbers)
    assert [event for _, event in other.page(numbers[1], 1)] == [EVENTS[2]]
    assert [event for _, event in other.page(user="bob")] == [EVENTS[1]]


def test_a_key_is_kept_once(store: FeedbackStore) -> None:
    again = make_event(key="a", user="bob", kind="like", item="1", time=2000)
    fresh = make_event(key="e", user="bob", kind="like", item="1", time=2000)
    assert store.add(EVENTS[:1]) == [True]
    assert store.add([again, fresh, fresh]) == [False, True, False]
    assert [event for _, event in store.page()] == [EVENTS[0], fresh]
    assert store.count() == 2
    assert store.add([]) == []


def test_a_person_is_erased(store: FeedbackStore, open_: Open) -> None:
    store.add(EVENTS)
    assert not store.is_erased("ann")
    assert store.erase("ann") == 3
    other = open_()
    assert (other.of_user("ann"), other.count()) == ([], 1)
    assert (other.is_erased("ann"), other.is_erased("bob")) == (True, False)
    assert len(other.erased()) == 1
    assert "ann" not in other.erased()
    assert store.erase("ann") == 0


def test_lists_are_kept_as_people_write_them(store: FeedbackStore) -> None:
    store.add(EVENTS)
    rows = store.read("SELECT items FROM feedback WHERE items IS NOT NULL", [])
    assert [tuple(row) for row in rows] == [('["7", "Ünïcode"]',)]


def test_old_events_are_pruned(store: FeedbackStore) -> None:
    store.add(EVENTS)
    assert store.prune(1002) == 2
    assert [event.key for event in store.events()] == ["c", "d"]


def test_readers_wait_for_nobody_who_writes(store: FeedbackStore) -> None:
    with ThreadPoolExecutor() as pool, store.transaction():
        assert pool.submit(store.count).result(10) == 0


def test_the_events_of_a_file_are_at_hand(store: FeedbackStore, url: str) -> None:
    assert store.is_local == url.startswith("sqlite")


def test_writers_at_once_lose_nothing(open_: Open) -> None:
    stores = [open_(), open_()]
    faults: list[Exception] = []

    def write(which: int) -> None:
        try:
            for at in range(40):
                events = [
                    make_event(key=f"{which}-{at}", user="u", kind="click", item=at),
                    make_event(key=f"shared-{at}", user="u", kind="click", item=at),
                ]
                stores[which].add(events)
        except Exception as error:
            faults.append(error)

    threads = [threading.Thread(target=write, args=(which,)) for which in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    keys = [event.key for event in stores[0].events()]
    assert (len(keys), len(set(keys))) == (120, 120)


def test_a_database_that_came_back(request: pytest.FixtureRequest, open_: Open, url: str) -> None:
    store = open_()
    store.add(EVENTS[:1])
    if url.startswith("postgresql"):
        request.getfixturevalue("postgresql").end_connections(url)
    assert store.add(EVENTS) == [False, True, True, True]
    assert store.count() == 4


@pytest.fixture
def database(request: pytest.FixtureRequest) -> str:
    made: str = request.getfixturevalue("postgresql").empty()
    return made


def test_servers_of_every_version_write_one_after_the_other(database: str) -> None:
    """By one lock, whose number stays: readers are then given the events in order."""
    import psycopg

    store = open_store(database)
    with ThreadPoolExecutor() as pool:
        with psycopg.connect(database) as other:
            other.execute("SELECT pg_advisory_xact_lock(30787925074404709)")
            waiting = [pool.submit(store.add, EVENTS), pool.submit(open_store, database)]
            assert wait(waiting, 0.3).done == set()
            assert store.count() == 0  # readers wait for nobody
        assert waiting[0].result(60) == [True] * 4
        waiting[1].result(60).close()  # type: ignore[attr-defined]
    store.close()


def test_errors_of_a_database_quote_no_values(database: str) -> None:
    store = open_store(database)
    with pytest.raises(FeedbackError, match=r"PostgreSQL: InvalidTextRepresentation$"):
        store.read("SELECT 'a-secret-name'::integer", [])
    store.close()
    with pytest.raises(FeedbackError, match=r"PostgreSQL: .*[Rr]efused$"):
        open_store("postgresql://127.0.0.1:1/none")


def held_back(store: FeedbackStore) -> tuple[list[int], threading.Event, threading.Event]:
    """Let a store wait: the sizes of its transactions, that one has begun, and its release."""
    sizes: list[int] = []
    entered, release, add = threading.Event(), threading.Event(), store.add

    def slow(events: list[Event]) -> list[bool]:
        entered.set()
        release.wait(60)
        sizes.append(len(events))
        return add(events)

    store.add = slow  # type: ignore[method-assign, assignment]
    return sizes, entered, release


def test_one_commit_for_all_that_waits(store: FeedbackStore) -> None:
    sizes, entered, release = held_back(store)
    written = Writer(store)
    first = written.submit([make_event(key="first", user="u", kind="click", item="i")])
    assert entered.wait(10)
    rest = [
        written.submit([make_event(key=f"{at % 30}", user="u", kind="click", item="i")])
        for at in range(40)
    ]
    assert not first.done()
    release.set()
    assert first.result(10) == [True]
    assert [future.result(10) for future in rest] == [[True]] * 30 + [[False]] * 10
    written.close()
    assert sizes == [1, 40]


def test_a_writer_keeps_its_bounds_and_its_days(
    store: FeedbackStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = int(time.time())
    old = make_event(key="old", user="u", kind="click", item="i", time=now - 3 * 86_400)
    new = make_event(key="new", user="u", kind="click", item="i", time=now - 86_400)
    store.add([old, new])
    monkeypatch.setattr(writer, "_WAITING", 2)
    written = Writer(store, days=2)
    with pytest.raises(BusyError):
        written.submit([old, old, new])
    written.close()
    assert [event.key for event in store.events()] == ["new"]


def click(key: str) -> Event:
    return make_event(key=key, user="u", kind="click", item="i")


@pytest.fixture
def file_store(tmp_path: Path) -> Iterator[FeedbackStore]:
    store = open_store(f"sqlite:{tmp_path / 'f.db'}")
    yield store
    store.close()


def test_a_writer_has_room_again_for_what_was_written(
    file_store: FeedbackStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "_WAITING", 2)
    written = Writer(file_store)
    for at in range(5):
        assert written.submit([click(f"{at}a"), click(f"{at}b")]).result(10) == [True, True]
        until(lambda: written._waiting == 0)
    written.close()


def until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.001)


def test_the_events_of_one_transaction_are_bounded(
    file_store: FeedbackStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No job is begun once the bound is reached."""
    monkeypatch.setattr(writer, "_AT_ONCE", 4)
    sizes, entered, release = held_back(file_store)
    written = Writer(file_store)
    written.submit([click("first")])
    assert entered.wait(60)
    last = [written.submit([click(f"{at} {n}") for n in range(3 - at % 2 * 2)]) for at in range(5)]
    release.set()
    last[-1].result(60)
    written.close()
    assert sizes == [1, 4, 4, 3]


def test_old_events_are_deleted_once_an_hour(
    file_store: FeedbackStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = SimpleNamespace(now=10.0)
    clock.monotonic = lambda: clock.now
    monkeypatch.setattr(writer, "time", clock)
    pruned: list[tuple[float, float]] = []
    monkeypatch.setattr(file_store, "prune_days", lambda days: pruned.append((clock.now, days)))
    written = Writer(file_store, days=2)
    for at, now in enumerate((10.0, 3609.0, 3610.0, 3611.0)):
        clock.now = now
        written.submit([click(f"{at}a")]).result(60)
        written.submit([click(f"{at}b")]).result(60)  # it has looked at the clock after the first
    written.close()
    assert pruned == [(10.0, 2), (3610.0, 2)]


def test_a_writer_that_nobody_closed_lets_the_process_end(file_store: FeedbackStore) -> None:
    written = Writer(file_store)
    written.close()
    assert written._thread.daemon


def test_the_text_of_an_unexpected_error_is_not_logged(
    file_store: FeedbackStore,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """It may hold what a person did."""

    def fail(events: list[Event]) -> list[bool]:
        raise ValueError("a-secret-name")

    monkeypatch.setattr(file_store, "add", fail)
    written = Writer(file_store)
    with pytest.raises(ValueError, match="a-secret-name"):
        written.submit([click("k")]).result(60)
    written.close()
    assert "feedback was not kept: ValueError" in caplog.text
    assert "a-secret-name" not in caplog.text


def test_a_writer_reports_failure(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    store = open_store(f"sqlite:{tmp_path / 'f'}")
    written = Writer(store)
    store.close()
    event = make_event(user="a-secret-name", kind="click", item="i")
    with pytest.raises(FeedbackError, match="closed"):
        written.submit([event]).result(10)
    written.close()
    assert "not kept: feedback in" in caplog.text
    assert "a-secret-name" not in caplog.text


def test_export(store: FeedbackStore, tmp_path: Path) -> None:
    target = tmp_path / "all.parquet"
    assert export_events(store, target) == 0
    assert duckdb.sql(f"SELECT count(*) FROM '{target}'").fetchall() == [(0,)]
    store.add(EVENTS)
    assert export_events(store, target) == 4
    rows = duckdb.sql(
        f"SELECT key, user_id, kind, timestamp, item_id, rating, list, rank, items FROM '{target}'"
    ).fetchall()
    assert rows[0][:5] == ("a", "ann", "rating", 1000, "7")
    assert rows[0][5] == 4.5
    assert rows[0][6:8] == (None, 0)
    assert rows[1][5:] == (None, "l", 2, None)
    assert rows[2][8] == '["7", "Ünïcode"]'
    assert len(events_table(EVENTS)) == 4


def test_a_new_file_that_another_process_opens_too(tmp_path: Path) -> None:
    path = tmp_path / "feedback.db"
    other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    # While another connection writes, SQLite refuses a write-ahead log at once, without waiting.
    other.execute("BEGIN IMMEDIATE")
    other.execute("CREATE TABLE other (x)")
    end = threading.Timer(0.5, other.rollback)
    end.start()
    store = open_store(f"sqlite:{path}")
    end.join()
    assert store.add(EVENTS) == [True] * 4
    store.close()
    other.close()


def test_a_file_is_its_owners(tmp_path: Path) -> None:
    path = tmp_path / "f.db"
    store = open_store(f"sqlite:{path}")
    store.add([make_event(user="a-secret-name", kind="click", item="i")])
    assert path.stat().st_mode & 0o077 == 0
    store.erase("a-secret-name")
    left = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    assert b"a-secret-name" not in left
    store.close()


def test_a_refused_file_is_closed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[sqlite3.Connection] = []
    connect = sqlite3.connect

    def recorded(*args: Any, **options: Any) -> sqlite3.Connection:
        opened.append(connect(*args, **options))
        return opened[-1]

    monkeypatch.setattr(sqlite3, "connect", recorded)
    (tmp_path / "text").write_text("no database " * 100)
    with pytest.raises(FeedbackError, match="not a database"):
        open_store(f"sqlite:{tmp_path / 'text'}")
    for connection in opened:
        with pytest.raises(sqlite3.ProgrammingError, match="closed"):
            connection.execute("SELECT 1")
    assert opened


def test_a_file_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "f.db"
    open_store(f"sqlite:{path}").close()
    open_store(f"sqlite:{path}").close()  # one of this version is opened again
    other = sqlite3.connect(path)
    version = other.execute("PRAGMA user_version").fetchone()[0]
    other.execute(f"PRAGMA user_version = {version + 1}")
    other.close()
    with pytest.raises(FeedbackError, match="of a newer Matinee"):
        open_store(f"sqlite:{path}")


def test_a_file_that_stays_locked_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_sqlite, "_PATIENCE", 0.05)
    other = sqlite3.connect(tmp_path / "f.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    other.execute("CREATE TABLE other (x)")
    with pytest.raises(FeedbackError, match="locked"):
        open_store(f"sqlite:{tmp_path / 'f.db'}")
    other.close()


def test_what_is_remembered_of_the_erased_stays_the_same() -> None:
    """Stores hold it: another hash would forget those who were erased before."""
    assert hash_of("ann") == "d8963d899008cf8c05369be7b9042715"


def test_refusals(tmp_path: Path) -> None:
    for wrong in ("feedback.db", "mysql://x", "sqlite:", "sqlite::memory:", "redis:x"):
        with pytest.raises(UsageError, match="sqlite:PATH"):
            open_store(wrong)
    with pytest.raises(UsageError) as refused:
        open_store("mysql://me:sec@ret@host/db")
    assert "'mysql://me:***@host/db'" in str(refused.value)
    (tmp_path / "text").write_text("no database " * 100)
    with pytest.raises(FeedbackError, match="not a database"):
        open_store(f"sqlite:{tmp_path / 'text'}")
    with pytest.raises(FeedbackError, match="No such file"):
        open_store(f"sqlite:{tmp_path / 'none' / 'f.db'}")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"kind": "liked", "item": "1"}, "did you mean 'like'"),
        ({"kind": "like"}, "item: like needs one"),
        ({"kind": "shown", "item": "1", "list": "l"}, "item: shown has none"),
        ({"kind": "shown"}, "list: name"),
        ({"kind": "rating", "item": "1"}, "rating: give one"),
        ({"kind": "like", "item": "1", "value": 3}, "rating: like has none"),
        ({"kind": "rating", "item": "1", "value": math.nan}, "rating: nan"),
        ({"kind": "click", "item": "1", "items": ["1"]}, "items: click has none"),
        ({"kind": "click", "item": "1", "rank": 0}, "rank: 0"),
        ({"kind": "click", "item": "1", "time": 10**11}, "time: "),
        ({"kind": "click", "item": "1" * 301}, "item: give 1 to 300"),
        ({"kind": "click", "item": "NaN"}, "is no id"),
        ({"kind": "click", "item": "a\0b"}, "cannot be kept"),
        ({"kind": "click", "item": "a\ud800"}, "cannot be kept"),
        ({"kind": "click", "item": "1", "key": ""}, "key: give"),
        ({"kind": "click", "item": "1", "time": -1}, "time: "),
        ({"kind": "shown", "list": "l", "items": ["1"] * 501}, "items: 501 of them; at most 500"),
    ],
)
def test_events_are_checked(given: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        make_event(user="u", **given)  # type: ignore[arg-type]


def test_what_the_kinds_say_of_a_person() -> None:
    def kinds(holds: Callable[[Kind], bool | None]) -> set[str]:
        return {name for name, kind in KINDS.items() if holds(kind)}

    assert kinds(lambda kind: kind.liked) == {"like"}
    assert kinds(lambda kind: kind.liked is False) == {"dislike"}
    assert kinds(lambda kind: kind.chosen) == {"rating", "like", "click"}
    assert kinds(lambda kind: not kind.of_item) == {"shown"}
    assert kinds(lambda kind: not kind.opinion) == {"click", "shown"}


@pytest.mark.parametrize(
    "given",
    [
        {"kind": "click", "item": "1" * 300, "key": "k" * 300, "list": "l" * 300},
        {"kind": "click", "item": "1", "rank": 1, "time": 0},
        {"kind": "shown", "list": "l", "items": ["1"] * 500},
    ],
)
def test_events_may_reach_their_bounds(given: dict[str, Any]) -> None:
    event = make_event(user="u", **given)
    assert {name: getattr(event, name) for name in given} == {
        name: tuple(value) if isinstance(value, list) else value for name, value in given.items()
    }


def test_an_event_may_be_a_day_ahead_of_this_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event, "_now", lambda: 1000)
    assert make_event(user="u", kind="click", item="1", time=87_400).time == 87_400
    with pytest.raises(UsageError, match="time: 87401"):
        make_event(user="u", kind="click", item="1", time=87_401)


@pytest.mark.parametrize(("what", "field"), [(EVENTS[0], "user"), (KINDS["like"], "liked")])
def test_what_happened_and_what_it_means_cannot_be_changed(what: object, field: str) -> None:
    with pytest.raises(FrozenInstanceError):
        setattr(what, field, None)


def test_an_event_has_canonical_ids_and_a_key() -> None:
    before = int(time.time())
    assert make_event(user="u", kind="click", item="1", time=before + 3600).time == before + 3600
    one = make_event(user=" 7 ", kind="click", item=3.0)
    assert (one.user, one.item) == ("7", "3")
    assert one.key != make_event(user="7", kind="click", item="3").key
    assert before <= one.time <= time.time()
    assert set(KINDS) == {"rating", "like", "dislike", "click", "not_interested", "shown"}
