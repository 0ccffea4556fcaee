"""The networks of a project and of the library, with their costs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from inception_dsl.diagnostics import SpecError
from inception_dsl.driver.selection import list_known_specs
from inception_dsl.driver.walk import LibraryError, measure


class KnownNetwork(NamedTuple):
    """A network of the project or of the library.

    Attributes:
        name: the name by which commands and `load` know it.
        title: its name for readers; empty if it has none.
        input: the type of its input; of several, each after its name.
        params: its parameters, in inference; None if its spec has errors.
        macs: its multiply-accumulates on one image; None if its spec has errors.
        source: the paper or the program that it is from; empty if none is named.
        error: the errors of its spec; None if it has none.
    """

    name: str
    title: str
    input: str
    params: int | None
    macs: int | None
    source: str
    error: SpecError | None = None


def list_networks(
    folder: Path, on_start: Callable[[int, int, str], None] | None = None
) -> Iterator[KnownNetwork]:
    """Yield the networks of a project and of the library; files of blocks alone are left out.

    Args:
        on_start: is told how many are done, how many there are, and which one is next.
    """
    names = list_known_specs(folder)
    for index, name in enumerate(names):
        if on_start is not None:
            on_start(index, len(names), name)
        try:
            measured = measure(name, folder=folder)
        except LibraryError:
            continue
        except SpecError as error:
            yield KnownNetwork(name, "", "", None, None, "", error)
            continue
        model, totals = measured.model, measured.cost.totals
        yield KnownNetwork(
            name,
            model.title or "",
            measured.cost.input,
            totals.params,
            totals.macs,
            model.source or "",
        )
