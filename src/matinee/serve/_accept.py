"""Connections: balanced between the workers that share a listening socket, and bounded.

Without balancing, the first worker to wake accepts all waiting connections: of eight opened at
once, one worker may get all eight while another core is idle. uvicorn's ``httptools`` protocol
bounds neither the size of a request's head nor the time in which it arrives.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from ._metrics import Metrics
from .problems import problem

_log = logging.getLogger("matinee.serve")

_LOOK = 0.001
"""Seconds until a worker that left a connection to others checks whether it still waits."""
_LOOKS = 5
"""After this many checks a worker accepts the connection itself, as the others are busy."""
_FULL = 1.0
"""Seconds to wait when the system is out of file descriptors."""
HEAD_BYTES = 1 << 16
"""Largest request line with headers, in bytes."""
_TOO_LARGE = f"the request line and its headers exceed {HEAD_BYTES:,} bytes"


class BoundedProtocol(HttpToolsProtocol):
    """HTTP/1.1 with a limit on the size and the arrival time of a request's head.

    A connection that sends nothing, or never completes its request head within some seconds, is
    closed.
    """

    def __init__(self, *, seconds: float, **options: Any) -> None:
        super().__init__(**options)
        self._seconds = seconds
        self._waiting: asyncio.TimerHandle | None = None
        self._in_head, self._received, self._fields = True, 0, 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start the timeout of the first head."""
        super().connection_made(transport)
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self._stop_waiting()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse received data, unless a request head is too large."""
        if self._in_head:
            self._received += len(data)
            if self._waiting is None:
                self._wait()
        super().data_received(data)
        if self._in_head and self._received > HEAD_BYTES and not self.transport.is_closing():
            self._refuse(431, _TOO_LARGE)

    def on_url(self, url: bytes) -> None:
        """A part of the request line was parsed."""
        self._fields += len(url)
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header was parsed."""
        self._fields += len(name) + len(value) + 4
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """The head is complete, and may have arrived at once."""
        self._stop_waiting()
        if self._fields > HEAD_BYTES:
            raise ValueError("the head is too large")  # the parser stops, see send_400_response
        self._in_head, self._received, self._fields = False, 0, 0
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """The next head may follow."""
        self._in_head = True
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        """Refuse a request that could not be parsed."""
        if self._fields > HEAD_BYTES:
            self._refuse(431, _TOO_LARGE)
        else:
            self._refuse(400, "the request is not valid HTTP/1.1")

    def _wait(self) -> None:
        self._waiting = self.loop.call_later(self._seconds, self._late)

    def _stop_waiting(self) -> None:
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None

    def _late(self) -> None:
        self._waiting = None
        if self.transport.is_closing():
            return
        if self.cycle is not None and not self.cycle.response_complete:
            self._wait()  # an earlier request of the connection is still being answered
        elif self._received:
            self._refuse(408, f"the headers did not arrive within {self._seconds:g} s")
        else:
            self.transport.close()

    def _refuse(self, status: int, detail: str) -> None:
        answer = problem(status, detail, headers={"connection": "close"})
        lines = [f"HTTP/1.1 {status} {HTTPStatus(status).phrase}".encode()]
        lines += [name + b": " + value for name, value in answer.raw_headers]
        self.transport.write(b"\r\n".join(lines) + b"\r\n\r\n" + bytes(answer.body))
        self.transport.close()


class ConnectionBalancer:
    """Accepts connections at a shared socket for one worker, unless another worker has fewer."""

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
