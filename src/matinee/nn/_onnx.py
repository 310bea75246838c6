"""The forward pass as an ONNX graph, for serving without Python."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ..base.arrays import Float32
from ..baseline.ordinal import OrdinalLink
from ..data.table import library
from ._forward import Forward
from ._row_outputs import FEW, LEAST, MOST
from .activations import activation

OPSET = 18
"""Operator set version: the first with scatter-add, widely supported."""
INPUTS = ("items", "ratings", "offsets")
OUTPUT = "predictions"


def build_onnx(forward: Forward, *, clip: tuple[float, float] | None, empty: Float32) -> Any:
    """Build an ONNX model of a network with users as rows.

    Inputs: ``items`` int64 (entries,), the rated columns, person by person; ``ratings`` float32
    (entries,); ``offsets`` int64 (people,), where each person's entries begin. Output:
    ``predictions`` float32 (people, columns). Every dimension but the columns is dynamic.

    Args:
        forward: The network.
        clip: Range to clip predictions to, or None.
        empty: The predictions for a person without ratings, (columns,).

    Raises:
        UsageError: ``onnx`` is not installed.
    """
    return _Builder(forward).model(clip, empty)


class _Builder:
    def __init__(self, forward: Forward) -> None:
        self._onnx = library("onnx", "onnx")
        self._forward = forward
        self._nodes: list[Any] = []
        self._constants: list[Any] = []
        self._count = 0

    def op(self, kind: str, *inputs: str, **attributes: Any) -> str:
        """Add a node with one output, and return the output's name."""
        self._count += 1
        out = f"{kind.lower()}_{self._count}"
        self._nodes.append(self._onnx.helper.make_node(kind, list(inputs), [out], **attributes))
        return out

    def const(self, value: npt.ArrayLike, dtype: Any) -> str:
        """Add a constant, and return its name."""
        self._count += 1
        name = f"constant_{self._count}"
        array = np.ascontiguousarray(np.asarray(value, dtype=dtype))
        self._constants.append(self._onnx.numpy_helper.from_array(array, name))
        return name

    def model(self, clip: tuple[float, float] | None, empty: Float32) -> Any:
        helper, kinds = self._onnx.helper, self._onnx.TensorProto
        forward = self._forward
        table = self.const(forward.table_out, np.float32)
        hidden, row_bias, counts = self._encode(table)
        x = self.op("MatMul", hidden, self.op("Transpose", table))
        x = self.op("Add", x, self.const(forward.bias_out, "f4"))
        x = activation(forward.config.output_activation).onnx(self, x)
        x = self.op("Add", x, self.const(forward.offset, np.float32))
        x = self.op("Add", x, row_bias)
        if forward.link is not None:
            x = self._expectation(forward.link, x)
        rated = self.op("Greater", counts, self.const(0, "f4"))
        x = self.op("Where", rated, x, self.const(empty, np.float32))
        if clip is not None:
            x = self.op("Clip", x, *(self.const(edge, np.float32) for edge in clip))
        self._nodes.append(helper.make_node("Identity", [x], [OUTPUT]))
        shapes = {"items": ["entries"], "ratings": ["entries"], "offsets": ["people"]}
        graph = helper.make_graph(
            self._nodes,
            "matinee",
            [
                helper.make_tensor_value_info(
                    name, kinds.FLOAT if name == "ratings" else kinds.INT64, shapes[name]
                )
                for name in INPUTS
            ],
            [helper.make_tensor_value_info(OUTPUT, kinds.FLOAT, ["people", len(forward.bias_out)])],
            self._constants,
        )
        model = helper.make_model(
            graph, opset_imports=[helper.make_opsetid("", OPSET)], producer_name="matinee"
        )
        model.ir_version = 9  # readable by older runtimes
        self._onnx.checker.check_model(model)
        return model

    def _expectation(self, link: OrdinalLink, scores: str) -> str:
        """Add ``OrdinalLink.expectation``, in the shape of the scores."""
        total = self.const(link.levels[0], "f4")
        for threshold, step in zip(link.thresholds, np.diff(link.levels), strict=True):
            logit = self.op("Sub", scores, self.const(threshold, "f4"))
            logit = self.op("Mul", logit, self.const(link.slope, "f4"))
            above = self.op("Mul", self.op("Sigmoid", logit), self.const(step, "f4"))
            total = self.op("Add", total, above)
        return total

    def _encode(self, table: str) -> tuple[str, str, str]:
        """Add the last hidden layer (people, width), output constants and counts (people, 1).

        Args:
            table: The last layer's weights, (columns, width).
        """
        forward, config = self._forward, self._forward.config
        one, zero = self.const([1], np.int64), self.const([0], np.int64)
        people, entries = self.op("Shape", "offsets"), self.op("Shape", "items")
        # The person of an entry: the number of offsets up to it, minus one.
        initial = self._onnx.numpy_helper.from_array(np.zeros(1, dtype=np.int64))
        marks = self.op("ConstantOfShape", self.op("Add", entries, one), value=initial)
        counted = self.op("Mul", self.op("Add", "offsets", one), zero)
        counted = self.op("Add", counted, one)
        marks = self.op("ScatterElements", marks, "offsets", counted, axis=0, reduction="add")
        before = self.op("CumSum", marks, self.const(0, np.int64))
        row = self.op("Sub", self.op("Slice", before, zero, entries, zero), one)
        ones = self.op("Add", self.op("Cast", self.op("Mul", row, zero), to=1), self.const(1, "f4"))
        counts = self._sums(ones, row, people)
        offset = self.const(forward.offset, np.float32)
        residual = self.op("Sub", "ratings", self.op("Gather", offset, "items"))
        row_bias = self.op("Mul", counts, self.const(0, "f4"))
        if forward.row_reg >= 0.0:
            shrunk = self.op("Add", counts, self.const(forward.row_reg, "f4"))
            sums = self._sums(residual, row, people)
            row_bias = self.op("Div", sums, self.op("Max", shrunk, self.const(1e-12, "f4")))
            residual = self.op("Sub", residual, self.op("Gather", row_bias, row))
        lift = self.op("Add", self.op("Mul", counts, self.const(0, "f4")), self.const(1, "f4"))
        if config.input_scale == "sqrt":
            lift = self.op(
                "Reciprocal", self.op("Sqrt", self.op("Max", counts, self.const(1, "f4")))
            )
        each = self.op("Gather", lift, row)
        x = self._gathered(residual, each, row, people)
        for weight, bias in forward.layers:
            if weight is not None:
                x = self.op("MatMul", x, self.const(weight, np.float32))
            x = self.op("Add", x, self.const(bias, np.float32))
            x = activation(config.activation).onnx(self, x)
        if forward.outputs.slope:
            x = self.op("Mul", x, self.op("Unsqueeze", self._scale(counts), one))
        if forward.outputs.centred:
            row_bias = self.op("Sub", row_bias, self._mean_output(x, table, counts, row, people))
        return x, self.op("Unsqueeze", row_bias, one), self.op("Unsqueeze", counts, one)

    def _scale(self, counts: str) -> str:
        """Add ``RowOutputs.scale``, (people,)."""
        outputs = self._forward.outputs
        few, one = self.const(FEW, "f4"), self.const(1, "f4")
        logs = self.op("Log", self.op("Max", counts, few))
        length = self.op("Sub", logs, self.const(outputs.pivot, "f4"))
        length = self.op("Mul", length, self.op("Min", self.op("Div", counts, few), one))
        factor = self.op("Mul", length, self.const(outputs.slope, "f4"))
        factor = self.op("Add", factor, one)
        return self.op("Clip", factor, *(self.const(edge, "f4") for edge in (LEAST, MOST)))

    def _mean_output(self, x: str, table: str, counts: str, row: str, people: str) -> str:
        """Add ``RowOutputs.mean`` over each person's ratings, (people,); the output is linear."""
        forward = self._forward
        products = self.op("Mul", self.op("Gather", x, row), self.op("Gather", table, "items"))
        dots = self.op("ReduceSum", products, self.const([1], np.int64), keepdims=0)
        bias = self.op("Gather", self.const(forward.bias_out, np.float32), "items")
        sums = self._sums(self.op("Add", dots, bias), row, people)
        shrunk_counts = self.op("Add", counts, self.const(forward.outputs.reg, "f4"))
        return self.op("Div", sums, self.op("Max", shrunk_counts, self.const(1e-12, "f4")))

    def _gathered(self, residual: str, each: str, row: str, people: str) -> str:
        """Add the sums of the input table's rows, by person."""
        forward, kind = self._forward, self._forward.config.input
        table = self.const(forward.table_in, np.float32)

        def weighted(source: str, coefficient: str) -> str:
            column = self.op("Unsqueeze", coefficient, self.const([1], np.int64))
            return self.op("Mul", self.op("Gather", table, source), column)

        if kind == "ratings":
            parts = weighted("items", self.op("Mul", each, residual))
        else:
            twice = self.op("Mul", "items", self.const(2, np.int64))
            after = self.op("Add", twice, self.const(1, np.int64))
            parts = self.op(
                "Add",
                weighted(twice, each),
                weighted(after, self.op("Mul", each, residual)),
            )
        return self._sums(parts, row, people, width=forward.table_in.shape[1])

    def _sums(self, values: str, row: str, people: str, width: int | None = None) -> str:
        """Add the sums of entries by person: (people,), or (people, width)."""
        # ScatterND loses entries of a person that two threads of ONNX Runtime add at once
        # (its issues 18048 and 23396); ScatterElements runs in one thread.
        shape = people
        if width is not None:
            shape = self.op("Concat", people, self.const([width], np.int64), axis=0)
            row = self.op("Unsqueeze", row, self.const([1], np.int64))
            row = self.op("Expand", row, self.op("Shape", values))
        empty = self.op("ConstantOfShape", shape)
        return self.op("ScatterElements", empty, row, values, axis=0, reduction="add")
