"""The work of an op: the kinds of computation that it runs, as tools that count name them.

A counting tool sees a network as layers of some kinds, and has a rule for each kind that it knows.
An op says here what its kinds are and how much there is to count; the rules of tools stand in
`analysis/conventions.py`. The norm and the activation at the end of an op are ops of their own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal, NamedTuple

from inception_dsl.ir import TensorType
from inception_dsl.ops.attribute import Values
from inception_dsl.ops.facts import Inputs

Amount = Literal[
    "macs",
    "macs_at_output",
    "biased",
    "flops",
    "read",
    "scaled",
    "made",
    "windowed",
    "rows",
    "learnt",
    "padded",
]
"""An amount that a rule of counting multiplies, an image:

* `macs`: multiply-accumulates of weights; `macs_at_output`: every weight at each place of the
  output, which are more for a transposed convolution.
* `biased`: values that a bias is added to.
* `flops`: floating-point operations without those of a bias, as this project counts them.
* `read`, `made`: values of the input, values of the output.
* `scaled`: values of the input, if a learnt scale multiplies them.
* `windowed`: values that all windows of a pool hold, padding included.
* `rows`: rows of values that a softmax adds up to one.
* `learnt`: learnt values of a norm or an activation.
* `padded`: values with the channels that a local response norm pads.
"""

Fact = Literal["groups", "filters", "conv_places", "is_by_factor"]
"""A fact of an op, from which a tool may count otherwise than by amounts:

* `groups`, `filters`: of a transposed convolution, its groups, and the filters of each.
* `conv_places`: the places of the output of a convolution with its stride.
* `is_by_factor`: 1 if the size of an upsampled map is written as a factor.
"""


class Work(NamedTuple):
    """Computation of one kind.

    Attributes:
        kind: the name of the layer that does it, in the words of the field: `max pool`.
        amounts: the amounts that do not follow from the op's cost and its types.
        facts: the facts of an op of this kind, by which some tools count otherwise.
    """

    kind: str
    amounts: Mapping[Amount, int] = {}
    facts: Mapping[Fact, int] = {}


WorkRule = Callable[[Values, Inputs, TensorType], tuple[Work, ...]]
"""The work of an op, from its attributes, its inputs and its output."""


def does(kind: str) -> WorkRule:
    """Return the rule of an op that is one layer, whose amounts follow from its cost and types."""
    work = (Work(kind),)

    def rule(values: Values, inputs: Inputs, output: TensorType) -> tuple[Work, ...]:
        return work

    return rule


def only_moves(values: Values, inputs: Inputs, output: TensorType) -> tuple[Work, ...]:
    """Return the work of an op that computes nothing in inference: it moves values, or keeps them.

    No tool counts it.
    """
    return ()
