"""Facts about characters that do not change with Python's version.

`str.isprintable` and `unicodedata` follow the Unicode version of the running Python, and files that
this package writes must be the same bytes on every version. The tables here are of Unicode 15.1; a
character that they lack counts as printable and narrow.
"""

from __future__ import annotations

import re
from bisect import bisect_right

_HIDDEN = (
    *((0x0, 0x1F), (0x7F, 0xA0), (0xAD, 0xAD), (0x600, 0x605), (0x61C, 0x61C), (0x6DD, 0x6DD)),
    *((0x70F, 0x70F), (0x890, 0x891), (0x8E2, 0x8E2), (0x1680, 0x1680), (0x180E, 0x180E)),
    *((0x2000, 0x200F), (0x2028, 0x202F), (0x205F, 0x2064), (0x2066, 0x206F), (0x3000, 0x3000)),
    *((0xD800, 0xF8FF), (0xFDD0, 0xFDEF), (0xFEFF, 0xFEFF), (0xFFF9, 0xFFFB), (0xFFFE, 0xFFFF)),
    *((0x110BD, 0x110BD), (0x110CD, 0x110CD), (0x13430, 0x1343F), (0x1BCA0, 0x1BCA3)),
    *((0x1D173, 0x1D17A), (0xE0001, 0xE0001), (0xE0020, 0xE007F), (0xF0000, 0x10FFFF)),
)
"""Ranges of control, format, private, surrogate and separator characters, without the space."""

_PLANES = range(0, 0x110000, 0x10000)

_WIDE = (
    *((0x1100, 0x115F), (0x2E80, 0x303E), (0x3041, 0xA4CF), (0xA960, 0xA97F), (0xAC00, 0xD7A3)),
    *((0xF900, 0xFAFF), (0xFE30, 0xFE6F), (0xFF01, 0xFF60), (0xFFE0, 0xFFE6), (0x16FE0, 0x18DFF)),
    *((0x1AFF0, 0x1B2FF), (0x1F300, 0x1F64F), (0x1F680, 0x1F6FF), (0x1F7E0, 0x1F7FF)),
    *((0x1F90C, 0x1FAFF), (0x20000, 0x3FFFD)),
)
"""Ranges of East Asian scripts and of emoji, whose characters are two columns wide."""


def is_printable(char: str) -> bool:
    r"""Tell whether a character is a letter, a mark, a sign or the space.

    Example:
        >>> [is_printable(char) for char in "a \n\u200b"]
        [True, True, False, False]
    """
    code = ord(char)
    return not (_is_in(_HIDDEN, code) or code & 0xFFFE == 0xFFFE)


def is_wide(char: str) -> bool:
    """Tell whether a character is two columns wide, as wide as two Latin letters."""
    return _is_in(_WIDE, ord(char))


def _is_in(ranges: tuple[tuple[int, int], ...], code: int) -> bool:
    index = bisect_right(ranges, (code, 0x110000))
    return index > 0 and code <= ranges[index - 1][1]


def _as_class(ranges: tuple[tuple[int, int], ...]) -> str:
    return "".join(f"\\U{first:08x}-\\U{last:08x}" for first, last in ranges)


UNPRINTABLE = f"[{_as_class((*_HIDDEN, *((plane + 0xFFFE, plane + 0xFFFF) for plane in _PLANES)))}]"
"""The pattern of every character for which `is_printable` is false."""


def are_printable(text: str) -> bool:
    """Tell whether every character of a text is printable."""
    if text.isascii():
        return text.isprintable()
    return re.search(UNPRINTABLE, text) is None
