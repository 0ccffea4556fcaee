"""Names that emitted code uses itself, whole and in part: such modules run, or `check` refuses."""

from __future__ import annotations

import pytest
import torch
from conftest import NET, Project
from hypothesis import given, settings
from random_specs import QUICK, specs
from random_steps import Spec
from test_networks import hold_against_the_graph

from inception_dsl import driver
from inception_dsl.bridge import make_module
from inception_dsl.diagnostics import SpecError
from inception_dsl.emit.python.excerpts import IMPORTED, all_excerpts
from inception_dsl.resolve.reserved import name_problem

HEAD = "inception: 1\nname: net\ninput: 9x9x4\n"
CONV = "defaults: {conv: {norm: batchnorm, act: relu}}\n"
NORMED = f"{HEAD}{CONV}"

CASES = {
    "a step that holds the letters of a parameter": f"{HEAD}network: [in_channels: 1x1 conv (5)]\n",
    "a parameter of the network that holds them": "inception: 1\nname: net\ninput: 9x9x4\n"
    "params: {main_channels: 8}\nnetwork: [c: 3x3 conv (main_channels)]\n",
    "a parameter of a block that holds them": f"{HEAD}blocks: {{b: {{params: [min_channels],"
    " steps: [c: 1x1 conv (min_channels)]}}\nnetwork: [a: b (min_channels=8)]\n",
    "a network named like its class": "inception: 1\nname: Net\ninput: 9x9x4\nnetwork: [relu]\n",
    "a network named like the class of a step": f"{NORMED}network: [1x1 conv (4)]\n".replace(
        "name: net", "name: ConvNormAct"
    ),
    "a network named like a module of Python": f"{NORMED}network: [1x1 conv (4)]\n".replace(
        "name: net", "name: collections"
    ),
    "a block named like the network": f"{HEAD}blocks: {{net: relu}}\nnetwork: [a: net]\n",
    "a block named like a small class": f"{NORMED}blocks: {{conv_norm_act: [1x1 conv (4)]}}\n"
    "network: [conv_norm_act]\n",
    "two blocks of one class": f"{HEAD}blocks: {{conv_a: relu, convA: [1x1 conv (4)]}}\n"
    "network: [conv_a, convA]\n",
    "a block named like a keyword": f"{HEAD}blocks: {{none_: relu, 'none': relu}}\n"
    "network: [a: none_]\n".replace(", 'none': relu", ""),
    "a block named like a type of torch": f"{HEAD}blocks: {{tensor: relu, ordered_dict: relu}}\n"
    "network: [tensor, ordered_dict]\n",
    "a parameter named like a class": f"{NORMED}blocks: {{b: {{params: [ConvNormAct], steps:"
    " [1x1 conv (ConvNormAct)]}}\nnetwork: [a: b (ConvNormAct=3)]\n",
    "a step named like the outputs": f"{HEAD}network: [c: 1x1 conv (4), NetOutputs: relu]\n"
    "heads: {aux: {at: NetOutputs, steps: [global avgpool, linear (3)]}}\n",
    "a head named like the network": f"{HEAD}network: [c: 1x1 conv (4), r: relu]\n"
    "heads: {Net: {at: c, steps: [global avgpool, linear (3)]}}\n",
    "a step named like a stored parameter": f"{HEAD}blocks: {{b: {{params: [scale], residual:"
    " {scale: scale}, steps: [scale: 1x1 conv (4), scale_: relu]}}\nnetwork: [b (scale=0.5)]\n",
    "a parameter named like a loop's variable": f"{HEAD}params: {{module: 3, i: 2}}\n"
    "network: [1x1 conv (module init normal 0.1), i x 1x1 conv (module init normal 0.1)]\n",
    "a block and a branch that make one class": f"{NORMED}blocks: {{net_a: relu}}\n"
    "network: [a: {branches: {p: [net_a, 1x1 conv (4)], q: 1x1 conv (3)}}]\n",
}


@pytest.mark.parametrize("case", CASES)
def test_a_module_with_awkward_names_runs(case: str, project: Project) -> None:
    project.write(NET, CASES[case])
    checked = project.check()
    assert driver.verify(checked) == []
    module = make_module(driver.emit_module(checked), checked.model.name)
    images = torch.randn(2, 4, 9, 9)
    logits = module.eval()(images)
    trained = module.train()(images)
    assert logits.shape == (trained if isinstance(trained, torch.Tensor) else trained[0]).shape


def test_random_networks_with_awkward_names_compute_what_their_graphs_say(project: Project) -> None:
    @given(specs(awkward=True))
    def claim(spec: Spec) -> None:
        hold_against_the_graph(spec, project)

    settings(QUICK, max_examples=6)(claim)()


@pytest.mark.parametrize("name", ["range", "int", "isinstance"])
def test_a_network_that_would_hide_what_its_module_needs_is_refused(
    name: str, project: Project
) -> None:
    project.write(NET, HEAD.replace("net", name) + "network: relu\n")
    with pytest.raises(SpecError) as caught:
        project.check()
    assert [finding.code for finding in caught.value.diagnostics] == ["E105"]


def test_what_a_module_imports_or_brings_along_names_nothing() -> None:
    names = [*IMPORTED, *(excerpt.name for excerpt in all_excerpts())]
    assert [name for name in names if name_problem(name) is None] == []


READ_BY_MODULES = [
    "range",
    "isinstance",
    "int",
    "max",
    "float",
    "super",
    "tuple",
    "list",
    "type",
    "bool",
    "dict",
    "print",
]
SMALL_CLASSES = ["ConvNorm", "SepConvNormAct", "SameMaxPool2d", "_SameMaxPool2d"]
SEVERAL = "3x3 sepconv (4), 2 x 3x3 conv (4), 3x3 maxpool (stride 2 pad same_tf)"
BEARERS = {
    "network": "name: NAME\nnetwork: [SEVERAL]\n",
    "count": "name: net\nparams: {NAME: 3}\nnetwork: [NAME x 3x3 conv (4), SEVERAL]\n",
    "block": "name: net\nblocks: {b: {params: [NAME, k], steps: [k x 3x3 conv (in), 3x3 conv"
    " (NAME), SEVERAL]}}\nnetwork: [b (NAME=3 k=2)]\n",
    "activation": "name: net\nparams: {NAME: relu}\nnetwork: [3x3 conv (4 act NAME), SEVERAL]\n",
    "initialisation": "name: net\nparams: {NAME: 3}\ndefaults: {conv: {init: normal 0.1}}\n"
    "network: [3x3 conv (NAME), SEVERAL]\n",
}


@pytest.mark.parametrize("name", [*READ_BY_MODULES, *SMALL_CLASSES])
@pytest.mark.parametrize("bearer", BEARERS)
def test_a_name_that_modules_read_is_refused_or_runs(
    bearer: str, name: str, project: Project
) -> None:
    text = BEARERS[bearer].replace("NAME", name).replace("SEVERAL", SEVERAL)
    project.write(NET, f"inception: 1\ninput: 9x9x4\n{text}")
    try:
        checked = project.check()
    except SpecError as error:
        assert {finding.code for finding in error.diagnostics} == {"E105"}
        return
    module = make_module(driver.emit_module(checked), checked.model.name)
    images = torch.randn(2, 4, 9, 9)
    assert module.train()(images).shape == module.eval()(images).shape
