from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from made_results import held, lost, results, run

from matinee.errors import UsageError
from matinee.evaluate.statistics.seeds import t_interval
from matinee.lab.study import (
    Results,
    RunRecord,
    claims_markdown,
    claims_table,
    compare,
    judge,
    summarise,
    summary_markdown,
    summary_table,
)
from matinee.lab.study.series import label

BASE, A, B = "base/base", "batch_size/8", "batch_size/64"


def curves(*lasts: float, key: str = "") -> list[RunRecord]:
    """Three epochs, the second the best; 0.9 at first, the last as given."""
    return [
        run(
            {"held_out": [0.9, last - 0.02, last], "reference": [0.9, 0.8, 0.7 + seed / 100]},
            key=f"{key}{seed}",
            seed=seed,
            rmse=last - 0.01,
            rmse_low=last - 0.03,
            rmse_high=last + 0.02,
            bias_rmse=0.909,
            **{"protocol.rounded": 0.95},
        )
        for seed, last in enumerate(lasts)
    ]


def made() -> Results:
    arms = {
        BASE: curves(0.87, 0.871, 0.872, key="base"),
        A: curves(0.90, 0.902, 0.901, key="a"),
        B: curves(0.86, 0.862, 0.861, key="b"),
    }
    return results(arms, base=BASE)


class TestSummarise:
    def test_figures_of_an_arm(self) -> None:
        arm = summarise(made()).of(A)
        assert arm is not None
        assert (arm.group, arm.name, arm.label) == ("batch_size", "8", "batch size 8")
        assert (arm.seeds, arm.diverged, arm.failed, arm.epochs) == ((0, 1, 2), 0, 0, 3)
        assert arm.last["held_out"].mean == pytest.approx(0.901)
        assert arm.last["held_out"].interval == pytest.approx(t_interval([0.90, 0.902, 0.901]))
        assert arm.last["reference"].mean == pytest.approx(0.71)
        assert "training" not in arm.last
        assert arm.best is not None
        assert (arm.best.mean, arm.best_epoch) == (pytest.approx(0.881), 2.0)
        assert arm.rmse is not None
        assert arm.rmse.mean == pytest.approx(0.891)
        assert arm.ratings_interval == pytest.approx((0.871, 0.921))
        assert arm.final["bias_rmse"].mean == pytest.approx(0.909)
        assert arm.final["protocol.rounded"].n == 3
        assert arm.seconds is not None
        assert (arm.parameters, arm.seconds.mean, arm.peak_mib) == (10, 3.0, 102.0)

    def test_order_is_that_of_the_file(self) -> None:
        result = made()
        turned = Results(result.study, dict(reversed(list(result.runs.items()))), 9)
        assert [arm.arm for arm in summarise(turned).arms] == [BASE, A, B]
        assert [arm.name for arm in summarise(turned).group("batch_size")] == ["8", "64"]
        assert (summarise(turned).finished, summarise(turned).expected) == (9, 9)

    def test_differences_to_the_base_arm_are_paired_and_corrected(self) -> None:
        summary = summarise(made())
        a, b, base = (summary.of(arm) for arm in (A, B, BASE))
        assert a is not None
        assert a.difference is not None
        assert b is not None
        assert b.difference is not None
        assert base is not None
        assert base.difference is None
        gaps = [0.03, 0.031, 0.029]
        assert a.difference.mean == pytest.approx(0.03)
        assert a.difference.interval == pytest.approx(t_interval(gaps))
        assert b.difference.mean == pytest.approx(-0.01)
        assert a.difference.p is not None
        assert a.difference.adjusted == pytest.approx(2 * a.difference.p)
        assert b.difference.adjusted == pytest.approx(b.difference.p)

    def test_arms_that_coincide_are_one_comparison(self) -> None:
        arms = {
            BASE: curves(0.87, 0.871, 0.872, key="base"),
            A: curves(0.90, 0.902, 0.901, key="a"),
            B: curves(0.90, 0.902, 0.901, key="a"),
            "other/base": curves(0.87, 0.871, 0.872, key="base"),
        }
        summary = summarise(results(arms, base=BASE))
        a, b, same = (summary.of(arm) for arm in (A, B, "other/base"))
        assert a is not None
        assert a.difference is not None
        assert a.difference.adjusted == a.difference.p
        assert b is not None
        assert b.difference == a.difference
        assert same is not None
        assert same.difference is None
        assert (summary.finished, summary.distinct) == (12, 6)

    def test_curves(self) -> None:
        arm = summarise(made()).of(A)
        assert arm is not None
        curve = arm.curves["held_out"]
        assert (curve.epochs, curve.n) == ((1, 2, 3), 3)
        assert curve.mean == pytest.approx((0.9, 0.881, 0.901))
        within = t_interval([0.90, 0.902, 0.901])
        assert within is not None
        assert (curve.low[2], curve.high[2]) == pytest.approx(within)

    def test_one_seed_has_no_intervals(self) -> None:
        arms = {BASE: curves(0.87, key="base"), A: curves(0.90, key="a")}
        arm = summarise(results(arms, base=BASE)).of(A)
        assert arm is not None
        assert arm.last["held_out"].interval is None
        assert arm.difference is not None
        assert (arm.difference.interval, arm.difference.p, arm.difference.adjusted) == (
            None,
            None,
            None,
        )
        curve = arm.curves["held_out"]
        assert (len(curve.mean), curve.low, curve.high) == (3, (), ())

    def test_diverged_and_failed_runs(self) -> None:
        arms = {
            BASE: held(0.87, 0.871, 0.872),
            A: lost(),
            B: [
                *held(0.8),
                run(key="x", seed=1, status="failed", error="training diverged: loss"),
                run(key="y", seed=2, status="failed", error="out of memory"),
            ],
        }
        summary = summarise(results(arms, base=BASE))
        a, b = summary.of(A), summary.of(B)
        assert a is not None
        assert (a.seeds, a.diverged, a.failed, a.best, a.rmse) == (
            (0, 1, 2),
            3,
            0,
            None,
            a.rmse,
        )
        assert list(a.last) == ["held_out"]
        assert a.last["held_out"].mean == math.inf
        assert a.curves == {}
        assert a.difference is not None
        assert (a.difference.mean, a.difference.p) == (math.inf, 0.0)
        assert b is not None
        assert (b.seeds, b.diverged, b.failed) == ((0, 1), 1, 1)
        assert b.last["held_out"].mean == math.inf
        assert b.curves["held_out"].n == 1

    def test_a_model_without_epochs(self) -> None:
        arms = {BASE: held(0.87, 0.871), A: [run(key=f"m{s}", seed=s, rmse=0.9) for s in range(2)]}
        arm = summarise(results(arms, base=BASE)).of(A)
        assert arm is not None
        assert (arm.epochs, arm.best, arm.best_epoch, arm.curves) == (0, None, None, {})
        assert arm.last["held_out"].mean == pytest.approx(0.9)
        assert arm.difference is not None
        assert arm.difference.mean == pytest.approx(0.0295)

    def test_published_figures_of_arms_and_groups(self) -> None:
        groups = [
            {"name": "base", "title": "", "arms": [{"name": "base", "published": {"test": 0.79}}]},
            {
                "name": "batch_size",
                "title": "",
                "key": "batch_size",
                "values": [8, 64],
                "published": {"8": {"train": 0.75, "test": 0.68}},
            },
        ]
        summary = summarise(results({a: held(0.9) for a in (BASE, A, B)}, groups=groups))
        by_name = {arm.arm: arm.published and arm.published.test for arm in summary.arms}
        assert by_name == {BASE: 0.79, A: 0.68, B: None}

    def test_an_arm_whose_runs_all_failed_has_no_figures(self) -> None:
        broken = [run(key="k", status="failed", error="out of memory")]
        arm = summarise(results({A: broken})).of(A)
        assert arm is not None
        assert (arm.failed, arm.seeds, arm.last, arm.rmse, arm.seconds) == (1, (), {}, None, None)

    def test_nothing_has_run(self) -> None:
        assert summarise(results({A: []})).arms == ()


class TestTables:
    def test_the_summary_as_a_table(self) -> None:
        table = summary_table(summarise(made()))
        rows = {row["arm"]: row for row in table.rows()}
        assert list(rows) == [BASE, A, B]
        row = rows[A]
        assert (row["data"], row["seeds"], row["epochs"]) == ("d", 3, 3)
        assert row["held_out"] == pytest.approx(0.901)
        assert row["held_out_low"] < 0.901 < row["held_out_high"]
        assert row["best_held_out"] == pytest.approx(0.881)
        assert row["difference"] == pytest.approx(0.03)
        assert 0 < row["p"] < 0.05
        assert math.isnan(row["training"])
        assert math.isnan(rows[BASE]["difference"])

    def test_it_can_be_written(self, tmp_path: Path) -> None:
        path = summary_table(summarise(made())).write(tmp_path / "s.csv")
        lines = path.read_text().splitlines()
        assert lines[0].startswith("arm,data,seeds,diverged,held_out,held_out_low")
        assert len(lines) == 4

    def test_markdown(self) -> None:
        text = summary_markdown(summarise(made()))
        lines = text.splitlines()
        assert lines[0].startswith(
            "| Arm | Seeds | Held-out RMSE | Mean of each run's best epoch (test-selected) |"
        )
        assert len({line.count("|") for line in lines}) == 1
        assert "| batch size 8 | 3 | 0.8910 ± 0.0025 | 0.881 at 2 |" in text
        assert "+0.0300 (" in text
        assert "−0.0100 (" in text

    def test_markdown_of_a_diverged_arm(self) -> None:
        text = summary_markdown(summarise(results({BASE: held(0.9, 0.91), A: lost(2)}, base=BASE)))
        assert "| batch size 8 | 2, 2 diverged | diverged |" in text

    def test_an_empty_summary(self) -> None:
        assert len(summary_table(summarise(results({A: []})))) == 0
        assert summary_markdown(summarise(results({A: []}))) == ""

    def test_claims(self) -> None:
        check = {"kind": "better", "arms": [B], "than": [A]}
        result = results({A: held(0.9, 0.901, 0.9), B: held(0.8, 0.8, 0.801)}, check)
        judgements = judge(result)
        (row,) = claims_table(judgements).rows()
        assert (row["id"], row["claim"], row["verdict"]) == ("1", "A claim.", "holds")
        assert row["low"] < row["estimate"] < row["high"]
        assert (
            claims_markdown(judgements)
            .splitlines()[2]
            .startswith(
                "| 1 | A claim. | **holds** | On held-out ratings batch size 64 is better than"
            )
        )
        assert len(claims_table([])) == 0


class TestCompare:
    def test_against_the_base_arm(self) -> None:
        table = compare(made())
        assert table["arm"].tolist() == [BASE, A, B]
        assert table["difference"][1:] == pytest.approx([0.03, -0.01])
        assert np.isnan(table["difference"][0])
        assert table["seeds"].tolist() == [3, 3, 3]
        assert (table["p"][1:] < 0.05).all()

    def test_against_another_arm_by_another_figure(self) -> None:
        table = compare(made(), base=A, figure="reference")
        assert table["arm"].tolist() == [A, BASE, B]
        assert table["difference"][1:] == pytest.approx([0.0, 0.0])
        assert table["p"][1:].tolist() == [1.0, 1.0]

    def test_what_is_not_there(self) -> None:
        with pytest.raises(UsageError, match="did you mean 'base/base'"):
            compare(made(), base="base/bas")
        with pytest.raises(UsageError, match="no data 'e'"):
            compare(made(), data="e")
        with pytest.raises(UsageError, match="--base"):
            compare(results({A: held(0.9)}))
        with pytest.raises(UsageError, match="has the figure 'valid'"):
            compare(made(), figure="valid")


@pytest.mark.parametrize(
    ("arm", "expected"),
    [
        ("batch_size/64", "batch size 64"),
        ("base/base", "base"),
        ("users/3,code_dropout=0.5", "users 3 with code dropout 0.5"),
        ("users/3,code_dropout=0,tied=on", "users 3 with code dropout 0 and tied on"),
        ("baseline/bias", "the bias baseline"),
    ],
)
def test_labels(arm: str, expected: str) -> None:
    assert label(arm) == expected
