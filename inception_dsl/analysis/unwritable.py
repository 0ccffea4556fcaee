"""Steps that the emitted class of their block cannot build.

One class serves all calls of a block. Its constructor takes the parameters of the block and, as
`in_channels`, the channels of its input (`left_channels`, `right_channels` of several). A step
that needs any other number cannot be written.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping, Sequence, Set
from decimal import Decimal
from typing import NamedTuple

from inception_dsl.analysis.widths import MAX_DIFFERING_COPIES, BlockWidths, Width, name_channels
from inception_dsl.bounds import MAX_OPERANDS
from inception_dsl.expr import Apply, Expr, Name, find_functions, find_names
from inception_dsl.ir import (
    BlockDef,
    CallDef,
    Model,
    Node,
    NodeDef,
    Origin,
    Path,
    StepDef,
    Value,
    walk_calls,
)
from inception_dsl.ops import OPS
from inception_dsl.ops.window import pads_itself
from inception_dsl.schedule import BY, is_schedule, is_written_once, write_copy
from inception_dsl.simplify import implies

MAX_TYPES = 4
"""Maximum number of input types that one reason lists."""

_MAX_DIFFERENT = 2
"""Maximum number of different copies of a step if a parameter sets the number of copies."""

_PLAIN = frozenset(["max", "min"])
"""The functions that a forward pass can call."""

_NO_CHANNELS = "no parameter tells the channels that `in` stands for"


_IN = Name("in")


class Unwritable(NamedTuple):
    """A step that the class of its block cannot build, and the reason.

    Attributes:
        block: the name of the block, and `step` the path of the step in it.
        is_in_network: whether the block is the whole network.
        paths: the values whose channels no expression gives.
        exprs: the expressions of the step that other values of parameters would change.
        is_absent: whether the step calls a block that nothing calls, as no condition holds.
    """

    block: str
    step: Path
    origin: Origin
    reason: str
    is_in_network: bool
    paths: tuple[Path, ...]
    exprs: tuple[Value | Expr, ...]
    is_absent: bool


class _Problem(NamedTuple):
    """A step that cannot be written, with the values and expressions for which it cannot."""

    step: StepDef
    reason: str
    paths: tuple[Path, ...] = ()
    exprs: tuple[Value | Expr, ...] = ()
    is_absent: bool = False


def find_unwritable(model: Model, widths: Mapping[str, BlockWidths]) -> list[Unwritable]:
    """Return the first step of each block that cannot be written, callees before callers."""
    unwritable: list[Unwritable] = []
    takes: dict[str, tuple[int, ...]] = {}
    padded = _find_padded(model)
    for block in model.blocks:
        examined = _Block(
            block,
            widths,
            takes,
            padded.get(block.name, frozenset()),
            is_network=block is model.network,
        )
        problem = next(examined.find_problems(), None)
        if problem is not None:
            unwritable.append(
                Unwritable(
                    block.name,
                    problem.step.path,
                    problem.step.origin,
                    problem.reason,
                    block is model.network,
                    problem.paths,
                    problem.exprs,
                    problem.is_absent,
                )
            )
        takes[block.name] = examined.list_taken_channels()
    return unwritable


def _find_padded(model: Model) -> dict[str, frozenset[str]]:
    """Return the paths of steps, by block, that a parameter gives TensorFlow's padding in a call.

    A layer that pads itself is of another class, which no argument can choose.
    """
    chosen = {
        block.name: {step.path for step in block.body if _takes_padding(step)}
        for block in model.blocks
        if block.params
    }
    if not any(chosen.values()):
        return {}
    found: dict[str, set[str]] = {}
    for call in walk_calls(model.root):
        for item in call.body:
            is_chosen = isinstance(item, Node) and item.path.step in chosen.get(call.block, ())
            if is_chosen and isinstance(item, Node) and pads_itself(item.attributes):
                found.setdefault(call.block, set()).add(item.path.step)
    return {name: frozenset(paths) for name, paths in found.items()}


def _takes_padding(step: StepDef) -> bool:
    return isinstance(step, NodeDef) and isinstance(step.attributes.get("pad"), Name)


def _is_uncalled(step: StepDef, called: Container[str]) -> bool:
    return isinstance(step, CallDef) and step.block not in called


class _Block:
    """The constructor of a block, as far as it decides which steps can be written.

    Args:
        widths: the widths of all blocks.
        takes: the indices of the inputs whose channels the class of each called block takes.
        padded: the paths of steps that a parameter gives TensorFlow's padding.
        is_network: whether nothing reads what the block returns.
    """

    def __init__(
        self,
        block: BlockDef,
        widths: Mapping[str, BlockWidths],
        takes: Mapping[str, tuple[int, ...]],
        padded: Set[str],
        *,
        is_network: bool,
    ) -> None:
        self._padded = padded
        self._block = block
        self._by_path: dict[Path | None, StepDef] = {step.path: step for step in block.body}
        self._is_network = is_network
        self._all_widths = widths
        self._steps = [
            step for step in block.body if step.reuses is None and not _is_uncalled(step, takes)
        ]
        self._chosen = [step for step in block.body if step.when is not None]
        self._joins = [
            step for step in block.body if isinstance(step, NodeDef) and OPS[step.op].join
        ]
        self._widths = widths[block.name]
        self._takes = takes
        self._numbers = {step.path: self._read_numbers(step) for step in self._steps}

    def list_taken_channels(self) -> tuple[int, ...]:
        """Return the indices of the inputs whose channels the constructor needs."""
        indices = {name: i for i, name in enumerate(map(name_channels, self._widths.inputs))}
        taken: set[int] = set()
        read = [
            value
            for step in self._steps
            for value in (*self._numbers[step.path], *self._read_channels(step))
        ]
        for value in (*read, *map(self._widths.read_condition, self._chosen)):
            if value is not None and not isinstance(value, int | str | tuple):
                taken.update(indices[name] for name in find_names(value) if name in indices)
        return tuple(sorted(taken))

    def find_problems(self) -> Iterator[_Problem]:
        """Yield each step that cannot be written, with the reason."""
        for step in self._find_computed():
            reason = "a forward pass computes no function: give the block a parameter for it"
            yield _Problem(step, reason)
        for step in self._chosen:
            condition = self._widths.read_condition(step)
            if condition is None:
                yield _Problem(step, _NO_CHANNELS, exprs=(_IN,))
            elif _is_uncalled(step, self._takes) and condition is not False:
                assert step.when is not None
                reason = "no call of its block is there, so nothing says what enters its class"
                yield _Problem(step, reason, exprs=(step.when,), is_absent=True)
        for step in self._find_hidden_ranks():
            assert step.when is not None
            reason = "a condition tells whether it gives a map or a vector"
            yield _Problem(step, reason, exprs=(step.when,))
        for join in self._joins:
            kinds = [{type.is_map for type in self._widths.widths[p].types} for p in join.inputs]
            if any(len(both) > 1 for both in kinds) and len(set(map(frozenset, kinds))) > 1:
                reason = "it gates a map in some calls of the block, and a vector in others"
                yield _Problem(join, reason)
        yield from filter(None, map(self._examine, self._steps))

    def _examine(self, step: StepDef) -> _Problem | None:
        """Return the reason why the constructor cannot make a step; None if it can."""
        if None in self._numbers[step.path]:
            return _Problem(step, _NO_CHANNELS, exprs=(_IN,))
        if reason := self._explain_schedule(step):
            return _Problem(step, reason)
        counted = (step.count or 0,)
        if None in self._read_channels(step):
            return _Problem(step, self._explain(step), step.inputs, counted)
        if step.path in self._padded:
            reason = "a parameter sets the padding `same_tf`, which needs another layer"
            return _Problem(step, reason)
        if self._differs(step):
            reason = (
                "a parameter sets the number of copies, whose input channels differ:"
                " no expression gives them"
            )
            return _Problem(step, reason, step.inputs, counted)
        return None

    def _find_hidden_ranks(self) -> Iterator[StepDef]:
        """Yield steps that give a vector for a map on a condition, where no call shows both.

        Layers that read both would be those for maps alone, or for vectors alone.
        """
        hidden: dict[Path, StepDef] = {}
        for step in self._block.body if self._chosen else ():
            for path in step.inputs:
                chosen = hidden.get(path)
                if chosen is None or chosen.when is None or implies(step.when, chosen.when):
                    continue
                yield chosen
            condition = self._widths.read_condition(step)
            if not isinstance(condition, bool) and self._hides_rank(step, hidden):
                hidden[step.path] = step
        if not self._is_network:
            yield from (hidden[path] for path in self._block.outputs.values() if path in hidden)

    def _hides_rank(self, step: StepDef, hidden: Mapping[Path, StepDef]) -> bool:
        """Tell whether a step may give a map or a vector, and all calls in the spec agree."""
        kinds = {type.is_map for type in self._widths.widths[step.path].types}
        if len(kinds) > 1 or step.otherwise is None:
            return False
        if isinstance(step, NodeDef):
            kinds |= {False} if OPS[step.op].gives_vectors else set()
        elif step.block in self._takes:
            called = self._all_widths[step.block]
            outputs = (called.widths[path] for path in called.outputs.values())
            kinds |= {type.is_map for width in outputs for type in width.types}
        given = self._find_given(step)
        kinds |= {type.is_map for type in self._widths.widths[given].types}
        return len(kinds) > 1 or given in hidden

    def _find_given(self, step: StepDef) -> Path:
        """Return the path of the value that a step gives where it is not there.

        Steps that are there only where this one is are not there either.
        """
        when, given = step.when, step.otherwise
        while when is not None and (outer := self._by_path.get(given)) is not None:
            if not implies(outer.when, when):
                break
            given = outer.otherwise
        assert given is not None
        return given

    def _explain_schedule(self, step: StepDef) -> str:
        """Explain why no loop can write arguments that change from copy to copy; empty if one can.

        A few copies are written one by one.
        """
        values = step.arguments.values() if isinstance(step, CallDef) else ()
        read = [self._widths.read(value, step.path) for value in values if is_schedule(value)]
        if not isinstance(step.count, int):
            return self._explain_counted_schedule(step, list(filter(is_schedule, read)))
        for value in filter(is_schedule, read):
            if write_copy(value, 0, step.count) is None:
                return "no call is there, and its arguments would have no value"
            if step.count > MAX_DIFFERING_COPIES and not is_written_once(value, step.count):
                return "its arguments change by a fraction that is too long"
        return ""

    def _explain_counted_schedule(self, step: StepDef, schedules: Sequence[Apply]) -> str:
        """Explain why a loop whose copies a parameter counts cannot write some arguments."""
        if any(value.function != BY for value in schedules):
            return (
                "a parameter sets the number of copies, whose arguments change from copy to copy:"
                " write `by` with the growth for `to`"
            )
        if not all(is_written_once(value, Name("n")) for value in schedules):
            return "its arguments change by a fraction that is too long"
        takes_channels = isinstance(step, CallDef) and self._takes[step.block]
        if schedules and takes_channels and not self._grows(step):
            (channels, *_) = self._widths.entering.get(step.path) or (None,)
            if channels is None or self._widths.widths[step.path].channels != channels:
                return (
                    "a parameter sets the number of copies, whose input channels and arguments"
                    " differ"
                )
        return ""

    def _find_computed(self) -> Iterator[StepDef]:
        """Yield the joins whose numbers the forward pass would compute by a function."""
        for step in self._joins:
            for value in step.attributes.values():
                if not isinstance(value, int | str | tuple) and find_functions(value) - _PLAIN:
                    yield step

    def _read_numbers(self, step: StepDef) -> list[Value | Expr | None]:
        """Return the attributes and the number of copies of a step that names can set.

        One that no expression gives is None.
        """
        values = step.attributes if isinstance(step, NodeDef) else step.arguments
        counted = () if step.count is None else (step.count,)
        return [
            self._widths.read(value, step.path)
            for value in (*values.values(), *counted)
            if not isinstance(value, int | Decimal | str | tuple)
        ]

    def _read_channels(self, step: StepDef) -> Sequence[Expr | None]:
        """Return the input channels of each copy of a step; None if no expression gives them.

        If the step has several inputs, these are the channels of each that its class takes.
        """
        if isinstance(step, NodeDef):
            taken: tuple[int, ...] = (0,) if OPS[step.op].state is not None else ()
        else:
            taken = self._takes[step.block]
        if not taken:
            return ()
        if self._grows(step):
            return (*self._widths.entering[step.path], self._widths.growth[step.path])
        if step.count is not None:
            return self._widths.entering.get(step.path) or (None,)
        return [self._widths.widths[step.inputs[index]].channels for index in taken]

    def _differs(self, step: StepDef) -> bool:
        """Tell whether a parameter counts the copies of a step, and more than the first differs."""
        if step.count is None or len(self._read_channels(step)) == 0 or self._grows(step):
            return False
        is_counted = not isinstance(self._widths.read(step.count, step.path), int)
        return is_counted and len(self._widths.entering.get(step.path, ())) > _MAX_DIFFERENT

    def _grows(self, step: StepDef) -> bool:
        return step.path in self._widths.growth

    def _find_input(self, step: StepDef) -> Width:
        """Return the width of the input whose channels no expression gives; else of the first."""
        widths = [self._widths.widths[path] for path in step.inputs]
        return next((width for width in widths if width.channels is None), widths[0])

    def _explain(self, step: StepDef) -> str:
        """Explain why no expression gives the channels of a step."""
        if self._find_input(step).is_too_long:
            return f"the expression of the input channels has more than {MAX_OPERANDS} operands"
        types = [str(type) for type in self._find_input(step).types]
        if len(types) == 1:
            return f"the input is {types[0]} here: no expression gives it for other parameters"
        more = [f"{len(types) - MAX_TYPES} more"] if len(types) > MAX_TYPES else []
        *first_types, last = [*types[:MAX_TYPES], *more]
        return f"no parameter tells whether the input is {', '.join(first_types)} or {last}"
