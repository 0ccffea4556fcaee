"""Pooling: over windows, over the whole map, and to a given size."""

from __future__ import annotations

from functools import partial
from math import gcd

from inception_dsl.expr import Expr
from inception_dsl.ir import TensorType, Value
from inception_dsl.ops.attribute import Attribute, Symbols, Values, size
from inception_dsl.ops.facts import (
    Cost,
    How,
    Inputs,
    Launch,
    SavedForBackward,
    ShapeError,
    a_map,
    acts_always,
    gathers_adaptive,
    gathers_whole,
    gathers_windows,
    one_launch,
    saves_nothing,
    whole_map,
)
from inception_dsl.ops.op import FigureKind, Op
from inception_dsl.ops.reach import Window
from inception_dsl.ops.window import (
    KERNEL,
    PAD,
    PAD_FLAGS,
    STRIDE,
    check_pool_padding,
    padded_values,
    repeat,
    slide,
    windows,
)
from inception_dsl.ops.work import does


def _infer(op: str, values: Values, inputs: Inputs) -> TensorType:
    channels, _, _ = a_map(inputs[0], op)
    check_pool_padding(values, op)
    return TensorType((channels, *slide(values, inputs[0])))


def _cost(values: Values, inputs: Inputs, output: TensorType) -> Cost:
    height, width = size(values, "kernel")
    return Cost(flops={"pool": height * width * output.values})


INDEX_BYTES = 8
"""Bytes of the index of a maximum, which torch's max pool always computes."""


def _max_launches(
    written: Symbols, values: Values, inputs: Inputs, output: TensorType
) -> tuple[Launch, ...]:
    padded = padded_values(written, values, inputs[0]) if "pad" in values else ()
    steps = tuple(Launch(size) for size in padded)
    return (*steps, Launch(output.values, scratch=INDEX_BYTES * output.values))


def _avg_launches(
    written: Symbols, values: Values, inputs: Inputs, output: TensorType
) -> tuple[Launch, ...]:
    padded = padded_values(written, values, inputs[0])
    mean = (*(Launch(size) for size in padded), Launch(output.values))
    if not padded or values["count_pad"]:
        return mean
    # Then the mean of a map of ones, padded as well, by which the mean is divided.
    height, width = output.size
    ones = Launch(inputs[0].values // inputs[0].channels, is_single=True)
    ones_padded = Launch(padded[0] // inputs[0].channels, holds=(1, 2), is_single=True)
    share = Launch(height * width, holds=(1, 3), is_single=True)
    return (*mean, ones, ones_padded, share, Launch(output.values, holds=(1, 4)))


def _max_saves(
    written: Symbols, values: Values, inputs: Inputs, output: TensorType
) -> SavedForBackward:
    padded = padded_values(written, values, inputs[0]) if "pad" in values else ()
    return SavedForBackward(
        inputs=not padded, values=sum(padded), bytes=INDEX_BYTES * output.values
    )


def _avg_saves(
    written: Symbols, values: Values, inputs: Inputs, output: TensorType
) -> SavedForBackward:
    padded = padded_values(written, values, inputs[0])
    height, width = output.size
    share = height * width if padded and not values["count_pad"] else 0
    return SavedForBackward(inputs=not padded, values=sum(padded), statistics=share)


def _adaptive_avg_saves(
    written: Symbols, values: Values, inputs: Inputs, output: TensorType
) -> SavedForBackward:
    # To one place torch takes a mean, which needs nothing.
    return SavedForBackward(inputs=output.size != (1, 1))


def _global_infer(op: str, values: Values, inputs: Inputs) -> TensorType:
    channels, _, _ = a_map(inputs[0], op)
    return TensorType((channels,))


def _global_cost(values: Values, inputs: Inputs, output: TensorType) -> Cost:
    return Cost(flops={"pool": inputs[0].values})


def _adaptive_infer(op: str, values: Values, inputs: Inputs) -> TensorType:
    channels, *before = a_map(inputs[0], op)
    after = size(values, "output")
    if "enlarge" not in values and any(new > old for old, new in zip(before, after, strict=True)):
        (height, width), (new_height, new_width) = before, after
        message = f"`{op}` to {new_height}x{new_width} enlarges {height}x{width}"
        help = f"if values are to be repeated, write `{new_height}x{new_width} {op} (enlarge)`"
        raise ShapeError("E310", message, traces="size", help=help)
    return TensorType((channels, *after))


def _finish_adaptive(attributes: dict[str, Value | Expr]) -> None:
    """Leave out the permission to enlarge where it is not given."""
    if attributes["enlarge"] is False:
        del attributes["enlarge"]


def _adaptive_cost(values: Values, inputs: Inputs, output: TensorType) -> Cost:
    pooled = output.channels
    for side, wanted in zip(inputs[0].size, output.size, strict=True):
        # torch's window i runs from floor(i * side / wanted) to ceil((i + 1) * side / wanted), so
        # that two windows share a value wherever one ends between two values.
        pooled *= side + wanted - gcd(side % wanted, wanted)
    return Cost(flops={"pool": pooled})


def _adaptive_windows(values: Values, input: TensorType) -> tuple[Window | None, Window | None]:
    """Return the windows if the output's size divides the input's, or the input's the output's."""
    tall, wide = (
        Window(side // wanted, side // wanted, 0) if side % wanted == 0 else repeat(side, wanted)
        for side, wanted in zip(input.size, size(values, "output"), strict=True)
    )
    return tall, wide


_CEIL = Attribute("ceil", "flag", False, changes="size", sets_windows=True)

_POOL_FLOPS = {"pool": "kernel height x kernel width a pooled value"}

_MAX: FigureKind = "max_pool"
_AVG: FigureKind = "average_pool"

_GLOBAL = {"avg": "global average pool", "max": "global max pool"}
_ADAPTIVE = {"avg": "adaptive average pool", "max": "adaptive max pool"}

_HOW: dict[str, How] = {"avg": "mean", "max": "largest"}

OPS = (
    # The largest value of a window; padding never is.
    Op(
        name="maxpool",
        aliases=("maxpool2d", "maxpooling", "maxpooling2d"),
        title="MaxPool",
        short_title="MaxPool",
        figure=_MAX,
        family="pool",
        join=None,
        attributes=(KERNEL, STRIDE, PAD, _CEIL),
        kernel="kernel",
        flags={**PAD_FLAGS, "ceil": {"ceil": True}},
        norm_layer="",
        splits=None,
        infer=partial(_infer, "maxpool"),
        sizes="follow",
        channels="separate",
        windows=windows,
        gathers=gathers_windows("largest"),
        counts_in_depth=False,
        cost=_cost,
        work=does("max pool"),
        flop_kinds=_POOL_FLOPS,
        state=None,
        acts=acts_always,
        is_left_to_loss=False,
        launches=_max_launches,
        saves=_max_saves,
        remarks=None,
    ),
    # The mean of a window: of what lies on the map, or with `count_pad` of the padding too.
    Op(
        name="avgpool",
        aliases=("avgpool2d", "averagepool", "averagepooling", "averagepooling2d"),
        title="Avg Pooling",
        short_title="Avg Pooling",
        figure=_AVG,
        family="pool",
        join=None,
        attributes=(
            KERNEL,
            STRIDE,
            PAD,
            _CEIL,
            Attribute("count_pad", "flag", False, changes="values", sets_windows=True),
        ),
        kernel="kernel",
        flags={**PAD_FLAGS, "ceil": {"ceil": True}, "count_pad": {"count_pad": True}},
        norm_layer="",
        splits=None,
        infer=partial(_infer, "avgpool"),
        sizes="follow",
        channels="separate",
        windows=windows,
        gathers=gathers_windows("mean"),
        counts_in_depth=False,
        cost=_cost,
        work=does("average pool"),
        flop_kinds=_POOL_FLOPS,
        state=None,
        acts=acts_always,
        is_left_to_loss=False,
        launches=_avg_launches,
        saves=_avg_saves,
        remarks=None,
    ),
    # The mean, or the largest value, of each channel: a vector.
    # Source: Lin, Chen and Yan, Network In Network, ICLR 2014, section 3.2.
    *(
        Op(
            name=f"global_{kind}pool",
            spelling=f"global {kind}pool",
            aliases=aliases,
            title=title,
            short_title=title,
            figure=figure,
            family="global pool",
            join=None,
            attributes=(),
            norm_layer="",
            splits=None,
            infer=partial(_global_infer, f"global {kind}pool"),
            sizes="fixed",
            channels="separate",
            windows=whole_map,
            gathers=gathers_whole(_HOW[kind]),
            counts_in_depth=False,
            cost=_global_cost,
            work=does(_GLOBAL[kind]),
            flop_kinds=_POOL_FLOPS,
            state=None,
            acts=acts_always,
            is_left_to_loss=False,
            launches=launches,
            saves=saves,
            remarks=None,
        )
        for kind, title, figure, aliases, launches, saves in (
            (
                "avg",
                "Average Pooling",
                _AVG,
                ("gap", "globalaveragepool", "globalaveragepooling2d", "globalavgpool2d"),
                one_launch,
                saves_nothing,
            ),
            (
                "max",
                "Global MaxPool",
                _MAX,
                ("globalmaxpooling2d", "globalmaxpool2d"),
                _max_launches,
                _max_saves,
            ),
        )
    ),
    # The same over windows that make a map of the size that is asked for: window i of n on a side
    # of s runs from floor(i s / n) to ceil((i + 1) s / n).
    *(
        Op(
            name=f"adaptive_{kind}pool",
            spelling=f"adaptive {kind}pool",
            aliases=(f"adaptive{kind}pool2d",),
            title=title,
            short_title=title,
            figure=figure,
            family="pool",
            join=None,
            attributes=(
                Attribute("output", "size", changes="size", sets_windows=True),
                Attribute("enlarge", "flag", False, changes="size", sets_windows=True),
            ),
            kernel="output",
            flags={"enlarge": {"enlarge": True}},
            finish=_finish_adaptive,
            norm_layer="",
            splits=None,
            infer=partial(_adaptive_infer, f"adaptive {kind}pool"),
            sizes="fixed",
            channels="separate",
            windows=_adaptive_windows,
            gathers=gathers_adaptive(_HOW[kind]),
            counts_in_depth=False,
            cost=_adaptive_cost,
            work=does(_ADAPTIVE[kind]),
            flop_kinds=_POOL_FLOPS,
            state=None,
            acts=acts_always,
            is_left_to_loss=False,
            launches=launches,
            saves=saves,
            remarks=None,
        )
        for kind, title, figure, launches, saves in (
            ("avg", "Adaptive Avg Pooling", _AVG, one_launch, _adaptive_avg_saves),
            ("max", "Adaptive MaxPool", _MAX, _max_launches, _max_saves),
        )
    ),
)
