"""Numbers as options write them."""

from __future__ import annotations

from collections.abc import Iterable

from ..errors import UsageError


def parse_missing(text: str | None) -> tuple[float, ...]:
    """Return values written as ``0,-1``.

    Raises:
        UsageError: A value is not a number.
    """
    try:
        return tuple(float(value) for value in (text or "").split(",") if value.strip())
    except ValueError:
        raise UsageError(f"--missing {text!r}: write numbers with commas, as in 0,-1") from None


def parse_counts(option: str, text: str | None, example: str) -> tuple[int, ...]:
    """Return whole numbers written as ``0,1,2``; none for None.

    Raises:
        UsageError: A value is not a whole number.
    """
    parts = [] if text is None else [part.strip() for part in text.split(",")]
    if not all(part.isdecimal() for part in parts):
        raise UsageError(f"{option} {text!r}: write whole numbers, as in {example}")
    return tuple(map(int, parts))


def parse_weights(texts: Iterable[str]) -> dict[str, float]:
    """Weights by kind of feedback, each written as ``KIND=WEIGHT``.

    Raises:
        UsageError: One is not written so.
    """
    weights = {}
    for text in texts:
        kind, _, number = text.partition("=")
        try:
            weights[kind.strip()] = float(number)
        except ValueError:
            raise UsageError(
                f"--weight {text!r}: write it as KIND=WEIGHT, as in like=0.5"
            ) from None
    return weights


def parse_scale(text: str | None) -> tuple[float, float] | None:
    """Return a scale written as ``LOW:HIGH``.

    Raises:
        UsageError: It is not written so, or is empty.
    """
    if text is None:
        return None
    low, sign, high = text.partition(":")
    try:
        scale = float(low), float(high)
    except ValueError:
        scale = (0.0, 0.0)
    if not sign or not -float("inf") < scale[0] < scale[1] < float("inf"):
        raise UsageError(f"--scale {text!r}: write it as LOW:HIGH, as in 1:5")
    return scale
