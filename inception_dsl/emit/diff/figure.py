"""A comparison as figures: the schema and every block that changes, old and new in one.

What stays is grey, what came has a plus, what went is a ghost in its place, what changed has a
delta and its old words struck; a dotted box says that only its shape or its cost follows.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from textwrap import wrap

from inception_dsl.diagnostics import Diagnostic, SpecError
from inception_dsl.diff import Changed, Comparison, Edit, Finding, Renamed, Reparented, Report
from inception_dsl.emit.diff.ghosts import Boxes, with_ghosts
from inception_dsl.emit.diff.notation import detail_text
from inception_dsl.emit.diff.sentences import write_sentence
from inception_dsl.emit.diff.words import headline
from inception_dsl.emit.figure.content.blocks import block_input, block_vertices
from inception_dsl.emit.figure.content.boxes import head_label, input_leaf
from inception_dsl.emit.figure.content.decompose import NotSeriesParallelError, decompose
from inception_dsl.emit.figure.content.schema import head_vertices, schema_vertices
from inception_dsl.emit.figure.content.subject import FigureSubject, describe
from inception_dsl.emit.figure.content.tree import (
    Element,
    Leaf,
    Line,
    Mark,
    Series,
    StepGroup,
    Vertex,
    leaves,
    map_leaves,
)
from inception_dsl.emit.figure.formats.svg import to_svg
from inception_dsl.emit.figure.layout.arrange import place_tree
from inception_dsl.emit.figure.layout.metrics import text_width
from inception_dsl.emit.figure.layout.page import page, stack
from inception_dsl.emit.figure.layout.poster import Panel, arrange_panels
from inception_dsl.emit.figure.layout.scene import Frame, PlacedText, Scene, merge
from inception_dsl.emit.figure.notice import notice_scene
from inception_dsl.emit.figure.styles import PRESETS, Paint
from inception_dsl.ir import INPUT, NETWORK, Head, Model, Path, inline

_BLUE, _RED = "#0060A8", "#C24E00"

SAME = Mark("#F8F9FA", "#BDC1C6", text="#5F6368", faded=True)
ADDED = Mark("#E3F5EE", "#007A5A", 2.2, edge="#007A5A", badge="+")
REMOVED = Mark("#FDF1EA", _RED, 2.0, "5 3", edge=_RED, edge_dash="5 3", badge="-", hatched=True)
CHANGED = Mark("#E3EFFA", _BLUE, 2.2, badge="delta")
RIPPLE = Mark("#FFFFFF", _BLUE, 1.4, "1.5 2.5")

_LEGEND = (
    (ADDED, "added"),
    (REMOVED, "removed"),
    (CHANGED, "changed"),
    (RIPPLE, "only its shape or cost follows"),
)
_BETWEEN = 60.0
MANY = 8
"""A change that more lines than these have in common is told beneath the figure."""
SENTENCE = 160
"""Characters of a line there."""


def diff_svg(report: Report, *, side_by_side: bool = False) -> str:
    """Return every comparison of a report on one sheet, as SVG; below, what could not be made.

    Raises:
        SpecError: E502, there is nothing to draw, or lines cross.
    """
    scenes = [_Figure(made, side_by_side=side_by_side).scene() for made in report.comparisons]
    if report.unmade:
        scenes.append(notice_scene(d for unmade in report.unmade for d in unmade.diagnostics))
    if not scenes:
        message = "there is no comparison to draw: no spec changed"
        raise SpecError([Diagnostic("E502", message)])
    titles = [made.title for made in report.comparisons]
    titles += [unmade.title for unmade in report.unmade]
    return to_svg(stack(scenes), title="; ".join(titles))


@dataclass(frozen=True, slots=True)
class _Body:
    """The boxes of a block, or of the network, on one side.

    `prefix` is the path of the call that is looked at, `prefixes` those of all calls.
    """

    vertices: Sequence[Vertex]
    output: str
    prefix: Path
    prefixes: tuple[Path, ...]
    entering: Leaf


@dataclass(frozen=True, slots=True)
class _Heads:
    """Training heads of both sides, and of both in one, each with the path of what it reads."""

    old: Sequence[tuple[Path, StepGroup]] = ()
    new: Sequence[tuple[Path, StepGroup]] = ()
    both: Sequence[tuple[Path, StepGroup]] = ()


NONE_BESIDE = _Heads()


class _Figure:
    """The figures of one comparison."""

    def __init__(self, comparison: Comparison, *, side_by_side: bool) -> None:
        self._comparison = comparison
        self._side_by_side = side_by_side
        self._old = describe(comparison.old, comparison.old_cost)
        self._new = describe(comparison.new, comparison.new_cost)
        diff = comparison.diff
        self._pairs: dict[str, Path] = dict(diff.pairs)
        self._back: dict[str, Path] = {b: a for a, b in diff.pairs}
        edits = [e for e in diff.edits if e.category not in ("INTERFACE", "COSMETIC")]
        self._everywhere = [edit for edit in edits if _is_everywhere(edit)]
        edits = [edit for edit in edits if edit not in self._everywhere]
        self._direct: dict[str, list[Edit]] = {}
        for edit in edits:
            for place in edit.places:
                if place.new is not None:
                    self._direct.setdefault(place.new, []).append(edit)
        self._followers = {path for edit in diff.edits for path in edit.followers}
        self._below = [_nodes_below(model) for model in (comparison.old, comparison.new)]
        self._blocks = dict.fromkeys(
            block for edit in edits for block in [edit.new.block if edit.new else "", *_sites(edit)]
        )

    def scene(self) -> Scene:
        """The schema, then the blocks that change."""
        style = PRESETS["modern"]
        old, new = (
            _Body(*schema_vertices(subject), Path(), (Path(),), input_leaf(subject))
            for subject in (self._old, self._new)
        )
        schema = self._drawn(old, new, self._heads(old, new))
        panels = [Panel("schema", "Overall schema", "", schema)]
        blocks = [
            Panel(name, self._new.title(block), "", self._drawn(*bodies))
            for name, block in self._new.blocks.items()
            if name in self._blocks and name != NETWORK and (bodies := self._bodies(name))
        ]
        said = headline(self._comparison)
        title = self._comparison.title
        findings = self._comparison.findings
        parts = [_legend(), *_sentences(f for f in findings if f.edit in self._everywhere)]
        return page(arrange_panels(panels, blocks, style), title=title, subtitle=said, parts=parts)

    def _bodies(self, name: str) -> tuple[_Body, _Body] | None:
        """A block of the new model, and that of the old one in whose place it stands."""
        for place in self._new.calls[name]:
            for node in self._below[1].get(place.path, []):
                was = self._back.get(node)
                if was is None:
                    continue
                holders = [
                    (old == name, len(other.path), old, other.path)
                    for old, own in self._old.calls.items()
                    for other in own
                    if was.is_below(other.path)
                ]
                if holders:
                    *_, old, prefix = max(holders)
                    return _body(self._old, old, prefix), _body(self._new, name, place.path)
        return None

    def _heads(self, old: _Body, new: _Body) -> _Heads:
        was: dict[str, Head] = {head.path: head for head in self._comparison.old.heads}
        before: list[tuple[Path, StepGroup]] = []
        after: list[tuple[Path, StepGroup]] = []
        both: list[tuple[Path, StepGroup]] = []
        for head in self._comparison.new.heads:
            body, label = self._head(self._new, head), head_label(head)
            other = self._head_before(head, was)
            if other is None:
                group = _group(head, label, _all_marked(body, ADDED))
                both.append((head.at, group))
                after.append((head.at, group))
                continue
            del was[other.path]
            own, said = self._head(self._old, other), head_label(other)
            sides = self._marked(own, body)
            before.append((other.at, _group(other, said, sides[0])))
            after.append((head.at, _group(head, label, sides[1])))
            merged = self._in_one(*sides, self._matches(own, body)) or sides[1]
            labels = " -> ".join(dict.fromkeys([said, label]))
            both.append((head.at, _group(head, labels, merged)))
        matches = self._matches(old, new)
        ends = {vertex.name: vertex.paths[-1] for vertex in new.vertices}
        for head in was.values():
            body = _all_marked(self._head(self._old, head), REMOVED, struck=True)
            group = _group(head, head_label(head), body)
            box = next((v.name for v in old.vertices if head.at in v.paths), head.at)
            before.append((head.at, group))
            both.append((ends.get(matches.get(box, ""), head.at), group))
        return _Heads(before, after, both)

    def _head_before(self, head: Head, was: Mapping[str, Head]) -> Head | None:
        """The old head that a new one is, by a step that both have or by its name."""
        for node in self._below[1].get(head.path, []):
            for other in was.values():
                if other.holds(self._back.get(node, "")):
                    return other
        return was.get(head.path)

    def _head(self, subject: FigureSubject, head: Head) -> _Body:
        vertices = [
            replace(vertex, inputs=tuple(INPUT if p == head.at else p for p in vertex.inputs))
            for vertex in head_vertices(subject, head)
        ]
        return _Body(vertices, head.output, Path(), (Path(),), input_leaf(subject))

    def _in_one(self, before: _Body, after: _Body, matches: dict[str, str]) -> _Body | None:
        """Both in one, what went as ghosts; None where lines cross then."""
        sides = Boxes(before.vertices, before.output), Boxes(after.vertices, after.output)
        try:
            both = with_ghosts(*sides, matches)
            decompose(both.vertices, both.output)
        except NotSeriesParallelError:
            return None
        return replace(after, vertices=both.vertices, output=both.output)

    def _drawn(self, old: _Body, new: _Body, heads: _Heads = NONE_BESIDE) -> Scene:
        style = PRESETS["modern"]
        before, after = self._marked(old, new)
        if not self._side_by_side:
            both = self._in_one(before, after, self._matches(old, new))
            if both is not None:
                return place_tree(_tree(both), style, heads.both)
        try:
            drawn = [
                place_tree(_tree(own), style, beside)
                for own, beside in ((before, heads.old), (after, heads.new))
            ]
        except NotSeriesParallelError:
            message = f"the lines of `{new.prefix or NETWORK}` cross"
            raise SpecError([Diagnostic("E502", message)]) from None
        height = max(side.height for side in drawn)
        x = 0.0
        placed = []
        for side in drawn:
            placed.append(side.move(x, (height - side.height) / 2))
            x += side.width + _BETWEEN
        return merge(placed, x - _BETWEEN, height)

    def _counterparts(self, old: _Body, new: _Body) -> dict[str, list[str]]:
        """The boxes of the new body that an old one is, or that were made of it, in order."""
        boxes = {
            node: vertex.name
            for vertex in new.vertices
            for node in self._nodes(vertex, new.prefix, 1)
        }
        found: dict[str, list[str]] = {}
        for vertex in old.vertices:
            nodes = (self._pairs.get(node, "") for node in self._nodes(vertex, old.prefix, 0))
            found[vertex.name] = list(dict.fromkeys(boxes[node] for node in nodes if node in boxes))
        return found

    def _matches(self, old: _Body, new: _Body) -> dict[str, str]:
        """Which box of the new body an old one is."""
        found: dict[str, str] = {}
        for path, boxes in self._counterparts(old, new).items():
            free = (box for box in boxes if box not in found.values())
            if (now := next(free, None)) is not None:
                found[path] = now
        return found

    def _nodes(self, vertex: Vertex, prefix: Path, side: int) -> Iterator[str]:
        for path in vertex.paths:
            yield from self._below[side].get(prefix / path, [])

    def _marked(self, old: _Body, new: _Body) -> tuple[_Body, _Body]:
        """Both bodies with the looks that their boxes have in a comparison."""
        matches = self._matches(old, new)
        counterparts = self._counterparts(old, new)
        was = {now: path for path, now in matches.items() if len(counterparts[path]) == 1}
        elements = {vertex.name: vertex.element for vertex in old.vertices}
        after = [
            replace(
                vertex,
                element=self._looks(vertex, new.prefixes, elements.get(was.get(vertex.name, ""))),
            )
            for vertex in new.vertices
        ]
        before = []
        looks = {vertex.name: vertex.element for vertex in after}
        for vertex in old.vertices:
            now = looks.get(matches.get(vertex.name, ""))
            mark = REMOVED if now is None else next(leaves(now)).mark
            struck = now is None
            before.append(
                replace(vertex, element=_mapped(vertex.element, mark or SAME, struck=struck))
            )
        entering = [replace(own.entering, mark=SAME) for own in (old, new)]
        if entering[0].shape != entering[1].shape:
            entering[1] = _with_shape(replace(entering[1], mark=RIPPLE), entering[0].shape)
        return (
            replace(old, vertices=before, entering=entering[0]),
            replace(new, vertices=after, entering=entering[1]),
        )

    def _looks(self, vertex: Vertex, prefixes: tuple[Path, ...], was: Element | None) -> Element:
        nodes = [node for prefix in prefixes for node in self._nodes(vertex, prefix, 1)]
        if was is None and not any(node in self._back for node in nodes):
            return _mapped(vertex.element, ADDED)
        paths = [prefix / path for prefix in prefixes for path in vertex.paths]
        inside = {path for path in self._direct if _is_below(path, paths)}
        copies = {path for path in inside if path.rpartition(".")[0] in paths and _is_copy(path)}
        own = [edit for path in paths for edit in self._direct.get(path, [])]
        count = len({_step(path, paths) for path in inside - copies}) if not own else 0
        follows = any(node in self._followers for node in nodes)
        old = list(leaves(was)) if was is not None else []
        mark = CHANGED if inside else RIPPLE if follows else SAME
        texts = [leaf.lines for leaf in leaves(vertex.element)]

        def change(leaf: Leaf) -> Leaf:
            before = old.pop(0) if old else None
            if before is None or mark is SAME:  # at the most, parameters have other names
                lines = leaf.lines
            else:
                lines = _both(before.lines, leaf.lines)
            if count and leaf.lines == texts[0]:
                word = "steps" if count > 1 else "step"
                lines = (*lines, Line(f"({count} {word} changed inside)", colour=_BLUE))
            if own and lines == leaf.lines:  # what a box does not say of itself
                said = dict.fromkeys(map(detail_text, own))
                lines = (*lines, *(Line(text, small=True) for text in said))
            marked = replace(leaf, lines=lines, mark=mark)
            return _with_shape(marked, before.shape if before else leaf.shape)

        return _only(map_leaves(Series((vertex.element,)), change))


def _body(subject: FigureSubject, name: str, prefix: Path) -> _Body:
    block = subject.blocks[name]
    vertices, output = block_vertices(subject, block)
    prefixes = tuple(place.path for place in subject.calls[name])
    return _Body(vertices, output, prefix, prefixes, block_input(subject, block))


def _tree(body: _Body) -> Series:
    return Series((body.entering, *decompose(body.vertices, body.output).items))


def _group(head: Head, label: str, body: _Body) -> StepGroup:
    return StepGroup(head.path, label, decompose(body.vertices, body.output), is_head=True)


def _all_marked(body: _Body, mark: Mark, *, struck: bool = False) -> _Body:
    vertices = [
        replace(vertex, element=_mapped(vertex.element, mark, struck=struck))
        for vertex in body.vertices
    ]
    return replace(body, vertices=vertices)


def _mapped(element: Element, mark: Mark, *, struck: bool = False) -> Element:
    def change(leaf: Leaf) -> Leaf:
        lines = tuple(replace(line, struck=struck) for line in leaf.lines)
        return replace(leaf, mark=mark, lines=lines)

    return _only(map_leaves(Series((element,)), change))


def _only(series: Series) -> Element:
    (element,) = series.items
    return element


def _both(old: Sequence[Line], new: Sequence[Line]) -> tuple[Line, ...]:
    """The lines of a box; of those that differ the old ones struck, above the new ones."""
    lines: list[Line] = []
    for index in range(max(len(old), len(new))):
        was = old[index] if index < len(old) else None
        now = new[index] if index < len(new) else None
        if was is not None and now is not None and was.text == now.text:
            lines.append(now)
            continue
        if was is not None:
            lines.append(replace(was, struck=True, colour=_RED))
        if now is not None:
            lines.append(replace(now, bold=True, colour=_BLUE))
    return tuple(lines)


def _with_shape(leaf: Leaf, was: str) -> Leaf:
    """A leaf with what it gives beside it, where that is another shape than it was."""
    if was == leaf.shape or not was:
        return leaf
    return replace(leaf, note=f"{was} -> {leaf.shape}")


def _legend() -> Scene:
    x = 0.0
    frames: list[Frame] = []
    texts: list[PlacedText] = []
    for mark, meaning in _LEGEND:
        paint = Paint(mark.fill or "", mark.stroke or "", mark.dash, mark.width or 1.2)
        frames.append(Frame("", x, 0, 26, 15, paint, radius=3))
        texts.append(PlacedText(x + 32, 11, meaning, anchor="start"))
        x += 32 + text_width(meaning, 11) + 18
    return Scene(x - 18, 15, tuple(frames), texts=tuple(texts))


def _nodes_below(model: Model) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for node in inline(model).nodes:
        for holder in (node.path, *node.path.parents):
            found.setdefault(holder, []).append(node.path)
    return found


def _is_below(path: str, holders: Iterable[str]) -> bool:
    return any(path == holder or path.startswith(f"{holder}.") for holder in holders)


def _step(path: str, holders: Sequence[str]) -> str:
    """A path within its holder, copies taken together."""
    holder = next(own for own in holders if _is_below(path, [own]))
    inner = path.removeprefix(holder).removeprefix(".")
    number, _, rest = inner.partition(".")
    return rest if number.isdigit() else inner


def _is_copy(path: str) -> bool:
    return path.rpartition(".")[2].isdigit()


def _is_everywhere(edit: Edit) -> bool:
    """It would mark nearly every box of a block."""
    match edit:
        case Changed(sites=sites):
            return len(sites) > MANY
        case Renamed(is_many=is_many) | Reparented(is_many=is_many):
            return is_many
        case _:
            return False


def _sites(edit: Edit) -> list[str]:
    return [site.block for site in edit.sites] if isinstance(edit, Changed) else []


def _told(finding: Finding) -> str:
    """Return where a finding is and what changed, without what it means."""
    sentence = write_sentence(finding)
    return f"{sentence.subject}: {sentence.what}"


def _sentences(findings: Iterable[Finding]) -> list[Scene]:
    """Changes that would mark nearly every box, told beneath the figure instead."""
    said = [
        line
        for finding in findings
        for line in wrap(_told(finding), SENTENCE, subsequent_indent="   ")
    ]
    texts = tuple(PlacedText(0, 11 + 16 * i, text, anchor="start") for i, text in enumerate(said))
    width = max((text_width(text, 11) for text in said), default=0.0)
    return [Scene(width, 16.0 * len(said), texts=texts)] if said else []
