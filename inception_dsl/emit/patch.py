"""The change of one file as git writes it, so that `git apply` takes it."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from typing import NamedTuple

from inception_dsl.emit.difference import compare_lines

_NO_END = "\n\\ No newline at end of file"
_ODD = re.compile(r'[\x00-\x1f"\\\x7f]')
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_ESCAPES = {"\a": "a", "\b": "b", "\t": "t", "\n": "n", "\v": "v", "\f": "f", "\r": "r"}


class PatchSide(NamedTuple):
    """A file before or after a change.

    Attributes:
        path: its path from the root of the repository.
        content: None where there is no file.
        mode: as git has it, such as 100644.
    """

    path: str
    content: bytes | None
    mode: str


def list_patch_lines(old: PatchSide, new: PatchSide, renamed: str = "") -> Iterator[str]:
    """Yield the lines of a patch; a content that is no text is only named, as git does.

    Args:
        renamed: what git says of a file that has another name now.
    """
    yield f"diff --git {_quote(f'a/{old.path}')} {_quote(f'b/{new.path}')}"
    yield from _head(old, new, _COLOUR.sub("", renamed).splitlines())
    if old.content == new.content:
        return
    names = [
        "/dev/null" if side.content is None else _quote(f"{letter}/{side.path}")
        for letter, side in (("a", old), ("b", new))
    ]
    try:
        before, after = _split(old.content), _split(new.content)
    except ValueError:
        yield f"Binary files {names[0]} and {names[1]} differ"
        return
    yield from compare_lines(before, after, *map(_end, names))


def _head(old: PatchSide, new: PatchSide, renamed: list[str]) -> Iterator[str]:
    """Yield the lines on modes, names and hashes."""
    if old.content is None:
        yield f"new file mode {new.mode}"
    elif new.content is None:
        yield f"deleted file mode {old.mode}"
    elif old.mode != new.mode:
        yield f"old mode {old.mode}"
        yield f"new mode {new.mode}"
    yield from (line for line in renamed if not line.startswith(("index ", "old mode", "new mode")))
    if old.content != new.content:
        is_same = None not in (old.content, new.content) and old.mode == new.mode
        mode = f" {old.mode}" if is_same else ""
        yield f"index {_hash(old.content)}..{_hash(new.content)}{mode}"


def _hash(content: bytes | None) -> str:
    """Return the name that git gives to a content."""
    if content is None:
        return "0" * 40
    head = b"blob %d\0" % len(content)
    return hashlib.sha1(head + content, usedforsecurity=False).hexdigest()


def _split(content: bytes | None) -> list[str]:
    """Return the lines of a content as git counts them; one without an end says so.

    Raises:
        ValueError: it is no text.
    """
    text = (content or b"").decode()
    if "\0" in text:
        raise ValueError("a text has no NUL")
    lines = text.split("\n")
    last = lines.pop()
    return [*lines, last + _NO_END] if last else lines


def _quote(name: str) -> str:
    """Return the name of a file as git writes it: in quotes if it has characters that need them."""
    if _ODD.search(name) is None:
        return name

    def escape(match: re.Match[str]) -> str:
        letter = match[0]
        short = letter if letter in '"\\' else _ESCAPES.get(letter)
        return f"\\{short or f'{ord(letter):03o}'}"

    return f'"{_ODD.sub(escape, name)}"'


def _end(name: str) -> str:
    """Return a name behind `---` or `+++`: a blank in it would end it elsewhere."""
    return f"{name}\t" if " " in name else name
