"""Properties of every comparison, tried on random specs and random edits of them."""

from __future__ import annotations

import re
from collections import Counter

from apply_edits import applied, facts
from conftest import NET, Project
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from random_edits import edited
from random_specs import specs
from random_steps import Spec
from torch_category import edits_between, torchs_category

from inception_dsl import driver
from inception_dsl.diagnostics import SpecError
from inception_dsl.diff import Comparison, Diff, Renamed, compare
from inception_dsl.diff.carry import plan_weights
from inception_dsl.ir import Model
from inception_dsl.ir.weights import Copy

QUICK = settings(
    max_examples=16,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.generate],  # to shrink what fails would take minutes
)
OLD = "specs/old.yaml"
_MIRRORED = {"Added": "Removed", "Removed": "Added"}


def model_of(project: Project, text: str) -> Model | None:
    """The model of a spec's text, if it is a good one."""
    project.write(NET, text)
    try:
        return project.check().model
    except SpecError:
        return None


def compared(project: Project, old: str, new: str) -> Comparison:
    project.write(OLD, old)
    project.write(NET, new)
    return driver.compare(OLD, NET, folder=project.root).comparisons[0]


def test_a_spec_differs_from_itself_in_nothing_however_it_is_written(project: Project) -> None:
    def claim(spec: Spec) -> None:
        text = spec.text()
        project.write(NET, text)
        for other in (
            text,
            spec.text(long=True),
            driver.format_file(NET, folder=project.root).text,
            driver.expand_spec(NET, folder=project.root),
        ):
            found = compared(project, text, other)
            assert (found.diff.edits, found.diff.keys) == ((), ()), found.diff.edits
            assert found.findings == ()
            plan = plan_weights(found.old, found.new, found.diff.pairs)
            assert (plan.fresh, plan.left) == ((), ())
            assert plan.recipes == tuple((key, Copy(key)) for key, _ in plan.recipes)

    settings(QUICK, max_examples=8)(given(specs())(claim))()


def test_applying_the_edits_gives_the_other_model(project: Project) -> None:
    """Random pairs have nothing to do with each other, which is the hardest case."""
    seen: list[Model] = []

    def claim(spec: Spec) -> None:
        model = model_of(project, spec.text())
        assert model is not None
        for other in seen[-2:]:
            diff = compare(other, model)
            assert applied(diff, other, model) == {n.path: facts(n) for n in model.graph.nodes}
        seen.append(model)

    given(specs())(QUICK(claim))()


def test_a_follower_with_other_words_does_not_pass_for_one(project: Project) -> None:
    """The old line says the words of a follower; the new model does not vouch for them."""
    text = (
        "{inception: 1, name: net, input: 9x9x3, network: [{trunk: 1x1 conv (4)}, global avgpool,"
        " linear (2)], heads: {aux: {at: trunk, steps: [global avgpool, {fc: linear (in + 1)}]}}}"
    )
    old = model_of(project, text)
    wider = model_of(project, text.replace("conv (4)", "conv (5)"))
    other = model_of(project, text.replace("conv (4)", "conv (5)").replace("in + 1", "in + 2"))
    assert old and wider and other
    follows = compare(old, wider)
    assert any("aux.fc" in edit.followers for edit in follows.edits)
    assert applied(follows, old, wider) == {n.path: facts(n) for n in wider.graph.nodes}
    assert applied(follows, old, other) != {n.path: facts(n) for n in other.graph.nodes}


def shape_of(diff: Diff, *, mirrored: bool) -> Counter[tuple[object, ...]]:
    """Count the edits by kind, category and number of places."""
    names = _MIRRORED if mirrored else {}
    return Counter(
        (names.get(type(e).__name__, type(e).__name__), e.category, len(e.places))
        for e in diff.edits
    )


def test_the_other_way_round_everything_is_mirrored(project: Project) -> None:
    def claim(pair: tuple[Spec, Spec, str]) -> None:
        models = [model_of(project, spec.text()) for spec in pair[:2]]
        if models[0] is None or models[1] is None:
            return
        there, back = compare(*models), compare(*reversed(models))  # type: ignore[arg-type]
        assert shape_of(there, mirrored=True) == shape_of(back, mirrored=False), pair[2]
        assert Counter(k.kind for k in there.keys) == Counter(
            {"added": "removed", "removed": "added"}.get(k.kind, k.kind) for k in back.keys
        )

    settings(QUICK, max_examples=20)(given(edited())(claim))()


def test_a_step_that_goes_one_way_comes_the_other(project: Project) -> None:
    kinds = Counter[str]()

    def claim(pair: tuple[Spec, int]) -> None:
        spec, index = pair
        old, network = spec.text(), spec.document["network"]
        if len(network) < 2:
            return
        del network[index % len(network)]
        models = [model_of(project, text) for text in (old, spec.text())]
        if models[0] is None or models[1] is None:
            return
        there, back = compare(*models), compare(*reversed(models))  # type: ignore[arg-type]
        kinds.update(type(edit).__name__ for edit in there.edits)
        assert shape_of(there, mirrored=True) == shape_of(back, mirrored=False)

    given(st.tuples(specs(), st.integers(0, 9)))(QUICK(claim))()
    assert kinds["Removed"] >= 3


def test_a_name_that_changes_is_a_rename_and_nothing_else(project: Project) -> None:
    kinds = Counter[str]()

    def claim(spec: Spec) -> None:
        text = spec.text()
        names = re.findall(r"^[- ]*((?:s|b|trunk)\d+):", text, re.MULTILINE)
        if not names:
            return
        name = min(names)
        found = compared(project, text, re.sub(rf"\b{name}\b", "another", text))
        kinds.update(type(edit).__name__ for edit in found.diff.edits)
        assert all(isinstance(edit, Renamed) for edit in found.diff.edits), found.diff.edits
        assert all(key.kind == "renamed" for key in found.diff.keys)

    given(specs())(QUICK(claim))()
    assert kinds["Renamed"] > 6


def test_steps_that_are_put_into_a_list_are_renamed_or_moved(project: Project) -> None:
    kinds = Counter[str]()

    def claim(pair: tuple[Spec, int, int]) -> None:
        spec, first, count = pair
        old, network = spec.text(), spec.document["network"]
        first %= len(network)
        grouped = [*network[:first], {"grouped": network[first : first + count]}]
        spec.document["network"] = [*grouped, *network[first + count :]]
        new = spec.text()
        if len(network) < 2 or model_of(project, new) is None:
            return  # a step outside reads one of them by its name
        for sides in ((old, new), (new, old)):
            found = compared(project, *sides)
            kinds.update(type(edit).__name__ for edit in found.diff.edits)
            assert not any(key.kind == "reshaped" for key in found.diff.keys), found.diff.edits

    given(st.tuples(specs(), st.integers(0, 9), st.integers(2, 5)))(QUICK(claim))()
    assert kinds["Renamed"] > 8
    assert kinds.keys() <= {"Renamed", "Reparented"}


def test_torch_never_finds_an_edit_graver_than_it_is_said_to_be(project: Project) -> None:
    """Torch may find an edit less grave: a second relu is another op and the same function."""
    order = ["CHECKPOINT", "NUMERICS", "TRAINING", "COSMETIC"]
    judged: Counter[bool] = Counter()

    def claim(pair: tuple[Spec, Spec, str]) -> None:
        old, new, what = pair
        texts = old.text(), new.text()
        if any(model_of(project, text) is None for text in texts):
            return
        edits = edits_between(project, *texts)
        said = min([*map(order.index, (e.category for e in edits)), len(order) - 1])
        try:
            confirmed = order.index(torchs_category(project))
        except SpecError as error:  # PyTorch has no layer for it
            assert {found.code for found in error.diagnostics} == {"E501"}
            return
        assert said <= confirmed, (what, order[said], order[confirmed], edits)
        judged[said == confirmed] += 1

    settings(QUICK, max_examples=16)(given(edited())(claim))()
    assert judged[True] > 8 * judged[False]
