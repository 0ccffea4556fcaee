"""The rules by which tools count the cost of a network, as data.

A rule belongs to a kind of layer, which the ops name as their work. It gives the number of times
that each amount counts: `{"macs": 2, "biased": 1}` is 2 for each multiply-accumulate and 1 for each
value that a bias is added to. A kind without a rule counts as zero, because the tool does not know
it or leaves it out.

A rule holds for a network of torch's stock layers, each as a module of its own, whose sums and
products are operators. Sources: the code of each tool in the version that is named, and its counts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from inception_dsl.ops import Amount, Fact

Quirk = Literal[
    "folding",
    "macs_by_groups",
    "biased_as_conv",
    "places_by_size",
    "read_by_factor",
    "made_by_factor",
]
"""An amount that only some tools count by, and that follows from those of an op:

* `folding`: operations, once for all images, that make a scale and a shift of a batch norm.
* `macs_by_groups`, `biased_as_conv`: of a transposed convolution, the multiply-accumulates divided
  by its groups once more, and the biased values of a convolution with the same stride.
* `places_by_size`: places of an upsampled map whose size is written as numbers.
* `read_by_factor`, `made_by_factor`: values of an upsampling whose size is written as a factor.
"""

CountedAmount = Amount | Quirk

Rule = Mapping[CountedAmount, int]
"""The number of times that each amount of a kind of layer counts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Convention:
    """The rules of one tool, or of a quantity of this project.

    Attributes:
        name: the name that the command line takes.
        title: the tool's name for readers.
        version: the version whose rules these are; empty for this project's own quantities.
        unit: the quantity that the number is.
        calls_it: the tool's word for its number.
        sees: the things by which the tool finds the layers of a network.
        rules: the rule of each kind of layer.
        otherwise: the rule of every other kind; empty for a tool.
        runs_last_softmax: whether the network that it counts has a softmax at its end. Modules of
            torch leave that to the loss.
        remarks: sentences on what surprises in its numbers.
    """

    name: str
    title: str
    version: str = ""
    unit: Literal["MACs", "FLOPs", "mixed"]
    calls_it: str
    sees: str
    rules: Mapping[str, Rule]
    otherwise: Rule = field(default_factory=dict)
    runs_last_softmax: bool = False
    remarks: tuple[str, ...] = ()

    def rule_of(self, kind: str) -> Rule:
        """Return the rule of a kind of layer; empty if the kind counts as zero."""
        return self.rules.get(kind, self.otherwise)

    @property
    def operations_a_mac(self) -> int:
        """The number of times that a multiply-accumulate of a convolution counts."""
        rule = self.rule_of("convolution")
        return rule.get("macs", 0) + rule.get("macs_at_output", 0)

    @property
    def is_of_tool(self) -> bool:
        """The rules are those of a tool, not of a quantity of this project."""
        return bool(self.version)


_CONVOLUTIONS = ("convolution", "transposed convolution", "channel convolution")
MORE_AT_OUTPUT = frozenset(["transposed convolution"])
"""The kinds with more weights at the places of the output than multiply-accumulates."""

_MAPS = (*_CONVOLUTIONS, "linear layer")
_BLUR = "binomial blur"
"""A convolution with fixed weights, which a tool that looks at modules does not see."""
_POOLS = (
    "max pool",
    "average pool",
    "global max pool",
    "global average pool",
    "adaptive max pool",
    "adaptive average pool",
)
_AVERAGES = ("global average pool", "adaptive average pool")
_UPSAMPLINGS = ("nearest upsampling", "bilinear upsampling")
_GROUPED_NORMS = ("group norm", "layer norm", "instance norm")
"""The norms whose statistics are those of the image."""


class CountedLayer(NamedTuple):
    """A layer from which a quirk is counted: its amounts, its facts, the channels it gives."""

    amounts: Mapping[Amount, int]
    facts: Mapping[Fact, int]
    channels: int


def _fold(layer: CountedLayer) -> int:
    # For each channel: variance + eps, 1 / sqrt (2), times gamma; times the mean, less beta.
    return (6 if layer.amounts["scaled"] else 5) * layer.channels


def _divide_by_groups(layer: CountedLayer) -> int:
    filters = layer.facts["filters"]
    return layer.amounts["macs"] // filters * (filters // layer.facts["groups"])


def _bias_as_conv(layer: CountedLayer) -> int:
    facts = layer.facts
    return facts["filters"] * facts["conv_places"] if layer.amounts["biased"] else 0


def _count_places(layer: CountedLayer) -> int:
    return 0 if layer.facts["is_by_factor"] else layer.amounts["made"] // layer.channels


_OF_UPSAMPLING: dict[Quirk, Callable[[CountedLayer], int]] = {
    "places_by_size": _count_places,
    "read_by_factor": lambda layer: layer.amounts["read"] * layer.facts["is_by_factor"],
    "made_by_factor": lambda layer: layer.amounts["made"] * layer.facts["is_by_factor"],
}

QUIRKS: Mapping[str, Mapping[Quirk, Callable[[CountedLayer], int]]] = {
    "batch norm": {"folding": _fold},
    "transposed convolution": {
        "macs_by_groups": _divide_by_groups,
        "biased_as_conv": _bias_as_conv,
    },
    **dict.fromkeys(_UPSAMPLINGS, _OF_UPSAMPLING),
}
"""The quirks of each kind of layer, an image."""


def _each(kinds: tuple[str, ...], rule: Rule) -> dict[str, Rule]:
    return dict.fromkeys(kinds, rule)


_BY_FUNCTION: dict[str, Rule] = {
    **_each(_CONVOLUTIONS, {"macs": 2, "biased": 1}),
    "linear layer": {"macs": 2},
    _BLUR: {"macs": 2},
    "batch norm": {"read": 1, "scaled": 1},
    **_each(_GROUPED_NORMS, {"read": 4, "scaled": 1}),
    "local response norm": {"read": 3, "padded": 1},
    **_each(("ReLU", "Leaky ReLU", "PReLU", "ELU", "SiLU", "GELU"), {"read": 1}),
    **_each(_POOLS, {"read": 1}),
    "softmax over channels": {"read": 1},
}
"""The rules that calflops took over from DeepSpeed's profiler."""

CONVENTIONS: dict[str, Convention] = {
    convention.name: convention
    for convention in (
        Convention(
            name="macs",
            title="multiply-accumulates",
            unit="MACs",
            calls_it="MACs",
            sees="the ops of the spec",
            rules=_each((*_MAPS, _BLUR), {"macs": 1}),
            runs_last_softmax=True,
        ),
        Convention(
            name="flops",
            title="floating-point operations",
            unit="FLOPs",
            calls_it="FLOPs",
            sees="the ops of the spec",
            rules=_each((*_MAPS, _BLUR), {"macs": 2, "biased": 1}),
            otherwise={"flops": 1, "biased": 1},
            runs_last_softmax=True,
        ),
        Convention(
            name="fvcore",
            title="fvcore",
            version="0.1.5.post20221221",
            unit="mixed",
            calls_it="flops",
            sees="torch's operators, in a trace",
            rules={
                **_each((*_MAPS, _BLUR), {"macs": 1}),
                "batch norm": {"read": 1, "scaled": 1},
                **_each(_GROUPED_NORMS, {"read": 4, "scaled": 1}),
                **_each(_AVERAGES, {"read": 1}),
                "nearest upsampling": {"made": 1},
                "bilinear upsampling": {"made": 4},
            },
            remarks=(
                "It says flops, and counts a multiply-accumulate as one; a norm counts in full.",
            ),
        ),
        Convention(
            name="torchinfo",
            title="torchinfo",
            version="1.8.0",
            unit="MACs",
            calls_it="mult-adds",
            sees="modules without children, by their parameters",
            rules={
                **_each(_CONVOLUTIONS, {"macs_at_output": 1, "biased": 1}),
                "linear layer": {"macs": 1, "biased": 1},
                **_each(("batch norm", *_GROUPED_NORMS, "PReLU"), {"learnt": 1}),
                "learnt scale": {"learnt": 1},
            },
            remarks=(
                "A norm counts once for each of its parameters, however large the map is.",
                "A bias counts as a multiply-accumulate at each place.",
            ),
        ),
        Convention(
            name="ptflops",
            title="ptflops",
            version="0.7.5",
            unit="mixed",
            calls_it="MACs",
            sees="modules by their exact class, and some functions",
            rules={
                **_each(_MAPS, {"macs": 1, "biased": 1}),
                "batch norm": {"read": 1, "scaled": 1},
                "group norm": {"read": 1, "scaled": 1},
                "instance norm": {"read": 1, "scaled": 1},
                "layer norm": {"read": 1},
                "local response norm": {"read": 3, "padded": 1},
                **_each(("ReLU", "PReLU", "ELU", "GELU"), {"read": 2}),
                **_each(("ReLU6", "Leaky ReLU", "SiLU"), {"read": 1}),
                **_each(_POOLS, {"read": 2}),
                **_each(_UPSAMPLINGS, {"made": 2}),
                "softmax over channels": {"read": 1},
            },
            remarks=(
                "It says MACs, and adds one a value of a bias, two of a batch norm.",
                "A layer that calls a function which it counts, too, counts twice: a ReLU, a pool.",
                "A subclass of a layer counts as zero.",
            ),
        ),
        Convention(
            name="thop",
            title="thop",
            version="0.1.1.post2209072238",
            unit="mixed",
            calls_it="MACs",
            sees="modules by their exact class",
            rules={
                **_each(_CONVOLUTIONS, {"macs_at_output": 1}),
                "linear layer": {"macs": 1},
                **_each(("batch norm", "layer norm", "instance norm"), {"read": 2, "scaled": 2}),
                "PReLU": {"read": 1},
                "average pool": {"made": 1},
                **_each(_AVERAGES, {"read": 1, "made": 1}),
                "softmax over channels": {"read": 3, "rows": -1},
                "nearest upsampling": {"made": 1},
                "bilinear upsampling": {"made": 11},
            },
            remarks=(
                "It says MACs, and adds four a value of a batch norm.",
                "A subclass of a layer, and a function in its place, count as zero.",
            ),
        ),
        Convention(
            name="calflops",
            title="calflops",
            version="0.3.2",
            unit="FLOPs",
            calls_it="FLOPs",
            sees="torch's functions",
            rules={
                **_BY_FUNCTION,
                "transposed convolution": {"macs_by_groups": 2, "biased_as_conv": 1},
                **_each(_UPSAMPLINGS, {"places_by_size": 1, "read_by_factor": 1}),
            },
            remarks=(
                "The bias of a linear layer does not count, that of a convolution does.",
                "The function of a ReLU6 counts, the layer does not: it runs another function.",
                "An upsampling to a size counts its places without their channels.",
            ),
        ),
        Convention(
            name="deepspeed",
            title="DeepSpeed's FLOPS profiler",
            version="0.19.8",
            unit="FLOPs",
            calls_it="flops",
            sees="torch's functions",
            rules={
                **_BY_FUNCTION,
                **_each(_UPSAMPLINGS, {"places_by_size": 1, "made_by_factor": 1}),
            },
            remarks=(
                "The bias of a linear layer does not count, that of a convolution does.",
                "The function of a ReLU6 counts, the layer does not: it runs another function.",
            ),
        ),
        Convention(
            name="torch",
            title="torch.utils.flop_counter",
            version="2.14",
            unit="FLOPs",
            calls_it="FLOPs",
            sees="torch's operators, as they run",
            rules=_each((*_MAPS, _BLUR), {"macs": 2}),
            remarks=("Convolutions and matrix products count, and nothing else does.",),
        ),
        Convention(
            name="keras",
            title="TensorFlow's profiler",
            version="2.21.0",
            unit="FLOPs",
            calls_it="float_ops",
            sees="TensorFlow's operators, in the frozen graph of a Keras model",
            rules={
                **_each(_MAPS, {"macs": 2, "biased": 1}),
                "batch norm": {"read": 2, "folding": 1},
                "SiLU": {"read": 2},
                **_each(("max pool", "average pool"), {"windowed": 1}),
                **_each(_AVERAGES, {"read": 1}),
                **_each(
                    ("sum", "product", "extremum", "product with a number", "division"), {"made": 1}
                ),
                "softmax over channels": {"read": 5},
            },
            runs_last_softmax=True,
            remarks=("A ReLU counts as zero, and the products of a SiLU count.",),
        ),
    )
}
"""The conventions by their names, this project's own quantities first."""

TOOLS = tuple(name for name, convention in CONVENTIONS.items() if convention.is_of_tool)
"""The names of the tools among the conventions."""
