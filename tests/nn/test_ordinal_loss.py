"""The loss of ordinal outputs against differences of logistic functions, gradients included."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from matinee.baseline.ordinal import OrdinalLink
from matinee.nn.sparse import reference
from matinee.nn.sparse.ordinal_loss import ordinal_loss

LINKS = {
    "stars": OrdinalLink((1.0, 2.0, 3.0, 4.0, 5.0), (1.6, 2.4, 3.3, 4.5), 2.1),
    "thumbs": OrdinalLink((0.0, 1.0), (0.4,), 5.0),
    "halves": OrdinalLink(
        tuple(np.arange(0.5, 5.5, 0.5)), tuple(np.linspace(1.0, 4.8, 9) ** 1.01), 1.5
    ),
}


def problem(link: OrdinalLink, dtype: Any, seed: int = 0) -> tuple[Any, ...]:
    rng = np.random.default_rng(seed)
    counts = [3, 0, 7, 1, 9]
    n = sum(counts)
    level = rng.integers(-1, len(link.levels), n).astype(np.int32)
    base = rng.normal(np.mean(link.levels), 1.0, n)
    target = np.where(level < 0, rng.normal(0, 1, n), np.array(link.levels)[level] - base)
    weight = rng.uniform(0.2, 2.0, n) * (rng.random(n) > 0.3)
    indptr = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    output = rng.normal(0, 1.0, n)
    return indptr, *(each.astype(dtype) for each in (output, target, weight)), level


def dense(link: OrdinalLink, output: Any, target: Any, weight: Any, level: Any) -> tuple[Any, Any]:
    """Loss and squared error by the probabilities, in float64."""
    rated = torch.from_numpy(level >= 0)
    code = torch.from_numpy(np.maximum(level, 0)).long()
    levels = torch.tensor(link.levels, dtype=torch.float64)
    scores = output + levels[code] - target
    below = [torch.sigmoid(link.slope * (t - scores)) for t in link.thresholds]
    edges = torch.stack([0 * scores, *below, 0 * scores + 1], dim=1)
    chances = edges.diff(dim=1)
    nll = -6 / link.slope**2 * chances[torch.arange(len(code)), code].log()
    squares = (output - target) ** 2
    loss = weight * torch.where(rated, nll, squares)
    wrong = weight * torch.where(rated, (chances @ levels - levels[code]) ** 2, squares)
    return loss.sum() / weight.sum(), wrong.sum() / weight.sum()


@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float64, 1e-10), (np.float32, 2e-6)])
@pytest.mark.parametrize("name", LINKS)
def test_the_kernel_is_the_dense_loss(name: str, dtype: Any, tolerance: float) -> None:
    link = LINKS[name]
    for seed in range(20):
        indptr, output, target, weight, level = problem(link, dtype, seed)
        loss, squared, error = ordinal_loss(link, indptr, output, target, weight, level)
        exact = [torch.from_numpy(a.astype(np.float64)) for a in (output, target, weight)]
        exact[0].requires_grad_()
        wanted, wrong = dense(link, *exact, level)
        torch.autograd.backward(wanted)
        assert error.dtype == dtype
        assert loss == pytest.approx(wanted.item(), rel=tolerance * 10)
        assert squared == pytest.approx(wrong.item(), rel=tolerance * 10)
        assert exact[0].grad is not None
        assert np.allclose(error, exact[0].grad.numpy(), rtol=0, atol=tolerance)


@pytest.mark.parametrize("name", LINKS)
def test_torch_is_the_kernel(name: str) -> None:
    link = LINKS[name]
    indptr, output, target, weight, level = problem(link, np.float64)
    kernel = ordinal_loss(link, indptr, output, target, weight, level)
    prediction = torch.from_numpy(output).requires_grad_()
    entries = {"target": target, "weight": weight, "level": level.astype(np.int64)}
    loss, squared = reference.ordinal_loss(
        prediction, {k: torch.from_numpy(v) for k, v in entries.items()}, link
    )
    torch.autograd.backward(loss)
    assert prediction.grad is not None
    assert loss.item() == pytest.approx(kernel[0], rel=1e-12)
    assert squared.item() == pytest.approx(kernel[1], rel=1e-12)
    assert np.allclose(kernel[2], prediction.grad.numpy(), rtol=0, atol=1e-12)


def test_scores_far_off_have_a_finite_loss_and_the_slope_as_gradient() -> None:
    link = LINKS["stars"]
    output = np.array([-1e5, 1e5], dtype=np.float32)
    target, weight = np.zeros(2, np.float32), np.ones(2, np.float32)
    level = np.array([4, 0], dtype=np.int32)
    loss, squared, error = ordinal_loss(
        link, np.array([0, 2], np.int64), output, target, weight, level
    )
    assert loss == pytest.approx(6 / link.slope * 1e5, rel=1e-3)
    assert squared == pytest.approx(16.0)
    assert np.allclose(error, np.array([-3, 3]) / link.slope, rtol=1e-5)


def test_with_many_levels_it_is_as_curved_as_the_squared_error() -> None:
    levels = np.linspace(-9, 9, 20)
    link = OrdinalLink(tuple(levels), tuple((levels[1:] + levels[:-1]) / 2), 0.4)
    rng = np.random.default_rng(0)
    scores = rng.uniform(-4, 4, 40_000)
    code = np.searchsorted(link.thresholds, scores + rng.logistic(size=40_000) / link.slope)
    code = code.astype(np.int32)
    ptr, ones = np.array([0, len(scores)], np.int64), np.ones(len(scores))
    zero = np.zeros(len(scores))

    def error(step: float) -> Any:
        target = levels[code] - scores
        return ordinal_loss(link, ptr, zero + step, target, ones, code)[2].sum()

    assert (error(1e-4) - error(-1e-4)) / 2e-4 == pytest.approx(2.0, rel=0.05)
