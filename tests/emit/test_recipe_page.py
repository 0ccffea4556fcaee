"""The recipe and the reported errors on a network's cost page."""

from __future__ import annotations

from conftest import NET, Project

from inception_dsl.emit.report.recipe import list_recipe_sections

SPEC = """\
inception: 1
name: net
input: 16x16x3
network: [global avgpool, linear (3)]
training:
  source: 'Section <b>8</b> | @octocat'
  batch: unknown
  epochs: 100
  optimizer: sgd (momentum 0.9)
  learning_rate: {is: 0.1, source: Table 3}
  clip: none
claims:
  - {top1_error: 21.2, top5_error: 5.60, crops: 12, source: Table 3}
  - {top5_error: 3.58, crops: 144, networks: 4, split: test, source: Table 5}
"""


def test_a_page_lists_settings_with_sources_and_errors(project: Project) -> None:
    project.write(NET, SPEC)
    training, _, settings, reported, _, results = list_recipe_sections(project.check().model)
    assert (training, reported) == ("## Training", "## Reported errors")
    rows = settings.splitlines()[2:]
    source = r"Section &lt;b&gt;8&lt;/b&gt; \| @&#8203;octocat"
    assert rows[0] == f"| batch | unknown | {source} |"
    assert rows[2:] == [
        rf"| optimizer | sgd \(momentum 0.9\) | {source} |",
        "| learning_rate | 0.1 | Table 3 |",
    ]
    assert results.splitlines()[2:] == [
        "| 12 | 1 | 21.2 | 5.60 |  | Table 3 |",
        "| 144 | 4 |  | 3.58 | test | Table 5 |",
    ]


def test_a_page_without_a_recipe_has_no_section(project: Project) -> None:
    project.write(NET, SPEC.partition("training:")[0])
    assert list(list_recipe_sections(project.check().model)) == []
