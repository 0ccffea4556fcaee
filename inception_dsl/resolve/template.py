"""A network between its two stages: names and words are resolved, shapes are not."""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, NamedTuple

from inception_dsl.diagnostics import Diagnostic, SpecError
from inception_dsl.ir import (
    INPUT,
    NETWORK,
    Bound,
    Call,
    Claim,
    Head,
    Model,
    Path,
    TensorType,
    Value,
    write_types,
)
from inception_dsl.resolve.blocks import ReadBlock
from inception_dsl.resolve.causes import drop_repeats
from inception_dsl.resolve.instantiate import Instantiator

if TYPE_CHECKING:
    from inception_dsl.ir.recipe import Recipe, Result


@dataclass(frozen=True, slots=True)
class Overrides:
    """The changes of a caller to a spec: `--input 331x331x3`, `--set num_classes=10`.

    Attributes:
        input: the shape of the only input, or of some inputs by name.
        from_python: whether a Python program gives them, in whose words a help is.
    """

    input: str | Mapping[str, str] | None = None
    params: Mapping[str, str] = field(default_factory=dict)
    from_python: bool = False

    def write_param(self, name: str, text: str) -> str:
        """Return a parameter with its value, as the caller writes it."""
        if not self.from_python:
            return f"--set {name}={text}"
        return f"{name}={text if text.lstrip('-')[:1].isdigit() else repr(text)}"

    def __bool__(self) -> bool:
        return self.input is not None or bool(self.params)


AS_WRITTEN = Overrides()


class Instantiation(NamedTuple):
    """A model at some inputs, and the warnings about it."""

    model: Model
    warnings: tuple[Diagnostic, ...] = ()


@dataclass(frozen=True, slots=True)
class Template:
    """A network with its names and words resolved, and without shapes.

    Attributes:
        inputs: the types of its inputs, by name; a single one may have no name.
        blocks: every block, the network's own included.
        order: the blocks that are called, callees first.
        arguments: the values of the network's own parameters.
        file: the name of the spec's file, as findings show it.
        is_resized: the caller gives another input than the spec's.
        with_notes: the author's shape notes hold for this input and these arguments.
        max_nodes: the most nodes of a model.
        warnings: findings about what is written, whatever the shapes.
        recipe: how its source trained it; None if the spec has no `training`.
        results: the errors that its sources report of the trained network.
        make_instantiator: what makes the instantiator of a model.
    """

    name: str
    title: str | None
    source: str | None
    inputs: Mapping[str, TensorType]
    blocks: Mapping[str, ReadBlock]
    order: tuple[str, ...]
    arguments: Mapping[str, Value]
    heads: tuple[Head, ...]
    budget: tuple[Bound, ...]
    claims: tuple[Claim, ...]
    file: str
    is_resized: bool
    with_notes: bool
    max_nodes: int
    warnings: tuple[Diagnostic, ...] = ()
    recipe: Recipe | None = None
    results: tuple[Result, ...] = ()
    make_instantiator: Callable[..., Instantiator] = Instantiator

    def instantiate(self, inputs: tuple[TensorType, ...] | None = None) -> Instantiation:
        """Return the model at the network's own inputs, or at others without shape notes.

        At inputs other than the spec's, a training head that cannot run is left out (W610).

        Raises:
            SpecError: E003 too many nodes, edges or letters in a path, E106 for values, E3xx for
                shapes.
        """
        with_notes = self.with_notes and inputs is None
        instantiator = self._instantiator(self.blocks, with_notes=with_notes)
        input_types = inputs or tuple(self.inputs.values())
        root = instantiator.network(NETWORK, self.arguments, input_types, self.heads)
        faults = instantiator.diagnostics
        if not faults:
            assert root is not None
            model = self._make_model(root, self.blocks, self.heads, instantiator.called)
            return Instantiation(model, self.warnings)
        idle = instantiator.find_idle_heads(self.heads)
        if (inputs is None and not self.is_resized) or not idle:
            raise SpecError(drop_repeats(faults))
        left_out = frozenset(head.path for head in idle)
        heads = tuple(head for head in self.heads if head.path not in left_out)
        blocks = _without_heads(self.blocks, left_out)
        instantiator = self._instantiator(blocks, with_notes=False)
        root = instantiator.network(NETWORK, self.arguments, input_types, heads)
        if instantiator.diagnostics:  # the fault is not in the heads alone
            raise SpecError(drop_repeats(instantiator.diagnostics))
        assert root is not None
        names = (path.relative_to(INPUT) for path in root.entries)
        shape = write_types(dict(zip(names, input_types, strict=True)))
        warning = _explain_idle(idle, shape, faults[0])
        model = self._make_model(root, blocks, heads, instantiator.called)
        return Instantiation(model, (*self.warnings, warning))

    def without_heads(self) -> Template:
        """Return the network without its training heads."""
        paths = frozenset(head.path for head in self.heads)
        return replace(self, blocks=_without_heads(self.blocks, paths), heads=())

    def _instantiator(self, blocks: Mapping[str, ReadBlock], *, with_notes: bool) -> Instantiator:
        return self.make_instantiator(
            blocks, own_file=self.file, with_notes=with_notes, max_nodes=self.max_nodes
        )

    def _make_model(
        self,
        root: Call,
        blocks: Mapping[str, ReadBlock],
        heads: tuple[Head, ...],
        called: Container[str],
    ) -> Model:
        # Heads that are left out may be all that calls a block, and conditions leave out calls.
        order = tuple(name for name in self.order if name in called)
        return Model(
            name=self.name,
            title=self.title,
            source=self.source,
            blocks=tuple(blocks[name].definition for name in order),
            root=root,
            heads=heads,
            budget=self.budget,
            claims=self.claims,
            recipe=self.recipe,
            results=self.results,
        )


def _without_heads(blocks: Mapping[str, ReadBlock], paths: frozenset[Path]) -> dict[str, ReadBlock]:
    """Return the blocks with a network that lacks the steps of some heads."""
    network = blocks[NETWORK]
    body = tuple(s for s in network.definition.body if s.path.first not in paths)
    return {
        **blocks,
        NETWORK: network._replace(definition=replace(network.definition, body=body), notes=()),
    }


def _explain_idle(heads: Sequence[Head], shape: str, fault: Diagnostic) -> Diagnostic:
    """Return W610 for heads that are left out.

    Args:
        shape: the inputs at which they cannot run.
        fault: the first fault of their steps.
    """
    names = ", ".join(f"`{head.path}`" for head in heads)
    is_one = len(heads) == 1
    message = f"the training head{'' if is_one else 's'} {names} cannot run at {shape}"
    message += f": {'it is' if is_one else 'they are'} left out"
    notes = (fault.message, "inference runs no training head")
    return Diagnostic("W610", message, fault.labels, notes, calls=fault.calls)
