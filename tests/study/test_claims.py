from __future__ import annotations

import math
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np
import pytest
from hypothesis import given, strategies as st
from made_results import both, held, lost, results, run

from matinee.errors import UsageError
from matinee.evaluate import Answer, Interval
from matinee.lab.study import Check, Judgement, Results, RunRecord, judge
from matinee.lab.study._find import find_study, study_names
from matinee.lab.study.claims._facts import slope
from matinee.lab.study.results import BASELINES
from matinee.lab.study.series import declared, expand

HOLDS, NOT, ONLY, OPEN = (
    "holds",
    "does not hold",
    "holds only on training ratings",
    "cannot tell",
)
A, B, C = "g/a", "g/b", "g/c"
NOISE = (0.0, 0.001, -0.001)


def three(value: float) -> list[float]:
    """A figure on three seeds that vary a little."""
    return [value + noise for noise in NOISE]


def wild(value: float) -> list[float]:
    """A figure on three seeds that vary much, each arm its own way."""
    return [value - 0.1, value + 0.15, value + 0.002]


def verdict(results: Results) -> str:
    (judgement,) = judge(results)
    return judgement.verdict


def of(results: Results) -> Judgement:
    (judgement,) = judge(results)
    return judgement


BETTER = {"kind": "better", "arms": [A], "than": [B]}


class TestBetter:
    def test_holds(self) -> None:
        j = of(results({A: held(*three(0.85)), B: held(0.95, 0.951, 0.951)}, BETTER))
        assert j.verdict == j.leaning == HOLDS
        assert j.estimate == pytest.approx(0.1 + 0.002 / 3, abs=1e-9)
        assert j.interval is not None
        assert 0 < j.interval.low < j.estimate < j.interval.high
        assert j.seeds == 3
        assert j.sentence == (
            "On held-out ratings g a is better than g b by 0.101 "
            f"(95% interval {j.interval.low:.3f} to {j.interval.high:.3f})."
        )

    def test_does_not_hold(self) -> None:
        made = results({A: both(three(0.95), three(0.5)), B: both(three(0.85), wild(0.5))}, BETTER)
        assert verdict(made) == NOT
        assert of(made).sentence.startswith("On held-out ratings g b is better than g a by 0.100")

    def test_holds_only_on_training_ratings(self) -> None:
        made = results(
            {A: both([0.95, 0.952, 0.951], three(0.5)), B: both(three(0.85), [0.7, 0.71, 0.701])},
            BETTER,
        )
        j = of(made)
        assert j.verdict == ONLY
        assert j.estimate is not None
        assert j.estimate < 0
        assert "On held-out ratings g b is better than g a by" in j.sentence
        assert (
            "only on the training ratings (the reference's figure) is it as claimed: g a is "
            in (j.sentence)
        )
        assert "g a is better than g b by 0.20" in j.sentence
        assert [c.figure for c in j.comparisons + j.training] == ["held_out", "reference"]

    def test_cannot_tell_what_may_be_chance(self) -> None:
        j = of(results({A: held(*wild(0.85)), B: held(*three(0.86))}, BETTER))
        assert j.verdict == OPEN
        assert j.leaning in (HOLDS, NOT)
        assert j.interval is not None
        assert j.interval.low < 0 < j.interval.high
        assert "which may be chance" in j.sentence

    def test_established_in_training_but_open_held_out_is_undecided(self) -> None:
        made = results({A: both(wild(0.9), three(0.5)), B: both(three(0.9), three(0.7))}, BETTER)
        assert verdict(made) == OPEN

    def test_the_difference_has_to_reach_by(self) -> None:
        arms = {A: held(*three(0.90)), B: held(0.95, 0.952, 0.950)}
        assert verdict(results(arms, {**BETTER, "by": 0.02})) == HOLDS
        j = of(results(arms, {**BETTER, "by": 0.08}))
        assert j.verdict == NOT
        assert "no more than the 0.08 that would count" in j.sentence
        assert verdict(results(arms, {**BETTER, "by": 0.0508})) == OPEN

    def test_seeds_are_paired(self) -> None:
        """The seeds differ far more than the arms: only pairs can tell."""
        made = results({A: held(0.70, 0.90, 0.80), B: held(0.71, 0.911, 0.8105)}, BETTER)
        assert verdict(made) == HOLDS

    def test_the_decisive_one_is_the_closest_of_those_that_hold(self) -> None:
        arms = {A: held(*three(0.8)), B: held(0.9, 0.9, 0.901), C: held(0.82, 0.821, 0.82)}
        j = of(results(arms, {**BETTER, "than": ["g"]}))
        assert j.verdict == HOLDS
        assert "better than g c" in j.sentence
        assert "the closest of 2 comparisons" in j.sentence

    def test_of_those_that_do_not_hold_it_is_the_worst(self) -> None:
        arms = {A: held(*three(0.9)), B: held(0.89, 0.892, 0.89), C: held(0.8, 0.805, 0.80)}
        j = of(results(arms, {**BETTER, "than": ["g"]}))
        assert j.verdict == NOT
        assert "g c is better than g a by" in j.sentence

    def test_coinciding_arms_are_no_rivals(self) -> None:
        same = [run({"held_out": v}, key=f"k{s}", seed=s) for s, v in enumerate(three(0.8))]
        arms = {A: same, B: same, C: held(0.9, 0.901, 0.901)}
        j = of(results(arms, {**BETTER, "than": ["g"]}))
        assert (j.verdict, len(j.comparisons)) == (HOLDS, 1)

    def test_negate(self) -> None:
        check = {**BETTER, "negate": True}
        assert verdict(results({A: held(*three(0.9)), B: held(0.8, 0.801, 0.8)}, check)) == HOLDS
        assert verdict(results({A: held(*three(0.8)), B: held(0.9, 0.901, 0.9)}, check)) == NOT
        assert verdict(results({A: held(*wild(0.8)), B: held(*three(0.8))}, check)) == OPEN
        only = {A: both([0.8, 0.802, 0.8], three(0.9)), B: both(three(0.9), [0.8, 0.8, 0.801])}
        assert verdict(results(only, check)) == ONLY

    def test_a_figure_named_is_the_only_one_judged(self) -> None:
        arms = {A: both(three(0.9), three(0.5)), B: both(three(0.8), [0.6, 0.601, 0.602])}
        j = of(results(arms, {**BETTER, "figure": "reference"}))
        assert (j.verdict, j.figure, j.training) == (HOLDS, "reference", ())


class TestBest:
    CHECK: ClassVar[dict[str, Any]] = {"kind": "best", "arms": [A], "than": ["g"]}

    def arms(self, *means: float) -> dict[str, list[dict[str, float]]]:
        shapes = ([0.0, 0.001, -0.001], [0.0, 0.0, 0.001], [0.001, 0.0, 0.0])
        return {
            arm: held(*(mean + noise for noise in shape))
            for arm, mean, shape in zip((A, B, C), means, shapes, strict=True)
        }

    def test_verdicts(self) -> None:
        assert verdict(results(self.arms(0.7, 0.8, 0.9), self.CHECK)) == HOLDS
        assert verdict(results(self.arms(0.8, 0.7, 0.9), self.CHECK)) == NOT
        assert verdict(results(self.arms(0.8, 0.8003, 0.9), self.CHECK)) == OPEN

    def test_only_on_training(self) -> None:
        arms = {
            A: both([0.9, 0.901, 0.9], [0.5, 0.501, 0.5]),
            B: both([0.8, 0.802, 0.8], [0.6, 0.6, 0.601]),
            C: both([0.85, 0.85, 0.851], [0.7, 0.703, 0.7]),
        }
        j = of(results(arms, self.CHECK))
        assert j.verdict == ONLY
        assert j.sentence.startswith("On held-out ratings g b is better than g a by 0.100")

    def test_a_group_arm_without_runs_keeps_it_open(self) -> None:
        made = results({A: held(*three(0.7)), B: held(0.8, 0.8, 0.801), C: []}, self.CHECK)
        j = of(made)
        assert (j.verdict, j.missing) == (OPEN, (C,))
        assert "there are no records of g c" in j.sentence

    def test_but_what_is_refuted_needs_no_more_runs(self) -> None:
        made = results({A: held(*three(0.8)), B: held(0.7, 0.7, 0.701), C: []}, self.CHECK)
        assert verdict(made) == NOT

    def test_a_group_that_was_cut(self) -> None:
        j = of(results({A: held(*three(0.8))}, {**self.CHECK, "than": ["other"]}))
        assert (j.verdict, j.leaning, j.missing) == (OPEN, None, ("other",))
        assert j.sentence == "There are no records of other."


class TestNear:
    CHECK: ClassVar[dict[str, Any]] = {"kind": "near", "arms": [A], "value": 0.49, "within": 0.02}

    def test_holds(self) -> None:
        j = of(results({A: held(*three(0.495))}, self.CHECK))
        assert j.verdict == HOLDS
        assert j.sentence.endswith(", within 0.02 of 0.49.")

    def test_does_not_hold(self) -> None:
        j = of(results({A: held(*three(1.02))}, self.CHECK))
        assert j.verdict == NOT
        assert j.sentence.startswith("On held-out ratings g a reaches 1.020 (95% interval 1.018 ")
        assert j.sentence.endswith(", not 0.49.")

    def test_only_on_training(self) -> None:
        j = of(results({A: both(three(1.02), three(0.488))}, self.CHECK))
        assert j.verdict == ONLY
        assert "reaches 1.020" in j.sentence
        assert "reaches 0.488" in j.sentence

    def test_cannot_tell(self) -> None:
        assert verdict(results({A: held(0.45, 0.5, 0.49)}, self.CHECK)) == OPEN
        assert verdict(results({A: held(0.51, 0.509, 0.5105)}, self.CHECK)) == OPEN

    def test_negate(self) -> None:
        assert verdict(results({A: held(*three(1.02))}, {**self.CHECK, "negate": True})) == HOLDS
        assert verdict(results({A: held(*three(0.49))}, {**self.CHECK, "negate": True})) == NOT

    def test_diverged(self) -> None:
        assert verdict(results({A: lost()}, self.CHECK)) == NOT


class TestOverfits:
    CHECK: ClassVar[dict[str, Any]] = {"kind": "overfits", "arms": [A], "by": 0.002}

    def curves(self, rise: float, *, train: float = -0.1) -> list[dict[str, list[float]]]:
        return [
            {
                "held_out": [0.95, 0.90 + n, 0.90 + rise + 2 * n],
                "batch_mean": [0.9, 0.8, 0.8 + train + n],
            }
            for n in NOISE
        ]

    def test_holds(self) -> None:
        j = of(results({A: self.curves(0.1)}, self.CHECK))
        assert j.verdict == HOLDS
        assert [c.figure for c in j.comparisons] == ["held_out", "batch_mean"]
        assert j.estimate == pytest.approx(0.1)
        assert "the RMSE of g a rises by 0.100" in j.sentence
        assert "(mean over batches) the RMSE of g a falls by 0.100" in j.sentence

    def test_not_if_it_does_not_rise(self) -> None:
        j = of(results({A: self.curves(-0.05)}, self.CHECK))
        assert j.verdict == NOT
        assert j.sentence == "On held-out ratings g a is at its best at the last epoch."

    def test_nor_if_training_gets_worse_too(self) -> None:
        assert verdict(results({A: self.curves(0.1, train=0.05)}, self.CHECK)) == NOT

    def test_without_a_training_figure_it_is_undecided(self) -> None:
        j = of(results({A: [{"held_out": c["held_out"]} for c in self.curves(0.1)]}, self.CHECK))
        assert j.verdict == OPEN
        assert j.sentence.endswith("there are no records of training figures of g a.")

    def test_cannot_tell(self) -> None:
        wavering = [
            {"held_out": [0.95, 0.9, 0.9 + n], "batch_mean": [3, 2, 1]} for n in (0.01, 0.0, 0.001)
        ]
        assert verdict(results({A: wavering}, self.CHECK)) == OPEN

    def test_never_overfitting_on_the_training_ratings_only(self) -> None:
        """The reference's error: its "test" figure cannot rise, being one of training."""
        curves = [
            c | {"reference": [0.8, 0.7, 0.6 + n]}
            for c, n in zip(self.curves(0.1), NOISE, strict=True)
        ]
        j = of(results({A: curves}, {**self.CHECK, "negate": True}))
        assert j.verdict == ONLY
        assert "is at its best at the last epoch" in j.sentence

    def test_the_best_epoch_is_that_of_the_other_seeds(self) -> None:
        """Noise alone makes each run's own best epoch lower than its last; that is no rise."""
        noisy = [
            {"held_out": [0.90, 0.88, 0.90, 0.90]},
            {"held_out": [0.88, 0.90, 0.90, 0.90]},
            {"held_out": [0.90, 0.90, 0.88, 0.90]},
        ]
        j = of(results({A: noisy}, self.CHECK))
        assert j.estimate == pytest.approx(0.0)
        assert j.verdict != HOLDS

    def test_diverged_arms_cannot_be_judged(self) -> None:
        assert of(results({A: lost()}, self.CHECK)).missing == (A,)


class TestOrder:
    CHECK: ClassVar[dict[str, Any]] = {"kind": "order", "arms": [f"{A}|{B}", C]}

    def test_verdicts(self) -> None:
        low = held(*three(0.7)), held(0.75, 0.751, 0.75)
        assert verdict(results({A: low[0], B: low[1], C: held(0.8, 0.8, 0.801)}, self.CHECK)) == (
            HOLDS
        )
        assert verdict(results({A: low[0], B: low[1], C: held(0.72, 0.72, 0.721)}, self.CHECK)) == (
            NOT
        )
        assert verdict(results({A: low[0], B: low[1], C: held(*wild(0.75))}, self.CHECK)) == OPEN

    def test_those_of_one_rank_are_not_compared(self) -> None:
        arms = {A: held(*three(0.7)), B: held(0.75, 0.751, 0.75), C: held(0.8, 0.8, 0.801)}
        assert len(of(results(arms, self.CHECK)).comparisons) == 2

    def test_only_on_training(self) -> None:
        arms = {A: both(three(0.9), three(0.5)), B: both([0.8, 0.801, 0.8], [0.6, 0.6, 0.601])}
        assert verdict(results(arms, {"kind": "order", "arms": [A, B]})) == ONLY


class TestTrend:
    CHECK: ClassVar[dict[str, Any]] = {"kind": "trend", "arms": ["depth"]}

    def made(self, best: dict[str, int], noise: float = 0.001, **check: Any) -> Results:
        """Depths 1 to 4 on data of 10^3, 10^4, ... ratings, with the best depth of each."""
        sizes = {name: 10.0 ** (3 + at) for at, name in enumerate(best)}
        runs = {
            (f"depth/{depth}", name, seed): run(
                {"held_out": 0.8 + 0.05 * abs(depth - at) + noise * ((7 * depth + 5 * seed) % 3)},
                key=f"{depth}{name}{seed}",
                seed=seed,
                data=name,
                train_ratings=sizes[name],
            )
            for name, at in best.items()
            for depth in (1, 2, 3, 4)
            for seed in (0, 1, 2)
        }
        arms: dict[str, Any] = {f"depth/{depth}": [] for depth in (1, 2, 3, 4)}
        result = results(arms, {**self.CHECK, **check}, on=next(iter(best)))
        study = result.study.model_copy(
            update={"data": tuple(result.study.data[0].replace({"name": n}) for n in best)}
        )
        return Results(study=study, runs=runs, expected=len(runs))

    def test_holds(self) -> None:
        j = of(self.made({"s": 1, "m": 2, "l": 3}))
        assert (j.verdict, j.estimate) == (HOLDS, 1.0)
        assert j.sentence == (
            "On held-out ratings the best depth grows by 1.0 (95% interval 1.0 to 1.0) for ten "
            "times the ratings."
        )

    def test_does_not_hold(self) -> None:
        j = of(self.made({"s": 4, "m": 2, "l": 1}))
        assert (j.verdict, j.estimate) == (NOT, -1.5)
        assert "the best depth shrinks by 1.5" in j.sentence

    @pytest.mark.parametrize("size", [-0.0083, 0.049])
    def test_a_trend_that_rounds_to_nothing_has_no_direction(self, size: float) -> None:
        answer = Answer("refuted", "refuted", size, Interval(-1.43, 0.0), 0.0005, 0.0005, 3)
        check = Check.make(self.CHECK)
        assert slope(check, "held_out", "depth", answer) == (
            "on held-out ratings the best depth changes by less than 0.1 (95% interval −1.4 to "
            "0.0) for ten times the ratings"
        )

    def test_it_names_the_setting_that_the_group_varies(self) -> None:
        result = self.made({"s": 4, "m": 2, "l": 1})
        groups = tuple(
            g.model_copy(update={"key": "network.code_dropout"}) if g.name == "depth" else g
            for g in result.study.groups
        )
        study = result.study.model_copy(update={"groups": groups})
        assert "the best code dropout shrinks" in of(replace(result, study=study)).sentence

    def test_no_growth_at_all_does_not_hold(self) -> None:
        assert verdict(self.made({"s": 2, "m": 2})) == NOT

    def test_cannot_tell(self) -> None:
        j = of(self.made({"s": 2, "m": 2, "l": 3}, noise=0.2))
        assert j.verdict == OPEN
        assert j.interval is not None
        assert j.interval.low <= 0 < j.interval.high

    def test_some_of_the_data(self) -> None:
        best = {"users-1": 1, "users-2": 2, "ratings-1": 4, "ratings-2": 1}
        assert verdict(self.made(best, data="users-*")) == HOLDS
        assert verdict(self.made(best, data="ratings-*")) == NOT

    def test_data_its_arms_are_not_for_is_not_missed(self) -> None:
        made = self.made({"s": 1, "m": 2, "l": 3, "other": 1})
        group = made.study.groups[0].replace({"data": ("s", "m", "l")})
        runs = {name: record for name, record in made.runs.items() if name[1] != "other"}
        study = made.study.model_copy(update={"groups": (group,)})
        j = of(Results(study=study, runs=runs, expected=36))
        assert (j.verdict, j.missing) == (HOLDS, ())

    def test_data_without_runs_keeps_it_open(self) -> None:
        made = self.made({"s": 1, "m": 2, "l": 3})
        runs = {name: record for name, record in made.runs.items() if name[1] != "m"}
        j = of(Results(study=made.study, runs=runs, expected=36))
        assert (j.verdict, j.missing) == (OPEN, ("m",))

    def test_one_size_is_no_trend(self) -> None:
        j = of(self.made({"s": 1}))
        assert (j.verdict, j.missing) == (OPEN, ("depth",))


class TestBaselines:
    CHECK: ClassVar[dict[str, Any]] = {
        "kind": "better",
        "arms": ["baseline/bias"],
        "than": [A],
        "figure": "held_out",
    }

    def arm(self, *values: float) -> list[RunRecord]:
        return [
            run({"held_out": v}, key=str(s), seed=s, bias_rmse=0.909) for s, v in enumerate(values)
        ]

    def test_an_arm_against_the_bias_baseline(self) -> None:
        j = of(results({A: self.arm(1.01, 1.02, 1.015)}, self.CHECK))
        assert j.verdict == HOLDS
        assert "the bias baseline is better than g a by 0.106" in j.sentence
        assert verdict(results({A: self.arm(0.86, 0.861, 0.859)}, self.CHECK)) == NOT

    def test_it_can_stand_on_either_side(self) -> None:
        check = {**self.CHECK, "arms": [A], "than": ["baseline/bias"]}
        assert verdict(results({A: self.arm(0.86, 0.861, 0.859)}, check)) == HOLDS

    def test_it_has_no_training_figure(self) -> None:
        check = {**self.CHECK, "figure": None}
        arms = {
            A: [
                run(f, key=str(s), seed=s, bias_rmse=0.909)
                for s, f in enumerate(both(three(0.8), three(0.99)))
            ]
        }
        assert verdict(results(arms, check)) == NOT

    def test_a_model_without_epochs_has_its_final_score(self) -> None:
        plain = [run(key=f"b{s}", seed=s, rmse=0.909) for s in range(3)]
        arms = {A: held(1.01, 1.02, 1.015), B: plain}
        assert verdict(results(arms, {"kind": "better", "arms": [B], "than": [A]})) == HOLDS


class TestWhatIsMissing:
    def test_an_arm_without_runs(self) -> None:
        j = of(results({A: held(*three(0.8)), B: []}, BETTER))
        assert (j.verdict, j.leaning, j.missing) == (OPEN, None, (B,))
        assert j.sentence == "There are no records of g b."
        assert (j.estimate, j.interval, j.p, j.seeds, j.figure) == (None, None, None, 0, None)

    def test_nothing_at_all(self) -> None:
        j = of(results({A: [], B: []}, BETTER))
        assert (j.verdict, j.missing) == (OPEN, (A, B))

    def test_one_seed_cannot_tell_but_points(self) -> None:
        j = of(results({A: held(0.9), B: held(0.8)}, BETTER))
        assert (j.verdict, j.leaning, j.interval, j.seeds) == (OPEN, NOT, None, 1)
        assert j.sentence == (
            "On held-out ratings g b is better than g a by 0.100; this speaks against the "
            "claim, but one seed does not settle it."
        )
        assert of(results({A: held(0.8), B: held(0.9)}, BETTER)).leaning == HOLDS

    def test_one_seed_of_a_near_check(self) -> None:
        j = of(results({A: held(1.02)}, TestNear.CHECK))
        assert (j.verdict, j.leaning) == (OPEN, NOT)
        assert "reaches 1.020, not 0.49; this speaks against" in j.sentence

    def test_one_seed_points_to_training_only(self) -> None:
        arms = {A: both([0.9], [0.5]), B: both([0.8], [0.6])}
        assert of(results(arms, BETTER)).leaning == ONLY

    def test_only_common_seeds_count(self) -> None:
        arms = {A: held(0.8, 0.801, 0.799), B: [None, *held(0.9)]}
        assert of(results(arms, BETTER)).seeds == 1

    def test_a_run_that_failed_for_another_reason_is_left_out(self) -> None:
        broken = [run(seed=s, status="failed", error="out of memory") for s in range(3)]
        assert of(results({A: held(*three(0.8)), B: broken}, BETTER)).missing == (B,)


class TestDiverged:
    def test_an_arm_that_always_diverges_is_worse(self) -> None:
        j = of(results({A: held(*three(0.8)), B: lost()}, BETTER))
        assert (j.verdict, j.estimate, j.interval) == (HOLDS, math.inf, None)
        assert j.sentence == "G b diverged where g a did not."
        assert verdict(results({A: lost(), B: held(*three(0.8))}, BETTER)) == NOT

    def test_once_is_settled_by_the_other_seeds(self) -> None:
        arms = {A: held(*three(0.8)), B: [lost()[0], *held(0.9, 0.9, 0.901)[1:]]}
        arms[B][1:] = [run({"held_out": v}, key=f"b{s}", seed=s) for s, v in ((1, 0.901), (2, 0.9))]
        assert verdict(results(arms, BETTER)) == HOLDS
        arms[B][1:] = [run({"held_out": v}, key=f"b{s}", seed=s) for s, v in ((1, 0.701), (2, 0.7))]
        assert verdict(results(arms, BETTER)) == OPEN

    def test_both_diverged(self) -> None:
        j = of(
            results(
                {
                    A: lost(),
                    B: [
                        run(key=f"x{s}", seed=s, status="failed", error="training diverged")
                        for s in range(3)
                    ],
                },
                BETTER,
            )
        )
        assert (j.verdict, j.leaning) == (OPEN, None)
        assert "both diverged" in j.sentence

    def test_one_seed_that_diverged_points_only(self) -> None:
        j = of(results({A: held(0.8), B: lost(1)}, BETTER))
        assert (j.verdict, j.leaning) == (OPEN, HOLDS)

    def test_a_figure_that_is_no_number(self) -> None:
        assert verdict(results({A: held(*three(0.8)), B: held(*[math.nan] * 3)}, BETTER)) == HOLDS


class TestSeveralChecks:
    def test_all_must_hold(self) -> None:
        arms = {A: held(*three(0.7)), B: held(0.8, 0.8, 0.801), C: held(0.9, 0.901, 0.9)}
        second = {"kind": "better", "arms": [B], "than": [C]}
        assert verdict(results(arms, BETTER, second)) == HOLDS
        third = {"kind": "better", "arms": [C], "than": [A]}
        j = of(results(arms, BETTER, second, third))
        assert j.verdict == NOT
        assert j.sentence.startswith("On held-out ratings g a is better than g c by 0.200")

    def test_they_share_the_correction(self) -> None:
        """p is 0.03 or so: settled alone, and not beside an undecided one."""
        arms = {A: held(0.80, 0.80, 0.80), B: held(0.85, 0.90, 0.92), C: held(*wild(0.81))}
        assert verdict(results(arms, BETTER)) == HOLDS
        both_checks = results(arms, BETTER, {"kind": "better", "arms": [A], "than": [C]})
        assert [c.status for c in of(both_checks).comparisons] == ["undecided", "undecided"]

    def test_facts_say_where_once(self) -> None:
        arms = {A: held(*three(0.7)), B: held(0.8, 0.8, 0.801), C: held(0.9, 0.901, 0.9)}
        j = of(results(arms, BETTER, {"kind": "better", "arms": [B], "than": [C]}))
        assert j.sentence.count("On held-out ratings") == 1
        assert j.sentence.count("on held-out ratings") == 0
        assert "; g b is better than g c" in j.sentence


class TestTheModelThatIsKept:
    """Where a validation part chose the epoch, that is the honest one, and not the last."""

    def test_its_score_decides(self) -> None:
        """A's last epoch is worse than B's, and the one it keeps is better."""
        arms = {
            A: [
                run({"held_out": [0.8, 0.95 + n]}, key=f"a{s}", seed=s, rmse=0.8 + n)
                for s, n in enumerate(NOISE)
            ],
            B: held(0.9, 0.9, 0.901),
        }
        j = of(results(arms, BETTER))
        assert j.verdict == HOLDS
        assert j.estimate == pytest.approx(0.1, abs=1e-3)


class TestBestEpoch:
    def test_another_answer_at_the_best_epoch_is_reported(self) -> None:
        arms = {
            A: [{"held_out": [0.80 + n, 0.95 + n]} for n in NOISE],
            B: [{"held_out": [0.88 + n, 0.90 - n]} for n in NOISE],
        }
        j = of(results(arms, BETTER))
        assert j.verdict == NOT
        assert (
            " At each arm's best epoch (test-selected) it would hold: on held-out ratings g a "
            "is better than g b by 0.080" in j.sentence
        )

    def test_the_same_answer_is_not(self) -> None:
        arms = {
            A: [{"held_out": [0.80 + n, 0.85 + n]} for n in NOISE],
            B: [{"held_out": [0.88 + n, 0.90 - n]} for n in NOISE],
        }
        assert "best epoch" not in of(results(arms, BETTER)).sentence


@pytest.mark.parametrize(
    ("check", "message"),
    [
        ({"kind": "better", "arms": [A]}, "better: than which"),
        ({"kind": "best", "arms": [A, B], "than": ["g"]}, "name one arm"),
        ({"kind": "best", "arms": ["g"], "than": ["g"]}, "name one arm"),
        ({"kind": "near", "arms": [A]}, "near which value"),
        ({"kind": "order", "arms": [A]}, "at least two arms"),
        ({"kind": "overfits", "arms": []}, "names its arms"),
        ({"kind": "trend", "arms": ["g"], "than": ["h"]}, "leave out than"),
    ],
)
def test_a_check_that_asks_nothing_is_refused(check: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        Check.make(check)


class TestWhateverTheFigures:
    """Properties of verdicts that hold for all results."""

    figures = st.lists(
        st.tuples(*[st.floats(0.5, 1.5).map(lambda v: round(v, 3))] * 4), min_size=1, max_size=5
    )

    def arms(self, rows: list[tuple[float, float, float, float]]) -> dict[str, Any]:
        held_a, held_b, training_a, training_b = zip(*rows, strict=True)
        return {A: both(held_a, training_a), B: both(held_b, training_b)}

    @given(figures)
    def test_negation_swaps_the_statuses(
        self, rows: list[tuple[float, float, float, float]]
    ) -> None:
        plain = verdict(results(self.arms(rows), BETTER))
        turned = verdict(results(self.arms(rows), {**BETTER, "negate": True}))
        assert (plain == OPEN) == (turned == OPEN)
        assert (plain == HOLDS) == (turned in (NOT, ONLY))
        assert (turned == HOLDS) == (plain in (NOT, ONLY))

    @given(figures, st.randoms(use_true_random=False))
    def test_the_order_of_seeds_does_not_matter(
        self, rows: list[tuple[float, float, float, float]], rng: Any
    ) -> None:
        one = of(results(self.arms(rows), BETTER))
        shuffled = rng.sample(rows, len(rows))
        other = of(results(self.arms(shuffled), BETTER))
        assert one.verdict == other.verdict
        assert one.estimate == pytest.approx(other.estimate)

    @given(figures)
    def test_a_verdict_agrees_with_its_interval(
        self, rows: list[tuple[float, float, float, float]]
    ) -> None:
        j = of(results(self.arms(rows), BETTER))
        assert (j.interval is None) == (len(rows) == 1)
        if j.interval is None:
            assert j.verdict == OPEN
        elif j.verdict == HOLDS:
            assert j.interval.low > 0
        elif j.verdict in (NOT, ONLY):
            assert j.interval.high <= 0
        else:
            assert j.interval.low <= 1e-12
            assert j.interval.high >= -1e-12

    @given(figures)
    def test_sentences_are_sentences(self, rows: list[tuple[float, float, float, float]]) -> None:
        sentence = of(results(self.arms(rows), BETTER)).sentence
        assert sentence[0].isupper()
        assert sentence.endswith(".")
        assert ".." not in sentence
        assert "nan" not in sentence


def test_noise_alone_is_not_called_overfitting_too_often() -> None:
    """Flat held-out curves, each run's epochs with noise of their own; training falls."""
    rng = np.random.default_rng(0)
    check = {"kind": "overfits", "arms": [A]}
    called = 0
    for _ in range(300):
        flat = [
            {
                "held_out": list(0.9 + rng.normal(0, 0.01, 12)),
                "batch_mean": list(np.arange(12, 0, -1)),
            }
            for _ in range(3)
        ]
        called += verdict(results({A: flat}, check)) == HOLDS
    assert called / 300 <= 0.06


@pytest.mark.parametrize("name", study_names())
def test_the_claims_of_our_studies_ask_of_arms_that_exist(name: str) -> None:
    study = find_study(name)
    empty = Results(study=study, runs={}, expected=0)
    for claim in study.claims:
        for check in claim.checks:
            for entry in (*check.arms, *check.than):
                for part in entry.split("|"):
                    names = expand(empty, [part])
                    assert names, (claim.id, part)
                    assert set(names) <= {*declared(study), *BASELINES}, (claim.id, part)
    judgements = judge(empty)
    assert len(judgements) == len(study.claims)
    assert {j.verdict for j in judgements} <= {OPEN}
    assert all(j.sentence.startswith("There are no records of") for j in judgements)
    assert len({claim.id for claim in study.claims}) == len(study.claims)
