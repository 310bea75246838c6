"""How workers that share a listening socket share the connections that come to it.

Left to themselves, whichever worker wakes first takes all that wait: of eight connections opened at
once one worker may get eight, and the other core idles.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Callable

from ._metrics import Metrics

_log = logging.getLogger("matinee.serve")

_LOOK = 0.001
"""Seconds after which a worker that left a connection to others looks whether it still waits."""
_LOOKS = 5
"""After so many looks it takes the connection itself: the others are busy."""
_FULL = 1.0
"""Seconds to wait where the system has no room for another connection."""


class Door:
    """Takes connections for one worker, and leaves them to a worker that has fewer.

    Args:
        listener: The socket, which other processes accept from as well.
        protocol: Makes the protocol of a new connection.
        metrics: Where each worker tells the others how many connections it has.
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
        """Take no more."""
        self._loop.remove_reader(self._listener)
        if self._later is not None:
            self._later.cancel()

    def _open(self) -> None:
        self._later = None
        self._loop.add_reader(self._listener, self._knock)

    def _knock(self) -> None:
        """Someone waits."""
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
