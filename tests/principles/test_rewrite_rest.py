"""`rewrite` leaves the rest of a spec as it is: claims in braces, counts of `import`, comments."""

from __future__ import annotations

import re

import pytest
import yaml
from conftest import NET, Project

from inception_dsl.diagnostics import SpecError
from inception_dsl.driver import rewriting
from inception_dsl.driver.rewriting import RewriteFaultError, Rewritten, rewrite
from inception_dsl.emit.spec.claims import rename
from inception_dsl.emit.spec.places import RewriteError, StepPlaces, TextEdit, apply_edits
from inception_dsl.emit.spec.unchanged import prove_rest
from inception_dsl.source import Source
from inception_dsl.spec.tree import Tree, parse_tree

HEAD = "inception: 1\nname: net\ninput: 35x35x48\n"
CLAIM = "{at: a, shape: 35x35x48, source: me}"
HASHED = '{at: a, shape: 35x35x48, source: "Table # 1"}'
COUNTED = "source: counted by torch"


def rewritten(text: str, project: Project, output: str | None = None) -> Rewritten:
    project.write(NET, text)
    path = project.root / output if output else None
    return rewrite(NET, folder=project.root, output=path)


@pytest.mark.parametrize(
    "rest",
    [
        f" claims: [{CLAIM}], defaults: {{conv: {{norm: batchnorm}}}}, @}}",
        f" claims: [{HASHED}],  # mine\n # ours\n title: t,\n @}}",
        f" defaults: {{conv: {{act: relu}}}}, @, budget: {{params: < 80K}},  # exam\n"
        f" claims: [{CLAIM}]}}",
        f" @,\n title: t,  # on t\n claims: [{CLAIM}],  # mine\n}}",
    ],
)
def test_a_spec_in_braces_loses_its_claims_alone(rest: str, project: Project) -> None:
    text = f"{{{HEAD[:-1].replace(chr(10), ', ')},\n{rest}\n".replace(
        "@", "network: [a: 5x5 conv (48)]"
    )
    after = rewritten(text, project, "specs/new.yaml").artifact.text
    old, new = yaml.safe_load(text), yaml.safe_load(after)
    del old["claims"], old["network"]
    assert new.pop("network") == [{"a_a": "3x3 conv (48)"}, {"a": "3x3 conv (48)"}]
    assert new == {**old, "name": "new"}
    comments = [each for each in re.findall("(?<=\\s)# [a-z].*", text) if each != "# mine"]
    assert re.findall("# .*", after) == comments


def test_counts_in_braces_go_alone(project: Project) -> None:
    text = (
        "{inception: 1, name: net, input: 35x35x48,\n"
        f" claims: [{{params: 57648, {COUNTED}}}], title: t, budget: {{params: < 80K}},\n"
        " network: [a: 5x5 conv (48 bias)]}\n"
    )
    done = rewritten(text, project)
    assert done.drops_counts
    assert done.artifact.text == (
        "{inception: 1, name: net, input: 35x35x48,\n title: t, budget: {params: < 80K},\n"
        " network: [a_a: 3x3 conv (48 bias), a: 3x3 conv (48 bias)]}\n"
    )


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (
            f"[{CLAIM}, {{params: 57648, {COUNTED}}}, {{macs: 70560000, {COUNTED}}}]",
            f"[{CLAIM}]",
        ),
        (
            f"[{{params: 57648, {COUNTED}}}, {{macs: 70560000, {COUNTED}}}, {CLAIM}]",
            f"[{CLAIM}]",
        ),
        (
            f"[{{params: 57648, {COUNTED}}}, {CLAIM},  # mine\n  {{macs: 70560000, {COUNTED}}}]",
            f"[{CLAIM}  # mine\n  ]",
        ),
        (
            f"\n  - {{params: 57648, {COUNTED}}}  # of old\n  - {CLAIM}\n"
            f"  - macs: 70560000\n    {COUNTED}",
            f"\n  # of old\n  - {CLAIM}",
        ),
    ],
)
def test_counts_beside_each_other_go_and_other_claims_stay(
    before: str, after: str, project: Project
) -> None:
    text = f"{HEAD}network: [a: 5x5 conv (48 bias)]\nclaims: {before}\n"
    done = rewritten(text, project)
    assert [entry.refusal for entry in done.log] == [""]
    assert done.artifact.text.endswith(f"claims: {after}\n")


@pytest.mark.parametrize(
    "claim",
    [
        "{params: 57648, source: counted by the authors in Table 2}",
        "{params: 57648, source: counted by torch in 2016}",
        "{depth: 1, source: counted by torch}",
        "{params: 57648, weights: 57600, source: counted by torch}",
    ],
)
def test_a_claim_of_an_author_stays(claim: str, project: Project) -> None:
    done = rewritten(f"{HEAD}network: [a: 5x5 conv (48 bias)]\nclaims: [{claim}]\n", project)
    (entry,) = done.log
    assert entry.refusal.startswith("a claim would break: ")
    assert not done.drops_counts


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("[1x1 maxpool, # x\n   3x3 conv (8)]", "[ # x\n   3x3 conv (8)]"),
        ("[1x1 maxpool, # x\n   # y\n   relu]", "[ # x\n   # y\n   relu]"),
        ("[relu, # x\n   1x1 maxpool]", "[relu  # x\n   ]"),
        ("[relu, # x\n   1x1 maxpool\n   ]", "[relu  # x\n   ]"),
        ("[relu,1x1 maxpool,# x\n   tanh]", "[relu, # x\n   tanh]"),
    ],
)
def test_comments_in_brackets_have_a_blank_before_and_lines_their_indent(
    before: str, after: str, project: Project
) -> None:
    done = rewritten(f"{HEAD}network: {before}\n", project)
    assert done.artifact.text == f"{HEAD}network: {after}\n"


@pytest.mark.parametrize(
    ("output", "code", "message"),
    [
        ("specs/true.yaml", "E105", "YAML reads `true` as another value than text"),
        ("specs/class.yaml", "E105", "`class` is a keyword of Python"),
        ("specs/foo", "E001", "foo` is no file of a spec: it ends in neither .yaml nor .yml"),
        ("specs/foo.onnx", "E001", "foo.onnx` is no file of a spec"),
    ],
)
def test_a_file_that_can_be_no_spec_is_refused(
    output: str, code: str, message: str, project: Project
) -> None:
    with pytest.raises(SpecError) as caught:
        rewritten(f"{HEAD}network: [a: 5x5 conv (48)]\n", project, output)
    (finding,) = caught.value.diagnostics
    assert finding.code == code
    assert message in finding.message
    assert not finding.labels


OLD = f"""\
{HEAD}title: t
defaults: {{conv: {{norm: batchnorm}}}}
blocks:
  m: {{title: of m, steps: [relu, tanh]}}
network:
  - a: 5x5 conv (48)
  - title: both
    branches: {{l: relu, r: [5x5 conv (8), {{op: 3x3 maxpool, title: pool}}]}}
claims: [{CLAIM}, {{macs: 3, {COUNTED}}}]
"""


def parse(text: str) -> Tree:
    return parse_tree(Source("specs/net.yaml", text))


@pytest.mark.parametrize(
    ("part", "changed", "key"),
    [
        ("title: t\n", "", "title"),
        ("title: t\n", "title: u\n", "title"),
        ("conv: {norm: batchnorm}", "conv: {}", "defaults"),
        ("title: of m, ", "", "blocks"),
        ("[relu, tanh]", "[tanh, relu]", "blocks"),
        ("title: both", "title: one", "network"),
        (", title: pool", "", "network"),
        ("l: relu, ", "", "network"),
        (f"{CLAIM}, ", "", "claims"),
        (f", {{macs: 3, {COUNTED}}}", "", "claims"),
        ("network:", "budget: {depth: 3}\nnetwork:", "budget"),
    ],
)
def test_a_loss_beside_the_steps_is_found(part: str, changed: str, key: str) -> None:
    old = parse(OLD)
    source = old.span.source
    steps = [
        old.span.part(*match.span()) for match in re.finditer(r"5x5 conv \(\d+\)", source.text)
    ]
    new = OLD.replace("a: 5x5 conv (48)", "a_a: 3x3 conv (48)\n  - a: 3x3 conv (48)").replace(
        "5x5 conv (8)", "3x3 conv (8), 3x3 conv (8)"
    )
    prove_rest(StepPlaces(old), parse(new), steps, drops_counts=False)
    without = new.replace(f", {{macs: 3, {COUNTED}}}", "")
    prove_rest(StepPlaces(old), parse(without), steps, drops_counts=True)
    assert part in new
    with pytest.raises(RewriteError, match=f"`{key}`"):
        prove_rest(StepPlaces(old), parse(new.replace(part, changed)), steps, drops_counts=False)


def test_a_new_name_that_changes_more_is_no_spec(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    def rename_all(tree: Tree, name: str) -> list[TextEdit]:
        at = tree.span.source.text.index("title: t")
        return [*rename(tree, name), TextEdit(tree.span.part(at, at + 9), "")]

    monkeypatch.setattr(rewriting, "rename", rename_all)
    text = f"{HEAD}title: t\nnetwork: [a: 5x5 conv (48)]\n"
    with pytest.raises(RewriteFaultError, match="would change the keys of the spec: `title`"):
        rewritten(text, project, "specs/new.yaml")


def test_edits_that_overlap_are_refused() -> None:
    span = parse("inception: 1\n").span
    edits = [TextEdit(span.part(0, 5), "a"), TextEdit(span.part(4, 6), "b")]
    with pytest.raises(RewriteError, match="two edits of the text overlap"):
        apply_edits(span.source.text, edits)
