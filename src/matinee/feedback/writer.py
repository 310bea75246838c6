"""``Writer``: many requests, one commit."""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future

from ..errors import FeedbackError, MatineeError
from .event import Event
from .store import FeedbackStore

_log = logging.getLogger("matinee.serve")

_AT_ONCE = 5000
"""Events of one transaction, about."""
_WAITING = 20_000
"""Largest number of waiting events."""
_HOUR = 3600.0


class BusyError(MatineeError):
    """More feedback waits to be written than may."""


class Writer:
    """Writes events in a separate thread, all waiting ones in one transaction (group commit).

    While one commit reaches the disk the next events gather, so that a slow disk costs time once
    for all of them.

    Args:
        store: Where to write.
        days: Retention of events in days; unlimited by default. Checked once an hour.
    """

    def __init__(self, store: FeedbackStore, days: float | None = None) -> None:
        self._store, self._days = store, days
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._waiting = 0
        self._pruned = -_HOUR
        self._thread = threading.Thread(target=self._run, name="feedback", daemon=True)
        self._thread.start()

    def submit(self, events: Sequence[Event]) -> Future[list[bool]]:
        """Have events written; the result, once they are on the disk, is which were new.

        Raises:
            BusyError: Too many wait.
        """
        with self._lock:
            if self._waiting + len(events) > _WAITING:
                raise BusyError("too much feedback at once; try again")
            self._waiting += len(events)
        future: Future[list[bool]] = Future()
        self._jobs.put((events, future))
        return future

    def close(self) -> None:
        """Write waiting events, and stop."""
        self._jobs.put(None)
        self._thread.join()

    def _run(self) -> None:
        open_ = True
        while open_:
            self._prune()
            jobs, open_ = self._gather()
            if jobs:
                self._write(jobs)

    def _gather(self) -> tuple[list[_Job], bool]:
        """Return all waiting jobs; at least one, unless the writer is closed or an hour passed."""
        jobs: list[_Job] = []
        size = 0
        try:
            while size < _AT_ONCE:
                job = self._jobs.get(block=not jobs, timeout=_HOUR)
                if job is None:
                    return jobs, False
                jobs.append(job)
                size += len(job[0])
        except queue.Empty:
            pass
        return jobs, True

    def _write(self, jobs: list[_Job]) -> None:
        events = [event for batch, _ in jobs for event in batch]
        try:
            new = self._store.add(events)
        except Exception as error:
            # Its text must not contain event data: FeedbackError ensures that.
            known = isinstance(error, FeedbackError)
            _log.error("feedback was not kept: %s", error if known else type(error).__name__)
            for _, future in jobs:
                if future.set_running_or_notify_cancel():
                    future.set_exception(error)
        else:
            at = 0
            for batch, future in jobs:
                if future.set_running_or_notify_cancel():
                    future.set_result(new[at : at + len(batch)])
                at += len(batch)
        finally:
            with self._lock:
                self._waiting -= len(events)

    def _prune(self) -> None:
        now = time.monotonic()
        if self._days is None or now - self._pruned < _HOUR:
            return
        self._pruned = now
        try:
            self._store.prune_days(self._days)
        except FeedbackError as error:
            _log.error("old feedback was not deleted: %s", error)


_Job = tuple[Sequence[Event], "Future[list[bool]]"]
