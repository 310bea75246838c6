"""``matinee evaluate`` as people run it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import matinee
from drift import drifting


def test_the_whole_score(shell: Any, trained: Path, catalogue: Path) -> None:
    out = shell("evaluate", trained, "--test", catalogue / "parts").stdout
    for text in (
        "800 ratings by ",
        "RMSE  95% interval",
        "global_mean",
        "user and item known",
        "ratings the user gave",
        "mean over users",
    ):
        assert text in out, out
    assert "WARNING" not in out


def test_json(shell: Any, trained: Path, catalogue: Path) -> None:
    done = shell.real("evaluate", trained, "--test", catalogue / "parts" / "test.parquet", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    answer = json.loads(done.stdout)
    score = matinee.load_model(trained).evaluate(matinee.load(catalogue / "parts" / "test.parquet"))
    assert answer["rmse"] == pytest.approx(score.rmse, abs=1e-12)
    assert answer["mae"] == pytest.approx(score.mae, abs=1e-12)
    assert answer["rmse_interval"] == pytest.approx(list(score.rmse_interval or ()), abs=1e-12)
    low, high = answer["rmse_interval"]
    assert low < answer["rmse"] < high
    assert set(answer["baselines"]) == {"global_mean", "item_mean", "bias"}
    assert (answer["n_train"] + answer["n_valid"], answer["n_test"]) == (3200, 800)
    assert answer["n_valid"] > 0
    assert (answer["epochs_run"], answer["best_epoch"], answer["preset"]) == (4, 4, "default")
    assert answer["config"]["network"]["hidden"] == [8]
    assert answer["coverage"]["known"]["n"] + answer["coverage"]["unknown"]["n"] == 800
    assert sum(row["n"] for row in answer["by_history"]) == 800


@pytest.mark.parametrize("command", ["evaluate", "report"])
def test_a_seed_below_zero_is_refused(shell: Any, trained: Path, command: str) -> None:
    assert "--seed" in shell.error(command, trained, "--test", "x", "--seed", "-1", code=2)


def test_what_the_model_has_seen_is_refused(shell: Any, trained: Path, catalogue: Path) -> None:
    test = catalogue / "ratings"
    message = shell.error("evaluate", trained, "--test", test, code=1)
    assert "3,200 of 4,000 test pairs" in message
    assert message.count("user ") == 3
    assert "--allow-overlap" in message
    shown = shell("evaluate", trained, "--test", test, "--allow-overlap").stdout
    assert "WARNING: the model has seen 3,200 of these 4,000 ratings" in shown
    answer = shell.json("evaluate", trained, "--test", test, "--allow-overlap")
    assert answer["overlap"]["count"] == 3200
    assert len(answer["overlap"]["examples"]) == 3
    assert "the score is invalid" in answer["notes"][0]


def test_unknown_users_are_counted_apart(shell: Any, trained: Path) -> None:
    Path("some.csv").write_text("who,what,stars\n1,9999,4\nnobody,1,3\nnobody,2,5\n")
    columns = ("--user", "who", "--item", "what", "--rating", "stars")
    answer = shell.json("evaluate", trained, "--test", "some.csv", *columns)
    assert answer["coverage"]["unknown"]["n"] == 3
    assert (answer["coverage"]["unknown_users"], answer["coverage"]["unknown_items"]) == (1, 1)
    shown = shell("evaluate", trained, "--test", "some.csv", *columns).stdout
    assert "1 users, 1 items" in shown


def test_a_warning_is_bold_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    from matinee.cli import output as _output

    monkeypatch.delenv("NO_COLOR", raising=False)
    assert _output.bold("x") == "x"
    monkeypatch.setattr(_output.sys.stdout, "isatty", lambda: True, raising=False)
    assert _output.bold("x") == "\x1b[1mx\x1b[0m"
    monkeypatch.setenv("NO_COLOR", "1")
    assert _output.bold("x") == "x"


@pytest.mark.parametrize(
    ("model", "test", "code", "word"),
    [
        ("absent", "parts", 1, "absent: no such folder"),
        ("parts", "parts", 1, "Matinee model"),
        ("model", "absent.csv", 1, "absent.csv"),
        ("model", "absent", 2, "absent"),
    ],
)
def test_wrong_requests(
    model: str, test: str, code: int, word: str, shell: Any, catalogue: Path, trained: Path
) -> None:
    test_path = catalogue / test if test == "parts" else Path(test)
    assert word in shell.error("evaluate", catalogue / model, "--test", test_path, code=code)


def test_a_test_set_is_needed(shell: Any, trained: Path) -> None:
    assert "--test" in shell.error("evaluate", trained, code=2)


def test_lists(shell: Any, trained: Path, catalogue: Path) -> None:
    out = shell("evaluate", trained, "--test", catalogue / "parts", "--lists", "--k", "5").stdout
    for text in ("at 5", "nDCG", "popularity", "items in the history", "RecTools", "none sampled"):
        assert text in out, out
    assert "at 10" not in out


def test_lists_as_json_and_trec(shell: Any, trained: Path, catalogue: Path, tmp_path: Path) -> None:
    test = catalogue / "parts" / "test.parquet"
    args = ("evaluate", trained, "--test", test, "--lists", "--k", "3,5", "--relevant", "3")
    answer = shell.json(*args, "--trec", tmp_path / "trec")
    score = matinee.load_model(trained).evaluate_lists(matinee.load(test), k=(3, 5), relevant=3)
    assert answer["ndcg@5"] == pytest.approx(score.value("ndcg", 5), abs=1e-12)
    assert (answer["cutoffs"], answer["relevant"]) == ([3, 5], 3)
    assert answer["baselines"]["popularity"]["ndcg@3_gain_interval"] is not None
    run = [line.split() for line in (tmp_path / "trec" / "run.txt").read_text().splitlines()]
    assert all(len(row) == 6 and row[1] == "Q0" for row in run)
    measures = pytest.importorskip("ir_measures", reason="ir-measures is not installed")
    ndcg = measures.parse_measure("nDCG@5")
    expected = measures.calc_aggregate(
        [ndcg],
        measures.read_trec_qrels(str(tmp_path / "trec" / "qrels.txt")),
        measures.read_trec_run(str(tmp_path / "trec" / "run.txt")),
    )
    assert answer["ndcg@5"] == pytest.approx(expected[ndcg], abs=1e-12)


@pytest.mark.parametrize(
    ("options", "text"),
    [
        (("--k", "5"), "--lists"),
        (("--lists", "--k", "5,x"), "as in 10,20"),
        (("--lists", "--k", "0"), "at least 1"),
    ],
)
def test_wrong_requests_of_lists(
    shell: Any, trained: Path, catalogue: Path, options: tuple[str, ...], text: str
) -> None:
    message = shell.error("evaluate", trained, "--test", catalogue / "parts", *options, code=2)
    assert text in message


def test_histories_updated_in_order_of_time(shell: Any, trained: Path, catalogue: Path) -> None:
    test = catalogue / "parts" / "test.parquet"
    answer = shell.json("evaluate", trained, "--test", test, "--update")
    score = matinee.load_model(trained).evaluate(matinee.load(test), update=True)
    assert answer["rmse"] == pytest.approx(score.rmse, abs=1e-12)
    assert answer["baselines"]["frozen"]["rmse"] == pytest.approx(
        shell.json("evaluate", trained, "--test", test)["rmse"], abs=1e-12
    )
    assert "frozen" in shell("evaluate", trained, "--test", test, "--update").stdout
    message = shell.error("evaluate", trained, "--test", test, "--update", "--lists", code=2)
    assert "--update scores predicted ratings" in message


def test_ratings_after_training_are_scored_with_a_time_offset(shell: Any) -> None:
    ratings = drifting()
    parts = matinee.split(ratings, holdout=0.2, by="time")
    for name, part in zip(("train", "test"), parts, strict=True):
        columns = part.user_ids.decode(part.users), part.item_ids.decode(part.items)
        rows = zip(*columns, part.values.tolist(), part.times.tolist(), strict=True)
        lines = ["user,item,rating,timestamp", *(",".join(map(str, row)) for row in rows)]
        (shell.folder / f"{name}.csv").write_text("\n".join(lines))
    out = shell.folder / "model"
    done = shell.real("train", "train.csv", "--set=kind=bias", "--test=test.csv", "--out", out)
    assert done.returncode == 0, done.stderr
    assert "no_time_offset" in done.stdout
    done = shell.real("evaluate", out, "--test", "test.csv", "--json")
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    without = answer["baselines"]["no_time_offset"]
    assert answer["rmse"] < without["rmse"] - 0.02
    assert any("a time offset" in note for note in answer["notes"])
    plain = shell.json("evaluate", out, "--test", "test.csv", "--no-time-offset")
    assert plain["rmse"] == without["rmse"]
    assert "no_time_offset" not in plain["baselines"]
    shown = shell("evaluate", out, "--test", "test.csv").stdout
    assert "no_time_offset" in shown
    assert "note: All test ratings are later than those of training" in shown
