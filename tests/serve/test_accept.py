"""Workers that share a listening socket, here in one process, share the connections."""

from __future__ import annotations

import asyncio
import copy
import json
import os
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import pytest
import uvicorn
from uvicorn.server import ServerState

from matinee.serve._accept import HEAD_BYTES, BoundedProtocol, ConnectionBalancer
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
    results = []
    try:
        for _ in range(n):
            results.append(socket.create_connection(("127.0.0.1", port)))
            results[-1].setblocking(False)
        yield results
    finally:
        for each in results:
            each.close()


async def greetings(connections: list[socket.socket]) -> list[int]:
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(60):
        return [int(await loop.sock_recv(each, 1)) for each in connections]


def test_connections_opened_at_once_are_shared_evenly() -> None:
    async def check() -> None:
        async with balancers(2) as (_, _, port):
            with callers(port, 8) as connections:
                greeting = await greetings(connections)
                assert sorted(greeting) == [0] * 4 + [1] * 4

    asyncio.run(check())


def test_who_has_more_leaves_the_next_to_others() -> None:
    async def check() -> None:
        async with balancers(2) as (_, counters, port):
            counters[0].connected(5)
            with callers(port, 4) as connections:
                assert await greetings(connections) == [1, 1, 1, 1]

    asyncio.run(check())


def test_no_connection_waits_for_a_worker_that_does_not_come() -> None:
    async def check() -> None:
        async with balancers(2) as (made, counters, port):
            made[1].close()
            assert counters[0].has_fewest()
            with callers(port, 5) as connections:
                assert await greetings(connections) == [0] * 5
            assert not counters[0].has_fewest()

    asyncio.run(check())


def test_no_connection_waits_for_a_worker_that_ended() -> None:
    async def check() -> None:
        async with balancers(2) as (made, counters, port):
            made[1].close()
            counters[0].connected(3)
            assert not counters[0].has_fewest()
            counters[0].stopped(1)  # as the process that supervises it does
            assert counters[0].has_fewest()
            with callers(port, 2) as connections:
                assert await greetings(connections) == [0] * 2
                assert counters[0].has_fewest()
            counters[1].start(1)
            assert not counters[0].has_fewest()

    asyncio.run(check())


async def exchange(sent: list[bytes], seconds: float) -> bytes:
    """What a server of ``BoundedProtocol`` answers, until it closes the connection."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    config = uvicorn.Config(app, log_config=None)
    config.load()
    state = ServerState()
    server = await asyncio.get_running_loop().create_server(
        lambda: BoundedProtocol(seconds=seconds, config=config, server_state=state, app_state={}),
        "127.0.0.1",
        0,
    )
    async with server, asyncio.timeout(60):
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        for data in sent:
            writer.write(data)
            await asyncio.sleep(0.01)
        answer = await reader.read()
        writer.close()
    return answer


WHOLE = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"


@pytest.mark.parametrize(
    ("sent", "statuses"),
    [
        ([], []),
        ([b"\r\n"], [408]),
        ([b"GET / HTTP/1.1\r\n", b"X: y"], [408]),
        ([WHOLE, WHOLE[:20]], [204, 408]),
    ],
)
def test_a_connection_that_does_not_send_its_headers_is_closed(
    sent: list[bytes], statuses: list[int]
) -> None:
    answer = asyncio.run(exchange(sent, 0.2))
    values = [int(part.split()[0]) for part in answer.split(b"HTTP/1.1 ")[1:]]
    assert values[: len(statuses)] == statuses


@pytest.mark.parametrize(
    "sent",
    [
        [b"GET / HTTP/1.1\r\nX: " + b"y" * HEAD_BYTES],  # and no end
        [b"GET / HTTP/1.1\r\nX: " + b"y" * HEAD_BYTES + b"\r\n\r\n"],
        [b"GET /" + b"y" * HEAD_BYTES + b" HTTP/1.1\r\n\r\n"],
        [b"GET / HTTP/1.1\r\n", *[b"X: " + b"y" * 9000 + b"\r\n"] * 8],
        [WHOLE, b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 20_000],
    ],
)
def test_headers_beyond_the_limit_are_refused(sent: list[bytes]) -> None:
    answer = asyncio.run(exchange(sent, 30))
    assert b"HTTP/1.1 431 " in answer
    assert answer.count(b"HTTP/1.1 ") == len([data for data in sent if data == WHOLE]) + 1


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"nonsense\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\n", 408),
        (b"GET / HTTP/1.1\r\nX: " + b"y" * HEAD_BYTES + b"\r\n\r\n", 431),
    ],
)
def test_a_head_is_refused_with_a_problem_document(sent: bytes, status: int) -> None:
    head, body = asyncio.run(exchange([sent], 0.2)).split(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 %d " % status)
    assert b"content-type: application/problem+json" in head
    assert b"content-length: %d" % len(body) in head
    assert json.loads(body)["status"] == status
