"""An ONNX model of a network in inference, made from its spec alone: torch takes no part.

Names: a value is called after the step that gives it, the weights of a step after it, too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import numpy as np
from onnx import StringStringEntryProto, TensorProto, helper, numpy_helper

from inception_dsl.analysis.fusing import FusedGraph, fuse
from inception_dsl.diagnostics import Diagnostic, SpecError
from inception_dsl.emit.onnx.graph import OnnxGraph, StepWriter
from inception_dsl.emit.onnx.layers import LAYERS
from inception_dsl.emit.onnx.windows import WINDOWS
from inception_dsl.ir import Model, TensorType
from inception_dsl.version import __version__

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from onnx import ModelProto, ValueInfoProto

    from inception_dsl.emit.onnx.weights import Array

OPSET, IR_VERSION = 20, 9
"""The version of ONNX's operators, and that of its format which came with it."""

BATCH = "N"
"""The name of the batch's size, which is open."""

OUTPUT = "output"
"""The name of the only output of a network that gives it none."""

EXTERNAL_FROM = 1 << 27
"""Minimum bytes of weights that lie in a file of their own, which a runtime maps into memory."""

DATA_SUFFIX = ".data"
"""The end of the name of the file of weights, behind the name of the model's file."""

SMALL = 1024
"""Maximum bytes of a constant that stays in the model where the weights do not."""

ALIGNMENT = 4096
"""Bytes of the pages of a file, at which weights begin that a runtime maps into memory."""

Pack: TypeAlias = "Callable[[str, NDArray[Any]], TensorProto]"
"""A function that turns an array into a constant under a name."""

RULES = {**LAYERS, **WINDOWS}
"""The nodes of every op, by its name."""


class OnnxFiles(NamedTuple):
    """The files of a model.

    Attributes:
        model: the bytes of the model.
        weights: the bytes of the file with large weights, in pieces, which are no copies; none if
            all weights are in the model.
    """

    model: bytes
    weights: tuple[memoryview, ...]


def emit_onnx(
    model: Model, weights: Mapping[str, Array], *, file: str, external_from: int = EXTERNAL_FROM
) -> OnnxFiles:
    """Return the files of a network in inference: the model, and its weights if they are large.

    Shape: each input and each output N x its shape, in single precision.

    Args:
        weights: the tensors by their keys in the state_dict.
        file: the name of the model's file; that of the weights is `FILE.data`.
        external_from: minimum bytes of weights that lie in a file of their own.

    Raises:
        SpecError: E501, ONNX has no nodes for an op.
    """
    fused = fuse(model.graph)
    graph = _write_steps(fused, weights)
    is_large = sum(array.nbytes for array in graph.constants.values()) >= external_from
    outside = _Outside(file + DATA_SUFFIX) if is_large else None
    made = _make_model(model, fused, graph, outside.pack if outside else _pack_inside)
    pieces = outside.pieces if outside is not None else ()
    return OnnxFiles(made.SerializeToString(deterministic=True), tuple(pieces))


def _write_steps(fused: FusedGraph, weights: Mapping[str, Array]) -> OnnxGraph:
    graph = OnnxGraph()
    for step in fused.steps:
        rule = RULES.get(step.node.op)
        if rule is None:
            message = f"ONNX has no nodes for `{step.node.op}`, the op of `{step.path}`"
            raise SpecError([Diagnostic("E501", message)])
        writer = StepWriter(step, graph, weights)
        rule(writer)
        writer.close()
    return graph


def _make_model(model: Model, fused: FusedGraph, graph: OnnxGraph, pack: Pack) -> ModelProto:
    outputs = _name_outputs(fused)
    types = dict(zip(outputs, model.outputs.values(), strict=True))
    inputs = zip(model.root.entries, model.root.input_types, strict=True)
    proto = helper.make_graph(
        [
            *graph.nodes,
            *(
                helper.make_node("Identity", [made], [name])
                for name, made in outputs.items()
                if name != made
            ),
        ],
        model.name,
        [_describe(path, type) for path, type in inputs],
        [_describe(name, type) for name, type in types.items()],
        [pack(name, array) for name, array in graph.constants.items()],
    )
    return helper.make_model(
        proto,
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
        producer_name="inception-dsl",
        producer_version=__version__,
    )


def _name_outputs(fused: FusedGraph) -> dict[str, str]:
    """Return the value of each output by its name in the model; a step's value has the step's.

    An output without a name is `output`, or named after its step where another step is `output`.
    """
    steps = {step.name for step in fused.steps}
    return {
        name or (value if OUTPUT in steps else OUTPUT): value
        for name, value in fused.outputs.items()
    }


def _describe(name: str, type: TensorType) -> ValueInfoProto:
    """Return an input or an output: a batch of maps or vectors."""
    shape: list[str | int] = [BATCH, *type.shape]
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)


def _pack_inside(name: str, array: NDArray[Any]) -> TensorProto:
    return numpy_helper.from_array(np.ascontiguousarray(array), name)


@dataclass(slots=True)
class _Outside:
    """A file of weights while it is written; small constants stay in the model."""

    file: str
    pieces: list[memoryview] = field(default_factory=list)
    size: int = 0

    def pack(self, name: str, array: NDArray[Any]) -> TensorProto:
        """Return a constant that says where its values lie."""
        if array.nbytes <= SMALL:
            return _pack_inside(name, array)
        self._add(memoryview(bytes(-self.size % ALIGNMENT)))
        place = {"location": self.file, "offset": self.size, "length": array.nbytes}
        ordered = np.ascontiguousarray(array, array.dtype.newbyteorder("<"))
        self._add(ordered.data.cast("B"))
        tensor = TensorProto(
            name=name,
            data_type=helper.np_dtype_to_tensor_dtype(array.dtype),
            dims=array.shape,
            data_location=TensorProto.EXTERNAL,
        )
        tensor.external_data.extend(
            StringStringEntryProto(key=key, value=str(value)) for key, value in place.items()
        )
        return tensor

    def _add(self, piece: memoryview) -> None:
        self.pieces.append(piece)
        self.size += len(piece)
