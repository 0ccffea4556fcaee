"""The rule about the numbers of a recipe that are probably in other units."""

from __future__ import annotations

from collections.abc import Iterator

from inception_dsl.diagnostics import Diagnostic
from inception_dsl.rules.subject import Subject, labels_at


def pixels_to_one(subject: Subject) -> Iterator[Diagnostic]:
    """Find a mean or a deviation that no pixels from 0 to 1 have (W616)."""
    recipe = subject.model.recipe
    numbers = recipe.normalise.value if recipe is not None else None
    if recipe is None or numbers is None:
        return
    for name, values in (("mean", numbers.mean), ("std", numbers.std)):
        if max(values) > 1:
            message = f"`{name}` is above 1, and the values of an image lie from 0 to 1"
            help = "divide both by 255 if they are of values from 0 to 255"
            yield Diagnostic("W616", message, labels_at(recipe.normalise.origin), help=help)
            return
