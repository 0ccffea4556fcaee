"""The JSON Schemas of documents: each is printed, and that of costs is what `flops` writes."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from inception_dsl import driver
from inception_dsl.cli import main
from inception_dsl.diagnostics.pages import SCHEMAS

ROOT = Path(__file__).parents[2]

Captured = pytest.CaptureFixture[str]

BEST = ("--best", "largest", "--within", "macs <= 1G")


def printed(capsys: Captured, *arguments: str) -> Any:
    assert main(arguments) == 0
    return json.loads(capsys.readouterr().out)


def test_every_schema_is_printed_and_a_schema(capsys: Captured) -> None:
    files = {path.name.partition(".")[0] for path in (ROOT / "docs/schemas").iterdir()}
    assert files == set(SCHEMAS)
    for name in ("spec", *SCHEMAS):
        schema = printed(capsys, "schema", name)
        jsonschema.validators.validator_for(schema).check_schema(schema)


@pytest.mark.parametrize(
    "arguments",
    [
        ["googlenet"],
        ["googlenet", "--by", "stage", "--batch", "8"],
        ["googlenet", "--convention", "fvcore,keras"],
        ["unet", "--by", "op", "--convention", "thop"],
        ["googlenet", "alexnet", "--by", "block"],
        ["alexnet", "--against", "vgg16"],
    ],
    ids=" ".join,
)
def test_a_document_of_costs_has_the_form_of_its_schema(
    arguments: list[str], capsys: Captured
) -> None:
    schema = printed(capsys, "schema", "cost")
    validator = jsonschema.Draft202012Validator(schema)
    document = printed(capsys, "flops", *arguments, "--format", "json")
    validator.validate(document)
    part = document["models"][0] if "models" in document else document
    known = schema["$defs"]["model"]["properties"].keys() | {"schema_version"}
    assert part.keys() <= known
    rows = schema["$defs"]["group" if "--by" in arguments else "node"]["properties"].keys()
    assert all(row.keys() <= rows for row in part["rows"])
    for wrong in ({**part, "totals": {}}, {**part, "rows": [{"path": 1}]}, {**part, "batch": "8"}):
        assert not validator.is_valid({"schema_version": 1, **wrong})


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("explanation", ["flops", "googlenet", "--explain", "macs", "torch"]),
        ("explanation", ["flops", "googlenet", "--explain", "paper", "fvcore"]),
        ("explanation", ["flops", "alexnet", "vgg16", "--explain", "macs", "keras"]),
        ("roofline", ["flops", "alexnet", "--device", "h100", "--dtype", "bfloat16"]),
        ("roofline", ["flops", "alexnet", "vgg16", "--device", "h100", "--by", "op"]),
        ("settings", ["config", "show"]),
        ("sweep", ["flops", "alexnet", "--sweep", "num_classes=10:30:10,input=32:96:32"]),
        ("sweep", ["flops", "alexnet", "--sweep", "num_classes=1:99", *BEST]),
        ("symbolic", ["flops", "alexnet", "--symbolic"]),
        ("symbolic", ["flops", "inception_v4", "--symbolic", "--block", "reduction_a"]),
    ],
    ids=str,
)
def test_a_document_has_the_form_of_its_schema_alone(
    name: str, arguments: list[str], capsys: Captured
) -> None:
    document = printed(capsys, *arguments, "--format", "json")
    for each in SCHEMAS:
        schema = printed(capsys, "schema", each)
        validator = jsonschema.validators.validator_for(schema)(schema)
        assert validator.is_valid(document) is (each == name), each
    validator = jsonschema.Draft202012Validator(printed(capsys, "schema", name))
    for part in [document, *document.get("models", [])[:1]]:
        for key, value in list(part.items()):
            del part[key]
            assert not validator.is_valid(document), key
            part[key] = value
        assert not validator.is_valid({**document, "more": 1})


def test_a_list_is_a_document_and_a_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    text = "inception: 1\nname: net\ntitle: =1|2\ninput: 8x8x3\nnetwork: [{a: 1x1 conv (4)}]\n"
    (tmp_path / "specs").mkdir()
    (tmp_path / "pyproject.toml").touch()
    (tmp_path / "specs/net.yaml").write_text(text)
    (tmp_path / "specs/odd.yaml").write_text(text.replace("conv", "cnov"))
    monkeypatch.chdir(tmp_path)
    known = list(driver.list_networks(tmp_path))
    monkeypatch.setattr("inception_dsl.driver.list_networks", lambda *_: known)  # counted once
    schema = printed(capsys, "schema", "list")
    assert main(["list", "--format", "json"]) == 1
    output, errors = capsys.readouterr()
    document = json.loads(output)
    jsonschema.validate(document, schema)
    networks = {each["name"]: each for each in document["networks"]}
    assert networks["net"]["params"] == 3 * 4 + 4
    assert networks["net"]["macs"] == 8 * 8 * 3 * 4
    assert [found["code"] for found in networks["odd"]["findings"]] == ["E201"]
    assert networks["odd"]["params"] is None
    assert "`odd` has errors" in errors
    assert main(["list", "--format", "csv"]) == 1
    head, *rows = csv.reader(io.StringIO(capsys.readouterr().out))
    assert head == ["name", "title", "input", "params", "macs", "source"]
    assert ["net", "'=1|2", "8x8x3", "16", "768", ""] in rows
    assert not any(row[0] == "odd" for row in rows)
    assert main(["list", "--format", "markdown"]) == 1
    assert "| net | =1\\|2 | 8x8x3 | 16 | 768 |  |\n" in capsys.readouterr().out
