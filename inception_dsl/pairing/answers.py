"""The answers of a pairing: one for every node of both graphs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from inception_dsl.pairing.flat import FlatGraph, FlatNode, Key
from inception_dsl.pairing.tree import Item, TreeRow, walk_nodes

Verdict = Literal["sure", "twin", "run", "ambiguous", "alone"]
"""The certainty of an answer.

`sure`: every other explanation needs clearly more changes. `twin`: equal branches of a sum, paired
in order. `run`: items of a row of alike ones whose length changed, paired by place. `ambiguous`:
undecided. `alone`: surely without a partner.
"""

VERDICTS: tuple[Verdict, ...] = ("sure", "twin", "run", "ambiguous", "alone")
"""The verdicts, the most certain pair first."""

_RANK: Mapping[Verdict, int] = {verdict: rank for rank, verdict in enumerate(VERDICTS)}


@dataclass(frozen=True, slots=True)
class Partner:
    """The answer for one node.

    Attributes:
        key: the partner; of an `ambiguous` node, the likeliest one; None if there is none.
        rivals: other nodes that may be the partner.
    """

    verdict: Verdict
    key: Key | None
    rivals: tuple[Key, ...] = ()


@dataclass(frozen=True, slots=True)
class AlikeRun:
    """A row of alike items whose length changed.

    Attributes:
        old: the keys of the nodes of each old item; `new`, of each new one.
    """

    old: tuple[tuple[Key, ...], ...]
    new: tuple[tuple[Key, ...], ...]


@dataclass(frozen=True, slots=True)
class GraphPairing:
    """The pairs of two flat graphs.

    Attributes:
        old: the answer for every old node by key; `new`, for every new one.
        runs: the rows of alike items whose length changed.
    """

    old: Mapping[Key, Partner]
    new: Mapping[Key, Partner]
    runs: tuple[AlikeRun, ...]

    @property
    def sure(self) -> dict[Key, Key]:
        """The new node of every old one that is surely paired."""
        return {key: partner.key for key, partner in self.old.items() if partner.verdict == "sure"}

    @property
    def likely(self) -> dict[Key, Key]:
        """The likeliest new node of every old one that has any."""
        return {key: partner.key for key, partner in self.old.items() if partner.key is not None}

    def count(self, verdict: Verdict) -> int:
        """Return the number of old nodes with a verdict."""
        return sum(partner.verdict == verdict for partner in self.old.values())


def choose_worse(one: Verdict, other: Verdict) -> Verdict:
    """Return the less certain of two verdicts."""
    return max(one, other, key=_RANK.__getitem__)


@dataclass(slots=True)
class Ledger:
    """The answers while they are found; the first answer for a node stands."""

    old: dict[Key, Partner] = field(default_factory=dict)
    new: dict[Key, Partner] = field(default_factory=dict)
    runs: list[AlikeRun] = field(default_factory=list)

    def pair(
        self,
        old: FlatNode,
        new: FlatNode,
        verdict: Verdict,
        rivals: tuple[tuple[Key, ...], tuple[Key, ...]] = ((), ()),
    ) -> None:
        """Pair two nodes; `rivals` are other partners of the old one, and of the new one."""
        self.old[old.key] = Partner(verdict, new.key, rivals[0])
        self.new[new.key] = Partner(verdict, old.key, rivals[1])

    def leave_old(self, part: Item | TreeRow | None, verdict: Verdict) -> None:
        """Leave the nodes of an old part without a partner."""
        _leave(self.old, walk_nodes(part), verdict)

    def leave_new(self, part: Item | TreeRow | None, verdict: Verdict) -> None:
        """Leave the nodes of a new part without a partner."""
        _leave(self.new, walk_nodes(part), verdict)

    def leave_node(self, node: FlatNode, verdict: Verdict, *, is_old: bool) -> None:
        """Leave one node without a partner."""
        _leave(self.old if is_old else self.new, [node], verdict)

    def finish(self, old: FlatGraph, new: FlatGraph) -> GraphPairing:
        """Return the answers in the order of the graphs."""
        return GraphPairing(
            {node.key: self.old[node.key] for node in old.nodes},
            {node.key: self.new[node.key] for node in new.nodes},
            tuple(self.runs),
        )


def _leave(side: dict[Key, Partner], nodes: Iterable[FlatNode], verdict: Verdict) -> None:
    """Record nodes without a partner: in a sure place they are alone, elsewhere undecided."""
    told: Verdict = "alone" if verdict in ("sure", "twin") else verdict
    for node in nodes:
        side[node.key] = Partner(told, None)
