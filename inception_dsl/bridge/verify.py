"""The comparison of an emitted module, run by torch, with the analysis."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import zip_longest

from torch import Tensor, nn

from inception_dsl.analysis import CostReport, measure_state
from inception_dsl.bridge.recording import Recording, on_meta, record
from inception_dsl.ir import Graph, Model, TensorType
from inception_dsl.ops import OPS

MAX_DIFFERENCES = 20


def verify_module(source: str, model: Model, cost: CostReport) -> list[str]:
    """Return a sentence for each difference between a module and the analysis.

    Nothing is computed: the module runs on the meta device, in inference and in training.

    Args:
        source: the source from the Python emitter; it is run.
        cost: of one image.
    """
    graph = model.graph
    try:
        module = on_meta(source, model.name)
        shapes = [type.shape for type in model.inputs.values()]
        evaluated = record(module, *shapes, training=False)
        trained = record(module, *shapes, training=True)
    except MemoryError:
        raise  # the machine's, not the module's
    except Exception as error:
        return [f"it does not run: {type(error).__name__}: {error}"]
    read = {row.path for row in cost.rows if row.is_read}
    differences = [
        *_state(module, graph),
        *_shapes(graph, read, trained),
        *_joins(graph, read, trained),
        *_macs("inference", cost.totals.macs, evaluated),
        *_macs("training", cost.totals_with_heads.macs, trained),
        *_outputs(model, evaluated, trained),
    ]
    more = len(differences) - MAX_DIFFERENCES
    return [*differences[:MAX_DIFFERENCES], f"and {more} more"] if more > 0 else differences


def _state(module: nn.Module, graph: Graph) -> Iterator[str]:
    """Compare the keys and shapes of the state_dict."""
    expected = {key: tensor.shape for key, tensor in measure_state(graph).items()}
    actual = {key: tuple(tensor.shape) for key, tensor in module.state_dict().items()}
    for key in {**expected, **actual}:
        if expected.get(key) != actual.get(key):
            yield f"`{key}` is {_shown(actual.get(key))}, and should be {_shown(expected.get(key))}"


def _shapes(graph: Graph, read: set[str], recording: Recording) -> Iterator[str]:
    """Compare the shapes that modules give with those of the nodes that they run, in order."""
    # A module gives logits: a softmax that ends it, or a head, is left to the loss.
    ends = set(graph.head_outputs)
    if len(graph.outputs) == 1:
        ends.update(graph.outputs.values())
    ends = {node.path for node in graph.nodes if OPS[node.op].is_left_to_loss and node.path in ends}
    expected: dict[str, list[tuple[int, ...]]] = {}
    for node in graph.nodes:
        if OPS[node.op].has_module and node.path in read and node.path not in ends:
            expected.setdefault(node.reuses or node.path, []).append(node.type.shape)
    for path, shapes in expected.items():
        for shape, actual in zip_longest(shapes, recording.shapes.get(path, [])):
            if shape != actual:
                yield f"`{path}` gives {_shown(actual)}, and should give {_shown(shape)}"


def _joins(graph: Graph, read: set[str], recording: Recording) -> Iterator[str]:
    """Compare the shapes of joins; torch makes sums and products of several pair by pair."""
    made = iter(recording.joins)
    for node in graph.nodes:
        if OPS[node.op].join is not None and node.path in read:
            pairs = 1 if OPS[node.op].channels == "joined" else len(node.inputs) - 1
            *_, last = [next(made, None) for _ in range(pairs)]
            if last != node.type.shape:
                expected = _shown(node.type.shape)
                yield f"`{node.path}` gives {_shown(last)}, and should give {expected}"
    for shape in made:
        yield f"a join that no spec has gives {_shown(shape)}"


def _macs(when: str, expected: int, recording: Recording) -> Iterator[str]:
    actual = sum(recording.macs.values())
    if actual != expected:
        yield f"{when} takes {actual:,} MACs, and should take {expected:,}"


def _outputs(model: Model, evaluated: Recording, trained: Recording) -> Iterator[str]:
    """Compare the output of inference, and that of training with its heads."""
    yield from _tuple("inference", model.outputs, evaluated.output)
    if not model.heads:
        yield from _tuple("training", model.outputs, trained.output)
        return
    nodes = {node.path: node for node in model.graph.nodes}
    expected = {name or "logits": type for name, type in model.outputs.items()}
    for head, path in zip(model.heads, model.graph.head_outputs, strict=True):
        expected[head.path] = nodes[path].type
    yield from _tuple("training", expected, trained.output)


def _tuple(when: str, types: Mapping[str, TensorType], output: object) -> Iterator[str]:
    """Compare the outputs with their types by name; a single output has no name."""
    if len(types) == 1:
        (type,) = types.values()
        yield from _output(when, type, output)
        return
    fields = getattr(output, "_fields", ())
    if fields != tuple(types):
        names = ", ".join(fields) or "no tuple"
        yield f"{when} gives {names}, and should give {', '.join(types)}"
        return
    for name, type in types.items():
        yield from _output(f"`{name}` of {when}", type, getattr(output, name))


def _output(what: str, type: TensorType, output: object) -> Iterator[str]:
    actual = tuple(output.shape[1:]) if isinstance(output, Tensor) else None
    if actual != type.shape:
        yield f"{what} gives {_shown(actual)}, and should give {_shown(type.shape)}"


def _shown(shape: tuple[int, ...] | None) -> str:
    if shape is None:
        return "nothing"
    return " x ".join(map(str, shape)) or "a number"
