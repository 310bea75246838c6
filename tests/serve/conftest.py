"""A small model with titles and genres, served in this process or by the real command."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("fastapi", reason="the server needs matinee[serve]")

from starlette.testclient import TestClient

from matinee.data import split
from matinee.models import Autoencoder, Recommender, load_model
from matinee.serve import ServeSettings, create_app
from matinee.synth import synthesize

sys.path.insert(0, str(Path(__file__).parent))
pytest.register_assert_rewrite("browsing", "serving")

from browsing import served  # noqa: E402
from serving import Process  # noqa: E402


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
    with TestClient(create_app(ServeSettings(model=folder)), base_url="http://localhost") as opened:
        yield opened


@pytest.fixture
def serve_with(folder: Path) -> Iterator[Callable[..., TestClient]]:
    """A client of a server with other settings."""
    clients = []

    def make(**settings: Any) -> TestClient:
        made = TestClient(
            create_app(ServeSettings.make({"model": folder, **settings})),
            base_url="http://localhost",
        )
        made.__enter__()
        clients.append(made)
        return made

    yield make
    for made in clients:
        made.__exit__(None, None, None)


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


@pytest.fixture(scope="session")
def url(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server of the small model."""
    with served(folder, tmp_path_factory.mktemp("page") / "log") as address:
        yield address
