"""Workers that share a listening socket, here in one process, share the connections."""

from __future__ import annotations

import asyncio
import copy
import os
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import pytest

from matinee.serve._accept import ConnectionBalancer
from matinee.serve._metrics import Metrics

pytestmark = pytest.mark.skipif(os.name != "posix", reason="workers need a system that can fork")


class Greeted(asyncio.Protocol):
    """Says which worker took the connection, and goes on listening."""

    def __init__(self, worker: int) -> None:
        self._worker = worker

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        transport.write(str(self._worker).encode())


@asynccontextmanager
async def balancers(n: int) -> AsyncIterator[tuple[list[ConnectionBalancer], list[Metrics], int]]:
    """Some balancers to one socket, their counters, and the port."""
    shared = Metrics(["/"], n)
    counters, made = [copy.copy(shared) for _ in range(n)], []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        for worker, each in enumerate(counters):
            each.start(worker)

            def protocol(worker: int = worker) -> Greeted:
                return Greeted(worker)

            made.append(ConnectionBalancer(listener.dup(), protocol, each))
        try:
            yield made, counters, listener.getsockname()[1]
        finally:
            for door in made:
                door.close()
                door._listener.close()


@contextmanager
def callers(port: int, n: int) -> Iterator[list[socket.socket]]:
    """Connections opened all at once."""
    found = []
    try:
        for _ in range(n):
            found.append(socket.create_connection(("127.0.0.1", port)))
            found[-1].setblocking(False)
        yield found
    finally:
        for each in found:
            each.close()


async def greetings(found: list[socket.socket]) -> list[int]:
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(60):
        return [int(await loop.sock_recv(each, 1)) for each in found]


def test_connections_opened_at_once_are_shared_evenly() -> None:
    async def check() -> None:
        async with balancers(2) as (_, _, port):
            with callers(port, 8) as found:
                told = await greetings(found)
                assert sorted(told) == [0] * 4 + [1] * 4

    asyncio.run(check())


def test_who_has_more_leaves_the_next_to_others() -> None:
    async def check() -> None:
        async with balancers(2) as (_, counters, port):
            counters[0].connected(5)
            with callers(port, 4) as found:
                assert await greetings(found) == [1, 1, 1, 1]

    asyncio.run(check())


def test_nobody_waits_for_a_worker_that_does_not_come() -> None:
    async def check() -> None:
        async with balancers(2) as (made, counters, port):
            made[1].close()
            assert counters[0].has_fewest()
            with callers(port, 5) as found:
                assert await greetings(found) == [0] * 5
            assert not counters[0].has_fewest()

    asyncio.run(check())
