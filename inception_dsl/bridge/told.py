"""The notes of an import: what a network does in training only, and what its spec leaves out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from math import prod

from torch import nn

from inception_dsl.bridge.building import FAILURES
from inception_dsl.bridge.calls import BATCH, CallTrace, TorchCall, WeightRef
from inception_dsl.bridge.frames import OriginMaker
from inception_dsl.bridge.gradients import find_learning
from inception_dsl.bridge.reading import Cause, lacks, read_training
from inception_dsl.bridge.steadiness import find_draw, label_of, watch_draws
from inception_dsl.bridge.tracing import OTHER_BATCH, describe_modules, trace_module
from inception_dsl.bridge.training import Training, join_training
from inception_dsl.diagnostics import Diagnostic, Label
from inception_dsl.ir import TensorType
from inception_dsl.recover import TracedGraph, find_live

MAX_SHOWN = 3
"""Maximum number of modules that one note names."""


def trace_training(
    module: nn.Module, inputs: Mapping[str, TensorType], evaluated: TracedGraph, plain: CallTrace
) -> tuple[Training, tuple[Diagnostic, ...]]:
    """Return what a network does in training, and notes on all that its spec leaves out.

    The network is left in inference mode.

    Args:
        evaluated: the graph of inference.
        plain: the record of inference that it was read from.
    """
    shapes = {name: type.shape for name, type in inputs.items()}

    def run() -> CallTrace:
        return trace_module(module, shapes, training=True, batch=OTHER_BATCH)

    try:
        with watch_draws() as draws:
            trace = run()
    except FAILURES:
        message = f"`{type(module).__name__}` does not run in training on the meta device"
        return _give_up(evaluated, message, ())
    finally:
        module.eval()
    if draws.has_drawn:
        label = label_of(find_draw(run))
        module.eval()
        message = f"`{type(module).__name__}` takes other steps at random in training"
        return _give_up(evaluated, message, label)
    facts = describe_modules(module, evaluated.buffers)
    read = read_training(trace, facts, inputs, name=evaluated.name)
    frozen = [call for call in trace.calls if call.name == "batch_norm" and _is_frozen(call)]
    training = join_training(evaluated, read)
    fixed = frozenset(_list_averages(frozen)) | _list_unreached(module, trace)
    training = replace(training, frozen=fixed)
    if not training.is_same:
        calls = tuple(_compare_calls(plain, trace))
        training = replace(training, calls=calls, why="training runs other steps than inference")
    notes = (
        *_tell_random(training, trace),
        *_tell_frozen(frozen),
        *_tell_other_dropout(read.causes),
        *_tell_heads(training),
        *_tell_params(training.graph, trace),
    )
    return training, notes


def _give_up(
    evaluated: TracedGraph, message: str, labels: tuple[Label, ...]
) -> tuple[Training, tuple[Diagnostic, ...]]:
    note = Diagnostic("W620", f"{message}; only inference is imported", labels)
    return Training(evaluated, is_same=False, why=message), (note, *_tell_params(evaluated, None))


def _list_unreached(module: nn.Module, trace: CallTrace) -> frozenset[str]:
    """Return the parameters that no gradient reaches."""
    return frozenset(name for name, _ in module.named_parameters()) - find_learning(trace)


def _compare_calls(plain: CallTrace, trained: CallTrace) -> Iterator[str]:
    """Yield the calls that only one of two records has, with their numbers.

    A number that is that of the images says nothing.
    """
    counts = [
        Counter(_describe(call, batch) for call in trace.calls)
        for trace, batch in ((plain, BATCH), (trained, OTHER_BATCH))
    ]
    for side, lone in (("eval", counts[0] - counts[1]), ("train", counts[1] - counts[0])):
        yield from (f"{side} {call} {count}" for call, count in sorted(lone.items()))


def _describe(call: TorchCall, batch: int) -> str:
    """Return a call with the numbers that it is given, without those of its tensors."""
    given = [*call.arguments, *call.keywords.values()]
    numbers = [value for value in given if type(value) in (int, float) and value != batch]
    return " ".join(map(str, (call.name, *numbers)))


def _tell_random(training: Training, trace: CallTrace) -> Iterator[Diagnostic]:
    """Yield notes on what training does to the steps of inference, and no spec says."""
    if not training.is_same:
        message = "training runs other steps than inference; only inference is imported"
        origins = (cause.origin for cause in training.causes)
        yield Diagnostic("W620", message, label_of(training.differs or next(origins, None)))
    kinds = training.graph.classes
    counts = Counter(kinds.get(node.module, "") for node in training.left_drops)
    for kind, count in counts.items():
        who = f"`{kind}` drops" if count == 1 else f"{count} modules `{kind}` drop"
        message = f"{who} paths that are no body of a residual; this is not imported"
        yield Diagnostic("W620", message)


def _tell_other_dropout(causes: Iterable[Cause]) -> Iterator[Diagnostic]:
    """Yield notes on the dropouts that a spec leaves out."""
    counts = Counter(cause.kind for cause in causes if cause.lack is lacks.OTHER_DROPOUT)
    for kind, count in counts.items():
        who = f"`{kind}` draws" if count == 1 else f"{count} modules `{kind}` draw"
        yield Diagnostic("W620", f"{who} at random in training; this is not imported")


def _list_averages(calls: Iterable[TorchCall]) -> Iterator[str]:
    """Yield the names of the running averages that some batch norms read."""
    for call in calls:
        read = (
            *call.arguments[1:3],
            call.keywords.get("running_mean"),
            call.keywords.get("running_var"),
        )
        yield from (value.name for value in read if isinstance(value, WeightRef))


def _tell_frozen(frozen: Sequence[TorchCall]) -> Iterator[Diagnostic]:
    """Yield a note on the batch norms that run with their averages in training."""
    if not frozen:
        return
    who = "1 batch norm runs" if len(frozen) == 1 else f"{len(frozen)} batch norms run"
    message = f"{who} with fixed averages in training; this is not imported"
    yield Diagnostic("W620", message, label_of(OriginMaker().make(frozen[0].frames)))


def _is_frozen(call: TorchCall) -> bool:
    """Tell whether a batch norm reads its averages, which those of the language do not."""
    place = 5
    is_given = len(call.arguments) > place
    return not (call.arguments[place] if is_given else call.keywords.get("training", False))


def _tell_heads(training: Training) -> Iterator[Diagnostic]:
    """Yield notes on the training heads that are imported, and those that are left out."""
    if heads := training.graph.heads:
        names = ", ".join(f"`{head.name}`" for head in heads)
        one = len(heads) == 1
        message = f"{names} {'is a training head' if one else 'are training heads'}; the code of "
        message += "the network does not say the weight of its loss"
        yield Diagnostic(
            "W623",
            message,
            help=f"write it, as in `{heads[0].name}: {{at: .., loss_weight: 0.3, steps: ..}}`",
        )
    for head in training.left_heads:
        message = f"training returns `{head.name}` in addition, which is left out: {head.why}"
        yield Diagnostic("W621", message)


def _tell_params(graph: TracedGraph, trace: CallTrace | None) -> list[Diagnostic]:
    """Return a note on the parameters that the graph does not have; all parts give the whole."""
    sizes = {name: prod(shape) for name, shape in graph.weights.items()}
    main = find_live(graph.nodes, (output.key for output in graph.outputs))
    of_main = {n for node in graph.nodes if node.key in main for n in node.tensors.values()}
    of_heads = {n for node in graph.nodes for n in node.tensors.values()} - of_main
    left = {name: size for name, size in sizes.items() if name not in of_main | of_heads}
    if not left:
        return []
    kept = f"{sum(sizes.get(name, 0) for name in of_main):,} are those of inference"
    if graph.heads:
        kept += f", {sum(sizes.get(name, 0) for name in of_heads):,} of training heads"
    message = f"{sum(left.values()):,} of {sum(sizes.values()):,} parameters are left out; {kept}"
    return [Diagnostic("W622", message, notes=tuple(_list_left(left, trace)))]


def _list_left(left: Mapping[str, int], trace: CallTrace | None) -> Iterator[str]:
    """Yield the modules with the parameters that are left out, the largest first."""
    ran = trace.ran if trace is not None else {}
    groups: dict[bool, Counter[str]] = {True: Counter(), False: Counter()}
    for name, size in left.items():
        owner, _, _ = name.rpartition(".")
        groups[owner in ran][name.partition(".")[0]] += size
    for has_run, tops in groups.items():
        if not tops:
            continue
        shown = ", ".join(f"`{name}` {size:,}" for name, size in tops.most_common(MAX_SHOWN))
        more = f" and {len(tops) - MAX_SHOWN} more" if len(tops) > MAX_SHOWN else ""
        why = "no result that is imported depends on" if has_run else "the network never runs"
        yield f"{why} {shown}{more}"
