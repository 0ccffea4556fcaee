"""The weights within a block that runs again on another input: they must fit that input as well."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from inception_dsl.diagnostics import Diagnostic, Label
from inception_dsl.ir import Call, CallDef, Node, NodeDef, Path
from inception_dsl.ops import OPS
from inception_dsl.resolve.blocks import place_of
from inception_dsl.resolve.trail import StepFaultError


def refuse_other_weights(
    step: NodeDef | CallDef, first: Call, again: Iterable[Node | Call]
) -> None:
    """Refuse a call whose input makes other weights than those that it uses again.

    Args:
        first: the call that made the weights.
        again: the steps of the block on the input of `step`.

    Raises:
        StepFaultError: E307.
    """
    made = dict(_list_holders(first.body, Path()))
    wanted = dict(_list_holders(again, Path()))
    paths = (
        path for path in made | wanted if _tensors(made.get(path)) != _tensors(wanted.get(path))
    )
    path = next(paths, None)
    if path is None:
        return
    message = f"`{step.path}` has the weights of `{step.reuses}` on other channels"
    if path in made and path in wanted:
        made_for, arriving = (nodes[path].input_types[0].channels for nodes in (made, wanted))
        labels = (
            Label(place_of(step), f"`{path}` in it reads {arriving} channels"),
            Label(place_of(made[path]), f"its weights are for {made_for}"),
        )
    else:
        holds, lacks = step.path, step.reuses
        if path in made:
            holds, lacks = lacks or holds, holds
        labels = (
            Label(place_of(step), f"`{path}` is there in `{holds}`, and not in `{lacks}`"),
            Label(place_of((made | wanted)[path]), f"this is `{path}`"),
        )
    raise StepFaultError(Diagnostic("E307", message, labels))


def _list_holders(items: Iterable[Node | Call], above: Path) -> Iterator[tuple[Path, Node]]:
    """Yield the nodes below a call that can hold tensors, with their paths in that call."""
    for item in items:
        path = above / item.path
        if isinstance(item, Call):
            yield from _list_holders(item.body, path)
        elif OPS[item.op].state is not None:
            yield path, item


def _tensors(node: Node | None) -> Mapping[str, tuple[int, ...]]:
    """Return the shape of each tensor of a node, by name; none of a node that is not there."""
    state = OPS[node.op].state if node is not None else None
    if node is None or state is None:
        return {}
    tensors = state(node.attributes, node.input_types[0].channels)
    return {tensor.name: tuple(tensor.shape) for tensor in tensors}
