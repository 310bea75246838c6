"""Runs uvicorn in one process, or in several processes that share a socket."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import gc
import logging
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import uvicorn

from ..errors import MatineeError, UsageError
from ._accept import BoundedProtocol, ConnectionBalancer
from ._app import ROUTES, create_app
from ._metrics import Metrics
from ._settings import ServeSettings

_log = logging.getLogger("matinee.serve")

_BACKLOG = 2048
_STUCK = 5.0
"""Seconds after the shutdown limit of a worker until it is killed."""
_EARLY = 5.0
"""A worker that ran for less than this many seconds is restarted with a delay."""
_LONGEST = 60.0
"""Largest delay in seconds before a worker is restarted."""
_SWITCH = 0.0005
"""Seconds for which a computing thread may keep the interpreter from the event loop."""
_FAILED = 3
"""Exit code of a worker that could not start."""


class _Server(uvicorn.Server):
    """A uvicorn server that exits with code 0 after SIGINT or SIGTERM.

    ``shared`` is the listening socket, if it is shared with other workers.
    """

    def __init__(
        self, config: uvicorn.Config, metrics: Metrics, shared: socket.socket | None
    ) -> None:
        super().__init__(config)
        self._metrics, self._shared = metrics, shared
        self._balancer: ConnectionBalancer | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start serving."""
        await super().startup(sockets)
        if self._shared is not None:
            self._balancer = ConnectionBalancer(self._shared, self._protocol, self._metrics)

    async def on_tick(self, counter: int) -> bool:
        """Periodic task of uvicorn, ten times a second."""
        self._metrics.connected(len(self.server_state.connections))
        return await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop accepting connections, and finish the requests being answered."""
        if self._balancer is not None:
            self._balancer.close()
        await super().shutdown(sockets)

    def _protocol(self) -> asyncio.Protocol:
        return self.config.http_protocol_class(  # type: ignore[call-arg]
            config=self.config, server_state=self.server_state, app_state=self.lifespan.state
        )

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Take SIGINT and SIGTERM as requests to stop, and do not raise them again."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        signals = (signal.SIGINT, signal.SIGTERM)
        before = {number: signal.signal(number, self.handle_exit) for number in signals}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def serve(settings: ServeSettings, *, on_start: Callable[[str], None] | None = None) -> None:
    """Serve a model until SIGINT or SIGTERM.

    SIGHUP loads the model that is in the folder then.

    Args:
        settings: How to serve.
        on_start: Called with the server's address once it can be reached.

    Raises:
        ModelFileError: No model folder, or a damaged one.
        MatineeError: Cannot listen at the address, or workers cannot start.
        UsageError: Several workers, on a system that cannot fork.
    """
    if settings.workers > 1 and not hasattr(os, "fork"):
        raise UsageError("several workers need a system that can fork; use one")
    metrics = Metrics(ROUTES, settings.workers)
    with _listen(settings) as listener:
        address = _address(listener)  # it is closed by the time of a signal right after the start

        def announce() -> None:
            if on_start is not None:
                on_start(address)

        if settings.workers == 1:
            _answer(settings, metrics, 0, listener, announce)
        else:
            _Supervisor(settings, metrics, listener, announce).run()


def _answer(
    settings: ServeSettings,
    metrics: Metrics,
    worker: int,
    listener: socket.socket,
    on_start: Callable[[], None],
    parent: int | None = None,
) -> None:
    """Answer requests until a signal, or until the parent process ends (end of a pipe)."""
    asked = threading.Event()
    with _noted_hangups(asked):
        app = create_app(settings, metrics=metrics, asked=asked)
        sys.setswitchinterval(_SWITCH)
        metrics.start(worker)
        gc.collect()
        gc.freeze()  # the model and the modules stay; they need not be looked through again
        config = uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            lifespan="on",
            http=functools.partial(BoundedProtocol, seconds=settings.body_seconds),  # type: ignore[arg-type]
            ws="none",
            backlog=_BACKLOG,
            timeout_keep_alive=30,
            timeout_graceful_shutdown=max(1, round(settings.shutdown_seconds)),
        )
        shared = None if parent is None else listener
        server = _Server(config, metrics, shared)

        async def run() -> None:
            loop = asyncio.get_running_loop()

            def orphaned() -> None:
                assert parent is not None
                loop.remove_reader(parent)
                server.should_exit = True

            if parent is not None:
                loop.add_reader(parent, orphaned)
            task = asyncio.ensure_future(server.serve(sockets=[listener] if shared is None else []))
            while not server.started and not task.done():
                await asyncio.sleep(0.01)
            if server.started:
                on_start()
            await task

        try:
            with asyncio.Runner(loop_factory=config.get_loop_factory()) as runner:
                runner.run(run())
        finally:
            gc.unfreeze()  # frozen objects would cause errors in clean-up at exit


@contextlib.contextmanager
def _noted_hangups(asked: threading.Event) -> Iterator[None]:
    """Set an event at SIGHUP, which would end a process that starts or ends."""
    if not hasattr(signal, "SIGHUP") or threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGHUP, lambda *_: asked.set())
    try:
        yield
    finally:
        signal.signal(signal.SIGHUP, before)


class _Supervisor:
    """Keeps the workers running until a signal."""

    def __init__(
        self,
        settings: ServeSettings,
        metrics: Metrics,
        listener: socket.socket,
        announce: Callable[[], None],
    ) -> None:
        self._settings, self._metrics, self._listener = settings, metrics, listener
        self._announce = announce
        self._ready_reader, self._ready_writer = os.pipe()
        # Never written to: it closes when this process ends.
        self._alive_reader, self._alive_writer = os.pipe()
        self._ready = threading.Event()
        self._children: dict[int, tuple[int, float]] = {}
        self._due: dict[int, float] = {}
        self._failures = dict.fromkeys(range(settings.workers), 0)
        self._stopping = self._failed = False

    def run(self) -> None:
        """Supervise the workers until a signal."""
        settings = self._settings
        handlers = {
            signal.SIGINT: self._stop,
            signal.SIGTERM: self._stop,
            signal.SIGHUP: lambda *_: self._signal(signal.SIGHUP),
            signal.SIGALRM: lambda *_: self._signal(signal.SIGKILL),
        }
        gc.freeze()
        before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
        try:
            for worker in range(settings.workers):
                self._start(worker)
            arguments = self._ready_reader, settings.workers, self._announce, self._ready
            threading.Thread(target=_announce, args=arguments, daemon=True).start()
            while self._children or (self._due and not self._stopping):
                now = time.monotonic()
                for worker in [w for w, at in self._due.items() if at <= now]:
                    if not self._stopping:
                        del self._due[worker]
                        self._start(worker)
                self._ended(*_next_end(wait=not self._due))
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            for number, handler in before.items():
                signal.signal(number, handler)
            for end in (self._ready_writer, self._alive_reader, self._alive_writer):
                os.close(end)
            gc.unfreeze()
        if self._failed:
            raise MatineeError("the workers could not start; the reason is above")

    def _start(self, worker: int) -> None:
        pid = os.fork()
        if pid == 0:
            os.close(self._ready_reader)
            os.close(self._alive_writer)
            self._work(worker)
        self._children[pid] = (worker, time.monotonic())

    def _work(self, worker: int) -> None:
        """Run a forked worker; does not return."""
        code = 1
        try:
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGALRM):
                signal.signal(number, signal.SIG_DFL)
            shared = self._settings, self._metrics, worker, self._listener
            _answer(*shared, lambda: self._report(worker), self._alive_reader)
            code = 0
        except MatineeError as error:
            _log.error("%s", error)
            code = _FAILED
        except KeyboardInterrupt:
            code = 130
        except BaseException:
            _log.exception("worker %d failed", worker)
        finally:
            os._exit(code)

    def _report(self, worker: int) -> None:
        """Report from a worker that it answers."""
        with contextlib.suppress(OSError):
            os.write(self._ready_writer, b"%d\n" % worker)

    def _signal(self, number: int) -> None:
        for pid in self._children:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)

    def _stop(self, *_: Any) -> None:
        if not self._stopping:
            signal.setitimer(signal.ITIMER_REAL, self._settings.shutdown_seconds + _STUCK)
        self._stopping = True
        self._signal(signal.SIGTERM)

    def _ended(self, pid: int, status: int) -> None:
        """Schedule another worker in place of one that ended, unless all are to stop."""
        if pid not in self._children:
            return
        worker, began = self._children.pop(pid)
        self._metrics.stopped(worker)
        code = os.waitstatus_to_exitcode(status)
        if self._stopping:
            return
        if code == _FAILED and not self._ready.is_set():
            self._failed = True
            self._stop()
            return
        # Other workers serve meanwhile, and the folder may be complete at the next attempt.
        self._failures[worker] = self._failures[worker] + 1 if code == _FAILED else 0
        pause = min(2.0 ** self._failures[worker], _LONGEST) if code == _FAILED else 0.0
        if time.monotonic() - began < _EARLY:
            pause = max(pause, 1.0)
        self._due[worker] = time.monotonic() + pause
        later = f" in {pause:g} s" if pause else ""
        _log.error("worker %d ended with %d; another takes its place%s", worker, code, later)


def _next_end(*, wait: bool) -> tuple[int, int]:
    """Process id and status of a child that ended; 0 for none, after a moment, unless waiting."""
    try:
        pid, status = os.waitpid(-1, 0 if wait else os.WNOHANG)
    except ChildProcessError:  # all workers are waiting for a restart
        pid, status = 0, 0
    if pid == 0:
        time.sleep(0.05)
    return pid, status


def _announce(
    ready_reader: int,
    workers: int,
    announce: Callable[[], None],
    ready: threading.Event,
) -> None:
    """Report when one worker is ready (``ready``), and when all are."""
    answering: set[bytes] = set()  # a restarted worker reports again
    with open(ready_reader, "rb", closefd=False) as lines:
        for line in lines:
            ready.set()
            answering.add(line)
            if len(answering) == workers:
                announce()
                return


def _listen(settings: ServeSettings) -> socket.socket:
    host, port = settings.host, settings.port
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, protocol)
    except OSError as error:
        raise UsageError(f"cannot listen at {host}: {error.strerror or error}") from None
    try:
        if os.name == "posix":
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        # The backlog holds connections while the model is being loaded.
        listener.listen(_BACKLOG)
        listener.set_inheritable(True)
    except OSError as error:
        listener.close()
        hint = "; choose another with --port" if error.strerror == "Address already in use" else ""
        raise MatineeError(f"cannot listen at {host} port {port}: {error.strerror}{hint}") from None
    return listener


def _address(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
