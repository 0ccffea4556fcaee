"""Gates: the values that a sum or a product repeats along a larger one, the whole.

A join of a map reads values of the map's own type. It also reads what has one value for each
channel, or one for each place: torch repeats it to the size of the map.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import prod

from inception_dsl.ir import TensorType


def is_gate(type: TensorType, whole: TensorType) -> bool:
    """Tell whether a type can gate a map: a vector of its channels, a 1x1xC map or an HxWx1 map."""
    if not whole.is_map:
        return False
    channels, *size = whole.shape
    return type.shape in ((channels,), (channels, 1, 1), (1, *size))


def find_whole(types: Sequence[TensorType]) -> int | None:
    """Return the first input that all others equal or gate; None if there is none."""
    for index, whole in enumerate(types):
        if all(type == whole or is_gate(type, whole) for type in types):
            return index
    return None


def find_misfit(types: Sequence[TensorType]) -> tuple[int, int]:
    """Return the input that is most likely the whole, and the last one that does not fit it.

    The types must have no whole.
    """

    def rank(index: int) -> tuple[int, bool, bool, bool]:
        whole = types[index]
        fitting = sum(type == whole or is_gate(type, whole) for type in types)
        return fitting, whole.is_map, whole.shape[1:] != (1, 1), whole.channels > 1

    best = max(range(len(types)), key=lambda index: (rank(index), -index))
    whole = types[best]
    odd = [i for i, type in enumerate(types) if type != whole and not is_gate(type, whole)]
    return best, odd[-1]


def differs_in_size(type: TensorType, whole: TensorType) -> bool:
    """Tell whether a misfit is one of height and width: else it is one of the channels."""
    is_of_channels = whole.is_map and (not type.is_map or type.size == (1, 1))
    return type.shape[1:] != whole.shape[1:] and not is_of_channels


def count_partial_values(types: Sequence[TensorType]) -> Iterator[int]:
    """Yield the number of values of the first two inputs together, of the first three, and on.

    Gates alone are no more than they need: a vector with a vector is a vector.
    """
    together: list[int] = []
    for index, type in enumerate(types):
        shape = (*type.shape, *[1] * (3 - len(type.shape)))
        together = [max(pair) for pair in zip(together or shape, shape, strict=True)]
        if index:
            yield prod(together)
