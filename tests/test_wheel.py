"""The wheel and the archive of the source: what they carry, and that both can be published."""

from __future__ import annotations

import email
import re
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from inception_dsl import driver
from inception_dsl.diagnostics import CODES
from inception_dsl.diagnostics.pages import MANUAL, SCHEMAS

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder with the wheel and the archive of the source."""
    folder = tmp_path_factory.mktemp("dist")
    build(ROOT, folder)
    return folder


def build(source: Path, folder: Path, *options: str) -> None:
    command = [sys.executable, "-m", "hatchling", "build", "-d", str(folder), *options]
    subprocess.run(command, cwd=source, check=True, capture_output=True)


def find_wheel(folder: Path) -> Path:
    (wheel,) = folder.glob("*.whl")
    return wheel


def test_the_wheel_carries_specs_pages_and_templates(dist: Path) -> None:
    names = set(zipfile.ZipFile(find_wheel(dist)).namelist())
    specs = {f"inception_dsl/specs/{name}.yaml" for name in driver.list_specs(ROOT)}
    assert specs | {"inception_dsl/specs/blocks/stem_v4.yaml"} <= names
    assert {f"inception_dsl/pages/{code}.md" for code in CODES} <= names
    assert "inception_dsl/emit/python/templates/model.py.j2" in names
    assert "inception_dsl/py.typed" in names
    assert {f"inception_dsl/schemas/{name}.schema.json" for name in SCHEMAS} <= names
    assert {f"inception_dsl/manual/{topic}.md" for topic in MANUAL} <= names


def test_both_can_be_published(dist: Path) -> None:
    pytest.importorskip("twine")
    files = [str(path) for path in sorted(dist.iterdir())]
    assert len(files) == 2
    command = [sys.executable, "-m", "twine", "check", "--strict", *files]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.count("PASSED")) == (0, 2), done.stdout


def test_the_archive_of_the_source_makes_the_same_wheel(dist: Path, tmp_path: Path) -> None:
    (archive,) = dist.glob("*.tar.gz")
    with tarfile.open(archive) as source:
        source.extractall(tmp_path, filter="data")
    (folder,) = tmp_path.iterdir()
    build(folder, tmp_path, "-t", "wheel")
    one, other = (
        {each.filename: each.CRC for each in zipfile.ZipFile(find_wheel(place)).infolist()}
        for place in (dist, tmp_path)
    )
    assert one == other
    assert {"README.md", "mkdocs.yml", "tests", "docs", "specs"} <= {
        each.name for each in folder.iterdir()
    }


def test_the_metadata_names_every_extra_and_every_python(dist: Path) -> None:
    wheel = zipfile.ZipFile(find_wheel(dist))
    (name,) = (name for name in wheel.namelist() if name.endswith(".dist-info/METADATA"))
    metadata = email.message_from_bytes(wheel.read(name))
    asked = set(re.findall(r"inception-dsl\[([a-z-]+)\]", "".join(_read_docs())))
    assert asked <= set(metadata.get_all("Provides-Extra", []))
    assert metadata["Requires-Python"] == ">=3.11"
    assert "License-File" in metadata


def _read_docs() -> Iterator[str]:
    for page in (ROOT / "docs").glob("*.md"):
        yield page.read_text(encoding="utf-8")


def test_an_installed_wheel_builds_from_any_folder(dist: Path, tmp_path: Path) -> None:
    """Unpacked beside nothing else, the package finds its own library and its own pages."""
    site = tmp_path / "site"
    zipfile.ZipFile(find_wheel(dist)).extractall(site)
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    program = (
        "import sys; from inception_dsl.cli import main; sys.exit(main(['build', 'inception_v4']))"
    )
    subprocess.run(
        [sys.executable, "-c", program],
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
