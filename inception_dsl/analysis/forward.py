"""The forward pass of every block as a plan: its statements in order, and the local of each value.

The Python emitter writes the plan down, and the memory analysis walks it, because a local keeps its
value alive until it is assigned anew. Both therefore describe the same program.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass

from inception_dsl.analysis.modules import (
    Holder,
    ModuleCall,
    build_module_tree,
    find_module_calls,
    has_module,
)
from inception_dsl.ir import INPUT, BlockDef, Head, Model, NodeDef, Path
from inception_dsl.ops import OPS

MANY = 3
"""Minimum number of values in a join that have names of their own, even where `x` would do."""


@dataclass(frozen=True, slots=True)
class Statement:
    """One assignment: the paths that it reads, and the path of the value that it gives."""

    reads: tuple[Path, ...]
    gives: Path
    branch: Path
    makes: ModuleCall | NodeDef

    @property
    def is_join(self) -> bool:
        """The forward pass computes the value itself, without a module."""
        return isinstance(self.makes, NodeDef)

    @property
    def name(self) -> Path:
        """The path that names the value: the module's, unless that is another step's."""
        match self.makes:
            case ModuleCall(path=path) if self.gives.is_below(path):
                return path
            case _:
                return self.gives


@dataclass(frozen=True, slots=True)
class ForwardPlan:
    """The forward pass of a block.

    Attributes:
        modules: the modules that it may call, by their names.
        trunk: the statements of inference.
        in_heads: the statements that training adds.
        called_heads: the statements of heads that are a single module; the return calls them.
        output: the path of the result of inference.
        head_outputs: the path of each head's result, by the head's name.
        locals: the local that holds each value, by the value's path.
        left_out: the steps that the module leaves out, with the paths that they read.
    """

    modules: Holder
    trunk: tuple[Statement, ...]
    in_heads: tuple[Statement, ...]
    called_heads: tuple[Statement, ...]
    output: str
    head_outputs: Mapping[str, str]
    locals: Mapping[str, str]
    left_out: Mapping[str, Path]

    def steps(self) -> Iterator[Path]:
        """Yield the paths of all steps that training runs."""
        for statement in (*self.trunk, *self.in_heads, *self.called_heads):
            match statement.makes:
                case ModuleCall(steps=steps):
                    yield from steps
                case NodeDef(path=path):
                    yield path


def plan_forward(model: Model) -> dict[str, ForwardPlan]:
    """Return the plan of every block of a model by its name; a last softmax is left to the loss."""
    plans = {block.name: _plan(block, (), {}) for block in model.blocks[:-1]}
    plans[model.network.name] = _plan(model.network, model.heads, _find_last_softmaxes(model))
    return plans


def _find_last_softmaxes(model: Model) -> dict[str, Path]:
    """Return the softmaxes that end the network or a head, with the paths that they read."""
    ends = {model.network.output, *(head.output for head in model.heads)}
    return {
        step.path: step.inputs[0]
        for step in model.network.body
        if isinstance(step, NodeDef) and OPS[step.op].is_left_to_loss and step.path in ends
    }


def _plan(block: BlockDef, heads: tuple[Head, ...], left_out: Mapping[str, Path]) -> ForwardPlan:
    modules = build_module_tree(block, heads, left_out)
    output = left_out.get(block.output, block.output)
    outputs: dict[str, str] = {head.path: left_out.get(head.output, head.output) for head in heads}
    statements = _needed(_list_statements(block, modules), {output, *outputs.values()})
    trunk: list[Statement] = []
    by_head: dict[str, list[Statement]] = {head.path: [] for head in heads}
    for statement in statements:
        by_head.get(statement.gives.first, trunk).append(statement)
    in_heads: list[Statement] = []
    called_heads: list[Statement] = []
    for inner in by_head.values():
        is_called = len(inner) == 1 and not inner[0].is_join
        (called_heads if is_called else in_heads).extend(inner)
    kept = [output, *(path for head in heads for path in (head.at, outputs[head.path]))]
    return ForwardPlan(
        modules=modules,
        trunk=tuple(trunk),
        in_heads=tuple(in_heads),
        called_heads=tuple(called_heads),
        output=output,
        head_outputs=outputs,
        locals=_name_locals([*trunk, *in_heads], kept),
        left_out=left_out,
    )


def _list_statements(block: BlockDef, modules: Holder) -> list[Statement]:
    """Return the calls of modules and the joins of a block, in the order of its steps."""
    order = {step.path: index for index, step in enumerate(block.body)}
    statements = [
        Statement((call.reads,), call.gives, call.branch, call)
        for call in find_module_calls(block, modules)
    ]
    statements += [
        Statement(step.inputs, step.path, step.branch, step)
        for step in block.body
        if isinstance(step, NodeDef) and not has_module(step)
    ]
    return sorted(statements, key=lambda statement: order[statement.gives])


def _needed(statements: list[Statement], outputs: set[str]) -> list[Statement]:
    """Return the statements that some outputs depend on."""
    wanted = set(outputs)
    needed: list[Statement] = []
    for statement in reversed(statements):
        if statement.gives in wanted:
            wanted.update(statement.reads)
            needed.append(statement)
    return needed[::-1]


def _name_locals(statements: list[Statement], kept: list[str]) -> dict[str, str]:
    """Return a local for every value; none is assigned anew while its value is still to be read.

    Args:
        kept: paths of values that are read once all statements have run.
    """
    last_use: dict[str, int] = {INPUT: -1}
    for index, statement in enumerate(statements):
        last_use |= dict.fromkeys(statement.reads, index)
    last_use |= dict.fromkeys(kept, len(statements))
    outliving = _find_outliving(statements, last_use)
    ambiguous: set[str] = set()
    while True:
        locals, clashes = _assign(statements, last_use, outliving, ambiguous)
        if not clashes:
            return locals
        ambiguous |= clashes


def _assign(
    statements: list[Statement],
    last_use: Mapping[str, int],
    outliving: Set[str],
    ambiguous: Set[str],
) -> tuple[dict[str, str], set[str]]:
    """Return a local for every value, and the names that several branches want at one time.

    Args:
        outliving: paths of values that are read after the next value of their branch is made.
        ambiguous: names that call for the whole path of each branch that has them.
    """
    locals: dict[str, str] = {INPUT: "x"}
    holds: dict[str, str] = {"x": INPUT}
    clashes: set[str] = set()
    for index, statement in enumerate(statements):
        for name in _candidates(statement, ambiguous, outlives=statement.gives in outliving):
            if last_use.get(holds.get(name, ""), -1) <= index:
                break  # its value is read no more
            if statement.branch and name not in ambiguous:
                clashes.add(name)
        locals[statement.gives], holds[name] = name, statement.gives
    return locals, clashes


def _find_outliving(statements: list[Statement], last_use: Mapping[str, int]) -> set[str]:
    """Return the values that are read after the next one of their branch, or by a wide join."""
    following = _find_following(statements)
    found: set[str] = {
        statement.gives
        for index, statement in enumerate(statements)
        if last_use.get(statement.gives, index) > following[index]
    }
    trunk = {statement.gives for statement in statements if not statement.branch}
    for statement in statements:
        if statement.is_join and len(statement.reads) >= MANY:
            found.update(trunk.intersection(statement.reads))
    return found


def _find_following(statements: list[Statement]) -> list[int]:
    """Return for each statement the next one of its branch; an index past the end if none is."""
    following = [0] * len(statements)
    latest: dict[str, int] = {}
    for index in range(len(statements) - 1, -1, -1):
        branch = statements[index].branch
        following[index] = latest.get(branch, len(statements) + 1)
        latest[branch] = index
    return following


def _candidates(statement: Statement, ambiguous: Set[str], *, outlives: bool) -> Iterator[str]:
    """Yield names for a value, best first: its branch's, `x` on the trunk, then its own."""
    names = statement.name.names
    branch = statement.branch.names
    if not outlives and branch:
        yield branch[-1] if branch[-1] not in ambiguous else "_".join(branch)
    elif not outlives:
        yield "x"
        yield "out"
    if names[-1] not in ambiguous:
        yield names[-1]
    name = "_".join(names)
    while True:
        yield name
        name += "_"
