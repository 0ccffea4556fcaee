"""One class from one block: what is called by whom, and its constructor from the tree of its paths.

The forward pass is `forward`'s.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby, pairwise

from inception_dsl.analysis import BlockWidths
from inception_dsl.analysis.widths import IN_CHANNELS
from inception_dsl.emit.python.layout import Code, Construct, Copies, layout, literal
from inception_dsl.emit.python.units import Units
from inception_dsl.expr import Expr, combine, names
from inception_dsl.ir import BlockDef, CallDef, NodeDef, Param, Value
from inception_dsl.ops import ACTIVATIONS, OPS, EmitError, Layer

Step = NodeDef | CallDef


@dataclass(frozen=True, slots=True)
class Unit:
    """Steps that one module runs: a step, the copies of one, or a chain of several.

    Attributes:
        path: where the module is.
        reads: the path of what enters it.
        gives: the path of its last step.
        branch: the branch that holds it.
        steps: the paths of its steps.
    """

    path: str
    reads: str
    gives: str
    branch: str
    steps: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ClassInfo:
    """What a caller writes to make a block: `Inception(192, c1=64, ...)`.

    Attributes:
        params: the annotation of each of the block's parameters.
        takes_in_channels: calls differ in the channels that come in, and the class asks for them.
    """

    name: str
    params: Mapping[str, str]
    takes_in_channels: bool


@dataclass(frozen=True, slots=True)
class Holder:
    """A name below which there are others."""

    path: str
    children: dict[str, Holder | Step]


class BlockModules:
    """The modules of a block: the statements that make them, and the units that a forward calls.

    Args:
        unsaid: paths of steps that the module leaves out, such as the last softmax.
    """

    def __init__(
        self,
        block: BlockDef,
        widths: BlockWidths,
        units: Units,
        classes: Mapping[str, ClassInfo],
        unsaid: frozenset[str],
    ) -> None:
        self._block = block
        self._widths = widths
        self._units = units
        self._classes = classes
        self._readers: dict[str, list[str]] = {block.output: [""]}
        for head in widths.heads:
            self._readers.setdefault(head.at, []).append("")
        for step in block.body:
            for path in step.inputs:
                self._readers.setdefault(path, []).append(step.path)
        self._by_name: dict[str, list[Step]] = {}
        for step in block.body:
            self._by_name.setdefault(step.path.partition(".")[0], []).append(step)
        self._tree = _tree(s for s in block.body if owns_module(s) and s.path not in unsaid)

    def statements(self) -> list[str]:
        """The lines of a constructor that make the modules."""
        lines: list[str] = []
        for name, child in self._tree.children.items():
            lines.extend(layout(f"self.{name} = ", self._code(child), depth=2))
        return lines

    def units(self) -> list[Unit]:
        """What a forward pass calls, its own modules before those that it calls again."""
        own = [unit for child in self._tree.children.values() for unit in self._below(child)]
        return [*own, *self._again(own)]

    def _again(self, own: list[Unit]) -> Iterator[Unit]:
        """The units that run once more, with the weights that they have."""
        first = {unit.steps[0]: unit for unit in own}
        steps = [step for step in self._block.body if step.reuses and has_module(step)]
        for index, step in enumerate(steps):
            unit = first.get(step.reuses or "")
            if unit is not None:  # what was copied follows as a whole
                last = steps[index + len(unit.steps) - 1]
                yield Unit(unit.path, step.inputs[0], last.path, last.branch, unit.steps)

    def _below(self, item: Holder | Step) -> Iterator[Unit]:
        if not isinstance(item, Holder):
            yield Unit(item.path, item.inputs[0], item.path, item.branch, (item.path,))
        elif (chain := self._chain(item)) is not None:
            steps = tuple(step.path for step in chain)
            yield Unit(item.path, chain[0].inputs[0], steps[-1], chain[-1].branch, steps)
        else:
            for child in item.children.values():
                yield from self._below(child)

    def _chain(self, holder: Holder) -> list[Step] | None:
        """The steps below a name, if each reads the one before and nothing else does."""
        prefix = f"{holder.path}."
        named = self._by_name[holder.path.partition(".")[0]]
        steps = [step for step in named if step.path.startswith(prefix)]
        if not all(owns_module(step) for step in steps):
            return None
        for step, following in pairwise(steps):
            is_next = following.inputs == (step.path,)
            if not is_next or self._readers.get(step.path) != [following.path]:
                return None
        return steps

    def _code(self, item: Holder | Step) -> Code:
        if not isinstance(item, Holder):
            return self._step(item)
        children = tuple((name, self._code(child)) for name, child in item.children.items())
        return Construct("chain" if self._chain(item) is not None else "branches", children)

    def _step(self, step: Step) -> Code:
        if step.count is None:
            return self._one(step, self._widths.widths[step.inputs[0]].channels)
        entering = self._widths.entering.get(step.path) or (None,)
        copies = [self._one(step, channels) for channels in entering]
        count = self._widths.read(step.count, step.path)
        assert count is not None and not isinstance(count, str | tuple)
        if isinstance(count, int):
            copies.extend(copies[-1:] * (count - len(copies)))
            parts = [part for code, run in groupby(copies) for part in _run(code, len(list(run)))]
        elif len(copies) <= 2:
            rest = combine("-", count, len(copies) - 1)
            parts = [*copies[:-1], Copies(copies[-1], literal(rest))]
        else:
            raise EmitError("a repeated step whose copies differ as often as a parameter says")
        return Construct("nn.Sequential", tuple(("", part) for part in parts))

    def _one(self, step: Step, channels: Expr | None) -> Code:
        if isinstance(step, NodeDef):
            return self._units.construct(step_layers(step, self._widths, channels))
        info = self._classes[step.block]
        arguments: list[tuple[str, Code]] = []
        if info.takes_in_channels:
            if channels is None:
                raise EmitError("a call whose channels no parameter tells")
            arguments.append(("", literal(channels)))
        for name, value in step.arguments.items():
            given = self._widths.read(value, step.path)
            assert given is not None
            arguments.append((name, argument(given, info.params[name])))
        return Construct(info.name, tuple(arguments))


def has_module(step: Step) -> bool:
    """A module runs the step; a join is said by the forward pass itself."""
    return isinstance(step, CallDef) or OPS[step.op].torch is not None


def owns_module(step: Step) -> bool:
    """A module runs the step, and it is the step's own."""
    return has_module(step) and step.reuses is None


def step_layers(step: NodeDef, widths: BlockWidths, channels: Expr | None) -> tuple[Layer, ...]:
    """The torch layers of a step on an input of so many channels.

    Raises:
        EmitError: it has none.
    """
    torch = OPS[step.op].torch
    assert torch is not None
    if channels is None:
        if "width" in step.attributes or step.op == "batchnorm":
            types = " and ".join(str(type) for type in widths.widths[step.inputs[0]].types)
            raise EmitError(f"a step that reads {types}, which no parameter tells apart")
        channels = 0
    attributes: dict[str, Value | Expr] = {}
    for name, value in step.attributes.items():
        given = widths.read(value, step.path)
        if given is None:
            raise EmitError("a width that reads `in`, which no parameter tells")
        attributes[name] = given
    return torch(attributes, channels)


def argument(value: Value | Expr, annotation: str) -> str:
    """A parameter's value as a call writes it."""
    if isinstance(value, str):
        return ACTIVATIONS.get(value, "nn.Identity")
    if annotation == "float" and isinstance(value, int):
        return f"{value}.0"
    return literal(value)


def param_code(param: Param, annotation: str) -> str:
    """A parameter as a constructor's head declares it."""
    if param.default is None:
        return f"{param.name}: {annotation}"
    return f"{param.name}: {annotation} = {argument(param.default, annotation)}"


def reads_in_channels(lines: list[str]) -> bool:
    """The statements of a constructor ask for the channels that enter."""
    return any(IN_CHANNELS in line for line in lines)


def forward_params(block: BlockDef) -> dict[str, bool]:
    """The parameters that a forward pass reads; true for activations."""
    found: dict[str, bool] = {}
    for step in block.body:
        if isinstance(step, NodeDef) and not has_module(step):
            for name, value in step.attributes.items():
                if not isinstance(value, str | tuple):
                    found.update(dict.fromkeys(sorted(names(value) - {"in"}), name == "act"))
    return found


def _tree(steps: Iterable[Step]) -> Holder:
    root = Holder("", {})
    for step in steps:
        holder = root
        *above, name = step.path.split(".")
        for depth, part in enumerate(above):
            path = ".".join(above[: depth + 1])
            child = holder.children.setdefault(part, Holder(path, {}))
            assert isinstance(child, Holder)
            holder = child
        holder.children[name] = step
    return root


def _run(code: Code, length: int) -> list[Code]:
    """Copies that are written alike; more than two are said once."""
    return [code] * length if length <= 2 else [Copies(code, str(length))]
