"""The choices of a report of costs, and the rows that it asks for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from inception_dsl.analysis import Group, Grouping
from inception_dsl.emit.report.measures import DEFAULT, MEASURES, Facts, RowScope

ReportFormat = Literal["table", "json", "csv", "markdown"]


@dataclass(frozen=True, slots=True)
class Layout:
    """The choices of a report of costs.

    Attributes:
        by: the nodes that a row groups; None for the stages of one network, and for a row for each
            of several networks.
        against: a network that all others are compared with; it comes first. `by` is None then.
        columns: names of `MEASURES`.
    """

    by: Grouping | None = None
    against: Facts | None = None
    columns: tuple[str, ...] = DEFAULT

    @property
    def total_columns(self) -> tuple[str, ...]:
        """Return the columns that a whole network has."""
        return tuple(name for name in self.columns if not MEASURES[name].is_share)

    @property
    def ratio_columns(self) -> tuple[str, ...]:
        """Return the columns whose multiples compare two networks."""
        return tuple(name for name in self.total_columns if MEASURES[name].is_amount)

    @property
    def legend(self) -> list[str]:
        """Return a sentence on each column that needs one."""
        return [MEASURES[name].legend for name in self.columns if MEASURES[name].legend]


def scope_of(group: Group, *, with_heads: bool = False) -> RowScope:
    """Return the scope of a group of nodes."""
    return RowScope(group.totals, group.paths, with_heads=with_heads)


def whole_scope(facts: Facts, *, with_heads: bool = False) -> RowScope:
    """Return the scope of a network, without its training heads unless they are asked for."""
    cost = facts.cost
    totals = cost.totals_with_heads if with_heads else cost.totals
    paths = tuple(row.path for row in cost.rows if with_heads or row.head is None)
    return RowScope(totals, paths, with_heads=with_heads, is_whole=True)


def measure_ratios(facts: Facts, base: Facts, layout: Layout) -> dict[str, float | None]:
    """Return the multiple of the base in each column; None where the base has nothing."""
    ratios: dict[str, float | None] = {}
    for name in layout.ratio_columns:
        amount, base_amount = (MEASURES[name].read(own, whole_scope(own)) for own in (facts, base))
        is_known = isinstance(amount, int | float) and isinstance(base_amount, int | float)
        ratios[name] = amount / base_amount if is_known and base_amount else None  # type: ignore[operator]
    return ratios
