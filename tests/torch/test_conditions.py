"""Conditions in emitted classes: they decide as the exact arithmetic of the language does."""

from __future__ import annotations

import re
from fractions import Fraction

import pytest
import torch
from conftest import NET, Project
from test_module import hold_against_torch
from torch import Tensor, nn

from inception_dsl import driver
from inception_dsl.bridge import make_module

HEAD = "inception: 1\nname: net\ninput: 7x7x4\n"


def make(project: Project, text: str) -> nn.Module:
    """Return the emitted module of a spec; torch has counted that it is what the spec says."""
    project.write(NET, HEAD + text)
    checked = project.check()
    source = driver.emit_module(checked)
    hold_against_torch(checked, source)
    torch.manual_seed(0)
    return make_module(source, "net").eval()


def conv(module: nn.Module, path: str, x: Tensor) -> Tensor:
    layer = module.get_submodule(path)
    assert isinstance(layer, nn.Conv2d)
    return nn.functional.conv2d(x, layer.weight, layer.bias, padding=layer.kernel_size[0] // 2)


CONDITIONS = [
    "s*3 == 0.3",
    "s + 0.2 == 0.3",
    "0.3 - s == 0.2",
    "s*100 > 28",
    "s*10 != 7",
    "s*s <= 0.49",
    "not s*3 == 0.3",
    "not (s*3 > 0.3 or s == 0.29)",
    "s < in*0.1",
    "k*s == 0.3",
]


@pytest.mark.parametrize("value", ["0.1", "0.29", "0.3", "0.7", "1", "1.1"])
def test_a_condition_computes_with_exact_numbers(value: str, project: Project) -> None:
    steps = [
        f'      - a{i}: {{when: "{condition}", op: 1x1 conv (4)}}\n'
        for i, condition in enumerate(CONDITIONS)
    ]
    block = f"blocks:\n  b:\n    params: [s, k]\n    steps:\n{''.join(steps)}      - 3x3 conv (4)\n"
    module = make(project, f"{block}network:\n  - b (s={value} k=3)\n  - other: b (s=0.5 k=2)\n")
    names = {"s": Fraction(value), "k": 3, "width": 4, "Fraction": Fraction}
    for index, condition in enumerate(CONDITIONS):
        exact = re.sub(r"\d+(\.\d+)?", r"Fraction('\g<0>')", re.sub(r"\bin\b", "width", condition))
        is_there = isinstance(module.get_submodule(f"b.a{index}"), nn.Conv2d)
        assert is_there == eval(exact, {}, names), condition


REUSES = {
    "a step": ("a: 3x3 conv (4)", "{when: k == 9, reuse: a}"),
    "a step that its own condition decides": (
        "a: {when: k >= 2, op: 3x3 conv (4)}",
        "{when: k == 9, reuse: a}",
    ),
    "a chain": ("a: [3x3 conv (6), relu, 1x1 conv (4)]", "{when: k == 9, reuse: a}"),
    "a chain with a condition in it": (
        "a: [3x3 conv (4), {when: k >= 2, op: relu}, last: 1x1 conv (4)]",
        "{when: k == 9, reuse: a}",
    ),
    "branches": (
        "a: {branches: {l: 1x1 conv (2), r: [3x3 conv (3), 1x1 conv (2)]}}",
        "{when: k == 9, reuse: a}",
    ),
    "a residual": ("a: {residual: {act: relu}, steps: [3x3 conv (4)]}", "{when: k == 9, reuse: a}"),
    "a block": ("a: inner", "{when: k == 9, reuse: a}"),
    "copies": ("a: 2 x 3x3 conv (4)", "{when: k == 9, reuse: a}"),
    "a reuse": ("a: 3x3 conv (4)\n      - d: {when: k >= 2, reuse: a}", "{when: k == 9, reuse: d}"),
    "both under one condition": (
        "w: {when: k >= 2, steps: [a: 3x3 conv (4), c: {when: k == 9, reuse: a}]}",
        "relu",
    ),
}


@pytest.mark.parametrize("case", REUSES)
def test_weights_run_again_only_where_a_condition_says_so(case: str, project: Project) -> None:
    first, again = REUSES[case]
    block = f"  b:\n    params: [k]\n    steps:\n      - {first}\n      - c: {again}\n"
    calls = "".join(f"  - b{k}: b (k={k})\n" for k in (1, 5, 9))
    make(project, f"blocks:\n  inner: [3x3 conv (4), relu]\n{block}network:\n{calls}")


def test_a_reuse_that_is_not_there_passes_on_what_it_reads(project: Project) -> None:
    block = "  b: {params: [k], steps: [a: 3x3 conv (4), c: {when: k == 9, reuse: a}]}\n"
    module = make(project, f"blocks:\n{block}network:\n  - b (k=1)\n  - b2: b (k=9)\n")
    x = torch.randn(2, 4, 7, 7)
    once = conv(module, "b.a", x)
    twice = conv(module, "b2.a", conv(module, "b2.a", once))
    assert torch.allclose(module(x), twice, atol=1e-6)
