"""The widths of texts in Helvetica, so that a figure can be laid out without a font.

Arial, Liberation Sans and Arimo have the same widths. For other characters the width is an
estimate, and PNG files lack them, for their font is Arimo's Latin.
"""

from __future__ import annotations

from collections.abc import Iterator

from inception_dsl.characters import is_wide

# ruff: noqa: RUF001

_REGULAR = {
    191: "'",
    222: "ijl‘’",
    260: "|¦",
    278: " !,./:;I[\\]ft\xa0ÌÍÎÏìíîï",
    333: "()-`r¡¨²³´·¸¹“”",
    334: "{}",
    350: "•",
    355: '"',
    365: "º",
    370: "ª",
    389: "*",
    400: "°",
    469: "^",
    500: "Jcksvxyzçýÿ",
    537: "¶",
    549: "±÷",
    552: "¯",
    556: "#$0123456789?L_abdeghnopqu¢£¤¥§«»àáâãäåèéêëðñòóôõöùúûüþ–€",
    576: "µ",
    584: "+<=>~¬×−",
    611: "FTZ¿ßø",
    667: "&ABEKPSVXYÀÁÂÃÄÅÈÉÊËÝÞ",
    722: "CDHNRUwÇÐÑÙÚÛÜ",
    737: "©®",
    778: "GOQÒÓÔÕÖØ",
    833: "Mm",
    834: "¼½¾",
    889: "%æ",
    944: "W",
    1000: "Æ—…™",
    1015: "@",
}
_BOLD = {
    238: "'",
    278: " ,./I\\ijl\xa0ÌÍÎÏìíîï‘’",
    280: "|¦",
    333: "!()-:;[]`ft¡¨²³´·¸¹",
    350: "•",
    365: "º",
    370: "ª",
    389: "*r{}",
    400: "°",
    474: '"',
    500: "z“”",
    549: "±÷",
    552: "¯",
    556: "#$0123456789J_aceksvxy¢£¤¥§«¶»àáâãäåçèéêëýÿ–€",
    584: "+<=>^~¬×−",
    600: "µ",
    611: "?FLTZbdghnopqu¿ßðñòóôõöøùúûüþ",
    667: "EPSVXYÈÉÊËÝÞ",
    722: "&ABCDHKNRUÀÁÂÃÄÅÇÐÑÙÚÛÜ",
    737: "©®",
    778: "GOQwÒÓÔÕÖØ",
    833: "M",
    834: "¼½¾",
    889: "%mæ",
    944: "W",
    975: "@",
    1000: "Æ—…™",
}


def _by_character(widths: dict[int, str]) -> dict[str, int]:
    return {character: width for width, characters in widths.items() for character in characters}


_WIDTHS = {False: _by_character(_REGULAR), True: _by_character(_BOLD)}

LATIN = frozenset(_WIDTHS[False])
"""The characters whose widths are known; Arimo's Latin has all of them."""


def text_width(text: str, size: float, *, bold: bool = False) -> float:
    """Return the width of a text, in the unit of its size."""
    known = _WIDTHS[bold]
    return sum(known.get(c) or _estimate(c) for c in text) * size / 1000


def _estimate(character: str) -> int:
    return 1000 if is_wide(character) else 700


def wrap_text(text: str, size: float, room: float) -> Iterator[str]:
    """Yield a text as lines no wider than the room, broken at spaces or within a long word."""
    line = ""
    for word in text.split():
        longer = f"{line} {word}" if line else word
        if text_width(longer, size) <= room:
            line = longer
            continue
        if line:
            yield line
        *full, line = _pieces(word, size, room)
        yield from full
    if line:
        yield line


def _pieces(word: str, size: float, room: float) -> Iterator[str]:
    piece = ""
    for character in word:
        if piece and text_width(piece + character, size) > room:
            yield piece
            piece = ""
        piece += character
    yield piece
