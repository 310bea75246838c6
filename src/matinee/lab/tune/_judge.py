"""Whether the best of a sweep is better, on ratings that had no part in choosing it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from ...data import Ratings, fingerprint
from ...evaluate import ErrorSums, Gain, Interval, paired_gain
from .store import TrialStore

if TYPE_CHECKING:
    from ...models import Settings
    from ...train import Epoch


def judge(
    store: TrialStore,
    data_label: str,
    settings: tuple[Settings, Settings],
    names: tuple[str, str],
    best: int,
    train: Ratings,
    held: Ratings,
    histories: Any,
    *,
    seeds: int,
    seed: int,
    device: str,
    on_epoch: Callable[[str, Epoch, int], None],
) -> Gain:
    """Train two settings with several seeds and compare them on held-out ratings.

    Comparisons in the store are not repeated.

    Args:
        store: Of the sweep.
        data_label: What the ratings are called.
        settings: The two settings.
        names: What they are called.
        best: Number of the second's trial.
        train: To train on.
        held: To compare on.
        histories: Histories of the users of ``held``, if they are not part of ``train``.
        seeds: Models per setting, with the seeds after ``seed``, the seed of the search.
        seed: Of the search; seeds the bootstrap too.
        device: As for ``Autoencoder``.
        on_epoch: Called with a text, the epoch, and the largest number of epochs.
    """
    from ...models import model as make_model

    note = f"{data_label}, trial {best}, {fingerprint(held)}"
    known = store.note(note)
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
        run_seed = seed + 1 + number
        model = make_model(settings=settings[which], device=device)
        label = f"judging {names[which]} on {data_label} ratings, seed {run_seed}"

        def each(epoch: Epoch, label: str = label, planned: Any = model.planned_epochs) -> None:
            on_epoch(label, epoch, planned[epoch.member, epoch.teacher])

        model.fit(train, seed=run_seed, progress=False, on_epoch=each)
        errors[:, column] = model.predict(users, items, histories=histories) - held.values
    sums = ErrorSums.zeros(held.n_users, 2 * seeds)
    sums.add(held.users, errors)
    gain = paired_gain(sums, np.random.default_rng(seed))
    store.set_note(note, {**gain.__dict__, "interval": gain.interval and list(gain.interval)})
    return gain
