"""The one rule that guesses the known name behind a misspelt one, for every "write `...`"."""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import islice

MAX_LENGTH = 60
"""Maximum length of a name that is compared."""
MAX_QUOTED = 60
"""Maximum number of characters that a message quotes of a text that may be long."""
MAX_CANDIDATES = 400
"""Maximum number of known names that a name is compared with."""
MAX_CHARACTERS = 8_000
"""Maximum number of characters of all known names together: the search grows with them."""

LETTERS_PER_SLIP = 3
"""Minimum number of letters for each slip that is forgiven."""

_DIGIT = re.compile("[0-9]")
_REPEATED = re.compile(r"([0-9])\1+")
_MEMBER = re.compile("(_?[0-9]+[a-z]?|_[a-z])$")
"""The end that tells the members of a series apart: `conv2`, `inception_4a`, `reduction_b`."""


def shorten(text: str) -> str:
    """Return a text as a message quotes it: the beginning of a long one.

    Example:
        >>> shorten("9408"), shorten("9" * 61) == "9" * 60 + "..."
        ('9408', True)
    """
    return text if len(text) <= MAX_QUOTED else f"{text[:MAX_QUOTED]}..."


def nearest(name: str, known: Iterable[str]) -> str | None:
    """Return the known name that `name` misspells, or None if it misspells none.

    Upper and lower case are the same. A slip is a letter that is wrong, missing, too much, or
    swapped with its neighbour. One slip needs three letters of the longer name, each further one
    three letters of the shorter name. Names that differ in their numbers alone, or in the letter
    that counts them, are members of a series and no slip: `conv2` and `conv3`, `4a` and `4b`.
    A name that is less like it than such a member is not meant.

    Example:
        >>> nearest("strde", ["stride", "pad"]), nearest("deconv", ["conv"])
        ('stride', None)
        >>> nearest("conv3", ["conv2"])
        >>> nearest("inception_c4", ["inception_4a", "inception_4c"])
        'inception_4c'
    """
    candidates = set(islice(known, MAX_CANDIDATES + 1))
    if len(name) > MAX_LENGTH or len(candidates) > MAX_CANDIDATES:
        return None
    if sum(map(len, candidates)) > MAX_CHARACTERS:
        return None
    folded = name.lower()
    best: tuple[int, str] | None = None
    of_series = len(folded)
    for candidate in sorted(candidates):
        other = candidate.lower()
        shorter, longer = sorted((len(folded), len(other)))
        most = min(longer // LETTERS_PER_SLIP, max(1, shorter // LETTERS_PER_SLIP))
        slips = count_slips(folded, other, most)
        if slips is None:
            continue
        if slips and _are_of_a_series(folded, other):
            of_series = min(of_series, slips)
            continue
        if best is None or slips < best[0]:
            best = slips, candidate
    return best[1] if best and best[0] <= of_series else None


def nearest_term(name: str, known: Iterable[str]) -> str | None:
    """Return the term of the field that `name` mistypes by one slip; None if there is none.

    Other terms are often one letter or one syllable away, and mean something else: `tconv` is no
    `conv`, `pelu` no `elu`. So a slip is a letter that is missing, twice there, swapped with its
    neighbour, or too much inside the name, or an `s` at its end. A wrong letter is a slip in a name
    of six letters or more, unless it is the first one or a digit.

    Example:
        >>> nearest_term("maxpol", ["maxpool"]), nearest_term("minpool", ["maxpool"])
        ('maxpool', None)
        >>> nearest_term("convv", ["conv"]), nearest_term("tconv", ["conv"])
        ('conv', None)
    """
    if len(name) > MAX_LENGTH:
        return None
    folded = name.lower()
    return next((term for term in sorted(known) if _is_mistyped(folded, term.lower())), None)


def _is_mistyped(name: str, term: str) -> bool:
    """Tell whether a name is a term with one slip, as `nearest_term` describes it."""
    if name == term:
        return True
    start = next((i for i, (a, b) in enumerate(zip(name, term, strict=False)) if a != b), None)
    at = min(len(name), len(term)) if start is None else start
    if len(name) < len(term):
        return name[at:] == term[at + 1 :]
    if len(name) > len(term):
        if name[at + 1 :] != term[at:]:
            return False
        is_inside = 0 < at < len(name) - 1 and name[at].isalpha()
        return is_inside or name[at] in name[max(0, at - 1) : at] or name[at:] == "s"
    if name[at : at + 2] == term[at : at + 2][::-1] and name[at + 2 :] == term[at + 2 :]:
        return True
    is_letter = name[at].isalpha() and term[at].isalpha()
    return name[at + 1 :] == term[at + 1 :] and len(term) >= 6 and at > 0 and is_letter


def _are_of_a_series(name: str, other: str) -> bool:
    """Tell whether two names differ in their numbers, or in the end that counts them, alone."""
    if _REPEATED.sub(r"\1", name) == _REPEATED.sub(r"\1", other):
        return False
    same_letters = _DIGIT.sub("", name) == _DIGIT.sub("", other)
    if same_letters and sorted(name) != sorted(other):
        return True
    ends = _MEMBER.search(name), _MEMBER.search(other)
    return all(ends) and _MEMBER.sub("", name) == _MEMBER.sub("", other)


def count_slips(name: str, other: str, most: int) -> int | None:
    """Return the number of slips between two names, or None if they are more than `most`.

    Source: the optimal string alignment distance; only the cells within `most` of the diagonal are
    computed.
    """
    if abs(len(name) - len(other)) > most:
        return None
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, char in enumerate(name, 1):
        first, last = max(1, i - most), min(len(other), i + most)
        current = [most + 1] * (len(other) + 1)
        current[0] = i
        for j in range(first, last + 1):
            cost = min(row[j] + 1, current[j - 1] + 1, row[j - 1] + (char != other[j - 1]))
            if i > 1 and j > 1 and char == other[j - 2] and name[i - 2] == other[j - 1]:
                cost = min(cost, before[j - 2] + 1)
            current[j] = cost
        if min(current) > most:
            return None
        before, row = row, current
    return row[-1] if row[-1] <= most else None
