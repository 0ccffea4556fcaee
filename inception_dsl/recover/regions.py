"""The items of a scope as a graph: the sources of each, and the item that all ways to it lead by.

A join whose branches share nothing, and that nothing outside reads, is clean: a spec can write its
branches as such.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass

from inception_dsl.recover.scopes import Flow, Item, ModuleScope, find_first


@dataclass(frozen=True, slots=True, eq=False)
class InputItem:
    """One of several inputs of a network, or of a block."""

    name: str


Source = Item | InputItem | None
"""The origin of a value: an item or an input; None stands for the value that enters the scope."""


class Region:
    """The items of a scope as a graph.

    Args:
        inputs: the names of the inputs by their keys, if they are several.
        ends: the keys of the nodes that give the network's outputs, if they are several.

    Attributes:
        exits: the key of the node whose result each item gives.
        first: the item that runs again, for each that is another one.
        ends: the items that give a result of the network.
        kept: the items that are referred to by name: those of `ends`, and those that run again.
    """

    def __init__(
        self,
        scope: ModuleScope,
        flow: Flow,
        inputs: Mapping[int, str] | None = None,
        ends: Container[int] = (),
    ) -> None:
        self.scope = scope
        entries = {key: InputItem(name) for key, name in (inputs or {}).items()}
        self.inputs = tuple(entries.values())
        self.owners: dict[int, Item] = {key: item for item in scope.items for key in item.keys}
        self.exits: dict[Item | InputItem, int] = {
            item: max(flow.leave(item.keys), default=max(item.keys)) for item in scope.items
        }
        self.exits |= {item: key for key, item in entries.items()}
        self.sources: dict[Item | InputItem, list[Source]] = {item: [None] for item in self.inputs}
        self._readers = Counter[Item | InputItem]()
        for item in scope.items:
            node = getattr(item, "node", None)
            keys = node.inputs if node is not None else flow.list_entries(item.keys)
            sources: list[Source] = [self.owners.get(key) or entries.get(key) for key in keys]
            self.sources[item] = sources
            self._readers.update(source for source in sources if source is not None)
        self.first = find_first(scope.items, flow)
        self._linked = {*self.first, *self.first.values()}
        self.ends = {item for item in scope.items if self.exits[item] in ends}
        self.kept = {*self.first.values(), *self.ends}
        self._depths: dict[Source, int] = {None: 0}
        self.dominators: dict[Item | InputItem, Source] = {}
        for source in sorted(self.sources, key=lambda source: self.exits[source]):
            self.dominators[source] = self.find_dominator(self.sources[source])
            self._depths[source] = self._depths[self.dominators[source]] + 1

    def find_dominator(self, items: Sequence[Source]) -> Source:
        """Return the nearest item that all ways to some items lead through."""
        above, *rest = items
        for item in rest:
            above = self._meet(above, item)
        return above

    def _meet(self, first: Source, second: Source) -> Source:
        while first is not second:
            if self._depths[first] >= self._depths[second]:
                assert first is not None
                first = self.dominators[first]
            else:
                assert second is not None
                second = self.dominators[second]
        return first

    def between(self, item: Source, above: Source) -> set[Item | InputItem]:
        """Return the items on the ways from one item down to another, the upper one left out."""
        passed: set[Item | InputItem] = set()
        stack = [item]
        while stack:
            current = stack.pop()
            if current is not above and current is not None and current not in passed:
                passed.add(current)
                stack.extend(self.sources[current])
        return passed

    def is_clean(self, join: Item, *, closed: bool = False) -> bool:
        """Tell whether the branches of a join can be written as branches.

        A module of several inputs has none.

        Args:
            closed: look whether steps outside the branches read steps within them, too.
        """
        if isinstance(join, ModuleScope):
            return False
        sources = self.sources[join]
        above = self.dominators[join]
        if (self.inputs and above is None) or sources.count(above) > 1:
            return False
        parts = [self.between(source, above) for source in sources]
        counts = Counter(item for part in parts for item in part)
        if max(counts.values(), default=1) > 1 or self.ends & counts.keys():
            return False
        if any(self._crosses(part, parts) for part in parts):
            return False
        return not closed or self._is_closed(join, counts)

    def _crosses(self, part: set[Item | InputItem], parts: Iterable[set[Item | InputItem]]) -> bool:
        """Tell whether a branch shares weights with steps that a branch cannot run again."""
        for item in part & self._linked:
            assert not isinstance(item, InputItem)
            first = self.first.get(item, item)
            group = {first, *(other for other, of in self.first.items() if of is first)}
            if group <= part:
                continue
            holders = [other for other in parts if other & group]
            if any(len(other) > 1 for other in holders) or len(holders) < len(group):
                return True
        return False

    def _is_closed(self, join: Item, inner: Iterable[Item | InputItem]) -> bool:
        """Tell whether nothing outside a join reads what lies within it."""
        read = Counter(source for item in inner for source in self.sources[item])
        read.update(self.sources[join])
        return all(self._readers[item] == read[item] for item in inner)
