"""``Judgement``: a claim's verdict and its evidence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ....evaluate import Interval, Status
from ..figures import Figure
from ..study import Check, Claim

Verdict = Literal["holds", "does not hold", "holds only on training ratings", "cannot tell"]


@dataclass(frozen=True)
class Comparison:
    """One question that a check came down to, decided or not.

    Attributes:
        check: The check.
        fact: What was found, as a clause: "batch size 64 is better than batch size 8 by 0.041".
        figure: What it was judged by.
        status: Whether the check's statement, before any ``negate``, is established or refuted.
        leaning: Direction of the estimate; None without one.
        estimate: Mean over seeds of the tested quantity: a difference (the arm claimed to be worse
            minus the one claimed to be better), a figure, a rise or a slope.
        interval: The interval at the level of Holm's correction; None with one seed.
        p: Corrected p value, or None.
        n: Seeds.
    """

    check: Check
    fact: str
    figure: Figure
    status: Status
    leaning: Status | None
    estimate: float
    interval: Interval | None
    p: float | None
    n: int


@dataclass(frozen=True)
class Judgement:
    """A claim judged.

    Attributes:
        claim: The claim.
        verdict: Whether the runs support it.
        leaning: The verdict if the estimates were exact; None if arms are missing.
        sentence: The verdict's ground in one plain sentence (or two), with numbers.
        figure: Figure of the decisive comparison.
        estimate: Estimate of the decisive comparison, or None if nothing was compared.
        interval: Interval of the decisive comparison; None with one seed or a diverged run.
        p: Corrected p value, or None.
        seeds: Seeds of the decisive comparison; 0 if nothing was compared.
        comparisons: All that was compared on held-out ratings (or the figure a check names).
        training: The same by the training figure; empty if every check names its figure.
        missing: Arms that the claim needs and that have no run.
    """

    claim: Claim
    verdict: Verdict
    leaning: Verdict | None
    sentence: str
    figure: Figure | None
    estimate: float | None
    interval: Interval | None
    p: float | None
    seeds: int
    comparisons: tuple[Comparison, ...]
    training: tuple[Comparison, ...]
    missing: tuple[str, ...]
