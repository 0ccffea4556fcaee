"""The emitters of a build. To add a backend, write its folder and name an `Emitter` here.

An emitter turns reports into texts: it reads the reports of the driver, and measures nothing. Heavy
modules are imported by the emitter that needs them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from inception_dsl.analysis import Classes, ConventionCount, CostReport, ForwardPlan
from inception_dsl.analysis.claimed import StatementReport
from inception_dsl.diagnostics import Diagnostic
from inception_dsl.ir import Model

MODULE_FILE = "model.py"
"""The file of a module. Folders tell networks apart: `from generated.NAME.model import NAME`."""

TRAINING_FILE = "train.py"
"""The file of a training script, for a network with a recipe; it imports the module beside it."""


class EmitterInput(NamedTuple):
    """A model and its reports, as every emitter gets them.

    Attributes:
        shown: the spec's path, or its name in the library, for headers.
        counts: the counts by tools.
    """

    model: Model
    cost: CostReport
    classes: Classes
    plans: Mapping[str, ForwardPlan]
    shown: str
    statements: StatementReport
    counts: tuple[ConventionCount, ...]


class EmittedFiles(NamedTuple):
    """The texts of an emitter by file name, and a finding for each file that it leaves out."""

    texts: Mapping[str, str]
    findings: tuple[Diagnostic, ...] = ()


class Emitter(NamedTuple):
    """A backend of a build.

    Attributes:
        files: the names of its files, for help.
        emit: makes them. Raises a SpecError, E501, if it cannot.
    """

    name: str
    files: tuple[str, ...]
    emit: Callable[[EmitterInput], EmittedFiles]


def _python(facts: EmitterInput) -> EmittedFiles:
    from inception_dsl.emit.python import emit_python

    source = emit_python(facts.model, facts.classes, facts.plans, facts.cost, shown=facts.shown)
    return EmittedFiles({MODULE_FILE: source})


def _cost(facts: EmitterInput) -> EmittedFiles:
    from inception_dsl.emit.deviations import deviations
    from inception_dsl.emit.report import Facts
    from inception_dsl.emit.report.page import write_cost_page
    from inception_dsl.ir.text import fingerprint

    page = write_cost_page(
        Facts(facts.cost),
        facts.statements,
        facts.counts,
        title=facts.model.title or facts.model.name,
        shown=facts.shown,
        fingerprint=fingerprint(facts.model),
        deviations=deviations(facts.model),
        more=_list_more(facts.model),
    )
    return EmittedFiles({"cost.md": page})


def _list_more(model: Model) -> list[str]:
    """Return the sections of a cost page on a model's training."""
    if model.recipe is None and not model.results:
        return []
    from inception_dsl.emit.report.recipe import list_recipe_sections

    return list(list_recipe_sections(model))


def _figures(facts: EmitterInput) -> EmittedFiles:
    from inception_dsl.emit.figure import build_figures

    built = build_figures(facts.model, facts.cost)
    texts = {f"{detail}.svg": svg for detail, svg in built.figures.items()}
    return EmittedFiles(texts, built.findings)


def _training(facts: EmitterInput) -> EmittedFiles:
    if facts.model.recipe is None:
        return EmittedFiles({})
    from inception_dsl.emit.training import emit_training

    script = emit_training(facts.model, facts.model.recipe, shown=facts.shown)
    if isinstance(script, str):
        return EmittedFiles({TRAINING_FILE: script})
    return EmittedFiles({}, (script,))


EMITTERS: tuple[Emitter, ...] = (
    Emitter("python", (MODULE_FILE,), _python),
    Emitter("training", (TRAINING_FILE,), _training),
    Emitter("cost", ("cost.md",), _cost),
    Emitter("figures", ("poster.svg", "schema.svg"), _figures),
)
"""All emitters, in the order in which a build writes their files."""
