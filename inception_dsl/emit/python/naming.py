"""Names of emitted classes: made from the author's names, and never one that means another thing.

The names of an author's blocks, parameters and networks stay as they are wherever code can see
them. Names that only the emitter has chosen give way.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from keyword import iskeyword

from inception_dsl.emit.python.excerpts import IMPORTED, all_excerpts


class ClassNames:
    """The names of a module's classes, each given once.

    Args:
        author_names: names that functions of the module bind, its factory's among them.
    """

    def __init__(self, author_names: Iterable[str]) -> None:
        helpers = (excerpt.name for excerpt in all_excerpts())
        self._taken = {*author_names, *IMPORTED, *helpers}
        self._classes: set[str] = set()

    def claim(self, wanted: str, kind: str) -> str:
        """Return `wanted` if no other thing has that name, else `wanted` with its kind behind it.

        Two classes differ in more than case.

        Args:
            kind: a noun, such as `Block`.
        """
        name, number = wanted, 1
        while name in self._taken or name.lower() in self._classes or iskeyword(name):
            name = f"{wanted}{kind}{number if number > 1 else ''}"
            number += 1
        self._taken.add(name)
        self._classes.add(name.lower())
        return name


def class_name(name: str, title: str | None) -> str:
    """Return the class name of a block or a network: its name, with the capitals of its title.

    Example:
        >>> class_name("googlenet", "GoogLeNet"), class_name("stem_v4", "The stem")
        ('GoogLeNet', 'StemV4')
    """
    words = re.findall(r"[A-Za-z0-9]+", title or "")
    titled = "".join(word[0].upper() + word[1:] for word in words)
    if titled.lower() == name.replace("_", "").lower():
        return titled
    return "".join(part[0].upper() + part[1:] for part in name.split("_") if part)


def free_name(wanted: str, taken: Iterable[str]) -> str:
    """Return `wanted`, with underscores at its end until no other name equals it."""
    others = frozenset(taken)
    while wanted in others:
        wanted += "_"
    return wanted
