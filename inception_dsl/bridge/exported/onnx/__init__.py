"""ONNX files, read without torch."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from math import prod
from typing import TYPE_CHECKING

from inception_dsl.bridge.calls import BATCH, ModuleFacts
from inception_dsl.bridge.exported.modules import count_runs, find_classes, find_containers
from inception_dsl.bridge.exported.onnx.axes import TO_LAST, find_channels_last, put_channels_first
from inception_dsl.bridge.exported.onnx.fusions import fuse_layers
from inception_dsl.bridge.exported.onnx.layers import LAYERS
from inception_dsl.bridge.exported.onnx.model import OnnxModel, OnnxPort, read_model
from inception_dsl.bridge.exported.onnx.moves import MOVES
from inception_dsl.bridge.exported.onnx.windows import WINDOWS
from inception_dsl.bridge.exported.onnx.writer import CallWriter
from inception_dsl.bridge.exported.unreadable import UnreadableError
from inception_dsl.bridge.reading import read_trace
from inception_dsl.bridge.traced import (
    MAX_PLACES,
    FilePort,
    OnnxSource,
    TracedTarget,
    list_causes,
)
from inception_dsl.channels import printable
from inception_dsl.diagnostics import Diagnostic, SpecError
from inception_dsl.ir import TensorType
from inception_dsl.ops import OPS
from inception_dsl.recover import TracedGraph
from inception_dsl.recover.naming import clean_name, number

if TYPE_CHECKING:
    from inception_dsl.bridge.exported.onnx.writer import Shape

MAX_PRODUCER = 60
"""Maximum number of characters of the name of an exporter."""


def read_onnx(
    data: bytes, given: Mapping[str, TensorType], *, subject: str, name: str
) -> TracedTarget:
    """Return the network of an ONNX file.

    Args:
        given: the inputs that a person gives; a single one needs no name.
        subject: the file as findings name it.

    Raises:
        SpecError: E703 an input is not known, E705 the language cannot say it.
        UnreadableError: the file is damaged, contradicts itself or exceeds a bound.
    """
    model = fuse_layers(read_model(data))
    channels_last = find_channels_last(model)
    inputs = _name_inputs(model, channels_last, given, subject)
    batch = _find_batch(model)
    shapes = {
        port.name: _order_axes((batch, *type.shape), is_last=port.name in channels_last)
        for port, type in zip(model.inputs, inputs.values(), strict=True)
    }
    writer = CallWriter(model, batch)
    writer.places.classes[""] = name
    writer.write({**LAYERS, **MOVES, **WINDOWS}, shapes, channels_last)
    if writer.causes:
        raise SpecError(list_causes(writer.causes))
    _check_shapes(writer, shapes)
    writer.trace.calls = count_runs(writer.trace.calls)
    calls = writer.trace.calls
    containers = find_containers(calls) | writer.places.containers
    modules = ModuleFacts(
        classes=find_classes(calls, writer.places.classes, containers),
        containers=containers,
        weights=writer.weights,
    )
    read = read_trace(writer.trace, modules, inputs, name=name)
    if read.causes:
        raise SpecError(list_causes(read.causes))
    producer = printable(model.producer[:MAX_PRODUCER])
    return TracedTarget(
        graph=read.graph,
        module=None,
        file=OnnxSource(
            data=data,
            weights=writer.origins,
            batch=batch,
            inputs=_list_ports(model.inputs, [port.name in channels_last for port in model.inputs]),
            outputs=_list_ports(model.outputs, read.channels_last),
        ),
        kind=writer.places.classes[""],
        origin=f"ONNX file of {producer}" if producer else "ONNX file",
        macs=writer.macs // batch - read.unread_macs,
        counted_by="the shapes in the ONNX file",
        params=sum(map(prod, writer.weights.values())),
        notes=(
            *_tell_export(writer, read.graph),
            *_tell_axes([port.name for port in model.inputs if port.name in channels_last]),
        ),
    )


def _list_ports(ports: Sequence[OnnxPort], channels_last: Sequence[bool]) -> tuple[FilePort, ...]:
    """Return ports of a file, each with the order of its axes."""
    pairs = zip(ports, channels_last, strict=True)
    return tuple(FilePort(port.name, is_last=is_last) for port, is_last in pairs)


def _order_axes(shape: Shape, *, is_last: bool) -> Shape:
    """Return the shape of an input as the file has it."""
    return tuple(shape[axis] for axis in TO_LAST) if is_last else shape


def _tell_axes(names: list[str]) -> Iterator[Diagnostic]:
    """Yield a note on the inputs whose channels are last."""
    if names:
        listed = ", ".join(f"`{printable(name[:80])}`" for name in names[:MAX_PLACES])
        message = f"the file has the channels of {listed} last, and the spec has them first"
        yield Diagnostic("W628", message)


def _tell_export(writer: CallWriter, graph: TracedGraph) -> Iterator[Diagnostic]:
    """Yield notes on what the file cannot tell of the network that it was exported from."""
    ops = [OPS[name] for name in {node.op for node in graph.nodes} & OPS.keys()]
    lost = []
    if not any(op.is_for_training for op in ops):
        lost.append("dropout, which exporters leave out")
    if any(op.attribute("norm") for op in ops) and not any(op.norm_layer for op in ops):
        lost.append("norms, which exporters fold into convolutions")
    if lost:
        yield Diagnostic("W625", f"the file has no {', and no '.join(lost)}")
    if writer.doubtful:
        names = [f"`{printable(name[:80])}`" for name in writer.doubtful]
        shown = ", ".join(names[:MAX_PLACES])
        more = f" and {len(names) - MAX_PLACES} more" if len(names) > MAX_PLACES else ""
        message = "the file does not say whether these values are learnt; they count as parameters"
        yield Diagnostic("W625", message, notes=(f"they are {shown}{more}",))


def _find_batch(model: OnnxModel) -> int:
    """Return the number of images that a network takes; of any number, that of a trace.

    Raises:
        UnreadableError: its inputs have several.
    """
    sides = {port.shape[0] for port in model.inputs if port.shape}
    fixed = {side for side in sides if isinstance(side, int) and side}
    if len(fixed) > 1:
        raise UnreadableError("its inputs have several numbers of images")
    return next(iter(fixed), BATCH)


def _name_inputs(
    model: OnnxModel,
    channels_last: Collection[str],
    given: Mapping[str, TensorType],
    subject: str,
) -> dict[str, TensorType]:
    """Return the inputs of a network by the names of its spec, in order.

    Args:
        channels_last: the names of those whose channels are last in the file.

    Raises:
        SpecError: E703, an input is not known, or the file has another one; E705, it is no map.
    """
    names = [port.name for port in model.inputs]
    unknown = [name for name in given if name and name not in names]
    listed = ", ".join(f"`{printable(name)}`" for name in names[:5])
    if unknown or (len(names) > 1 and "" in given):
        message = f"`{subject}` has the inputs {listed}"
        raise SpecError([Diagnostic("E703", message, help="name them as the file does")])
    types: dict[str, TensorType] = {}
    for port in model.inputs:
        asked = given.get(port.name) or (given.get("") if len(names) == 1 else None)
        key = number(clean_name(port.name), types, "_") if len(names) > 1 else ""
        read = put_channels_first(port) if port.name in channels_last else port
        types[key] = _read_input(read, asked, subject)
    return types


def _read_input(port: OnnxPort, asked: TensorType | None, subject: str) -> TensorType:
    """Return the type of an input, whose open sizes a person gives."""
    shown = printable(port.name[:80])
    if port.type not in {"float", "float16", "bfloat16", "double"}:
        message = f"the language has no word for an input of numbers of type {port.type or 'none'}"
        raise SpecError([Diagnostic("E705", message, notes=(f"it is `{shown}`",))])
    sides = (port.shape or ())[1:]
    if port.shape is not None and len(sides) != 3:
        message = f"the language has no word for an input of {len(port.shape)} axes"
        raise SpecError([Diagnostic("E705", message, notes=(f"it is `{shown}`",))])
    if port.shape is not None and all(isinstance(side, int) and side for side in sides):
        type = TensorType(tuple(side for side in sides if isinstance(side, int)))
        if asked is not None and asked != type:
            message = f"the input `{shown}` of `{subject}` is fixed: {type}, not {asked}"
            raise SpecError([Diagnostic("E703", message)])
        return type
    if asked is None:
        message = f"the input `{shown}` of `{subject}` is not known"
        help = "write it, as in `--input 224x224x3`"
        raise SpecError([Diagnostic("E703", message, help=help)])
    pairs = zip(sides, asked.shape, strict=False)
    if any(isinstance(side, int) and side and side != wanted for side, wanted in pairs):
        text = " x ".join(str(side) if side else "?" for side in sides)
        message = f"the input `{shown}` of `{subject}` is {text}, not {asked}"
        raise SpecError([Diagnostic("E703", message)])
    return asked


def _check_shapes(writer: CallWriter, inputs: Mapping[str, Shape]) -> None:
    """Make sure that the shapes that the file notes are those that its operators give.

    Raises:
        UnreadableError: they are not.
    """
    for name, noted in writer.model.shapes.items():
        held = writer.values.get(name)
        if held is None or not noted or name in inputs:
            continue
        pairs = zip(noted[1:], held.shape[1:], strict=False)
        differs = any(isinstance(side, int) and side and side != own for side, own in pairs)
        if differs or len(noted) != len(held.shape):
            shown = " x ".join(map(str, held.shape[1:]))
            message = f"it says another shape of `{printable(name[:80])}` than {shown}"
            raise UnreadableError(message)
