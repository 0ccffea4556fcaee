"""The wheel carries the specs as its library, the pages of the findings, and the templates."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

from inception_dsl import driver
from inception_dsl.diagnostics import CODES
from inception_dsl.diagnostics.pages import MANUAL

ROOT = Path(__file__).parents[1]


def test_the_wheel_carries_specs_pages_and_templates(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    specs = {f"inception_dsl/specs/{name}.yaml" for name in driver.list_specs(ROOT)}
    assert specs | {"inception_dsl/specs/blocks/stem_v4.yaml"} <= names
    assert {f"inception_dsl/pages/{code}.md" for code in CODES} <= names
    assert "inception_dsl/emit/python/templates/model.py.j2" in names
    assert "inception_dsl/py.typed" in names
    assert {f"inception_dsl/manual/{topic}.md" for topic in MANUAL} <= names


def test_an_installed_wheel_builds_from_any_folder(tmp_path: Path) -> None:
    """Unpacked beside nothing else, the package finds its own library and its own pages."""
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    site = tmp_path / "site"
    zipfile.ZipFile(wheel).extractall(site)
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    build = (
        "import sys; from inception_dsl.cli import main; sys.exit(main(['build', 'inception_v4']))"
    )
    subprocess.run(
        [sys.executable, "-c", build],
        cwd=folder,
        env={"PYTHONPATH": str(site)},
        check=True,
        capture_output=True,
    )
    for file in ("model.py", "cost.md", "poster.svg", "schema.svg"):
        built = folder / "generated" / "inception_v4" / file
        assert built.read_bytes() == (ROOT / "generated" / "inception_v4" / file).read_bytes()
    explain = "import sys; from inception_dsl.cli import main; sys.exit(main(['explain', 'E304']))"
    done = subprocess.run(
        [sys.executable, "-c", explain],
        cwd=folder,
        env={"PYTHONPATH": str(site)},
        check=True,
        capture_output=True,
    )
    assert done.stdout == (ROOT / "docs/errors/E304.md").read_bytes()
