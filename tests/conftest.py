"""The fixtures that tests share: a project in a folder of its own, and a browser."""

from __future__ import annotations

import gc
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from inception_dsl import driver
from inception_dsl.diagnostics import Diagnostic, SpecError, render
from inception_dsl.driver import Checked, selection

if TYPE_CHECKING:
    from playwright.sync_api import Browser

NET = "specs/net.yaml"

if "PYTEST_XDIST_WORKER" in os.environ:
    # One thread for each of the processes that share the cores. Torch reads this when it loads.
    os.environ["OMP_NUM_THREADS"] = "1"

_NEEDS_TORCH = re.compile(
    r"^(import|from) (torch|torchvision|timm|onnx|sklearn|inception_dsl\S*\.helpers)\b",
    re.MULTILINE,
)

_TORCH = find_spec("torch")
HAS_TORCH = _TORCH is not None and _TORCH.origin is not None  # the folder `tests/torch` is not it

needs_torch = pytest.mark.skipif(not HAS_TORCH, reason="torch is not installed")


def _list_torch_tests(folder: Path) -> list[str]:
    """Return the folders and files of tests that need torch, or a file that does."""
    texts = {path: path.read_text(encoding="utf-8") for path in sorted(folder.rglob("*.py"))}
    inside = {path for path in texts if {"torch", "training"} & set(path.parts)}
    found = inside | {path for path, text in texts.items() if _NEEDS_TORCH.search(text)}
    size = 0
    while len(found) > size:
        size = len(found)
        imports = re.compile(
            rf"^(import|from) ({'|'.join(path.stem for path in found)})\b", re.MULTILINE
        )
        found |= {path for path, text in texts.items() if imports.search(text)}
    return ["torch", "training", *(path.relative_to(folder).as_posix() for path in found - inside)]


if not HAS_TORCH:  # with the extra `test-light`, as on further versions of Python
    collect_ignore = _list_torch_tests(Path(__file__).parent)


def pytest_collection_finish() -> None:
    """Leave what the collection of tests has loaded out of the search for garbage.

    Torch and 9,000 tests are over half a million objects, and each full search would visit them.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 10, 5)


@dataclass(frozen=True)
class Project:
    """A folder that `use` and `extends` must stay in."""

    root: Path

    def write(self, name: str, text: str) -> Path:
        """Writes a file, byte for byte, with the folders above it."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode())
        return path

    def check(self, name: str = NET) -> Checked:
        """The checked model of a spec, which must be a good one."""
        return driver.check(name, folder=self.root)

    def findings(self, name: str = NET) -> tuple[Diagnostic, ...]:
        """All that is found in a spec: its errors, or the warnings of a good one."""
        try:
            return self.check(name).warnings
        except SpecError as error:
            return error.diagnostics

    def rendering(self, name: str = NET) -> str:
        """Return the findings of a spec, as a person sees them."""
        return render(self.findings(name))


@pytest.fixture
def short_library(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let `list` count one network of the library: all of them take a second."""

    def list_known_specs(folder: Path) -> list[str]:
        return [*selection.list_specs(folder), "alexnet"]

    monkeypatch.setattr(selection, "list_known_specs", list_known_specs)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    (tmp_path / "pyproject.toml").touch()
    return Project(tmp_path)


@pytest.fixture
def here(project: Project, monkeypatch: pytest.MonkeyPatch) -> Project:
    """The project, with its root as the working folder."""
    monkeypatch.chdir(project.root)
    return project


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Start Chromium."""
    from reader import start_browser

    with start_browser() as started:
        yield started
