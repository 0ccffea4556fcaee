"""All that a page shows of a network, as data that its script reads.

The steps are those of the figure of every op: a call of a block is a group, closed until a reader
opens it. Bodies that are alike are written once; what differs between them, such as the receptive
field, stands in lists by the number of the step.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

from inception_dsl.analysis import CostReport, measure_fields
from inception_dsl.analysis.claimed import CheckedClaim
from inception_dsl.analysis.field import Field
from inception_dsl.analysis.resizing import AmountRule, StepRule, find_rules
from inception_dsl.analysis.state import list_tensors
from inception_dsl.channels import printable
from inception_dsl.emit.figure.content.full import full_heads, full_tree
from inception_dsl.emit.figure.content.steps import FoldedStep, locate_calls
from inception_dsl.emit.figure.content.subject import FigureSubject, describe
from inception_dsl.emit.figure.content.tree import (
    Element,
    Leaf,
    Mesh,
    Parallel,
    Residual,
    Series,
    StepGroup,
    Stub,
    leaves,
)
from inception_dsl.ir import Call, Model, Node, Path

Json = dict[str, Any]

SHADES = ("params", "macs", "memory")
"""The costs that boxes can be shaded by."""

MAX_LINE = 200
"""Maximum number of characters of a spec's line."""


def build_page(model: Model, cost: CostReport, claims: Sequence[CheckedClaim]) -> Json:
    """Return the data of a network's page.

    Units: `memory` in bytes of a value as float32; a receptive field in pixels of the input, its
    first pixel, its size and its stride along the height, then along the width.
    """
    subject = describe(model, cost)
    writer = _Writer(model, subject)
    tree = writer.write_series(full_tree(subject, "all"), Path())
    heads = [
        {"reads": str(source), **writer.write_group(group, Path())}
        for source, group in full_heads(subject, "all")
    ]
    totals = cost.totals
    return {
        "name": model.name,
        "title": model.title or model.name,
        "source": model.source or "",
        "inputs": {name: list(type.shape) for name, type in model.inputs.items()},
        "totals": {"params": totals.params, "macs": totals.macs, "flops": totals.flops},
        "tree": tree,
        "heads": heads,
        "bodies": writer.bodies,
        "lines": [list(line) for line in writer.lines],
        "fields": list(writer.write_fields()),
        "sizes": _write_sizes(model, cost),
        "claims": _write_claims(claims),
    }


def _write_sizes(model: Model, cost: CostReport) -> Json | None:
    """Return how shapes and costs follow the size of the input; None if no rules tell it.

    Each rule stands once. `of` has that of each step, `reads` the numbers of the steps that it
    reads, -1 for the input.
    """
    rules = find_rules(model)
    if rules is None:
        return None
    numbers = {node.path: number for number, node in enumerate(model.graph.nodes)}
    known = {rule: place for place, rule in enumerate(dict.fromkeys(rules))}
    return {
        "rules": [_write_rule(rule) for rule in known],
        "of": [known[rule] for rule in rules],
        "reads": [[numbers.get(p, -1) for p in node.inputs] for node in model.graph.nodes],
        "heads": [number for number, row in enumerate(cost.rows) if row.head is not None],
    }


def _write_rule(rule: StepRule) -> Json:
    written: Json = {
        "axes": [[axis.times, axis.plus, axis.stride, axis.least] for axis in rule.axes],
        "params": _write_amount(rule.params),
        "macs": _write_amount(rule.macs),
    }
    if rule.channels is not None:
        written["channels"] = rule.channels
    if rule.is_flat:
        written["flat"] = True
    return written


def _write_amount(amount: AmountRule) -> list[int]:
    return [amount.fixed, amount.given, amount.read, amount.features]


def _write_claims(claims: Sequence[CheckedClaim]) -> dict[str, list[Json]]:
    """Return the claims by the path of their step; those on the network under no path."""
    written: dict[str, list[Json]] = {}
    for claim in claims:
        entry = {
            "measure": f"{claim.measure}{', with heads' if claim.with_heads else ''}",
            "claimed": claim.claimed,
            "counted": claim.counted,
            "holds": claim.holds,
            "source": claim.source or "",
        }
        written.setdefault(claim.at or "", []).append(entry)
    return written


class _Writer:
    """The tree of steps as data.

    Attributes:
        bodies: the bodies of groups; alike ones once.
        lines: the file, the number and the text of each line of a spec that wrote a step.
    """

    def __init__(self, model: Model, subject: FigureSubject) -> None:
        self._subject = subject
        self._nodes = {node.path: node for node in model.graph.nodes}
        self._numbers = {path: number for number, path in enumerate(self._nodes)}
        self._calls = {located.path: located.call for located in locate_calls(model)}
        self._model = model
        self._known: dict[str, int] = {}
        self.bodies: list[list[Json]] = []
        self.lines: dict[tuple[str, int, str], int] = {}

    def write_series(self, series: Series, holder: Path, first: int = 0) -> list[Json]:
        """Return the elements of a series; copies in a row are a group of their own.

        Args:
            holder: the call whose body they are part of; paths are written from there.
            first: the number of the first step of that body.
        """
        written: list[Json] = []
        for step, items in groupby(series.items, key=_find_step):
            same = tuple(items)
            if step is not None and len(same) > 1 and step != holder:
                run = StepGroup(step, str(step), Series(same))
                written.append({**self.write_group(run, holder, first), "copies": len(same)})
            else:
                written += [self._write(item, holder, first) for item in same]
        return written

    def _write(self, element: Element, holder: Path, first: int) -> Json:
        match element:
            case Leaf():
                return self._write_leaf(element, holder, first)
            case Series():
                return {"series": self.write_series(element, holder, first)}
            case Parallel(branches):
                return {"parallel": [self.write_series(each, holder, first) for each in branches]}
            case Residual(join=join):
                return {
                    "parallel": [self.write_series(s, holder, first) for s in element.in_order()],
                    "join": self._write_leaf(join, holder, first),
                }
            case Stub(body):
                return {"stub": self.write_series(body, holder, first)}
            case StepGroup():
                return self.write_group(element, holder, first)
            case Mesh(vertices, output, source):
                return {
                    "mesh": [
                        {
                            "name": vertex.name,
                            "reads": list(vertex.inputs),
                            "element": self._write(vertex.element, holder, first),
                        }
                        for vertex in vertices
                    ],
                    "source": source,
                    "output": output,
                }

    def write_group(self, group: StepGroup, holder: Path, first: int = 0) -> Json:
        """Return a group: a call of a block, or a training head."""
        numbers = [self._numbers[step] for leaf in leaves(group.body) for step in leaf.steps]
        start = min(numbers, default=first)
        body = self.write_series(group.body, group.path, start)
        key = json.dumps(body, sort_keys=True)
        if key not in self._known:
            self._known[key] = len(self.bodies)
            self.bodies.append(body)
        written: Json = {
            "group": _relative(group.path, holder),
            "body": self._known[key],
            "first": start - first,
            **self._count([group.path]),
        }
        if group.is_head:
            written["label"] = group.label
        match group.body.items:
            case (StepGroup(path), *_) if path.step == group.path:  # the first of its copies
                call = self._calls.get(path)
            case _:
                call = self._calls.get(group.path)
        if call is not None:
            written |= self._describe_call(call)
        return written

    def _describe_call(self, call: Call) -> Json:
        subject = self._subject
        block = subject.blocks[call.block]
        step = FoldedStep((call.path,), call.inputs, (call,))
        described: Json = {
            "title": subject.title(block),
            "kind": subject.kind(call.block, [step]),
            "shape": ", ".join(map(str, call.output_types)),
        }
        if block.source:
            described["source"] = block.source
        if call.arguments:
            described["arguments"] = {
                name: str(value) for name, value in call.arguments.items() if value is not None
            }
        if (line := self._find_line(call)) is not None:
            described["line"] = line
        return described

    def _write_leaf(self, leaf: Leaf, holder: Path, first: int) -> Json:
        written: Json = {
            "paths": [_relative(path, holder) for path in leaf.paths],
            "kind": leaf.kind,
            "text": [line.text for line in leaf.lines],
        }
        for name, value, usual in (
            ("form", leaf.form, "box"),
            ("shape", leaf.shape, ""),
            ("note", leaf.note, ""),
        ):
            if value != usual:
                written[name] = value
        written |= self._count(leaf.steps)
        for path in leaf.steps:
            node = self._nodes[path]
            written["number"] = self._numbers[path] - first
            tensors = {tensor.name: list(tensor.shape) for tensor in list_tensors(node)}
            if tensors:
                written["tensors"] = tensors
            if tensors and node.reuses is not None:
                written["reuses"] = str(node.reuses)
            if (line := self._find_line(node)) is not None:
                written["line"] = line
        return written

    def _count(self, steps: Sequence[Path]) -> Json:
        """Return the costs of some steps together, without those that are 0."""
        sums = self._subject.total(steps)
        costs = {name: getattr(sums, name) for name in SHADES}
        return {name: value for name, value in costs.items() if value}

    def _find_line(self, step: Node | Call) -> int | None:
        span = step.origin.span
        if span is None:
            return None
        text = printable(span.source.line(span.line).strip()[:MAX_LINE])
        line = (printable(span.source.name), span.line, text)
        return self.lines.setdefault(line, len(self.lines))

    def write_fields(self) -> Iterator[list[int | float] | None]:
        """Yield the receptive field of each step, by its number; None if units see others."""
        fields = measure_fields(self._model)
        for path in self._nodes:
            yield _write_field(fields[path])


def _find_step(element: Element) -> Path | None:
    """Return the step that an element is a copy of; None if it is no call in a frame."""
    return element.path.step if isinstance(element, StepGroup) else None


def _write_field(field: Field) -> list[int | float] | None:
    axes = (field.height, field.width)
    written: list[int | float] = []
    for axis in axes:
        if axis is None:
            return None
        stride = axis.stride
        written += [axis.start, axis.size, int(stride) if stride == int(stride) else float(stride)]
    return written


def _relative(path: Path, holder: Path) -> str:
    """Return a path from a call that holds it; `/` begins one that no call there holds."""
    if not holder:
        return str(path)
    return str(path.relative_to(holder)) if path.is_below(holder) else f"/{path}"
