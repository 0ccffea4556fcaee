"""docs/conventions.md has the rules of every convention; a script writes its tables.

python tests/test_conventions_page.py        # write the tables as the rules are now
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from inception_dsl import driver
from inception_dsl.analysis import CONVENTIONS, count_by, measure_work
from inception_dsl.analysis.conventions import TOOLS, CountedAmount, Rule
from inception_dsl.emit.report.conventions import name_number
from inception_dsl.tables import Column, markdown_table

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "conventions.md"
NETWORKS = ("googlenet", "inception_v3", "inception_v4", "mobilenet_v2", "efficientnet_b0")

_SHORT: dict[CountedAmount, tuple[str, str]] = {
    "macs": ("MAC", "multiply-accumulates of weights"),
    "macs_at_output": ("MAC'", "the same, but every weight at each place of the output"),
    "macs_by_groups": ("MAC/g", "multiply-accumulates, divided by the groups once more"),
    "biased": ("bias", "values that a bias is added to"),
    "biased_as_conv": ("bias'", "the same on a map as small as a convolution would give"),
    "flops": ("FLOP", "floating-point operations, as the ops' page has them, without biases"),
    "read": ("in", "values that come in"),
    "scaled": ("in if scaled", "values that come in, if the norm has a learnt scale"),
    "made": ("out", "values that go out"),
    "windowed": ("window", "values of all windows, padding included"),
    "rows": ("row", "rows that a softmax adds up to one"),
    "learnt": ("param", "parameters"),
    "padded": ("padded", "values of the map with padded channels"),
    "folding": ("fold", "5 or 6 operations for each channel, once for all images"),
    "places_by_size": ("place", "places of the output, if its size is written as numbers"),
    "read_by_factor": ("in by factor", "values that come in, if a factor is written"),
    "made_by_factor": ("out by factor", "values that go out, if a factor is written"),
}


def write_tools() -> str:
    rows = [
        [
            f"`{each.name}`",
            f"{each.title} {each.version}".rstrip(),
            each.calls_it,
            each.sees,
            " ".join(each.remarks),
        ]
        for each in CONVENTIONS.values()
    ]
    names = ("name", "tool", "its word", "it looks at", "beware")
    return _table([Column(name, "left") for name in names], rows)


def write_rules() -> str:
    kinds = dict.fromkeys(kind for name in TOOLS for kind in CONVENTIONS[name].rules)
    rows = [[kind, *(_cell(CONVENTIONS[name].rule_of(kind)) for name in TOOLS)] for kind in kinds]
    return _table([Column("layer", "left"), *(Column(name, "left") for name in TOOLS)], rows)


def _cell(rule: Rule) -> str:
    terms = [
        f"{'' if times == 1 else f'{times} '}{_SHORT[name][0]}" for name, times in rule.items()
    ]
    return " + ".join(terms).replace("+ -1 ", "- ")


def write_amounts() -> str:
    used = {name for tool in TOOLS for rule in CONVENTIONS[tool].rules.values() for name in rule}
    lines = [f"* `{short}`: {text}." for name, (short, text) in _SHORT.items() if name in used]
    return "\n".join(lines) + "\n"


def write_networks() -> str:
    rows = []
    for network in NETWORKS:
        checked = driver.measure(network, folder=ROOT)
        work = measure_work(checked.model, checked.cost)
        totals = (count_by(each, work).total for each in CONVENTIONS.values())
        rows.append([network, checked.cost.input, *(f"{total:,}" for total in totals)])
    names = map(name_number, CONVENTIONS.values())
    columns = [Column("network", "left"), Column("input"), *map(Column, names)]
    return _table(columns, rows)


def _table(columns: list[Column], rows: list[list[str]]) -> str:
    return markdown_table(columns, rows).replace("\\", "")


WRITERS: dict[str, Callable[[], str]] = {
    "table: tools": write_tools,
    "table: rules": write_rules,
    "list: amounts": write_amounts,
    "table: networks": write_networks,
}


def make_page(page: str) -> str:
    """Return the page with the tables as the rules are now."""
    for mark, write in WRITERS.items():
        head = f"<!-- {mark} -->\n\n"
        assert head in page, mark
        before, _, behind = page.partition(head)
        start = "|" if mark.startswith("table") else "*"
        rest = re.sub(rf"\A(?:[{start}][^\n]*\n)*\n?", "", behind)
        page = f"{before}{head}{write()}\n{rest}"
    return page


def test_the_page_has_the_rules_that_count() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert make_page(page) == page


if __name__ == "__main__":
    PAGE.write_text(make_page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
