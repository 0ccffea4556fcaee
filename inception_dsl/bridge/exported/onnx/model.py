"""An ONNX file as data: its nodes with all attributes, its tensors, its inputs and outputs.

The attributes of a node have the defaults of its operator in the file's version of the operators.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from inception_dsl.bridge.exported.onnx.wire import strip_values
from inception_dsl.bridge.exported.unreadable import UnreadableError
from inception_dsl.channels import printable

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from onnx import AttributeProto, GraphProto, ModelProto, NodeProto, TensorProto, ValueInfoProto
    from onnx.defs import OpSchema

MAX_NODES = 20_000
"""Maximum number of nodes of an ONNX file."""

MAX_AXES = 8
"""Maximum number of axes of a tensor."""

MAX_SIDE = 2**31 - 1
"""Maximum size of an axis."""

_MAIN = ("", "ai.onnx")
"""The names of the domain of ONNX's own operators."""


@dataclass(frozen=True, slots=True, eq=False)
class StoredTensor:
    """A tensor whose values are in the file.

    Attributes:
        array: its values; None if it is large, or in another file.
        is_constant: a node without inputs holds it, not the list of the network's tensors.
        copied: the name of the tensor that it is a copy of; empty if it is none.
    """

    name: str
    shape: tuple[int, ...]
    type: str
    array: NDArray[Any] | None
    is_constant: bool = False
    copied: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OnnxNode:
    """A node of an ONNX graph.

    Attributes:
        name: its own name, or that of its first result.
        inputs: the names of the tensors that it reads; empty for one that is left out.
        attributes: with the defaults of the operator.
        version: that of the operators of its domain.
        notes: what its exporter noted of it, by key.
        fault: why it cannot be read; empty if it can.
    """

    name: str
    op: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: Mapping[str, Any] = field(default_factory=dict)
    version: int = 0
    notes: Mapping[str, str] = field(default_factory=dict)
    fault: str = ""


@dataclass(frozen=True, slots=True)
class OnnxPort:
    """An input or an output of an ONNX graph.

    Attributes:
        shape: with the batch; the name of a size that is not fixed, perhaps empty. None if the
            file does not say it.
    """

    name: str
    type: str
    shape: tuple[int | str, ...] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OnnxModel:
    """The network of an ONNX file.

    Attributes:
        nodes: each after the nodes that it reads.
        shapes: the shapes of values that the file notes.
        producer: the program that wrote it, and its version.
        values: the bytes of large tensors, by name.
    """

    nodes: tuple[OnnxNode, ...]
    tensors: Mapping[str, StoredTensor]
    inputs: tuple[OnnxPort, ...]
    outputs: tuple[OnnxPort, ...]
    shapes: Mapping[str, tuple[int | str, ...]]
    producer: str
    values: Mapping[str, memoryview]


def read_model(data: bytes) -> OnnxModel:
    """Return the network of an ONNX file.

    Raises:
        UnreadableError: it is no ONNX file, it contradicts itself, or it exceeds a bound.
    """
    import onnx
    from google.protobuf.message import DecodeError

    stripped = strip_values(data, onnx.ModelProto.DESCRIPTOR)
    try:
        model = onnx.ModelProto.FromString(stripped.data)
    except DecodeError:
        raise UnreadableError("it is no ONNX file, or it is damaged") from None
    graph = model.graph
    if not model.opset_import or not graph.node:
        raise UnreadableError("it is no ONNX file, or it has no nodes")
    if len(graph.node) > MAX_NODES:
        raise UnreadableError(f"it has more than {MAX_NODES:,} nodes")
    if graph.sparse_initializer:
        raise UnreadableError("it has sparse tensors")
    tensors: dict[str, StoredTensor] = {}
    for proto in graph.initializer:
        if not proto.name or proto.name in tensors:
            raise UnreadableError(f"two tensors have the name `{_shown(proto.name)}`")
        tensors[proto.name] = read_tensor(proto, proto.name)
    inputs = tuple(_read_port(port) for port in graph.input if port.name not in tensors)
    nodes = tuple(_read_nodes(model, {port.name for port in inputs} | tensors.keys()))
    made = {name for node in nodes for name in node.outputs}
    outputs = tuple(map(_read_port, graph.output))
    for port in outputs:
        if port.name not in made | tensors.keys() | {port.name for port in inputs}:
            raise UnreadableError(f"no node makes its output `{_shown(port.name)}`")
    if not inputs or not outputs:
        raise UnreadableError("it has no input" if not inputs else "it has no output")
    return OnnxModel(
        nodes=nodes,
        tensors=tensors,
        inputs=inputs,
        outputs=outputs,
        shapes=dict(_list_shapes(graph)),
        producer=f"{model.producer_name} {model.producer_version}".strip(),
        values=stripped.values,
    )


def _shown(name: str) -> str:
    return printable(name[:80])


def read_tensor(proto: TensorProto, name: str, *, is_constant: bool = False) -> StoredTensor:
    """Return a tensor of a file; values in another file are not read.

    Raises:
        UnreadableError: it has no valid shape, or its values do not fit it.
    """
    import onnx
    from onnx import numpy_helper

    shape = tuple(proto.dims)
    if len(shape) > MAX_AXES or not all(0 <= side <= MAX_SIDE for side in shape):
        raise UnreadableError(f"the tensor `{_shown(name)}` has no valid shape")
    array = None
    has_values = proto.ByteSize() > 0 and proto.data_location != onnx.TensorProto.EXTERNAL
    if has_values and (_has_values(proto) or 0 in shape):
        try:
            array = numpy_helper.to_array(proto)
        except (ValueError, TypeError, KeyError, AttributeError, RuntimeError):
            message = f"the values of the tensor `{_shown(name)}` do not fit its shape"
            raise UnreadableError(message) from None
    return StoredTensor(name, shape, _name_type(proto.data_type), array, is_constant)


def _has_values(proto: TensorProto) -> bool:
    return bool(
        proto.raw_data
        or proto.float_data
        or proto.int32_data
        or proto.int64_data
        or proto.double_data
        or proto.uint64_data
    )


def _name_type(number: int) -> str:
    """Return the name of a type of numbers: `float`, `int64`."""
    import onnx

    known = onnx.TensorProto.DataType.values()
    return str(onnx.TensorProto.DataType.Name(number)).lower() if number in known else ""


def _read_port(proto: ValueInfoProto) -> OnnxPort:
    tensor = proto.type.tensor_type
    shape = None
    if tensor.HasField("shape"):
        shape = tuple(
            dim.dim_value if dim.HasField("dim_value") else dim.dim_param
            for dim in tensor.shape.dim
        )
    for side in shape or ():
        if isinstance(side, int) and not 0 <= side <= MAX_SIDE:
            raise UnreadableError(f"`{_shown(proto.name)}` has no valid shape")
    return OnnxPort(proto.name, _name_type(tensor.elem_type), shape)


def _list_shapes(graph: GraphProto) -> Iterator[tuple[str, tuple[int | str, ...]]]:
    for proto in (*graph.value_info, *graph.output):
        port = _read_port(proto)
        if port.shape is not None:
            yield port.name, port.shape


def _read_nodes(model: ModelProto, known: Iterable[str]) -> Iterator[OnnxNode]:
    """Yield the nodes, each after those that it reads.

    Raises:
        UnreadableError: a node reads what nothing before it makes, or makes what another one makes.
    """
    versions = {opset.domain: opset.version for opset in model.opset_import}
    main = next((versions[domain] for domain in _MAIN if domain in versions), 0)
    made = set(known)
    for proto in model.graph.node:
        outputs = tuple(proto.output)
        name = proto.name or next(filter(None, outputs), proto.op_type)
        for read in proto.input:
            if read and read not in made:
                missing = f"`{_shown(read)}`, which nothing before it makes"
                raise UnreadableError(f"the node `{_shown(name)}` reads {missing}")
        for output in filter(None, outputs):
            if output in made:
                raise UnreadableError(f"two nodes make `{_shown(output)}`")
            made.add(output)
        yield _read_node(proto, name, main)


def _read_node(proto: NodeProto, name: str, version: int) -> OnnxNode:
    """Return a node with the defaults of its operator; a fault says why it cannot be read."""
    op = proto.op_type if proto.domain in _MAIN else f"{proto.domain}.{proto.op_type}"
    try:
        attributes, fault = _read_attributes(proto, version), ""
    except _FaultError as error:
        attributes, fault = {}, str(error)
    return OnnxNode(
        name=name,
        op=op,
        inputs=tuple(proto.input),
        outputs=tuple(proto.output),
        attributes=attributes,
        version=version,
        notes={entry.key: entry.value for entry in proto.metadata_props},
        fault=fault,
    )


class _FaultError(Exception):
    """The error of a node that does not fit its operator."""


def _read_attributes(proto: NodeProto, version: int) -> dict[str, Any]:
    """Return the attributes of a node, with the defaults of its operator in a version.

    Raises:
        _FaultError: ONNX has no such operator in the version, or the node does not fit it.
    """
    from onnx import defs

    if proto.domain not in _MAIN:
        raise _FaultError("unknown")
    try:
        schema = defs.get_schema(proto.op_type, version, "")
    except (defs.SchemaError, TypeError, OverflowError):
        raise _FaultError("unknown") from None
    if not schema.min_input <= len(proto.input) <= schema.max_input:
        raise _FaultError(f"it has {len(proto.input)} inputs")
    if not schema.min_output <= len(proto.output) <= schema.max_output:
        raise _FaultError(f"it has {len(proto.output)} outputs")
    result = {
        name: _read_value(attribute.default_value)
        for name, attribute in schema.attributes.items()
        if attribute.default_value.type
    }
    written = {attribute.name: attribute for attribute in proto.attribute}
    for name, attribute in written.items():
        expected = schema.attributes.get(name)
        if expected is None or expected.type != _kind_of(attribute):
            raise _FaultError(f"it has no such attribute `{_shown(name)}`")
        result[name] = _read_value(attribute)
    for name, attribute in schema.attributes.items():
        if attribute.required and name not in written:
            raise _FaultError(f"it has no attribute `{name}`")
    return result


def _kind_of(attribute: AttributeProto) -> OpSchema.AttrType | None:
    """Return the kind of an attribute."""
    import onnx
    from onnx.defs import OpSchema

    if attribute.type not in onnx.AttributeProto.AttributeType.values():
        return None
    name = onnx.AttributeProto.AttributeType.Name(attribute.type)
    kind: OpSchema.AttrType | None = getattr(OpSchema.AttrType, name, None)
    return kind


def _read_value(attribute: AttributeProto) -> Any:
    """Return the value of an attribute; None for a kind that no operator here has."""
    import onnx

    match attribute.type:
        case onnx.AttributeProto.INT:
            return attribute.i
        case onnx.AttributeProto.FLOAT:
            return shortest(attribute.f)
        case onnx.AttributeProto.STRING:
            return attribute.s.decode("utf-8", "replace")
        case onnx.AttributeProto.INTS:
            return tuple(attribute.ints)
        case onnx.AttributeProto.FLOATS:
            return tuple(map(shortest, attribute.floats))
        case onnx.AttributeProto.TENSOR:
            return read_tensor(attribute.t, attribute.t.name, is_constant=True)
        case _:
            return None


def shortest(number: float) -> float:
    """Return the number with the fewest digits that has the same value in single precision."""
    import numpy as np

    return float(str(np.float32(number)))
