"""The outputs of an ONNX file and of the module that its spec gives, with the same random weights.

onnxruntime runs the file and torch the module. Values of the file's weights are not needed.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from inception_dsl.bridge.comparing import (
    SEED,
    fill,
    leaves_softmax,
    measure_error,
    pair_tensors,
)
from inception_dsl.bridge.exported.onnx.axes import TO_FIRST, TO_LAST
from inception_dsl.bridge.module import make_module
from inception_dsl.bridge.ports import list_results
from inception_dsl.bridge.traced import NotComparedError, OnnxSource
from inception_dsl.channels import printable
from inception_dsl.ir import Graph
from inception_dsl.recover import TracedGraph
from inception_dsl.recover.pairing import TracePairing

if TYPE_CHECKING:
    from onnx import ModelProto, TensorProto

MAX_ERROR = 1e-4
"""Maximum difference of outputs in single precision, as a share of the largest value."""

MAX_BYTES = 300_000_000
"""Maximum number of bytes of a file that is run."""


def compare_file(
    file: OnnxSource,
    traced: TracedGraph,
    source: str,
    factory: str,
    written: Graph,
    pairing: TracePairing,
) -> str | None:
    """Run a file and the module of its spec on the same images, and return how they differ.

    Args:
        traced: the file's graph with norms and activations folded.
        source: the emitted source of the spec; it is run.

    Returns:
        None if the outputs differ by rounding alone.

    Raises:
        NotComparedError: the file cannot be run.
    """
    import onnx

    if len(file.data) > MAX_BYTES:
        raise NotComparedError(f"the file has more than {MAX_BYTES // 1_000_000} MB")
    model = onnx.ModelProto.FromString(file.data)
    generator = torch.Generator().manual_seed(SEED)
    values = _draw_values(model, file, traced, generator)
    images = [
        torch.randn(file.batch, *type.shape, generator=generator) for type in traced.inputs.values()
    ]
    olds = _run_file(model, file, images)
    rebuilt = make_module(source, factory, seed=SEED).eval()
    state = dict(rebuilt.state_dict())
    for key, tensor, name in pair_tensors(traced, written, pairing):
        state[key] = values[name].reshape(tensor.shape)
    rebuilt.load_state_dict(state)
    with torch.no_grad():
        news = [tensor for _, tensor in list_results(rebuilt(*images))]
    if leaves_softmax(written):
        news = [torch.softmax(news[0], 1)]
    if [old.shape for old in olds] != [new.shape for new in news]:
        return "the outputs have other shapes"
    error = max(map(measure_error, olds, news))
    if not math.isfinite(error):
        return "the outputs are no finite numbers"
    return f"the outputs differ by {error:.1e} of the largest" if error > MAX_ERROR else None


def _draw_values(
    model: ModelProto, file: OnnxSource, traced: TracedGraph, generator: torch.Generator
) -> dict[str, Tensor]:
    """Put random values in the place of the file's weights, and return them by name.

    Raises:
        NotComparedError: values that are no weights are in another file.
    """
    import onnx
    from onnx import numpy_helper

    roles = {name: role for node in traced.nodes for role, name in node.tensors.items()}
    readers: dict[str, list[str]] = {}
    for name, origin in file.weights.items():
        readers.setdefault(origin.tensor, []).append(name)
    drawn: dict[str, Tensor] = {}
    for stored, proto in _list_tensors(model):
        names = [name for name in readers.get(stored, ()) if name in roles]
        if not names:
            if proto.data_location == onnx.TensorProto.EXTERNAL:
                raise NotComparedError("some of its numbers are in another file")
            continue
        tensor = torch.empty(tuple(proto.dims))
        order = file.weights[names[0]].order
        fill(roles[names[0]], tensor.permute(order) if order else tensor, generator)
        proto.CopyFrom(numpy_helper.from_array(tensor.numpy(), proto.name))
        for name in names:
            order = file.weights[name].order
            drawn[name] = tensor.permute(order) if order else tensor
    if missing := roles.keys() - drawn.keys():
        raise NotComparedError(f"`{printable(min(missing)[:80])}` is no tensor of the file")
    return drawn


def _list_tensors(model: ModelProto) -> Iterator[tuple[str, TensorProto]]:
    """Yield the tensors of a file that are one weight or more, by the names that nodes read."""
    for proto in model.graph.initializer:
        yield proto.name, proto
    for node in model.graph.node:
        if node.op_type == "Constant":
            for attribute in node.attribute:
                if attribute.name == "value":
                    yield node.output[0], attribute.t


def _run_file(model: ModelProto, file: OnnxSource, images: list[Tensor]) -> list[Tensor]:
    """Run a model in onnxruntime, as it is written.

    Raises:
        NotComparedError: onnxruntime is not installed, or it cannot run the model.
    """
    try:
        import onnxruntime
    except ModuleNotFoundError:
        raise NotComparedError("`onnxruntime` is not installed") from None
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = 4
    feeds = {
        port.name: (image.permute(TO_LAST).contiguous() if port.is_last else image).numpy()
        for port, image in zip(file.inputs, images, strict=True)
    }
    try:
        session: Any = onnxruntime.InferenceSession(
            model.SerializeToString(), options, providers=["CPUExecutionProvider"]
        )
        results = session.run([port.name for port in file.outputs], feeds)
    except Exception as error:  # onnxruntime has no class for its errors
        text = printable(str(error).splitlines()[0][:200] if str(error) else "")
        raise NotComparedError(f"onnxruntime does not run it: {text}") from None
    return [
        torch.from_numpy(result).permute(TO_FIRST) if port.is_last else torch.from_numpy(result)
        for port, result in zip(file.outputs, results, strict=True)
    ]
