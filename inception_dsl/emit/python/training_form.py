"""Write the parts that only a module in its form for training has.

That module has the network of a spec after exact rewrites. Two functions carry checkpoints between
it and the module beside it. Blocks may run again in the backward pass, which saves memory.
"""

from __future__ import annotations

import pathlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from inception_dsl.analysis import ModuleCall
from inception_dsl.analysis.modules import Holder
from inception_dsl.diagnostics import Diagnostic, SpecError
from inception_dsl.emit.python.code import (
    Assign,
    Atom,
    Code,
    Construct,
    Definition,
    Evaluate,
    Excerpt,
    Function,
    Parameter,
    Prefixed,
    Return,
    annotation,
    literal,
    local,
    symbol,
)
from inception_dsl.emit.python.excerpts import IMPORTED, all_excerpts, cut_definitions
from inception_dsl.ir import CallDef, StepDef

LOAD, SAVE, RECOMPUTE = "from_checkpoint", "to_checkpoint", "_recompute"
"""The functions that carry a checkpoint here and back, and the one that runs a block twice."""

EXTERNAL = frozenset(["Any", "Mapping", "checkpoint", "nullcontext"])
"""The names that such a module imports besides those of all modules."""

_LIST_PARTS = "_list_parts"
_TENSORS = annotation("dict[str, Tensor]", "dict", "Tensor")
_WIDTHS = annotation("dict[str, dict[str, int]]", "dict")


@dataclass(frozen=True, slots=True)
class TrainingForm:
    """A choice of what the module for training does besides computing the network.

    Attributes:
        parts: for each step or layer of this module, the steps or layers of the module beside it
            that it joins, each with its output channels; steps that both modules have are left out.
        recomputes: the blocks of the network run again in the backward pass.
    """

    parts: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    recomputes: bool = False

    def describe(self) -> Iterator[str]:
        """Yield the paragraphs of the module's docstring that are about this form."""
        yield (
            "In its form for training, with the values and the gradients of the module beside it:"
            f" `{LOAD}` takes the state_dict of that one, and `{SAVE}` gives it back."
        )
        if self.recomputes:
            yield "Training keeps the inputs of blocks, and runs them again in the backward pass."

    def define(self, network: str, factory: str) -> tuple[Definition, ...]:
        """Return the functions that carry checkpoints.

        Args:
            network: the name of the class.
            factory: the name of the function that makes it, which no function may hide.

        Raises:
            SpecError: E501, the network has the name of one of them.
        """
        if factory in (LOAD, SAVE):
            message = f"the function `{factory}` of the module would hide that of the network"
            raise SpecError([Diagnostic("E501", message, help="give the spec another name")])
        made, state = local("network"), local("state")
        parts = Construct(symbol(_LIST_PARTS))
        joined = Construct(symbol("_join_tensors"), (("", state), ("", parts)))
        whole = Construct(Atom("network.state_dict", frozenset(["network"])))
        divided = Construct(symbol("_divide_tensors"), (("", whole), ("", parts)))
        load = Construct(Atom("network.load_state_dict", frozenset(["network"])), (("", joined),))
        taken = annotation("Mapping[str, Tensor]", "Mapping", "Tensor")
        return (
            self._list_parts(),
            Function(
                LOAD,
                symbol(network),
                (Assign("network", Construct(symbol(network))), Evaluate(load), Return(made)),
                (Parameter("state", taken),),
                doc=(
                    f"Build the network from the state_dict of `{factory}`, the module beside it.",
                    "Raises a RuntimeError if a tensor is missing or unexpected.",
                ),
                is_method=False,
            ),
            Function(
                SAVE,
                _TENSORS,
                (Return(divided),),
                (Parameter("network", symbol(network)),),
                doc=(f"Return the state_dict that `{factory}`, the module beside it, would have.",),
                is_method=False,
            ),
        )

    def _list_parts(self) -> Function:
        """Return the function that lists the parts of joined steps."""
        steps = {
            step: _write_dict({part: literal(width) for part, width in widths.items()})
            for step, widths in self.parts.items()
        }
        doc = "Return the steps of the other module that a step is joined of, with their widths."
        body = (Return(_write_dict(steps)),)
        return Function(_LIST_PARTS, _WIDTHS, body, doc=(doc,), is_method=False)


def _write_dict(values: Mapping[str, Code]) -> Construct:
    """Return a dictionary as code."""
    entries = [Prefixed(value, f"{literal(key)}: ") for key, value in values.items()]
    return Construct(Atom(""), tuple(("", entry) for entry in entries), "{}")


def runs_blocks(call: ModuleCall) -> bool:
    """Tell whether a call of a module runs blocks, and not layers alone."""
    return _holds_blocks(call.module)


def _holds_blocks(module: Holder | StepDef) -> bool:
    if isinstance(module, Holder):
        return any(map(_holds_blocks, module.children.values()))
    return isinstance(module, CallDef)


def cut_training_helpers() -> tuple[Excerpt, ...]:
    """Return the definitions that only modules in this form need."""
    others = frozenset(excerpt.name for excerpt in all_excerpts())
    known = IMPORTED | others | EXTERNAL
    return cut_definitions(pathlib.Path(__file__).with_name("training_helpers.py"), known)
