"""Cost reports as tables, where IPython runs."""

from __future__ import annotations

import sys

from inception_dsl.analysis import CostReport


def show_reports() -> None:
    """Have IPython, where it runs, show a cost report as a table."""
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    if shell is not None:
        formatter = shell.display_formatter.formatters["text/markdown"]
        formatter.for_type(CostReport, _write_table)


def _write_table(report: CostReport) -> str:
    from inception_dsl.emit.report import Facts, Layout, render_costs

    return render_costs([Facts(report)], Layout(), format="markdown")
