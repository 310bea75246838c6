"""``matinee recommend`` as people run it."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest

import matinee
from matinee.cli.commands._recommend import _show


@pytest.fixture(scope="module")
def model(trained: Path) -> Any:
    return matinee.load_model(trained)


def test_known_users(shell: Any, trained: Path, model: Any) -> None:
    answer = shell.json("recommend", trained, "--user", 7, "--user", 3, "-k", 4)["recommendations"]
    assert [row["user_id"] for row in answer] == [7] * 4 + [3] * 4
    assert [row["rank"] for row in answer] == [1, 2, 3, 4] * 2
    assert answer == list(model.recommend(users=[7, 3], k=4).rows())
    shown = shell("recommend", trained, "--user", 7, "-k", 4).stdout
    assert shown.startswith("user 7\n")
    for row in answer[:4]:
        assert row["title"] in shown


def test_small_scores_are_shown_with_three_digits(
    capsys: pytest.CaptureFixture[str], model: Any
) -> None:
    table = model.recommend(users=[7], k=1)
    _show([replace(table, columns={**table.columns, "score": np.array([4.0e-9])})], [])
    assert " 4.00e-09 " in capsys.readouterr().out


def test_someone_new_by_title(shell: Any, trained: Path, model: Any) -> None:
    first, second = model.item_table.titles[:2]
    args = ["recommend", trained, "--rate", f"{first.lower()}=5", "--rate", "2=1", "-k", 3]
    done = shell.real(*args)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"rated: {first} 5; {second} 1\n")
    answer = shell.json(*args)
    assert answer["rated"] == [{"title": first, "rating": 5}, {"title": second, "rating": 1}]
    wanted = list(model.recommend([{1: 5, 2: 1}], k=3).rows())
    assert answer["recommendations"] == wanted
    assert {1, 2}.isdisjoint(row["item_id"] for row in wanted)
    seen = shell.json(*args[:-1], 90, "--include-seen")["recommendations"]
    assert len(seen) == 90


def test_ratings_as_histories_of_a_model_of_interactions_are_noted(
    shell: Any, tmp_path: Path
) -> None:
    clicks = {"user": [1, 1, 2, 2], "item": [1, 2, 2, 3]}
    folder = matinee.model("ease").fit(clicks).save(tmp_path / "lists")
    table = tmp_path / "h.csv"
    table.write_text("user,item,rating\nn,1,1\nn,2,5\n")
    noted = "every rating counts as a choice"
    assert noted in shell("recommend", folder, "--ratings", table).stderr
    assert noted not in shell("recommend", folder, "--ratings", table, "--relevant", 4).stderr


def test_titles_that_are_not_clear(shell: Any, trained: Path, model: Any) -> None:
    word = _shared_word(model.item_table.titles)
    message = shell.error("recommend", trained, "--rate", f"{word}=4", code=2)
    assert "could be" in message
    assert "[id " in message
    assert "zzzqqq" in shell.error("recommend", trained, "--rate", "zzzqqq=4", code=1)


def _shared_word(titles: Any) -> str:
    words = [word for title in titles for word in title.rsplit(" (", 1)[0].split()]
    return next(w for w in words if len(w) > 4 and words.count(w) > 1 and w not in titles)


def test_people_in_a_file(shell: Any, trained: Path, model: Any) -> None:
    Path("new.csv").write_text("user_id,item_id,rating\nme,1,5\nme,2,4\nyou,3,1\n")
    answer = shell.json("recommend", trained, "--ratings", "new.csv", "-k", 2)["recommendations"]
    wanted = model.recommend({"me": {1: 5, 2: 4}, "you": {3: 1}}, k=2)
    assert answer == list(wanted.rows())
    Path("odd.csv").write_text("who,film,stars\nme,1,5\nme,777,4\n")
    args = ("recommend", trained, "--ratings", "odd.csv", "--user-column", "who")
    args += ("--item", "film", "--rating", "stars")
    assert "with --user-column COL" in shell.error(*args[:4], code=1)
    message = shell.error(*args, code=1)
    assert "unknown item: 777" in message
    assert "--skip-unknown" in message
    done = shell(*args, "--skip-unknown", "--json", "-k", 1)
    assert "left out 1 unknown item: 777" in done.stderr
    alone = list(model.recommend({"me": {1: 5}}, k=1).rows())
    assert json.loads(done.stdout)["recommendations"] == alone


def test_everyone(shell: Any, trained: Path, model: Any) -> None:
    wanted = [row for table in model.recommend_all(k=3, exclude=[5]) for row in table.rows()]
    Path("not.txt").write_text("5\n")
    args = ("recommend", trained, "--all-users", "-k", 3, "--exclude", "not.txt")
    out = shell(*args, "--out", "top.parquet").stdout
    assert out == "360 recommendations for 120 people written to top.parquet\n"
    rows = duckdb.sql("from 'top.parquet'").fetchall()
    assert rows == [tuple(row.values()) for row in wanted]
    assert shell.json(*args)["recommendations"] == wanted
    streamed = list(csv.DictReader(io.StringIO(shell(*args).stdout)))
    assert [row["title"] for row in streamed] == [row["title"] for row in wanted]
    answer = shell.json(*args, "--out", "top.csv")
    assert (answer["rows"], answer["people"]) == (360, 120)
    assert Path("top.csv").read_text() == shell(*args).stdout


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("ids.txt", "4\n8\n\n15\n"),
        ("ids.csv", "item_id,note\n4,a\n8,b\n15,c\n"),
        ("ids.tsv", "note\tmovieId\na\t4\nb\t8\nc\t15\n"),
        ("ids;.csv", "item_id;note\n4;a, b\n;none\n8;b\n15;c\n"),
        ("titles.txt", None),
        ("ids.parquet", None),
    ],
)
def test_only_some_items(
    name: str, text: str | None, shell: Any, trained: Path, model: Any
) -> None:
    if name.endswith(".parquet"):
        duckdb.sql("copy (select unnest([4, 8, 15]) as item_id) to 'ids.parquet'")
    else:
        titles = model.item_table.titles[[3, 7, 14]]
        Path(name).write_text(text or "\n".join(titles))
    args = ("recommend", trained, "--user", 1, "--include-seen", "--only", name)
    answer = shell.json(*args)["recommendations"]
    assert sorted(row["item_id"] for row in answer) == [4, 8, 15]


def test_unknown_ids_are_named(shell: Any, trained: Path) -> None:
    message = shell.error("recommend", trained, "--user", "nobody", "--user", 1, code=1)
    assert "unknown user: nobody" in message
    done = shell("recommend", trained, "--user", "nobody", "--user", 1, "--skip-unknown")
    assert "left out 1 unknown user: nobody" in done.stderr
    assert done.stdout.startswith("user 1\n")
    Path("not.csv").write_text("item_id\n5\n4711\n")
    args = ("recommend", trained, "--user", 1, "--exclude", "not.csv")
    message = shell.error(*args, code=1)
    assert "not.csv" in message
    assert "4711" in message
    assert "1 unknown item in not.csv: 4711" in shell(*args, "--skip-unknown").stderr


@pytest.mark.parametrize(
    ("args", "code", "words"),
    [
        ([], 2, ["--user", "--rate", "--ratings", "--all-users"]),
        (["--user", "1", "--all-users"], 2, ["one of"]),
        (["--rate", "=5"], 2, ["TITLE=RATING"]),
        (["--rate", "1=good"], 2, ["TITLE=RATING"]),
        (["--rate", "1=nan"], 2, ["TITLE=RATING"]),
        (["--rate", "1=6"], 2, ["scale", "1 to 5"]),
        (["--rate", "1=5", "--rate", "1=4"], 2, ["twice"]),
        (["--user", "1", "-k", "0"], 2, ["k"]),
        (["--user", "1", "--out", "top.txt"], 2, [".parquet"]),
        (["--user", "1", "--only", "absent.txt"], 1, ["absent.txt"]),
        (["--user", "1", "--only", "empty.txt"], 1, ["empty.txt"]),
        (["--user", "1", "--only", "noise.bin"], 1, ["noise.bin"]),
        (["--user", "1", "--only", "broken.parquet"], 1, ["broken.parquet"]),
        (["--ratings", "absent.csv"], 1, ["absent.csv"]),
    ],
)
def test_wrong_requests(
    args: list[str], code: int, words: list[str], shell: Any, trained: Path
) -> None:
    Path("empty.txt").write_text("\n")
    Path("noise.bin").write_bytes(b"\xff\xfe\x00\x81")
    Path("broken.parquet").write_bytes(b"PAR1nothing")
    message = shell.error("recommend", trained, *args, code=code)
    for word in words:
        assert word in message
    assert not Path("top.txt").exists()


def test_who_has_rated_everything(shell: Any, trained: Path) -> None:
    Path("all.csv").write_text(
        "user_id,item_id,rating\n" + "".join(f"1,{i},3\n" for i in range(1, 91))
    )
    assert "nothing to recommend" in shell("recommend", trained, "--ratings", "all.csv").stdout


@pytest.mark.parametrize("who", [["--user", "7"], ["--rate", "2=5"], ["--all-users"]])
def test_answering_imports_no_library_that_training_needs(trained: Path, who: list[str]) -> None:
    """Torch takes two seconds to import, Numba half a second."""
    code = (
        "import sys; from matinee.cli import main\n"
        f"assert main(['recommend', {str(trained)!r}, *{who!r}]) == 0\n"
        "sys.exit(str({'torch', 'numba', 'pandas', 'pyarrow'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=600)
    assert done.stderr == "set()\n"
