"""A network as a module of torch in its form for training.

The rewrites are those of `rewrite` on the spec as one file, and have the same proofs. The spec's
own text stays as it is.
"""

from __future__ import annotations

import pathlib
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from inception_dsl.diagnostics import Diagnostic
from inception_dsl.driver.building import TRAINING_FORM_FILE, Emission
from inception_dsl.driver.dependents import check_text
from inception_dsl.driver.emitting import read_for_emitters
from inception_dsl.driver.texts import expand_file
from inception_dsl.driver.walk import Checked
from inception_dsl.driver.writing import Artifact
from inception_dsl.ir import Graph, Path
from inception_dsl.ir.weights import ConcatOut, Copy, Recipe, WeightPlan
from inception_dsl.resolve import Overrides

if TYPE_CHECKING:
    from inception_dsl.driver.rewrite_trial import RewriteState

CODES = frozenset(["P814", "P816"])
"""The rewrites that keep every value and every gradient, and make training faster."""


def emit_training_module(
    checked: Checked,
    *,
    output: pathlib.Path,
    bound: pathlib.Path | None = None,
    overrides: Overrides,
    recomputes: bool = False,
) -> Emission:
    """Make the module of a network in its form for training, below `output`; nothing is written.

    Args:
        bound: the folder that the file must end in when all links are followed.
        overrides: those that the network was checked with.
        recomputes: blocks run again in the backward pass, instead of keeping their inner values.

    Raises:
        SpecError: E501, a module cannot say something, or the name of the network is one of its
            functions.
    """
    from inception_dsl.emit.python import emit_python
    from inception_dsl.emit.python.training_form import TrainingForm

    state = _rewrite(checked, overrides)
    facts = read_for_emitters(state.checked)
    parts = _list_parts(state.weights, checked.model.graph, state.checked.model.graph)
    form = TrainingForm(parts, recomputes)
    source = emit_python(
        facts.model, facts.classes, facts.plans, facts.cost, shown=checked.file.shown, form=form
    )
    path = output / checked.file.full_name / TRAINING_FORM_FILE
    artifact = Artifact(path, source.encode(), bound)
    return Emission((artifact,), tuple(_tell_refusals(state)))


def _rewrite(checked: Checked, overrides: Overrides) -> RewriteState:
    """Return a network after all rewrites of `CODES`, as a spec in one file.

    Passes run again for as long as the last run left some untried and changed the text.
    """
    from inception_dsl.driver.rewrite_run import RewriteChoice, run_passes
    from inception_dsl.driver.rewrite_trial import RewriteState
    from inception_dsl.passes import keep_weights

    file = checked.file
    text = expand_file(file, states=False)
    read = check_text(file, text, overrides=overrides)
    state = RewriteState(text, read, keep_weights(read.model.graph), overrides=overrides)
    while True:
        begun = replace(state, tries=0, untried=0, log=())
        state = run_passes(file, begun, RewriteChoice(CODES))
        if not state.untried or state.text == begun.text:
            return state


def _list_parts(plan: WeightPlan, old: Graph, new: Graph) -> dict[str, dict[str, int]]:
    """Return, for each new step, the old steps that it joins, each with its output channels.

    A step whose tensors have other names in the old network has an entry for each of its layers.
    Steps that stay as they are have none.
    """
    from inception_dsl.analysis import list_state

    assert not plan.fresh, plan.fresh
    recipes = dict(plan.recipes)
    old_tensors = {
        f"{node.path}.{tensor.name}": (node.path, tensor)
        for node in old.nodes
        for tensor in list_state(node)
    }
    parts: dict[str, dict[str, int]] = {}
    for node in new.nodes:
        # A tensor without a shape counts batches: one number for the whole step.
        names = [tensor.name for tensor in list_state(node) if tensor.shape]
        sources = {name: _list_copies(recipes[f"{node.path}.{name}"]) for name in names}
        keeps_names = all(
            old_tensors[key][1].name == name for name, keys in sources.items() for key in keys
        )
        for name, keys in sources.items():
            step = str(node.path if keeps_names else Path(f"{node.path}.{name}").parent)
            widths: dict[str, int] = {}
            for key in keys:
                path, tensor = old_tensors[key]
                widths[str(path if keeps_names else Path(key).parent)] = tensor.shape[0]
            known = parts.setdefault(step, widths)
            assert [*known] == [*widths] and (len(widths) == 1 or known == widths), step
    return {step: widths for step, widths in parts.items() if [*widths] != [step]}


def _list_copies(recipe: Recipe) -> list[str]:
    """Return the keys of the tensors that a recipe joins."""
    match recipe:
        case Copy(source):
            return [source]
        case ConcatOut(parts):
            return [source for part in parts for source in _list_copies(part)]
        case _:
            raise AssertionError(recipe)  # the rewrites of `CODES` make no other one


def _tell_refusals(state: RewriteState) -> Iterator[Diagnostic]:
    """Yield a note on each rewrite that was refused."""
    for entry in state.log:
        if entry.refusal:
            message = f"`{entry.path}` stays as it is: {entry.refusal}"
            yield Diagnostic(entry.code, message)
