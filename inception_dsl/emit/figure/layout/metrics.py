"""How wide a text is, in Helvetica: a figure can be laid out where there is no font.

Arial, Liberation Sans and Arimo have the same widths. Of other characters than these the width is
an estimate, and PNG files, whose font is Arimo's Latin, do not have them.
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
    return {character: width for width, own in widths.items() for character in own}


_WIDTHS = {False: _by_character(_REGULAR), True: _by_character(_BOLD)}

LATIN = frozenset(_WIDTHS[False])
"""The characters whose widths are known, all of which Arimo's Latin has."""


def text_width(text: str, size: float, *, bold: bool = False) -> float:
    """How wide a text is, in the unit of its size."""
    known = _WIDTHS[bold]
    return sum(known.get(c) or _estimate(c) for c in text) * size / 1000


def _estimate(character: str) -> int:
    return 1000 if is_wide(character) else 700


def wrapped(text: str, size: float, room: float) -> Iterator[str]:
    """A text as lines no wider than the room, broken at spaces, or where a word is too long."""
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
