"""The programs in ``examples/`` do what they say."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import duckdb
import numpy as np
import pytest

from matinee.models import Autoencoder, export_items, load_model
from matinee.synth import synthesize

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    model = Autoencoder("base", hidden=(16,), center="bias", epochs=4, batch_size=32)
    ratings = synthesize(200, 150, 8000, seed=1).ratings
    return model.fit(ratings, seed=0).save(tmp_path_factory.mktemp("examples") / "model")


def run(name: str, *args: object, seconds: float = 120) -> str:
    done = subprocess.run(
        [sys.executable, EXAMPLES / name, *map(str, args)],
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_retrieval(folder: Path, tmp_path: Path) -> None:
    pytest.importorskip("usearch", reason="the example needs usearch")
    export_items(load_model(folder), tmp_path / "items.parquet")
    out = tmp_path / "lists.parquet"
    stdout = run("retrieve_usearch.py", folder, tmp_path / "items.parquet", "--out", out)
    assert float(stdout.split("\n")[1].split("%")[0]) > 95
    lists = duckdb.sql(f"SELECT * FROM '{out}'").fetchnumpy()
    model = load_model(folder)
    assert model.histories is not None
    unseen = model.n_items - model.histories.counts
    assert len(lists["item_id"]) == np.minimum(unseen, 10).sum()
    items = model.item_ids.encode(lists["item_id"])
    users = model.user_ids.encode(lists["user_id"])
    seen = set(
        zip(
            np.repeat(np.arange(model.n_users), model.histories.counts),
            model.histories.items,
            strict=True,
        )
    )
    assert not seen & set(zip(users, items, strict=True))


def test_batch_scoring(folder: Path, tmp_path: Path) -> None:
    run("batch_scoring.py", folder, tmp_path / "top.parquet", "-k", 3)
    rows = duckdb.sql(f"SELECT * FROM '{tmp_path}/top.parquet'").fetchnumpy()
    wanted = load_model(folder).recommend(users=load_model(folder).user_ids.ids, k=3)
    assert rows["item_id"].tolist() == wanted["item_id"].tolist()


@pytest.fixture
def ray_cluster() -> Iterator[str]:
    """The address of a Ray cluster of this machine alone.

    Its agents' ports are given: left to choose them, they must say which within 15 seconds or Ray
    gives up, and on a busy machine they need longer (ray-project/ray issue 65983).
    """
    pytest.importorskip("ray", reason="the example needs ray[data]")
    agents = ("dashboard-agent-grpc", "dashboard-agent-listen", "runtime-env-agent")
    port, *others = free_ports(2 + len(agents))
    ports = zip(
        (*(f"{agent}-port" for agent in agents), "metrics-export-port"), others, strict=True
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_AUTH_MODE", "token")
        patch.setenv("RAY_AUTH_TOKEN", secrets.token_hex(32))
        command = [sys.executable, "-m", "ray.scripts.scripts", "start", "--head", "--block"]
        options = {"num-cpus": 2, "object-store-memory": 200_000_000, "include-dashboard": False}
        options |= {"port": port, **dict(ports)}
        with subprocess.Popen(
            [*command, "--disable-usage-stats", *(f"--{k}={v}" for k, v in options.items())],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as cluster:
            try:
                assert cluster.stdout is not None
                output = list(iter_until("Ray runtime started", cluster.stdout))
                assert cluster.poll() is None, "".join(output)
                yield f"127.0.0.1:{port}"
            finally:
                cluster.terminate()


def free_ports(n: int) -> list[int]:
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(n)]
        return [each.getsockname()[1] for each in sockets]


def iter_until(text: str, lines: Iterable[str]) -> Iterator[str]:
    for line in lines:
        yield line
        if text in line:
            return


def expected_lists(folder: Path, people: Path) -> list[str]:
    """Write the histories of 50 people, and return the items of their lists by person and rank."""
    model = load_model(folder)
    assert model.histories is not None
    histories = model.histories.take(np.arange(50))
    rows = np.repeat(np.arange(50), histories.counts)
    flat = {"u": rows, "i": model.item_ids.decode(histories.items), "r": histories.values}
    with duckdb.connect() as db:
        db.register("flat", flat)
        db.execute(
            "COPY (SELECT u AS user_id, list(i) AS items, list(r) AS ratings FROM flat "
            f"GROUP BY u) TO '{people}' (FORMAT parquet)"
        )
    rated = {
        user: dict(zip(flat["i"][rows == user], flat["r"][rows == user], strict=True))
        for user in range(50)
    }
    return [str(item) for item in model.recommend(rated)["item_id"]]


def listed(out: Path) -> list[str]:
    query = f"SELECT item_id FROM '{out}/*.parquet' ORDER BY CAST(user_id AS INTEGER), rank"
    return [str(item) for item in duckdb.sql(query).fetchnumpy()["item_id"]]


@pytest.mark.slow
def test_ray(folder: Path, tmp_path: Path, ray_cluster: str) -> None:
    expected = expected_lists(folder, tmp_path / "people.parquet")
    where = (folder, tmp_path / "people.parquet", tmp_path / "out")
    run("ray_scoring.py", *where, "--address", ray_cluster, seconds=300)
    assert listed(tmp_path / "out") == expected


@pytest.mark.slow
def test_spark(folder: Path, tmp_path: Path) -> None:
    pytest.importorskip("pyspark", reason="the example needs pyspark")
    if shutil.which("java") is None:
        pytest.skip("Spark needs Java")
    expected = expected_lists(folder, tmp_path / "people.parquet")
    submit = Path(sys.executable).parent / "spark-submit"
    where = (folder, tmp_path / "people.parquet", tmp_path / "out")
    done = subprocess.run(
        [submit, "--master", "local[2]", EXAMPLES / "spark_scoring.py", *where],
        env={**os.environ, "PYSPARK_PYTHON": sys.executable, "SPARK_LOCAL_IP": "127.0.0.1"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert listed(tmp_path / "out") == expected


@pytest.mark.slow
@pytest.mark.parametrize("name", ["data_scientist", "student", "application_team"])
def test_notebooks(name: str, tmp_path: Path) -> None:
    nbformat = pytest.importorskip("nbformat")
    client = pytest.importorskip("nbclient")
    pytest.importorskip("ipykernel")
    book = nbformat.read(EXAMPLES / f"{name}.ipynb", as_version=4)
    kept = [len(cell.get("outputs", ())) for cell in book.cells]
    # In a process of its own: a kernel's client leaves warnings to its event loop.
    code = (
        "import sys, nbformat, nbclient\n"
        "book = nbformat.read(sys.argv[1], as_version=4)\n"
        "nbclient.NotebookClient(book, timeout=300, kernel_name='python3').execute()\n"
        "print([len(cell.get('outputs', ())) for cell in book.cells])\n"
    )
    assert client is not None
    done = subprocess.run(
        [sys.executable, "-c", code, EXAMPLES / f"{name}.ipynb"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        timeout=400,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.strip() == str(kept)


@pytest.mark.slow
def test_the_shop(tmp_path: Path) -> None:
    pytest.importorskip("fastapi", reason="the server needs matinee[serve]")
    printed = run("shop/shop.py", tmp_path / "shop", seconds=400)
    for text in ("160 customers", "refresh: swapped", "has loaded", "was erased", "acceptance"):
        assert text in printed, printed
    page = (tmp_path / "shop" / "page.html").read_text(encoding="utf-8")
    for text in ("second against first", "Acceptance by rank", "most recommended by first"):
        assert text in page
