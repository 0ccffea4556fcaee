"""The forward pass of every block as a plan: its statements in order, and the local of each value.

The Python emitter writes the plan down; the memory analysis walks it, since a local keeps its value
alive until it is written over. Both so speak of one and the same program.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from inception_dsl.analysis.modules import Holder, Unit, has_module, module_tree, units
from inception_dsl.ir import INPUT, BlockDef, Head, Model, NodeDef
from inception_dsl.ops import OPS

MANY = 3
"""A value that a join of so many reads has a name of its own, also where `x` would do."""


@dataclass(frozen=True, slots=True)
class Statement:
    """One assignment: the paths that it reads, and the path of the value that it gives."""

    reads: tuple[str, ...]
    gives: str
    branch: str
    makes: Unit | NodeDef

    @property
    def is_join(self) -> bool:
        """The pass says it itself, without a module."""
        return isinstance(self.makes, NodeDef)

    @property
    def name(self) -> str:
        """The path by which its value is called: its module's, if that is not another step's."""
        is_own = isinstance(self.makes, Unit) and self.gives.startswith(f"{self.makes.path}.")
        return self.makes.path if is_own else self.gives


@dataclass(frozen=True, slots=True)
class ForwardPlan:
    """What a block's forward pass does.

    Attributes:
        modules: the modules that it may call, by their names.
        trunk: the statements of inference.
        in_heads: those that training adds.
        called_heads: those of heads that are one module, called where outputs are put together.
        output: the path of the value that inference gives.
        head_outputs: by head, the path of what it gives.
        locals: the local that holds each value, by its path.
        unsaid: steps that the module leaves out, and what is read in their place.
    """

    modules: Holder
    trunk: tuple[Statement, ...]
    in_heads: tuple[Statement, ...]
    called_heads: tuple[Statement, ...]
    output: str
    head_outputs: Mapping[str, str]
    locals: Mapping[str, str]
    unsaid: Mapping[str, str]

    def steps(self) -> Iterator[str]:
        """The paths of all the steps that training runs."""
        for statement in (*self.trunk, *self.in_heads, *self.called_heads):
            match statement.makes:
                case Unit() as unit:
                    yield from unit.steps
                case NodeDef(path=path):
                    yield path


def plan_forward(model: Model) -> dict[str, ForwardPlan]:
    """The plan of every block of a model, by its name; a last softmax is left to the loss."""
    plans = {block.name: _plan(block, (), {}) for block in model.blocks[:-1]}
    plans[model.network.name] = _plan(model.network, model.heads, _last_softmaxes(model))
    return plans


def _last_softmaxes(model: Model) -> dict[str, str]:
    """Softmaxes that end the network or a head, and what they read: emitted code gives logits."""
    ends = {model.network.output, *(head.output for head in model.heads)}
    return {
        step.path: step.inputs[0]
        for step in model.network.body
        if isinstance(step, NodeDef) and OPS[step.op].is_left_to_loss and step.path in ends
    }


def _plan(block: BlockDef, heads: tuple[Head, ...], unsaid: Mapping[str, str]) -> ForwardPlan:
    modules = module_tree(block, heads, unsaid)
    output = unsaid.get(block.output, block.output)
    ends: dict[str, str] = {head.path: unsaid.get(head.output, head.output) for head in heads}
    order: dict[str, int] = {step.path: index for index, step in enumerate(block.body)}
    joins = [s for s in block.body if isinstance(s, NodeDef) and not has_module(s)]
    statements = [Statement((u.reads,), u.gives, u.branch, u) for u in units(block, modules)]
    statements.extend(Statement(j.inputs, j.path, j.branch, j) for j in joins)
    statements.sort(key=lambda statement: order[statement.gives])
    statements = _needed(statements, {output, *ends.values()})
    trunk = [s for s in statements if not any(head.holds(s.gives) for head in heads)]
    in_heads: list[Statement] = []
    called_heads: list[Statement] = []
    for head in heads:
        own = [statement for statement in statements if head.holds(statement.gives)]
        is_called = len(own) == 1 and not own[0].is_join
        (called_heads if is_called else in_heads).extend(own)
    kept = [output, *(path for head in heads for path in (head.at, ends[head.path]))]
    locals = _name([*trunk, *in_heads], kept)
    return ForwardPlan(
        modules,
        tuple(trunk),
        tuple(in_heads),
        tuple(called_heads),
        output,
        ends,
        locals,
        unsaid,
    )


def _needed(statements: list[Statement], outputs: set[str]) -> list[Statement]:
    """The statements that some outputs depend on."""
    wanted = set(outputs)
    kept: list[Statement] = []
    for statement in reversed(statements):
        if statement.gives in wanted:
            wanted.update(statement.reads)
            kept.append(statement)
    return kept[::-1]


def _name(statements: list[Statement], kept: list[str]) -> dict[str, str]:
    """A local for every value; none is written over while it is still to be read.

    Args:
        kept: paths of values that are read once all statements have run.
    """
    last_use: dict[str, int] = {INPUT: -1}
    for index, statement in enumerate(statements):
        last_use |= dict.fromkeys(statement.reads, index)
    last_use |= dict.fromkeys(kept, len(statements))
    ambiguous: set[str] = set()
    while True:
        locals, clash = _assign(statements, last_use, ambiguous)
        if clash is None:
            return locals
        ambiguous.add(clash)


def _assign(
    statements: list[Statement], last_use: Mapping[str, int], ambiguous: set[str]
) -> tuple[dict[str, str], str | None]:
    """A local for every value, and a name that several branches want at one time, if there is one.

    Once a name is `ambiguous`, every branch of that name is called by its whole path.
    """
    locals: dict[str, str] = {INPUT: "x"}
    holds: dict[str, str] = {"x": INPUT}
    following = _following(statements)
    gathered = {
        path
        for statement in statements
        if statement.is_join and len(statement.reads) >= MANY
        for path in statement.reads
    }
    for index, statement in enumerate(statements):
        used = last_use.get(statement.gives, index)
        is_one_of_many = not statement.branch and statement.gives in gathered
        outlives = used > following[index] or is_one_of_many
        for name in _candidates(statement, ambiguous, outlives=outlives):
            if last_use.get(holds.get(name, ""), -1) <= index:
                break  # what it holds is read no more
            if statement.branch and name not in ambiguous:
                return locals, name
        locals[statement.gives], holds[name] = name, statement.gives
    return locals, None


def _following(statements: list[Statement]) -> list[int]:
    """For each statement the next one in its branch; past the end, if there is none."""
    following = [0] * len(statements)
    latest: dict[str, int] = {}
    for index in range(len(statements) - 1, -1, -1):
        branch = statements[index].branch
        following[index] = latest.get(branch, len(statements) + 1)
        latest[branch] = index
    return following


def _candidates(statement: Statement, ambiguous: set[str], *, outlives: bool) -> Iterator[str]:
    """Names for a value, best first: its branch's, `x` on the trunk, then its own."""
    path = statement.name.split(".")
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
