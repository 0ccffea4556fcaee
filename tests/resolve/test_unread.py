"""Parameters that a block declares: those that need no warning though no step reads them."""

from __future__ import annotations

import pytest
from conftest import NET, Project

HEAD = "inception: 1\nname: net\ninput: 9x9x8\n"

READ = {
    "in a width": "blocks: {b: {params: [p], steps: 1x1 conv (2*p)}}\nnetwork: b (p=3)\n",
    "as a kernel": "blocks: {b: {params: [p], steps: p conv (4)}}\nnetwork: b (p=3x3)\n",
    "as a count": "blocks: {b: {params: [p], steps: p x 3x3 conv (4)}}\nnetwork: b (p=2)\n",
    "as an activation": (
        "blocks: {b: {params: [p], steps: 1x1 conv (4 act p)}}\nnetwork: b (p=relu)\n"
    ),
    "in a condition": (
        "blocks: {b: {params: [p], steps: [{a: {when: p > 2, op: 1x1 conv (4)}}, relu]}}\n"
        "network: b (p=3)\n"
    ),
    "in the condition of a residual": (
        "blocks: {b: {params: [p], residual: {when: p > 2}, steps: 1x1 conv (in)}}\n"
        "network: b (p=3)\n"
    ),
    "by a residual": (
        "blocks: {b: {params: [p], residual: {scale: p}, steps: 1x1 conv (in)}}\nnetwork: b (p=3)\n"
    ),
    "by a call": (
        "blocks: {b: {params: [p], steps: c (q=p)}, c: {params: [q], steps: 1x1 conv (q)}}\n"
        "network: b (p=3)\n"
    ),
    "by a change from copy to copy": (
        "blocks: {b: {params: [p], steps: 2 x c (q=1 to p)}, "
        "c: {params: [q], steps: rescale (factor q)}}\nnetwork: b (p=3)\n"
    ),
    "in a table whose rows bind all columns": (
        "tables: {t: {columns: [p, q], r: [3, 4]}}\n"
        "blocks: {b: {params: [p, q], steps: 1x1 conv (q)}}\nnetwork: b (t.r)\n"
    ),
    "by the block that it extends": (
        "blocks:\n  b: {params: [p], steps: [a: 1x1 conv (p)]}\n"
        "  c: {extends: b, steps: {a: relu}}\nnetwork: [b (p=3), c (p=3)]\n"
    ),
}


@pytest.mark.parametrize("how", READ)
def test_a_parameter_that_is_read_gives_no_warning(how: str, project: Project) -> None:
    project.write(NET, HEAD + READ[how])
    assert project.findings() == ()


def test_a_parameter_that_the_base_of_a_spec_reads_gives_no_warning(project: Project) -> None:
    """The base is as it was; whoever changes its block need not change its calls, too."""
    base = f"{HEAD}blocks: {{b: {{params: [p], steps: [a: 1x1 conv (p)]}}}}\nnetwork: b (p=3)\n"
    project.write("specs/base.yaml", base)
    project.write(NET, "inception: 1\nextends: base\nblocks: {b: {steps: {a: relu}}}\n")
    assert project.findings() == ()


def test_a_parameter_that_an_extending_block_adds_is_read_by_itself(project: Project) -> None:
    text = (
        "blocks:\n  b: {params: [p], steps: [a: 1x1 conv (p)]}\n"
        "  c: {extends: b, params: {q: 2}}\nnetwork: [b (p=3), c (p=3)]\n"
    )
    project.write(NET, HEAD + text)
    (finding,) = project.findings()
    assert (finding.code, finding.message) == ("W615", "no step of `c` reads its parameter `q`")
