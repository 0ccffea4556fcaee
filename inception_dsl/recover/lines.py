"""The lines of a spec: texts in lists and mappings, laid out as a person writes YAML."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from inception_dsl.spec.tree import reads_as_text

WIDTH = 100
"""Maximum number of characters of a line that holds a list or a mapping."""

Written = str | list["Written"] | dict[str, "Written"]
"""A part of a spec as texts in lists and mappings."""


def quote(text: str) -> str:
    """Return a text as YAML reads it: plain where it can be."""
    return text if reads_as_text(text) and text.isprintable() else _escape(text)


def _escape(text: str) -> str:
    import json

    return json.dumps(text, ensure_ascii=not text.isprintable())


def flow(value: Written) -> str:
    """Return a part of a spec on one line."""
    match value:
        case dict():
            pairs = (
                f"{key}: {flow(inner)}" if inner != "" else key for key, inner in value.items()
            )
            return f"{{{', '.join(pairs)}}}"
        case list():
            return f"[{', '.join(map(flow, value))}]"
        case _:
            return value


def write_lines(value: Written, indent: int) -> Iterator[str]:
    """Yield the lines of a part of a spec."""
    pad = " " * indent
    match value:
        case dict():
            width = _common_width(value)
            for key, inner in value.items():
                yield from write_entry(pad, f"{key}:", inner, indent, width)
        case list():
            for item in value:
                yield from _write_item(item, indent)
        case _:
            yield f"{pad}{value}"


def _common_width(value: Mapping[str, Written]) -> int:
    """Return the width of the longest key, if the values of all keys stand beside them."""
    is_aligned = all(isinstance(inner, str | list) for inner in value.values()) and len(value) > 1
    is_steps = not value.keys() & {"params", "residual", "steps", "branches", "from", "join"}
    return max(map(len, value)) + 1 if is_aligned and is_steps else 0


def write_entry(pad: str, key: str, inner: Written, indent: int, width: int) -> Iterator[str]:
    """Yield the lines of a key, with a colon, and of what stands under it.

    Args:
        width: the width of the longest key beside it, if their values stand below each other.
    """
    text = flow(inner)
    is_short = len(pad) + max(len(key), width) + 1 + len(text) <= WIDTH
    is_branches = isinstance(inner, dict) and key == "branches:" and len(inner) > 2
    is_deep = isinstance(inner, dict) and any(isinstance(part, dict) for part in inner.values())
    if isinstance(inner, str) or (is_short and not is_branches and not is_deep):
        yield f"{pad}{key.ljust(width)} {text}".rstrip()
    else:
        yield f"{pad}{key}"
        yield from write_lines(inner, indent + 2)


def _write_item(item: Written, indent: int) -> Iterator[str]:
    pad = " " * indent
    text = flow(item)
    is_short = indent + 2 + len(text) <= WIDTH
    match item:
        case dict() if len(item) == 1:
            ((name, inner),) = item.items()
            has_branches = isinstance(inner, dict) and "branches" in inner
            if isinstance(inner, str) or (is_short and not has_branches):
                yield f"{pad}- {name}: {flow(inner)}"
            else:
                yield f"{pad}- {name}:"
                yield from write_lines(inner, indent + 4)
        case dict() | list() if is_short:
            yield f"{pad}- {text}"
        case dict() | list():
            first, *rest = write_lines(item, indent + 2)
            yield f"{pad}- {first[indent + 2 :]}"
            yield from rest
        case _:
            yield f"{pad}- {text}"
