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
from inception_dsl.pairing.flat import FlatGraph, FlatNode, Key, flatten_graph, make_flat
from inception_dsl.pairing.traits import find_traits, plain_value
from inception_dsl.pairing.tree import Numbers, grow_trees

GAP_SCALES = (1.0, 0.5)
"""The costings under which a pair must hold: removals at their weight, and at half of it."""


MAX_WORK = 2_000_000
"""Maximum number of cells, of alignments and of assignments, that one costing weighs."""


def pair_graphs(old: FlatGraph, new: FlatGraph, *, max_work: int = MAX_WORK) -> GraphPairing:
    """Return the answer for every node of two graphs.

    Args:
        max_work: the cells that one costing weighs. Graphs that take more are ambiguous as a whole.
    """
    old_traits, new_traits = find_traits(old, new)
    numbers = Numbers()
    old_trees = grow_trees(old, old_traits, numbers)
    new_trees = grow_trees(new, new_traits, numbers)
    ledger = Ledger()
    costings = [Costs(numbers, scale, max_work) for scale in GAP_SCALES]
    for old_tree, new_tree in zip(old_trees, new_trees, strict=True):
        Decider(costings, ledger).pair_rows(old_tree, new_tree)
    if not all(costs.has_work for costs in costings):
        ledger = Ledger()
        for old_tree, new_tree in zip(old_trees, new_trees, strict=True):
            ledger.leave_old(old_tree, "ambiguous")
            ledger.leave_new(new_tree, "ambiguous")
    return ledger.finish(old, new)


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
