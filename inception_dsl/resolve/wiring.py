"""The inputs and outputs of blocks and of the network: their names, and the steps that read them.

A block with one input and one output has no names for them. A value that is one of several has a
path of its own: `input.left` of a block's inputs, `fpn.p3` of the outputs of the call `fpn`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from inception_dsl.bounds import MAX_PORTS
from inception_dsl.diagnostics import Diagnostic, Fix, Label, shorten
from inception_dsl.ir import INPUT, CallDef, NodeDef, Path
from inception_dsl.resolve.blocks import Signature, place_of
from inception_dsl.resolve.reporter import Reporter, repeated
from inception_dsl.resolve.reserved import name_problem, usable_name
from inception_dsl.resolve.scope import close_by
from inception_dsl.resolve.tokens import listed
from inception_dsl.source import Span
from inception_dsl.spec.places import DocumentPath

TUPLE_NAMES = frozenset(["count", "index"])
"""Names that no output can have, because a tuple has them."""

SINGLE = ("",)
"""The names of the inputs, or of the outputs, of a block that has one: it needs no name."""


class Inputs(NamedTuple):
    """The inputs of a block, or of the network: the path of each value by its name.

    A single input that the author names keeps the path of an input without a name.
    """

    paths: Mapping[str, Path]

    @property
    def values(self) -> tuple[Path, ...]:
        """The paths of the values."""
        return tuple(self.paths.values()) or (INPUT,)

    @property
    def are_several(self) -> bool:
        """True if a step must say which of them it reads."""
        return len(self.paths) > 1


def name_inputs(names: Sequence[str]) -> Inputs:
    """Return the inputs of these names; none for an input without a name."""
    if len(names) == 1:
        return Inputs({names[0]: INPUT})
    return Inputs({name: INPUT / name for name in names})


class PortReader(Reporter):
    """The reader of the names of inputs and outputs."""

    def read_names(
        self, written: Iterable[str] | None, at: DocumentPath, code: str, kind: str
    ) -> tuple[str, ...]:
        """Return the written names of inputs or outputs, and report those that none can have.

        Args:
            kind: `input` or `output`.
        """
        names = list(written or ())
        is_list = isinstance(written, list)
        if len(names) > MAX_PORTS:
            place = (*at, MAX_PORTS if is_list else names[MAX_PORTS])
            self.fail("E003", f"there are more than {MAX_PORTS} {kind}s", self.places.key(place))
        if written is not None and not names:
            self.complain("E103", f"there is no {kind}", self.places.value(at))
        for index, name in enumerate(names):
            problem = name_problem(name)
            if problem is None and name in TUPLE_NAMES:
                problem = f"emitted code needs the name `{name}` for itself"
            if problem is not None:
                span = self.places.key((*at, index if is_list else name))
                self.complain("E105", problem, span, instead=usable_name(name, kind))
        for name in repeated(names):
            self.twice(code, f"two {kind}s are named `{name}`", names, name, at)
        return tuple(dict.fromkeys(names))


class Values(NamedTuple):
    """The values of a body that can be named: by the path of a step, or of a list of steps.

    Attributes:
        paths: the path of each value by its name.
        calls: the calls that give several values, by path; they are no value themselves.
        spans: the places of the names.
    """

    paths: Mapping[str, Path]
    calls: Mapping[str, CallDef]
    spans: Mapping[str, Span]

    def find(self, name: str) -> Path | None:
        """Return the path of the value of a name; that of a call if it gives several."""
        if name in self.paths:
            return self.paths[name]
        holder, _, output = name.rpartition(".")
        call = self.calls.get(self.paths.get(holder, ""))
        return call.path / output if call is not None and output in call.outputs else None

    def explain_missing(self, name: str, span: Span, message: str) -> Diagnostic:
        """Return E216 for an output that a call lacks, else E212 with the nearest name."""
        holder, _, output = name.rpartition(".")
        if holder in self.paths:
            call = self.calls.get(self.paths[holder])
            return explain_no_output(holder, output, call.outputs if call else SINGLE, span)
        close = close_by(name, self.paths, self.spans)
        labels = (Label(span), *close.labels)
        return Diagnostic("E212", message, labels, fix=close.fix(span))


def list_values(
    steps: Iterable[NodeDef | CallDef], results: Mapping[str, Path], named: Mapping[str, Span]
) -> Values:
    """Return the values of a body.

    Args:
        results: the path of the value of each named step or list, by the path of its name.
        named: the place of each name.
    """
    steps = list(steps)
    calls = {step.path: step for step in steps if isinstance(step, CallDef) and gives_several(step)}
    paths = {str(step.path): step.path for step in steps} | dict(results)
    spans = {step.path: place_of(step) for step in steps} | dict(named)
    return Values(paths, {str(path): call for path, call in calls.items()}, spans)


def gives_several(step: NodeDef | CallDef) -> bool:
    """Tell whether a step gives several values."""
    return isinstance(step, CallDef) and len(step.outputs) > 1


def explain_no_output(holder: str, output: str, outputs: Sequence[str], span: Span) -> Diagnostic:
    """Return E216 for an output that a step does not have.

    Args:
        holder: the name of the step, as the author writes it.
        outputs: the names of its outputs.
    """
    if len(outputs) == 1:
        message = f"`{holder}` gives one value, and has no output `{shorten(output)}`"
        note = "a step within another one is not read from outside, nor is a copy but the last"
        return Diagnostic("E216", message, (Label(span),), (note,))
    close = close_by(output, outputs, {})
    message = f"`{holder}` has no output `{shorten(output)}`: its outputs are {listed(outputs)}"
    fix = Fix(span, f"{holder}.{close.name}") if close.name else None
    return Diagnostic("E216", message, (Label(span),), fix=fix)


def explain_several_outputs(call: CallDef, span: Span, *, help: str | None = None) -> Diagnostic:
    """Return E216 for a place that reads a call of several outputs and names none of them."""
    message = f"`{call.path}` gives {len(call.outputs)} values: {listed(call.outputs)}"
    labels = [Label(span)]
    if place_of(call) != span:
        labels = [Label(span, "one of them is read here"), Label(place_of(call), "they are made")]
    example = f"name one, as in `from: {call.path.name}.{call.outputs[0]}`"
    return Diagnostic("E216", message, tuple(labels), help=help or example)


def explain_inputs(
    block: str, inputs: Sequence[str], number: int, span: Span, text: str
) -> Diagnostic:
    """Return E215 for a call that reads another number of values than its block takes.

    Args:
        number: the number of the values; 0 if `from` names none.
        text: the call as it is written.
    """
    read = {0: "none is named here", 1: "one is named here"}.get(number, f"{number} are named here")
    message = f"`{block}` takes {len(inputs)} values, {listed(inputs)}: {read}"
    named = ", ".join(f"{name}: ..." for name in inputs)
    help = f"name the step that makes each, as in `{{from: {{{named}}}, steps: {text}}}`"
    is_short = "\n" not in text and len(help) < 160
    help = help if is_short else "name the step that makes each, in `from`"
    return Diagnostic("E215", message, (Label(span),), help=help)


def check_reads(
    block: str, steps: Sequence[NodeDef | CallDef], inputs: Inputs
) -> Iterator[Diagnostic]:
    """Yield the steps of a block that read one of several values without naming it.

    Args:
        block: the name of the block, as messages show it.
    """
    calls = {step.path: step for step in steps if isinstance(step, CallDef) and gives_several(step)}
    if not calls and not inputs.are_several:
        return
    for step in steps:
        for path in dict.fromkeys(step.inputs):
            if path in calls:
                yield explain_several_outputs(calls[path], place_of(step))
            elif path == INPUT and inputs.are_several:
                names = list(inputs.paths)
                message = f"{block} has {len(names)} inputs: {listed(names)}"
                label = Label(place_of(step), "it reads one of them, and does not say which")
                help = f"name it, as in `from: {names[0]}`"
                yield Diagnostic("E215", message, (label,), help=help)


def check_inputs(
    steps: Sequence[NodeDef | CallDef],
    inputs: Inputs,
    outputs: Iterable[Path],
    spans: Mapping[str, Span],
) -> Iterator[Diagnostic]:
    """Yield each of several inputs that no step reads.

    Args:
        spans: the places of their names.
    """
    if inputs.are_several:
        read = {path for step in steps for path in step.inputs} | set(outputs)
        for name, path in inputs.paths.items():
            if path not in read:
                message = f"nothing reads the input `{name}`"
                yield Diagnostic("E215", message, (Label(spans[name]),))


def check_outputs(
    block: str, outputs: Mapping[str, Path], values: Values, span: Span
) -> Iterator[Diagnostic]:
    """Yield the outputs that have the name of a step and give another value than the step.

    Args:
        span: the place of `outputs`.
    """
    for name, path in outputs.items():
        if name in values.paths and values.paths[name] != path:
            message = f"the output `{name}` of {block} is `{path}`, and a step is named `{name}`"
            labels = [Label(span)]
            if name in values.spans:
                labels.append(Label(values.spans[name], f"this is `{name}`"))
            help = "give one of the two another name"
            yield Diagnostic("E216", message, tuple(labels), help=help)


def find_repeated(step: CallDef, signature: Signature) -> Diagnostic | None:
    """Return E217 for a repeated call whose copies cannot read each other's results."""
    if step.count is None or (len(signature.inputs) < 2 and len(step.outputs) < 2):
        return None
    kind = "inputs" if len(signature.inputs) > 1 else "outputs"
    message = f"`{step.block}` has several {kind}: it cannot be repeated"
    note = "each copy of a repeated step reads the one result of the copy before it"
    help = "write the calls one by one"
    return Diagnostic("E217", message, (Label(place_of(step)),), (note,), help)
