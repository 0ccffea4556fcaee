"""The definitions of `helpers.py`, cut out of its text, and those that a module needs."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from inception_dsl.emit.python.code import Excerpt

IMPORTED = frozenset(
    ["F", "Fraction", "Literal", "NamedTuple", "OrderedDict", "Tensor", "TypeVar", "_pytree"]
    + ["math", "nn", "torch"]
)
"""Names that a module may import."""


def needed_excerpts(uses: Iterable[str]) -> list[Excerpt]:
    """Return the definitions that a module needs, in order, with those that they need in turn."""
    wanted = set(uses)
    for excerpt in reversed(all_excerpts()):  # each uses only those above it
        if excerpt.name in wanted:
            wanted |= excerpt.uses
    return [excerpt for excerpt in all_excerpts() if excerpt.name in wanted]


@cache
def all_excerpts() -> tuple[Excerpt, ...]:
    """Cut `helpers.py` into its definitions, in the order in which modules hold them.

    A definition has the statements behind it that give no name, and tells which names it uses.
    """
    text = Path(__file__).with_name("helpers.py").read_text(encoding="utf-8")
    lines = text.splitlines()
    parts: dict[str, list[ast.stmt]] = {}
    for node in ast.parse(text).body:
        match node:
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                parts[name] = [node]
            case ast.Assign(targets=[ast.Name(name)]):
                parts[name] = [node]
            case _ if parts:
                parts[next(reversed(parts))].append(node)
    known = {*IMPORTED, *parts}
    starts = [nodes[0].lineno - 1 for nodes in parts.values()]
    ends = [*starts[1:], len(lines)]
    return tuple(
        Excerpt(name, "\n".join(lines[start:end]).rstrip(), _names(nodes) & known - {name})
        for (name, nodes), start, end in zip(parts.items(), starts, ends, strict=True)
    )


def _names(nodes: Iterable[ast.stmt]) -> frozenset[str]:
    """Return all names that some statements read."""
    read = (part for node in nodes for part in ast.walk(node))
    return frozenset(part.id for part in read if isinstance(part, ast.Name))
