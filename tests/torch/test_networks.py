"""Random networks: shapes, counts, values and gradients of emitted modules, heads included.

Values come from the flat graph, node by node, each by its formula: the emitter orders, names and
groups what the graph has, and none of that may change a value.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import pytest
import torch
from conftest import NET, Project
from hypothesis import given, settings
from hypothesis import strategies as st
from random_specs import QUICK, specs, wired_specs
from random_steps import Spec
from reference_operations import Reference
from test_module import hold_against_torch
from test_parity import still
from torch import Tensor
from torch_counts import randomise, relative_error

from inception_dsl import driver
from inception_dsl.bridge import make_module
from inception_dsl.diagnostics import SpecError
from inception_dsl.driver import Checked
from inception_dsl.ir import Model
from inception_dsl.resolve import Overrides


def outputs_of(model: Model, reference: Reference, images: list[Tensor]) -> list[Tensor]:
    """Return the outputs of a model and of its heads; logits where a softmax ends them.

    Several outputs of inference are what their author names.
    """
    graph = model.graph
    values = dict(zip(graph.inputs, images, strict=True))
    for node in graph.nodes:
        inputs = [values[path] for path in node.inputs]
        weights = node.reuses or node.path
        values[node.path] = reference.run(node.op, weights, node.attributes, inputs)
    nodes = {node.path: node for node in graph.nodes}
    several = graph.outputs.values() if len(graph.outputs) > 1 else ()
    ends = (*(() if several else graph.outputs.values()), *graph.head_outputs)
    logits = [values[nodes[end].inputs[0] if nodes[end].op == "softmax" else end] for end in ends]
    return [*(values[end] for end in several), *logits]


def hold_against_the_graph(spec: Spec, project: Project) -> None:
    """The module of a spec computes what its graph says, forward and backward.

    Raises:
        AssertionError: it does not, or the analysis counts otherwise than torch.
    """
    project.write(NET, spec.text())
    found = project.check()
    hold_module(found, driver.emit_module(found))


def hold_module(found: Checked, source: str) -> None:
    """The source of a module, perhaps with a fault, computes what the graph of its spec says.

    Raises:
        AssertionError: it does not, or the analysis counts otherwise than torch.
    """
    hold_against_torch(found, source)

    generator = torch.Generator().manual_seed(0)
    module = make_module(source, found.model.name).double()
    randomise(module, seed=0)
    learnt = {name: own.detach().clone() for name, own in module.named_parameters()}
    for own in learnt.values():
        own.requires_grad_()
    shapes = [type.shape for type in found.model.inputs.values()]
    images = [torch.randn(2, *s, dtype=torch.float64, generator=generator) for s in shapes]
    for image in images:
        image.requires_grad_()  # what is written over in place would fail to go backward
    expected = outputs_of(found.model, Reference({**module.state_dict(), **learnt}), images)
    given = still(module)(*images)
    outputs = [given] if isinstance(given, Tensor) else list(given)
    for own, wanted in zip(outputs, expected, strict=True):
        assert bool(wanted.isfinite().all())
        assert relative_error(own.detach(), wanted.detach()) < 1e-9

    weighing = [torch.randn(own.shape, dtype=own.dtype, generator=generator) for own in outputs]
    torch.autograd.backward(outputs, weighing)
    torch.autograd.backward(expected, weighing)
    read = {row.path for row in found.cost.rows if row.is_read}
    largest = max(
        (float(own.grad.abs().max()) for own in learnt.values() if own.grad is not None),
        default=0.0,
    )
    used = [n.reuses or n.path for n in found.model.graph.nodes if n.path in read]
    for name, own in module.named_parameters():
        grad, wanted_grad = own.grad, learnt[name].grad
        assert (grad is not None) == any(name.startswith(f"{path}.") for path in used), name
        if grad is not None and wanted_grad is not None:
            # Where terms cancel, what is left is as exact as they are; and torch goes back
            # through a hardsigmoid with a sixth of single precision.
            allowed = 1e-6 * wanted_grad.abs().max() + 1e-7 * largest
            assert (grad - wanted_grad).abs().max() <= allowed, name
        else:
            assert grad is wanted_grad, name

    trained = module.train()(*images)
    for own in [trained] if isinstance(trained, Tensor) else trained:
        assert bool(own.isfinite().all())


def test_a_random_network_computes_what_its_graph_says(project: Project) -> None:
    @given(specs())
    def claim(spec: Spec) -> None:
        hold_against_the_graph(spec, project)

    settings(QUICK, max_examples=12)(claim)()


def test_a_random_network_of_several_outputs_computes_what_its_graph_says(
    project: Project,
) -> None:
    @given(wired_specs())
    def claim(spec: Spec) -> None:
        hold_against_the_graph(spec, project)

    settings(QUICK, max_examples=8)(claim)()


FAULTS = {
    "the order of a concat": (r"torch\.cat\(\[(\w+), (\w+)", r"torch.cat([\2, \1"),
    "a step that reads what does not fit": (r"\(s\d+\)  #", "(x)  #"),
    "a scale that is lost": (r"\+ (0\.1|0\.17|2) \* ", "+ "),
    "a product for a sum": (r"shortcut \+ ", "shortcut * "),
    "a gate that is taken from another": (r"(\w+) \* (\w+)  #", r"\1 * \1  #"),
    "a value that is written over": (r"= (\w+) \+ (\w+)  #", r"= \1.add_(\2)  #"),
}


@pytest.fixture(scope="module")
def emitted(tmp_path_factory: pytest.TempPathFactory) -> Sequence[tuple[Checked, str]]:
    """Random networks in which every fault has a place, with the sources of their modules."""
    root = tmp_path_factory.mktemp("networks")
    (root / "pyproject.toml").touch()
    project = Project(root)
    made: list[tuple[Checked, str]] = []

    @given(specs())
    def take(spec: Spec) -> None:
        project.write(NET, spec.text())
        found = project.check()
        made.append((found, driver.emit_module(found)))

    settings(QUICK, max_examples=40)(take)()
    return made


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_in_emitted_code_is_caught(
    fault: str, emitted: Sequence[tuple[Checked, str]]
) -> None:
    pattern, wrong = FAULTS[fault]
    planted = ((found, re.sub(pattern, wrong, source), source) for found, source in emitted)
    with pytest.raises((AssertionError, RuntimeError)):
        for found, faulty, source in planted:
            if faulty != source:
                hold_module(found, faulty)


def hold_against_set(project: Project, params: dict[str, int]) -> None:
    """The factory, given other parameters, makes what `--set` makes of the spec.

    Raises:
        AssertionError: it does not.
        SpecError: the spec does not take them.
    """
    found = project.check()
    source = driver.emit_module(found)
    said = {name: str(value) for name, value in params.items()}
    other = driver.measure(NET, folder=project.root, overrides=Overrides(params=said))
    with torch.device("meta"):
        module = make_module(source, found.model.name, **params)
        given = module(*(torch.zeros(2, *type.shape) for type in other.model.inputs.values()))
    count = sum(own.numel() for own in module.parameters())
    assert count == other.cost.totals_with_heads.params
    outputs = [given] if isinstance(given, Tensor) else list(given)
    assert outputs[0].shape[1] == other.model.root.type.channels


def test_a_factory_makes_the_network_of_any_parameters(project: Project) -> None:
    tried: list[int] = []

    def claim(case: tuple[Spec, int, int]) -> None:
        spec, num_classes, wide = case
        if "params" in spec.document:
            project.write(NET, spec.text())
            hold_against_set(project, {"num_classes": num_classes, "wide": wide})
            tried.append(num_classes)

    widths = st.integers(1, 12)
    settings(QUICK, max_examples=20)(given(st.tuples(specs(), widths, widths))(claim))()
    assert len(tried) > 4


@pytest.mark.parametrize("width", [2, 5, 16])
@pytest.mark.parametrize(
    "steps",
    [
        "  - 3x3 conv (width)\n  - thin\n  - global avgpool\n  - linear (3)\n",
        "  - 3x3 conv (width)\n  - 2 x thin\n  - 1x1 conv (in)\n",
        "  - 2 x 3x3 conv (width)\n  - grown: width x grow\n  - thin\n  - 1x1 conv (4)\n",
        "  - 3x3 conv (width)\n  - {branches: {a: thin, b: grow}}\n  - thin\n  - flatten\n"
        "  - linear (width)\n",
        "  - 3x3 conv (width)\n  - outer\n  - 1x1 conv (4)\n",
        "  - width x 3x3 conv (width)\n  - flatten\n  - linear (3)\n",
        "  - 3x3 conv (width stride width)\n  - upsample (size 4x5)\n  - flatten\n  - linear (3)\n",
        "  - one: {when: width > 4, steps: 3x3 avgpool (ceil)}\n"
        "  - two: {when: width < 4, steps: {when: in == 3, steps: [3x3 conv (width), relu]}}\n"
        "  - flatten\n  - linear (3)\n",
    ],
    ids=[
        "a block's own",
        "copies",
        "as many copies",
        "branches",
        "an argument that reads in",
        "copies that keep the size",
        "a map of a size that is written",
        "conditions on steps that keep the size",
    ],
)
def test_values_that_follow_from_a_parameter_stay_symbolic(
    steps: str, width: int, project: Project
) -> None:
    blocks = "  thin: {steps: [1x1 conv (in//2 + 1), batchnorm]}\n"
    blocks += "  grow: {branches: {skip: identity, new: 1x1 conv (2)}}\n"
    blocks += "  outer: {steps: [inner (c=in//2 + 1)]}\n"
    blocks += "  inner: {params: [c], steps: [1x1 conv (c), thin]}\n"
    head = "inception: 1\nname: net\ninput: 6x6x3\nparams: {width: 8}\nblocks:\n"
    project.write(NET, f"{head}{blocks}network:\n{steps}")
    hold_against_set(project, {"width": width})


UNTOLD = {
    "as many features as a parameter makes": (
        "params: {stride: 2}\n"
        "network:\n  - 3x3 conv (4 stride stride)\n  - flatten\n  - linear (3)\n",
        "the input is 36 here: no expression gives it for other parameters",
        "write the number in place of the parameter that decides it",
    ),
    "a stride that reads the channels of the input": (
        "params: {width: 8}\n"
        "blocks:\n  tail: {steps: [3x3 conv (4 stride in//4), flatten, linear (3)]}\n"
        "network:\n  - 3x3 conv (width)\n  - tail\n",
        "the input is 36 here: no expression gives it for other parameters",
        "give the block a parameter that tells, or write one for each",
    ),
    "as many halves as a parameter says": (
        "params: {n: 2, width: 16}\n"
        "blocks:\n  halve: {steps: [1x1 conv (in//2)]}\n"
        "network:\n  - 3x3 conv (width)\n  - n x halve\n  - 1x1 conv (3)\n",
        "a parameter sets the number of copies, whose input channels differ: no expression"
        " gives them",
        "write the number in place of the parameter that decides it",
    ),
    "a gate that is a vector beside a map, and beside a vector": (
        "blocks:\n  gated:\n    branches: {whole: identity, gate: [flatten, linear (in)]}\n"
        "    join: mul\n"
        "network: [1x1 adaptive avgpool, gated, flatten, again: gated]\n",
        "it gates a map in some calls of the block, and a vector in others",
        "give the block a parameter that tells, or write one for each",
    ),
    "a block under a condition that never holds": (
        "params: {se: 0}\n"
        "blocks:\n  squeeze: {params: [c], steps: [1x1 conv (c)]}\n"
        "network:\n  - {when: se == 1, op: squeeze, c: 8}\n  - 3x3 conv (8)\n",
        "no call of its block is there, so nothing says what enters its class",
        "give the parameters values for which the step is there, or leave the step out of the spec",
    ),
    "copies that double": (
        "blocks:\n  twice: {branches: {a: identity, b: identity}}\n"
        "  many: {params: [n], steps: [n x twice, 1x1 conv (2)]}\n"
        "network:\n  - many (n=2)\n  - more: many (n=3)\n",
        "no parameter tells whether the input is 6x6x12 or 6x6x16",
        "give the block a parameter that tells, or write one for each",
    ),
}


@pytest.mark.parametrize(("steps", "said", "help"), UNTOLD.values(), ids=UNTOLD.keys())
def test_widths_without_an_expression_are_an_error(
    steps: str, said: str, help: str | None, project: Project
) -> None:
    project.write(NET, f"inception: 1\nname: net\ninput: 6x6x3\n{steps}")
    with pytest.raises(SpecError) as error:
        driver.emit(project.check(), output=project.root)
    (found,) = error.value.diagnostics
    assert (found.code, found.message, found.help) == ("E501", said, help)


def test_a_block_that_no_call_runs_may_call_one_of_several_outputs(project: Project) -> None:
    project.write(
        NET,
        "inception: 1\nname: net\ninput: 6x6x3\nblocks:\n"
        "  two: {inputs: [a, b], outputs: [p, q], steps: [p: {from: [a, b]},"
        " q: {from: a, steps: 1x1 conv (4)}]}\n"
        "  outer: {params: {n: 2}, steps: [one: 1x1 conv (4), t: {from: [one, one], steps: two},"
        " u: {from: t.q, when: n > 1, steps: 1x1 conv (4)}]}\n"
        "network: [c: 1x1 conv (6), a: {when: in == 5, steps: outer}]\n",
    )
    assert driver.verify(project.check()) == []


def test_a_call_of_several_outputs_under_a_condition_is_an_error(project: Project) -> None:
    project.write(
        NET,
        "inception: 1\nname: net\ninput: 6x6x3\nblocks:\n"
        "  two: {inputs: [a], outputs: [p, q], steps: [p: {from: a, steps: 1x1 conv (2)},"
        " q: {from: a, steps: 1x1 conv (4)}]}\n"
        "  outer: {params: {n: 2}, steps: [one: {when: n > 1, steps: [t: two,"
        " {from: [t.p, t.q]}]}]}\n"
        "network: [outer]\n",
    )
    with pytest.raises(SpecError) as error:
        project.check()
    assert {found.code for found in error.value.diagnostics} == {"E214"}


def test_a_global_pool_makes_features_of_maps_of_any_size(project: Project) -> None:
    steps = "  - 3x3 conv (4 stride stride)\n  - global avgpool\n  - linear (3)\n"
    head = "inception: 1\nname: net\ninput: 6x6x3\nparams: {stride: 2}\nnetwork:\n"
    project.write(NET, head + steps)
    hold_against_set(project, {"stride": 3})
