"""Costs as text: tables for people, JSON and CSV for programs, Markdown for reviews.

Every form says which figure is multiply-accumulates and which is floating-point operations.
"""

from inception_dsl.emit.report.cost import (
    FORMATS,
    Format,
    Layout,
    cost_markdown,
    render_costs,
)
from inception_dsl.emit.report.measures import DEFAULT, MEASURES, Facts

__all__ = [
    "DEFAULT",
    "FORMATS",
    "MEASURES",
    "Facts",
    "Format",
    "Layout",
    "cost_markdown",
    "render_costs",
]
