"""The JSON Schemas of documents: each is printed, and that of costs is what `flops` writes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from inception_dsl.cli import main
from inception_dsl.diagnostics.pages import SCHEMAS

ROOT = Path(__file__).parents[2]

Captured = pytest.CaptureFixture[str]


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
