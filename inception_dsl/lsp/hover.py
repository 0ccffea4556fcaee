"""Hovers: the facts of the step, the block, the row or the key at a place, as Markdown.

An author's text is shown as code or escaped, so that nothing in a spec becomes a link or markup.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from inception_dsl.channels import markdown_code, markdown_text, printable
from inception_dsl.ir import BlockDef, CallDef, Claim, Node, NodeDef, Quantity
from inception_dsl.lsp.cursor import find_key
from inception_dsl.lsp.desk import Desk, Document
from inception_dsl.lsp.keys import describe_key
from inception_dsl.lsp.navigation import find_named
from inception_dsl.lsp.shapes import Shapes, find_shapes
from inception_dsl.lsp.steps import Run, SpecStep, is_join
from inception_dsl.lsp.vocabulary import describe_op, list_words
from inception_dsl.ops import OPS, shown
from inception_dsl.resolve.disagree import describe_change, describe_window
from inception_dsl.source import Span

MAX_RUNS = 6
"""Maximum number of runs that a hover lists."""

MAX_CLAIMS = 6
"""Maximum number of claims that a hover lists."""


class Hover(NamedTuple):
    """A text in Markdown about a region of a file."""

    start: int
    end: int
    text: str


def describe_step(shapes: Shapes, step: SpecStep) -> str:
    """Return what is known of a step: its words, its shapes and their derivation, its claims."""
    definition = step.step
    parts = [_head(step)]
    if step.runs:
        parts.append("\n".join(f"- {line}" for line in _runs(step)))
    if isinstance(definition, CallDef):
        block = shapes.reading.blocks.get(definition.block)
        parts += [describe_block(block.definition)] if block is not None else []
        parts += _arguments(step, definition)
    else:
        parts += _attributes(step, definition)
    parts += _claims(shapes, step)
    if shapes.is_stale:
        parts.append("The shapes are those of the last text without errors.")
    return "\n\n".join(parts)


def _head(step: SpecStep) -> str:
    definition = step.step
    if isinstance(definition, NodeDef) and is_join(definition):
        return f"**{definition.op}** joins {len(definition.inputs)} values"
    return f"```\n{printable(step.span.text)}\n```"


def _runs(step: SpecStep) -> Iterator[str]:
    for run in step.runs[:MAX_RUNS]:
        copies = f", {run.copies} copies" if run.copies > 1 else ""
        yield (
            f"{markdown_code(run.path)}{copies}: {run.reads} → {run.gives}, "
            f"{run.params:,} params, {run.macs:,} MACs{_derive(run)}"
        )
    if (more := len(step.runs) - MAX_RUNS) > 0:
        yield f"and {more:,} more"
    if step.absent:
        calls = "1 call" if step.absent == 1 else f"{step.absent:,} calls"
        yield f"left out by a condition in {calls}"


def _derive(run: Run) -> str:
    """Return how a step makes its shape: `147 -> 73 (3x3, stride 2, V)`."""
    item = run.last
    if len(item.inputs) != 1 or len(item.types) != 1 or run.copies > 1:
        return _derive_join(item) if isinstance(item, Node) else ""
    before, after = run.first.input_types[0], item.type
    told = [
        f"{what} {made}"
        for what, sizes in (("size", True), ("channels", False))
        if (made := describe_change(before, after, sizes=sizes)) is not None
    ]
    return f"; {', '.join(told)} ({describe_window(item)})" if told else ""


def _derive_join(node: Node) -> str:
    """Return the channels that a concat puts together: `64 + 96 = 160`."""
    if OPS[node.op].channels != "joined" or len(node.input_types) < 2:
        return ""
    channels = [type.channels for type in node.input_types]
    return f"; channels {' + '.join(map(str, channels))} = {sum(channels)}"


def describe_block(block: BlockDef) -> str:
    """Return a block's title, source and parameters."""
    title = f": {markdown_text(block.title)}" if block.title else ""
    source = f" ({markdown_text(block.source)})" if block.source else ""
    lines = [f"block {markdown_code(block.name)}{title}{source}"]
    if block.params:
        params = (
            f"`{param.name}`" + (f" (default `{shown(param.default)}`)" if param.default else "")
            for param in block.params
        )
        lines.append(f"parameters: {', '.join(params)}")
    return "\n\n".join(lines)


def _arguments(step: SpecStep, call: CallDef) -> Iterator[str]:
    rows = [(name, shown(value), name) for name, value in call.arguments.items()]
    yield from _table(step, "parameter", rows)


def _attributes(step: SpecStep, node: NodeDef) -> Iterator[str]:
    """Yield the attributes of an op in a table, each with the place that sets it."""
    op = OPS[node.op]
    rows = []
    for name, value in node.attributes.items():
        attribute = op.attribute(name)
        owner = f"{attribute.owner}'s " if attribute is not None and attribute.owner else ""
        rows.append((f"{owner}{name}", shown(value), name))
    yield from _table(step, "word", rows)


def _table(step: SpecStep, heading: str, rows: list[tuple[str, str, str]]) -> Iterator[str]:
    if not rows:
        return
    places = step.block.places.get(step.step.path, {})
    lines = [f"| {heading} | value | set by |", "|---|---|---|"]
    for name, value, key in rows:
        cells = (name, markdown_code(value), _tell_place(step.span, places.get(key)))
        lines.append("| {} | {} | {} |".format(*cells))
    yield "\n".join(lines)


def _tell_place(own: Span, place: Span | None) -> str:
    if place is None:
        return "the language"
    if place.source is own.source and own.start <= place.start <= own.end:
        return "this step"
    return markdown_code(place.place)


def _claims(shapes: Shapes, step: SpecStep) -> Iterator[str]:
    """Yield the claims of sources about a step, each beside what is counted."""
    reading = shapes.reading
    if reading.made is None or reading.quantities is None or reading.cost is None:
        return
    paths = {str(run.path) for run in step.runs}
    holders = {str(run.path.parent) for run in step.runs} if is_join(step.step) else set()
    lines = []
    for claim in reading.made.model.claims:
        if claim.at is not None and claim.at in paths | holders:
            counted = reading.quantities.find(claim.measure, claim.at, with_heads=claim.with_heads)
            lines.append(f"- {_write_claim(claim, counted)}")
    if lines:
        yield "\n".join(["claims:", "", *lines[:MAX_CLAIMS]])


def _write_claim(claim: Claim, counted: object) -> str:
    value = claim.value
    if isinstance(value, Quantity):
        text, holds = value.text, isinstance(counted, int) and value.holds(counted)
    else:
        text, holds = value, value == counted
    source = f" ({markdown_text(claim.source)})" if claim.source else ""
    verdict = "holds" if holds else f"does not hold: {counted}"
    why = f", {markdown_text(claim.deviates)}" if claim.deviates else ""
    return f"{claim.measure} {markdown_code(text)}{source} {verdict}{why}"


def describe_place(desk: Desk, document: Document, offset: int) -> Hover | None:
    """Return the facts of what stands at a place of an open spec; None if nothing is known."""
    shapes = find_shapes(desk, document)
    step = shapes.at(offset) if shapes is not None else None
    if shapes is not None and step is not None and not is_join(step.step):
        start = shapes.carry.forward(step.span.start)
        if start is not None:
            word = _describe_word(step, document.text, offset)
            text = describe_step(shapes, step)
            text = f"{word}\n\n---\n\n{text}" if word else text
            return Hover(start, start + len(step.span.text), text)
    found = find_key(document.text, offset)
    if found is None:
        return None
    keys, start, end = found
    if "defaults" in keys[:-1] and keys[-1] in OPS:
        return Hover(start, end, describe_op(OPS[keys[-1]]))
    described = describe_key(keys)
    if described is not None:
        return Hover(start, end, f"`{keys[-1]}`: {described}")
    text = _describe_named(desk, document, offset, shapes) or ""
    return Hover(start, end, text) if text else None


def _describe_word(step: SpecStep, text: str, offset: int) -> str:
    """Return the values that the word of an op at a place takes."""
    start = offset
    while start > 0 and (text[start - 1].isalnum() or text[start - 1] == "_"):
        start -= 1
    end = start
    while end < len(text) and (text[end].isalnum() or text[end] == "_"):
        end += 1
    if not isinstance(step.step, NodeDef) or start == end:
        return ""
    op = OPS[step.step.op]
    for word in list_words(op):
        if word.text == text[start:end]:
            return f"`{word.text}`: {word.takes + '; ' if word.takes else ''}{word.meaning}"
    return describe_op(op) if op.written.endswith(text[start:end]) else ""


def _describe_named(
    desk: Desk, document: Document, offset: int, shapes: Shapes | None
) -> str | None:
    """Return the facts of the step or the block that a key names."""
    named = find_named(desk, document, offset)
    if named is None:
        return None
    symbol = named.mention.symbol
    if symbol.kind == "block" and symbol.name in named.blocks:
        parts = [describe_block(named.blocks[symbol.name].definition)]
        for step in shapes.index.steps if shapes is not None else ():
            is_own = step.block.definition.name == symbol.name and "." not in step.step.path
            parts += (
                [describe_step(shapes, step)] if shapes and is_own and is_join(step.step) else []
            )
        return "\n\n".join(parts)
    if symbol.kind != "step" or shapes is None:
        return None
    steps = [
        step
        for step in shapes.index.steps
        if step.block.definition.name == symbol.block and step.step.path.is_within(symbol.name)
    ]
    joined = [step for step in steps if step.step.path.parent == symbol.name and is_join(step.step)]
    whole = [step for step in steps if step.step.path == symbol.name]
    chosen = whole or joined or steps[-1:]
    return describe_step(shapes, chosen[-1]) if chosen else None
