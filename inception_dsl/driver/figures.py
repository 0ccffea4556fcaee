"""Figures of a model that has been measured, and of a library of blocks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from inception_dsl.driver.emitting import measure_claims
from inception_dsl.driver.walk import Checked, read_library
from inception_dsl.spec.load import Loaded

if TYPE_CHECKING:
    from inception_dsl.analysis.representation import Narrowing
    from inception_dsl.emit.figure import Rendered, Request


def draw_library(loaded: Loaded, request: Request) -> Rendered:
    """Draw the blocks of a library, or one of them, by the names of their parameters.

    Raises:
        SpecError: the errors of the library; E502, it cannot be drawn.
        MissingExtraError: as for `draw`.
    """
    from inception_dsl.emit.figure import render_library

    spec = loaded.spec
    name = loaded.file.path.stem
    title, source = spec.title or name, spec.source or ""
    return render_library(title, source, read_library(loaded), request)


def draw(checked: Checked, request: Request) -> Rendered:
    """Draw a figure of a model.

    Raises:
        SpecError: E502, it cannot be drawn.
        MissingExtraError: the package that draws its format is not installed, or Graphviz, which
            places branches that do not nest.
    """
    from inception_dsl.emit.figure import Rendered, is_page, render_figure

    if is_page(request):
        return Rendered(_write_page(checked).encode(), ())

    steps: tuple[Narrowing, ...] = ()
    if request.curve == "representation":
        from inception_dsl.analysis.dense import list_inference
        from inception_dsl.analysis.representation import measure_representation

        nodes = list_inference(checked.model, checked.cost).nodes
        steps = measure_representation(checked.model, nodes)
    return render_figure(checked.model, checked.cost, request, steps)


def write_live_page(checked: Checked, version: int) -> str:
    """Return the page of a model, whose server tells when there is another.

    Args:
        version: its number.

    Raises:
        SpecError: the errors of a spec that the budget names.
    """
    return _write_page(checked, version)


def _write_page(checked: Checked, version: int | None = None) -> str:
    from inception_dsl.emit.page import write_page

    claims = measure_claims(checked).claims
    return write_page(checked.model, checked.cost, claims, version=version)
