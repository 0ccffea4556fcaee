"""The forward pass of a block: a paragraph a branch, a local named after it, shapes behind."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from inception_dsl.analysis import BlockWidths, ForwardPlan, Statement, Unit
from inception_dsl.emit.python.layout import Chained, Code, Construct, layout, literal
from inception_dsl.emit.python.shapes import shape_text
from inception_dsl.emit.python.torch_table import FUNCTIONS, JOINS, activation_class
from inception_dsl.expr import Expr, Name, names, substitute
from inception_dsl.ir import NodeDef, Value

_DEPTH = 2


class Forward:
    """The body of a block's forward pass.

    Args:
        outputs: the NamedTuple that training returns; None without training heads.
    """

    def __init__(self, widths: BlockWidths, plan: ForwardPlan, outputs: str | None) -> None:
        self._widths = widths
        self._outputs = outputs
        self._plan = plan
        self._locals = plan.locals

    def lines(self) -> list[str]:
        """The statements, the return included."""
        if not self._plan.trunk:
            return [f"        return {self._locals[self._plan.output]}"]
        lines: list[str] = []
        breaks = _paragraph_breaks(self._plan.trunk)
        for index, statement in enumerate(self._plan.trunk):
            if index in breaks:
                lines.append("")
            is_last = index == len(self._plan.trunk) - 1 and statement.gives == self._plan.output
            if is_last and statement.is_join and not self._outputs and self._is_typed(statement):
                return [*lines, *self._written("return ", statement)]
            lines.extend(self._assigned(statement))
        result = self._locals[self._plan.output]
        if self._outputs is None:
            return [*lines, f"        return {result}"]
        lines.extend(["        if not self.training:", f"            return {result}"])
        for statement in self._plan.in_heads:
            lines.extend(self._assigned(statement))
        return [*lines, *self._returned(self._outputs, result)]

    def _assigned(self, statement: Statement) -> list[str]:
        local = self._locals[statement.gives]
        returned = statement.gives == self._plan.output and local != "x"
        # What a module gives is untyped; `x` is declared a Tensor, and other results are here.
        annotation = ": Tensor" if returned and not self._is_typed(statement) else ""
        return self._written(f"{local}{annotation} = ", statement)

    def _written(self, before: str, statement: Statement) -> list[str]:
        made = statement.makes
        code = self._join(made) if isinstance(made, NodeDef) else self._call(made)
        remark = shape_text(self._widths, statement.gives)
        return layout(before, code, depth=_DEPTH, remark=remark)

    def _returned(self, outputs: str, result: str) -> list[str]:
        arguments: list[tuple[str, Code]] = [("logits", result)]
        remarks = [""]
        for head in self._widths.heads:
            own = self._plan.head_outputs[head.path]
            if own in self._locals:
                arguments.append((head.path, self._locals[own]))
            else:
                read = self._locals[head.at]
                arguments.append((head.path, Construct(f"self.{head.path}", (("", read),))))
            remarks.append(shape_text(self._widths, own))
        code = Construct(outputs, tuple(arguments), remarks=tuple(remarks))
        return layout("return ", code, depth=_DEPTH)

    def _is_typed(self, statement: Statement) -> bool:
        """Functions of torch say that they give a Tensor; modules and sums do not."""
        made = statement.makes
        if not isinstance(made, NodeDef):
            return False
        act = made.attributes.get("act", "none")
        return JOINS[made.op] == "cat" or (isinstance(act, str) and act != "none")

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
        match JOINS[join.op]:
            case "cat":
                tensors = Construct("", tuple(("", name) for name in inputs), brackets="[]")
                return Construct("torch.cat", (("", tensors), ("dim", "1")))
            case "sum":
                *others, last = inputs
                scaled = _scaled(last, join.attributes["scale"])
                added = Chained("+", (*others, scaled))
                return self._activated(added, join.attributes["act"])
            case "product":
                is_map = [self._widths.widths[path].types[0].is_map for path in join.inputs]
                gates = [any(is_map) and not own for own in is_map]
                pairs = zip(inputs, gates, strict=True)
                factors = (f"{name}[..., None, None]" if gate else name for name, gate in pairs)
                return Chained("*", tuple(factors))

    def _activated(self, code: Chained, act: object) -> Code:
        if isinstance(act, Name):
            return Construct(f"self.{act.name}", (("", code),))
        if act == "none":
            return code
        return Construct(FUNCTIONS[activation_class(str(act))], (("", code),))


def _paragraph_breaks(statements: Sequence[Statement]) -> frozenset[int]:
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
