"""Judge a study's claims by its runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ....evaluate import Status, answer
from ..figures import FIGURES, Figure
from ..results import BASELINES, Results
from ..series import When, expand, label
from ..study import Check, Claim
from ._checks import CheckQuestions, questions_of
from ._facts import joined
from .judgement import Comparison, Judgement, Verdict

TRAINING: tuple[Figure, ...] = ("reference", "batch_mean", "training")
"""Training figures; the first available one is judged as well as the held-out figure."""

_SHOWN = 3


def judge(results: Results) -> list[Judgement]:
    """Judge every claim of a study.

    The rules:

    1. A check is judged by the held-out RMSE of the model that is kept (the last epoch's, as the
       reference published its last, unless a validation part of the training ratings chose another)
       and, unless it names one figure, also by a training figure (the first of ``TRAINING``) at the
       last epoch.
    2. It comes down to comparisons: differences of two arms paired by seed, or an arm's mean. One
       is *established* if its 95% Student-t interval over seeds lies wholly on the side the check
       says, *refuted* if wholly on the other. The intervals have the level of Holm's correction
       over all comparisons of the claim. They cover retraining (and splitting
       again, if the study does), not other held-out ratings.
    3. A check is established if all its comparisons are, refuted if any is; ``negate`` swaps
       the two. A claim likewise, over its checks.
    4. Established on held-out ratings: "holds". Refuted there, established by the training
       figure: "holds only on training ratings". Refuted: "does not hold". Else: "cannot tell"; so
       always with one seed, as there is no interval, and if a required arm has no run.
    5. An arm that diverged is worse than any that did not: settled if it did on every seed (two
       at least); if only on some, the others must show the same. Seeds on which both diverged are
       left out.

    If the answer on held-out ratings is another at each arm's best epoch (which is chosen by
    looking), the sentence says so; the verdict stays.
    """
    return [_judge(results, claim) for claim in results.study.claims]


def _joint(statuses: Sequence[str | None]) -> Status:
    """Refuted if any is, established if all are."""
    if "refuted" in statuses:
        return "refuted"
    return "established" if all(s == "established" for s in statuses) else "undecided"


@dataclass(frozen=True, eq=False)
class _Clause:
    """One check of a claim, decided by one figure."""

    check: Check
    questions: CheckQuestions
    comparisons: tuple[Comparison, ...]

    def status(self, *, leaning: bool = False) -> Status:
        """Return the status as the claim requires it; by the estimates alone if ``leaning``."""
        raw = self.raw(leaning=leaning)
        flip: dict[Status, Status] = {"established": "refuted", "refuted": "established"}
        return flip.get(raw, raw) if self.check.negate else raw

    def raw(self, *, leaning: bool = False) -> Status:
        """Before ``negate``."""
        statuses = [c.leaning if leaning else c.status for c in self.comparisons]
        return _joint([*statuses, *([] if self.questions.complete else ["undecided"])])

    def decisive(self) -> list[Comparison]:
        """Return what decides the check, or keeps it from being decided."""
        one_seed = all(c.n < 2 for c in self.comparisons)
        raw = self.raw(leaning=one_seed)
        of_kind = [c for c in self.comparisons if (c.leaning if one_seed else c.status) == raw]
        comparisons = of_kind or list(self.comparisons)
        if not comparisons:
            return []
        if self.check.kind == "overfits":
            # A rise and, if decisive, the corresponding fall.
            return comparisons[:2] if raw == "established" else comparisons[:1]
        if raw == "established" and not one_seed:
            return [max(comparisons, key=lambda c: (c.p or 0.0, -_favour(c)))]
        return [min(comparisons, key=_favour)]


@dataclass(frozen=True, eq=False)
class _Family:
    """All checks of a claim, decided together by one figure at one time."""

    parts: tuple[_Clause, ...]

    def status(self, *, leaning: bool = False) -> Status:
        return _joint([part.status(leaning=leaning) for part in self.parts])

    @property
    def comparisons(self) -> tuple[Comparison, ...]:
        return tuple(c for part in self.parts for c in part.comparisons)

    @property
    def one_seed(self) -> bool:
        return all(c.n < 2 for c in self.comparisons)

    def ground(self) -> list[Comparison]:
        """Return the decisive comparisons of the checks that determine the status."""
        status = self.status(leaning=self.one_seed)
        parts = [p for p in self.parts if p.status(leaning=self.one_seed) == status]
        return [comparison for part in parts for comparison in part.decisive()]


def _judge(results: Results, claim: Claim) -> Judgement:
    held = _family(results, claim, "held_out", "kept")
    free = any(check.figure is None for check in claim.checks)
    figure = _training_figure(results, claim)
    trained = _family(results, claim, figure, "kept") if free and figure else None
    verdict = _verdict(held, trained, leaning=False)
    missing = _missing(held)
    known = held.status() != "undecided" or held.status(leaning=True) != "undecided"
    ground = held.ground()
    decisive = ground[0] if ground else None
    return Judgement(
        claim=claim,
        verdict=verdict,
        leaning=_verdict(held, trained, leaning=True) if known else None,
        sentence=_sentence(results, claim, held, trained, verdict, missing),
        figure=decisive.figure if decisive else None,
        estimate=decisive.estimate if decisive else None,
        interval=decisive.interval if decisive else None,
        p=decisive.p if decisive else None,
        seeds=decisive.n if decisive else 0,
        comparisons=held.comparisons,
        training=trained.comparisons if trained else (),
        missing=missing,
    )


def _family(results: Results, claim: Claim, figure: Figure, when: When) -> _Family:
    check_questions = [questions_of(results, check, figure, when) for check in claim.checks]
    answers = iter(
        answer(
            [question.question for questions in check_questions for question in questions.questions]
        )
    )
    parts = []
    for check, questions in zip(claim.checks, check_questions, strict=True):
        comparisons = [
            Comparison(
                check=check,
                fact=question.sentence(result),
                figure=question.figure,
                status=result.status,
                leaning=result.leaning,
                estimate=result.mean,
                interval=result.interval,
                p=result.adjusted,
                n=result.n,
            )
            for question, result in zip(questions.questions, answers, strict=False)
        ]
        parts.append(_Clause(check, questions, tuple(comparisons)))
    return _Family(tuple(parts))


def _training_figure(results: Results, claim: Claim) -> Figure | None:
    """Return the first training figure that some run of the claim's arms has."""
    names = [a for check in claim.checks for entry in check.arms for a in entry.split("|")]
    arms = [arm for arm in expand(results, names) if arm not in BASELINES]
    known = {
        figure
        for (arm, _, _), record in results.runs.items()
        if arm in arms and record.epochs
        for figure in record.epochs[-1].figures
    }
    return next((figure for figure in TRAINING if figure in known), None)


def _verdict(held: _Family, trained: _Family | None, *, leaning: bool) -> Verdict:
    status = held.status(leaning=leaning)
    if status == "established":
        return "holds"
    if status == "undecided":
        return "cannot tell"
    if trained is not None and trained.status(leaning=leaning) == "established":
        return "holds only on training ratings"
    return "does not hold"


def _missing(held: _Family) -> tuple[str, ...]:
    """Return names that the held-out judgement lacks: arms without runs, groups, data."""
    absent = dict.fromkeys(name for part in held.parts for name in part.questions.absent)
    return tuple(name for name in absent if name not in BASELINES)


def _favour(comparison: Comparison) -> float:
    """How far the estimate supports the check."""
    check = comparison.check
    if check.kind == "near":
        return check.within - abs(comparison.estimate - (check.value or 0.0))
    return comparison.estimate


def _sentence(
    results: Results,
    claim: Claim,
    held: _Family,
    trained: _Family | None,
    verdict: Verdict,
    missing: tuple[str, ...],
) -> str:
    ground = held.ground()
    text = _describe(held, ground)
    if verdict == "holds only on training ratings" and trained is not None:
        training_comparisons = [c for c in trained.ground() if c.check.figure is None]
        where = FIGURES[training_comparisons[0].figure].where
        text += (
            f"; only {where} is it as claimed: {_describe(trained, training_comparisons, where)}"
        )
    elif verdict == "cannot tell":
        text = _undecided(held, text, missing)
    return f"{text[:1].upper()}{text[1:]}.{_at_best(results, claim, held)}"


def _describe(family: _Family, comparisons: list[Comparison], context: str = "") -> str:
    """Return the facts of some comparisons, in one string."""
    text = joined(comparisons[:_SHOWN], context)
    if len(comparisons) > _SHOWN:
        return f"{text}; and {len(comparisons) - _SHOWN} more"
    if len(comparisons) == 1 == len(family.parts) and comparisons[0].status == "established":
        rivals = len(family.comparisons)
        if rivals > 1 and comparisons[0].check.kind in ("better", "best", "order"):
            return f"{text}, the closest of {rivals} comparisons"
    return text


def _undecided(held: _Family, text: str, missing: tuple[str, ...]) -> str:
    """Why a claim is undecided."""
    names = ", ".join(label(name) for name in missing[:_SHOWN])
    if len(missing) > _SHOWN:
        names += f" and {len(missing) - _SHOWN} more"
    if not held.comparisons:
        return f"there are no records of {names}" if names else "there is nothing to compare"
    if held.one_seed:
        leaning = held.status(leaning=True)
        points = {"established": "for", "refuted": "against"}
        speaks = f"this speaks {points[leaning]} the claim, but " if leaning in points else ""
        text = f"{text}; {speaks}one seed does not settle it"
    return f"{text}; there are no records of {names}" if names else text


def _at_best(results: Results, claim: Claim, held: _Family) -> str:
    """Return the verdict at the runs' best epochs, if it differs."""
    if all(check.kind == "overfits" for check in claim.checks):
        return ""
    best = _family(results, claim, "held_out", "best")
    status = best.status(leaning=held.one_seed)
    ground = best.ground()
    if status == held.status(leaning=held.one_seed) or not ground:
        return ""
    would = {
        "established": "it would hold",
        "refuted": "it would not hold",
        "undecided": "it would be undecided",
    }
    return f" At each arm's best epoch (test-selected) {would[status]}: {_describe(best, ground)}."
