"""Load on a real `matinee serve`: latency and requests per second for people it has never met.

    python benchmarks/serve_load.py models/quickstart [--seconds 10] [--connections 1 8 32]
    python benchmarks/serve_load.py models/quickstart --leak 100000
    python benchmarks/serve_load.py models/quickstart --compare

Each request is `POST /v1/recommend` with 20 ratings drawn from one of 500 users' own, ten items
asked for, three reasons each. The load generator is a process of its own on the same machine, so
server and generator share its cores. `--compare` answers the same requests by refitting a user
vector with `implicit` and with `lenskit`, where they are installed (pip install implicit lenskit,
best in an environment of their own), in one process and without HTTP, beside Matinee's own answer
without HTTP. Needs a model folder with histories, and Linux.
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
import time
import urllib.request
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

RATINGS = 20
BODIES = 500
MATINEE = (sys.executable, "-m", "matinee")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("model", type=Path)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--connections", type=int, nargs="+", default=[1, 8, 32])
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--why", type=int, default=3, help="reasons for each item")
    parser.add_argument("--leak", type=int, default=0, help="requests of a test for leaks, instead")
    parser.add_argument("--compare", action="store_true", help="other libraries, too")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--generate", nargs=4, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.generate:
        port, connections, seconds, requests = options.generate
        given = json.loads(sys.stdin.read())
        limit = (float(seconds), int(requests))
        print(json.dumps(asyncio.run(generate(int(port), int(connections), limit, given))))
        return

    # One thread of arithmetic, as the server's workers have, for what is timed in this process.
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(name, "1")
    people, bodies = requests_of(options.model, options.why)
    found: dict[str, Any] = {"model": str(options.model), "workers": options.workers}
    with server(options.model, options.workers) as (port, seconds_to_start):
        found["seconds_to_start"] = round(seconds_to_start, 2)
        found["mib_at_start"] = resident(port)
        drive(port, 8, (2.0, 0), bodies)
        if options.leak:
            found["leak"] = leak(port, options.leak, bodies)
        else:
            found["load"] = [
                drive(port, n, (options.seconds, 0), bodies) for n in options.connections
            ]
        found["mib_at_end"] = resident(port)
    if options.compare:
        found["compared"] = compare(options.model, people)
    print(json.dumps(found, indent=2) if options.json else as_text(found))


def requests_of(folder: Path, why: int) -> tuple[list[tuple[Any, Any]], list[str]]:
    """(items, values) of 500 strangers, and the bodies of their requests."""
    import numpy as np

    from matinee.models import load_model

    model = load_model(folder)
    assert model.histories is not None, "the model folder needs its histories"
    rng = np.random.default_rng(0)
    able = np.flatnonzero(model.histories.counts >= RATINGS)
    people, bodies = [], []
    for row in rng.choice(able, BODIES):
        start, stop = model.histories.indptr[row : row + 2]
        some = rng.choice(np.arange(start, stop), RATINGS, replace=False)
        items, values = model.histories.items[some], model.histories.values[some]
        people.append((items, values))
        ratings = [
            {"item": str(item), "rating": float(value)}
            for item, value in zip(model.item_ids.decode(items).tolist(), values, strict=True)
        ]
        bodies.append(json.dumps({"ratings": ratings, "k": 10, "why": why}))
    return people, bodies


@contextmanager
def server(model: Path, workers: int) -> Any:
    """A running server: its port, and how long it took until it answered."""
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    began = time.perf_counter()
    process = subprocess.Popen(
        [*MATINEE, "serve", model, "--port", str(port), "--workers", str(workers)],
        stderr=subprocess.DEVNULL,
    )
    try:
        while True:
            try:
                get(port, "/readyz")
                break
            except OSError:
                if process.poll() is not None:
                    raise SystemExit("the server did not start") from None
                time.sleep(0.02)
        yield port, time.perf_counter() - began
    finally:
        process.terminate()
        process.wait(30)


def get(port: int, path: str) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=30) as answer:
        return answer.read().decode()


def resident(port: int) -> list[float]:
    """Resident MiB of each worker."""
    sizes = re.findall(r"matinee_worker_resident_bytes\S* (\d+)", get(port, "/metrics"))
    return [round(int(size) / 2**20, 1) for size in sizes]


def drive(
    port: int, connections: int, limit: tuple[float, int], bodies: list[str]
) -> dict[str, Any]:
    """What a load generator in a process of its own found."""
    done = subprocess.run(
        [
            sys.executable,
            __file__,
            ".",
            "--generate",
            str(port),
            str(connections),
            *map(str, limit),
        ],
        input=json.dumps(bodies),
        capture_output=True,
        text=True,
        check=True,
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


async def generate(
    port: int, connections: int, limit: tuple[float, int], bodies: list[str]
) -> dict[str, Any]:
    """Ask over some connections, each as soon as it has its answer; seconds, or requests."""
    seconds, requests = limit
    asked = [
        b"POST /v1/recommend HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n"
        b"content-length: %d\r\n\r\n%s" % (len(body), body.encode())
        for body in bodies
    ]
    times: list[float] = []
    wrong = 0
    began = time.perf_counter()

    async def ask(first: int) -> None:
        nonlocal wrong
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        at = first
        while len(times) < requests if requests else time.perf_counter() - began < seconds:
            start = time.perf_counter()
            writer.write(asked[at % len(asked)])
            head = await reader.readuntil(b"\r\n\r\n")
            length = int(re.search(rb"content-length: (\d+)", head).group(1))  # type: ignore[union-attr]
            await reader.readexactly(length)
            times.append(time.perf_counter() - start)
            wrong += not head.startswith(b"HTTP/1.1 200 ")
            at += connections
        writer.close()

    await asyncio.gather(*(ask(first) for first in range(connections)))
    elapsed = time.perf_counter() - began
    p50, p99 = quantiles_ms(times)
    return {
        "connections": connections,
        "requests": len(times),
        "per_second": round(len(times) / elapsed, 1),
        "p50_ms": round(p50, 2),
        "p99_ms": round(p99, 2),
        "max_ms": round(max(times) * 1000, 2),
        "wrong": wrong,
    }


def leak(port: int, requests: int, bodies: list[str]) -> list[dict[str, Any]]:
    """Memory after each tenth of many requests."""
    found = []
    for part in range(10):
        load = drive(port, 8, (0.0, requests // 10), bodies)
        found.append(
            {
                "requests": (part + 1) * (requests // 10),
                "mib": resident(port),
                "wrong": load["wrong"],
            }
        )
    return found


def compare(folder: Path, people: list[tuple[Any, Any]]) -> dict[str, Any]:
    """The same people answered in one process: top ten of all items they have not rated."""
    from matinee.models import load_model

    model = load_model(folder)
    found = {
        "matinee, list alone": timed(matinee_list(model), people),
        "matinee, with reasons": timed(matinee_reasons(folder), people),
    }
    for name, make in (("implicit", implicit_list), ("lenskit", lenskit_list)):
        try:
            found[name] = timed(make(model), people)
        except ImportError as error:
            found[name] = f"not installed ({error.name})"
    return found


def timed(answer: Any, people: list[tuple[Any, Any]]) -> dict[str, float]:
    for person in people[:20]:
        answer(*person)
    times = []
    for person in people:
        start = time.perf_counter()
        answer(*person)
        times.append(time.perf_counter() - start)
    p50, p99 = quantiles_ms(times)
    return {"p50_ms": round(p50, 3), "p99_ms": round(p99, 3)}


def quantiles_ms(times: list[float]) -> tuple[float, float]:
    """Median and 99th percentile, in milliseconds."""
    cuts = statistics.quantiles(times, n=100, method="inclusive")
    return cuts[49] * 1000, cuts[98] * 1000


def matinee_list(model: Any) -> Any:
    ids = model.item_ids.ids

    def answer(items: Any, values: Any) -> None:
        pairs = zip(ids[items].tolist(), values.tolist(), strict=True)
        model.recommend([dict(pairs)], k=10)

    return answer


def matinee_reasons(folder: Path) -> Any:
    from matinee.serve import ServeSettings
    from matinee.serve._engine import Engine
    from matinee.serve._schema import RecommendRequest

    engine = Engine(ServeSettings(model=folder))
    ids = engine.catalogue.item_ids

    def answer(items: Any, values: Any) -> None:
        pairs = zip(ids.decode(items).tolist(), values.tolist(), strict=True)
        ratings = [{"item": str(item), "rating": value} for item, value in pairs]
        engine.recommend(RecommendRequest.model_validate({"ratings": ratings}))

    return answer


def implicit_list(model: Any) -> Any:
    """Alternating least squares (Hu, Koren & Volinsky 2008), 64 factors, the user refitted."""
    import implicit
    import numpy as np
    from scipy.sparse import csr_array, csr_matrix

    known = model.histories
    shape = (len(known), model.n_items)
    whole = csr_matrix(csr_array((known.values, known.items, known.indptr), shape=shape))
    als = implicit.als.AlternatingLeastSquares(
        factors=64, iterations=5, num_threads=1, random_state=0
    )
    als.fit(whole, show_progress=False)

    def answer(items: Any, values: Any) -> None:
        order = np.argsort(items)
        row = csr_matrix((values[order], items[order], [0, len(items)]), shape=(1, model.n_items))
        als.recommend(0, row, N=10, recalculate_user=True)

    return answer


def lenskit_list(model: Any) -> Any:
    """LensKit's biased matrix factorisation, 64 factors, the user refitted."""
    import numpy as np
    import pandas as pd
    from lenskit.als import BiasedMFScorer
    from lenskit.data import ItemList, RecQuery, from_interactions_df
    from lenskit.pipeline import topn_pipeline

    known = model.histories
    frame = pd.DataFrame(
        {
            "user_id": np.repeat(np.arange(len(known)), known.counts),
            "item_id": known.items,
            "rating": known.values,
        }
    )
    pipeline = topn_pipeline(BiasedMFScorer(embedding_size=64, epochs=5), n=10)
    pipeline.train(from_interactions_df(frame))

    def answer(items: Any, values: Any) -> None:
        query = RecQuery(user_items=ItemList(item_ids=items, rating=values))
        pipeline.run("recommender", query=query)

    return answer


def as_text(found: dict[str, Any]) -> str:
    lines = [
        f"{found['model']}, {found['workers']} worker(s): answers "
        f"{found['seconds_to_start']:.1f} s after the start; "
        f"{found['mib_at_start']} MiB then, {found['mib_at_end']} MiB at the end",
    ]
    lines += [
        f"{load['connections']:>4} connections  {load['per_second']:>7.1f} requests/s  "
        f"p50 {load['p50_ms']:>6.2f} ms  p99 {load['p99_ms']:>6.2f} ms  "
        f"max {load['max_ms']:>6.1f} ms  {load['wrong']} wrong"
        for load in found.get("load", ())
    ]
    lines += [
        f"{part['requests']:>8,} requests  {part['mib']} MiB  {part['wrong']} wrong"
        for part in found.get("leak", ())
    ]
    for name, times in found.get("compared", {}).items():
        line = times if isinstance(times, str) else "  ".join(f"{k} {v}" for k, v in times.items())
        lines.append(f"{name:>22}  {line}")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
