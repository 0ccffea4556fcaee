"""The emitters of a build make the files that they name, and help lists them."""

from __future__ import annotations

import pytest
from conftest import NET, Project

from inception_dsl import driver
from inception_dsl.cli import main
from inception_dsl.emit.emitters import EMITTERS


def test_every_emitter_makes_the_files_that_it_names(project: Project) -> None:
    recipe = "training: {batch: 8, epochs: 1, optimizer: sgd, learning_rate: 0.1}\n"
    network = "network: [1x1 conv (4), global avgpool, linear (4)]\n"
    project.write(NET, f"inception: 1\nname: net\ninput: 8x8x3\n{network}{recipe}")
    made = driver.emit(project.check(), output=project.root / "generated").artifacts
    named = [name.replace("NAME", "net") for emitter in EMITTERS for name in emitter.files]
    assert sorted(artifact.path.name for artifact in made) == sorted(named)


def test_help_lists_the_files_of_every_emitter(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["build", "--help"])
    words = " ".join(capsys.readouterr().out.split())
    assert [n for emitter in EMITTERS for n in emitter.files if n not in words] == []
