"""The real command: starting, taking up a new model under load, workers, stopping."""

from __future__ import annotations

import asyncio
import concurrent.futures
import http.client
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest
from serving import CLIENT, MATINEE, Process, until

from matinee.models import Bias, load_model
from matinee.serve import ServeSettings
from matinee.serve._server import _announce
from matinee.synth import synthesize

pytestmark = pytest.mark.skipif(os.name != "posix", reason="needs POSIX signals")

Start = Callable[..., Process]


@pytest.fixture
def model_folder(folder: Path, tmp_path: Path) -> Path:
    """A copy of the model folder that may be replaced."""
    return Path(shutil.copytree(folder, tmp_path / "model"))


@pytest.fixture(scope="module")
def two_workers(
    folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Process, Path]]:
    """A server of two workers, and its model folder, which may be replaced."""
    place = tmp_path_factory.mktemp("workers")
    model = Path(shutil.copytree(folder, place / "model"))
    server = Process(model, "--workers", 2, log=place / "log")
    try:
        server.wait_until_ready()
        yield server, model
    finally:
        server.end()


def children_of(server: Process) -> Callable[[], list[str]]:
    """The process ids of a server's workers; skips where the system does not list them."""
    file = Path(f"/proc/{server.process.pid}/task/{server.process.pid}/children")
    if not file.exists():
        pytest.skip("the system does not list child processes")
    return lambda: file.read_text().split()


def other_model(path: Path) -> None:
    """Replace a model folder by another model of the same ids."""
    Bias().fit(synthesize(300, 250, 15_000, seed=2).ratings).save(path)


class Load:
    """Asks for recommendations from several threads until stopped."""

    def __init__(self, server: Process, threads: int = 3) -> None:
        self.answers: list[tuple[int, str]] = []
        self.faults: list[Exception] = []
        self._stop = threading.Event()
        item = CLIENT.get(f"{server.url}/v1/items?limit=1").json()["items"][0]["item"]
        self._body = {"ratings": [{"item": item, "rating": 5}], "k": 3}
        self._url = f"{server.url}/v1/recommend"
        self._threads = [threading.Thread(target=self._ask) for _ in range(threads)]

    def __enter__(self) -> Load:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _ask(self) -> None:
        while not self._stop.is_set():
            try:
                answer = CLIENT.post(self._url, json=self._body)
                self.answers.append((answer.status_code, answer.json()["model"]))
            except Exception as error:
                self.faults.append(error)
                return


def test_a_new_model_without_a_dropped_request(process: Start, model_folder: Path) -> None:
    server = process(model=model_folder)
    old = server.model()
    with Load(server) as load:
        until(lambda: len(load.answers) > 20)
        other_model(model_folder)
        server.process.send_signal(signal.SIGHUP)
        until(lambda: server.model() != old)
        some = len(load.answers)
        until(lambda: len(load.answers) > some + 20)
    assert load.faults == []
    assert {status for status, _ in load.answers} == {200}
    names = [name for _, name in load.answers]
    assert set(names) == {old, server.model()}
    assert " loaded in" in server.log()
    assert 'matinee_reloads_total{result="done"} 1' in CLIENT.get(f"{server.url}/metrics").text


def test_a_broken_model_is_not_taken_up(process: Start, model_folder: Path) -> None:
    server = process(model=model_folder)
    old = server.model()
    (model_folder / "weights.safetensors").write_bytes(b"no")
    server.process.send_signal(signal.SIGHUP)
    until(lambda: "was not loaded" in server.log())
    assert server.model() == old
    assert 'matinee_reloads_total{result="failed"} 1' in CLIENT.get(f"{server.url}/metrics").text
    assert "Traceback" not in server.log()
    other_model(model_folder)
    server.process.send_signal(signal.SIGHUP)
    until(lambda: server.model() != old)


def test_watching_a_folder(process: Start, model_folder: Path) -> None:
    server = process("--watch", "0.1", model=model_folder)
    old = server.model()
    new = model_folder.parent / "new"
    other_model(new)
    # Copied file by file, manifest first: it is loaded once it is whole, and logged once.
    shutil.copy(new / "manifest.json", model_folder)
    until(lambda: "was not loaded" in server.log())
    time.sleep(0.5)
    assert server.log().count("was not loaded") == 1
    assert server.model() == old
    for file in new.iterdir():
        shutil.copy(file, model_folder)
    until(lambda: server.model() != old)


def test_workers_share_the_work_and_the_counters(two_workers: tuple[Process, Path]) -> None:
    server, model_folder = two_workers
    old = server.model()
    for _ in range(20):
        CLIENT.get(f"{server.url}/v1/items?limit=1")
    text = CLIENT.get(f"{server.url}/metrics").text
    assert 'matinee_requests_total{route="/v1/items",status="2xx"} 20' in text
    assert text.count("matinee_worker_resident_bytes{") == 2
    other_model(model_folder)
    server.process.send_signal(signal.SIGHUP)
    until(lambda: 'result="done"} 2' in CLIENT.get(f"{server.url}/metrics").text)
    assert {server.model() for _ in range(20)} != {old}


def test_a_worker_that_dies_is_replaced(two_workers: tuple[Process, Path]) -> None:
    server, _ = two_workers
    children = children_of(server)
    first, before = children(), server.log().count("another takes its place")
    assert len(first) == 2
    os.kill(int(first[0]), signal.SIGKILL)
    until(lambda: len(set(children()) - set(first)) == 1)
    until(lambda: server.log().count("another takes its place") == before + 1)
    assert CLIENT.get(f"{server.url}/readyz").status_code == 200


def test_a_folder_that_cannot_be_read_does_not_end_the_service(
    two_workers: tuple[Process, Path],
) -> None:
    server, model_folder = two_workers
    children = children_of(server)
    before = server.log().count("another takes its place in")
    model_folder.rename(model_folder.with_name("away"))
    # The youngest: one that took another's place may not have begun to answer.
    os.kill(int(children()[-1]), signal.SIGKILL)
    until(lambda: server.log().count("another takes its place in") == before + 2)
    assert server.process.poll() is None
    assert CLIENT.get(f"{server.url}/readyz").status_code == 200
    model_folder.with_name("away").rename(model_folder)
    until(lambda: len(children()) == 2)
    assert server.process.poll() is None


def test_one_worker_that_answers_is_a_service() -> None:
    """From then on, another that cannot start ends nothing; it is started again."""
    reader, writer = os.pipe()
    ready, said = threading.Event(), list[bool]()
    arguments = (reader, 2, lambda: said.append(True), ready)
    announcing = threading.Thread(target=_announce, args=arguments)
    announcing.start()
    os.write(writer, b"0\n")
    assert ready.wait(60)
    os.write(writer, b"0\n")  # it was replaced, and answers again
    time.sleep(0.2)
    assert said == []
    os.write(writer, b"1\n")
    announcing.join(60)
    assert said == [True]
    os.close(reader)
    os.close(writer)


def test_watching_goes_on_after_any_error(process: Start, model_folder: Path) -> None:
    server = process("--watch", "0.1", model=model_folder)
    old = server.model()
    (model_folder / "manifest.json").write_text("[" * 100_000)
    until(lambda: "was not loaded" in server.log())
    other_model(model_folder)
    until(lambda: server.model() != old)


def test_an_unexpected_error_ends_no_reload(
    model_folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from matinee.serve import _holder
    from matinee.serve._metrics import Metrics

    holder = _holder.Holder(ServeSettings(model=model_folder), Metrics(("/",)))

    def fail(_: object) -> None:
        raise RuntimeError("unforeseen")

    monkeypatch.setattr(_holder, "Engine", fail)
    assert asyncio.run(holder.reload()) is False
    assert "unforeseen" in caplog.text


def test_workers_do_not_outlive_their_parent(process: Start) -> None:
    server = process("--workers", "2")
    server.process.kill()
    server.process.wait(20)

    def gone() -> bool:
        try:
            CLIENT.get(f"{server.url}/healthz")
        except httpx.TransportError:
            return True
        return False

    until(gone)


@pytest.mark.parametrize(
    ("workers", "number"), [(1, signal.SIGINT), (2, signal.SIGINT), (2, signal.SIGTERM)]
)
def test_it_stops_on_a_signal(process: Start, workers: int, number: signal.Signals) -> None:
    server = process("--workers", workers)
    server.process.send_signal(number)
    check_end(server)


def check_end(server: Process) -> None:
    assert server.process.wait(20) == 0
    assert "Traceback" not in server.log()
    with pytest.raises(httpx.ConnectError):
        CLIENT.get(f"{server.url}/healthz")


def test_a_request_being_sent_is_answered_before_the_end(process: Start) -> None:
    server = process()
    item = CLIENT.get(f"{server.url}/v1/items?limit=1").json()["items"][0]["item"]
    body = f'{{"ratings": [{{"item": "{item}", "rating": 3}}]}}'.encode()
    link = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
    link.putrequest("POST", "/v1/recommend")
    link.putheader("content-type", "application/json")
    link.putheader("content-length", str(len(body)))
    link.endheaders(body[:10])
    time.sleep(0.3)
    server.process.send_signal(signal.SIGTERM)
    time.sleep(0.3)
    link.send(body[10:])
    assert link.getresponse().status == 200
    link.close()
    check_end(server)


def test_a_body_that_does_not_come_is_not_waited_for(process: Start) -> None:
    server = process("--body-seconds", "0.3")
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as link:
        link.sendall(
            b"POST /v1/recommend HTTP/1.1\r\nhost: localhost\r\n"
            b"content-type: application/json\r\ncontent-length: 100\r\n\r\n{"
        )
        answer = link.recv(65536)
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b"application/problem+json" in answer


def test_many_connections_at_once(url: str) -> None:
    def ask(_: int) -> int:
        return CLIENT.get(f"{url}/v1/model").status_code

    with concurrent.futures.ThreadPoolExecutor(32) as pool:
        assert set(pool.map(ask, range(200))) == {200}
    assert "matinee_requests_in_flight 1\n" in CLIENT.get(f"{url}/metrics").text


def serve(*args: Any, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [MATINEE, "serve", *map(str, args)],
        capture_output=True,
        text=True,
        timeout=600,
        env={**os.environ, **environment},
        check=False,
    )


def test_what_cannot_be_served_says_why(folder: Path, tmp_path: Path) -> None:
    server = serve(tmp_path, "--port", 0)
    assert server.returncode == 1
    assert "no model folder" in server.stderr
    many = ("--workers", 2, "--port", 0)
    broken = Path(shutil.copytree(folder, tmp_path / "broken"))
    (broken / "items.parquet").unlink()
    server = serve(broken, *many)
    assert server.returncode == 1
    assert "items.parquet: missing" in server.stderr
    assert "Traceback" not in server.stderr


def test_an_address_that_is_taken(url: str, folder: Path) -> None:
    port = url.rpartition(":")[2]
    result = serve(folder, "--port", port)
    assert result.returncode == 1
    assert f"port {port}" in result.stderr
    assert "in use" in result.stderr
    assert serve(folder, "--host", "no.such.host.invalid").returncode == 2
    assert serve(folder, "--port", 70_000).returncode == 2


def test_keys(process: Start, folder: Path, tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text("a b\n")
    assert "no spaces" in serve(folder, "--api-key-file", file).stderr
    assert "key" in serve(folder, MATINEE_API_KEY="").stderr
    file.write_text("k3y\n")
    server = process("--api-key-file", file)
    assert CLIENT.get(f"{server.url}/v1/model").status_code == 401
    answer = CLIENT.get(f"{server.url}/v1/model", headers={"x-api-key": "k3y"})
    assert answer.status_code == 200
    assert "k3y" not in server.log()


def test_it_needs_no_torch(folder: Path) -> None:
    code = (
        "import sys\n"
        "from matinee.serve import ServeSettings, create_app\n"
        f"create_app(ServeSettings(model={str(folder)!r}))\n"
        "assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=600)
    assert load_model(folder).n_items == 250


def test_a_hangup_while_the_model_is_loaded_loads_it_again(model_folder: Path) -> None:
    code = f"""
import os
import signal
from pathlib import Path

from matinee.serve import ServeSettings, _holder, serve

engine, signals = _holder.Engine, [signal.SIGHUP, signal.SIGTERM]

def loaded(settings):
    os.kill(os.getpid(), signals.pop(0))
    return engine(settings)

_holder.Engine = loaded
serve(ServeSettings(model=Path({str(model_folder)!r}), port=0))
print("ended")
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=300)
    assert (done.returncode, done.stdout) == (0, "ended\n"), done.stderr
