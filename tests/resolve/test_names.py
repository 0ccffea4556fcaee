"""The names that a spec may use; no name or text of a spec reaches a terminal unescaped."""

from __future__ import annotations

import keyword
import unicodedata

import pytest
from conftest import NET, Project
from torch import nn

from inception_dsl import driver
from inception_dsl.cli import main
from inception_dsl.ops import OPS
from inception_dsl.resolve.reserved import MAX_LENGTH, RESERVED, name_problem

HEAD = "inception: 1\nname: net\ninput: 32x32x3\n"

MODULES = (nn.Module, nn.Sequential, nn.ModuleDict, nn.ModuleList)

HOSTILE = ["\x1b[31m", "\x9b31m", "\u202e", "\u2066", "\u200b", "\u2028", "\x07", "\x08", "\r"]
"""Terminal escapes, overrides of the writing direction, and what hides or moves characters."""

PLACES = [
    '"HERE": 3\nnetwork: relu\n',
    'title: ["HERE"]\nnetwork: relu\n',
    'params: {"HERE": 3}\nnetwork: relu\n',
    'params: {k: "HERE"}\nnetwork: relu\n',
    'defaults: {"HERE": {act: relu}}\nnetwork: relu\n',
    'defaults: {conv: {"HERE": relu}}\nnetwork: relu\n',
    'defaults: {conv: {act: "HERE"}}\nnetwork: relu\n',
    'blocks: {"HERE": relu}\nnetwork: relu\n',
    'network: "HERE"\n',
    'network: [{"HERE": relu}]\n',
    'network: "3x3 conv (8 HERE)"\n',
    'network: "relu -> HERE"\n',
    'network: {branches: {a: relu}, order: ["HERE"]}\n',
    'network: {branches: {a: relu}, join: "HERE"}\n',
    'network: {steps: relu, residual: {scale: "HERE"}}\n',
    'network: {steps: relu, residual: {act: "HERE"}}\n',
    'network: {steps: relu, out: "HERE"}\n',
    'network: relu\nheads: {h: {at: "HERE", steps: relu}}\n',
    'network: relu\nbudget: {params: "HERE"}\n',
    'network: relu\nuse: ["HERE"]\n',
    'network: relu\nuse: ["HERE.yaml"]\n',
    'network: relu\nextends: "HERE"\n',
    'network: relu\ntables: {t: {columns: ["HERE", "HERE"], r: [1, 2]}}\n',
]


def steers(text: str) -> bool:
    """Tell whether a text holds a character that a terminal does not show as itself."""
    shown = text.replace("\n", "")
    return any(unicodedata.category(char) in {"Cc", "Cf", "Zl", "Zp"} for char in shown)


def escaped(text: str) -> str:
    """Text as YAML's double-quoted scalars write it."""
    return "".join(char if char.isprintable() else f"\\u{ord(char):04x}" for char in text)


@pytest.mark.parametrize("module", MODULES)
def test_attributes_of_nn_module_are_refused_as_names(module: type[nn.Module]) -> None:
    attributes = {name for name in dir(module()) if not name.startswith("_")}
    assert not [name for name in sorted(attributes) if name_problem(name) is None]


def test_keywords_of_python_are_refused_as_names() -> None:
    assert not [name for name in keyword.kwlist if name_problem(name) is None]


@pytest.mark.parametrize("name", ["in", "x", "input", "self", "torch", "nn", "F", "_x", "__init__"])
def test_names_that_emitted_code_uses_are_refused(name: str) -> None:
    assert name_problem(name) is not None


@pytest.mark.parametrize(
    "name", ["", " ", "a b", "a.b", "a-b", "5x5", "é", "a\n", "\u202e", "\uff46"]
)
def test_a_name_is_an_ascii_identifier(name: str) -> None:
    assert name_problem(name) is not None


def test_a_name_of_more_than_60_letters_is_refused() -> None:
    assert name_problem("a" * MAX_LENGTH) is None
    assert name_problem("a" * (MAX_LENGTH + 1)) == "a name has at most 60 characters"


@pytest.mark.parametrize("name", ["conv1", "b3x3dbl", "Mixed_5b", "stem", "norm", "match", "fc"])
def test_names_from_the_papers_are_allowed(name: str) -> None:
    assert name_problem(name) is None


@pytest.mark.parametrize("name", sorted(OPS))
def test_the_name_of_an_op_is_refused_for_a_block(name: str, project: Project) -> None:
    project.write(NET, f"{HEAD}blocks: {{{name}: relu}}\nnetwork: relu\n")
    assert {found.code for found in project.findings()} == {"E105"}


@pytest.mark.parametrize(
    "spec",
    [
        "params: {{{}: 3}}\nnetwork: relu\n",
        "blocks: {{b: {{params: [{}], steps: relu}}}}\nnetwork: relu\n",
        "network: [{{{}: relu}}]\n",
        "network: {{branches: {{{}: relu}}}}\n",
        "network: [{{a: relu}}]\nheads: {{{}: {{at: a, steps: relu}}}}\n",
    ],
)
@pytest.mark.parametrize("name", ["forward", "class", "x", "k-l", "in"])
def test_names_of_steps_branches_heads_and_parameters_are_checked(
    spec: str, name: str, project: Project
) -> None:
    project.write(NET, HEAD + spec.format(name))
    (found,) = project.findings()
    assert (found.code, found.labels[0].span.text) == ("E105", name)


@pytest.mark.parametrize("name", ["class", "x", "k-l", "in"])
def test_the_name_of_a_block_is_checked(name: str, project: Project) -> None:
    project.write(NET, f"{HEAD}blocks: {{{name}: relu}}\nnetwork: relu\n")
    (found,) = project.findings()
    assert (found.code, found.labels[0].span.text) == ("E105", name)


def test_a_block_has_a_name_of_torchs_if_its_steps_are_named(project: Project) -> None:
    spec = f"{HEAD}blocks: {{half: 1x1 conv (in)}}\nnetwork: [step: half, half]\n"
    project.write(NET, spec)
    (found,) = project.findings()
    assert (found.code, found.labels[0].span.start) == ("E105", spec.rindex("half"))
    assert found.help == "write `{half1: half}`"


@pytest.mark.parametrize("name", ["forward", "a-b", "class"])
def test_the_name_of_a_spec_is_checked(name: str, project: Project) -> None:
    project.write(NET, f"inception: 1\nname: {name}\ninput: 3x3x3\nnetwork: relu\n")
    (found,) = project.findings()
    assert (found.code, found.labels[0].span.text) == ("E105", name)


def test_a_head_may_not_have_the_name_of_an_output(project: Project) -> None:
    spec = """inception: 1
input: 8x8x3
network: [a: 1x1 conv (4), b: {from: a, steps: relu}]
outputs: {p: a, q: b}
heads: {p: {at: a, steps: [global avgpool, linear (3)]}}
"""
    project.write(NET, spec)
    (found,) = project.findings()
    message = "`p` names an output: training returns it beside the heads"
    assert (found.code, found.message, found.help) == ("E105", message, "write `p_head`")


@pytest.mark.parametrize("name", sorted(RESERVED - set(keyword.kwlist))[::7])
def test_a_reserved_name_is_said_to_be_one(name: str) -> None:
    assert name_problem(name) == f"emitted code needs the name `{name}` for itself"


@pytest.mark.parametrize("hostile", HOSTILE)
def test_no_finding_steers_a_terminal(hostile: str, project: Project) -> None:
    for place in PLACES:
        project.write(NET, HEAD + place.replace("HERE", escaped(hostile)))
        rendering = project.rendering()
        assert rendering, place
        assert not steers(rendering), place


@pytest.mark.parametrize("hostile", ["\u202e", "\u2066", "\u200b"])
def test_no_line_of_a_spec_steers_a_terminal(hostile: str, project: Project) -> None:
    project.write(NET, f"{HEAD}network: 3x3 convv (8) # {hostile}\n")
    rendering = project.rendering()
    assert "3x3 convv (8) # ?" in rendering
    assert not steers(rendering)


@pytest.mark.parametrize(
    "arguments",
    [
        ["list"],
        ["check", "net"],
        ["flops", "net"],
        ["flops", "net", "--by", "block"],
        ["flops", "net", "--format", "markdown"],
        ["flops", "net", "--format", "csv"],
        ["flops", "net", "--format", "json"],
        ["build"],
    ],
    ids=" ".join,
)
def test_no_command_steers_a_terminal(
    arguments: list[str],
    project: Project,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    text = escaped("".join(HOSTILE))
    project.write(
        NET,
        f'{HEAD}title: "{text}"\nsource: "{text}"\n'
        f'blocks: {{b: {{title: "{text}", source: "{text}", steps: relu}}}}\nnetwork: b\n',
    )
    monkeypatch.chdir(project.root)
    assert main(arguments) == 0
    output, errors = capsys.readouterr()
    assert not steers(output)
    assert not steers(errors)


@pytest.mark.parametrize("hostile", [*HOSTILE, '"""', "\\", "{{ 1 }}", "# x\n# y", "-->", "'"])
def test_no_text_of_a_spec_escapes_from_what_is_emitted(hostile: str, project: Project) -> None:
    text = "".join(f"\\u{ord(char):04x}" for char in hostile)
    project.write(
        NET,
        f'{HEAD}title: "a{text}b"\nsource: "{text}"\n'
        f'blocks: {{b: {{title: "{text}", source: "{text}", steps: relu}}}}\nnetwork: b\n',
    )
    for artifact in driver.emit(project.check(), output=project.root / "generated").artifacts:
        assert not steers(artifact.text)
        if artifact.path.suffix == ".py":
            compile(artifact.text, "model.py", "exec")
