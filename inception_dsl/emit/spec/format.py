"""`fmt`: every step's text in its one form, in place; nothing else of a file is touched.

Edits are made at the spans of texts, so that comments, blank lines and the author's own layout
stay. The notes of steps on neighbouring lines are aligned. A step in its long form becomes a short
one, unless a comment stands in it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from inception_dsl.emit.spec.step import step_code
from inception_dsl.ops import WRITTEN, Op
from inception_dsl.source import Source, Span
from inception_dsl.spec.schema import BODY_KEYS
from inception_dsl.spec.step import StepSyntaxError, parse_step
from inception_dsl.spec.tree import Mapping, Scalar, Sequence, Tree, parse_tree

_NO_STEPS = BODY_KEYS | {"at", "after", "loss_weight"}


@dataclass(frozen=True, slots=True)
class _Step:
    """A step to write anew: where it stands, its text, and its note."""

    span: Span
    code: str
    note: str


def format_spec(source: Source) -> str:
    """Return the text of a spec with its steps formatted; unreadable steps stay as they are.

    Raises:
        SpecError: E0xx, the text is no YAML that the language takes.
    """
    tree = parse_tree(source)
    steps = sorted(_of_file(tree), key=lambda step: step.span.start)
    columns = _note_columns(steps)
    pieces: list[str] = []
    end = 0
    for step, column in zip(steps, columns, strict=True):
        written = step.code
        if step.note:
            start = step.span.column - 1
            written = f"{written.ljust(column - start)} -> {step.note}"
        pieces += [source.text[end : step.span.start], written]
        end = step.span.end
    return "".join(pieces) + source.text[end:]


def _note_columns(steps: list[_Step]) -> list[int]:
    """For each step the column before its note: one for all steps of a run of lines."""
    columns: list[int] = []
    start = 0
    for index, step in enumerate(steps):
        following = steps[index + 1] if index + 1 < len(steps) else None
        goes_on = following is not None and following.span.line == step.span.line + 1
        if goes_on and following and _alone(step) and _alone(following):
            continue
        run = steps[start : index + 1]
        ends = [own.span.column - 1 + len(own.code) for own in run]
        noted = [end for end, own in zip(ends, run, strict=True) if own.note]
        columns.extend(max(noted, default=0) if len(run) > 1 else end for end in ends)
        start = index + 1
    return columns


def _alone(step: _Step) -> bool:
    """It ends its line, but for a comment: its note can be moved."""
    span = step.span
    line = span.source.line(span.line)
    rest = line[span.column - 1 + span.end - span.start :].strip()
    return not rest or rest.startswith("#")


def _of_file(tree: Tree) -> Iterator[_Step]:
    if not isinstance(tree, Mapping):
        return
    for key, entry in tree.items.items():
        match key, entry.value:
            case "network", body:
                yield from _of_body(body)
            case "blocks", Mapping(blocks):
                for block in blocks.values():
                    yield from _of_body(block.value)
            case "heads", Mapping(heads):
                for head in heads.values():
                    yield from _of_body(head.value)


def _of_body(tree: Tree) -> Iterator[_Step]:
    match tree:
        case Scalar(value=str(text)):
            yield from _of_text(text, tree.text)
        case Sequence(items):
            for item in items:
                yield from _of_body(item)
        case Mapping(items) if "op" in items:
            yield from _of_long(tree)
        case Mapping(items):
            for key, entry in items.items():
                if key in {"steps", "shortcut"} or key not in BODY_KEYS | {
                    "at",
                    "after",
                    "scale",
                    "act",
                    "loss_weight",
                }:
                    yield from _of_body(entry.value)
                elif key in {"branches", "residual"} and isinstance(entry.value, Mapping):
                    for name, inner in entry.value.items.items():
                        if key == "branches" or name == "shortcut":
                            yield from _of_body(inner.value)


def _of_text(text: str, span: Span) -> Iterator[_Step]:
    if text == "none" or span.text != text:  # a removal; or escapes, whose columns are not ours
        return
    try:
        step = parse_step(text)
        yield _Step(span, step_code(step), step.note.text if step.note else "")
    except StepSyntaxError:
        return  # said by `check`


def _of_long(tree: Mapping) -> Iterator[_Step]:
    """A step in its long form as a short one, where that can say it all."""
    if "#" in tree.span.text or tree.items.keys() & {"from", "title", "source"}:
        return
    values: dict[str, str] = {}
    for key, entry in tree.items.items():
        if not isinstance(entry.value, Scalar):
            return
        values[key] = str(entry.value.text.text)
    text, note = values.pop("op"), values.pop("out", "")
    try:
        step = parse_step(text)
        modifier = f"{step.modifier.text} " if step.modifier else ""
        op = WRITTEN.get(f"{modifier}{step.name.text}")
        said = text[step.words[0].start : step.words[-1].end] if step.words else ""
        words = [said, *(_word(key, value, op) for key, value in values.items())]
        inner = " ".join(word for word in words if word)
        head = text[: step.name.end]
        yield _Step(_trimmed(tree.span), step_code(parse_step(f"{head} ({inner})")), note)
    except StepSyntaxError:
        return


def _word(key: str, value: str, op: Op | None) -> str:
    """Return the word of a short step for a key and its value; empty for a flag that is off."""
    if op is None:
        return f"{key}={value}"
    if key == op.width:
        return value
    sets = {key: {"true": True, "false": False}.get(value, value)}
    flag = next((word for word, attributes in op.flags.items() if attributes == sets), None)
    if flag is not None:
        return flag
    return "" if value == "false" else f"{key} {value}"


def _trimmed(span: Span) -> Span:
    """A block mapping's region without the line breaks that end it."""
    return Span(span.source, span.start, span.start + len(span.text.rstrip()))
