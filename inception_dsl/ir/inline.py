"""The flat DAG of a model: every call replaced by the nodes it runs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from inception_dsl.ir.model import Call, Graph, Head, Node
from inception_dsl.ir.path import Path


def inline(root: Call, heads: Sequence[Head]) -> Graph:
    """Return the call of a network as one flat graph, training heads included."""
    results: dict[str, Path] = {path: path for path in root.entries}
    nodes = tuple(_inline(root, "", None, results))
    return Graph(
        nodes,
        outputs={name: results[path] for name, path in root.outputs.items()},
        head_outputs=tuple(results[head.output] for head in heads),
        inputs=root.entries,
    )


def walk_calls(root: Call) -> Iterator[Call]:
    """Yield a call, and every call below it; of a model's root, all that the model makes."""
    calls = [root]
    while calls:
        call = calls.pop()
        yield call
        calls.extend(item for item in reversed(call.body) if isinstance(item, Call))


def walk_paths(root: Call) -> Iterator[tuple[Path, Call]]:
    """Yield a call, whose path is empty, and every call below it by its whole path."""
    calls = [(Path(), root)]
    while calls:
        path, call = calls.pop()
        yield path, call
        below = (item for item in reversed(call.body) if isinstance(item, Call))
        calls.extend((path / item.path, item) for item in below)


def _inline(
    call: Call, prefix: str, weights: str | None, results: dict[str, Path]
) -> Iterator[Node]:
    """Yield the nodes below a call.

    Args:
        prefix: the call's path and a dot; empty for the network.
        weights: the prefix of the earlier call whose weights this one has; None if it has its own.
        results: the path of the node that makes each value, by the value's path; filled here.
    """
    for item in call.body:
        path = Path(prefix + item.path)
        owner = Path((prefix if weights is None else weights) + (item.reuses or item.path))
        reuses = None if owner == path else owner
        if isinstance(item, Call):
            for entry, name in zip(item.entries, item.inputs, strict=True):
                results[f"{path}.{entry}"] = results[prefix + name]
            yield from _inline(item, f"{path}.", f"{reuses}." if reuses else None, results)
            for output, inside in item.outputs.items():
                results[path / output] = results[f"{path}.{inside}"]
        else:
            results[path] = path
            inputs = tuple(results[prefix + name] for name in item.inputs)
            origin = item.origin.called_from(call.origin)
            # A model has thousands of nodes, and `dataclasses.replace` takes several times as long.
            yield Node(
                path,
                inputs,
                item.op,
                item.attributes,
                item.input_types,
                item.type,
                origin,
                reuses,
            )
        if path in results:  # the result of a repeated step is that of its last copy
            results[path.step] = results[path]
    for absent, given in call.absent.items():
        results[f"{prefix}{absent}"] = results[f"{prefix}{given}"]
