"""The two backends of a training step: compiled kernels on the CPU, and torch on any device.

Both compute the same weights from the same batch, to rounding.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from torch import Tensor

from ..base.arrays import Array
from ..base.threads import cores
from ..baseline.ordinal import OrdinalLink
from ..nn import Batch, Middle, Network, Transposer, shares_products, sum_by_column
from ..nn.sparse import kernels, reference
from ..nn.sparse.ordinal_loss import ordinal_loss
from ._refeed import Fed, KernelRefeed, TorchRefeed
from .config import TrainConfig
from .distributed import ALONE, ProcessGroup
from .optimizer.optimizer import Flat, SparseTable, StepSizes, has_l2
from .optimizer.schedule import learning_rates
from .shards.blocks import block_pass


class Backend(ABC):
    """Computes training steps: gradients and updates of one batch, re-feeding included.

    Args:
        network: The network. ``KernelBackend`` takes it on the CPU, and moves its small parameters
            into one flat vector.
        config: The training options.
        steps_per_epoch: Number of batches in an epoch.
        group: The processes among which each batch is divided; each is passed the whole batch.
        link: The link from latent scores to ratings of ordinal outputs, or None.

    Attributes:
        mse: Masked mean squared error of the last batch before its step; equal to the loss, except
            with ordinal outputs.
    """

    def __init__(
        self,
        network: Network,
        config: TrainConfig,
        steps_per_epoch: int,
        group: ProcessGroup = ALONE,
        link: OrdinalLink | None = None,
    ) -> None:
        self.network, self.config, self.group, self.link = network, config, group, link
        self.mse = 0.0
        self.rates = learning_rates(config, steps_per_epoch * config.steps_per_batch)
        self._prepare()

    @abstractmethod
    def _prepare(self) -> None:
        """Make the state of the optimiser."""

    @abstractmethod
    def step(self, batch: Batch, step: int) -> float:
        """Take step number ``step`` (from 1) and return the batch's loss before it."""

    @abstractmethod
    def flush(self, step: int) -> None:
        """Apply all deferred updates up to ``step``, so that the weights can be read."""

    def learning_rate(self, step: int) -> float:
        """Return the learning rate of ``step``."""
        return float(self.rates[step * self.config.steps_per_batch])

    @abstractmethod
    def state(self) -> dict[str, Array]:
        """Return the optimiser's arrays by name, for a checkpoint."""

    @abstractmethod
    def restore(self, state: dict[str, Array]) -> None:
        """Restore the optimiser's arrays from ``state``."""


class KernelBackend(Backend):
    """Compiled kernels that update only the rows of the two tables that a batch uses."""

    def _prepare(self) -> None:
        network, config, group = self.network, self.config, self.group
        self._sizes = StepSizes(config, self.rates)
        dense = config.l2 > 0  # with L2, every row has a gradient at every step
        self._tied = network.config.tied
        self._table_in = SparseTable(self._sizes, network.table_in.detach().numpy())
        self._table_out = self._table_in
        if not self._tied:
            self._table_out = SparseTable(self._sizes, network.table_out.detach().numpy())
        self._same_columns = network.config.input == "ratings"  # at the input and at the output
        self._by_column = Transposer(network.table_out.shape[0], everything=dense)
        self._by_source = Transposer(network.table_in.shape[0], everything=dense)
        self._flatten()
        self._middle = Middle(network, shared=not _torch_shares(network, config))
        # Looked up once: at batch size 8 an attribute look-up is measurable.
        self._bias_out = network.bias_out.detach().numpy()
        self._activation = network.output_code
        self._rows = [np.arange(len(t.weights), dtype=np.int32) for t in self._tables()]
        self._refeed = None
        if config.refeed != "off":
            tables = self._table_in, self._table_out
            self._refeed = KernelRefeed(network, config, *tables, self._flat, group)

    def _flatten(self) -> None:
        """Make the small parameters, and their gradients, views of one vector each."""
        tables = (self.network.table_in, self.network.table_out)
        small = [p for p in self.network.parameters() if all(p is not t for t in tables)]
        small = [p for p in small if p is not self.network.bias_out and p.requires_grad]
        trains_bias = self.network.bias_out.requires_grad
        small += [self.network.bias_out] * trains_bias
        vector = torch.cat([p.detach().reshape(-1) for p in small])
        free = self.network.bias_out.numel() if trains_bias else 0
        sizes = [(p.numel(), p is not self.network.bias_out, has_l2(self.config, p)) for p in small]
        self._flat = Flat(self._sizes, vector.numpy(), sizes)
        gradient = torch.from_numpy(self._flat.gradient)
        start = 0
        for p in small:
            span = slice(start, start + p.numel())
            p.data = vector[span].view(p.shape)
            p.grad = gradient[span].view(p.shape)
            start += p.numel()
        self._bias_gradient = self._flat.gradient[len(vector) - free :] if trains_bias else None
        self._middle_gradient = self._flat.gradient[: len(vector) - free]

    @torch.no_grad()
    def step(self, batch: Batch, step: int) -> float:
        """See ``Backend``."""
        step = (step - 1) * self.config.steps_per_batch + 1
        columns = self._by_column(batch.indptr, batch.column)
        sources = columns if self._same_columns else self._by_source(batch.in_ptr, batch.source)
        self._table_in.catch_up(sources.columns, step - 1)
        if not self._tied:
            self._table_out.catch_up(columns.columns, step - 1)

        if self.network.blocks is None:
            loss, mse, error, last, d_gathered, fed = self._pass(batch, step)
        else:
            loss, error, last, d_gathered = block_pass(self.network, self._middle, batch)
            self.group.sum(self._middle_gradient)
            mse, fed = loss, None
        if self._bias_gradient is not None:
            sum_by_column(columns, error, self._bias_gradient)
        if self._tied:
            self._table_in.step(columns, step, (error, last), (batch.coef, d_gathered))
        else:
            self._table_out.step(columns, step, (error, last))
            self._table_in.step(sources, step, (batch.coef, d_gathered))
        self._flat.step(step)
        if self._refeed and fed:
            self._refeed.step(fed, step + 1)
        self.mse = float(mse)
        return float(loss)

    def _pass(
        self, batch: Batch, step: int
    ) -> tuple[float, float, Array, Array, Array, Fed | None]:
        """Return loss, MSE, errors, last hidden layer and gradient by the encoder's sums.

        Each process computes its rows; also return their output for re-feeding, if any.
        """
        rows = self.group.rows(batch.indptr)
        local, span = batch.take(rows), (rows.start, batch.rows)
        table_out = self._table_out.weights
        gathered = np.empty((local.rows, self._table_in.weights.shape[1]), dtype=table_out.dtype)
        kernels.encode(local.in_ptr, local.source, local.coef, self._table_in.weights, gathered)
        hidden = self._middle.forward(torch.from_numpy(gathered), span)
        last = hidden.numpy()
        fed = self._refeed.output(hidden, step, span) if self._refeed else None
        loss, mse, error, d_hidden = self._loss(local, last)
        d_gathered = self._middle.backward(torch.from_numpy(d_hidden)).numpy()
        if not self.group.alone:
            parts = (np.array([[loss, mse]]), error, last, d_gathered)
            losses, error, last, d_gathered = self._reduce(batch, local, rows.start, parts)
            loss, mse = losses.sum(axis=0).tolist()
        return loss, mse, error, last, d_gathered, fed

    def _loss(self, local: Batch, last: Array) -> tuple[float, float, Array, Array]:
        """Return loss, MSE, d loss / d output (entries,) and d loss / d last hidden layer.

        Args:
            local: This process's rows of a batch.
            last: Their last hidden layer.
        """
        table, act = self._table_out.weights, self._activation
        output, d_hidden = np.empty(len(local.column), dtype=table.dtype), np.empty_like(last)
        at, targets = (local.indptr, local.column), (local.target, local.weight)
        layer = last, table, self._bias_out
        if self.link is None:
            loss = kernels.decode_loss(*at, *targets, *layer, act, output, d_hidden)
            return loss, loss, output, d_hidden
        assert local.level is not None
        kernels.decode(*at, *layer, act, output)
        loss, mse, error = ordinal_loss(self.link, local.indptr, output, *targets, local.level)
        kernels.encode(*at, error, table, d_hidden)
        return loss, mse, error, d_hidden

    def _reduce(
        self, batch: Batch, local: Batch, first: int, parts: tuple[Array, Array, Array, Array]
    ) -> tuple[Array, Array, Array, Array]:
        """Combine loss and gradients of each process's rows into the whole batch's (all-reduce).

        The gradients of the tables are exchanged as factors, whose sizes are the numbers of ratings
        and of rows. Those of the middle layers are summed in place.

        Args:
            batch: The whole batch.
            local: This process's rows of the batch.
            first: Position of the first of these rows.
            parts: For these rows: the loss and the mean squared error (1, 2), the errors, the last
                hidden layer, and the gradient by the encoder's sums.

        Returns:
            The same for all rows, with losses (processes, 2), whose sum is the batch's.
        """
        losses, error, last, d_gathered = parts
        fraction = _loss_fraction(local, batch)
        self._middle_gradient *= fraction
        self.group.sum(self._middle_gradient)
        losses, error, last, d_gathered = self.group.join_parts(
            ((fraction * losses).astype(error.dtype), self.group.rank, self.group.size),
            (fraction * error, batch.indptr[first], len(batch.column)),
            (last, first, batch.rows),
            (fraction * d_gathered, first, batch.rows),
        )
        return losses, error, last, d_gathered

    def _tables(self) -> list[SparseTable]:
        return [self._table_in] if self._tied else [self._table_in, self._table_out]

    def flush(self, step: int) -> None:
        """See ``Backend``."""
        for table, rows in zip(self._tables(), self._rows, strict=True):
            table.catch_up(rows, step * self.config.steps_per_batch)

    def state(self) -> dict[str, Array]:
        """See ``Backend``."""
        arrays: dict[str, Array] = {"flat.m": self._flat.m, "flat.v": self._flat.v}
        for number, table in enumerate(self._tables()):
            arrays |= {
                f"table{number}.m": table.m,
                f"table{number}.v": table.v,
                f"table{number}.last": table.last,
            }
        return arrays

    def restore(self, state: dict[str, Array]) -> None:
        """See ``Backend``."""
        for name, array in self.state().items():
            array[...] = state[name]


class TorchBackend(Backend):
    """Torch's autograd and optimisers with dense gradients, for CUDA."""

    def _prepare(self) -> None:
        network, config, group = self.network, self.config, self.group
        self._refeed = TorchRefeed(network, config, group) if config.refeed != "off" else None
        trained = [p for p in network.parameters() if p.requires_grad]
        self._decayed = [p for p in trained if p is not network.bias_out]
        parameters = [*self._decayed, *(p for p in trained if p is network.bias_out)]
        # Moments start at zero as in the kernels, and weight decay is decoupled for every kind.
        self.optimizer: torch.optim.Optimizer
        rate = config.learning_rate
        if config.optimizer == "adam":
            betas = (config.beta1, config.beta2)
            self.optimizer = torch.optim.Adam(parameters, lr=rate, betas=betas, eps=config.eps)
        else:
            self.optimizer = torch.optim.SGD(parameters, lr=rate, momentum=config.momentum)

    def step(self, batch: Batch, step: int) -> float:
        """See ``Backend``."""
        step = (step - 1) * self.config.steps_per_batch + 1
        table = self.network.table_in
        rows = self.group.rows(batch.indptr)
        local, span = batch.take(rows), (rows.start, batch.rows)
        entries = reference.tensors(local, table.device, table.dtype)
        hidden = self.network.middle(reference.encode(self.network, entries), span)
        output = reference.decode(self.network, entries, hidden)
        if self.link is None:
            mse = loss = reference.masked_mse(output, entries)
        else:
            loss, mse = reference.ordinal_loss(output, entries, self.link)
        if not self.group.alone:
            fraction = _loss_fraction(local, batch)
            loss, mse = loss * fraction, mse * fraction
        fed = self._refeed.output(hidden.detach(), span) if self._refeed else None
        self._descend(loss, step)
        if self._refeed and fed:
            self._descend(self._refeed.loss(fed), step + 1)
        total = torch.stack([loss.detach(), mse.detach()])
        self.group.sum(total)
        self.mse = float(total[1])
        return float(total[0])

    def _descend(self, loss: Tensor, step: int) -> None:
        """Take an optimiser step on the sum of all processes' losses, with L2 and weight decay."""
        (parameters,) = self.optimizer.param_groups
        penalty = torch.zeros_like(loss)
        if self.config.l2:
            for p in parameters["params"]:
                if has_l2(self.config, p):
                    penalty = penalty + 0.5 * self.config.l2 * p.square().sum()
        self.optimizer.zero_grad()
        torch.autograd.backward(loss + penalty / self.group.size)
        for p in parameters["params"]:
            self.group.sum(p.grad)
        rate = parameters["lr"] = float(self.rates[step])
        if self.config.weight_decay:
            with torch.no_grad():
                for p in self._decayed:
                    p.mul_(1.0 - rate * self.config.weight_decay)
        self.optimizer.step()

    def flush(self, step: int) -> None:
        """See ``Backend``: torch's weights are always up to date."""

    def state(self) -> dict[str, Array]:
        """See ``Backend``."""
        return {
            f"{number}.{name}": value.detach().cpu().numpy()
            for number, values in self.optimizer.state_dict()["state"].items()
            for name, value in values.items()
        }

    def restore(self, state: dict[str, Array]) -> None:
        """See ``Backend``."""
        full = self.optimizer.state_dict()
        for key, value in state.items():
            number, name = key.split(".", 1)
            full["state"].setdefault(int(number), {})[name] = torch.from_numpy(value.copy())
        self.optimizer.load_state_dict(full)


def _loss_fraction(local: Batch, batch: Batch) -> float:
    """Return the loss weight of some rows as a fraction of the whole batch's."""
    weight = batch.weight.sum(dtype=np.float64)
    return float(local.weight.sum(dtype=np.float64) / max(weight, 1e-30))


def _torch_shares(network: Network, config: TrainConfig) -> bool:
    """Return whether autograd takes the steps, so that torch's threads share the products."""
    return len(network.norms) > 0 or config.refeed != "off"


@contextmanager
def torch_threads(network: Network, config: TrainConfig, rows: int) -> Iterator[None]:
    """Limit torch to one thread during a block if more threads do not pay.

    For small products, waiting for further threads costs more than they save, a hundred times more
    if another program occupies their core. The choice depends on options and sizes only, never on
    timings, since torch's sums may depend on it.
    """
    before = torch.get_num_threads()
    shares = _torch_shares(network, config) and shares_products(network, rows)
    threads = min(before, cores()) if shares else 1
    if threads == before or network.table_in.device.type != "cpu":
        yield
        return
    torch.set_num_threads(threads)
    try:
        yield
    finally:
        torch.set_num_threads(before)
