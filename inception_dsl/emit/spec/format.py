"""Format the steps of a spec in place, for the command `fmt`.

Only the texts of steps change: comments, blank lines and the rest of the author's layout stay. The
notes of steps on neighbouring lines are aligned. A step in its long form becomes a short one,
unless it holds a comment.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from inception_dsl.emit.spec.step import write_step, write_words
from inception_dsl.source import Source, Span
from inception_dsl.spec.schema import BODY_KEYS
from inception_dsl.spec.step import StepSyntaxError, parse_step
from inception_dsl.spec.tree import Entry, Mapping, Scalar, Sequence, Tree, parse_tree

_NO_STEPS = BODY_KEYS | {"at", "after", "loss_weight"}


@dataclass(frozen=True, slots=True)
class _Step:
    """A formatted step: the region that it replaces, its new text, and its note."""

    span: Span
    code: str
    note: str


def format_spec(source: Source) -> str:
    """Return the text of a spec with its steps formatted; steps with errors stay as they are.

    Raises:
        SpecError: E0xx, the language does not accept the text as YAML.
    """
    tree = parse_tree(source)
    steps = sorted(_find_steps(tree), key=lambda step: step.span.start)
    columns = _align_notes(steps)
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


def _align_notes(steps: list[_Step]) -> list[int]:
    """Return the column at which the note of each step begins: the same in a run of lines."""
    columns: list[int] = []
    start = 0
    for index, step in enumerate(steps):
        following = steps[index + 1] if index + 1 < len(steps) else None
        goes_on = following is not None and following.span.line == step.span.line + 1
        if goes_on and following and _ends_its_line(step) and _ends_its_line(following):
            continue
        run = steps[start : index + 1]
        ends = [step.span.column - 1 + len(step.code) for step in run]
        noted = [end for end, step in zip(ends, run, strict=True) if step.note]
        columns.extend(max(noted, default=0) if len(run) > 1 else end for end in ends)
        start = index + 1
    return columns


def _ends_its_line(step: _Step) -> bool:
    """Tell whether at most a comment follows the step on its line, so that its note can move."""
    span = step.span
    line = span.source.line(span.line)
    rest = line[span.column - 1 + span.end - span.start :].strip()
    return not rest or rest.startswith("#")


def _find_steps(tree: Tree) -> Iterator[_Step]:
    if not isinstance(tree, Mapping):
        return
    for key, entry in tree.items.items():
        match key, entry.value:
            case "network", body:
                yield from _find_steps_of_body(body)
            case "blocks", Mapping(blocks):
                for block in blocks.values():
                    yield from _find_steps_of_body(block.value)
            case "training", Mapping(settings):
                yield from _find_settings(settings)
            case "heads", Mapping(heads):
                for head in heads.values():
                    yield from _find_steps_of_body(head.value)


def _find_settings(settings: dict[str, Entry]) -> Iterator[_Step]:
    """Yield the texts of a recipe's settings, in their one form; those with errors stay."""
    from inception_dsl.resolve.recipe import write_setting

    for key, entry in settings.items():
        value = entry.value
        if isinstance(value, Mapping) and "is" in value.items:
            value = value.items["is"].value
        match value:
            case Scalar(value=str(text)) if value.text.text == text:
                written = write_setting(key, text, value.text)
                if written is not None:
                    yield _Step(value.text, written, "")


def _find_steps_of_body(tree: Tree) -> Iterator[_Step]:
    match tree:
        case Scalar(value=str(text)):
            yield from _format_text(text, tree.text)
        case Sequence(items):
            for item in items:
                yield from _find_steps_of_body(item)
        case Mapping(items) if "op" in items:
            yield from _shorten(tree)
        case Mapping(items):
            for key, entry in items.items():
                if key in {"steps", "shortcut"} or key not in BODY_KEYS | {
                    "at",
                    "after",
                    "scale",
                    "act",
                    "loss_weight",
                }:
                    yield from _find_steps_of_body(entry.value)
                elif key in {"branches", "residual"} and isinstance(entry.value, Mapping):
                    for name, inner in entry.value.items.items():
                        if key == "branches" or name == "shortcut":
                            yield from _find_steps_of_body(inner.value)


def _format_text(text: str, span: Span) -> Iterator[_Step]:
    if (
        text == "none" or span.text != text
    ):  # a removed step, or a text with escapes, whose columns differ
        return
    try:
        step = parse_step(text)
        yield _Step(span, write_step(step), step.note.text if step.note else "")
    except StepSyntaxError:
        return  # `check` reports the error


def _shorten(tree: Mapping) -> Iterator[_Step]:
    """Yield a step in its long form as a short one, if the short form can express it."""
    if "#" in tree.span.text or tree.items.keys() & {"from", "title", "source", "when"}:
        return
    match tree.items.get("out"):
        case None:
            note = ""
        case Entry(value=Scalar(text=span)):
            note = span.text
        case _:
            return
    try:
        yield _Step(_trim(tree.span), write_step(parse_step(write_words(tree))), note)
    except StepSyntaxError:
        return


def _trim(span: Span) -> Span:
    """Return the region of a block mapping without the line breaks at its end."""
    return Span(span.source, span.start, span.start + len(span.text.rstrip()))
