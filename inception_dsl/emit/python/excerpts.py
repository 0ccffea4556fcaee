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


def needed_excerpts(uses: Iterable[str], among: tuple[Excerpt, ...] | None = None) -> list[Excerpt]:
    """Return the definitions that a module needs, in order, with those that they need in turn.

    Args:
        among: all definitions, each behind those that it uses; those of `helpers.py` if None.
    """
    known = all_excerpts() if among is None else among
    wanted = set(uses)
    for excerpt in reversed(known):  # each uses only those above it
        if excerpt.name in wanted:
            wanted |= excerpt.uses
    return [excerpt for excerpt in known if excerpt.name in wanted]


@cache
def all_excerpts() -> tuple[Excerpt, ...]:
    """Cut `helpers.py` into its definitions, in the order in which modules hold them."""
    return cut_definitions(Path(__file__).with_name("helpers.py"), IMPORTED)


def cut_definitions(file: Path, imported: frozenset[str]) -> tuple[Excerpt, ...]:
    """Cut a file into its definitions.

    A definition has the statements behind it that give no name, and tells which names it uses.

    Args:
        imported: names that modules import for the definitions.
    """
    text = file.read_text(encoding="utf-8")
    lines = text.splitlines()
    parts: dict[str, list[ast.stmt]] = {}
    starts: list[int] = []
    for node in ast.parse(text).body:
        match node:
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                parts[name] = [node]
                starts.append(min([node.lineno, *(d.lineno for d in node.decorator_list)]) - 1)
            case ast.Assign(targets=[ast.Name(name)]):
                parts[name] = [node]
                starts.append(node.lineno - 1)
            case _ if parts:
                parts[next(reversed(parts))].append(node)
    known = {*imported, *parts}
    ends = [*starts[1:], len(lines)]
    return tuple(
        Excerpt(name, "\n".join(lines[start:end]).rstrip(), _names(nodes) & known - {name})
        for (name, nodes), start, end in zip(parts.items(), starts, ends, strict=True)
    )


def _names(nodes: Iterable[ast.stmt]) -> frozenset[str]:
    """Return all names that some statements read."""
    read = (part for node in nodes for part in ast.walk(node))
    return frozenset(part.id for part in read if isinstance(part, ast.Name))
