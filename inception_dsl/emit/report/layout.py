"""The choices of a cost report, and the scopes of its rows."""

from __future__ import annotations

from typing import Literal, NamedTuple

from inception_dsl.analysis import Group, Grouping
from inception_dsl.emit.report.measures import DEFAULT, MEASURES, Facts, RowScope

ReportFormat = Literal["table", "json", "csv", "markdown"]
"""The name of a format of a cost report."""


class Layout(NamedTuple):
    """The choices of a cost report.

    Attributes:
        by: the property that the nodes of a row share. None gives the stages of one network, or one
            row for each of several networks.
        against: the network that all others are compared with; it comes first. If it is set, `by`
            is None.
        columns: names of `MEASURES`.
    """

    by: Grouping | None = None
    against: Facts | None = None
    columns: tuple[str, ...] = DEFAULT

    @property
    def total_columns(self) -> tuple[str, ...]:
        """The columns that a whole network has."""
        return tuple(name for name in self.columns if not MEASURES[name].is_share)

    @property
    def ratio_columns(self) -> tuple[str, ...]:
        """The columns whose values a report compares by a ratio."""
        return tuple(name for name in self.total_columns if MEASURES[name].is_amount)

    @property
    def legend(self) -> list[str]:
        """A sentence for each column that needs one."""
        return [MEASURES[name].legend for name in self.columns if MEASURES[name].legend]


def build_scope(group: Group, *, with_heads: bool = False) -> RowScope:
    """Return the scope of a group of nodes."""
    return RowScope(group.totals, group.paths, with_heads=with_heads)


def build_whole_scope(facts: Facts, *, with_heads: bool = False) -> RowScope:
    """Return the scope of a whole network, with or without its training heads."""
    cost = facts.cost
    totals = cost.totals_with_heads if with_heads else cost.totals
    paths = tuple(row.path for row in cost.rows if with_heads or row.head is None)
    return RowScope(totals, paths, with_heads=with_heads, is_whole=True)


def measure_ratios(facts: Facts, base: Facts, layout: Layout) -> dict[str, float | None]:
    """Return the ratio to the base in each column; None if either value is missing or zero."""
    ratios: dict[str, float | None] = {}
    for name in layout.ratio_columns:
        amount, base_amount = (
            MEASURES[name].read(network, build_whole_scope(network)) for network in (facts, base)
        )
        is_known = isinstance(amount, int | float) and isinstance(base_amount, int | float)
        ratios[name] = amount / base_amount if is_known and base_amount else None  # type: ignore[operator]
    return ratios
