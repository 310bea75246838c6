"""A small model with titles and genres, served in this process or by the real command."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest

pytest.importorskip("fastapi", reason="the server needs matinee[serve]")

from starlette.testclient import TestClient

from matinee.data import split, synthesize
from matinee.models import Autoencoder, Recommender, load_model
from matinee.serve import ServeSettings, create_app

MATINEE = Path(sys.executable).with_name("matinee")


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model folder with histories, titles, genres and a score."""
    train, test = split(synthesize(300, 250, 15_000, seed=2).ratings, 0.1, 0)
    model = Autoencoder(
        "base",
        hidden=(24,),
        input="presence",
        input_scale="sqrt",
        center="bias",
        epochs=8,
        batch_size=32,
    ).fit(train, seed=0)
    score = model.evaluate(test)
    out = tmp_path_factory.mktemp("serve") / "model"
    return model.save(out, extra={"metrics": {"rmse": score.rmse}, "split": {"by": "random"}})


@pytest.fixture(scope="session")
def model(folder: Path) -> Recommender:
    return load_model(folder)


@pytest.fixture(scope="session")
def client(folder: Path) -> Iterator[TestClient]:
    with TestClient(create_app(ServeSettings(model=folder))) as found:
        yield found


@pytest.fixture
def serve_with(folder: Path) -> Iterator[Callable[..., TestClient]]:
    """A client of a server with other settings."""
    clients = []

    def make(**settings: Any) -> TestClient:
        made = TestClient(create_app(ServeSettings.make({"model": folder, **settings})))
        made.__enter__()
        clients.append(made)
        return made

    yield make
    for made in clients:
        made.__exit__(None, None, None)


def free_port() -> int:
    with closing(socket.socket()) as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


class Process:
    """``matinee serve`` in a process of its own."""

    def __init__(self, model: Path, *args: object, log: Path) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._log = log.open("w+")
        self.process = subprocess.Popen(
            [MATINEE, "serve", model, "--port", str(self.port), *map(str, args)],
            stdout=subprocess.DEVNULL,
            stderr=self._log,
        )

    def log(self) -> str:
        return Path(self._log.name).read_text()

    def wait_until_ready(self) -> None:
        until(lambda: "matinee: serving" in self.log() or self.process.poll() is not None, 60)
        assert self.process.poll() is None, self.log()
        assert httpx.get(f"{self.url}/readyz").status_code == 200

    def model(self) -> str:
        name: str = httpx.get(f"{self.url}/v1/model").json()["model"]
        return name

    def end(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(30)
        self._log.close()


def until(true: Callable[[], bool], seconds: float) -> None:
    """Wait for something; fail if it does not come."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.02)


@pytest.fixture
def process(folder: Path, tmp_path: Path) -> Iterator[Callable[..., Process]]:
    """Start a server; it is ready on return."""
    started: list[Process] = []

    def start(*args: object, model: Path = folder) -> Process:
        made = Process(model, *args, log=tmp_path / f"log-{len(started)}")
        started.append(made)
        made.wait_until_ready()
        return made

    yield start
    for each in started:
        each.end()
