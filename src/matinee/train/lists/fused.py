"""``FUSED``: whether this torch has fused optimiser steps on the CPU."""

from __future__ import annotations

import torch
from torch.torch_version import TorchVersion

FUSED: bool = TorchVersion(torch.__version__) >= "2.4"
