"""Weight plans between random specs and random rewrites of them, held by value.

Values come from the flat graphs, node by node. A node of the new network that is the partner of an
old one, has its attributes, reads what its partner reads and has all its tensors from the plan must
compute what its partner does. If every edit keeps what the network computes, and the plan makes
every tensor and uses every old one, the outputs are those of the old network.
"""

from __future__ import annotations

from collections import Counter

import torch
from conftest import NET, Project
from hypothesis import given, settings
from hypothesis import strategies as st
from random_rewrites import rewrite
from random_specs import QUICK, specs
from random_steps import Spec
from reference_operations import Reference
from torch import Tensor
from torch_counts import randomise, relative_error

from inception_dsl import driver
from inception_dsl.bridge import carry_weights, make_module
from inception_dsl.diagnostics import SpecError
from inception_dsl.diff.carry import plan_weights
from inception_dsl.ir import Model, Node

OLD = "specs/old.yaml"


def compute(model: Model, state: dict[str, Tensor], images: list[Tensor]) -> dict[str, Tensor]:
    """Return the value of every node of a model."""
    reference = Reference(state)
    values: dict[str, Tensor] = dict(zip(model.graph.inputs, images, strict=True))
    for node in model.graph.nodes:
        inputs = [values[path] for path in node.inputs]
        weights = node.reuses or node.path
        values[node.path] = reference.run(node.op, weights, node.attributes, inputs)
    return values


def is_carried(node: Node, fresh: frozenset[str]) -> bool:
    """Tell whether the plan makes every tensor of a node."""
    holder = node.reuses or node.path
    return not any(key.startswith(f"{holder}.") for key in fresh)


def hold_carried_values(project: Project, spec: Spec, seed: int) -> str:
    """Carry weights over a random rewrite of a spec; return in a word what came of it.

    Raises:
        AssertionError: a value differs.
    """
    edits = rewrite(spec, seed)
    project.write(OLD, edits.old.text())
    project.write(NET, edits.new.text())
    try:
        project.check()
    except SpecError:
        return "refused"
    (found,) = driver.compare(OLD, NET, folder=project.root).comparisons
    old, new, plan = found.old, found.new, plan_weights(found.old, found.new, found.diff.pairs)
    try:
        modules = [
            make_module(driver.emit_module(project.check(name)), model.name).double()
            for name, model in ((OLD, old), (NET, new))
        ]
    except SpecError as error:
        assert {finding.code for finding in error.diagnostics} == {"E501"}
        return "not emitted"
    for number, module in enumerate(modules):
        randomise(module, seed=seed + number)
    first, second = (dict(module.state_dict()) for module in modules)
    modules[1].load_state_dict(carry_weights(plan, first, second))
    generator = torch.Generator().manual_seed(seed)
    shapes = [type.shape for type in old.inputs.values()]
    images = [torch.randn(2, *s, dtype=torch.float64, generator=generator) for s in shapes]
    before = compute(old, first, images)
    after = compute(new, dict(modules[1].state_dict()), images)

    fresh = frozenset(key for key, _ in plan.fresh)
    old_nodes = {node.path: node for node in old.graph.nodes}
    partners = {new_path: old_path for old_path, new_path in found.diff.pairs}
    equal = {path: path for path in new.graph.inputs if path in before}
    for node in new.graph.nodes:
        partner = old_nodes.get(partners.get(node.path, node.path))
        if partner is None or node.path not in partners:
            continue
        reads = [equal.get(path) for path in node.inputs]
        same = node.op == partner.op and node.attributes == partner.attributes
        if same and reads == list(partner.inputs) and is_carried(node, fresh):
            apart = relative_error(after[node.path], before[partner.path])
            assert apart < 1e-9, (node.path, partner.path, edits.edits)
            equal[node.path] = partner.path
    if not edits.is_neutral:
        return "other"
    if plan.fresh or plan.left:
        return "incomplete"
    for own, path in zip(new.graph.outputs.values(), old.graph.outputs.values(), strict=True):
        assert relative_error(after[own], before[path]) < 1e-9, edits.edits
    return "equal"


def test_carried_weights_compute_what_they_did(project: Project) -> None:
    counts = Counter[str]()

    @settings(QUICK, max_examples=8)
    @given(specs(), st.integers(0, 10**6))
    def claim(spec: Spec, seed: int) -> None:
        counts[hold_carried_values(project, spec, seed)] += 1

    claim()
    assert counts["equal"] + counts["other"] > 3, counts
