"""Scheduler of a study: distributes its runs to worker processes and stores the results."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from multiprocessing import connection, get_context
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from pathlib import Path
from typing import Any

from ....base.threads import affine_cores
from ....errors import UsageError
from ....models.registry import kind_named
from ..plan import Plan, Spec
from ..results import EpochRecord, RunRecord
from ._worker import work
from .store import RunStore

_PATIENCE = 20.0
"""Seconds that workers have to write their checkpoints after the signal to stop."""
_DEATHS = 2
"""Number of times a run's process may die before the run counts as broken."""


class RunListener:
    """Receives the events of a study and ignores them; base class of the displays."""

    def planned(self, specs: Sequence[Spec], done: int, workers: int) -> None:
        """Called before the first run; ``done`` of the requested runs are finished already."""

    def started(self, spec: Spec) -> None:
        """A worker begins a run."""

    def epoch(self, spec: Spec, epoch: EpochRecord) -> None:
        """An epoch of a run is done."""

    def finished(self, spec: Spec, record: RunRecord) -> None:
        """Called with the record of a finished or diverged run."""

    def broken(self, spec: Spec, message: str) -> None:
        """A run ended without a record."""

    def tick(self) -> None:
        """Half a second has passed."""


@dataclass(frozen=True)
class Outcome:
    """Counts and failures of a call of ``run_study``.

    Attributes:
        done: Runs that were finished by it.
        before: Runs that were finished earlier, and not repeated.
        diverged: Runs, new or old, whose loss diverged, which are results as well.
        broken: Message by key of the runs that ended without a result.
        seconds: Wall time.
        absent: By arm that could not run because its library is not installed, how to install it.
    """

    done: int
    before: int
    diverged: int
    broken: dict[str, str]
    seconds: float
    absent: dict[str, str] = field(default_factory=dict)


def default_workers(workers: int | None = None, threads: int | None = None) -> tuple[int, int]:
    """Workers and threads for each: one thread, and a worker for every core.

    A step of a small network does not fill two cores; two runs do.

    Raises:
        UsageError: Fewer than one.
    """
    cores = affine_cores()
    for name, value in (("workers", workers), ("threads", threads)):
        if value is not None and value < 1:
            raise UsageError(f"--{name} {value}: must be at least 1")
    if workers is None:
        workers = max(1, cores // (threads or 1))
    return workers, threads or max(1, cores // workers)


def run_study(
    plan: Plan,
    folder: Path | str,
    *,
    workers: int | None = None,
    threads: int | None = None,
    groups: Sequence[str] = (),
    seeds: Sequence[int] = (),
    arms: Sequence[str] = (),
    data: Sequence[str] = (),
    listener: RunListener | None = None,
) -> Outcome:
    """Do all runs of a plan that have no record yet.

    A run that was interrupted resumes from its checkpoint. A run that breaks does not stop the
    others. Arms whose library is not installed are left out.

    Args:
        plan: The study's plan.
        folder: Where the runs are kept; made if absent.
        workers: Processes; by default one for every core.
        threads: Threads of each; by default the cores divided by the workers.
        groups: Groups to run; by default all.
        seeds: Seeds to run; by default all.
        arms: Arms to run, as GROUP/ARM; by default all.
        data: Names of the data to run on; by default all.
        listener: Receives the events of the study.

    Raises:
        UsageError: Another study's folder, or no such group, seed, arm or data.
        DataError: The folder was written by another version.
        MatineeError: Another engine is at work in it, or it cannot be written to.
    """
    planned = plan.wanted(groups, seeds, arms, data)
    absent = {spec.arm: lacks for spec in planned if (lacks := kind_named(spec.kind).missing)}
    pending = [spec for spec in planned if spec.arm not in absent]
    processes, threads_each = default_workers(workers, threads)
    store, progress = RunStore(Path(folder).expanduser()), listener or RunListener()
    begun = time.perf_counter()
    with store.lock():
        store.begin(plan)
        had = store.done()
        old = [store.read(spec.key) for spec in pending if spec.key in had]
        kept = {record.key for record in old if _agrees(record, plan.specs[record.key])}
        old = [record for record in old if record.key in kept]
        todo = [spec for spec in pending if spec.key not in kept]
        processes = min(processes, max(len(todo), 1))
        diverged = sum(record.status != "done" for record in old)
        progress.planned(todo, len(old), processes)
        pool = _WorkerPool(store.path, processes, threads_each, progress)
        if todo:
            pool.do(todo)
    return Outcome(
        done=pool.done,
        before=len(old),
        diverged=diverged + pool.diverged,
        broken=pool.broken,
        seconds=time.perf_counter() - begun,
        absent=absent,
    )


def _agrees(record: RunRecord, spec: Spec) -> bool:
    """Whether a record's settings are the run's: a default may have changed since it was made."""
    return _same({"model": spec.kind, **spec.settings}, record.settings)


def _same(one: Any, other: Any) -> bool:
    """Return whether two settings agree on all that both have."""
    if isinstance(one, dict) and isinstance(other, dict):
        shared = (one.keys() & other.keys()) - {"description"}
        return all(_same(one[key], other[key]) for key in shared)
    return bool(one == other)


@dataclass(eq=False)
class _Worker:
    """A worker process, and its run."""

    process: SpawnProcess
    pipe: Connection
    spec: Spec | None = None


@dataclass(eq=False)
class _WorkerPool:
    """The worker processes and their runs."""

    folder: Path
    size: int
    threads: int
    listener: RunListener
    done: int = 0
    diverged: int = 0
    broken: dict[str, str] = field(default_factory=dict)
    _workers: list[_Worker] = field(default_factory=list)
    _deaths: dict[str, int] = field(default_factory=dict)

    def do(self, todo: Sequence[Spec]) -> None:
        """Do all of these runs."""
        queue = list(todo)
        try:
            while queue or any(worker.spec for worker in self._workers):
                self._assign(queue)
                self._receive(queue)
        finally:
            self._stop()

    def _assign(self, queue: list[Spec]) -> None:
        idle = [worker for worker in self._workers if worker.spec is None]
        while queue and (idle or len(self._workers) < self.size):
            worker = idle.pop() if idle else self._start()
            spec = queue.pop(0)
            worker.spec = spec
            with suppress(BrokenPipeError, ConnectionError):  # _receive removes it
                worker.pipe.send(spec)
            self.listener.started(spec)

    def _start(self) -> _Worker:
        context = get_context("spawn")
        parent_end, child_end = context.Pipe()
        process = context.Process(target=work, args=(child_end, self.folder), daemon=True)
        with _bound_threads(self.threads):
            process.start()
        child_end.close()
        worker = _Worker(process, parent_end)
        self._workers.append(worker)
        return worker

    def _receive(self, queue: list[Spec]) -> None:
        pipes = {worker.pipe: worker for worker in self._workers}
        for pipe in connection.wait(list(pipes), timeout=0.5):
            worker = pipes[pipe]  # type: ignore[index]
            try:
                event, message = worker.pipe.recv()
            except (EOFError, ConnectionError):
                self._remove(worker, queue)
                continue
            spec = worker.spec
            assert spec is not None
            if event == "epoch":
                self.listener.epoch(spec, message)
                continue
            worker.spec = None
            if event == "done":
                self.done += 1
                self.diverged += message.status != "done"
                self.listener.finished(spec, message)
            else:
                self._break(spec, message)
        self.listener.tick()

    def _remove(self, worker: _Worker, queue: list[Spec]) -> None:
        """Remove a worker that died; its run is retried once, and then counts as broken."""
        self._workers.remove(worker)
        worker.pipe.close()
        worker.process.join(5.0)
        spec, code = worker.spec, worker.process.exitcode
        if spec is None:
            return
        self._deaths[spec.key] = self._deaths.get(spec.key, 0) + 1
        if self._deaths[spec.key] < _DEATHS:
            queue.insert(0, spec)
            return
        reason = (
            f"killed by signal {-code}" if code is not None and code < 0 else f"exit code {code}"
        )
        more = " (out of memory?)" if code == -9 else ""
        self._break(spec, f"its process died, {reason}{more}")

    def _break(self, spec: Spec, message: str) -> None:
        self.broken[spec.key] = message
        self.listener.broken(spec, message)

    def _stop(self) -> None:
        """Stop idle workers; signal the others to write their checkpoints and stop."""
        for worker in self._workers:
            if worker.spec is None:
                with suppress(OSError):
                    worker.pipe.send(None)
            else:
                worker.process.terminate()
        until = time.monotonic() + _PATIENCE
        for worker in self._workers:
            worker.process.join(max(0.1, until - time.monotonic()))
            if worker.process.is_alive():
                worker.process.kill()
                worker.process.join()
            worker.pipe.close()


@contextmanager
def _bound_threads(threads: int) -> Iterator[None]:
    """Set the environment that bounds the threads of processes started now."""
    names = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS")
    limits = dict.fromkeys(names, str(threads))
    if threads == 1 or "GOMP_SPINCOUNT" not in os.environ:
        limits["GOMP_SPINCOUNT"] = "0"  # threads that spin take the core of another worker
    before = {name: os.environ.get(name) for name in limits}
    os.environ.update(limits)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
