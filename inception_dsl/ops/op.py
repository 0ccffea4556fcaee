"""The contract of an op: every question that the rest of the program asks of it.

What a backend calls the op is not among them: that stands in the backend's own table.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal, NamedTuple

from inception_dsl.expr import Expr
from inception_dsl.ir import Value
from inception_dsl.ops.attribute import Attribute, Symbols, Values, shown
from inception_dsl.ops.facts import (
    ActsRule,
    Channels,
    CostRule,
    GatherRule,
    InferRule,
    LaunchRule,
    RemarkRule,
    SaveRule,
    Sizes,
    SplitRule,
    StateRule,
    WindowRule,
    flat_view,
    never_acts,
    no_launch,
)
from inception_dsl.ops.work import WorkRule

FigureKind = Literal[
    "convolution",
    "max_pool",
    "average_pool",
    "classifier",
    "join",
    "sum",
    "product",
    "plain",
]
"""The look of an op in figures. A `convolution` is named after its kernel and painted by its size.
The `sum` and the `product` of two inputs are circles."""


class Join(NamedTuple):
    """The facts of an op that puts several values together; a body writes it, never a step.

    Attributes:
        noun: the word for its result: `the sum`.
        stem: the name, before its number, of a step that is this join and has no name of its own
            where a spec is recovered: `sum1`.
        commutes: whether its inputs may stand in another order and it gives the same, to the last
            digit, if there are two.
        associates: whether such a join of others of its op is one join of all, but for rounding.
    """

    noun: str
    stem: str
    commutes: Callable[[Values], bool]
    associates: Callable[[Values], bool]


@dataclass(frozen=True, kw_only=True)
class Op:
    """An op with its answer to every question that a command asks.

    A field without a default must be answered: an op that leaves it out does not import.

    Attributes:
        name: its name in the IR.
        spelling: how a spec writes it, if not by its name: `global avgpool`.
        aliases: other tools' names for it, in lower case.
        variants: other tools' names for it with some of its words: `reflectionpad2d` is `reflect`.
        by_number: the words of `rescale` that do by one number, in the place of `{}`, what it does
            by a value or a weight; empty if none do.
        title: its name in figures: `MaxPool`.
        short_title: its name in figures beside another op: `BN`.
        figure: how figures paint it.
        family: ops of one family replace each other in variants of a network.
        join: the facts of a join; None for the op of a step.

        attributes: its attributes, in the order in which they are printed.
        kernel: the attribute that the kernel before it sets, if it takes one.
        flags: words that set attributes: `V` sets `pad`.
        ways: groups of attributes that say the same in several ways: the factor of an upsampling,
            or its size. A step takes exactly one way, and the attributes of the others are not
            there.
        defaults_of: the op whose defaults it takes, if not its own.
        finish: completes attributes that follow from others.
        norm_layer: the name of its module where a conv carries it as its norm, as `bn`; empty for
            an op that is no norm of a conv. The conv has the norm's attributes, too: one that the
            conv has itself, such as `groups`, is its `norm_groups`, and the norm reads it as
            `groups`.

        splits: the ops that it is in turn, if there are several; else None.
        infer: the type of its output; raises `ShapeError` for all that torch would refuse, in
            inference or in training. The norm of a conv is blamed at the conv's width.
        sizes: whether its output's height and width follow from its input's.
        channels: how its channels follow from those that it reads. One that is `grouped` has an
            attribute `groups`.
        windows: the part of a map that each of its units reads.
        gathers: the values of a map that its units take as they are, by windows; None if they do
            more with them, so that two settings never give the same.
        counts_in_depth: it is one of the layers that a network's depth counts.

        cost: its cost.
        flop_kinds: the kinds of floating-point operations that `cost` counts, and how.
        work: the kinds of layers that tools see in it, without its norm and its activation.
        state: its tensors in a checkpoint; None for an op without any.
        acts: when it does something, for its attributes and inputs.
        is_left_to_loss: losses include it, so that a module which ends in it gives what it reads.
        launches: the device functions that torch runs for it in inference.
        saves: the values of its forward pass that its backward pass needs.
        remarks: warnings for settings that are probably mistakes; None if every setting is
            plausible.
    """

    name: str
    spelling: str = ""
    aliases: tuple[str, ...] = ()
    variants: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    by_number: str = ""
    title: str
    short_title: str
    figure: FigureKind
    family: str
    join: Join | None

    attributes: tuple[Attribute, ...]
    kernel: str = ""
    flags: Mapping[str, Values] = field(default_factory=dict)
    ways: tuple[tuple[str, ...], ...] = ()
    defaults_of: str = ""
    finish: Callable[[dict[str, Value | Expr]], None] | None = None
    norm_layer: str
    splits: SplitRule | None

    infer: InferRule
    sizes: Sizes
    channels: Channels
    windows: WindowRule
    gathers: GatherRule | None
    counts_in_depth: bool

    cost: CostRule
    flop_kinds: Mapping[str, str]
    work: WorkRule
    state: StateRule | None
    acts: ActsRule
    is_left_to_loss: bool
    launches: LaunchRule
    saves: SaveRule
    remarks: RemarkRule | None

    def __post_init__(self) -> None:
        """Refuse answers that contradict each other."""
        if self.kernel and self.attribute(self.kernel) is None:
            raise TypeError(f"`{self.name}` has no attribute `{self.kernel}`, its kernel")
        if self.figure == "convolution" and not self.kernel:
            raise TypeError(f"`{self.name}` is drawn as a convolution, and takes no kernel")
        if self.channels == "joined" and self.join is None:
            raise TypeError(f"`{self.name}` joins channels, and is no join")
        if self.channels in ("grouped", "shuffled") and self.attribute("groups") is None:
            raise TypeError(f"`{self.name}` groups channels, and has no attribute `groups`")
        if self.channels == "padded" and not {"before", "after"} <= {
            a.name for a in self.attributes
        }:
            raise TypeError(f"`{self.name}` adds channels, and does not say where")
        if self.channels in ("spread", "packed") and self.attribute("factor") is None:
            raise TypeError(f"`{self.name}` moves channels, and has no attribute `factor`")
        names = [a.name for a in self.own_attributes]
        for owner, owned in self.owned_attributes.items():
            with_owner = [*names, *(a.name for a in owned)]
            if len(set(with_owner)) < len(with_owner):
                message = f"an attribute of `{owner}` has the name of one of `{self.name}`"
                raise TypeError(message)

    @property
    def has_module(self) -> bool:
        """A module of its own runs the op; a join and a slice are code of the forward pass."""
        return self.join is None and self.channels != "sliced"

    @property
    def is_view(self) -> bool:
        """In inference the op gives what it reads, or a view of it unless channels lie last."""
        return self.launches in (no_launch, flat_view)

    @property
    def is_for_training(self) -> bool:
        """The op does something in training alone, whatever its attributes."""
        return self.is_view and {a.changes for a in self.attributes} == {"training"}

    @property
    def is_identity(self) -> bool:
        """The op gives what it reads, whatever its attributes."""
        return self.acts is never_acts

    @property
    def gives_vectors(self) -> bool:
        """The op gives a vector: its size is fixed, and no attribute sets it."""
        return self.sizes == "fixed" and not any(a.changes == "size" for a in self.attributes)

    @property
    def written(self) -> str:
        """The words by which a spec writes it."""
        return self.spelling or self.name

    @property
    def width(self) -> str:
        """The attribute that says how many channels it gives; empty if none does."""
        return next((a.name for a in self.attributes if a.kind == "width"), "")

    def attribute(self, name: str) -> Attribute | None:
        """Return the attribute of this name, if it has one."""
        return self._by_name.get(name)

    @cached_property
    def own_attributes(self) -> tuple[Attribute, ...]:
        """The attributes that belong to no other op."""
        return tuple(a for a in self.attributes if not a.owner)

    @cached_property
    def owned_attributes(self) -> Mapping[str, tuple[Attribute, ...]]:
        """The attributes that belong to other ops, by their op: a norm, or an activation."""
        owners = dict.fromkeys(a.owner for a in self.attributes if a.owner)
        return {owner: tuple(a for a in self.attributes if a.owner == owner) for owner in owners}

    @cached_property
    def shared_words(self) -> Mapping[str, frozenset[str]]:
        """Its words whose values fit a word of a norm's or an activation's, too, by that op."""
        own = {a.name: a.kind for a in self.own_attributes}
        return {
            owner: frozenset(
                a.name_in_owner for a in attributes if own.get(a.name_in_owner) == a.kind
            )
            for owner, attributes in self.owned_attributes.items()
        }

    @cached_property
    def _by_name(self) -> Mapping[str, Attribute]:
        return {a.name: a for a in reversed(self.attributes)}

    def flag_of(self, name: str, value: Value | Expr) -> str | None:
        """Return the flag that sets an attribute, and no other one, to a value, if there is one."""
        return next((flag for flag, sets in self.flags.items() if sets == {name: value}), None)

    def find_way(self, attributes: Symbols) -> tuple[str, ...]:
        """Return the attributes of the way that a step takes; none if the op has no ways."""
        return next((way for way in self.ways if any(name in attributes for name in way)), ())

    def words(self) -> frozenset[str]:
        """Return every word that it knows; its width has none."""
        named = {a.name for a in self.own_attributes if a.name != self.kernel and a.kind != "width"}
        return frozenset(named | self.flags.keys())

    def label(self, attributes: Symbols) -> str:
        """Return it in the papers' notation, without the usual values of a model's defaults.

        Example:
            `3x3 conv (96 stride 2 V)`.
        """
        kernel = f"{shown(attributes[self.kernel])} " if self.kernel else ""
        words = list(_words(self, attributes))
        return f"{kernel}{self.written}" + (f" ({' '.join(words)})" if words else "")


def _words(op: Op, attributes: Symbols) -> Iterator[str]:
    if "norm" in attributes and attributes["norm"] == attributes["act"] == "none":
        plain = attributes["bias"]
    else:
        plain = False
    for attribute in op.own_attributes:
        value = attributes.get(attribute.name)
        if attribute.name == op.kernel or not attribute.is_drawn:
            continue
        if value is None or value == attribute.default:
            continue
        match attribute.kind:
            case "width":
                yield shown(value)
            case "flag":
                yield attribute.name if value is True else f"no {attribute.name}"
            case "pad" | "choice" if flag := op.flag_of(attribute.name, value):
                yield flag
            case _:
                yield f"{attribute.name} {shown(value)}"
    if plain:
        yield "linear"
