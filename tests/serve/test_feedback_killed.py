"""The server killed while feedback flows: what was acknowledged is there, and nothing twice."""

from __future__ import annotations

import os
import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest
from serving import Process

from matinee.feedback import open_store

pytestmark = pytest.mark.skipif(os.name != "posix", reason="needs POSIX signals")
KILLS = 20


class Stream:
    """Sends events from several threads until the server is gone; sends again what failed."""

    def __init__(self, url: str, first: int, threads: int = 4) -> None:
        self.acknowledged: list[str] = []
        self.sent: list[str] = []
        self._url, self._first = f"{url}/v1/feedback", first
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._run, args=(at,)) for at in range(threads)]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def join(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(30)

    def _run(self, which: int) -> None:
        with httpx.Client() as client:
            at = 0
            while not self._stop.is_set():
                keys = [f"{self._first}-{which}-{at}-{n}" for n in range(random.randint(1, 3))]
                events = [
                    {"key": key, "user": which, "kind": "click", "item": str(at)} for key in keys
                ]
                self.sent += keys
                try:
                    answer = client.post(self._url, json={"events": events}, timeout=10)
                except httpx.HTTPError:
                    return
                if answer.status_code == 200:
                    self.acknowledged += keys
                at += 1


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_what_was_acknowledged_survives_kill_9(
    process: Callable[..., Process], tmp_path: Path, kind: str, request: pytest.FixtureRequest
) -> None:
    url = f"sqlite:{tmp_path / 'feedback.db'}"
    if kind == "postgresql":
        url = request.getfixturevalue("postgresql").empty()
    rng = random.Random(0)
    acknowledged: list[str] = []
    sent: list[str] = []
    for kill in range(KILLS):
        server = process("--feedback", url)
        stream = Stream(server.url, kill)
        stream.start()
        _wait(lambda stream=stream: len(stream.acknowledged) > 5)
        time.sleep(rng.uniform(0, 0.2))
        server.process.kill()
        server.process.wait(30)
        stream.join()
        acknowledged += stream.acknowledged
        sent += stream.sent
    store = open_store(url)
    kept = Counter(event.key for event in store.events())
    store.close()
    assert len(acknowledged) > 5 * KILLS
    assert set(acknowledged) <= set(kept)
    assert set(kept) <= set(sent)
    assert max(kept.values()) == 1


def _wait(true: Callable[[], Any]) -> None:
    end = time.monotonic() + 60
    while not true():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.005)
