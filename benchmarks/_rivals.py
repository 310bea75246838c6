"""The two sides of a speed benchmark: the usual dense loop, and Matinee's backend."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import nn

from matinee import data
from matinee.base.threads import kernel_thread_tuner
from matinee.nn import Network, NetworkConfig, make_inputs
from matinee.train import TrainConfig
from matinee.train._backend import KernelBackend, TorchBackend, torch_threads

ACTIVATIONS: dict[str, type[nn.Module]] = {
    "elu": nn.ELU,
    "selu": nn.SELU,
    "linear": nn.Identity,
}
Clock = Callable[[], float]
"""Seconds: of the wall, or of this thread alone (on a busy machine, with one thread)."""
CLOCKS: dict[str, Clock] = {"wall": time.perf_counter, "thread": time.thread_time}

WHOLE = 50_000_000
"""A users x items matrix of up to this many cells is made once; of more, a batch at a time."""


class Dense:
    """The usual loop: rows with 0 for missing, `nn.Linear`, the error masked by `x != 0`.

    Args:
        csr: The ratings by user.
        network: Its shape.
        train: Optimiser, learning rate and momentum.
        fused: Whether torch's optimiser is the fused one.
        clock: What is measured.
    """

    def __init__(
        self,
        csr: data.Csr,
        network: NetworkConfig,
        train: TrainConfig,
        *,
        fused: bool = False,
        clock: Clock = time.perf_counter,
    ) -> None:
        self.csr, self.clock = csr, clock
        torch.manual_seed(0)
        self.model = _dense_layers(csr.n_columns, network)
        options: dict[str, Any] = {"lr": train.learning_rate} | ({"fused": True} if fused else {})
        self.optimizer: torch.optim.Optimizer
        if train.optimizer == "adam":
            self.optimizer = torch.optim.Adam(self.model.parameters(), **options)
        else:
            options["momentum"] = train.momentum
            self.optimizer = torch.optim.SGD(self.model.parameters(), **options)
        # As people do it: the whole matrix where it fits, a fresh batch from the CSR where not.
        whole = csr.n_rows * csr.n_columns <= WHOLE
        self.matrix = self.rows(np.arange(csr.n_rows)) if whole else None

    def rows(self, chosen: np.ndarray) -> torch.Tensor:
        """Some users as a dense array."""
        counts = self.csr.counts[chosen]
        x = torch.zeros(len(chosen), self.csr.n_columns)
        start = np.repeat(self.csr.indptr[chosen] - np.cumsum(counts) + counts, counts)
        entries = np.arange(counts.sum()) + start
        row = torch.from_numpy(np.repeat(np.arange(len(chosen)), counts))
        x[row, torch.from_numpy(self.csr.indices[entries]).long()] = torch.from_numpy(
            self.csr.values[entries]
        )
        return x

    def run(self, batches: Sequence[np.ndarray]) -> float:
        """Seconds for some steps."""
        started = self.clock()
        for chosen in batches:
            x = self.rows(chosen) if self.matrix is None else self.matrix[torch.from_numpy(chosen)]
            mask = x != 0
            loss = (((self.model(x) - x) * mask) ** 2).sum() / mask.sum()
            self.optimizer.zero_grad()
            loss.backward()
            self.optimizer.step()
        return self.clock() - started


def _dense_layers(columns: int, network: NetworkConfig) -> nn.Sequential:
    sizes = [columns, *network.hidden]
    layers: list[nn.Module] = []
    for index, (n, m) in enumerate(itertools.pairwise(sizes)):
        layers += [nn.Linear(n, m), ACTIVATIONS[network.activation]()]
        if index == network.code_layer and network.code_dropout:
            layers.append(nn.Dropout(network.code_dropout))
    return nn.Sequential(
        *layers, nn.Linear(sizes[-1], columns), ACTIVATIONS[network.output_activation]()
    )


class Ours:
    """Matinee's backend, batch assembly included.

    Args:
        csr: The ratings by user.
        network: Its shape.
        train: Optimiser, learning rate and momentum.
        steps: Room for this many steps in all.
        compiled: Whether by the compiled kernels, or by torch's own sparse operations.
        clock: What is measured.
    """

    def __init__(
        self,
        csr: data.Csr,
        network: NetworkConfig,
        train: TrainConfig,
        steps: int,
        *,
        compiled: bool = True,
        clock: Clock = time.perf_counter,
    ) -> None:
        self.csr, self.train, self.clock = csr, train, clock
        offset = np.zeros(csr.n_columns, dtype=np.float32)
        self.inputs = make_inputs(network, offset)
        generator = torch.Generator().manual_seed(0)
        net = Network(network, csr.n_columns, self.inputs.table_rows, generator).train()
        self.backend = (KernelBackend if compiled else TorchBackend)(net, train, steps)
        self.step = 0
        self.tuner = kernel_thread_tuner()

    def run(self, batches: Sequence[np.ndarray], *, settle: bool = True) -> float:
        """Seconds for some steps, and for the settling of all rows that ends an epoch.

        The threads of kernels and of torch's products are chosen as in training.
        """
        started, csr = self.clock(), self.csr
        limited = torch_threads(self.backend.network, self.train, len(batches[0]))
        with limited, self.tuner.session():
            for chosen in batches:
                self.step += 1
                with self.tuner(int(csr.counts[chosen].sum())):
                    batch = self.inputs.batch(csr.indptr, csr.indices, csr.values, chosen)
                    self.backend.step(batch, self.step)
        if settle:
            self.backend.flush(self.step)
        return self.clock() - started
