"""A network between its two stages: names and words are resolved, shapes are not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from inception_dsl.diagnostics import SpecError
from inception_dsl.ir import NETWORK, Bound, Claim, Head, Model, TensorType, Value
from inception_dsl.resolve.blocks import ReadBlock
from inception_dsl.resolve.causes import distinct
from inception_dsl.resolve.instantiate import Instantiator


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


@dataclass(frozen=True, slots=True)
class Template:
    """A network with its names and words resolved, and without shapes.

    Attributes:
        inputs: the types of its inputs, by name; a single one may have no name.
        blocks: every block, the network's own included.
        order: the blocks that are called, callees first.
        arguments: the values of the network's own parameters.
        file: the name of the spec's file, as findings show it.
        with_notes: the author's shape notes hold for this input and these arguments.
        max_nodes: the most nodes of a model.
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
    with_notes: bool
    max_nodes: int

    def instantiate(self, inputs: tuple[TensorType, ...] | None = None) -> Model:
        """Return the model at the network's own inputs, or at others without shape notes.

        Raises:
            SpecError: E003 too many nodes, edges or letters in a path, E106 for values, E3xx for
                shapes.
        """
        with_notes = self.with_notes and inputs is None
        instantiator = Instantiator(
            self.blocks, own_file=self.file, with_notes=with_notes, max_nodes=self.max_nodes
        )
        input_types = inputs or tuple(self.inputs.values())
        root = instantiator.network(NETWORK, self.arguments, input_types, self.heads)
        if instantiator.diagnostics:
            raise SpecError(distinct(instantiator.diagnostics))
        assert root is not None
        return Model(
            name=self.name,
            title=self.title,
            source=self.source,
            blocks=tuple(self.blocks[name].definition for name in self.order),
            root=root,
            heads=self.heads,
            budget=self.budget,
            claims=self.claims,
        )
