"""The walk of the recovery: fuse, grow the tree of scopes, make bodies, find blocks, write."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from inception_dsl.recover.blocks import find_blocks
from inception_dsl.recover.bodies import BodyMaker, MeshError, NetworkBody
from inception_dsl.recover.fusion import Fused, fuse
from inception_dsl.recover.graph import TracedGraph
from inception_dsl.recover.heads import HeadGraph, split_heads
from inception_dsl.recover.naming import clean_name, number
from inception_dsl.recover.scopes import Flow, grow_tree
from inception_dsl.recover.terms import Term
from inception_dsl.recover.words import WordWriter, find_defaults, write_defaults
from inception_dsl.recover.writing import HeadParts, SpecParts, write_spec
from inception_dsl.resolve.wiring import TUPLE_NAMES

MAX_RECURSION = 20_000
"""Maximum number of nested calls of Python while terms are built."""


@dataclass(frozen=True, slots=True)
class Recovered:
    """The text of a spec, and the graph whose nodes it must have."""

    text: str
    fused: Fused


@dataclass(frozen=True, slots=True, kw_only=True)
class SpecHeader:
    """The parts of a spec besides its steps.

    Attributes:
        comments: lines of comments at its top.
    """

    name: str
    title: str
    source: str
    comments: Sequence[str] = ()
    claims: Sequence[Mapping[str, str]] = ()


def recover_spec(graph: TracedGraph, header: SpecHeader) -> Recovered:
    """Return the spec of a traced network.

    Raises:
        MeshError: sums that drop a path where no spec can write it.
        CrossingError: a step that runs again and that no spec can write.
    """
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(max(before, MAX_RECURSION))
    try:
        bare: frozenset[int] = frozenset()
        while True:
            try:
                return _recover(graph, header, bare)
            except MeshError as error:
                if error.keys <= bare:  # they drop a path, and no step of its own can
                    raise
                bare |= error.keys
    finally:
        sys.setrecursionlimit(before)


def _recover(graph: TracedGraph, header: SpecHeader, bare: frozenset[int]) -> Recovered:
    fused = fuse(graph, bare)
    main, heads = split_heads(fused.graph)
    flow = Flow(main, marked=(head.at for head in heads))
    defaults = find_defaults(fused)
    words = WordWriter(defaults)
    body = BodyMaker(flow, words).make_network(grow_tree(flow))
    bodies = [body.steps, *(_make_head(head, words) for head in heads)]
    (network, *steps), blocks = find_blocks(bodies)
    names = _name_heads(heads, body)
    parts = SpecParts(
        name=header.name,
        title=header.title,
        source=header.source,
        header=header.comments,
        inputs=graph.inputs,
        defaults=write_defaults(defaults),
        blocks=blocks,
        network=network,
        types=body.types,
        outputs=body.outputs,
        heads=tuple(
            HeadParts(name, body.names[head.at], inner)
            for name, head, inner in zip(names, heads, steps, strict=True)
        ),
        claims=header.claims,
    )
    return Recovered(write_spec(parts), fused)


def _make_head(head: HeadGraph, words: WordWriter) -> Term:
    """Return the body of a training head: its module's, if it is one module of its own name."""
    flow = Flow(head.graph)
    body = BodyMaker(flow, words).make_network(grow_tree(flow)).steps
    is_module = len(body.items) == 1 and body.items[0][0] == clean_name(head.name)
    return body.items[0][1] if is_module else body


def _name_heads(heads: Sequence[HeadGraph], network: NetworkBody) -> list[str]:
    """Return the names of heads, other than those of steps and of outputs."""
    taken = {name for name, _ in network.steps.items} | network.outputs.keys() | TUPLE_NAMES
    taken |= set() if network.outputs else {"logits"}
    names = []
    for head in heads:
        names.append(number(clean_name(head.name), taken, "_"))
        taken.add(names[-1])
    return names
