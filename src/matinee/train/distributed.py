"""``ProcessGroup``: data-parallel training of one network by several processes.

The rows of each batch (users, or items) are divided among the processes. All hold the same weights
and draw the same batches from the same seeded generators. Each computes the gradients of its rows;
these are summed over the processes, and every process takes the same step as a single one would, up
to rounding. Weights are never sent.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from ..base.arrays import Array, Int64
from ..base.torchrun import Launch
from ..errors import ProcessError

if TYPE_CHECKING:
    from torch import Tensor


TIMEOUT = timedelta(minutes=30)
"""How long a process waits for the others before it raises an error."""


class ProcessGroup(Launch):
    """The processes of a run; by default a single one. See ``Launch`` for its attributes."""

    @classmethod
    @contextmanager
    def join(cls) -> Iterator[Self]:
        """Connect the processes that torchrun started, during a ``with`` block.

        Without torchrun it is a group of one process, and nothing is connected. A process group
        that the script has initialised itself (``torch.distributed.init_process_group``) is used
        and not destroyed.

        Raises:
            ProcessError: The other processes do not respond.
        """
        group = cls.of_environment()
        if group.alone:
            yield group
            return
        import torch
        from torch import distributed

        cuda = torch.cuda.is_available()
        if cuda:
            torch.cuda.set_device(group.local_rank % torch.cuda.device_count())
        initialise = not distributed.is_initialized()
        if initialise:
            # Torch's optimisers import this later. If imported while there is a process group, it
            # keeps the group and its threads alive after destruction, and such a thread may abort
            # the process at its exit ("terminate called without an active exception").
            import torch._dynamo

            backend = "cpu:gloo,cuda:nccl" if cuda else "gloo"
            with _lost_as_error():
                distributed.init_process_group(backend, timeout=TIMEOUT)
        try:
            yield group
        finally:
            if initialise:
                distributed.destroy_process_group()

    def rows(self, indptr: Int64) -> slice:
        """Return this process's rows of a batch: contiguous, by rank, with about equal work.

        The work of a row is its number of entries (the two tables) plus the mean number of entries
        of a row (the middle layers).

        Args:
            indptr: int64 (rows + 1,), position of the first entry of each row.
        """
        rows = len(indptr) - 1
        if self.alone:
            return slice(0, rows)
        each = (indptr[-1] - indptr[0]) / max(rows, 1)
        work = indptr - indptr[0] + each * np.arange(rows + 1)
        cuts = even_cuts(work, self.size)
        return slice(int(cuts[self.rank]), int(cuts[self.rank + 1]))

    def sum(self, array: Array | Tensor) -> None:
        """Sum an array over the processes, element by element, in place (all-reduce).

        Args:
            array: An array in C order or a tensor, of the same shape and dtype in every process.

        Raises:
            ProcessError: Another process does not respond.
        """
        if self.alone:
            return
        import torch
        from torch import distributed

        tensor = torch.from_numpy(array) if isinstance(array, np.ndarray) else array
        with _lost_as_error():
            distributed.all_reduce(tensor)

    def join_parts(self, *parts: tuple[Array, int, int]) -> list[Array]:
        """Concatenate the parts of arrays that the processes hold, in one exchange.

        Args:
            *parts: For each array: this process's part, of any shape and all of one dtype; its
                position along the first axis of the whole; and the length of the whole.
        """
        if self.alone:
            return [part for part, _, _ in parts]
        sizes = [length * int(np.prod(part.shape[1:])) for part, _, length in parts]
        buffer = np.zeros(sum(sizes), dtype=parts[0][0].dtype)
        pieces = np.split(buffer, np.cumsum(sizes[:-1]))
        out = []
        for (part, first, length), piece in zip(parts, pieces, strict=True):
            whole = piece.reshape(length, *part.shape[1:])
            whole[first : first + len(part)] = part
            out.append(whole)
        self.sum(buffer)
        return out

    def gather(self, part: Array) -> Array:
        """Concatenate the processes' vectors in rank order, in every process.

        Args:
            part: This process's vector, of any length and all of one dtype.
        """
        sizes = np.zeros(self.size, dtype=np.int64)
        sizes[self.rank] = len(part)
        self.sum(sizes)
        (whole,) = self.join_parts((part, int(sizes[: self.rank].sum()), int(sizes.sum())))
        return whole

    def exchange(self, vector: Array, sent: Sequence[int], received: Sequence[int]) -> Array:
        """Send a stretch of a vector to each process, and receive one from each (all-to-all).

        Args:
            vector: The stretches one after another, in rank order; of one dtype in all processes.
            sent: The length of each.
            received: The length of what each process sends to this one.

        Returns:
            What was received, in rank order.

        Raises:
            ProcessError: Another process does not respond.
        """
        if self.alone:
            return vector.copy()
        import torch
        from torch import distributed

        out = np.empty(sum(received), dtype=vector.dtype)
        given = torch.from_numpy(np.ascontiguousarray(vector))
        with _lost_as_error():
            distributed.all_to_all_single(torch.from_numpy(out), given, list(received), list(sent))
        return out

    def broadcast_from(self, rank: int, array: Array) -> None:
        """Copy an array of one process into those of the others, of the same shape and dtype.

        Raises:
            ProcessError: Another process does not respond.
        """
        if self.alone:
            return
        import torch
        from torch import distributed

        with _lost_as_error():
            distributed.broadcast(torch.from_numpy(array), src=rank)

    def broadcast(self, data: bytes) -> bytes:
        """Return the bytes passed by rank 0, in every process."""
        if self.alone:
            return data
        length = np.array([len(data)])
        self.broadcast_from(0, length)
        text = np.empty(int(length[0]), dtype=np.uint8)
        if self.first:
            text[:] = np.frombuffer(data, dtype=np.uint8)
        self.broadcast_from(0, text)
        return text.tobytes()

    def wait(self) -> None:
        """Wait until every process has called this (barrier)."""
        self.sum(np.zeros(1))

    def require_equal(self, values: Mapping[str, Any]) -> None:
        """Check that every process passes the same values.

        Args:
            values: JSON-able values by name.

        Raises:
            ProcessError: Raised in all processes if one's values differ from those of rank 0.
        """
        if self.alone:
            return
        first = json.loads(self.broadcast(json.dumps(values).encode()))
        local = json.loads(json.dumps(values))
        names = sorted(local)
        differs = np.array([float(local[name] != first.get(name)) for name in names])
        self.sum(differs)
        if differs.any():
            keys = ", ".join(name for name, count in zip(names, differs, strict=True) if count)
            raise ProcessError(
                f"the processes have different {keys}; start them all with the same command and "
                "the same files"
            )


ALONE = ProcessGroup()


def even_cuts(work: Array, parts: int) -> Int64:
    """Cut things in a row into parts of about equal work, by the middle of each thing.

    Args:
        work: (n + 1,), the work before each thing, from 0, and that of all.
        parts: The number of parts.

    Returns:
        int64 (parts + 1,): part p has the things from ``cuts[p]`` to before ``cuts[p + 1]``.
    """
    middle = (work[:-1] + work[1:]) / 2
    return np.searchsorted(middle, work[-1] * np.arange(parts + 1) / parts)


@contextmanager
def _lost_as_error() -> Iterator[None]:
    try:
        yield
    except RuntimeError as error:  # the base class of every backend's errors
        reason = str(error).strip().partition("\n")[0]
        raise ProcessError(
            f"lost the connection to another process of this run ({reason}); see its output"
        ) from None
