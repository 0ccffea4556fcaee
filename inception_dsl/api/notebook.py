"""Networks and cost reports as a notebook and a prompt show them."""

from __future__ import annotations

import sys

from inception_dsl.analysis import CostReport


def show_reports() -> None:
    """Have IPython, where it runs, show a cost report as a table."""
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    if shell is not None:
        formatter = shell.display_formatter.formatters["text/markdown"]
        formatter.for_type(CostReport, _write_table)


def shorten(count: int) -> str:
    """Return a count with three significant digits or more, and the prefix of its unit."""
    for size, prefix in ((10**12, "T"), (10**9, "G"), (10**6, "M"), (10**3, "k")):
        if count >= size:
            return f"{count / size:.2f} {prefix}"
    return f"{count} "


def _write_table(report: CostReport) -> str:
    from inception_dsl.emit.report import Facts, Layout, render_costs

    return render_costs([Facts(report)], Layout(), format="markdown")
