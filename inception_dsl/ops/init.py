"""How the weights of convs and linears begin, before training; no cost depends on it.

A spec writes a scheme and what it takes: `init normal 0.01`, `init kaiming_normal fan_out`. Without
one, torch's layers begin as they do.
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
    "xavier_uniform": "nothing",
}
"""What each scheme takes: a standard deviation, or `fan_in` or `fan_out`.

`torch` is torch's own, which undoes a default; `truncated_normal` is cut off at two deviations, as
TensorFlow's is; `kaiming_normal` is for a ReLU behind.
"""

FANS = ("fan_in", "fan_out")

INIT = Attribute("init", "init", "torch", changes="training", is_drawn=False)
BIAS_INIT = Attribute("bias_init", "decimal", "torch", changes="training", is_drawn=False)


def finish_init(attributes: dict[str, Value | Expr]) -> None:
    """Leaves out what is torch's own, and how a bias begins that is not there."""
    if attributes[INIT.name] == INIT.default:
        del attributes[INIT.name]
    if attributes[BIAS_INIT.name] == BIAS_INIT.default or attributes["bias"] is False:
        del attributes[BIAS_INIT.name]
