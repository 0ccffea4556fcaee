"""The forward pass of a block: a paragraph a branch, a local named after it, shapes behind."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise

from inception_dsl.analysis import BlockWidths
from inception_dsl.emit.python.block import Unit, has_module
from inception_dsl.emit.python.layout import Code, Construct, layout, literal
from inception_dsl.emit.python.shapes import shape_text
from inception_dsl.emit.python.units import activation
from inception_dsl.expr import Expr, Name, names, substitute
from inception_dsl.ir import INPUT, BlockDef, Head, NodeDef, Value
from inception_dsl.ops import ACTIVATIONS

_DEPTH = 2


@dataclass(frozen=True, slots=True)
class _Statement:
    """One assignment: the paths that it reads, and the path of the value that it gives."""

    reads: tuple[str, ...]
    gives: str
    branch: str
    makes: Unit | NodeDef

    @property
    def is_join(self) -> bool:
        return isinstance(self.makes, NodeDef)


class Forward:
    """The body of a block's forward pass.

    Args:
        units: the modules that it calls.
        unsaid: steps that the module leaves out, and what is read in their place.
        outputs: the NamedTuple that training returns; None without training heads.
    """

    def __init__(
        self,
        block: BlockDef,
        widths: BlockWidths,
        units: Iterable[Unit],
        unsaid: Mapping[str, str],
        outputs: str | None,
    ) -> None:
        self._widths = widths
        self._outputs = outputs
        self._unsaid = unsaid
        self._output = unsaid.get(block.output, block.output)
        order = {step.path: index for index, step in enumerate(block.body)}
        joins = [s for s in block.body if isinstance(s, NodeDef) and not has_module(s)]
        statements = [_Statement((u.reads,), u.gives, u.branch, u) for u in units]
        statements.extend(_Statement(j.inputs, j.path, j.branch, j) for j in joins)
        statements.sort(key=lambda statement: order[statement.gives])
        heads = widths.heads
        statements = _needed(statements, {self._output, *(self._end(h) for h in heads)})
        self._trunk = [s for s in statements if not any(h.holds(s.gives) for h in heads)]
        # A head that is one module is called where the outputs are put together.
        self._inner = [
            s for h in heads if len(own := _of(h, statements)) != 1 or own[0].is_join for s in own
        ]
        self._locals = self._name([*self._trunk, *self._inner])

    def lines(self) -> list[str]:
        """The statements, the return included."""
        if not self._trunk:
            return [f"        return {self._locals[self._output]}"]
        lines: list[str] = []
        breaks = _paragraph_breaks(self._trunk)
        for index, statement in enumerate(self._trunk):
            if index in breaks:
                lines.append("")
            is_last = index == len(self._trunk) - 1 and statement.gives == self._output
            if is_last and statement.is_join and not self._outputs and self._is_typed(statement):
                return [*lines, *self._written("return ", statement)]
            lines.extend(self._assigned(statement))
        result = self._locals[self._output]
        if self._outputs is None:
            return [*lines, f"        return {result}"]
        lines.extend(["        if not self.training:", f"            return {result}"])
        for statement in self._inner:
            lines.extend(self._assigned(statement))
        return [*lines, *self._returned(self._outputs, result)]

    def _assigned(self, statement: _Statement) -> list[str]:
        local = self._locals[statement.gives]
        returned = statement.gives == self._output and local != "x"
        # What a module gives is untyped; `x` is declared a Tensor, and other results are here.
        annotation = ": Tensor" if returned and not self._is_typed(statement) else ""
        return self._written(f"{local}{annotation} = ", statement)

    def _written(self, before: str, statement: _Statement) -> list[str]:
        made = statement.makes
        code = self._join(made) if isinstance(made, NodeDef) else self._call(made)
        remark = shape_text(self._widths, statement.gives)
        return layout(before, code, depth=_DEPTH, remark=remark)

    def _returned(self, outputs: str, result: str) -> list[str]:
        arguments: list[tuple[str, Code]] = [("logits", result)]
        remarks = [""]
        for head in self._widths.heads:
            own = self._end(head)
            if own in self._locals:
                arguments.append((head.path, self._locals[own]))
            else:
                read = self._locals[head.at]
                arguments.append((head.path, Construct(f"self.{head.path}", (("", read),))))
            remarks.append(shape_text(self._widths, own))
        code = Construct(outputs, tuple(arguments), remarks=tuple(remarks))
        return layout("return ", code, depth=_DEPTH)

    def _end(self, head: Head) -> str:
        return self._unsaid.get(head.output, head.output)

    def _is_typed(self, statement: _Statement) -> bool:
        """Functions of torch say that they give a Tensor; modules and sums do not."""
        made = statement.makes
        if not isinstance(made, NodeDef):
            return False
        act = made.attributes.get("act", "none")
        return made.op == "concat" or (isinstance(act, str) and act != "none")

    def _call(self, unit: Unit) -> Code:
        first, *rest = unit.path.split(".")
        module = f"self.{first}"
        if len(rest) == 1:
            module = f'{module}["{rest[0]}"]'
        elif rest:
            module = f'{module}.get_submodule("{".".join(rest)}")'
        return f"{module}({self._locals[unit.reads]})"

    def _join(self, join: NodeDef) -> Code:
        inputs = [self._locals[path] for path in join.inputs]
        match join.op:
            case "concat":
                tensors = Construct("", tuple(("", name) for name in inputs), brackets="[]")
                return Construct("torch.cat", (("", tensors), ("dim", "1")))
            case "add":
                *others, last = inputs
                scaled = _scaled(last, join.attributes["scale"])
                return self._activated(" + ".join([*others, scaled]), join.attributes["act"])
            case _:
                return " * ".join(
                    name
                    if self._widths.widths[path].types[0].is_map
                    else f"{name}[..., None, None]"
                    for name, path in zip(inputs, join.inputs, strict=True)
                )

    def _activated(self, code: str, act: object) -> str:
        if isinstance(act, Name):
            return f"self.{act.name}({code})"
        return code if act == "none" else activation(ACTIVATIONS[str(act)], code)

    def _name(self, statements: list[_Statement]) -> dict[str, str]:
        """A local for every value; none is written over while it is still to be read."""
        last_use = {INPUT: -1}
        for index, statement in enumerate(statements):
            last_use |= dict.fromkeys(statement.reads, index)
        ends = [self._output, *(path for h in self._widths.heads for path in (h.at, self._end(h)))]
        last_use |= dict.fromkeys(ends, len(statements))
        ambiguous: set[str] = set()
        while True:
            locals_, clash = _assign(statements, last_use, ambiguous)
            if clash is None:
                return locals_
            ambiguous.add(clash)


def _assign(
    statements: list[_Statement], last_use: Mapping[str, int], ambiguous: set[str]
) -> tuple[dict[str, str], str | None]:
    """A local for every value, and a name that several branches want at one time, if there is one.

    Once a name is `ambiguous`, every branch of that name is called by its whole path.
    """
    locals_, holds = {INPUT: "x"}, {"x": INPUT}
    following = _following(statements)
    for index, statement in enumerate(statements):
        used = last_use.get(statement.gives, index)
        outlives = used > following[index]
        for name in _candidates(statement, ambiguous, outlives=outlives):
            if last_use.get(holds.get(name, ""), -1) <= index:
                break  # what it holds is read no more
            if statement.branch and name not in ambiguous:
                return locals_, name
        locals_[statement.gives], holds[name] = name, statement.gives
    return locals_, None


def _following(statements: list[_Statement]) -> list[int]:
    """For each statement the next one in its branch; past the end, if there is none."""
    following = [0] * len(statements)
    latest: dict[str, int] = {}
    for index in range(len(statements) - 1, -1, -1):
        branch = statements[index].branch
        following[index] = latest.get(branch, len(statements) + 1)
        latest[branch] = index
    return following


def _candidates(statement: _Statement, ambiguous: set[str], *, outlives: bool) -> Iterator[str]:
    """Names for a value, best first: its branch's, `x` on the trunk, then its own."""
    path = statement.gives.split(".")
    branch = statement.branch.split(".") if statement.branch else []
    if not outlives and branch:
        yield branch[-1] if branch[-1] not in ambiguous else "_".join(branch)
    elif not outlives:
        yield "x"
        yield "out"
    if path[-1] not in ambiguous:
        yield path[-1]
    name = "_".join(path)
    while True:
        yield name
        name += "_"


def _needed(statements: list[_Statement], outputs: set[str]) -> list[_Statement]:
    """The statements that some outputs depend on."""
    wanted = set(outputs)
    kept: list[_Statement] = []
    for statement in reversed(statements):
        if statement.gives in wanted:
            wanted.update(statement.reads)
            kept.append(statement)
    return kept[::-1]


def _of(head: Head, statements: list[_Statement]) -> list[_Statement]:
    return [statement for statement in statements if head.holds(statement.gives)]


def _paragraph_breaks(statements: list[_Statement]) -> frozenset[int]:
    """Before which statements a blank line stands: after joins, around branches of several."""
    branches = {statement.branch for statement in statements}
    keys = [_outermost(statement.branch, branches) for statement in statements]
    changes = [i for i, (one, other) in enumerate(pairwise(keys), 1) if one != other]
    bounds = [0, *changes, len(keys)]
    lengths = {start: end - start for start, end in pairwise(bounds)}
    return frozenset(
        start
        for before, start in pairwise(bounds[:-1])
        if statements[start - 1].is_join or lengths[before] > 1 or lengths[start] > 1
    )


def _outermost(branch: str, branches: set[str]) -> str:
    parts = branch.split(".")
    above = (".".join(parts[:length]) for length in range(1, len(parts) + 1))
    return next((path for path in above if path in branches), "")


def _scaled(name: str, scale: Value | Expr) -> str:
    if scale == 1 or isinstance(scale, str | tuple):
        return name
    stored: dict[str, Expr] = {own: Name(f"self.{own}") for own in names(scale)}
    code = literal(substitute(scale, stored))
    return f"({code}) * {name}" if " " in code else f"{code} * {name}"
