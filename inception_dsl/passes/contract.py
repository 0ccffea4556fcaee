"""The contract of a pass: a model in, proposals of rewrites out, all of it frozen data.

A proposal says what would take the place of some nodes, which weights the new nodes get, and how an
author would write it. A pass changes nothing and writes nothing: `passes.apply` makes the new
model, and whoever owns a text edits it. A pass for a target that has no text leaves `edit` out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from inception_dsl.analysis.dense import Inference, Kernel, Savings, WrittenStep
from inception_dsl.expr import Expr
from inception_dsl.ir import Model, Node, Path, Value
from inception_dsl.ir.weights import Recipe, WeightPlan
from inception_dsl.source import Span


@dataclass(frozen=True, slots=True)
class Swap:
    """Some nodes of a graph, and those that take their place, where the first of the old ones runs.

    Attributes:
        new: in order; each reads the nodes before it, or what the old ones read.
        gives: the path of the value that stands for the value of each old node, by its path.
        recipes: the recipe of tensors by their new keys, or the reason why one begins fresh. Every
            tensor of the new nodes has an entry; other nodes keep theirs unless they have one.
    """

    old: tuple[Node, ...]
    new: tuple[Node, ...]
    gives: Mapping[Path, Path]
    recipes: Mapping[str, Recipe | str]


@dataclass(frozen=True, slots=True)
class Divide:
    """An edit that writes a step as several, one after the other.

    Attributes:
        kernels: the kernel of each part.
        inner: the width of all parts but the last; None for the width that the step has.
        taken: the names that stand beside the step, so that a part cannot have them.
        pads: the padding of each part; empty if each has that of the step.
    """

    kernels: tuple[Kernel, ...]
    inner: Expr | None
    taken: frozenset[str]
    pads: tuple[Value, ...] = ()


@dataclass(frozen=True, slots=True)
class DropBias:
    """An edit that switches the bias of a step off."""


@dataclass(frozen=True, slots=True)
class DropStep:
    """An edit that takes a step out of its list."""


@dataclass(frozen=True, slots=True)
class MoveBehind:
    """An edit that writes a step behind the one that follows it in its list."""


@dataclass(frozen=True, slots=True)
class PoolBehind:
    """An edit that writes a pool behind the convolution that follows it in its list.

    Attributes:
        behind: the ops that take the place of the norm and the activation of the convolution, as
            they are written; they stand behind the pool. Without any, it has neither.
        has_bias: the convolution has a bias.
    """

    behind: tuple[str, ...]
    has_bias: bool


@dataclass(frozen=True, slots=True)
class Reduction:
    """An edit that writes a convolution with a stride and a pool side by side, and joins both.

    They take the place of the steps of the proposal, and have the name of the last of them.

    Attributes:
        width: the channels of the convolution.
        stride: its stride, one number or two.
        pad: its padding; None for the padding of the step which it is written like.
        kernel: its kernel.
        like: the text of the convolution whose other words it has.
        reduced: a 1x1 convolution of the same width comes before it.
        out: the type behind the join, which a shape note of the last step becomes.
    """

    width: int
    stride: Value
    pad: Value | None
    kernel: Kernel
    like: Span
    reduced: bool
    out: str


@dataclass(frozen=True, slots=True)
class Merge:
    """An edit that writes one step before a join, in whose branches slices replace the steps.

    Attributes:
        name: the name of that step.
        slices: the name of each slice; None for one that may be counted.
    """

    name: str
    slices: tuple[str | None, ...]


Edit = Divide | DropBias | DropStep | Merge | MoveBehind | PoolBehind | Reduction
"""A change of the lines of a proposal, as the author of a spec would make it."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """A rewrite that a pass proposes.

    Attributes:
        code: the code of the hint that names it.
        steps: the lines that it changes, each with the nodes that the line wrote.
        what: the change in words.
        swaps: the change of the graph.
        edit: the change of a spec's text; None if no text can say it.
        savings: the difference that it makes to the costs of the network.
        refusal: the reason that speaks against it from the start; empty if none does.
        better: the code of another pass that saves as much or more there. If both run, the line is
            left to that one.
        is_exact: every value and every gradient stays what it was, for the weights of the plan.
            Another rewrite gives another function, which is trained anew.
        is_asked_for: it is made only where its code is named.
        keeps_fields: all other steps see the pixels that they saw before.
        is_left_out: it is one step of a change that others make without it; `refusal` says why.
    """

    code: str
    steps: tuple[WrittenStep, ...]
    what: str
    swaps: tuple[Swap, ...]
    edit: Edit | None
    savings: Savings
    refusal: str = ""
    better: str = ""
    is_exact: bool = False
    is_asked_for: bool = False
    keeps_fields: bool = True
    is_left_out: bool = False

    @property
    def path(self) -> Path:
        """The path of the first node."""
        return self.steps[0].nodes[0].path

    @property
    def paths(self) -> frozenset[Path]:
        """The paths of all nodes that it changes."""
        return frozenset(node.path for step in self.steps for node in step.nodes)


@dataclass(frozen=True, slots=True)
class Pass:
    """A kind of rewrite.

    Attributes:
        code: the code of the hint that names its cases.
        propose: yields the proposals for a model, whose inference is given.
        is_asked_for: it runs only where its code is named, since it saves nothing that is counted.
    """

    code: str
    propose: Callable[[Model, Inference], Iterator[Proposal]]
    is_asked_for: bool = False


@dataclass(frozen=True, slots=True)
class LogEntry:
    """A rewrite that was made or refused.

    Attributes:
        places: the number of nodes that its first line writes.
        refusal: the reason against it; empty if it was made.
        error: the code of the first error that the new text would have, if that is the reason.
        is_exact: every value and every gradient stays, if it was made.
        paths: the paths of the first nodes of all its lines.
        fits_elsewhere: claims of the spec, or specs that depend on it, are the reason. A new spec
            has neither.
        is_left_out: it is one step of a change that others make without it.
    """

    code: str
    path: Path
    places: int
    what: str
    refusal: str = ""
    error: str = ""
    is_exact: bool = False
    paths: tuple[Path, ...] = ()
    fits_elsewhere: bool = False
    is_left_out: bool = False


@dataclass(frozen=True, slots=True)
class Rewrite:
    """A model after some rewrites.

    Attributes:
        weights: the plan that makes the weights of the new model of those of the old one.
        log: the rewrites that were made and refused, in order.
    """

    model: Model
    weights: WeightPlan
    log: tuple[LogEntry, ...]


def log_proposal(proposal: Proposal, refusal: str = "", error: str = "") -> LogEntry:
    """Return the entry of a proposal that was made, or refused for a reason."""
    places = len(proposal.steps[0].nodes)
    return LogEntry(
        proposal.code,
        proposal.path,
        places,
        proposal.what,
        refusal,
        error,
        proposal.is_exact,
        tuple(step.nodes[0].path for step in proposal.steps),
        is_left_out=proposal.is_left_out,
    )
