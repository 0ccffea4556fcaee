"""The lines behind the steps of two networks: where each edit is to be looked at.

Many steps of a network of code come from one line of a helper, such as the `nn.Conv2d(...)` of a
class with a norm and an activation. The value of an attribute is written at the innermost line at
which all steps have the same value: the eps of every norm in the helper, a kernel where the helper
is called.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

from inception_dsl.diff.edit_facts import EditPlace
from inception_dsl.diff.edits import Changed
from inception_dsl.diff.finding import Finding, FindingSpot
from inception_dsl.ir import Graph, Node, Path
from inception_dsl.ops import ACTIVATIONS, NORMS, OPS
from inception_dsl.source import Span

if TYPE_CHECKING:
    from inception_dsl.spec.files import CodeStep

_LineKey = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Lines:
    """The lines behind the steps of one network of a comparison.

    Attributes:
        nodes: its nodes by path.
        below: the nodes at each path and below it.
        steps: of a network of code, the modules that run its nodes, by path; None for a spec.
        alike: the nodes that each line of code is behind.
    """

    nodes: Mapping[Path, Node]
    below: Mapping[Path, Sequence[Path]]
    steps: Mapping[Path, CodeStep] | None
    alike: Mapping[_LineKey, Collection[Path]]

    def find_lines(self, path: Path | None, names: Sequence[str]) -> _Lines:
        """Return the lines behind all nodes at a path, and the innermost that sets attributes.

        Lines of the working tree come before those of installed packages.

        Args:
            names: the attributes; without any, the line that makes these nodes and fewest others.
        """
        paths = self.below.get(path, ()) if path is not None else ()
        if not paths:
            return _Lines()
        if self.steps is None:
            span = self.nodes[paths[0]].origin.span
            return _Lines() if span is None else _Lines((span,))
        held = [path for path in paths if path in self.steps]
        # A function runs where no module of a block is made.
        held = [path for path in held if self.steps[path].is_built] or held
        known = [self._list_lines(path, names) for path in held]
        if not known:
            return _Lines()
        shared = set.intersection(*(set(map(_key, lines)) for lines in known))
        common = [span for span in known[0] if _key(span) in shared]
        common = [span for span in common if span.source.path is not None] or common
        if not names and all(self.steps[path].is_built for path in held):
            counts = [len(self.alike[_key(span)]) for span in common]
            return _Lines(tuple(common), counts.index(min(counts)) if counts else 0)
        for place, span in enumerate(common):
            if len({self._read(path, names) for path in self.alike[_key(span)]}) == 1:
                return _Lines(tuple(common), place)
        return _Lines(tuple(common))

    def find_module(self, path: Path | None) -> str | None:
        """Return the path of the module that runs the node at a path; None if none is known."""
        step = (self.steps or {}).get(path) if path is not None else None
        return None if step is None else step.module

    def _list_lines(self, path: Path, names: Sequence[str]) -> Sequence[Span]:
        assert self.steps is not None
        step = self.steps[path]
        for lines, owners in ((step.norm_lines, NORMS), (step.act_lines, ACTIVATIONS)):
            if lines and names and _list_carried(self.nodes[path], owners) >= {*names}:
                return lines
        return step.lines

    def _read(self, path: Path, names: Sequence[str]) -> tuple[object, ...]:
        node = self.nodes[path]
        return (node.op, *(node.attributes.get(name) for name in names))


def _list_carried(node: Node, owners: Collection[str]) -> set[str]:
    """Return the attributes of a node that say which norm, or which activation, it carries."""
    owned = {a.name for a in OPS[node.op].attributes if a.owner in owners}
    return owned | {"act"} if owners is ACTIVATIONS else owned


class _Lines(NamedTuple):
    """The lines behind some nodes, the innermost first, and the place of the one that is meant."""

    spans: tuple[Span, ...] = ()
    place: int = 0

    @property
    def span(self) -> Span | None:
        """The line that is meant; None if none is known."""
        return self.spans[self.place] if self.spans else None


def list_lines(graph: Graph, steps: Mapping[Path, CodeStep] | None) -> Lines:
    """Return the lines behind the steps of a network.

    Args:
        steps: of a network of code, the modules that run its nodes, by path.
    """
    nodes = {node.path: node for node in graph.nodes}
    below: dict[Path, list[Path]] = {}
    for path in nodes:
        for holder in (path, *path.parents):
            below.setdefault(holder, []).append(path)
    alike: dict[_LineKey, list[Path]] = {}
    known = {path: step for path, step in (steps or {}).items() if path in nodes}
    for path, step in known.items():
        for key in dict.fromkeys(map(_key, (*step.lines, *step.norm_lines, *step.act_lines))):
            alike.setdefault(key, []).append(path)
    return Lines(nodes, below, steps, alike)


def locate_findings(findings: Iterable[Finding], old: Lines, new: Lines) -> Iterator[Finding]:
    """Yield findings with the lines of each of their places."""
    for finding in findings:
        edit = finding.edit
        if edit is None:
            yield finding
            continue
        names = edit.names if isinstance(edit, Changed) else ()
        spots = tuple(_locate(place, names, old, new) for place in edit.places)
        spans = [
            known if lines.steps is None and known is not None else _first(found)
            for lines, known, found in (
                (old, finding.old, (spot.old for spot in spots)),
                (new, finding.new, (spot.new for spot in spots)),
            )
        ]
        yield replace(finding, old=spans[0], new=spans[1], spots=spots)


def _locate(place: EditPlace, names: Sequence[str], old: Lines, new: Lines) -> FindingSpot:
    before, after = place.old, place.new
    beside = before
    if before is None and old.steps is None:  # a spec shows where it lacks the steps
        beside = _find_before(new, old, after)
    lines = old.find_lines(beside, names)
    new_lines = new.find_lines(
        after if after is not None else _find_before(old, new, before), names
    )
    if names and len(lines.spans) == len(new_lines.spans):  # the value of one side may be any
        deepest = max(lines.place, new_lines.place)
        lines, new_lines = (each._replace(place=deepest) for each in (lines, new_lines))
    return FindingSpot(
        before if before is not None else place.path,
        new.find_module(after) or old.find_module(before),
        lines.span,
        new_lines.span,
    )


def _find_before(side: Lines, other: Lines, path: Path | None) -> Path | None:
    """Return the nearest node that a node on one side reads at last and that both sides have."""
    at = next(iter(side.below.get(path, ())), None) if path is not None else None
    while at is not None and at in side.nodes and at not in other.nodes:
        inputs = side.nodes[at].inputs
        at = inputs[0] if inputs else None
    return at


def _first(spans: Iterable[Span | None]) -> Span | None:
    return next((span for span in spans if span is not None), None)


def _key(span: Span) -> _LineKey:
    return span.source.name, span.line
