"""Training heads that cannot run at the input of a caller: they are left out, and it is told."""

from __future__ import annotations

from pathlib import Path

import pytest
import torchvision
from conftest import NET, Project
from torch import nn

import inception_dsl as idsl
from inception_dsl import driver
from inception_dsl.bridge.recording import record
from inception_dsl.diagnostics import SpecError
from inception_dsl.resolve import Overrides

ROOT = Path(__file__).parents[1]

SPEC = """\
inception: 1
name: net
input: 64x64x3
params: {width: 8}
blocks:
  aux: [15x15 avgpool (stride 8 V), flatten, linear (10)]
network:
  - features: 3x3 conv (width stride 2)
  - global avgpool
  - fc: linear (10)
heads:
  first: {at: features, steps: aux}
  second: {at: features, steps: [global avgpool, linear (10)]}
"""


def codes(found: driver.Checked) -> list[str]:
    return [finding.code for finding in found.warnings]


@pytest.mark.parametrize("size", [224, 75])
def test_inception_v3_is_counted_as_torch_counts_it_in_evaluation(size: int) -> None:
    overrides = Overrides(f"{size}x{size}x3")
    found = driver.check("torchvision/inception_v3", folder=ROOT, overrides=overrides)
    assert codes(found) == ["W610"]
    network: nn.Module = torchvision.models.inception_v3(weights=None, init_weights=False)
    recorded = record(network.to("meta"), (3, size, size), training=False)
    assert found.cost.totals.macs == sum(recorded.macs.values())


def test_a_head_that_runs_stays(project: Project) -> None:
    project.write(NET, SPEC)
    network = idsl.load(project.root / NET, input="24x24x3")
    assert [head.path for head in network.model.heads] == ["second"]
    assert "aux" not in network.blocks
    (warning,) = network.warnings
    assert "`first` cannot run at 24x24x3: it is left out" in warning.message
    assert network.verify() == []
    assert "<svg" in network.figure("poster").svg


def test_a_head_that_cannot_run_at_its_specs_own_input_is_an_error(project: Project) -> None:
    project.write(NET, SPEC.replace("64x64x3", "24x24x3"))
    with pytest.raises(SpecError, match="E302"):
        project.check()
    with pytest.raises(SpecError, match="E302"):
        driver.check(NET, folder=project.root, overrides=Overrides(params={"width": "9"}))


def test_a_fault_of_the_trunk_is_an_error_of_the_trunk_alone(project: Project) -> None:
    project.write(
        NET, SPEC.replace("global avgpool\n  - fc", "13x13 avgpool (V)\n  - flatten\n  - fc")
    )
    with pytest.raises(SpecError) as raised:
        driver.check(NET, folder=project.root, overrides=Overrides("20x20x3"))
    assert [finding.code for finding in raised.value.diagnostics] == ["E302"]
    assert "13" in raised.value.diagnostics[0].message


def test_claims_at_another_input_count_no_head_that_cannot_run(project: Project) -> None:
    claims = "claims:\n  - {input: 24x24x3, macs: 31184}\n"
    project.write(NET, SPEC + claims)
    project.check()
    project.write(NET, SPEC + claims.replace("macs", "heads: true, macs"))
    with pytest.raises(SpecError, match="with heads has no value at 24x24x3"):
        project.check()


def test_a_claim_on_a_head_that_is_left_out_is_no_error(project: Project) -> None:
    claims = "claims: [{at: first.linear, params: 730, source: a paper}]\n"
    project.write(NET, SPEC + claims)
    assert codes(project.check()) == []
    found = driver.check(NET, folder=project.root, overrides=Overrides("24x24x3"))
    assert codes(found) == ["W610"]


def test_every_command_tells_it(project: Project, capfd: pytest.CaptureFixture[str]) -> None:
    from inception_dsl.cli import main

    project.write(NET, SPEC)
    path = str(project.root / NET)
    for command in (["check", path], ["flops", path], ["render", path], ["diff", path, path]):
        main([*command, "--input", "24x24x3"])
        assert "W610" in "".join(capfd.readouterr()), command
