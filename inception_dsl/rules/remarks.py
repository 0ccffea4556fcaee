"""The rules about the remarks of ops: settings that are probably mistakes, and hints."""

from __future__ import annotations

from collections.abc import Iterator

from inception_dsl.diagnostics import CODES, Diagnostic, Label
from inception_dsl.ir import Call, Node
from inception_dsl.ops import OPS, Remark
from inception_dsl.rules.subject import Subject

MAX_PLACES = 4
"""Maximum number of steps that one finding shows."""


def hardly_meant(subject: Subject) -> Iterator[Diagnostic]:
    """Yield a warning for every remark of an op, once for all steps that it holds for."""
    return _find(subject, are_hints=False)


def worth_knowing(subject: Subject) -> Iterator[Diagnostic]:
    """Yield a hint for every remark of an op that is a note."""
    return _find(subject, are_hints=True)


def _find(subject: Subject, *, are_hints: bool) -> Iterator[Diagnostic]:
    steps: dict[Remark, list[Node]] = {}
    for node in _nodes(subject.model.root):
        remarks = OPS[node.op].remarks
        for remark in remarks(node.attributes, node.input_types) if remarks else ():
            if (CODES[remark.code].severity == "note") is are_hints:
                steps.setdefault(remark, []).append(node)
    for remark, nodes in steps.items():
        spans = {node.origin.span: node for node in nodes}
        labels = tuple(Label(span) for span in list(spans)[:MAX_PLACES] if span is not None)
        more = len(spans) - MAX_PLACES
        notes = (f"and {more} more step{'s' if more > 1 else ''}",) if more > 0 else ()
        message = f"`{nodes[0].path}` {remark.message}"
        yield Diagnostic(remark.code, message, labels, notes, remark.help)


def _nodes(root: Call) -> Iterator[Node]:
    """Yield the nodes of every body once, however often it is called, in running order."""
    pending, seen = [iter(root.body)], {id(root.body)}
    while pending:
        item = next(pending[-1], None)
        if item is None:
            pending.pop()
        elif isinstance(item, Node):
            yield item
        elif id(item.body) not in seen:
            seen.add(id(item.body))
            pending.append(iter(item.body))
