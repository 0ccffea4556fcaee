"""Leave claims out of a spec's text: all of them in a new spec, or the counts of `import`."""

from __future__ import annotations

from typing import Literal, get_args

from inception_dsl.emit.spec.items import take_entry, take_items
from inception_dsl.emit.spec.places import TextEdit
from inception_dsl.spec.tree import Entry, Mapping, Scalar, Tree
from inception_dsl.spec.tree import Sequence as TreeSequence

Counter = Literal["torch", "the shapes in the ONNX file", "the shapes in the exported program"]
"""The counter of the parameters and multiply-accumulates of a network that `import` reads."""

_COUNTED = "counted by "
_SOURCES = frozenset(f"{_COUNTED}{counter}" for counter in get_args(Counter))
_COUNT_KEYS = frozenset(["heads", "macs", "params", "source"])


def write_source(counter: Counter) -> str:
    """Return the source of a claim that `import` writes: a count, which no author made."""
    return f"{_COUNTED}{counter}"


def is_count(claim: Tree) -> bool:
    """Tell whether a claim is a count of `import`: its exact source, and no measure but its own."""
    match claim:
        case Mapping({"source": Entry(value=Scalar(value=str(source)))} as items):
            return source in _SOURCES and items.keys() <= _COUNT_KEYS
    return False


def rename(tree: Tree, name: str) -> list[TextEdit]:
    """Return the edits that give a spec another name, and leave out what its source claims.

    The claims of a source are about its own network.
    """
    edits: list[TextEdit] = []
    match tree:
        case Mapping(items):
            if "name" in items:
                edits.append(TextEdit(items["name"].value.span, name))
            if "claims" in items:
                edits.append(take_entry(tree, "claims"))
    return edits


def drop_statements(tree: Tree) -> list[TextEdit]:
    """Return the edits that leave out all that a spec says about the costs of its network."""
    match tree:
        case Mapping(items):
            return [take_entry(tree, key) for key in ("budget", "claims") if key in items]
    return []


def drop_counts(tree: Tree) -> list[TextEdit]:
    """Return the edits that leave out the claims which are counts of the network as it was.

    Raises:
        RewriteError: one of them does not begin its line.
    """
    match tree:
        case Mapping({"claims": Entry(value=TreeSequence(items=claims) as listed)}):
            counts = [index for index, claim in enumerate(claims) if is_count(claim)]
            if counts and len(counts) == len(claims):
                return [take_entry(tree, "claims")]
            return take_items(listed, counts)
    return []
