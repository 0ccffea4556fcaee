"""The forward pass of every block as a plan: its statements in order, and the local of each value.

The Python emitter prints the plan and the memory analysis runs it, so both describe the same
program. Memory depends on the locals, since each keeps its value alive until its next assignment.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Set
from dataclasses import dataclass
from itertools import accumulate, chain, repeat
from typing import NamedTuple

from inception_dsl.analysis.modules import (
    Holder,
    ModuleCall,
    build_module_tree,
    find_module_calls,
    has_module,
)
from inception_dsl.expr import Expr
from inception_dsl.ir import INPUT, BlockDef, Head, Model, NodeDef, Path
from inception_dsl.ops import OPS
from inception_dsl.simplify import combine

MANY = 3
"""Minimum number of inputs at which a join's inputs on the trunk have names instead of `x`."""


class Partition(NamedTuple):
    """Slices that take the channels of one value in order, each from where the last one ends.

    Attributes:
        parts: the number of equal parts, which are all there; None for ranges of channels.
    """

    slices: tuple[NodeDef, ...]
    parts: int | None


class Statement(NamedTuple):
    """An assignment of a forward pass.

    Attributes:
        reads: the paths of the values that it reads.
        gives: the paths of the values that it assigns: one, the outputs of a call, or slices.
        branch: the path of the branch that holds it.
        makes: the module call, the join, the slice or the slices that compute the value.
    """

    reads: tuple[Path, ...]
    gives: tuple[Path, ...]
    branch: Path
    makes: ModuleCall | NodeDef | Partition

    @property
    def is_join(self) -> bool:
        """True if the forward pass computes the value itself, of several others."""
        return isinstance(self.makes, NodeDef) and OPS[self.makes.op].join is not None

    @property
    def name(self) -> Path:
        """The path that names its only value.

        That of the module if the value lies below it; that of the named body that a join ends.
        """
        (value,) = self.gives
        match self.makes:
            case ModuleCall(path=path) if value.is_below(path):
                return path
            case NodeDef() if self.is_join and value.parent.is_below(self.branch):
                return value.parent
            case _:
                return value


@dataclass(frozen=True, slots=True)
class ForwardPlan:
    """The forward pass of a block.

    Attributes:
        modules: the tree of the modules.
        trunk: the statements of inference.
        in_heads: the statements that training adds.
        called_heads: the calls of heads that are a single module, made in the return statement.
        outputs: the path of each result of inference, by its name; a single one has no name.
        head_outputs: the path of each head's result, by the head's name.
        locals: the local that holds each value, by the value's path.
        left_out: the path of each step that the module leaves out, with the path that it reads.
    """

    modules: Holder
    trunk: tuple[Statement, ...]
    in_heads: tuple[Statement, ...]
    called_heads: tuple[Statement, ...]
    outputs: Mapping[str, Path]
    head_outputs: Mapping[str, Path]
    locals: Mapping[str, str]
    left_out: Mapping[str, Path]

    @property
    def output(self) -> Path:
        """The path of the only result of inference."""
        (output,) = self.outputs.values()
        return output

    def list_steps(self) -> Iterator[Path]:
        """Yield the paths of all steps that training runs."""
        for statement in (*self.trunk, *self.in_heads, *self.called_heads):
            match statement.makes:
                case ModuleCall(steps=steps):
                    yield from steps
                case NodeDef(path=path):
                    yield path
                case Partition(slices=slices):
                    yield from (step.path for step in slices)


def plan_forward(model: Model) -> dict[str, ForwardPlan]:
    """Plan the forward pass of every block, by its name; the loss computes a last softmax."""
    plans = {block.name: _plan(block, (), {}) for block in model.blocks[:-1]}
    plans[model.network.name] = _plan(model.network, model.heads, _find_last_softmaxes(model))
    return plans


def _find_last_softmaxes(model: Model) -> dict[str, Path]:
    """Return the softmaxes that end the network or a head, with the paths that they read.

    Several outputs are all returned as their author names them.
    """
    outputs = list(model.network.outputs.values())
    ends = {*(outputs if len(outputs) == 1 else ()), *(head.output for head in model.heads)}
    return {
        step.path: step.inputs[0]
        for step in model.network.body
        if isinstance(step, NodeDef) and OPS[step.op].is_left_to_loss and step.path in ends
    }


def _plan(block: BlockDef, heads: tuple[Head, ...], left_out: Mapping[str, Path]) -> ForwardPlan:
    modules = build_module_tree(block, heads, left_out)
    outputs = {name: left_out.get(path, path) for name, path in block.outputs.items()}
    head_outputs: dict[str, Path] = {
        head.path: left_out.get(head.output, head.output) for head in heads
    }
    statements = _select_needed(
        _list_statements(block, modules), {*outputs.values(), *head_outputs.values()}
    )
    trunk: list[Statement] = []
    by_head: dict[str, list[Statement]] = {head.path: [] for head in heads}
    for statement in statements:
        by_head.get(statement.gives[0].first, trunk).append(statement)
    in_heads: list[Statement] = []
    called_heads: list[Statement] = []
    # The only result of a forward pass is declared a Tensor, which one of several slices cannot be.
    alone = outputs.values() if len(outputs) == 1 else ()
    trunk = _gather_slices(trunk, alone)
    for inner in (_gather_slices(inner, alone) for inner in by_head.values()):
        is_called = len(inner) == 1 and isinstance(inner[0].makes, ModuleCall)
        (called_heads if is_called else in_heads).extend(inner)
    kept = [path for head in heads for path in (head.at, head_outputs[head.path])]
    return ForwardPlan(
        modules=modules,
        trunk=tuple(trunk),
        in_heads=tuple(in_heads),
        called_heads=tuple(called_heads),
        outputs=outputs,
        head_outputs=head_outputs,
        locals=_name_locals(block.inputs, [*trunk, *in_heads], [*outputs.values(), *kept]),
        left_out=left_out,
    )


def _list_statements(block: BlockDef, modules: Holder) -> list[Statement]:
    """Return the calls of modules and the joins of a block, in the order of its steps."""
    order = {path: index for index, step in enumerate(block.body) for path in step.gives}
    statements = [
        Statement(call.reads, call.gives, call.branch, call)
        for call in find_module_calls(block, modules)
    ]
    statements += [
        Statement(step.reads, step.gives, step.branch, step)
        for step in block.body
        if isinstance(step, NodeDef) and not has_module(step)
    ]
    return sorted(statements, key=lambda statement: order[statement.gives[0]])


def _gather_slices(statements: list[Statement], alone: Collection[Path]) -> list[Statement]:
    """Return the statements, those slices as one that take the channels of a value in order.

    Args:
        alone: the paths of values that have a statement of their own.
    """
    by_input: dict[Path, list[NodeDef]] = {}
    for statement in statements:
        made_by = statement.makes
        if isinstance(made_by, NodeDef) and not statement.is_join and made_by.when is None:
            by_input.setdefault(statement.reads[0], []).append(made_by)
    gathered: dict[Path, Statement | None] = {}
    for read, slices in by_input.items():
        made = _find_partition(slices)
        if made is not None and not any(step.path in alone for step in slices):
            branches = {step.branch for step in slices}
            branch = slices[0].branch if len(branches) == 1 else slices[0].branch.parent
            gives = tuple(step.path for step in made.slices)
            gathered |= dict.fromkeys(gives)
            gathered[slices[0].path] = Statement((read,), gives, branch, made)
    found = (gathered.get(statement.gives[0], statement) for statement in statements)
    return [statement for statement in found if statement is not None]


def _find_partition(slices: list[NodeDef]) -> Partition | None:
    """Return the slices of one value as a partition; None if they do not follow one another."""
    if len(slices) == 1:
        return None
    parts = {step.attributes.get("of") for step in slices}
    if None not in parts:
        by_part = {step.attributes["part"]: step for step in slices}
        if parts != {len(slices)} or by_part.keys() != {*range(1, len(slices) + 1)}:
            return None
        return Partition(tuple(by_part[n] for n in range(1, len(slices) + 1)), len(slices))
    end: Expr = 0
    for step in slices:
        start, width = step.attributes.get("from"), step.attributes.get("width")
        if start != end or width is None or isinstance(width, str | tuple):
            return None
        end = combine("+", end, width)
    return Partition(tuple(slices), None)


def _select_needed(statements: list[Statement], outputs: set[str]) -> list[Statement]:
    """Select the statements that some outputs depend on."""
    wanted = set(outputs)
    selected: list[Statement] = []
    for statement in reversed(statements):
        if not wanted.isdisjoint(statement.gives):
            wanted.update(statement.reads)
            selected.append(statement)
    return selected[::-1]


def _name_locals(
    inputs: tuple[Path, ...], statements: list[Statement], kept: list[Path]
) -> dict[str, str]:
    """Choose a local for every value, so that none loses its value before the last read.

    Args:
        inputs: the paths of the block's inputs, which its forward pass takes.
        kept: the paths of the values that are read after all statements.
    """
    last_use: dict[str, int] = dict.fromkeys(inputs, -1)
    for index, statement in enumerate(statements):
        last_use |= dict.fromkeys(statement.reads, index)
    last_use |= dict.fromkeys(kept, len(statements))
    outliving = _find_outliving(statements, last_use)
    ambiguous: set[str] = set()
    while True:
        locals, clashes = _assign(inputs, statements, last_use, outliving, ambiguous)
        if not clashes:
            return locals
        ambiguous |= clashes


def _assign(
    inputs: tuple[Path, ...],
    statements: list[Statement],
    last_use: Mapping[str, int],
    outliving: Set[str],
    ambiguous: Set[str],
) -> tuple[dict[str, str], set[str]]:
    """Choose a local for every value, and find the names that two branches need at once.

    Args:
        last_use: the index of the last statement that reads each value.
        outliving: the paths of the values that are read after the next value of their branch.
        ambiguous: the names that several branches have; a local then has the whole branch path.
    """
    locals: dict[str, str] = {path: "x" if path == INPUT else path.name for path in inputs}
    holds: dict[str, str] = {name: path for path, name in locals.items()}
    clashes: set[str] = set()
    for index, statement in enumerate(statements):
        if len(statement.gives) > 1:
            for path, wanted in zip(statement.gives, _list_outputs(statement), strict=True):
                name = _name_output(path, wanted, index, holds, last_use)
                locals[path], holds[name] = name, path
            continue
        (value,) = statement.gives
        for name in _list_candidates(statement, ambiguous, outlives=value in outliving):
            if last_use.get(holds.get(name, ""), -1) <= index:
                break  # no later statement reads the value that it holds
            if statement.branch and name not in ambiguous:
                clashes.add(name)
        locals[value], holds[name] = name, value
    return locals, clashes


def _list_outputs(statement: Statement) -> list[str]:
    """Return the best names for the values of a statement: of slices, those of their branches."""
    if not isinstance(statement.makes, Partition):
        return [path.name for path in statement.gives]
    return [
        step.branch.name if step.branch != statement.branch else step.path.name
        for step in statement.makes.slices
    ]


def _name_output(
    path: Path, wanted: str, index: int, holds: Mapping[str, str], last_use: Mapping[str, int]
) -> str:
    """Choose a local for one of several values of a statement: the best name, or its whole path.

    Args:
        index: the index of the statement that calls.
        holds: the path of the value that each local holds.
    """
    if path not in last_use:
        return "_"
    names = chain([wanted], accumulate(repeat("_"), initial="_".join(path.names)))
    return next(name for name in names if last_use.get(holds.get(name, ""), -1) < index)


def _find_outliving(statements: list[Statement], last_use: Mapping[str, int]) -> set[str]:
    """Find the values that are read after the next one of their branch, or by a wide join."""
    following = _find_following(statements)
    outliving: set[str] = {
        path
        for index, statement in enumerate(statements)
        for path in statement.gives
        if last_use.get(path, index) > following[index]
    }
    trunk = {path for statement in statements if not statement.branch for path in statement.gives}
    for statement in statements:
        if statement.is_join and len(statement.reads) >= MANY:
            outliving.update(trunk.intersection(statement.reads))
    return outliving


def _find_following(statements: list[Statement]) -> list[int]:
    """Return the index of the next statement of each statement's branch; past the end if none."""
    following = [0] * len(statements)
    latest: dict[str, int] = {}
    for index in range(len(statements) - 1, -1, -1):
        branch = statements[index].branch
        following[index] = latest.get(branch, len(statements) + 1)
        latest[branch] = index
    return following


def _list_candidates(statement: Statement, ambiguous: Set[str], *, outlives: bool) -> Iterator[str]:
    """Yield names for a value, the best first: its branch, `x` on the trunk, then its path."""
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
