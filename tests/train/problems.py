"""Small training problems, and both engines on one of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import torch

from matinee.baseline.ordinal import OrdinalLink
from matinee.data import CodedColumn, Csr, group, stacked
from matinee.models import Settings
from matinee.nn import Batch, Inputs, Network, NetworkConfig, make_inputs
from matinee.train import Holdout, Run, TrainConfig, hold_out_rows

LINK = OrdinalLink((0.0, 1.0, 2.0, 3.0, 4.0, 5.0), (0.6, 1.4, 2.4, 3.3, 4.6), 1.7)


def ratings(seed: int = 0, rows: int = 60, columns: int = 90, share: float = 0.12) -> Csr:
    """Whole stars from 0 to 5 of a taste that can be learned; some columns are rarely rated."""
    rng = np.random.default_rng(seed)
    popularity = np.linspace(2.0, 0.0, columns) ** 2
    seen = rng.random((rows, columns)) < share * popularity / popularity.mean()
    seen[np.arange(rows), rng.integers(0, columns, rows)] = True
    row, column = np.nonzero(seen)
    taste = rng.normal(0, 1, (rows, 2)), rng.normal(0, 1, (columns, 2))
    raw = 2.5 + (taste[0][row] * taste[1][column]).sum(1) + rng.normal(0, 0.3, len(row))
    values = np.clip(np.rint(raw), 0, 5).astype(np.float32)
    return group(row.astype(np.int32), column.astype(np.int32), values, rows, columns)


def divide(csr: Csr, share: float, rng: np.random.Generator) -> tuple[Csr, Csr]:
    """Hold out a random share of the entries, leaving each row at least one: (kept, held out)."""
    out = hold_out_rows(csr, share, rng)
    return csr.where(~out), csr.where(out)


def with_side(csr: Csr) -> Csr:
    """The same with two columns of its rows, of which some are unknown."""
    labels = np.empty(csr.n_rows, dtype=object)
    labels[:] = [("a", "b", "c")[: n % 4] for n in range(csr.n_rows)]
    one = np.array(["x", "y", ""], dtype=object)[np.arange(csr.n_rows) % 3]
    columns = [CodedColumn.of("labels", labels), CodedColumn.of("one", one)]
    return replace(csr, side=stacked(columns))


def parts(
    settings: Settings, csr: Csr, seed: int = 0, dtype: torch.dtype = torch.float64
) -> tuple[Network, Inputs]:
    """A fresh network and its input encoding."""
    network = settings.network
    offset = np.zeros(csr.n_columns, dtype=np.float32)
    if network.center != "none":
        offset += np.float32(csr.values.mean())
    inputs = make_inputs(network, offset, side=csr.side)
    if network.output == "ordinal":
        inputs = replace(inputs, link=LINK)
    generator = torch.Generator().manual_seed(seed)
    return Network(network, csr.n_columns, inputs.table_rows, generator, dtype), inputs


def settings(**options: Any) -> Settings:
    """Settings by bare names, over a small network."""
    base = Settings(network=NetworkConfig(hidden=(6, 4, 6)), train=TrainConfig(epochs=3))
    return base.replace(options)


def batches(
    settings: Settings, inputs: Inputs, csr: Csr, steps: int, dtype: Any = np.float64
) -> Iterator[Batch]:
    """Batches of four rows at random, so that rare columns go untouched for long."""
    rng = np.random.default_rng(12)
    for _ in range(steps):
        batch = inputs.batch(
            csr.indptr,
            csr.indices,
            csr.values,
            rng.choice(csr.n_rows, 4, replace=False),
            salt=int(rng.integers(2**63)),
            conditional=settings.train.objective == "conditional",
            dropout=settings.network.input_dropout,
            dtype=dtype,
            side=csr.side,
        )
        if inputs.link is not None:  # some targets are a teacher's
            added = inputs.offset[batch.column] + np.repeat(batch.row_bias, np.diff(batch.indptr))
            level = np.rint(batch.target + added).astype(np.int32)
            level[rng.random(len(level)) < 0.2] = -1
            batch = replace(batch, level=level)
        yield batch


def run(
    settings: Settings,
    seed: int = 0,
    csr: Csr | None = None,
    *,
    valid: Csr | None = None,
    watch: dict[str, Csr] | None = None,
    dtype: torch.dtype = torch.float32,
) -> Run:
    """A run over some ratings, ready to train."""
    known = ratings() if csr is None else csr
    network, inputs = parts(settings, known, seed, dtype)
    watched = {name: Holdout.of(held) for name, held in (watch or {}).items()}
    held = None if valid is None else Holdout.of(valid)
    rng = np.random.default_rng(seed)
    return Run(network, inputs, known, settings.train, rng, held, watched)


def assert_goes_on(kind: Any, chosen: Settings, *, half: int, room: int) -> None:
    """From weights, state and generator alone, a fresh backend goes on bit for bit.

    Args:
        kind: The backend's class.
        chosen: Its settings.
        half: Steps before it is left, and after.
        room: Steps of an epoch.
    """
    csr = ratings()
    net, inputs = parts(chosen, csr)
    net.train()
    backend = kind(net, chosen.train, room)
    made = list(batches(chosen, inputs, csr, 2 * half))
    for n, batch in enumerate(made[:half], 1):
        backend.step(batch, n)
    backend.flush(half)
    arrays = {name: array.copy() for name, array in net.arrays().items()}
    state = {name: array.copy() for name, array in backend.state().items()}
    generator_state = net.generator.get_state()
    other, _ = parts(chosen, csr, seed=9)
    other.train()
    again = kind(other, chosen.train, room)
    other.load_arrays(arrays)
    again.restore(state)
    other.generator.set_state(generator_state)
    for n, batch in enumerate(made[half:], half + 1):
        assert backend.step(batch, n) == again.step(batch, n)
    backend.flush(2 * half)
    again.flush(2 * half)
    assert all(np.array_equal(a, other.arrays()[name]) for name, a in net.arrays().items())
