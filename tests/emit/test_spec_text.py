"""Specs from specs: formatted, expanded, described to editors, started."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from conftest import NET, Project
from jsonschema import Draft7Validator

from inception_dsl import driver
from inception_dsl.cli import main
from inception_dsl.diagnostics import SpecError
from inception_dsl.emit.spec import format_spec
from inception_dsl.ir.text import fingerprint
from inception_dsl.source import Source
from inception_dsl.spec.json_schema import STEP_PATTERN, json_schema
from inception_dsl.spec.project import spec_paths

ROOT = Path(__file__).parents[2]
NAMES = driver.list_specs(ROOT)
FILES = list(map(str, spec_paths(ROOT)))


def formatted(text: str) -> str:
    return format_spec(Source("net.yaml", text))


def network(*lines: str) -> str:
    return "".join(f"{line}\n" for line in ("inception: 1", "network:", *lines))


@pytest.mark.parametrize("path", FILES)
def test_every_spec_is_formatted(path: str) -> None:
    text = Path(path).read_text()
    assert formatted(text) == text


@pytest.mark.parametrize(
    ("written", "wanted"),
    [
        ("3x3   conv(V   96 stride 2)", "3x3 conv (96 stride 2 V)"),
        ("3x3 conv (no_bias pad 1 groups 2 96)", "3x3 conv (96 pad 1 groups 2 no_bias)"),
        ("1x1 conv ( 2 * in+8 )", "1x1 conv (2*in + 8)"),
        ("1x1 conv ((k + 1)*2 // 3)", "1x1 conv ((k + 1)*2//3)"),
        ("4 x  mixed( k = 64  l=2*k )", "4 x mixed (k=64 l=2*k)"),
        ("mixed (table1.3a  k=3)", "mixed (table1.3a k=3)"),
        ("global   avgpool", "global avgpool"),
        ("dropout (  keep 0.80 )", "dropout (keep 0.80)"),
        ("flatten ()", "flatten"),
        ("rescale (offset -1 factor 3-1)", "rescale (factor 3 - 1 offset -1)"),
        ("rescale (offset 2*-1)", "rescale (offset 2*-1)"),
        ("mixed (o = -2 k=(-1))", "mixed (o=-2 k=(-1))"),
        ("9 x  mixed(k=0.1*6 / 17  to 0.1 l=2)", "9 x mixed (k=0.1*6/17 to 0.1 l=2)"),
        ("4 x mixed (k=1 to - 2 l=to - 1)", "4 x mixed (k=1 to -2 l=to - 1)"),
        ("3x3 conv (96 stride", "3x3 conv (96 stride"),
        ("3x3 conv (96)->35x35x96", "3x3 conv (96) -> 35x35x96"),
    ],
)
def test_a_step_has_one_form(written: str, wanted: str) -> None:
    assert formatted(network(f"  - {written}")) == network(f"  - {wanted}")


def test_notes_of_neighbouring_lines_are_aligned() -> None:
    written = network(
        "  - a: 3x3 conv (8) -> 8x8x8",
        "  - longer: 3x3 conv (8 stride 2)   -> 4x4x8   # why",
        "  - relu",
        "",
        "  - b: 3x3 conv (8)   -> 8x8x8",
    )
    assert formatted(written) == network(
        "  - a: 3x3 conv (8)               -> 8x8x8",
        "  - longer: 3x3 conv (8 stride 2) -> 4x4x8   # why",
        "  - relu",
        "",
        "  - b: 3x3 conv (8) -> 8x8x8",
    )


def test_comments_quotes_and_layout_stay() -> None:
    written = network(
        "  # the stem",
        "  - 'conv ( 3 )'   # quoted",
        "  - mixed:",
        "      branches: {left: conv(3),   right: [relu,conv( 4 )]}  # in a row",
        "      title: 'conv(3)'",
    )
    assert formatted(written) == network(
        "  # the stem",
        "  - 'conv (3)'   # quoted",
        "  - mixed:",
        "      branches: {left: conv (3),   right: [relu,conv (4)]}  # in a row",
        "      title: 'conv(3)'",
    )


@pytest.mark.parametrize(
    ("written", "wanted"),
    [
        ("{op: 3x3 conv, stride: 2, width: 2*in, pad: V}", "3x3 conv (2*in stride 2 V)"),
        ("{op: 4 x 3x3 conv (8), bias: false, out: 4x4x8}", "4 x 3x3 conv (8 no_bias) -> 4x4x8"),
        ("{op: mixed, width: 64}", "mixed (width=64)"),
        ("{op: 3x3 conv, width: 8, from: a}", "{op: 3x3 conv, width: 8, from: a}"),
        ("{op: 2x2 maxpool, ceil: true, stride: 2}", "2x2 maxpool (stride 2 ceil)"),
    ],
)
def test_a_long_step_becomes_a_short_one(written: str, wanted: str) -> None:
    assert formatted(network(f"  - a: {written}")) == network(f"  - a: {wanted}")


@pytest.mark.parametrize("name", NAMES)
def test_the_expanded_spec_is_the_same_model(name: str, project: Project) -> None:
    text = driver.expand_spec(name, folder=ROOT)
    assert not re.search(r"^(use|extends):", text, re.MULTILINE)
    assert formatted(text) == text
    project.write(NET, text)
    assert fingerprint(project.check().model) == fingerprint(driver.check(name, folder=ROOT).model)


@pytest.mark.parametrize(
    "title", ["a: b", "true", "1e-3", "# no", "- x", "é\n\t\x85\u2028'\"\\", ""]
)
def test_titles_come_through_an_expansion(title: str, project: Project) -> None:
    quoted = json.dumps(title)
    project.write(NET, f"inception: 1\ntitle: {quoted}\ninput: 3x3x3\nnetwork: relu\n")
    text = driver.expand_spec(NET, folder=project.root)
    before = fingerprint(project.check().model)
    project.write(NET, text)
    assert project.check().model.title == title
    assert fingerprint(project.check().model) == before


def test_an_expansion_leaves_suspended_notes_out(project: Project) -> None:
    base = "inception: 1\ninput: 8x8x3\nnetwork: [conv (4) -> 8x8x4]\n".replace("conv", "1x1 conv")
    project.write("specs/base.yaml", base)
    project.write(NET, "inception: 1\nextends: base.yaml\ninput: 6x6x3\n")
    project.write(NET, driver.expand_spec(NET, folder=project.root))
    assert str(project.check().model.root.type) == "6x6x4"


def test_the_committed_schema_is_fresh() -> None:
    assert (ROOT / "inception_dsl" / "spec.schema.json").read_text() == json_schema()


def forms(node: object) -> Iterator[dict[str, Any]]:
    """Yield all parts of the schema that have properties."""
    if isinstance(node, dict):
        if isinstance(node.get("properties"), dict):
            yield node
        for value in node.values():
            yield from forms(value)
    elif isinstance(node, list):
        for value in node:
            yield from forms(value)


def test_every_key_of_the_schema_is_described() -> None:
    schema = json.loads(json_schema())
    keys = [(key, part) for form in forms(schema) for key, part in form["properties"].items()]
    assert len(keys) > 80
    for key, part in keys:
        sentence = part["description"]
        assert re.fullmatch(r"[A-Z`].*\.", sentence), key
        assert "$ref" not in part, key  # draft 7 would not read the sentence beside it


def test_the_schema_has_a_name() -> None:
    assert json.loads(json_schema())["$id"] == "urn:inception-dsl:spec:1"


@pytest.mark.parametrize("name", ["net", "below/deep/net"])
def test_the_editor_line_of_a_new_spec_leads_to_the_schema(project: Project, name: str) -> None:
    driver.write_all(driver.begin_spec(name, None, folder=project.root))
    path = project.root / f"specs/{name}.yaml"
    line = path.read_text().splitlines()[0]
    schema = path.parent / line.removeprefix("# yaml-language-server: $schema=")
    assert schema.resolve() == project.root / "specs/spec.schema.json"
    assert schema.read_text() == json_schema()
    assert project.check(f"specs/{name}.yaml").warnings == ()
    driver.write_all(driver.begin_spec("other", name, folder=project.root))
    assert driver.list_specs(project.root) == sorted([name, "other"])


def test_an_old_schema_is_brought_up_to_date_and_another_file_stays(project: Project) -> None:
    path = project.write("specs/spec.schema.json", '{"$id": "urn:inception-dsl:spec:1"}')
    driver.write_all(driver.begin_spec("net", None, folder=project.root))
    assert path.read_text() == json_schema()
    path.write_text("{}")
    with pytest.raises(SpecError, match="is no schema of specs"):
        driver.begin_spec("other", None, folder=project.root)
    assert path.read_text() == "{}"


def schema_errors(text: str) -> list[str]:
    validator = Draft7Validator(json.loads(json_schema()))
    return [error.message for error in validator.iter_errors(yaml.safe_load(text))]


@pytest.mark.parametrize("path", FILES)
def test_editors_accept_every_spec(path: str) -> None:
    text = Path(path).read_text()
    schema = text.splitlines()[0].partition("$schema=")[2]
    assert (Path(path).parent / schema).resolve() == ROOT / "inception_dsl" / "spec.schema.json"
    assert schema_errors(text) == []


@pytest.mark.parametrize(
    "fault",
    [
        "blcks: {}",
        "network: 3",
        "network: [3x3 conv 96]",
        "training: 3",
        "training: {optimzer: sgd}",
        "budget: {parms: 3}",
        "use: a",
        "blocks: {a: {extends: b, join: 3}}",
        "blocks: {a: {title: A, pool: 3x3 maxpool}}",
    ],
)
def test_editors_see_a_fault(fault: str) -> None:
    assert schema_errors(f"inception: 1\ninput: 3x3x3\n{fault}\n")


@pytest.mark.parametrize(
    "text",
    [
        "relu",
        "3x3 conv (96 stride 2 V) -> 17x17x96",
        "4 x a",
        "n x b (t.3a k=2*in)",
        "global avgpool",
    ],
)
def test_the_pattern_knows_a_step(text: str) -> None:
    assert re.match(STEP_PATTERN, text)
    assert not re.match(STEP_PATTERN, f"{text} , 3")


@pytest.mark.parametrize("base", [None, "inception_v4"])
def test_a_new_spec_checks(
    base: str | None,
    project: Project,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(project.root)
    command = ["new", "my/net_2", *(["--from", base] if base else [])]
    assert main(command) == 0
    written = ["specs/my/net_2.yaml", "specs/spec.schema.json"]
    assert capsys.readouterr().out == "".join(f"wrote      {path}\n" for path in written)
    assert main(["check", "my/net_2"]) == 0
    assert main(["fmt", "--check"]) == 0
    assert main(command) == 2
    assert "is there already" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["../net", "a-b", "/tmp/net", "class", ""])
def test_a_new_spec_has_a_name(
    name: str, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(project.root)
    assert main(["new", name]) == 2
    assert not list(project.root.rglob("*.yaml"))


def test_a_link_out_of_the_project_is_neither_read_nor_written(
    project: Project, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    outside = tmp_path_factory.mktemp("outside") / "net.yaml"
    outside.write_text("inception:    1\nname: net\n")
    (project.root / "specs").mkdir(exist_ok=True)
    (project.root / "specs" / "net.yaml").symlink_to(outside)
    monkeypatch.chdir(project.root)
    assert main(["fmt"]) == 2
    assert outside.read_text() == "inception:    1\nname: net\n"
