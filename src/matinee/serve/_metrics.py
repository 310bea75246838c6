"""Counters in memory shared by all workers, in Prometheus' text format.

Each worker counts in its own row; the worker that serves the metrics adds up the rows.
"""

from __future__ import annotations

import mmap
import os
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from ..base.arrays import Float64

CLASSES = ("1xx", "2xx", "3xx", "4xx", "5xx")
BUCKETS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_COUNTERS = (
    *("in_flight", "reloads", "failed_reloads", "pid", "connections"),
    *("feedback_stored", "feedback_duplicates", "stopped"),
)
_OTHER = "other"
_SECONDS = "Time from a request's first byte to its answer's last."
_RELOADS = "Models loaded after the start, by worker and in all."
_PAGE = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096


class Metrics:
    """The counters of all workers.

    Create it before the workers are forked, so that they share its memory. Requests of other paths
    than these routes are counted as "other".
    """

    def __init__(self, routes: Sequence[str], workers: int = 1) -> None:
        self._routes = {route: at for at, route in enumerate([*routes, _OTHER])}
        each = len(CLASSES) + len(BUCKETS) + 2  # the last bucket, and the sum of seconds
        fields = [(name, np.float64) for name in _COUNTERS]
        row = np.dtype([*fields, ("routes", np.float64, (len(self._routes), each))])
        self._rows = np.frombuffer(mmap.mmap(-1, workers * row.itemsize), row)
        self._row = self._rows[0]

    def start(self, worker: int) -> None:
        """Count as this worker in this process; a restarted worker continues its row."""
        self._row = self._rows[worker]
        for name in ("in_flight", "connections", "stopped"):
            self._row[name] = 0
        self._row["pid"] = os.getpid()

    def stopped(self, worker: int) -> None:
        """A worker ended: it has no connections, and will not accept any."""
        row = self._rows[worker]
        for name in ("in_flight", "connections", "pid"):
            row[name] = 0
        row["stopped"] = 1

    def began(self) -> None:
        """A request arrived."""
        self._row["in_flight"] += 1

    def ended(self, route: str, status: int, seconds: float) -> None:
        """A request was answered."""
        self._row["in_flight"] -= 1
        counts = self._row["routes"][self._routes.get(route, self._routes[_OTHER])]
        counts[min(max(status // 100, 1), 5) - 1] += 1
        counts[len(CLASSES) + bisect_left(BUCKETS, seconds)] += 1
        counts[-1] += seconds

    def connected(self, now: int | None = None) -> None:
        """A connection was accepted, or this many are open."""
        self._row["connections"] = self._row["connections"] + 1 if now is None else now

    def has_fewest(self) -> bool:
        """Return whether no worker that runs has fewer connections than this one."""
        running = self._rows[self._rows["stopped"] == 0]
        return bool(self._row["connections"] <= running["connections"].min())

    def reloaded(self, succeeded: bool) -> None:
        """A new model was loaded, or could not be."""
        self._row["reloads" if succeeded else "failed_reloads"] += 1

    def took(self, stored: int, duplicates: int) -> None:
        """Feedback was kept, or was there already."""
        self._row["feedback_stored"] += stored
        self._row["feedback_duplicates"] += duplicates

    def text(self, model: str, kind: str) -> str:
        """Return all counters in Prometheus' text format."""
        total = {name: f"{self._rows[name].sum():.0f}" for name in _COUNTERS}
        parts = dict(zip(self._routes, self._rows["routes"].sum(axis=0), strict=True))
        requests = {
            f'{{route="{route}",status="{name}"}}': f"{count:.0f}"
            for route, part in parts.items()
            for name, count in zip(CLASSES, part, strict=False)
            if count
        }
        seconds = {
            key: value for route, part in parts.items() for key, value in _times(route, part)
        }
        sizes = [_resident(int(pid)) for pid in self._rows["pid"]]
        memory = {f'{{worker="{w}"}}': size for w, size in enumerate(sizes) if size is not None}
        loaded = {'{result="done"}': total["reloads"], '{result="failed"}': total["failed_reloads"]}
        kept = {
            '{result="stored"}': total["feedback_stored"],
            '{result="duplicate"}': total["feedback_duplicates"],
        }
        of_model = {f'{{model="{model}",kind="{kind}"}}': 1}
        lines = []
        for name, type_, meaning, samples in (
            ("requests_total", "counter", "Requests answered.", requests),
            ("request_seconds", "histogram", _SECONDS, seconds),
            ("requests_in_flight", "gauge", "Requests being answered.", {"": total["in_flight"]}),
            ("connections", "gauge", "Open connections.", {"": total["connections"]}),
            ("reloads_total", "counter", _RELOADS, loaded),
            ("feedback_total", "counter", "Events of feedback kept, or sent again.", kept),
            ("model_info", "gauge", "The model of the worker that was asked.", of_model),
            ("worker_resident_bytes", "gauge", "Memory of each worker.", memory),
        ):
            lines += [f"# HELP matinee_{name} {meaning}", f"# TYPE matinee_{name} {type_}"]
            lines += [f"matinee_{name}{labels} {value}" for labels, value in samples.items()]
        return "\n".join(lines) + "\n"


def _times(route: str, part: Float64) -> Iterator[tuple[str, str]]:
    """Yield the samples of the histogram of a route's times, if it has any."""
    below = np.cumsum(part[len(CLASSES) : -1])
    if below[-1] == 0:
        return
    for limit, count in zip((*map(str, BUCKETS), "+Inf"), below, strict=True):
        yield f'_bucket{{route="{route}",le="{limit}"}}', f"{count:.0f}"
    yield f'_sum{{route="{route}"}}', f"{part[-1]:.6f}"
    yield f'_count{{route="{route}"}}', f"{below[-1]:.0f}"


def _resident(pid: int) -> int | None:
    """Resident bytes of a process, if the system reports them."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE if pid else None
    except OSError:
        return None
