"""``--threads`` and ``--device``: options on compute resources."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from ..base.threads import limit_kernel_threads
from ..errors import UsageError

Threads = Annotated[
    int | None,
    typer.Option("--threads", metavar="N", help="Threads to compute with; all cores by default."),
]
Device = Annotated[str, typer.Option("--device", help="cpu, cuda, or auto: cuda if available.")]


def use_threads(requested: int | None) -> None:
    """Bound the threads of torch and of compiled kernels. Call before anything imports torch.

    Raises:
        UsageError: Fewer than one.
    """
    if requested is None:
        return
    if requested < 1:
        raise UsageError(f"--threads {requested}: must be at least 1")
    limit_kernel_threads(requested)
    if "torch" in sys.modules:
        import torch

        torch.set_num_threads(requested)
    else:
        for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS"):
            os.environ[variable] = str(requested)
