"""The walk: load, resolve, check, analyse. Nothing is written."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from inception_dsl.analysis import CostReport, measure_cost
from inception_dsl.diagnostics import Diagnostic, SpecError
from inception_dsl.ir import Model, TensorType
from inception_dsl.resolve import (
    AS_WRITTEN,
    Overrides,
    Template,
    find_odd_statements,
    read_network,
    resolve,
)
from inception_dsl.rules import AS_WRITTEN_ONLY, Subject, judge
from inception_dsl.spec.files import FULL_NAME, SpecFile, find_spec
from inception_dsl.spec.load import load

if TYPE_CHECKING:
    from inception_dsl.emit.figure import Rendered, Request
    from inception_dsl.emit.report import Facts


@dataclass(frozen=True, slots=True)
class Checked:
    """A model that holds together, what it costs, and what was found besides errors."""

    file: SpecFile
    model: Model
    cost: CostReport
    warnings: tuple[Diagnostic, ...]


def check(
    reference: str,
    *,
    folder: Path,
    overrides: Overrides = AS_WRITTEN,
    batch: int = 1,
    hints: bool = False,
) -> Checked:
    """The model of a spec, with its cost, judged by every rule.

    Args:
        reference: a path to a .yaml file, or a name in the library.
        folder: where the caller stands.
        overrides: changes to the spec's input and parameters; budget and claims are for the spec
            as it is written, and are not judged then.
        hints: say what would be better otherwise, too.

    Raises:
        SpecError: what is wrong with the spec, all errors of the first stage that finds some.
    """
    file = find_spec(reference, folder)
    template, odd = _read(file, overrides)
    model = template.instantiate()
    cost = _cost(file, model, batch)

    def measure_at(input: TensorType) -> tuple[Model, CostReport]:
        other = template.instantiate(input)
        return other, _cost(file, other, batch)

    judged = [
        finding
        for finding in judge(Subject(model, cost, measure_at), hints=hints)
        if not (overrides and finding.code in AS_WRITTEN_ONLY)
    ]
    found = [*odd, *judged]
    if any(finding.severity == "error" for finding in found):
        raise SpecError(found)
    return Checked(file, model, cost, tuple(found))


def _read(file: SpecFile, overrides: Overrides) -> tuple[Template, list[Diagnostic]]:
    """Return the network of a spec, ready to be called on any input, and odd statements in it.

    The spec itself is let go: a large one takes more memory than its model.
    """
    loaded = load(file)
    odd = [] if overrides.input else list(find_odd_statements(loaded))
    return read_network(loaded, overrides), odd


def measure(
    reference: str, *, folder: Path, overrides: Overrides = AS_WRITTEN, batch: int = 1
) -> Checked:
    """The model of a spec with its cost, not judged.

    Raises:
        SpecError: what is wrong with the spec.
    """
    return measured(find_spec(reference, folder), overrides, batch)


def measured(file: SpecFile, overrides: Overrides, batch: int = 1) -> Checked:
    """The model of a spec file with its cost, not judged."""
    model = resolve(load(file), overrides)
    return Checked(file, model, _cost(file, model, batch), ())


def cost_of(checked: Checked, *, batch: int) -> CostReport:
    """What a model costs on so many images at once."""
    return _cost(checked.file, checked.model, batch)


def _cost(file: SpecFile, model: Model, batch: int) -> CostReport:
    return measure_cost(model, batch=batch, name=output_name(file, model))


def facts(checked: Checked, *, needs: Set[str], dtype: str = "float32") -> Facts:
    """What reports of a model may ask for besides its cost.

    Args:
        needs: `memory`, `fields` and `depths`.
        dtype: the type of every number, which memory depends on.
    """
    from inception_dsl import analysis
    from inception_dsl.emit.report import Facts

    model, cost = checked.model, checked.cost
    memory = fields = depths = None
    if "memory" in needs:
        memory = analysis.measure_memory(model, batch=cost.batch, dtype=dtype)
    if "fields" in needs:
        fields = analysis.measure_fields(model)
    if "depths" in needs:
        depths = analysis.measure_depths(model)
    return Facts(cost, memory, fields, depths, dtype)


def emit_module(checked: Checked) -> str:
    """The source of a model's PyTorch module.

    Raises:
        SpecError: E501, a module cannot say something.
    """
    from inception_dsl.analysis import measure_widths, plan_forward
    from inception_dsl.emit.python import emit_python

    model = checked.model
    widths, plans = measure_widths(model), plan_forward(model)
    return emit_python(model, widths, plans, checked.cost, shown=checked.file.shown)


def verify(checked: Checked) -> list[str]:
    """Where the module of a model, run by torch, is not what the analysis says; nowhere, if it is.

    Raises:
        SpecError: E501, a module cannot say something.
        MissingExtraError: torch is not installed.
    """
    from inception_dsl.bridge import require_torch

    require_torch()
    from inception_dsl.bridge.verify import verify_module

    return verify_module(emit_module(checked), checked.model, checked.cost)


def draw(checked: Checked, request: Request) -> Rendered:
    """A figure of a model.

    Raises:
        SpecError: E502, it cannot be drawn.
        MissingExtraError: what draws its format, or places lines that cross, is not installed.
    """
    from inception_dsl.emit.figure import render_figure

    return render_figure(checked.model, checked.cost, request)


def output_name(file: SpecFile, model: Model) -> str:
    """The folder of a model's files: its full name in the library, else the name it has."""
    return file.full_name if FULL_NAME.fullmatch(file.full_name) else model.name
