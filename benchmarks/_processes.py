"""Programs in several processes under torchrun, and the bytes that they sum and exchange."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from matinee.train import ProcessGroup


@dataclass(frozen=True)
class Counting(ProcessGroup):
    """A group that notes the bytes of each array that a process sums or exchanges."""

    sent: list[int] = field(default_factory=list)

    def sum(self, array: Any) -> None:
        """See ``ProcessGroup``."""
        self.sent.append(array.nbytes)
        super().sum(array)

    def exchange(self, vector: Any, sent: Sequence[int], received: Sequence[int]) -> Any:
        """See ``ProcessGroup``."""
        self.sent.append(vector.nbytes)
        return super().exchange(vector, sent, received)


def run(program: list[str], processes: int, threads: int, *, quiet: bool = False) -> None:
    """Run a Python file with its arguments in one process, or in several under torchrun."""
    if processes > 1:
        start = ["-m", "torch.distributed.run", "--standalone"]
        program = [*start, "--nproc-per-node", str(processes), *program]
    names = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
    env = {**os.environ, **dict.fromkeys(names, str(threads)), "GOMP_SPINCOUNT": "0"}
    output = subprocess.DEVNULL if quiet else None
    subprocess.run([sys.executable, *program], env=env, check=True, stderr=output)
