"""``Group``: the processes that train one network together, and what they tell each other.

The rows of each batch (users, or items) are dealt out to the processes. All of them hold the same
weights and draw the same batches from the same seeded generators; each takes its own rows through
the network, and what they made of them is summed, so that every process then takes the very step
that one alone would have taken, to rounding. No weight ever travels.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from ..base.arrays import Array, Int64
from ..base.torchrun import Launch
from ..errors import ProcessError

if TYPE_CHECKING:
    from torch import Tensor


PATIENCE = timedelta(minutes=30)
"""How long a process waits for the others before it gives up."""


class Group(Launch):
    """The processes of a run; by default, this one alone. See ``Launch`` for its attributes."""

    @classmethod
    @contextmanager
    def join(cls) -> Iterator[Group]:
        """Connect the processes that torchrun started, for the time of a ``with``.

        Without torchrun it is a group of one, and nothing is connected. Where the script has
        called ``torch.distributed.init_process_group`` itself, that is used, and left.

        Raises:
            ProcessError: The others do not answer.
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
        own = not distributed.is_initialized()
        if own:
            backend = "cpu:gloo,cuda:nccl" if cuda else "gloo"
            with _lost_as_error():
                distributed.init_process_group(backend, timeout=PATIENCE)
        try:
            yield group
        finally:
            if own:
                distributed.destroy_process_group()

    def rows(self, indptr: Int64) -> slice:
        """The rows that are this process's, of rows with these entries.

        Every process gets a run of neighbours, in order of rank, of about the same work: a row
        costs by its entries in the two tables, and as much as an average row in between.

        Args:
            indptr: int64 (rows + 1,).
        """
        rows = len(indptr) - 1
        if self.alone:
            return slice(0, rows)
        each = (indptr[-1] - indptr[0]) / max(rows, 1)
        work = indptr - indptr[0] + each * np.arange(rows + 1)
        middle = (work[:-1] + work[1:]) / 2
        ends = np.searchsorted(middle, work[-1] * np.arange(self.size + 1) / self.size)
        return slice(int(ends[self.rank]), int(ends[self.rank + 1]))

    def sum(self, array: Array | Tensor) -> None:
        """Sum over the processes, element by element, in place.

        Args:
            array: An array in C order or a tensor, of the same shape and dtype in every process.

        Raises:
            ProcessError: Another process does not answer.
        """
        if self.alone:
            return
        import torch
        from torch import distributed

        tensor = torch.from_numpy(array) if isinstance(array, np.ndarray) else array
        with _lost_as_error():
            distributed.all_reduce(tensor)

    def join_parts(self, *parts: tuple[Array, int, int]) -> list[Array]:
        """Arrays of which each process has a part, at one go.

        Args:
            *parts: For each array: the part, of any shape and all of one dtype; where its first
                axis begins in the whole; and how long the whole is.

        Returns:
            The whole arrays.
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

    def broadcast(self, data: bytes) -> bytes:
        """What the first process has, in every process."""
        if self.alone:
            return data
        length = np.array([len(data) if self.first else 0])
        self.sum(length)
        text = np.zeros(int(length[0]), dtype=np.uint8)
        if self.first:
            text[:] = np.frombuffer(data, dtype=np.uint8)
        self.sum(text)
        return text.tobytes()

    def wait(self) -> None:
        """Wait until every process is here."""
        self.sum(np.zeros(1))

    def agree(self, what: Mapping[str, Any]) -> None:
        """Check that every process was given the same.

        Args:
            what: By name, in what JSON knows.

        Raises:
            ProcessError: In all of them, if one differs from the first.
        """
        if self.alone:
            return
        told = json.loads(self.broadcast(json.dumps(what).encode()))
        mine = json.loads(json.dumps(what))
        names = sorted(mine)
        differs = np.array([float(mine[name] != told.get(name)) for name in names])
        self.sum(differs)
        if differs.any():
            which = ", ".join(name for name, count in zip(names, differs, strict=True) if count)
            raise ProcessError(
                f"the processes were not given the same {which}; start them all with the same "
                "command and the same files"
            )


ALONE = Group()


@contextmanager
def _lost_as_error() -> Iterator[None]:
    try:
        yield
    except RuntimeError as error:  # every backend's own errors are of this kind
        what = str(error).strip().partition("\n")[0]
        raise ProcessError(f"lost another process of this run ({what}); see what it said") from None
