"""Same spec, same bytes: whatever the hash seed, the folder or the locale."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

SEEDS = ["0", "1", "42"]

PROGRAM = """\
import sys
from inception_dsl.cli import main
names = ["inception_v4", "googlenet", "community/googlenet_bn"]
assert main(["build", *names, "-o", "out"]) == 0
for format in ("table", "json", "csv", "markdown"):
    assert main(["flops", *names, "--format", format]) == 0
for by in ("stage", "block", "op", "path"):
    assert main(["flops", *names, "--by", by, "--format", "json"]) == 0
assert main(["list"]) == 0
for spec in ("bad.yaml", "worse.yaml"):
    assert main(["check", spec]) == 1
"""

BAD = """\
inception: 1
name: bad
input: 32x32x3
blocks:
  b: {params: [k, l, m], steps: relu}
network:
  - 3x3 convv (8 strid 2)
  - b
  - 3x3 conv (8 strid 2)
  - 3x3 maxpool (ciel)
  - 3x3 conv (k + l + m)
"""

WORSE = """\
inception: 1
name: worse
input: 32x32x3
network: relu
tabels: {}
budgets: {}
budget: {parms: 1, maccs: 2}
"""


def made(seed: str, folder: Path, **environment: str) -> dict[str, bytes]:
    """Return the output of a process and the files that it writes, by name."""
    folder.mkdir()
    (folder / "bad.yaml").write_text(BAD)
    (folder / "worse.yaml").write_text(WORSE)
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        cwd=folder,
        env={**os.environ, "PYTHONHASHSEED": seed, **environment},
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    files = sorted(path for path in (folder / "out").rglob("*") if path.is_file())
    written = {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}
    return {"stdout": done.stdout, "stderr": done.stderr, **written}


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    return made(SEEDS[0], tmp_path_factory.mktemp("first") / "here")


@pytest.mark.parametrize("seed", SEEDS[1:])
def test_no_hash_seed_shows_in_any_byte(seed: str, first: dict[str, bytes], tmp_path: Path) -> None:
    found = made(seed, tmp_path / "elsewhere" if seed == "42" else tmp_path / "here")
    assert list(found) == list(first)
    assert not [name for name in first if found[name] != first[name]]


def test_no_locale_shows_in_any_byte(first: dict[str, bytes], tmp_path: Path) -> None:
    found = made("0", tmp_path / "here", LC_ALL="C", PYTHONUTF8="0", TZ="Asia/Tokyo")
    assert not [name for name in first if found[name] != first[name]]


def test_emitted_files_do_not_depend_on_the_machine(first: dict[str, bytes]) -> None:
    assert [name for name in first if name.endswith(".py")] == [
        "out/community/googlenet_bn/model.py",
        "out/googlenet/model.py",
        "out/googlenet/train.py",
        "out/inception_v4/model.py",
        "out/inception_v4/train.py",
    ]
    here = str(Path(__file__).parent.parent).encode()
    assert not [name for name in first if here in first[name] or b"\r" in first[name]]
