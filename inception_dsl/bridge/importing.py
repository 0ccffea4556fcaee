"""A network that exists as code, traced and told: its graph, and what the graph leaves out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy
from torch.utils.flop_counter import FlopCounterMode

from inception_dsl.bridge.building import (
    FAILURES,
    build_target,
    explain_failure,
    forget_modules,
    quiet,
)
from inception_dsl.bridge.calls import BATCH, CallTrace
from inception_dsl.bridge.copying import copy_module
from inception_dsl.bridge.frames import OriginMaker, comes_from_network, deep_calls
from inception_dsl.bridge.ports import call_module, find_argument, list_arguments, make_inputs
from inception_dsl.bridge.reading import FUNCTIONS, lacks, read_trace
from inception_dsl.bridge.reading.counting import count_macs
from inception_dsl.bridge.steadiness import (
    Attributes,
    find_changes,
    find_draw,
    label_of,
    read_attributes,
    refuse_batch,
    refuse_draw,
    refuse_state,
    watch_draws,
)
from inception_dsl.bridge.told import trace_training
from inception_dsl.bridge.traced import TracedDraw, TracedTarget, list_causes
from inception_dsl.bridge.tracing import (
    OTHER_BATCH,
    ValueRequest,
    ValuesAskedError,
    describe_modules,
    trace_module,
)
from inception_dsl.bridge.training import Training, is_same_network
from inception_dsl.diagnostics import MAX_FINDINGS, Diagnostic, SpecError
from inception_dsl.ir import Origin, TensorType, write_types
from inception_dsl.recover import TracedGraph, find_live
from inception_dsl.resolve.statements import advise_on_order
from inception_dsl.spec.files import CodeForm, CodeTraining
from inception_dsl.spec.target import Target


def trace_target(
    target: Target, folder: Path, inputs: Mapping[str, TensorType] | None, *, name: str
) -> TracedTarget:
    """Build the network of a target, run it without values, and return its graph.

    Args:
        inputs: by the names of the arguments of `forward`; a single one needs no name.

    Raises:
        SpecError: E701 there is no such network; E702 its code fails; E703 its input is not known;
            E704 it does not run; E705 the language cannot say it.
    """
    try:
        with quiet(), deep_calls(), forget_modules(target, folder):
            built = build_target(target, folder)
            types = inputs or ({"": built.input} if built.input is not None else {})
            named = name_inputs(built.module, types, target.text)
            traced = trace_network(
                built.module, named, name=name, origin=built.origin, rebuild=built.rebuild
            )
            fixed = traced.fixed | built.fixed
            return replace(traced, makers=built.makers, fixed=fixed, numbers=built.numbers)
    except SpecError:
        raise
    except FAILURES as error:
        if not comes_from_network(error):
            raise
        message = f"`{target.name}` fails while it is built, or looked at"
        raise explain_failure("E704", message, error) from None


def name_inputs(
    module: nn.Module, types: Mapping[str, TensorType], subject: str
) -> Mapping[str, TensorType]:
    """Return the inputs of a module in the order of its arguments.

    Args:
        types: the inputs that a person gives; one may have no name.
        subject: the network as findings name it.

    Raises:
        SpecError: E703, an input is missing, or the module has none of such a name.
    """
    arguments = list_arguments(module)
    needed = [name for name, argument in arguments.items() if argument.default is argument.empty]
    if len(needed) > 1:
        example = " ".join(f"--input {name}=HxWxC" for name in needed)
        help = f"name them, as in `{example}`"
    else:
        help = "write it, as in `--input 224x224x3`"
    if not types:
        message = f"the input of `{subject}` is not known"
        raise SpecError([Diagnostic("E703", message, help=help)])
    owners = {name: find_argument(name, arguments) for name in types if name}
    unknown = [name for name, owner in owners.items() if owner is None]
    given = {owner[0]: name for name, owner in owners.items() if owner is not None}
    missing = [name for name in needed if name not in given]
    if not unknown and (torn := _find_torn(owner for owner in owners.values() if owner)):
        message = f"the inputs of `{torn}` are no whole list: its places count from 0"
        example = f"--input {torn}_0=HxWxC --input {torn}_1=HxWxC"
        raise SpecError([Diagnostic("E703", message, help=f"name them, as in `{example}`")])
    if unknown:
        message = f"`forward` of `{type(module).__name__}` has no argument `{unknown[0]}`"
        raise SpecError([Diagnostic("E703", message, help=help)])
    if len(needed) > 1 and missing:
        listed = ", ".join(f"`{name}`" for name in needed)
        message = f"`forward` of `{type(module).__name__}` has {len(needed)} inputs: {listed}"
        raise SpecError([Diagnostic("E703", message, help=help)])
    order = list(arguments)
    return dict(sorted(types.items(), key=lambda item: _rank(owners.get(item[0]), order)))


def _find_torn(owners: Iterable[tuple[str, str]]) -> str | None:
    """Return an argument that is given whole and in parts, or whose list lacks a place."""
    keys: dict[str, list[str]] = {}
    for owner, key in owners:
        keys.setdefault(owner, []).append(key)
    for owner, parts in keys.items():
        places = sorted(int(part) for part in parts if part.isdecimal())
        is_list = places == list(range(len(parts)))
        if parts != [""] and not is_list and ("" in parts or places):
            return owner
    return None


def _rank(owner: tuple[str, str] | None, arguments: Sequence[str]) -> int:
    """Return the place of an input among the arguments; one without a name is the first."""
    return -1 if owner is None else arguments.index(owner[0])


def trace_network(
    module: nn.Module,
    inputs: Mapping[str, TensorType],
    *,
    name: str,
    origin: str = "",
    rebuild: Callable[[], nn.Module] | None = None,
) -> TracedTarget:
    """Run a module that is on the meta device, and return its graph.

    Args:
        rebuild: returns the module with its values, for buffers that set what it computes.

    Raises:
        SpecError: E704 it does not run; E705 the language cannot say it.
    """
    if any(is_lazy(tensor) for tensor in (*module.parameters(), *module.buffers())):
        _give_shapes(module, inputs)
    states = [read_attributes(module)]
    trace = _run(module, inputs)
    states.append(read_attributes(module))
    read = read_trace(trace, describe_modules(module), inputs, name=name)
    if rebuild is not None and any(cause.lack in _OF_VALUES for cause in read.causes):
        facts = describe_modules(module, read_buffers(rebuild))
        read = read_trace(trace, facts, inputs, name=name)
    if read.causes:
        raise SpecError(list_causes(read.causes))
    training, notes = trace_training(module, inputs, read.graph, trace)
    if (unread := _find_unread(training.graph)) is not None:
        raise _refuse_unread(module, unread)
    states.append(read_attributes(module))
    if not training.is_same or find_changes(states):
        _check_steadiness(module, inputs, read.graph, states)
    return TracedTarget(
        graph=training.graph,
        module=module,
        kind=type(module).__name__,
        origin=origin,
        macs=_count_macs(module, inputs, trace) - read.unread_macs,
        counted_by="torch",
        params=sum(parameter.numel() for parameter in module.parameters()),
        trains=training.is_same and not training.left_drops,
        notes=notes,
        fixed=training.frozen,
        draws=tuple(_list_draws(training, read.graph.classes)),
        left_training=_describe_training(training),
        form=CodeForm(trace.form, _find_forward(module).spans, _find_argument(module, inputs)),
    )


def _describe_training(training: Training) -> CodeTraining | None:
    """Return the steps of training that a graph leaves out; None if it has all."""
    if training.is_same:
        return None
    causes = (cause.origin for cause in training.causes)
    origin = training.differs or next(causes, None)
    return CodeTraining(training.why, training.calls, origin.spans if origin else ())


def _list_draws(training: Training, kinds: Mapping[str, str]) -> Iterator[TracedDraw]:
    """Yield the modules that draw at random in training, and that the graph leaves out."""
    for cause in training.causes:
        if cause.lack is lacks.OTHER_DROPOUT:
            yield TracedDraw(cause.module, cause.kind, cause.origin, cause.share)
    for node in training.left_drops:
        yield TracedDraw(node.module, kinds.get(node.module, ""), node.origin)


_OF_VALUES = (lacks.FIXED_WEIGHTS, lacks.COMPUTED_WEIGHTS)
"""The causes that the values of buffers may resolve."""

MAX_FIXED = 2**18
"""Maximum number of values of a buffer that a reading looks at."""


def read_buffers(rebuild: Callable[[], nn.Module]) -> dict[str, Any]:
    """Return the values of the buffers of a module that have four axes, as kernels have."""
    try:
        module = rebuild()
        return {
            name: buffer.tolist()
            for name, buffer in module.named_buffers()
            if buffer.dim() == 4 and not buffer.is_meta and buffer.numel() <= MAX_FIXED
        }
    except FAILURES:
        return {}


def _find_unread(graph: TracedGraph) -> str | None:
    """Return the first of several inputs that no result depends on, if there is one."""
    if len(graph.inputs) < 2:
        return None
    ends = [output.key for output in (*graph.outputs, *graph.heads)]
    read = {*ends, *find_live(graph.nodes, ends)}
    read |= {key for node in graph.nodes if node.key in read for key in node.inputs}
    names = zip(graph.inputs, graph.entries, strict=True)
    return next((name for name, key in names if key not in read), None)


def _refuse_unread(module: nn.Module, name: str) -> SpecError:
    """Return the error of a network that takes an input and does not use it."""
    message = f"no result of `{type(module).__name__}` depends on its input `{name}`"
    help = "leave the argument out, or use it"
    labels = label_of(_find_forward(module))
    return SpecError([Diagnostic("E705", message, labels, help=help)])


def _find_argument(module: nn.Module, inputs: Mapping[str, TensorType]) -> str:
    """Return the name of the argument that takes the only input, if callers can name it."""
    if len(inputs) != 1:
        return ""
    (name,) = inputs
    return name or next(iter(list_arguments(module)), "")


def _find_forward(module: nn.Module) -> Origin:
    """Return the first line of the forward pass of a module."""
    code = getattr(module.forward, "__code__", None)
    frames = ((code.co_filename, code.co_firstlineno),) if code is not None else ()
    return OriginMaker().make(frames)


def copy_to_meta(module: nn.Module) -> nn.Module:
    """Return a copy of a module on the meta device, whose values take no memory."""
    with torch.device("meta"):
        memo: dict[int, Tensor] = {}
        for tensor in (*module.parameters(), *module.buffers()):
            empty = torch.empty_like(tensor, device="meta")
            is_parameter = isinstance(tensor, nn.Parameter)
            memo[id(tensor)] = nn.Parameter(empty, requires_grad=False) if is_parameter else empty
        return copy_module(module, memo)


def _shapes(inputs: Mapping[str, TensorType]) -> dict[str, tuple[int, ...]]:
    return {name: type.shape for name, type in inputs.items()}


def _run(module: nn.Module, inputs: Mapping[str, TensorType]) -> CallTrace:
    try:
        with watch_draws() as draws:
            trace = trace_module(module, _shapes(inputs))
    except ValuesAskedError as error:
        raise _refuse_requests(module, error.requests) from None
    except FAILURES as error:
        size = write_types(inputs) if len(inputs) > 1 else str(*inputs.values())
        which = "inputs" if len(inputs) > 1 else "an input"
        message = f"`{type(module).__name__}` does not run on {which} of {size}"
        advice = (advise_on_order(type) for type in inputs.values())
        help = next(filter(None, advice), None)
        raise explain_failure("E704", message, error, help) from None
    if draws.has_drawn:
        raise refuse_draw(module, find_draw(lambda: trace_module(module, _shapes(inputs))))
    return trace


def _give_shapes(module: nn.Module, inputs: Mapping[str, TensorType]) -> None:
    """Run a module once, which gives its lazy parts their shapes, if it runs."""
    tensors = make_inputs(_shapes(inputs), BATCH)
    with suppress(*FAILURES), torch.no_grad():
        call_module(module.eval(), tensors)


def _refuse_requests(module: nn.Module, requests: Sequence[ValueRequest]) -> SpecError:
    """Return the error of a network that asks for values, with a finding for each line."""
    kinds = {path: type(child).__name__ for path, child in module.named_modules()}
    origins = OriginMaker()
    findings = {}
    for request in requests:
        of = f"`{request.of}`" if request.of else "a tensor that it computes"
        message = f"`{kinds[request.module]}` asks for the values of {of}: `{request.name}`"
        label = label_of(origins.make(request.frames))
        findings[message, label] = Diagnostic("E707", message, label)
    return SpecError(list(findings.values())[:MAX_FINDINGS])


def _check_steadiness(
    module: nn.Module,
    inputs: Mapping[str, TensorType],
    graph: TracedGraph,
    states: Sequence[Attributes],
) -> None:
    """Run a network again that does not run the same in training, or that changes itself.

    Args:
        graph: its graph in inference.
        states: the attributes of its modules before and after each run.

    Raises:
        SpecError: E708, it is not the same network in each run.
    """
    known = list(states)

    def is_same(batch: int) -> bool:
        trace = trace_module(module, _shapes(inputs), batch=batch)
        facts = describe_modules(module, graph.buffers)
        read = read_trace(trace, facts, inputs, name=graph.name)
        known.append(read_attributes(module))
        return not read.causes and is_same_network(graph, read.graph)

    try:
        is_steady = all([is_same(BATCH), is_same(BATCH)])
        if (changes := find_changes(known)) or not is_steady:
            raise refuse_state(module, changes, lambda: trace_module(module, _shapes(inputs)))
        if not is_same(OTHER_BATCH):
            raise refuse_batch(module)
    except SpecError:
        raise
    except FAILURES as error:
        message = f"`{type(module).__name__}` does not run again"
        raise explain_failure("E708", message, error) from None


def _count_macs(module: nn.Module, inputs: Mapping[str, TensorType], evaluated: CallTrace) -> int:
    """Return the multiply-accumulates for one image, by torch's own formulas.

    Args:
        evaluated: a record of several images. It alone counts where one image cannot run, as where
            a `squeeze` drops its axis before a step that asks for it.

    Raises:
        SpecError: E708, one image takes other steps than several.
    """
    batch = 1
    try:
        trace = trace_module(module, _shapes(inputs), batch=batch)
    except ValuesAskedError:
        raise
    except FAILURES:
        trace, batch = evaluated, BATCH
    if _list_calls(trace) != _list_calls(evaluated):
        raise refuse_batch(module)
    if {call.name for call in trace.calls} <= FUNCTIONS.keys():
        return sum(map(count_macs, trace.calls)) // batch
    # A call that reads weights alone may be any function of torch.
    counter = FlopCounterMode(display=False)
    with counter:
        trace_module(module, _shapes(inputs), batch=batch)
    return int(counter.get_total_flops()) // (2 * batch)


def _list_calls(trace: CallTrace) -> list[tuple[str, str]]:
    return [(call.name, call.module) for call in trace.calls]
