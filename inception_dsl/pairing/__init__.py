"""The pairs of the nodes of two flat graphs whose names say nothing.

Both graphs become trees of rows and forks. Rows are aligned, branches assigned, at the least number
of changes. A decision stands only if every other explanation is clearly dearer; otherwise the
answer says so. It knows neither specs nor torch: `diff`, a comparison with a module and a port of a
checkpoint build on it.
"""

from inception_dsl.pairing.answers import (
    VERDICTS,
    AlikeRun,
    GraphPairing,
    Ledger,
    Partner,
    Verdict,
)
from inception_dsl.pairing.costs import Costs
from inception_dsl.pairing.deciding import Decider
from inception_dsl.pairing.departures import Departure, find_departures
from inception_dsl.pairing.flat import (
    FlatGraph,
    FlatNode,
    Key,
    find_lone_norms,
    flatten_graph,
    leave_out,
    make_flat,
)
from inception_dsl.pairing.heads import HeadPairer
from inception_dsl.pairing.parts import grow_parts
from inception_dsl.pairing.traits import find_traits, plain_value
from inception_dsl.pairing.tree import Numbers

GAP_SCALES = (1.0, 0.5)
"""The costings under which a pair must hold: removals at their weight, and at half of it."""


MAX_WORK = 2_000_000
"""Maximum number of cells, of alignments and of assignments, that one costing weighs."""


def pair_graphs(old: FlatGraph, new: FlatGraph, *, max_work: int = MAX_WORK) -> GraphPairing:
    """Return the answer for every node of two graphs.

    Args:
        max_work: the cells that one costing weighs. Graphs that take more are ambiguous as a whole.
    """
    lone = find_lone_norms(old, new) | find_lone_norms(new, old)
    one, other = (leave_out(graph, lambda node: node.op in lone) for graph in (old, new))
    ledger = _pair_all(one, other, max_work)
    for graph, is_old in ((old, True), (new, False)):
        for node in graph.nodes:
            if node.op in lone:
                ledger.leave_node(node, "alone", is_old=is_old)
    return ledger.finish(old, new)


def _pair_all(old: FlatGraph, new: FlatGraph, max_work: int) -> Ledger:
    old_traits, new_traits = find_traits(old, new)
    numbers = Numbers()
    old_parts = grow_parts(old, old_traits, numbers)
    new_parts = grow_parts(new, new_traits, numbers)
    ledger = Ledger()
    costings = [Costs(numbers, scale, max_work) for scale in GAP_SCALES]
    decider = Decider(costings, ledger)
    decider.pair_rows(old_parts.main, new_parts.main)
    inputs = dict(zip(old.inputs, new.inputs, strict=False))
    HeadPairer(costings, decider, ledger, inputs).pair(old_parts.heads, new_parts.heads)
    decider.pair_rows(old_parts.rest, new_parts.rest)
    if not all(costs.has_work for costs in costings):
        ledger = Ledger()
        for row in old_parts.rows:
            ledger.leave_old(row, "ambiguous")
        for row in new_parts.rows:
            ledger.leave_new(row, "ambiguous")
    return ledger


__all__ = [
    "VERDICTS",
    "AlikeRun",
    "Departure",
    "FlatGraph",
    "FlatNode",
    "GraphPairing",
    "Key",
    "Partner",
    "Verdict",
    "find_departures",
    "flatten_graph",
    "make_flat",
    "pair_graphs",
    "plain_value",
]
