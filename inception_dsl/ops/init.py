"""Initial values of the weights of convs and linears; no cost depends on them.

A spec writes a scheme and its argument: `init normal 0.01`, `init kaiming_normal fan_out`. Without
a scheme, torch's layers initialise themselves.
"""

from __future__ import annotations

from typing import Literal

from inception_dsl.expr import Expr
from inception_dsl.ir import Value
from inception_dsl.ops.attribute import Attribute

Takes = Literal["nothing", "deviation", "fan"]

SCHEMES: dict[str, Takes] = {
    "torch": "nothing",
    "normal": "deviation",
    "truncated_normal": "deviation",
    "kaiming_normal": "fan",
    "kaiming_uniform": "fan",
    "xavier_uniform": "nothing",
}
"""The argument of each scheme: a standard deviation, or `fan_in` or `fan_out`.

`torch` is torch's own, which overrides a default. `truncated_normal` is cut off at two deviations,
as in TensorFlow. `kaiming_normal` and `kaiming_uniform` suit a ReLU behind.

Source: He et al., Delving Deep into Rectifiers, ICCV 2015, equation 10, for `kaiming_normal`
and `kaiming_uniform`; Glorot and Bengio, AISTATS 2010, equation 16, for `xavier_uniform`.
"""

FANS = ("fan_in", "fan_out")

INIT = Attribute("init", "init", "torch", changes="training", is_drawn=False, is_initial=True)
BIAS_INIT = Attribute(
    "bias_init", "decimal", "torch", changes="training", is_drawn=False, is_initial=True
)


def finish_init(attributes: dict[str, Value | Expr]) -> None:
    """Leave out the scheme of torch, and the initial value of a bias that is not there."""
    if attributes[INIT.name] == INIT.default:
        del attributes[INIT.name]
    if attributes[BIAS_INIT.name] == BIAS_INIT.default or attributes["bias"] is False:
        del attributes[BIAS_INIT.name]
