"""Weights of a conv that are standardised before they are used: facts that the conv asks for.

Each filter is moved and scaled to mean 0 and variance 1, over all its weights; in inference, too.
With a `gain` it is then scaled by `gain / sqrt(weights of a filter)` and by a learnt number, so
that activations keep their variance without a norm.

Source: Qiao et al., Weight Standardization, 2019, equations 4 to 7; for `gain`: Brock et al.,
Characterizing signal propagation to close the performance gap in unnormalized ResNets, ICLR 2021,
equation 4.
"""

from __future__ import annotations

from decimal import Decimal

from inception_dsl.expr import Expr
from inception_dsl.ir import Value
from inception_dsl.ops.attribute import Attribute, Values, number, size
from inception_dsl.ops.facts import Launch, SavedForBackward, ShapeError, StateTensor

_NO_GAIN = "none"

STANDARDISED = (
    Attribute("standardised", "flag", "auto", changes="values"),
    Attribute("gain", "decimal", _NO_GAIN, changes="values", needs="standardised", above=0),
    Attribute(
        "weight_eps",
        "decimal",
        Decimal("1e-6"),
        changes="values",
        needs="standardised",
        above=0,
    ),
)
"""The attributes of a conv whose weights can be standardised."""

STANDARDISED_FLAGS: dict[str, Values] = {
    "standardised": {"standardised": True},
    "no_standardised": {"standardised": False},
}


def finish_standardised(attributes: dict[str, Value | Expr]) -> None:
    """Standardise weights that have a gain; leave out what a plain conv does not have."""
    if attributes["standardised"] == "auto":
        attributes["standardised"] = attributes["gain"] != _NO_GAIN
    if not attributes["standardised"]:
        for attribute in STANDARDISED:
            del attributes[attribute.name]
    elif attributes["gain"] == _NO_GAIN:
        del attributes["gain"]


def is_standardised(values: Values) -> bool:
    """Tell whether the weights of a conv are standardised."""
    return "standardised" in values


def count_gains(values: Values) -> int:
    """Return the number of learnt scales of filters."""
    return number(values, "width") if "gain" in values else 0


def hold_filters(values: Values, channels: int) -> None:
    """Refuse filters of one weight, which is its own mean.

    Raises:
        ShapeError: E308.
    """
    if is_standardised(values) and _filter_size(values, channels) == 1:
        message = "each filter of `conv` is one weight, which `standardised` makes 0"
        raise ShapeError("E308", message, traces="channels")


def gain_state(values: Values) -> tuple[StateTensor, ...]:
    """Return the learnt scales of the filters."""
    if "gain" not in values:
        return ()
    shape = (number(values, "width"), 1, 1, 1)
    return (StateTensor(name="gain", shape=shape, role="learnt", in_axis="none"),)


def standardised_launches(values: Values, channels: int) -> tuple[Launch, ...]:
    """Return the launches that make the weights; a batch norm makes mean and deviation, too."""
    if not is_standardised(values):
        return ()
    width = number(values, "width")
    gains = (Launch(width, is_single=True),) if "gain" in values else ()
    statistics = Launch(2 * width, is_single=True)
    weights = Launch(width * _filter_size(values, channels), holds=(1, 2), is_single=True)
    return (*gains, statistics, weights)


def standardised_saves(values: Values, channels: int) -> SavedForBackward:
    """Return the weights that the conv needs again, and what their batch norm needs."""
    if not is_standardised(values):
        return SavedForBackward()
    width = number(values, "width")
    kept = 3 * width if "gain" in values else 2 * width
    return SavedForBackward(statistics=kept, weights=width * _filter_size(values, channels))


def _filter_size(values: Values, channels: int) -> int:
    """Return the number of weights of a filter."""
    height, width = size(values, "kernel")
    return channels // number(values, "groups") * height * width
