"""Costs as text: tables for people, JSON and CSV for programs, Markdown for reviews.

Every format says which number counts multiply-accumulates and which counts floating-point
operations.
"""

from inception_dsl.emit.report.cost import FORMATS, render_costs
from inception_dsl.emit.report.layout import Layout, ReportFormat
from inception_dsl.emit.report.measures import DEFAULT, MEASURES, Facts

__all__ = [
    "DEFAULT",
    "FORMATS",
    "MEASURES",
    "Facts",
    "Layout",
    "ReportFormat",
    "render_costs",
]
