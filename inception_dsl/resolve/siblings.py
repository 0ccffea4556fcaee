"""The earlier steps that a body may name: to read them, and to run them again on another input."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from inception_dsl.ir import CallDef, NodeDef, Origin, Path
from inception_dsl.resolve.scope import Close, close_by
from inception_dsl.resolve.steps import BodyPlace, Sibling, StepReader
from inception_dsl.spec.schema import BodySpec, Item, LongSpec


class Earlier(dict[str, Sibling]):
    """The earlier steps of a list; `named` are the names of all of its steps."""

    named: frozenset[str] = frozenset()


def nearest_sibling(name: str, siblings: Mapping[str, Sibling], inputs: Iterable[str]) -> Close:
    """Return the earlier step, branch or input that a name misspells, if one is close."""
    spans = {key: sibling.span for key, sibling in siblings.items()}
    return close_by(name, [*siblings, *inputs], spans)


def find_taker(body: Item, place: BodyPlace, reader: StepReader) -> Sequence[str]:
    """Return the names of the inputs of the call that a body begins with.

    They are none if it begins with anything else, or with a call of one input.
    """
    text: str | None = None
    match body:
        case str():
            text = body
        case LongSpec():
            text = body.op
        case [first, *_]:
            inner = next(iter(first.values())) if isinstance(first, dict) else first
            reads = inner.reads if isinstance(inner, LongSpec | BodySpec) else None
            return () if reads is not None else find_taker(inner, place, reader)
        case BodySpec(steps=inner) if inner is not None:
            return find_taker(inner, place, reader)
        case BodySpec(reuse=name) if name is not None and name in place.siblings:
            first_step = next(iter(place.siblings[name].steps), None)
            text = first_step.block if isinstance(first_step, CallDef) else None
    signature = reader.find_signature(text) if text is not None else None
    return signature.inputs if signature is not None and len(signature.inputs) > 1 else ()


def _list_entering(sibling: Sibling) -> list[Path]:
    """Return the values from outside that the steps of a sibling read, each once."""
    made = {path for step in sibling.steps for path in step.gives}
    reads = dict.fromkeys(path for step in sibling.steps for path in step.inputs)
    return [path for path in reads if path not in made]


def explain_use(name: str, sibling: Sibling) -> str:
    """Explain why the steps of a sibling cannot run again on the values that they are given."""
    count = len(_list_entering(sibling))
    if count > 1:
        return f"`{name}` reads {count} values, and can be used on one only"
    return f"`{name}` reads one value as several inputs and again behind them: use it on one value"


def use_again(
    sibling: Sibling, place: BodyPlace, origin: Origin
) -> tuple[list[NodeDef | CallDef], Path] | None:
    """Return the steps of a sibling on another input, with its weights, and their result.

    They read one value; a sibling that begins with a call of several inputs reads as many values.

    Returns:
        The steps and the path of their result; None if the sibling reads several values elsewhere.
    """
    entering = _list_entering(sibling)
    reads = dict.fromkeys(entering, place.reads)
    if place.several:
        first = sibling.steps[0].inputs
        if set(first) != set(entering) or len(first) != len(place.several):
            return None
        reads = dict(zip(first, place.several, strict=True))
        behind = {path for step in sibling.steps[1:] for path in step.inputs}
        taken = zip(first, place.several, strict=True)
        if any(reads[path] != given for path, given in taken if path in behind):
            return None  # one value stands for several inputs, and further steps read it
    elif len(entering) > 1:
        return None
    made = {path for step in sibling.steps for path in (step.path, *step.gives)}

    def move(path: Path) -> Path:
        # The path of a list is that of what holds it; that of a step is its own.
        return place.path / path.relative_to(sibling.path) if path in made else reads[path]

    given = [place.several or None, *[None] * len(sibling.steps)]
    steps = [
        replace(
            step,
            path=move(step.path),
            inputs=inputs or tuple(move(path) for path in step.inputs),
            branch=place.branch / step.branch.relative_to(sibling.path)
            if step.branch.is_within(sibling.path)
            else place.branch,
            reuses=step.reuses or step.path,
            origin=origin,
            when=place.under(step.when).when,
            otherwise=move(step.otherwise or step.inputs[0]) if step.when or place.when else None,
        )
        for step, inputs in zip(sibling.steps, given, strict=False)
    ]
    return steps, move(sibling.gives)
