"""``matinee report`` as people run it."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import matinee
from matinee.cli.parts import find_test
from matinee.cli.source import Reading


def test_the_test_part_is_found_again(shell: Any, train: Any, catalogue: Path) -> None:
    out = shell.folder / "mine"
    train(catalogue / "ratings", "--holdout", "0.2", "--seed", "3", "--out", out)
    found, _, following = shell("report", out).stdout.partition("\n\nnext:\n")
    assert found == f"report: {out}-report.html"
    assert following.endswith(f"matinee serve {out}\n")
    page = Path(f"{out}-report.html").read_text("utf-8")
    metrics = matinee.load_model(out).record["metrics"]
    assert f"{metrics['rmse']:.4f}" in page
    for words in (
        "800 test ratings",
        "Mean rating by predicted rating",
        "RMSE by epoch",
        "Nearest items",
    ):
        assert words in page.replace('</span><span class="what">', " "), words
    assert "matinee train" in page
    assert "</html>" in page
    matinee.load_model(out)  # the page stands beside the folder, which is as it was


def test_a_named_split_is_found(shell: Any, trained: Path) -> None:
    answer = shell.json("report", trained, "--out", "page.html")
    assert (answer["report"], answer["test"]) == ("page.html", f"{trained.parent / 'parts'} test")


def test_without_test_ratings(shell: Any, train: Any, catalogue: Path) -> None:
    train(catalogue / "ratings", "--out", "all")
    done = shell("report", "all")
    assert "test ratings of this model are not at hand" in done.stderr
    assert "there is no score" in (shell.folder / "all-report.html").read_text("utf-8")


def test_a_pipe_is_not_read_again() -> None:
    """A report of a model that was trained from /dev/stdin would wait for it."""
    record = {"training": {"source": os.devnull}, "split": {"by": "random", "holdout": 0.1}}
    assert find_test(record, "", Reading({}, None)) is None


def test_ratings_that_changed_are_noticed(shell: Any, train: Any, catalogue: Path) -> None:
    table = shell.folder / "mine.csv"
    ratings = matinee.load(catalogue / "ratings")
    users = ratings.user_ids.decode(ratings.users)
    items = ratings.item_ids.decode(ratings.items)
    rows = [f"{u},{i},{v}" for u, i, v in zip(users, items, ratings.values, strict=True)]
    table.write_text("user_id,item_id,rating\n" + "\n".join(rows))
    train(table, "--holdout", "0.2", "--out", "mine")
    shell("report", "mine")
    table.write_text("user_id,item_id,rating\n" + "\n".join(rows[:-5]))
    message = shell.error("report", "mine", code=1)
    assert "does not give the ratings the model was trained on" in message
    assert "--test" in message


def test_scores_of_the_folder_where_the_ratings_are_gone(
    shell: Any, train: Any, catalogue: Path
) -> None:
    table = shell.folder / "gone.csv"
    ratings = matinee.load(catalogue / "ratings")
    users = ratings.user_ids.decode(ratings.users)
    items = ratings.item_ids.decode(ratings.items)
    rows = [f"{u},{i},{v}" for u, i, v in zip(users, items, ratings.values, strict=True)]
    table.write_text("user_id,item_id,rating\n" + "\n".join(rows))
    train(table, "--holdout", "0.2", "--out", "gone")
    manifest = json.loads((shell.folder / "gone" / "manifest.json").read_text("utf-8"))
    table.unlink()
    done = shell("report", "gone")
    assert "no such file" in done.stderr
    page = (shell.folder / "gone-report.html").read_text("utf-8")
    assert "computed when the model was trained" in page
    assert f"{manifest['metrics']['rmse']:.4f}" in page
    assert f"{manifest['metrics']['baselines']['bias']['rmse']:.4f}" in page
    assert f"{manifest['record']['lists']['ndcg@10']:.4f}" in page


def test_what_the_model_has_seen_is_refused(shell: Any, trained: Path, catalogue: Path) -> None:
    message = shell.error("report", trained, "--test", catalogue / "ratings", code=1)
    assert "3,200 of 4,000 test pairs" in message


def test_the_record_says_where_the_ratings_were(trained: Path, catalogue: Path) -> None:
    manifest = json.loads((trained / "manifest.json").read_text("utf-8"))
    reported = json.dumps(manifest)
    assert str(catalogue / "parts") in reported


def test_the_test_part_is_read_as_it_was_for_training(shell: Any, train: Any) -> None:
    rows = "".join(f"{u};{i};{1 + (u * i) % 5},5\n" for u in range(20) for i in range(10))
    Path("own.csv").write_text(f"who;what;much\n{rows}", encoding="utf-8")
    layout = ("--user", "who", "--item", "what", "--rating", "much", "--decimal", ",")
    train("own.csv", "--holdout", "0.2", "--out", "own", *layout)
    assert shell.json("report", "own")["test"] is not None
    message = shell.error("report", "own", "--decimal", ".", code=1)
    assert "rating '1,5' is not a number" in message
