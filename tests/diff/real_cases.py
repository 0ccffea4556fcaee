"""The comparisons whose whole text is kept, as a reviewer reads it."""

from __future__ import annotations

from pathlib import Path

from conftest import Project

from inception_dsl import driver
from inception_dsl.diff import Finding, Report

ROOT = Path(__file__).parents[2]

REAL = {
    "inception_v4_lucid": ("inception_v4", "community/lucid_v4"),
    "inception_v3_lucid": ("inception_v3", "community/lucid_v3"),
    "inception_v4_timm": ("inception_v4", "timm/inception_v4"),
    "inception_resnet_v2_timm": ("inception_resnet_v2", "timm/inception_resnet_v2"),
    "googlenet_torchvision": ("googlenet", "torchvision/googlenet"),
    "inception_v3_torchvision": ("inception_v3", "torchvision/inception_v3"),
    "inception_v3_timm": ("inception_v3", "timm/inception_v3"),
}

ROWS = ("inception_v4", "inception_resnet_v1", "inception_resnet_v2")

_REDUCTION = """\
inception: 1
name: reduction
use: [blocks/reduction_a]
input: 35x35x384
defaults: {{conv: {{norm: batchnorm, act: relu}}}}
network:
  - reduction_a: reduction_a (table1.{row})
"""


def rows(project: Project, old: str, new: str) -> Report:
    """Reduction-A with two rows of Table 1 of the Inception-v4 paper."""
    for side, row in (("old", old), ("new", new)):
        project.write(f"specs/{side}.yaml", _REDUCTION.format(row=row))
    return driver.compare("old", "new", folder=project.root)


def compare(old: str, new: str) -> Report:
    """Two shipped specs."""
    return driver.compare(old, new, folder=ROOT)


def found(report: Report) -> dict[str, list[Finding]]:
    """The findings by code."""
    result: dict[str, list[Finding]] = {}
    for finding in report.findings:
        result.setdefault(finding.code, []).append(finding)
    return result


def between(project: Project, old: str, new: str) -> Report:
    """Two specs as text."""
    project.write("specs/old.yaml", old)
    project.write("specs/net.yaml", new)
    return driver.compare("old", "net", folder=project.root)
