"""What the activations are called, and their constants: apart from torch, for who does without."""

from __future__ import annotations

from typing import Literal

Activation = Literal[
    "linear", "sigmoid", "tanh", "relu", "relu6", "leaky_relu", "elu", "selu", "silu"
]

# Klambauer et al. 2017, arXiv 1706.02515
SELU_ALPHA = 1.6732632423543772848170429916717
SELU_SCALE = 1.0507009873554804934193349852946
LEAK = 0.01  # torch's default slope
