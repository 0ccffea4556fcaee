"""`build --verify`: a faithful module is found to be one, and no other."""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import NET, Project
from test_language import HEAD, NETWORKS
from test_module import FAULTS

from inception_dsl import driver
from inception_dsl.bridge.verify import verify_module
from inception_dsl.cli import main
from inception_dsl.driver import walk

FOLDER = Path(__file__).parent


@pytest.mark.parametrize("spec", NETWORKS.values(), ids=NETWORKS.keys())
def test_a_faithful_module(spec: str, project: Project) -> None:
    project.write(NET, HEAD + spec)
    assert driver.verify(project.check()) == []


@pytest.mark.parametrize("fault", FAULTS)
def test_a_module_with_a_fault(fault: str) -> None:
    found = driver.check("inception_v4", folder=FOLDER)
    right, wrong = FAULTS[fault]
    source = driver.emit_module(found).replace(right, wrong)
    assert verify_module(source, found.model, found.cost)


def test_heads_that_change_places() -> None:
    found = driver.check("googlenet", folder=FOLDER)
    source = driver.emit_module(found)
    swapped = source.replace("aux1=self.aux1(inception_4a)", "aux1=self.aux1(inception_4d)")
    assert swapped != source
    (difference,) = verify_module(swapped, found.model, found.cost)
    assert difference.startswith("it does not run: RuntimeError")


def test_verify_names_the_nodes_that_differ(
    project: Project, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    project.write(NET, f"{HEAD}network: [3x3 conv (8), 2x2 maxpool (stride 2)]\n")
    monkeypatch.chdir(project.root)
    assert main(["build", "--verify", NET]) == 0
    assert "net: torch finds what the spec says, 2 nodes, 440 parameters" in capsys.readouterr().err
    emitted = driver.emit_module
    monkeypatch.setattr(
        walk, "emit_module", lambda found: emitted(found).replace("padding=1", "padding=0")
    )
    assert main(["build", "--verify", NET]) == 1
    assert capsys.readouterr().err.splitlines()[:4] == [
        "error: the module of `net` is not what its spec says",
        "  = note: `conv` gives 8 x 31 x 32, and should give 8 x 33 x 34",
        "  = note: `maxpool` gives 8 x 15 x 16, and should give 8 x 16 x 17",
        "  = note: inference takes 428,544 MACs, and should take 484,704",
    ]
