"""Properties of every good spec, tried on random ones."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from conftest import NET, Project
from hypothesis import given, settings
from random_specs import QUICK, specs
from random_steps import Spec

from inception_dsl import driver
from inception_dsl.ir.text import fingerprint
from inception_dsl.ir.verify import verify


def emitted(project: Project) -> str:
    return driver.emit_module(project.check())


def for_each(claim: Callable[[Spec], None]) -> None:
    """Holds a claim against random specs."""
    settings(QUICK, max_examples=12)(given(specs())(claim))()


def test_a_spec_that_is_good_by_construction_is_good_and_its_model_sound(project: Project) -> None:
    def claim(spec: Spec) -> None:
        project.write(NET, spec.text())
        assert verify(project.check().model) == []

    for_each(claim)


def test_the_long_form_of_every_step_is_the_same_model(project: Project) -> None:
    def claim(spec: Spec) -> None:
        project.write(NET, spec.text())
        short = fingerprint(project.check().model)
        project.write(NET, spec.text(long=True))
        assert fingerprint(project.check().model) == short

    for_each(claim)


def test_formatting_changes_no_model_and_comes_to_rest(project: Project) -> None:
    def claim(spec: Spec) -> None:
        for text in (spec.text(), spec.text(long=True)):
            project.write(NET, text)
            before = fingerprint(project.check().model)
            once = driver.format_file(NET, folder=project.root).text
            project.write(NET, once)
            assert fingerprint(project.check().model) == before
            assert driver.format_file(NET, folder=project.root).text == once

    for_each(claim)


def test_the_expanded_spec_is_the_same_model(project: Project) -> None:
    def claim(spec: Spec) -> None:
        project.write(NET, spec.text())
        before = fingerprint(project.check().model)
        project.write(NET, driver.expand_spec(NET, folder=project.root))
        assert fingerprint(project.check().model) == before

    for_each(claim)


def test_emitted_code_compiles_and_is_the_same_bytes_twice(project: Project) -> None:
    def claim(spec: Spec) -> None:
        project.write(NET, spec.text())
        source = emitted(project)
        compile(source, "model.py", "exec")
        assert emitted(project) == source

    for_each(claim)


def test_a_formatter_has_nothing_to_say_to_emitted_code(project: Project) -> None:
    """All the modules are formatted at once; beside each stands the spec that it came from."""
    folder = project.root / "emitted"
    folder.mkdir()
    written: list[Path] = []

    def gather(spec: Spec) -> None:
        project.write(NET, spec.text())
        path = folder / f"m{len(written)}.py"
        path.write_text(emitted(project))
        path.with_suffix(".yaml").write_text(spec.text())
        written.append(path)

    for_each(gather)
    command = [sys.executable, "-m", "ruff", "format", "--diff", "--isolated"]
    done = subprocess.run(
        [*command, "--line-length", "100", str(folder)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[:5000]
