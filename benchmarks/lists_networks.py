"""Scorers of interest on held-out interactions: closed form, networks, and their blend.

    python benchmarks/lists_networks.py PROTOCOL DATA [--scorers linear,network,best] [--seed 0]
        [--validation] [--set epochs=12] [--json]

PROTOCOL is one of

    strong   ML-1M (DATA: the folder of ratings.dat): ratings of 4 and more, people with 5 or more;
             20% of the people for testing and 10% for validation, 80% of whose items are given
    quest    ML-1M with 10-core (DATA: the folder of ratings.dat, and the parquet file of the test
             pairs after a comma): the protocol of Anelli et al. 2022
    gowalla  DATA: the folder of train_fit, train_valid and test.parquet: the split of LightGCN

``--validation`` scores the validation part, and trains without it: settings are chosen by that
alone. With quest, a tenth of the training pairs is drawn for it. Scorers are the values of
lists.interest (recvae among them), mult-dae, mult-vae and multinomial (the network with that loss).
nDCG@k is binary, its ideal over min(k, relevant); the gain is paired, over the first scorer, with
its standard error.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from matinee.data import Csr
    from matinee.recommend.interest import Interest

LIANG = {
    "loss": "multinomial",
    "objective": "reconstruct",
    "residual": False,
    "shown": [0.5, 0.5],
    "user_power": 0.0,
    "batch_size": 500,
    "learning_rate": 1e-3,
    "schedule": "constant",
    "weight_decay": 0.0,
    "epochs": 200,
    "choose_epoch": True,
    "score_every": 10,
}
NETWORKS: dict[str, dict[str, Any]] = {
    "mult-dae": {**LIANG, "hidden": [200], "l2": 2e-5},
    "mult-vae": {**LIANG, "hidden": [600, 200, 600], "variational": True},
    "multinomial": {"loss": "multinomial"},
}
PEOPLE = 512


@dataclass(frozen=True, eq=False)
class Task:
    """Interactions to train on, and people with given and relevant items, all by user."""

    train: Csr
    given: Csr
    relevant: Csr


def csr(users: npt.NDArray[Any], items: npt.NDArray[Any], n_users: int, n_items: int) -> Csr:
    """Pairs by user."""
    from matinee.data import group

    ones = np.ones(len(users), dtype=np.float32)
    return group(users.astype(np.int32), items.astype(np.int32), ones, n_users, n_items)


def liked(folder: Path) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    """Users and items of the ratings of 4 and more."""
    lines = (line.replace("::", ",") for line in (folder / "ratings.dat").open())
    table = np.loadtxt(lines, delimiter=",", dtype=np.int64, usecols=(0, 1, 2))
    table = table[table[:, 2] >= 4]
    return table[:, 0], table[:, 1]


def pairs(path: Path) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    """The first two columns of a parquet file."""
    import pyarrow.parquet as pq

    table = pq.read_table(path)
    return table.column(0).to_numpy(), table.column(1).to_numpy()


def strong(data: str, validation: bool, split: int = 0) -> Task:
    """Strong generalisation: people held out, drawn by the number of the split."""
    users, items = liked(Path(data))
    often = np.bincount(users)[users] >= 5
    users = np.unique(users[often], return_inverse=True)[1]
    items = np.unique(items[often], return_inverse=True)[1]
    n_users, n_items = int(users.max()) + 1, int(items.max()) + 1
    whole = csr(users, items, n_users, n_items)
    rng = np.random.default_rng(split)
    order = rng.permutation(n_users)
    n_test, n_valid = round(0.2 * n_users), round(0.1 * n_users)
    test, valid = np.sort(order[:n_test]), np.sort(order[n_test : n_test + n_valid])
    train = np.zeros(n_users, dtype=bool)
    train[order[n_test + n_valid :]] = True
    chosen = train[users]
    number = np.cumsum(train) - 1
    parts = {}
    for name, people in (("valid", valid), ("test", test)):
        found: list[list[npt.NDArray[Any]]] = [[], [], [], []]
        for row, person in enumerate(people.tolist()):
            own = np.sort(whole.indices[whole.indptr[person] : whole.indptr[person + 1]])
            drawn = rng.permutation(len(own))
            cut = min(len(own) - 1, round(0.8 * len(own)))
            for at, part in enumerate((drawn[:cut], drawn[cut:])):
                found[2 * at].append(np.full(len(part), row))
                found[2 * at + 1].append(own[part])
        a, b, c, d = (np.concatenate(each) for each in found)
        parts[name] = csr(a, b, len(people), n_items), csr(c, d, len(people), n_items)
    fitted = csr(number[users[chosen]], items[chosen], int(train.sum()), n_items)
    return Task(fitted, *parts["valid" if validation else "test"])


def quest(data: str, validation: bool) -> Task:
    """Weak generalisation on ML-1M."""
    folder, _, test_path = data.partition(",")
    users, items = liked(Path(folder))
    while True:
        kept = (np.bincount(users)[users] >= 10) & (np.bincount(items)[items] >= 10)
        if kept.all():
            break
        users, items = users[kept], items[kept]
    user_ids, users = np.unique(users, return_inverse=True)
    item_ids, items = np.unique(items, return_inverse=True)
    some, other = pairs(Path(test_path))
    tested = np.searchsorted(user_ids, some) * len(item_ids) + np.searchsorted(item_ids, other)
    held = np.isin(users * len(item_ids) + items, tested)
    if validation:
        users, items = users[~held], items[~held]
        held = np.random.default_rng(0).random(len(users)) < 0.1
    return weak(users, items, held, len(user_ids), len(item_ids))


def gowalla(data: str, validation: bool) -> Task:
    """Weak generalisation on Gowalla."""
    folder = Path(data)
    names = ("train_fit", "train_valid") if validation else ("train_fit", "train_valid", "test")
    parts = [pairs(folder / f"{name}.parquet") for name in names]
    held = np.repeat([*[False] * (len(parts) - 1), True], [len(users) for users, _ in parts])
    users, items = (np.concatenate(each) for each in zip(*parts, strict=True))
    return weak(users, items, held, 29858, 40981)


def weak(
    users: npt.NDArray[Any], items: npt.NDArray[Any], held: npt.NDArray[Any], *shape: int
) -> Task:
    """The people of training, with some of their pairs held out."""
    train = csr(users[~held], items[~held], *shape)
    return Task(train, train, csr(users[held], items[held], *shape))


def score(interest: Interest, task: Task, k: int) -> npt.NDArray[np.float64]:
    """NDCG@k and recall@k of each person with relevant items, float64 (people, 2)."""
    from matinee.data import Histories

    histories = Histories.of(task.given)
    people = np.flatnonzero(task.relevant.counts > 0)
    gains = 1.0 / np.log2(np.arange(2, k + 2))
    found = np.zeros((len(people), 2))
    for start in range(0, len(people), PEOPLE):
        some = people[start : start + PEOPLE]
        scores = interest.scores(histories.take(some))
        for row, person in enumerate(some.tolist()):
            mine = scores[row]
            mine[
                task.given.indices[task.given.indptr[person] : task.given.indptr[person + 1]]
            ] = -np.inf
            best = np.argpartition(-mine, k)[:k]
            best = best[np.argsort(-mine[best], kind="stable")]
            wanted = task.relevant.indices[
                task.relevant.indptr[person] : task.relevant.indptr[person + 1]
            ]
            hits = np.isin(best, wanted)
            ideal = gains[: min(k, len(wanted))].sum()
            found[start + row] = gains[hits].sum() / ideal, hits.sum() / len(wanted)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("protocol", choices=("strong", "quest", "gowalla"))
    parser.add_argument("data")
    parser.add_argument("--scorers", default="linear,network,best")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--validation", action="store_true")
    parser.add_argument("--set", action="append", default=[])
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()

    from matinee.config import parse_settings
    from matinee.recommend.interest import Blend, fit_interest
    from matinee.train.lists import ListsConfig

    read = {"strong": strong, "quest": quest, "gowalla": gowalla}[args.protocol]
    task, k = read(args.data, args.validation), {"strong": 100, "quest": 10}.get(args.protocol, 20)
    first: npt.NDArray[np.float64] | None = None
    for name in args.scorers.split(","):
        interest = {"linear": "auto"}.get(name, "network" if name in NETWORKS else name)
        config = ListsConfig.make({"interest": interest, "net": NETWORKS.get(name, {})})
        settings = {f"net.{key}": value for key, value in parse_settings(args.set).items()}
        config = config.replace(settings, "--set")
        start = time.perf_counter()
        seconds: list[float] = []
        fitted = fit_interest(
            task.train,
            config,
            np.random.default_rng(args.seed),
            lambda epoch, seconds=seconds: seconds.append(epoch.seconds),
        )
        assert fitted is not None
        fit_seconds = time.perf_counter() - start
        found = score(fitted.interest, task, k)
        first = found if first is None else first
        gain = (found - first)[:, 0]
        ndcg, recall = found.mean(axis=0)
        kept = fitted.interest
        result = {
            "scorer": name,
            "kept": kept.name + (f" {kept.weights}" if isinstance(kept, Blend) else ""),
            f"ndcg@{k}": round(float(ndcg), 4),
            f"recall@{k}": round(float(recall), 4),
            "gain": round(float(gain.mean()), 4),
            "gain_se": round(float(gain.std() / np.sqrt(len(gain))), 4),
            "fit_seconds": round(fit_seconds, 1),
            "epochs": len(seconds),
            "epoch_seconds": round(float(np.median(seconds)), 2) if seconds else None,
        }
        text = "  ".join(f"{key} {value}" for key, value in result.items())
        print(json.dumps(result) if args.json else text, flush=True)


if __name__ == "__main__":
    main()
