"""The walk of the recovery: fuse, grow the tree of scopes, make bodies, find blocks, write."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from inception_dsl.recover.blocks import find_blocks
from inception_dsl.recover.bodies import BodyMaker, MeshError
from inception_dsl.recover.fusion import Fused, fuse
from inception_dsl.recover.graph import TracedGraph
from inception_dsl.recover.scopes import Flow, grow_tree
from inception_dsl.recover.words import WordWriter, find_defaults, write_defaults
from inception_dsl.recover.writing import SpecParts, write_spec

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
        MeshError: a join that no spec can write.
        CrossingError: a step that runs again and that no spec can write.
    """
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(max(before, MAX_RECURSION))
    try:
        try:
            return _recover(graph, header, sums=True)
        except MeshError:
            return _recover(graph, header, sums=False)
    finally:
        sys.setrecursionlimit(before)


def _recover(graph: TracedGraph, header: SpecHeader, *, sums: bool) -> Recovered:
    fused = fuse(graph, sums=sums)
    flow = Flow(fused.graph)
    defaults = find_defaults(fused)
    body, types, outputs = BodyMaker(flow, WordWriter(defaults)).make_network(grow_tree(flow))
    network, blocks = find_blocks(body)
    parts = SpecParts(
        name=header.name,
        title=header.title,
        source=header.source,
        header=header.comments,
        inputs=graph.inputs,
        defaults=write_defaults(defaults),
        blocks=blocks,
        network=network,
        types=types,
        outputs=outputs,
        claims=header.claims,
    )
    return Recovered(write_spec(parts), fused)
