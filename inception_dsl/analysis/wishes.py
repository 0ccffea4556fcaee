"""The rows of a grid that a caller asks for; without numpy, so that the command line reads them."""

from __future__ import annotations

from typing import Literal, NamedTuple

Way = Literal["all", "largest", "nearest", "pareto"]


class Wish(NamedTuple):
    """The rows that a caller asks for.

    Attributes:
        measure: the cost to be large, or near the target; on a Pareto front, the one to be small.
        other: on a Pareto front, the cost to be large.
        target: the amount to be near.
        most: the number of rows; a Pareto front has all of its rows.
    """

    way: Way
    measure: str
    other: str = ""
    target: int = 0
    most: int = 10
