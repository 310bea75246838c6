"""Networks trained side by side: how many at once, on how many threads, and how they end."""

from __future__ import annotations

import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from threading import Event
from types import SimpleNamespace
from typing import Any

import pytest

from matinee.models.networks import _side_by_side as module
from matinee.models.networks._side_by_side import side_by_side


class Fake:
    """A network that notes how it is trained; it trains until it may end, or is to stop."""

    def __init__(self, *, ahead: bool = True, ends: bool = True) -> None:
        self.may_train_ahead = ahead
        self.run: Any = SimpleNamespace(threads=self._threads)
        self.calls: list[tuple[int, str]] = []
        self.stopped, self.entered, self._ends = False, 0, ends

    def _threads(self) -> AbstractContextManager[None]:
        self.entered += 1
        return nullcontext()

    def train_ahead(self, threads: int, stop: Event) -> int:
        self.calls.append((threads, threading.current_thread().name))
        if not self._ends:
            self.stopped = stop.wait(60)
        return 7


def cores(monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    monkeypatch.setattr(module, "kernel_thread_count", lambda: count)


@pytest.mark.parametrize(
    ("count", "networks", "threads", "workers"),
    [(2, 2, 1, 1), (2, 3, 1, 1), (5, 2, 2, 1), (4, 3, 1, 2), (8, 2, 4, 1)],
)
def test_cores_are_divided(
    monkeypatch: pytest.MonkeyPatch, count: int, networks: int, threads: int, workers: int
) -> None:
    cores(monkeypatch, count)
    here: list[int] = []
    pools: list[int] = []

    def limited(most: int) -> AbstractContextManager[None]:
        here.append(most)
        return nullcontext()

    def pool(workers: int) -> ThreadPoolExecutor:
        pools.append(workers)
        return ThreadPoolExecutor(workers)

    monkeypatch.setattr(module, "kernel_threads", limited)
    monkeypatch.setattr(module, "ThreadPoolExecutor", pool)
    fakes = [Fake() for _ in range(networks)]
    with side_by_side(fakes) as ahead:
        assert ahead[0] is None
        assert [future.result() for future in ahead[1:] if future is not None] == [7] * (
            networks - 1
        )
    assert here == [threads]
    assert pools == [workers]
    assert not fakes[0].calls
    assert fakes[0].entered == 1
    for fake in fakes[1:]:
        assert [call[0] for call in fake.calls] == [threads]
        assert fake.calls[0][1] != threading.current_thread().name


@pytest.mark.parametrize(("count", "fakes"), [(1, 2), (4, 1), (4, 0)])
def test_nothing_to_gain(monkeypatch: pytest.MonkeyPatch, count: int, fakes: int) -> None:
    cores(monkeypatch, count)
    with side_by_side([Fake() for _ in range(fakes)]) as ahead:
        assert ahead == [None] * fakes


def test_one_that_must_not_be_trained_ahead(monkeypatch: pytest.MonkeyPatch) -> None:
    cores(monkeypatch, 2)
    fakes = [Fake(), Fake(ahead=False), Fake()]
    with side_by_side(fakes) as ahead:
        assert ahead == [None, None, None]
    assert not any(fake.calls for fake in fakes)


def test_an_exception_stops_what_runs_and_cancels_the_rest(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cores(monkeypatch, 2)
    fakes = [Fake(), Fake(ends=False), Fake(ends=False)]
    futures: list[Future[int] | None] = []

    def interrupted() -> None:
        with side_by_side(fakes) as ahead:
            futures.extend(ahead)
            while not fakes[1].calls:
                time.sleep(0.001)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert fakes[1].stopped
    assert not fakes[2].calls
    assert futures[2] is not None
    assert futures[2].cancelled()
