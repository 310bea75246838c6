"""Lists for known people while feedback flows, on a real `matinee serve`.

    python benchmarks/feedback_load.py MODEL [--seconds 15] [--workers 2] [--store sqlite:PATH]

Over 8 connections, `GET /v1/users/{user}/recommendations` of ten items comes 400 times a second;
over 4 more, `POST /v1/feedback` of one rating 100 times a second, each acknowledged after it is on
the disk. Both are sent by the clock, and a request that waits for an earlier one on its connection
waits by the clock too: latency is counted from when it was due. The generator is a process of its
own on the same machine, and shares its cores. After the run every acknowledged event must be in the
store. The processor time of both, by /proc, says more than latencies where the machine is busy;
with `--events 0` or `--lists 0` it is that of lists or of events alone. Needs a model folder with
histories.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from contextlib import closing
from pathlib import Path
from typing import Any


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("model", type=Path)
    parser.add_argument("--seconds", type=float, default=15.0)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--lists", type=float, default=400.0, help="lists a second")
    parser.add_argument("--events", type=float, default=100.0, help="events a second")
    parser.add_argument("--why", type=int, default=0, help="reasons for each item")
    parser.add_argument("--store", help="by default a SQLite file in a temporary folder")
    parser.add_argument("--generate", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.generate:
        print(json.dumps(asyncio.run(_generate(options.generate, options, json.load(sys.stdin)))))
        return

    from matinee.feedback import open_store
    from matinee.models import load_model

    model = load_model(options.model)
    assert model.histories is not None, "the model folder needs its histories"
    people = [str(user) for user in model.user_ids.ids[:2000]]
    items = [str(item) for item in model.item_ids.ids]
    with tempfile.TemporaryDirectory() as folder:
        store = options.store or f"sqlite:{folder}/feedback.db"
        with closing(socket.socket()) as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        serve = [sys.executable, "-m", "matinee", "serve", str(options.model), "--port", str(port)]
        process = subprocess.Popen(
            [*serve, "--workers", str(options.workers), "--feedback", store],
            stderr=subprocess.DEVNULL,
        )
        try:
            _wait(port, process)
            began = _processor_seconds(process.pid)
            done = subprocess.run(
                [sys.executable, __file__, *sys.argv[1:], "--generate", str(port)],
                input=json.dumps({"people": people, "items": items}),
                capture_output=True,
                text=True,
                check=True,
            )
            found = json.loads(done.stdout)
            spent = _processor_seconds(process.pid) - began
        finally:
            process.terminate()
            process.wait(30)
        opened = open_store(store)
        kept = {event.key for event in opened.events()}
        opened.close()
        for name in ("lists", "events"):
            if name in found:
                print(f"{name}: {_shown(found[name])}")
        requests = sum(found[name]["requests"] for name in ("lists", "events") if name in found)
        print(
            f"processor time of a request: server {spent / requests * 1000:.2f} ms, generator "
            f"{found['processor'] / requests * 1000:.2f} ms"
        )
        lost = len(set(found["acknowledged"]) - kept)
        print(f"acknowledged events: {len(found['acknowledged']):,}, of which lost: {lost}")


def _processor_seconds(pid: int) -> float:
    """Of a process and its children, threads included."""
    seconds = 0.0
    for file in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = file.read_text().rpartition(")")[2].split()
        except OSError:
            continue  # it ended
        if pid in (int(file.parent.name), int(fields[1])):
            seconds += (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return seconds


def _wait(port: int, process: subprocess.Popen[bytes]) -> None:
    while True:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=30).close()
            return
        except OSError:
            if process.poll() is not None:
                raise SystemExit("the server did not start") from None
            time.sleep(0.05)


async def _generate(port: int, options: Any, given: dict[str, list[str]]) -> dict[str, Any]:
    times: dict[str, list[float]] = {"lists": [], "events": []}
    wrong: dict[str, int] = {"lists": 0, "events": 0}
    acknowledged: list[str] = []
    began, spent = time.perf_counter() + 0.2, time.process_time()
    people, items = given["people"], given["items"]

    async def send(kind: str, first: int, of: int, rate: float) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        at = first
        while (due := began + at / rate) < began + options.seconds:
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            user, key = people[at * 7919 % len(people)], f"event-{at}"
            if kind == "lists":
                writer.write(
                    f"GET /v1/users/{user}/recommendations?why={options.why} HTTP/1.1\r\n"
                    "host: 127.0.0.1\r\n\r\n".encode()
                )
            else:
                item = items[at * 104_729 % len(items)]
                event = {"key": key, "user": user, "kind": "rating", "item": item, "rating": 4}
                body = json.dumps({"events": [event]}).encode()
                writer.write(
                    b"POST /v1/feedback HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: "
                    b"application/json\r\ncontent-length: %d\r\n\r\n%s" % (len(body), body)
                )
            head = await reader.readuntil(b"\r\n\r\n")
            size = re.search(rb"content-length: (\d+)", head)
            assert size is not None
            await reader.readexactly(int(size[1]))
            times[kind].append(time.perf_counter() - due)
            if not head.startswith(b"HTTP/1.1 200 "):
                wrong[kind] += 1
            elif kind == "events":
                acknowledged.append(key)
            at += of
        writer.close()

    await asyncio.gather(
        *(send("lists", first, 8, options.lists) for first in range(8) if options.lists),
        *(send("events", first, 4, options.events) for first in range(4) if options.events),
    )
    found: dict[str, Any] = {"acknowledged": acknowledged, "processor": time.process_time() - spent}
    for kind, each in times.items():
        if not each:
            continue
        cuts = statistics.quantiles(each, n=100, method="inclusive")
        found[kind] = {
            "requests": len(each),
            "per_second": len(each) / (time.perf_counter() - began),
            "p50_ms": cuts[49] * 1000,
            "p99_ms": cuts[98] * 1000,
            "max_ms": max(each) * 1000,
            "wrong": wrong[kind],
        }
    return found


def _shown(found: dict[str, float]) -> str:
    return (
        f"{found['per_second']:.0f} a second, median {found['p50_ms']:.1f} ms, "
        f"p99 {found['p99_ms']:.1f} ms, longest {found['max_ms']:.0f} ms, "
        f"errors {found['wrong']:.0f}"
    )


if __name__ == "__main__":
    main()
