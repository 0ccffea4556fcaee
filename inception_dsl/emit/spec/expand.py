"""`resolve`: a spec as one file, with all that it uses in it and every layer laid over its base."""

from __future__ import annotations

from collections.abc import Iterator

from inception_dsl.channels import escape_commands
from inception_dsl.characters import is_printable
from inception_dsl.ir import Model
from inception_dsl.spec.step import StepSyntaxError, parse_step
from inception_dsl.spec.tree import Mapping, Scalar, Sequence, Tree, reads_as_text

WIDTH = 100

_ORDER = (
    "inception name title source input params defaults tables blocks network heads budget claims"
)


def expand(tree: Mapping, model: Model, *, with_notes: bool) -> str:
    """A spec's text as if its author had written everything in one file.

    Blocks that nothing calls are left out.

    Args:
        tree: the spec's tree, layers laid and used files in it.
        with_notes: keep shape notes; not where an extending file has suspended them.
    """
    called = {block.name for block in model.blocks}
    lines: list[str] = []
    for key in _ORDER.split():
        entry = tree.items.get(key)
        if entry is None:
            continue
        value = entry.value
        if key == "blocks" and isinstance(value, Mapping):
            kept = {name: e for name, e in value.items.items() if name in called}
            value = Mapping(kept, value.span)
            if not kept:
                continue
        if lines and isinstance(value, Mapping | Sequence):
            lines.append("")
        lines.extend(_entry(key, value, 0, with_notes=with_notes))
    return "\n".join(lines) + "\n"


def _entry(key: str, value: Tree, depth: int, *, with_notes: bool) -> Iterator[str]:
    pad = "  " * depth
    name = _scalar_text(key)
    flow = _flow(value, with_notes=with_notes)
    if flow is not None and len(pad) + len(name) + len(flow) + 2 <= WIDTH:
        yield f"{pad}{name}: {flow}"
        return
    yield f"{pad}{name}:"
    yield from _block(value, depth + 1, with_notes=with_notes)


def _block(value: Tree, depth: int, *, with_notes: bool) -> Iterator[str]:
    pad = "  " * depth
    match value:
        case Mapping(items):
            for key, entry in items.items():
                if with_notes or key != "out":
                    yield from _entry(key, entry.value, depth, with_notes=with_notes)
        case Sequence(items):
            for item in items:
                first, *rest = _item(item, with_notes=with_notes)
                yield f"{pad}- {first}"
                yield from (f"{pad}  {line}" for line in rest)
        case Scalar():
            yield f"{pad}{_scalar(value, with_notes=with_notes)}"


def _item(item: Tree, *, with_notes: bool) -> list[str]:
    flow = _flow(item, with_notes=with_notes)
    is_named = isinstance(item, Mapping) and len(item.items) == 1
    if flow is not None and not is_named and len(flow) <= WIDTH // 2:
        return [flow]
    return list(_block(item, 0, with_notes=with_notes))


def _flow(value: Tree, *, with_notes: bool) -> str | None:
    """A value on one line; None for what reads better on several."""
    match value:
        case Scalar():
            return _scalar(value, with_notes=with_notes)
        case Sequence(items):
            parts = [_flow(item, with_notes=with_notes) for item in items]
            if all(isinstance(item, Scalar) for item in items):
                return f"[{', '.join(map(str, parts))}]"
            return None
        case Mapping(items):
            if not items:
                return "{}"
            if not all(isinstance(entry.value, Scalar) for entry in items.values()):
                return None
            pairs = (
                f"{_scalar_text(key)}: {_flow(entry.value, with_notes=with_notes)}"
                for key, entry in items.items()
                if with_notes or key != "out"
            )
            return f"{{{', '.join(pairs)}}}"


def _scalar(scalar: Scalar, *, with_notes: bool) -> str:
    if not isinstance(scalar.value, str):
        return scalar.span.text or "null"
    return _scalar_text(scalar.value if with_notes else _without_note(scalar.value))


def _without_note(text: str) -> str:
    try:
        note = parse_step(text).note
    except StepSyntaxError:
        return text
    return text if note is None else text[: note.start].removesuffix("->").rstrip(" -><")


def _scalar_text(text: str) -> str:
    """A text as YAML: plain where it reads as itself anywhere, else quoted."""
    if reads_as_text(text) and escape_commands(text) == text:
        return text
    return escape_commands(f'"{"".join(map(_escaped, text))}"', "\\x23")


def _escaped(char: str) -> str:
    if char in '"\\':
        return f"\\{char}"
    if is_printable(char):
        return char
    return f"\\U{ord(char):08x}"
