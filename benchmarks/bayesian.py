"""Our Gibbs sampler and myFM's, side by side: seconds a sweep, and the RMSE on validation ratings.

    pip install 'matinee[bench]'
    python benchmarks/bayesian.py --data ml-100k --rank 10 --sweeps 60

Both have the same features (ids, the items that a user has rated, the users that have rated an
item), the same rank and an ordered probit, and use one thread. A twentieth of the training part of
a random 90/10 split is the validation part; the test part is not read. myFM is given its relation
blocks, without which it is slower still. Its seconds are of its own ``fit``.
"""

from __future__ import annotations

import argparse
import sys
import time
import types

import numpy as np
from scipy import sparse

from matinee.data import load, split
from matinee.train.bayes.config import BayesianConfig
from matinee.train.bayes.run import current
from matinee.train.bayes.sampler import Gibbs


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", default="ml-100k", help="what matinee.load takes")
    parser.add_argument("--rank", type=int, default=10)
    parser.add_argument("--sweeps", type=int, default=60)
    parser.add_argument("--burn-in", type=int, default=20)
    parser.add_argument("--only-ours", action="store_true")
    options = parser.parse_args()
    train = split(load(options.data), holdout=0.1, seed=0)[0]
    held = np.random.default_rng(1).random(len(train)) < 0.05
    known, out = train.take(~held), train.take(held)
    rng = np.random.default_rng(0)
    kept = options.sweeps - options.burn_in

    gibbs = Gibbs(known, BayesianConfig(rank=options.rank, likelihood="probit"), rng)
    gibbs.sweep()  # compiles
    total, seconds = np.zeros(len(out)), 0.0
    for sweep in range(options.sweeps):
        before = time.perf_counter()
        gibbs.sweep()
        seconds += time.perf_counter() - before
        if sweep >= options.burn_in:
            total += current(gibbs, out.users, out.items) / kept
    low, high = train.scale.low, train.scale.high
    print(f"| | s a sweep | RMSE after {options.sweeps} sweeps |\n| --- | --- | --- |")
    rmse = np.sqrt(np.mean(np.square(np.clip(total, low, high) - out.values)))
    print(f"| ours | {seconds / options.sweeps:.3f} | {rmse:.4f} |", flush=True)
    if options.only_ours:
        return

    if "pkg_resources" not in sys.modules:  # myFM 0.4 asks it for its version
        stand_in = types.ModuleType("pkg_resources")
        stand_in.DistributionNotFound = LookupError  # type: ignore[attr-defined]
        stand_in.get_distribution = lambda name: types.SimpleNamespace(version="")  # type: ignore
        sys.modules["pkg_resources"] = stand_in
    from myfm import MyFMOrderedProbit, RelationBlock

    has = sparse.csr_matrix(
        (np.ones(len(known)), (known.users, known.items)), (known.n_users, known.n_items)
    )
    tables = []
    for matrix in (has, has.T.tocsr()):
        scale = 1.0 / np.sqrt(np.maximum(np.asarray(matrix.sum(axis=1)).ravel(), 1.0))
        own = sparse.identity(matrix.shape[0])
        tables.append(sparse.hstack([own, sparse.diags(scale) @ matrix]).tocsr())
    levels = np.unique(known.values)
    groups = [known.n_users, known.n_items, known.n_items, known.n_users]
    model = MyFMOrderedProbit(options.rank, random_seed=0)
    before = time.perf_counter()
    model.fit(
        None,
        np.searchsorted(levels, known.values),
        X_rel=[RelationBlock(known.users, tables[0]), RelationBlock(known.items, tables[1])],
        n_iter=options.sweeps,
        n_kept_samples=kept,
        group_shapes=groups,
    )
    seconds = time.perf_counter() - before
    blocks = [RelationBlock(out.users, tables[0]), RelationBlock(out.items, tables[1])]
    predicted = model.predict_proba(None, blocks) @ levels
    rmse = np.sqrt(np.mean(np.square(np.clip(predicted, low, high) - out.values)))
    print(f"| myFM | {seconds / options.sweeps:.3f} | {rmse:.4f} |")


if __name__ == "__main__":
    main()
