"""All activations: a new one needs only an entry of ``ACTIVATIONS``.

Training on CUDA, compiled kernels, NumPy inference, ONNX export, settings and their docs read this
table. It imports neither torch nor Numba, which are loaded when a network is trained.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol

import numpy as np
import numpy.typing as npt

from ..base.arrays import Float32
from ..base.compiled import choose, inlined
from ..errors import UsageError, nearest

Scalar = Callable[[Any], Any]


class Graph(Protocol):
    """Builder of an ONNX graph; tensors are referred to by name."""

    def op(self, kind: str, *inputs: str, **attributes: Any) -> str:
        """Add an operator; return the name of its output."""

    def const(self, value: npt.ArrayLike, dtype: Any) -> str:
        """Add a constant; return its name."""


@dataclass(frozen=True)
class Activation:
    """An activation, in all its implementations.

    Attributes:
        name: Its name in settings.
        code: Its number in compiled kernels.
        torch: Takes the module ``torch``, returns the function of a tensor, for training.
        forward: The function of a scalar, compilable by Numba, for the output layer.
        slope: Its derivative, likewise.
        numpy: The function of a float32 array, which it may overwrite, for inference.
        onnx: The function as part of an ONNX graph: takes the graph and the input's name, returns
            the output's name.
        backward: Takes the module ``torch``, returns the function from d loss / d output, input and
            output to d loss / d input. Without it torch differentiates ``torch``, which is slower.
    """

    name: str
    code: int
    torch: Callable[[Any], Callable[[Any], Any]]
    forward: Scalar
    slope: Scalar
    numpy: Callable[[Float32], Float32]
    onnx: Callable[[Graph, str], str]
    backward: Callable[[Any], Callable[[Any, Any, Any], Any]] | None = None

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle by the name: functions without names cannot be pickled."""
        return activation, (self.name,)


# Klambauer et al. 2017, arXiv 1706.02515
SELU_ALPHA = 1.6732632423543772848170429916717
SELU_SCALE = 1.0507009873554804934193349852946
LEAK = 0.01  # torch's default slope


@inlined
def _logistic(x: Any) -> Any:
    return 1.0 / (1.0 + np.exp(-x))


def _sigmoid_slope(x: Any) -> Any:
    s = _logistic(x)
    return s * (1.0 - s)


def _tanh_slope(x: Any) -> Any:
    t = np.tanh(x)
    return 1.0 - t * t


def _silu_slope(x: Any) -> Any:
    s = _logistic(x)
    return s * (1.0 + x * (1.0 - s))


@inlined
def _softplus(x: Any) -> Any:
    return max(x, 0.0) + np.log1p(np.exp(-abs(x)))


def _mish(x: Any) -> Any:
    return x * np.tanh(_softplus(x))


def _mish_slope(x: Any) -> Any:
    t = np.tanh(_softplus(x))
    return t + x * (1.0 - t * t) * _logistic(x)


def _numpy_sigmoid(x: Float32) -> Float32:
    # tanh does not overflow.
    return np.float32(0.5) * (np.tanh(np.float32(0.5) * x) + np.float32(1.0))


def _numpy_elu(x: Float32) -> Float32:
    low: Float32 = np.minimum(x, np.float32(0.0))
    # A third of expm1's time, and sufficiently accurate near 0.
    np.exp(low, out=low)
    low -= np.float32(1.0)
    low += np.maximum(x, np.float32(0.0), out=x)
    return low


def _numpy_selu(x: Float32) -> Float32:
    low = np.float32(SELU_ALPHA) * np.expm1(np.minimum(x, np.float32(0.0)))
    return np.float32(SELU_SCALE) * (np.maximum(x, np.float32(0.0)) + low)


_ENTRIES = (
    Activation(
        name="linear",
        code=0,
        torch=lambda torch: lambda x: x,
        forward=lambda x: x,
        slope=lambda x: 1.0,
        numpy=lambda x: x,
        onnx=lambda graph, x: x,
        backward=lambda torch: lambda d, x, y: d,
    ),
    Activation(
        name="sigmoid",
        code=1,
        torch=lambda torch: torch.sigmoid,
        forward=lambda x: _logistic(x),
        slope=_sigmoid_slope,
        numpy=_numpy_sigmoid,
        onnx=lambda graph, x: graph.op("Sigmoid", x),
        backward=lambda torch: lambda d, x, y: torch.ops.aten.sigmoid_backward.default(d, y),
    ),
    Activation(
        name="tanh",
        code=2,
        torch=lambda torch: torch.tanh,
        forward=lambda x: np.tanh(x),
        slope=_tanh_slope,
        numpy=np.tanh,
        onnx=lambda graph, x: graph.op("Tanh", x),
        backward=lambda torch: lambda d, x, y: torch.ops.aten.tanh_backward.default(d, y),
    ),
    Activation(
        name="relu",
        code=3,
        torch=lambda torch: torch.relu,
        forward=lambda x: max(x, 0.0),
        slope=lambda x: 1.0 if x > 0.0 else 0.0,
        numpy=lambda x: np.maximum(x, np.float32(0.0)),
        onnx=lambda graph, x: graph.op("Relu", x),
        backward=lambda torch: lambda d, x, y: torch.ops.aten.threshold_backward.default(d, y, 0),
    ),
    Activation(
        name="relu6",
        code=4,
        torch=lambda torch: torch.nn.functional.relu6,
        forward=lambda x: min(max(x, 0.0), 6.0),
        slope=lambda x: 1.0 if 0.0 < x < 6.0 else 0.0,
        numpy=lambda x: np.clip(x, np.float32(0.0), np.float32(6.0)),
        onnx=lambda graph, x: graph.op("Clip", x, graph.const(0, "f4"), graph.const(6, "f4")),
        backward=lambda torch: lambda d, x, y: torch.ops.aten.hardtanh_backward.default(d, x, 0, 6),
    ),
    Activation(
        name="leaky_relu",
        code=5,
        torch=lambda torch: torch.nn.functional.leaky_relu,
        forward=lambda x: x if x > 0.0 else LEAK * x,
        slope=lambda x: 1.0 if x > 0.0 else LEAK,
        numpy=lambda x: np.maximum(x, np.float32(LEAK) * x),
        onnx=lambda graph, x: graph.op("LeakyRelu", x, alpha=LEAK),
        backward=lambda torch: (
            lambda d, x, y: torch.ops.aten.leaky_relu_backward.default(d, x, LEAK, False)
        ),
    ),
    Activation(
        name="elu",
        code=6,
        torch=lambda torch: torch.nn.functional.elu,
        forward=lambda x: x if x > 0.0 else np.expm1(x),
        slope=lambda x: 1.0 if x > 0.0 else np.exp(x),
        numpy=_numpy_elu,
        onnx=lambda graph, x: graph.op("Elu", x),
        backward=lambda torch: (
            lambda d, x, y: torch.ops.aten.elu_backward.default(d, 1, 1, 1, True, y)
        ),
    ),
    Activation(
        name="selu",
        code=7,
        torch=lambda torch: torch.selu,
        forward=lambda x: SELU_SCALE * (x if x > 0.0 else SELU_ALPHA * np.expm1(x)),
        slope=lambda x: SELU_SCALE * (1.0 if x > 0.0 else SELU_ALPHA * np.exp(x)),
        numpy=_numpy_selu,
        onnx=lambda graph, x: graph.op("Selu", x, alpha=SELU_ALPHA, gamma=SELU_SCALE),
        backward=lambda torch: (
            lambda d, x, y: torch.ops.aten.elu_backward.default(
                d, SELU_ALPHA, SELU_SCALE, 1, True, y
            )
        ),
    ),
    Activation(
        name="silu",
        code=8,
        torch=lambda torch: torch.nn.functional.silu,
        forward=lambda x: x / (1.0 + np.exp(-x)),
        slope=_silu_slope,
        numpy=lambda x: x * _numpy_sigmoid(x),
        onnx=lambda graph, x: graph.op("Mul", x, graph.op("Sigmoid", x)),
        backward=lambda torch: lambda d, x, y: torch.ops.aten.silu_backward.default(d, x),
    ),
    Activation(  # Misra 2019, arXiv 1908.08681
        name="mish",
        code=9,
        torch=lambda torch: torch.nn.functional.mish,
        forward=_mish,
        slope=_mish_slope,
        numpy=lambda x: x * np.tanh(np.logaddexp(x, np.float32(0.0))),
        onnx=lambda graph, x: graph.op("Mish", x),
    ),
)

ACTIVATIONS: dict[str, Activation] = {entry.name: entry for entry in _ENTRIES}
"""The activations by name."""

if TYPE_CHECKING:
    ActivationName = str
else:
    ActivationName = Literal[tuple(ACTIVATIONS)]


def _unknown(x: Any) -> Any:
    return x * np.nan


activate = choose({entry.code: entry.forward for entry in _ENTRIES}, _unknown)
"""For kernels: ``activate(code, x)``, the activation of that code at the scalar x."""

slope = choose({entry.code: entry.slope for entry in _ENTRIES}, _unknown)
"""For kernels: ``slope(code, x)``, its derivative."""


def activation(name: str) -> Activation:
    """Return the activation with this name.

    Raises:
        UsageError: No such activation.
    """
    if name not in ACTIVATIONS:
        known = ", ".join(ACTIVATIONS)
        raise UsageError(f"no activation {name!r}{nearest(name, ACTIVATIONS)}; known: {known}")
    return ACTIVATIONS[name]
