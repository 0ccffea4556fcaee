"""The definitions of `helpers.py` by name, cut out of its text, and those that a module needs."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from pathlib import Path

from inception_dsl.emit.python.code import Excerpt

_NAMES: dict[str, frozenset[str]] = {
    name: frozenset(uses.split())
    for name, uses in {
        "_AnyModule": "TypeVar nn",
        "_kernels_of": "Tensor nn",
        "_init_normal": "_AnyModule _kernels_of nn",
        "_init_truncated_normal": "_AnyModule _kernels_of nn",
        "_init_kaiming_normal": "Literal _AnyModule _kernels_of nn",
        "_init_xavier_uniform": "_AnyModule _kernels_of nn",
        "_init_bias": "_AnyModule nn",
        "_pad_same": "F Tensor torch",
        "_pair": "",
        "SameConv2d": "F Tensor _pad_same nn",
        "SameMaxPool2d": "F Tensor _pad_same _pair nn",
        "SameAvgPool2d": "F Tensor _pad_same _pair nn torch",
        "SepConv2d": "Tensor nn",
        "SameSepConv2d": "SameConv2d Tensor nn",
        "ShiftBatchNorm2d": "Tensor nn torch",
    }.items()
}
"""Each definition, and the names that it uses, in the order in which modules hold them."""

EXCERPTS = tuple(_NAMES)
"""The names of all definitions that a module may bring along."""


def needed_excerpts(uses: Iterable[str]) -> list[Excerpt]:
    """Return the definitions that a module needs, in order, with those that they need in turn."""
    wanted = set(uses)
    for name in reversed(EXCERPTS):  # each uses only those above it
        if name in wanted:
            wanted |= _NAMES[name]
    return [excerpt for excerpt in _excerpts() if excerpt.name in wanted]


@cache
def _excerpts() -> tuple[Excerpt, ...]:
    """Cut `helpers.py` into its definitions; each has the statements behind it that no name has."""
    import ast

    text = Path(__file__).with_name("helpers.py").read_text(encoding="utf-8")
    lines = text.splitlines()
    starts: dict[str, int] = {}
    for node in ast.parse(text).body:
        match node:
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                starts[name] = node.lineno - 1
            case ast.Assign(targets=[ast.Name(name)]):
                starts[name] = node.lineno - 1
    ends = [*list(starts.values())[1:], len(lines)]
    cut = dict(zip(starts, map(slice, starts.values(), ends), strict=True))
    return tuple(
        Excerpt(name, "\n".join(lines[cut[name]]).rstrip(), uses) for name, uses in _NAMES.items()
    )
