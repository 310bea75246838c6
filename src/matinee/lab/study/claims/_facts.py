"""The result of a comparison as a clause for a reader."""

from __future__ import annotations

import math
from collections.abc import Iterable

from ....evaluate import Answer, Interval
from ..figures import FIGURES, Figure
from ..series import label as short_label
from ..study import Check
from .judgement import Comparison


def better(check: Check, figure: Figure, arm: str, other: str, answer: Answer) -> str:
    """Describe ``other``'s figure minus ``arm``'s, which should exceed ``by``."""
    if math.isnan(answer.mean):
        return f"{FIGURES[figure].where} {label(arm)} and {label(other)} both diverged"
    ahead, behind = (arm, other) if answer.mean >= 0 else (other, arm)
    if math.isinf(answer.mean):
        return f"{label(behind)} diverged where {label(ahead)} did not{_uncertainty(check, answer)}"
    size, bounds = _size(answer)
    if size == 0:
        return f"{FIGURES[figure].where} {label(arm)} and {label(other)} are equal"
    return (
        f"{FIGURES[figure].where} {label(ahead)} is better than {label(behind)} by "
        f"{number(size)}{span(bounds, size)}{_uncertainty(check, answer)}"
    )


def near(check: Check, figure: Figure, arm: str, answer: Answer) -> str:
    """Describe a figure that should be within ``within`` of ``value``."""
    if math.isinf(answer.mean) or math.isnan(answer.mean):
        return f"{label(arm)} diverged"
    reached = f"{FIGURES[figure].where} {label(arm)} reaches {number(answer.mean)}"
    value = f"{check.value:g}"
    tail = {
        "established": f", within {check.within:g} of {value}",
        "refuted": f", not {value}",
        "undecided": f", and whether that is within {check.within:g} of {value} is not settled",
    }
    if answer.n < 2:
        return reached + tail["established" if answer.leaning == "established" else "refuted"]
    return f"{reached}{span(answer.interval, answer.mean)}{tail[answer.status]}"


def rise(check: Check, figure: Figure, arm: str, answer: Answer) -> str:
    """Describe the rise of a figure from its best epoch to the last."""
    if answer.mean == 0:
        return f"{FIGURES[figure].where} {label(arm)} is at its best at the last epoch"
    tail = _uncertainty(check, answer) if answer.mean > 0 else ""
    moves = _moves(figure, arm, answer, rises=answer.mean > 0)
    return f"{moves} from its best epoch to the last{tail}"


def fall(figure: Figure, arm: str, answer: Answer) -> str:
    """Describe the fall of the training figure over the same epochs."""
    if answer.mean == 0:
        return f"{FIGURES[figure].where} {label(arm)} does not change over the same epochs"
    chance = ", which may be chance" if answer.n > 1 and answer.status == "undecided" else ""
    return f"{_moves(figure, arm, answer, rises=answer.mean < 0)} over the same epochs{chance}"


def _moves(figure: Figure, arm: str, answer: Answer, *, rises: bool) -> str:
    change = "rises" if rises else "falls"
    (size, bounds), where = _size(answer), FIGURES[figure].where
    return f"{where} the RMSE of {label(arm)} {change} by {number(size)}{span(bounds, size)}"


def slope(check: Check, figure: Figure, setting: str, answer: Answer) -> str:
    """Describe how the best value of a setting changes with the size of the data."""
    best = f"{FIGURES[figure].where} the best {setting}"
    if answer.mean == 0 and answer.status == "refuted":
        return f"{best} is the same for all sizes of the data"
    size, bounds = _size(answer)
    change = f"{'shrinks' if answer.mean < 0 else 'grows'} by {size:.1f}"
    if size < 0.05:  # one decimal would show 0.0
        change, bounds = "changes by less than 0.1", answer.interval
    tail = f"for ten times the ratings{_uncertainty(check, answer)}"
    return f"{best} {change}{span(bounds, 10)} {tail}"


def _size(answer: Answer) -> tuple[float, Interval | None]:
    """Return an estimate without its sign, and its interval likewise."""
    bounds = answer.interval
    if bounds is not None and answer.mean < 0:
        bounds = Interval(0.0 - bounds.high, 0.0 - bounds.low)  # no -0.0
    return abs(answer.mean), bounds


def joined(comparisons: Iterable[Comparison], context: str = "") -> str:
    """Join distinct facts, naming the data when they differ from ``context`` or change."""
    parts: list[str] = []
    mentioned = set()
    for comparison in comparisons:
        where = FIGURES[comparison.figure].where
        # Two checks may ask of the same pair, with intervals of another level.
        core = comparison.fact.partition(" (95% interval")[0]
        if (where, core) not in mentioned:
            fact = comparison.fact
            parts.append(fact.removeprefix(f"{where} ") if context == where else fact)
            mentioned.add((where, core))
        context = where
    return "; ".join(parts)


def label(arm: str) -> str:
    """Return an arm's name for a sentence: one that is its own group gets an article."""
    group, _, name = arm.partition("/")
    return f"the {short_label(arm)} arm" if group == name else short_label(arm)


def number(value: float, like: float | None = None) -> str:
    """Format a figure with three decimals, or four if it (or ``like``) is below 0.01."""
    size = abs(value if like is None else like)
    text = f"{value:.3f}" if size >= 0.01 else f"{value:.4f}"
    return text.replace("-", "−")


def span(bounds: Interval | None, like: float) -> str:
    """Format an interval in brackets, with the estimate's decimals; "" for None."""
    if bounds is None:
        return ""
    if like >= 10:
        low, high = (f"{end:.1f}".replace("-", "−") for end in bounds)
    else:
        low, high = (number(end, like) for end in bounds)
    return f" (95% interval {low} to {high})"


def _uncertainty(check: Check, answer: Answer) -> str:
    if answer.n > 1 and answer.status == "undecided":
        if check.by:
            return f", which does not settle whether it is above {check.by:g}"
        return ", which may be chance"
    if check.by and 0 <= answer.mean <= check.by:
        return f", no more than the {check.by:g} that would count"
    return ""
