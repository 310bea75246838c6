"""``matinee data`` as people run it: the real executable, its output and its exit codes."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import threading
import zipfile
from collections.abc import Callable
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest

from matinee.cli import main

MATINEE = Path(sys.executable).with_name("matinee.exe" if os.name == "nt" else "matinee")

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    def call(*args: object, **more: str) -> subprocess.CompletedProcess[str]:
        folder = {
            "MATINEE_DATA": str(tmp_path / "home"),
            "XDG_CONFIG_HOME": str(tmp_path / "config"),
            "NO_COLOR": "1",
            "COLUMNS": "100",
        }
        return subprocess.run(
            [MATINEE, "data", *map(str, args)],
            cwd=tmp_path,
            env={**os.environ, **folder, **more},
            capture_output=True,
            text=True,
            encoding="utf-8",
            check=False,
        )

    return call


@pytest.fixture
def inside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Run:
    """The same without a process of its own: quicker, for what needs many calls."""
    monkeypatch.chdir(tmp_path)

    def call(*args: object) -> subprocess.CompletedProcess[str]:
        # Not before: real_data looks below MATINEE_DATA too.
        monkeypatch.setenv("MATINEE_DATA", str(tmp_path / "home"))
        monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
        code = main(["data", *map(str, args)])
        return subprocess.CompletedProcess(args, code, *capsys.readouterr())

    return call


def done(result: subprocess.CompletedProcess[str], code: int = 0) -> str:
    assert result.returncode == code, result.stderr
    assert "Traceback" not in result.stderr
    return result.stdout


def one_object(result: subprocess.CompletedProcess[str], code: int = 0) -> dict[str, Any]:
    answer = json.loads(done(result, code))
    assert isinstance(answer, dict)
    return answer


@pytest.fixture
def table(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    pairs = rng.choice(30 * 20, size=300, replace=False)
    columns = pairs // 20, pairs % 20, rng.integers(1, 6, 300), rng.integers(0, 10**9, 300)
    path = tmp_path / "ratings.csv"
    text = "".join(f"{u},{i},{r},{t}\n" for u, i, r, t in zip(*columns, strict=True))
    path.write_text("userId,movieId,rating,timestamp\n" + text)
    (tmp_path / "movies.csv").write_text(
        "movieId,title,genres\n" + "".join(f"{i},Film {i},War|Drama\n" for i in range(20))
    )
    return path


def test_list_add_forget(inside: Run, table: Path) -> None:
    text = done(inside("list"))
    assert "ml-32m" in text
    assert "32,000,204" in text
    assert done(inside("add", "mine", "ratings.csv")) == f"mine now means {table}\n"
    answer = one_object(inside("list", "--json"))
    assert [row["name"] for row in answer["catalogue"]][:2] == ["ml-100k", "ml-1m"]
    assert answer["catalogue"][0]["path"] is None
    assert answer["added"] == [{"name": "mine", "path": str(table), "exists": True}]
    assert "ml-100k/u1" in [row["name"] for row in answer["splits"]]
    assert one_object(inside("describe", "mine", "--json"))["ratings"] == 300
    assert one_object(inside("forget", "mine", "--json"))["path"] == str(table)
    failed = inside("forget", "mine")
    assert done(failed, 2) == ""
    assert failed.stderr == "matinee: error: 'mine' is not a name given by add\n"


def test_describe(run: Run, table: Path) -> None:
    answer = one_object(run("describe", table, "--json"))
    assert (answer["users"], answer["items"], answer["ratings"], answer["titles"]) == (
        30,
        20,
        300,
        20,
    )
    assert sum(bar["count"] for bar in answer["histogram"]) == 300
    text = done(run("describe", table))
    assert "50.000%" in text
    assert "20 (20 with a title)" in text
    assert "MiB" in text
    # Nothing is lost where the terminal knows no blocks.
    assert "#" in done(run("describe", table, PYTHONIOENCODING="ascii"))


def test_several_files_are_a_glob(inside: Run, table: Path) -> None:
    assert "by a glob in quotes" in inside("describe", table, table).stderr


def test_describe_interactions(inside: Run, tmp_path: Path) -> None:
    path = tmp_path / "visits.csv"
    path.write_text("session_id,sku,clicked_at\na,x,2026-03-01\na,y,2026-03-01\nb,x,2026-03-02\n")
    text = done(inside("describe", path))
    assert "interactions per" in text
    assert "2026-03-01" in text
    # Every interaction weighs 1: there is no scale, mean or histogram to show.
    assert not any(word in text for word in ("scale", "weight", "share"))
    path.write_text("user,item,plays\na,x,1\na,y,3\nb,x,1\n")
    text = done(inside("describe", path))
    assert "weights         1 to 3" in text
    assert "share" in text


def test_columns_scale_repeats_and_sql(inside: Run, tmp_path: Path) -> None:
    run = inside
    path = tmp_path / "odd.csv"
    path.write_text("a,b,c\n1,1,1\n1,2,5\n2,1,3\n2,1,4\n")
    mapped = ("--user", "a", "--item", "b", "--rating", "c", "--json")
    result = run("describe", path, *mapped)
    assert result.stderr == ""
    assert one_object(result)["notes"][0].startswith("1 repeated rating ")
    assert one_object(run("describe", path, *mapped, "--repeats", "mean"))["mean"] == pytest.approx(
        (1 + 5 + 3.5) / 3
    )
    assert one_object(run("describe", path, *mapped, "--scale", "0:10"))["high"] == 10
    done(run("describe", path, *mapped, "--scale", "1:4"), 1)
    done(run("describe", path, *mapped, "--scale", "4"), 2)
    done(run("describe", path, *mapped, "--repeats", "first"), 2)
    query = f"select a as user_id, b as item_id, c as rating from '{path}'"
    assert one_object(run("describe", "--sql", query, "--json"))["ratings"] == 3
    done(run("describe", path, "--sql", query), 2)
    done(run("describe"), 2)


def test_errors_are_messages(inside: Run, table: Path) -> None:
    for args, code, message in (
        (("describe", "no-such.csv"), None, "no-such.csv"),
        (("get", "ml-1n"), 2, "did you mean 'ml-1m'"),
        (("split", table), 2, "--out"),
        (("split", table, "--out", "x", "--by", "tyme"), 2, "did you mean 'time'"),
        (("split", table, "--out", "x", "--holdout", "-1"), 2, "holdout"),
        (("split", table, "--out", table), 2, "is read by the same command"),
        (("audit", "no-such-split"), 2, "no-such-split"),
        (("synth", "x", "--shape", "netflux"), 2, "did you mean 'netflix'"),
        (("synth", "x", "--users", "1"), 2, "users"),
        (("describ", table), 2, "describe"),
    ):
        result = inside(*args)
        assert result.returncode in ((code,) if code else (1, 2)), result.stderr
        assert result.stdout == ""
        assert any(line.startswith("matinee: error: ") for line in result.stderr.splitlines())
        assert message in result.stderr
        assert "Traceback" not in result.stderr


def test_split_then_audit(run: Run, inside: Run, table: Path, tmp_path: Path) -> None:
    manifest = one_object(
        run(
            "split", table, "--out", "parts", "--by", "last", "--holdout", 2, "--valid", 1, "--json"
        )
    )
    assert manifest["out"] == "parts"
    assert manifest["protocol"] == {"by": "last", "seed": 0, "holdout": 2, "valid": 1}
    assert {name: part["ratings"] for name, part in manifest["parts"].items()} == {
        "train": 210, "valid": 30, "test": 60,
    }  # fmt: skip
    clean = inside("audit", "parts/train.parquet", "parts/test.parquet")
    assert "Clean" in done(clean)
    assert one_object(inside("audit", "parts", "--json"))["contaminated"] is False
    dirty = one_object(run("audit", table, "parts/test.parquet", "--json"), 1)
    assert (dirty["contaminated"], dirty["overlap"], len(dirty["overlap_examples"])) == (
        True,
        60,
        3,
    )
    text = done(inside("audit", table, "parts/test.parquet"), 1)
    first = dirty["overlap_examples"][0]
    assert f"({first[0]}, {first[1]})" in text
    assert "Contaminated" in text
    twin = tmp_path / "twin.csv"
    twin.write_bytes(table.read_bytes())
    assert "the same file" in done(inside("audit", table, twin), 1)


def test_reading_options_of_a_folder_with_train_and_test(inside: Run, tmp_path: Path) -> None:
    folder = tmp_path / "parts"
    folder.mkdir()
    rows = {"train": ["1;10;4,5", "1;11;3", "2;10;5"], "test": ["2;11;-1", "2;12;2,5"]}
    for part, lines in rows.items():
        (folder / f"{part}.csv").write_text("\n".join(["exported today", "a;b;c", *lines]) + "\n")
    done(inside("audit", folder), 1)
    layout = ("--delimiter", ";", "--skip", 1, "--decimal", ",", "--missing", "-1")
    mapped = ("--user", "a", "--item", "b", "--rating", "c")
    audit = one_object(inside("audit", folder, *layout, *mapped, "--json"))
    assert (audit["n_train"], audit["n_test"]) == (3, 1)
    done(inside("audit", folder, *layout, *mapped, "--scale", "1:2"), 1)


def test_a_named_split_is_not_divided_again(inside: Run) -> None:
    refused = inside("split", "ml-100k/u1", "--out", "u1", "--holdout", 0.3)
    assert refused.returncode == 2
    assert "ml-100k/u1: divided already; leave out --by" in refused.stderr
    for option in (("--k-core", 5), ("--relevant", 4), ("--scale", "1:5"), ("--skip", 1)):
        refused = inside("split", "ml-100k/u1", "--out", "u1", *option)
        assert refused.returncode == 2
        assert f"{option[0]}: ml-100k/u1 is a split that is read in one way" in refused.stderr


def test_split_by_moments_users_and_folds(inside: Run, table: Path) -> None:
    run = inside
    cuts = ("--at", "1980-01-01", "--at", "1990-01-01")
    text = done(run("split", table, "--out", "a", "--by", "time", *cuts))
    assert "valid" in text
    assert "1990-" in text
    answer = one_object(
        run("split", table, "--out", "b", "--by", "users", "--holdout", 5, "--given", 0.5, "--json")
    )
    assert answer["parts"]["given"]["users"] == answer["parts"]["test"]["users"] == 5
    answer = one_object(run("split", table, "--out", "c", "--by", "kfold", "--folds", 3, "--json"))
    assert list(answer["parts"])[-1] == "fold-3/test"


def test_synth(run: Run, inside: Run) -> None:
    size = ("--users", 50, "--items", 40, "--ratings", 600)
    text = done(run("synth", "made", *size, "--seed", 3))
    assert "best reachable RMSE: 0." in text
    answer = one_object(inside("synth", "half", *size, "--set", "step=0.5", "--json"))
    assert answer["config"]["step"] == 0.5
    assert 0 < answer["floor"] < answer["std"]
    assert one_object(inside("describe", "made", "--json"))["ratings"] == 600
    done(inside("synth", "x", "--set", "stepp=1"), 2)


def test_get_from_a_mirror(inside: Run, tmp_path: Path) -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as out:
        out.writestr(
            "ml-latest-small/ratings.csv",
            "userId,movieId,rating,timestamp\n1,1,4.0,5\n1,2,3.0,6\n2,1,1.0,7\n",
        )
    served = tmp_path / "served"
    served.mkdir()
    (served / "ml-latest-small.zip").write_bytes(file.getvalue())
    (served / "ml-1m.zip").write_bytes(file.getvalue())

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(served)))
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        url = f"http://127.0.0.1:{server.server_port}"
        small = ("get", "ml-latest-small", "--url", f"{url}/ml-latest-small.zip", "--json")
        folder = tmp_path / "home" / "ml-latest-small"
        assert one_object(inside(*small)) == {
            "name": "ml-latest-small", "path": str(folder), "downloaded": True,
        }  # fmt: skip
        assert one_object(inside(*small))["downloaded"] is False
        assert one_object(inside("describe", "ml-latest-small", "--json"))["ratings"] == 3
        wrong = inside("get", "ml-1m", "--url", f"{url}/ml-1m.zip")
        assert done(wrong, 1) == ""
        assert "not c4d9eecfca2ab87c1945afe126590906 as published" in wrong.stderr
        assert "404" in inside("get", "ml-20m", "--url", f"{url}/ml-20m.zip").stderr
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    assert [path.name for path in (tmp_path / "home").iterdir()] == ["ml-latest-small"]


def test_no_torch(run: Run, table: Path) -> None:
    # It takes longer to import than all of this. DuckDB before 2 imports pandas by itself where it
    # scans a column of texts.
    slow = {"torch", "polars"}
    slow |= {"pandas", "pyarrow"} if int(duckdb.__version__.split(".")[0]) >= 2 else set()
    script = (
        "import sys\nfrom matinee.cli import main\n"
        f"assert main(['data', 'describe', {str(table)!r}]) == 0\n"
        f"assert main(['data', 'split', {str(table)!r}, '--out', {str(table) + '.d'!r}]) == 0\n"
        f"assert not {slow!r} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True, stdout=subprocess.DEVNULL)


@pytest.mark.parametrize(
    "command", ["list", "add", "forget", "get", "describe", "split", "audit", "synth"]
)
def test_every_option_has_help(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    from matinee.cli._app import command_tree

    result = command_tree().get_command(None, "data").get_command(None, command)
    assert result.help
    for parameter in result.params:
        assert getattr(parameter, "help", None), f"{command} {parameter.name}"
    assert main(["data", command, "--help"]) == 0
    assert "--json" in capsys.readouterr().out


def test_real_named_split_and_audit(
    inside: Run, real_data: Callable[[str], Path], tmp_path: Path
) -> None:
    done(inside("add", "ml-100k", real_data("ml-100k")))
    answer = one_object(inside("split", "ml-100k/u1", "--out", "u1", "--json"))
    assert answer["parts"]["train"]["ratings"] == 80_000
    assert answer["parts"]["test"]["ratings"] == 20_000
    assert answer["source"]["ratings"] == 100_000
    assert one_object(inside("audit", "ml-100k/u1", "--json"))["overlap"] == 0
    dirty = one_object(inside("audit", "ml-100k", "u1/test.parquet", "--json"), 1)
    assert dirty["overlap"] == 20_000


def test_steps_from_ratings_to_interactions(tmp_path: Path, inside: Run) -> None:
    path = tmp_path / "r.csv"
    rows = [f"{u},{i},{(u * i) % 7 - 1}" for u in range(1, 20) for i in range(1, 15)]
    path.write_text("user,item,rating\n" + "\n".join(rows) + "\n")
    answer = one_object(inside("describe", path, "--missing", "-1,0", "--json"))
    assert (answer["low"], answer["implicit"]) == (1, False)
    steps = ("--missing", "-1,0", "--relevant", "4", "--k-core", "3")
    answer = one_object(inside("describe", path, *steps, "--json"))
    assert answer["implicit"]
    assert answer["per_user"]["low"] >= 3
    assert len(answer["notes"]) == 3
    out = tmp_path / "out"
    done(inside("split", path, *steps, "--by", "people", "--given", "0.5", "--out", out))
    assert one_object(inside("describe", out / "given.parquet", "--json"))["implicit"]
    assert one_object(inside("audit", out, "--json"))["contaminated"] is False
    (out / "given.parquet").write_bytes((out / "test.parquet").read_bytes())
    leaked = one_object(inside("audit", out, "--json"), 1)
    assert leaked["contaminated"]
    assert (leaked["overlap"], leaked["given_overlap"]) == (0, leaked["n_test"])
    done(inside("describe", path, "--missing", "none"), 2)
    done(inside("split", path, "--by", "peple", "--out", out), 2)
