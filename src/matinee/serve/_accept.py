"""Balances connections between workers that share a listening socket.

Without it the first worker to wake accepts all waiting connections: of eight opened at once, one
worker may get all eight while another core is idle.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Callable

from ._metrics import Metrics

_log = logging.getLogger("matinee.serve")

_LOOK = 0.001
"""Seconds until a worker that left a connection to others checks whether it still waits."""
_LOOKS = 5
"""After this many checks it accepts the connection itself, as the others are busy."""
_FULL = 1.0
"""Seconds to wait when the system is out of file descriptors."""


class ConnectionBalancer:
    """Accepts connections for one worker, unless another worker has fewer.

    Args:
        listener: The listening socket, shared with other processes.
        protocol: Creates the protocol of a new connection.
        metrics: Shared counters, with the number of connections of each worker.
    """

    def __init__(
        self,
        listener: socket.socket,
        protocol: Callable[[], asyncio.Protocol],
        metrics: Metrics,
    ) -> None:
        listener.setblocking(False)
        self._listener, self._protocol, self._metrics = listener, protocol, metrics
        self._loop = asyncio.get_running_loop()
        self._later: asyncio.TimerHandle | None = None
        self._greeting = set[asyncio.Task[None]]()
        self._open()

    def close(self) -> None:
        """Stop accepting."""
        self._loop.remove_reader(self._listener)
        if self._later is not None:
            self._later.cancel()

    def _open(self) -> None:
        self._later = None
        self._loop.add_reader(self._listener, self._on_ready)

    def _on_ready(self) -> None:
        """A connection is waiting."""
        if self._metrics.has_fewest():
            self._take()
            return
        self._loop.remove_reader(self._listener)
        self._later = self._loop.call_later(_LOOK, self._look, _LOOKS - 1)

    def _look(self, more: int) -> None:
        if more and not self._metrics.has_fewest():
            self._later = self._loop.call_later(_LOOK, self._look, more - 1)
            return
        self._open()
        self._take()

    def _take(self) -> None:
        try:
            connection, _ = self._listener.accept()
        except (BlockingIOError, InterruptedError, ConnectionAbortedError):
            return  # another worker took it, or the caller went away
        except OSError as error:
            _log.error("no connection can be taken: %s", error)
            self.close()
            self._later = self._loop.call_later(_FULL, self._open)
            return
        connection.setblocking(False)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._metrics.connected()
        task = self._loop.create_task(self._greet(connection))
        self._greeting.add(task)
        task.add_done_callback(self._greeting.discard)

    async def _greet(self, connection: socket.socket) -> None:
        try:
            await self._loop.connect_accepted_socket(self._protocol, connection)
        except OSError:
            connection.close()
