"""Metrics of lists in plain Python, one person at a time, and small made-up people."""

from __future__ import annotations

from math import log2
from typing import Any

import numpy as np

from matinee import Histories, Ratings, Scale


def ranked(scores: np.ndarray, seen: set[int], k: int) -> list[int]:
    left = [i for i in range(len(scores)) if i not in seen and scores[i] > -np.inf]
    return sorted(left, key=lambda i: (-float(scores[i]), i))[:k]


def person(
    listed: list[int], tested: dict[int, float], total: int, k: int, relevant: float = 4
) -> dict[str, float]:
    hit = [tested.get(item, 0) >= relevant for item in listed[:k]]
    ranks = [at for at, is_hit in enumerate(hit, start=1) if is_hit]
    precisions = sum(sum(hit[:rank]) / rank for rank in ranks)
    dcg = sum(1 / log2(rank + 1) for rank in ranks)
    ideal = sum(1 / log2(rank + 1) for rank in range(1, min(k, total) + 1))
    full = sum(1 / log2(rank + 1) for rank in range(1, k + 1))
    return {
        "recall": len(ranks) / total,
        "precision": len(ranks) / k,
        "ndcg": dcg / ideal,
        "mrr": 1 / ranks[0] if ranks else 0.0,
        "map": precisions / total,
        "hit_rate": float(bool(ranks)),
        "recall_capped": len(ranks) / min(k, total),
        "ndcg_full": dcg / full,
        "map_capped": precisions / min(k, total),
        "hits": len(ranks),
        "achievable": min(k, total),
        "ratings": sum(tested.get(item, 0.0) for item in listed[:k]),
        "rated": sum(item in tested for item in listed[:k]),
    }


def made_up(
    seed: int = 0, people: int = 40, n_items: int = 60, share: float = 0.3
) -> tuple[Ratings, Ratings]:
    """Training and test ratings 1 to 5 of integer ids, disjoint, over one vocabulary."""
    rng = np.random.default_rng(seed)
    users, items = np.nonzero(rng.random((people, n_items)) < share)
    values = rng.integers(1, 6, len(users)).astype(np.float32)
    whole = Ratings.from_arrays(users, items, values, scale=Scale(1, 5), name="made-up")
    test = rng.random(len(users)) < 0.4
    return whole.take(~test), whole.take(test)


def histories_of(train: Ratings, users: Any) -> tuple[Histories, Any]:
    return Histories.of(train.by_user), users
