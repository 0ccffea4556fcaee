"""Write a spec as one file, with the files that it uses and the spec that it extends merged in.

The command `resolve` prints this text.
"""

from __future__ import annotations

from collections.abc import Iterator

from inception_dsl.channels import escape_commands
from inception_dsl.characters import is_printable
from inception_dsl.ir import CallDef, Model
from inception_dsl.spec.step import StepSyntaxError, parse_step
from inception_dsl.spec.tree import Mapping, Scalar, Sequence, Tree, reads_as_text

WIDTH = 100
"""Maximum number of characters of a line that holds a list or a mapping."""

_ORDER = (
    "inception name title source input params defaults tables blocks network outputs heads budget"
    " training claims"
)


def expand(tree: Mapping, model: Model, *, with_notes: bool) -> str:
    """Write a spec as if its author had written everything in one file.

    The text leaves out blocks that nothing calls, unless a condition decides it.

    Args:
        tree: the tree of the spec after `extends` and `use` are applied.
        model: the model of the spec.
        with_notes: keep the shape notes. They do not hold if an extending file has suspended them.
    """
    called = {block.name for block in model.blocks}
    steps = (step for block in model.blocks for step in block.body if isinstance(step, CallDef))
    keeps_all = any(step.block not in called for step in steps)  # under a condition
    lines: list[str] = []
    for key in _ORDER.split():
        entry = tree.items.get(key)
        if entry is None:
            continue
        value = entry.value
        if key == "blocks" and isinstance(value, Mapping):
            called_blocks = {
                name: e for name, e in value.items.items() if keeps_all or name in called
            }
            value = Mapping(called_blocks, value.span)
            if not called_blocks:
                continue
        if lines and isinstance(value, Mapping | Sequence):
            lines.append("")
        lines.extend(_write_entry(key, value, 0, with_notes=with_notes))
    return "\n".join(lines) + "\n"


def _write_entry(key: str, value: Tree, depth: int, *, with_notes: bool) -> Iterator[str]:
    pad = "  " * depth
    name = _write_text(key)
    on_one_line = _write_on_one_line(value, with_notes=with_notes)
    if on_one_line is not None and len(pad) + len(name) + len(on_one_line) + 2 <= WIDTH:
        yield f"{pad}{name}: {on_one_line}"
        return
    yield f"{pad}{name}:"
    yield from _write_block(value, depth + 1, with_notes=with_notes)


def _write_block(value: Tree, depth: int, *, with_notes: bool) -> Iterator[str]:
    pad = "  " * depth
    match value:
        case Mapping(items):
            for key, entry in items.items():
                if with_notes or key != "out":
                    yield from _write_entry(key, entry.value, depth, with_notes=with_notes)
        case Sequence(items):
            for item in items:
                first, *rest = _write_item(item, with_notes=with_notes)
                yield f"{pad}- {first}"
                yield from (f"{pad}  {line}" for line in rest)
        case Scalar():
            yield f"{pad}{_write_scalar(value, with_notes=with_notes)}"


def _write_item(item: Tree, *, with_notes: bool) -> list[str]:
    on_one_line = _write_on_one_line(item, with_notes=with_notes)
    is_named = isinstance(item, Mapping) and len(item.items) == 1
    if on_one_line is not None and not is_named and len(on_one_line) <= WIDTH // 2:
        return [on_one_line]
    return list(_write_block(item, 0, with_notes=with_notes))


def _write_on_one_line(value: Tree, *, with_notes: bool) -> str | None:
    """Write a value on one line; return None if it reads better on several."""
    match value:
        case Scalar():
            return _write_scalar(value, with_notes=with_notes)
        case Sequence(items):
            parts = [_write_on_one_line(item, with_notes=with_notes) for item in items]
            if all(isinstance(item, Scalar) for item in items):
                return f"[{', '.join(map(str, parts))}]"
            return None
        case Mapping(items):
            if not items:
                return "{}"
            if not all(isinstance(entry.value, Scalar) for entry in items.values()):
                return None
            pairs = (
                f"{_write_text(key)}: {_write_on_one_line(entry.value, with_notes=with_notes)}"
                for key, entry in items.items()
                if with_notes or key != "out"
            )
            return f"{{{', '.join(pairs)}}}"


def _write_scalar(scalar: Scalar, *, with_notes: bool) -> str:
    if not isinstance(scalar.value, str):
        return scalar.span.text or "null"
    return _write_text(scalar.value if with_notes else _drop_note(scalar.value))


def _drop_note(text: str) -> str:
    try:
        note = parse_step(text).note
    except StepSyntaxError:
        return text
    return text if note is None else text[: note.start].removesuffix("->").rstrip(" -><")


def _write_text(text: str) -> str:
    """Write a text as YAML: plain if every reader takes it as this text, else quoted."""
    if reads_as_text(text) and escape_commands(text) == text:
        return text
    return escape_commands(f'"{"".join(map(_escape, text))}"', "\\x23")


def _escape(char: str) -> str:
    if char in '"\\':
        return f"\\{char}"
    if is_printable(char):
        return char
    return f"\\U{ord(char):08x}"
