"""``FUSED``: whether an optimiser's step on the processor is one kernel in this torch."""

from __future__ import annotations

import torch
from torch.torch_version import TorchVersion

FUSED: bool = TorchVersion(torch.__version__) >= "2.4"
