"""The faults of an attack on an early version, each tried from outside."""

from __future__ import annotations

import contextlib
import gzip
import json
import os
import signal
import socket
import sys
import threading
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

from _faults_place import Place, ask, said

JSON = {"content-type": "application/json"}


def leftover(place: Place) -> str:
    """A temporary of a checkpoint that was being written when the command was killed."""
    (place.folder / "model").mkdir()
    place.write("model/.checkpoint.safetensors.deadbeef.tmp", "half")
    return place.train()


def titles(place: Place) -> str:
    names = [
        f"{i},{chr(97 + i % 26) * 3} {i * 7919} the film of {'abcde' * 8}" for i in range(4000)
    ]
    place.write("items.csv", "item,title\n" + "\n".join(names) + "\n")
    rows = [f"{u},{(u * 67 + i) % 4000},{(u + i) % 5 + 1}" for u in range(60) for i in range(67)]
    place.write("ratings.csv", "user,item,rating\n" + "\n".join(rows) + "\n")
    port = place.serve()
    ratings = [{"item": 1, "rating": 5}]
    wanted = [f"{'the film of ' * 6}{i}" for i in range(300)]
    body = json.dumps({"ratings": ratings, "exclude": wanted}).encode()
    results: list[tuple[int, str, float]] = []
    post = threading.Thread(
        target=lambda: results.append(ask(port, "POST", "/v1/recommend", body, **JSON))
    )
    post.start()
    time.sleep(0.2)
    waited = ask(port, "GET", "/healthz")[2]
    post.join()
    status = results[0][0]
    return f"/healthz waits {waited:.2f} s, the POST of {len(body) >> 10} KiB ends with {status}"


def worker(place: Place) -> str:
    """A worker dies while the folder cannot be read."""
    port = place.serve("--workers", "2")
    (place.folder / "model").rename(place.folder / "away")
    parent = place.servers[0].pid
    children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    os.kill(int(children[-1]), signal.SIGKILL)
    time.sleep(15.0)
    try:
        return f"/healthz answers {ask(port, 'GET', '/healthz')[0]}"
    except OSError as error:
        return f"/healthz: {type(error).__name__}; the service has ended: {place.servers[0].poll()}"


def full(place: Place) -> str:
    place.train()
    place.write("lists.csv", "old\n")
    limited = (
        "import resource, sys\nfrom matinee.cli import main\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1024, resource.RLIM_INFINITY))\n"
        "sys.exit(main(['recommend', 'model', '--all-users', '--out', 'lists.csv']))"
    )
    lists = place.code(limited)
    kept = (place.folder / "lists.csv").read_text() == "old\n"
    there = place.cli("recommend", "model", "--all-users", "--out", "/proc/x.csv")
    return f"limit of a file's size: {lists}, the old file is whole: {kept}; /proc/x.csv: {there}"


def late(place: Place) -> str:
    """Both the model and the place of the lists are wrong: which is found first."""
    return place.cli("recommend", "no-such-model", "--all-users", "--out", "/proc/x.csv")


def watch(place: Place) -> str:
    """A manifest of 100,000 brackets, then a good model, under ``--watch``."""
    port = place.serve("--watch", "1")
    place.train("other", "--seed", "5")
    before = ask(port, "GET", "/v1/model")[1]
    manifest = place.folder / "model" / "manifest.json"
    place.write("new", "[" * 100_000).replace(manifest)
    time.sleep(8.0)
    for file in (place.folder / "other").iterdir():
        if file.is_file():
            file.replace(place.folder / "model" / file.name)
    time.sleep(15.0)
    taken = ask(port, "GET", "/v1/model")[1] != before
    return f"the next good model is taken up: {taken}"


SIGNED = """
import hashlib, json, random, resource
from matinee import load_model
from matinee.errors import MatineeError
resource.setrlimit(resource.RLIMIT_AS, (8 << 30, resource.RLIM_INFINITY))
def put(content):
    text = json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    content["checksum"] = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
    open("model/manifest.json", "w").write(json.dumps(content))
def paths(value, path=()):
    if path: yield path
    if isinstance(value, list): value = dict(enumerate(value[:2]))
    for key in value if isinstance(value, dict) else (): yield from paths(value[key], (*path, key))
whole = json.load(open("model/manifest.json"))
whole.pop("checksum")
values = (None, -1, 10**9, 10**30, 0.5, "x", [], {}, [1])
trials = [(path, value) for path in paths(whole) for value in values]
wrong = []
for path, value in random.Random(0).sample(trials, 150):
    content = json.loads(json.dumps(whole))
    at = content
    for part in path[:-1]: at = at[part]
    at[path[-1]] = value
    put(content)
    try: load_model("model").recommend(1, k=3)
    except MatineeError: pass
    except Exception as error: wrong.append(f"{path[-1]}: {type(error).__name__}")
print(f"{len(wrong)} of 150 end in an error that is not Matinee's:", ", ".join(wrong[:3]))
"""


def signed(place: Place) -> str:
    """A field of the manifest has another value, and the checksum fits."""
    place.train()
    return place.code(SIGNED)


def nan_ids(place: Place) -> str:
    return place.code(
        "import pyarrow as pa, matinee; from pyarrow import parquet\n"
        "rows = {'user': [1.0, float('nan'), 2.0], 'item': [1, 2, 3], 'rating': [1, 2, 3]}\n"
        "parquet.write_table(pa.table(rows), 'r.parquet')\n"
        "print(matinee.load('r.parquet').user_ids.ids.tolist())"
    )


def zones(place: Place) -> str:
    return place.code(
        "import numpy as np, pyarrow as pa, matinee\n"
        "times = pa.array(np.array([10**18, 10**18 + 1]), pa.timestamp('ns', 'Asia/Tokyo'))\n"
        "columns = {'user': [1, 2], 'item': [1, 2], 'rating': [1, 2], 'time': times}\n"
        "print(matinee.load(pa.table(columns)).times)"
    )


def year(place: Place) -> str:
    port = place.serve()
    body = json.dumps({"ratings": [{"item": 1, "rating": 5}], "years": [10**309, None]})
    return f"status {ask(port, 'POST', '/v1/recommend', body.encode(), **JSON)[0]}"


def same_names(place: Place) -> str:
    place.write("r.csv", "userId,USERID,item,rating\n1,9,1,3\n2,8,2,4\n")
    return place.code("import matinee; print(matinee.load('r.csv').user_ids.ids.tolist())")


def json_keys(place: Place) -> str:
    found = []
    for name, keys in (("198 keys", 198), ('a key ""', 0)):
        rows = [
            {
                "user": u,
                "item": i,
                "rating": 3,
                **{f"{u}{k}" if keys else "": k for k in range(keys or 1)},
            }
            for u in "12"
            for i in "78"
        ]
        place.write("r.jsonl", "\n".join(map(json.dumps, rows)))
        read = place.code("import matinee; print(len(matinee.load('r.jsonl')), 'ratings')")
        found.append(f"{name}: {read}")
    return "; ".join(found)


def host(place: Place) -> str:
    port = place.serve()
    status = ask(port, "GET", "/metrics", host="evil.example")[0]
    redirect = ask(port, "GET", "/v1/model/", host="evil.example")
    return f"/metrics for evil.example: {status}; /v1/model/: {redirect[0]} {redirect[1][:40]!r}"


def headers(place: Place) -> str:
    port = place.serve("--body-seconds", "2")
    with contextlib.suppress(OSError):
        big = f"status {ask(port, 'GET', '/healthz', x='a' * (1 << 20))[0]}"
    with socket.create_connection(("127.0.0.1", port)) as half:
        half.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n")
        half.settimeout(15)
        try:
            ended = repr(half.recv(12))
        except TimeoutError:
            ended = "open after 15 s"
    return f"headers of 1 MiB: {big}; a connection that never ends its headers: {ended}"


def titles_printed(place: Place) -> str:
    place.train()
    done = place.run(place.command("recommend", "model", "--user", "1"))
    formulas = place.cli("recommend", "model", "--all-users", "--escape-formulas", "--out", "x.csv")
    return (
        f"escape characters reach stdout: {chr(27) in done.stdout}; --escape-formulas: {formulas}"
    )


def bomb(place: Place) -> str:
    path = place.folder / "r.csv.gz"
    with gzip.open(path, "wb", compresslevel=6) as file:
        file.write(b"user,item,rating\n")
        for _ in range(60):
            file.write(b"1,2,3\n2,3,4\n" * (1 << 19))
    size = path.stat().st_size >> 10
    return f"{size} KiB that unpack to 360 MiB: {place.cli('data', 'describe', path.name)}"


def zips(place: Place) -> str:
    timed = (
        "import sys, time, matinee\n"
        "for n in (500, 2000):\n"
        "    began = time.process_time(); matinee.load(f'{n}.zip')\n"
        "    print(f'{n} members {time.process_time() - began:.1f} s', end=', ')"
    )
    for members in (500, 2000):
        with zipfile.ZipFile(place.folder / f"{members}.zip", "w") as archive:
            for n in range(members):
                archive.writestr(f"{n}.csv", f"user,item,rating\n{n},1,3\n{n},2,4\n")
    return place.code(timed)


def two_trainings(place: Place) -> str:
    place.start("train", "ratings.csv", "--set", "epochs=100000", "--out", "model")
    time.sleep(20.0)
    return place.train()


def streams(place: Place) -> str:
    python = f"{sys.executable} -m matinee"
    closed = said(place.run(["sh", "-c", f"{python} data list >&-"]))
    place.write("caf\u00e9.csv", "user,item,rating\n1,caf\u00e9,5\n2,b,4\n")
    plain = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    ascii_only = place.cli("data", "describe", "caf\u00e9.csv", **plain)
    home = place.run(place.command("data", "list", "--json"), HOME="", MATINEE_DATA="")
    root = '"/.cache' in home.stdout
    return f"closed stdout: {closed}; ASCII: {ascii_only}; HOME= puts data in /.cache: {root}"


BLOCKED = """
import numba.core.caching as c
for name in dir(c):
    if "InTreeCache" in name or "UserWideCache" in name:
        getattr(c, name).from_function = classmethod(lambda *a: None)
"""
FIT = (
    "import matinee, os\nratings = matinee.load('ratings.csv')\n"
    "def fit(): return matinee.model('base', hidden=[4], epochs=1).fit(ratings)\n"
)


def read_only(place: Place) -> str:
    """Neither the package nor the home can be written to."""
    return place.code(f"{BLOCKED}\n{FIT}fit()\nprint('trained')", NUMBA_CACHE_DIR="")


def fork(place: Place) -> str:
    text = (
        f"{FIT}fit()\npid = os.fork()\nif pid == 0:\n"
        "    try: fit(); print('trained', flush=True)\n"
        "    except Exception as error: print(type(error).__name__, str(error)[:90], flush=True)\n"
        "    os._exit(0)\n"
        "print('child ended with', os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))"
    )
    done = place.run(
        [sys.executable, "-c", text], NUMBA_THREADING_LAYER="omp", NUMBA_NUM_THREADS="2"
    )
    return " ".join((done.stdout + done.stderr).split())[:200].replace("|", "/")


def workqueue(place: Place) -> str:
    text = (
        f"{FIT}from concurrent.futures import ThreadPoolExecutor\nfit()\n"
        "with ThreadPoolExecutor(4) as pool:\n"
        "    list(pool.map(lambda _: fit(), range(12)))\nprint('trained')"
    )
    return place.code(text, NUMBA_THREADING_LAYER="workqueue", NUMBA_NUM_THREADS="2")


def targets(place: Place) -> str:
    makefile = (place.src.parent / "Makefile").read_text()
    found = [name for name in ("test-lowest", "audit", "dist") if f"\n{name}:" in makefile]
    return f"make targets: {', '.join(found) or 'none of test-lowest, audit, dist'}"


FAULTS: dict[str, Callable[[Place], str]] = {
    each.__name__: each
    for each in (
        leftover,
        titles,
        worker,
        full,
        late,
        watch,
        signed,
        nan_ids,
        zones,
        year,
        same_names,
        json_keys,
        host,
        headers,
        titles_printed,
        bomb,
        zips,
        two_trainings,
        streams,
        read_only,
        fork,
        workqueue,
        targets,
    )
}
