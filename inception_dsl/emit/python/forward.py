"""The forward pass of a block: a paragraph a branch, a local named after it, shapes behind."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

from inception_dsl.analysis import BlockWidths, ForwardPlan, ModuleCall, Partition, Statement
from inception_dsl.emit.python import code as py
from inception_dsl.emit.python.code import (
    Assign,
    Atom,
    Blank,
    Block,
    Chained,
    Choice,
    Code,
    Construct,
    Return,
)
from inception_dsl.emit.python.shapes import shape_text
from inception_dsl.emit.python.small_classes import TENSOR, activate
from inception_dsl.emit.python.torch_table import EXTREMA, IN_FORWARD, activation_layer
from inception_dsl.emit.python.training_form import RECOMPUTE, runs_blocks
from inception_dsl.expr import Expr, Name, find_names
from inception_dsl.ir import NodeDef, Path
from inception_dsl.simplify import combine, substitute, total


class Forward:
    """The body of a block's forward pass.

    Args:
        outputs: the NamedTuple of several outputs; None for a single one.
        training: the NamedTuple that training returns; None without training heads.
        stored: by name, the attribute that holds a parameter which the pass reads.
        flags: by the path of a value, the attribute that tells whether the forward pass computes
            it; else it is what the step reads.
        recomputes: the backward pass runs blocks again.
    """

    def __init__(
        self,
        widths: BlockWidths,
        plan: ForwardPlan,
        outputs: str | None,
        training: str | None,
        stored: Mapping[str, str],
        flags: Mapping[str, str],
        *,
        recomputes: bool = False,
    ) -> None:
        self._flags, self._recomputes = flags, recomputes
        self._widths = widths
        self._outputs = outputs
        self._training = training
        self._returned = tuple(plan.outputs.values())
        self._bound = {plan.locals[path] for path in widths.inputs}
        self._plan = plan
        self._locals = plan.locals
        self._stored = stored

    def statements(self) -> Iterator[py.Statement]:
        """Yield the statements, the return included."""
        trunk = self._plan.trunk
        breaks = _paragraph_breaks(trunk) if trunk else frozenset()
        for index, statement in enumerate(trunk):
            if index in breaks:
                yield Blank()
            is_last = index == len(trunk) - 1 and statement.gives == self._returned
            if is_last and statement.is_join and not self._training and self._is_typed(statement):
                yield Return(self._code(statement), self._remark(statement.gives[0]))
                return
            yield from self._assign(statement)
        result = self._return()
        if self._training is None:
            yield result
            return
        yield Block(Atom("if not self.training", frozenset(["self"])), (result,))
        for statement in self._plan.in_heads:
            yield from self._assign(statement)
        yield self._return_heads(self._training)

    def _return(self) -> Return:
        """Return the end of inference: its only result, or the tuple of its results."""
        if self._outputs is None:
            return Return(py.local(self._locals[self._returned[0]]))
        arguments = tuple(
            (name, py.local(self._locals[path])) for name, path in self._plan.outputs.items()
        )
        return Return(Construct(py.symbol(self._outputs), arguments))

    def _assign(self, statement: Statement) -> Iterator[Assign]:
        if isinstance(statement.makes, Partition):
            yield from self._assign_slices(statement.makes)
            return
        target = ", ".join(self._locals[path] for path in statement.gives)
        is_first = target not in self._bound
        self._bound.add(target)
        # A module gives an untyped result. What is returned is declared a Tensor: as a parameter,
        # or where it is first assigned.
        is_returned = self._outputs is None and target == self._locals[self._returned[0]]
        is_declared = is_returned and is_first and not self._is_typed(statement)
        remark = ", ".join(map(self._remark, statement.gives))
        yield Assign(target, self._code(statement), TENSOR if is_declared else None, remark)

    def _assign_slices(self, partition: Partition) -> Iterator[Assign]:
        """Yield one assignment of several slices; one of each if they leave out channels."""
        targets = [self._locals[step.path] for step in partition.slices]
        remarks = [self._remark(step.path) for step in partition.slices]
        made = self._divide(partition)
        if made is None:
            for step, target, remark in zip(partition.slices, targets, remarks, strict=True):
                yield Assign(target, self._slice(step), None, remark)
            return
        remark = f"{remarks[0]} each" if len(set(remarks)) == 1 else ", ".join(remarks)
        yield Assign(", ".join(targets), made, None, remark)

    def _divide(self, partition: Partition) -> Code | None:
        """Return the code that makes all the slices; None if they leave out channels."""
        first = partition.slices[0]
        read = py.local(self._locals[first.inputs[0]])
        if partition.parts is not None:
            return Atom(f"{read}.chunk({partition.parts}, dim=1)", read.reads)
        widths = [self._number(step, "width") for step in partition.slices]
        if total(widths) != self._widths.widths[first.inputs[0]].channels:
            return None
        sizes = ", ".join(str(self._stored_number(width)) for width in widths)
        sizes = str(self._stored_number(widths[0])) if len(set(widths)) == 1 else f"[{sizes}]"
        reads = frozenset(["self"]) if any(map(find_names, widths)) else frozenset[str]()
        return Atom(f"{read}.split({sizes}, dim=1)", read.reads | reads)

    def _number(self, step: NodeDef, name: str) -> Expr:
        """Return an attribute of a step that is a number, without `in`."""
        value = self._widths.read(step.attributes[name], step.path)
        assert value is not None and not isinstance(value, str | tuple)
        return value

    def _stored_number(self, value: Expr) -> Atom:
        """Return a number as a forward pass reads it: its parameters are attributes."""
        read = find_names(value)
        stored: dict[str, Expr] = {param: Name(f"self.{self._stored[param]}") for param in read}
        text = str(py.literal(substitute(value, stored)))
        return Atom(text, frozenset(["self"]) if read else frozenset())

    def _remark(self, path: str) -> str:
        return shape_text(self._widths, path)

    def _code(self, statement: Statement) -> Code:
        made = statement.makes
        match made:
            case NodeDef():
                return self._compute(made)
            case ModuleCall():
                return self._call(made)
            case Partition():
                raise AssertionError(made)  # it has several values

    def _return_heads(self, outputs: str) -> Return:
        arguments: list[tuple[str, Code]] = [
            (name or "logits", py.local(self._locals[path]))
            for name, path in self._plan.outputs.items()
        ]
        remarks = [*map(self._remark, self._returned)]
        for head in self._widths.heads:
            output = self._plan.head_outputs[head.path]
            if output in self._locals:
                arguments.append((head.path, py.local(self._locals[output])))
            else:
                read = py.local(self._locals[head.at])
                arguments.append((head.path, Construct(py.attribute(head.path), (("", read),))))
            remarks.append(self._remark(output))
        return Return(Construct(py.symbol(outputs), tuple(arguments), remarks=tuple(remarks)))

    def _is_typed(self, statement: Statement) -> bool:
        """Tell whether torch declares the result a Tensor: its functions do."""
        made = statement.makes
        if not isinstance(made, NodeDef) or made.when is not None:
            return False
        act = made.attributes.get("act", "none")
        is_function = IN_FORWARD[made.op] in {"cat", "extremum"}
        return is_function or (isinstance(act, str) and act != "none")

    def _call(self, unit: ModuleCall) -> Code:
        arguments = tuple(("", py.local(self._locals[path])) for path in unit.reads)
        made = Construct(py.attribute(unit.path), arguments)
        if self._recomputes and runs_blocks(unit):
            block = ("", py.attribute(unit.path))
            made = Construct(py.symbol(RECOMPUTE), (block, *arguments))
        return self._choose(unit.gives[0], unit.when, made, unit.reads[0])

    def _choose(self, path: Path, when: Expr | None, made: Code, otherwise: Path) -> Code:
        """Return the code of a value, or its choice by a condition.

        Args:
            otherwise: the path of the value that stands for it where it is not computed.
        """
        condition = self._widths.decide(when, path)
        if condition is True:
            return made
        given = py.local(self._locals[otherwise])
        return given if condition is False else Choice(py.attribute(self._flags[path]), made, given)

    def _compute(self, step: NodeDef) -> Code:
        """Return the code of a step without a module, or its choice by a condition."""
        made = self._always(step)
        if step.otherwise is None:
            return made
        return self._choose(step.path, step.when, made, step.otherwise)

    def _always(self, step: NodeDef) -> Code:
        """Return the code of a step without a module: a join or a slice."""
        match IN_FORWARD[step.op]:
            case "index":
                return self._slice(step)
            case "cat":
                inputs = tuple(("", py.local(self._locals[path])) for path in step.inputs)
                tensors = Construct(Atom(""), inputs, brackets="[]")
                return Construct(py.symbol("torch.cat"), (("", tensors), ("dim", py.literal(1))))
            case "sum":
                *others, last = self._broadcast(step)
                added = _chain("+", (*others, self._scale(last, step)))
                return self._activate(added, step)
            case "product":
                return _chain("*", self._broadcast(step))
            case "extremum":
                first, *others = self._broadcast(step)
                return nest(py.symbol(EXTREMA[step.op]), first, others)

    def _slice(self, step: NodeDef) -> Atom:
        """Return some channels of a value: one of several parts, or a range."""
        read = py.local(self._locals[step.inputs[0]])
        if "part" in step.attributes:
            parts = self._stored_number(self._number(step, "of"))
            index = self._stored_number(combine("-", self._number(step, "part"), 1))
            text = f"{read}.chunk({parts}, dim=1)[{index}]"
            return Atom(text, read.reads | parts.reads | index.reads)
        first, width = self._number(step, "from"), self._number(step, "width")
        end = combine("+", first, width)
        bounds = [None if first == 0 else self._stored_number(first), self._stored_number(end)]
        if end == self._widths.widths[step.inputs[0]].channels:
            bounds[1] = None
        # A colon between names and numbers stands close; one beside anything else has blanks.
        is_simple = all(bound is None or str(bound).isdecimal() for bound in bounds)
        left, right = ("" if bound is None else str(bound) for bound in bounds)
        blank = "" if is_simple else " "
        text = f"{left}{blank if left else ''}:{blank if right else ''}{right}"
        reads = (bound.reads for bound in bounds if bound is not None)
        return Atom(f"{read}[:, {text}]", read.reads.union(*reads))

    def _broadcast(self, join: NodeDef) -> tuple[Atom, ...]:
        """Return the inputs of a sum or a product; a vector beside a map has 1x1 places."""
        inputs = [(py.local(self._locals[p]), self._widths.widths[p].types[0]) for p in join.inputs]
        has_map = any(type.is_map for _, type in inputs)
        return tuple(
            Atom(f"{name}[..., None, None]", name.reads) if has_map and not type.is_map else name
            for name, type in inputs
        )

    def _activate(self, code: Chained, step: NodeDef) -> Code:
        act = step.attributes["act"]
        if isinstance(act, Name):
            return Construct(py.attribute(self._stored[act.name]), (("", code),))
        if act == "none":
            return code
        return activate(activation_layer(step.attributes, 0), code)

    def _drop(self, name: Atom, join: NodeDef) -> Atom:
        """Return the last input of a sum, which training may drop."""
        if "drop_path" not in join.attributes:
            return name
        drop = self._stored_number(self._number(join, "drop_path"))
        text = f"_drop_path({name}, {drop}, self.training)"
        return Atom(text, name.reads | {"self"}, frozenset(["_drop_path"]))

    def _scale(self, input: Atom, join: NodeDef) -> Atom:
        name = self._drop(input, join)
        scale = self._number(join, "scale")
        if scale == 1:
            return name
        factor = self._stored_number(scale)
        text = f"({factor})" if " " in str(factor) else str(factor)
        return Atom(f"{text} * {name}", name.reads | factor.reads, name.uses)


def nest(function: Atom, first: Code, others: Sequence[Code]) -> Code:
    """Return the calls of a function of two values, from left to right."""
    for other in others:
        first = Construct(function, (("", first), ("", other)))
    return first


def _chain(operator: str, operands: tuple[Atom, ...]) -> Chained:
    return Chained((operator,) * (len(operands) - 1), operands)


def _paragraph_breaks(statements: Sequence[Statement]) -> frozenset[int]:
    """Return the statements that a blank line precedes: after joins, around longer branches."""
    branches: set[str] = {statement.branch for statement in statements}
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
    """Return the outermost branch that holds a branch."""
    from_outside = reversed([Path(branch), *Path(branch).parents])
    return next((path for path in from_outside if path in branches), "")
