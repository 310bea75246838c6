"""Codes of a factor model that goes on learning, against their formulas in full."""

from __future__ import annotations

import numpy as np
import pytest

from matinee.base.arrays import Float64, Mask
from matinee.data import group
from matinee.train.factors import continued
from matinee.train.factors.continued import NOISE, Continued

RNG = np.random.default_rng(0)
CODES = RNG.normal(size=(40, 5)) @ RNG.normal(size=(5, 5)) + 0.3
CODES = CODES.astype(np.float32)
NOBODY = np.full(21, -1, dtype=np.int32)
TABLE = np.column_stack([RNG.normal(size=(12, 4)), np.ones(12)])
BASE = RNG.normal(3.0, 0.5, 12)
USERS, ITEMS = (each.astype(np.int32) for each in np.nonzero(RNG.random((20, 12)) < 0.5))
VALUES = RNG.normal(3.0, 1.0, len(USERS)).astype(np.float32)
KNOWN = group(USERS, ITEMS, VALUES, 21, 12)  # the last has no ratings
NEW, ALL = (USERS >= 15) | (ITEMS == 2), np.ones(len(USERS), dtype=bool)


def posterior() -> tuple[Float64, float]:
    """Predictions by the posterior means of everybody's code, and the noise's variance."""
    mean, spread = CODES.mean(axis=0), np.cov(CODES.T)
    usual = BASE + TABLE @ mean
    noise = NOISE * float(np.mean(np.square(VALUES - usual[ITEMS])))
    out = np.tile(usual, (21, 1))
    for user in range(20):
        rated = TABLE[ITEMS[user == USERS]]
        rest = VALUES[user == USERS] - usual[ITEMS[user == USERS]]
        weights = np.linalg.solve(rated @ spread @ rated.T + noise * np.eye(len(rated)), rest)
        out[user] += TABLE @ spread @ rated.T @ weights
    return out, noise


def predictions(model: Continued, new: Mask) -> Float64:
    return model.user_codes(KNOWN, new) @ model.items.factors.T + model.items.bias


@pytest.fixture(autouse=True)
def items_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(continued, "HELD", 1e12)


def test_codes_of_new_people_are_the_means_of_their_posteriors() -> None:
    model = Continued.fit(CODES, NOBODY, TABLE, BASE, KNOWN, ALL)
    wanted, noise = posterior()
    assert model.ridge == pytest.approx(noise, rel=1e-4)
    np.testing.assert_allclose(predictions(model, ALL), wanted, atol=1e-3)


def test_codes_of_known_people_are_halfway_to_those_they_had() -> None:
    users = np.arange(21, dtype=np.int32)
    model = Continued.fit(CODES, users, TABLE, BASE, KNOWN, NEW)
    wanted, noise = posterior()
    inverse = np.linalg.inv(np.cov(CODES.T))
    for user in range(21):
        rated, code = TABLE[ITEMS[user == USERS]], CODES[user].astype(np.float64)
        come = NEW & (user == USERS)
        rest = VALUES[come] - BASE[ITEMS[come]] - TABLE[ITEMS[come]] @ code
        right = TABLE[ITEMS[come]].T @ rest / noise
        code = code + np.linalg.solve(inverse + rated.T @ rated / noise, right)
        wanted[user] = 0.5 * (wanted[user] + BASE + TABLE @ code)
    np.testing.assert_allclose(predictions(model, NEW), wanted, atol=1e-3)


def test_codes_that_differ_in_one_direction_have_a_positive_definite_covariance() -> None:
    """In float32 the rounding errors of their products exceed the regularisation."""
    rng = np.random.default_rng(0)
    far, table = rng.normal(size=(40, 1)) @ rng.normal(size=(1, 130)), rng.normal(size=(12, 130))
    codes = (1e3 * far).astype(np.float32)
    model = Continued.fit(codes, NOBODY, table, BASE, KNOWN, ALL)
    assert np.isfinite(predictions(model, ALL)).all()


def test_few_directions_are_those_that_move_predictions_most(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(continued, "WIDTH", 4)
    model = Continued.fit(CODES, NOBODY, TABLE, BASE, KNOWN, ALL)
    assert model.items.factors.shape == (12, 4)
    wanted = posterior()[0]
    spread = np.square(wanted - wanted.mean(axis=0)).mean()
    assert np.square(predictions(model, ALL) - wanted).mean() < 0.1 * spread


def test_items_are_moved_by_the_new_ratings(monkeypatch: pytest.MonkeyPatch) -> None:
    before = Continued.fit(CODES, NOBODY, TABLE, BASE, KNOWN, NEW)
    monkeypatch.setattr(continued, "HELD", 3.0)
    after = Continued.fit(CODES, NOBODY, TABLE, BASE, KNOWN, NEW)
    people, found = before.user_codes(KNOWN, NEW), predictions(before, NEW)
    for item in range(12):
        mine = NEW & (item == ITEMS)
        rows = np.column_stack([people[USERS[mine]], np.ones(mine.sum())]).astype(np.float64)
        rest = VALUES[mine] - found[USERS[mine], item]
        moved = np.linalg.solve(rows.T @ rows + 3.0 * np.eye(6), rows.T @ rest)
        now = np.append(after.items.factors[item], after.items.bias[item])
        was = np.append(before.items.factors[item], before.items.bias[item])
        np.testing.assert_allclose(now - was, moved, atol=1e-3)
