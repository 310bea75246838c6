"""Whether the best of a sweep is better, on ratings that had no part in choosing it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ...data import Ratings, fingerprint
from ...evaluate import ErrorSums, Gain, Interval, paired_gain
from .result import best_of
from .search import Search

if TYPE_CHECKING:
    from ...recommend import HistoriesLike
    from ...train import Epoch


def judge(
    search: Search,
    name: str,
    data_label: str,
    train: Ratings,
    held: Ratings,
    histories: HistoriesLike | None,
    seeds: int,
) -> Gain:
    """Train the start, called ``name``, and the best, and compare them on held-out ratings.

    Each setting is trained with several seeds, those after that of the search, which seeds the
    bootstrap. ``histories`` are those of users who are not in ``train``. Comparisons in the store
    are not repeated.
    """
    from ...models import model as make_model

    best = best_of(search.store.finished)
    assert best is not None
    settings, names = (search.start, best.settings), (name, "best")
    note = f"{data_label}, trial {best.number}, {fingerprint(held)}"
    known = search.store.note(note)
    if known is not None and known["seeds"] >= seeds:
        bounds = known["interval"]
        return Gain(**{**known, "interval": None if bounds is None else Interval(*bounds)})
    errors = np.empty((len(held), 2 * seeds))
    users, items = held.user_ids.ids[held.users], held.item_ids.ids[held.items]
    for column in range(2 * seeds):
        which, number = divmod(column, seeds)
        if which and settings[0] == settings[1]:
            errors[:, column] = errors[:, number]
            continue
        run_seed = search.seed + 1 + number
        model = make_model(settings=settings[which], device=search.device)
        label = f"judging {names[which]} on {data_label} ratings, seed {run_seed}"

        def each(epoch: Epoch, label: str = label, planned: Any = model.planned_epochs) -> None:
            search.watch(label, epoch, planned[epoch.member, epoch.teacher])

        model.fit(train, seed=run_seed, progress=False, on_epoch=each)
        errors[:, column] = model.predict(users, items, histories=histories) - held.values
    sums = ErrorSums.zeros(held.n_users, 2 * seeds)
    sums.add(held.users, errors)
    gain = paired_gain(sums, np.random.default_rng(search.seed))
    search.store.set_note(
        note, {**gain.__dict__, "interval": gain.interval and list(gain.interval)}
    )
    return gain
