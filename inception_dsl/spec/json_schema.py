"""The form of a spec as JSON Schema, for editors: completion of keys, and a pattern for steps.

It is made from the models that check a spec. Editors judge one file; `check` judges the rest: other
files, and the meaning of words.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, get_args

from inception_dsl.spec.descriptions import DESCRIPTIONS
from inception_dsl.spec.schema import BODY_KEYS, TRAINING, Measure, ModelSpec

STEP_PATTERN = (
    r"^\s*(?:[A-Za-z0-9_]+\s+x\s+)?"  # 4 x
    r"(?:(?:[0-9]+x[0-9]+|[A-Za-z_]\w*)\s+)?(?:(?:global|adaptive)\s+)?"  # 3x3 adaptive
    r"[A-Za-z_][A-Za-z0-9_]*(?:\s*\(.*\))?"  # conv (96 stride 2 V)
    r"\s*(?:->\s*(?:[0-9]+x[0-9]+x[0-9]+|[0-9]+))?\s*$"  # -> 35x35x384
)

_STEP = {
    "type": "string",
    "pattern": STEP_PATTERN,
    "description": "A step: `3x3 conv (96 stride 2 V) -> 17x17x96`, `4 x inception_a`.",
}
ID = "urn:inception-dsl:spec:1"
"""The name of the schema, with the version of the language; it is no address."""

_TEXT = {"type": "string"}
_SKIPPED = frozenset(["title", "default"])


def json_schema() -> str:
    """Return the schema as text, the same for every version of pydantic."""
    schema = _plain(ModelSpec.model_json_schema(by_alias=True))
    definitions = schema["$defs"]
    for name in ("Body", "Item"):
        definitions[name] = {"anyOf": [_with_step(part) for part in definitions[name]["oneOf"]]}
    body = definitions["BodySpec"]["properties"]
    body |= {"extends": _TEXT, "after": _TEXT}
    definitions["Step"] = _STEP
    # An extending file changes bodies, heads and tables in part, and takes some away with `none`.
    definitions["Body"]["anyOf"].append(
        {
            "type": "object",
            "additionalProperties": {"$ref": "#/$defs/Body"},
            "propertyNames": {"not": {"enum": sorted(BODY_KEYS)}},
        }
    )
    definitions["ExtendingBody"] = {
        **definitions["BodySpec"],
        "required": ["extends"],
        "additionalProperties": {"$ref": "#/$defs/Body"},  # branches and steps by their paths
    }
    definitions["Body"]["anyOf"].append({"$ref": "#/$defs/ExtendingBody"})
    for name in ("HeadSpec", "TableSpec"):
        definitions[name]["required"] = []
    properties = schema["properties"]
    properties["extends"] = _TEXT
    heads = [{"$ref": "#/$defs/HeadSpec"}, {"$ref": "#/$defs/Body"}]
    properties["heads"]["additionalProperties"] = {"anyOf": heads}
    properties["training"] = _training()
    measures = {"enum": list(get_args(Measure))}
    at = definitions["BudgetSpec"]["properties"]["at"]
    at["additionalProperties"]["propertyNames"] = measures
    for name, described in DESCRIPTIONS.items():
        _describe(schema if name == "ModelSpec" else definitions[name], described)
    _describe(definitions["ExtendingBody"], DESCRIPTIONS["BodySpec"])
    return (
        json.dumps(
            {
                "$schema": "http://json-schema.org/draft-07/schema#",
                "$id": ID,
                "title": "inception-dsl",
                **schema,
            },
            indent=2,
            sort_keys=True,
        )
        .replace("#/$defs/", "#/definitions/")
        .replace('"$defs"', '"definitions"')
        + "\n"
    )


def _describe(form: dict[str, Any], described: Mapping[str, str]) -> None:
    """Give every key of a form its description, in place.

    A reference with a description is one of several forms: draft 7 reads nothing beside a `$ref`.
    """
    properties = form["properties"]
    for key, part in properties.items():
        whole = {"anyOf": [part]} if "$ref" in part else part
        properties[key] = {**whole, "description": described[key]}


def _training() -> dict[str, Any]:
    """Return the form of a recipe: each setting is a text or a number, or has one with a source."""
    value = {"type": ["string", "number"]}
    source = {"type": "string", "description": "Where the source tells it."}
    setting = {**value, "description": "The setting."}
    settings = {
        key: {
            "anyOf": [
                value,
                {
                    "type": "object",
                    "properties": {"is": setting, "source": source},
                    "additionalProperties": False,
                },
            ],
            "description": f"`{key}: {example}`, or `unknown`.",
        }
        for key, example in TRAINING.items()
    }
    recipe = {
        "type": "object",
        "properties": {"source": source, **settings},
        "additionalProperties": False,
    }
    removed = {"const": "none", "description": "In an extending file: no recipe."}
    return {"anyOf": [recipe, removed], "description": "The training of the network."}


def _with_step(part: dict[str, Any]) -> dict[str, Any]:
    return {"$ref": "#/$defs/Step"} if part == {"type": "string"} else part


def _plain(node: Any) -> Any:
    """Return the schema without pydantic's titles, defaults and nulls of defaults."""
    if isinstance(node, list):
        return [_plain(item) for item in node]
    if not isinstance(node, dict):
        return node
    plain = {
        key: _plain(value)
        for key, value in node.items()
        if key not in _SKIPPED or isinstance(value, dict)
    }
    if "const" in plain:
        plain.pop("enum", None)  # some versions of pydantic say it twice
    for name, part in plain.get("properties", {}).items():
        if isinstance(part, dict) and {"type": "null"} in part.get("anyOf", ()):
            plain["properties"][name] = _without_null(part)
    return plain


def _without_null(part: dict[str, Any]) -> dict[str, Any]:
    choices = [choice for choice in part["anyOf"] if choice != {"type": "null"}]
    return choices[0] if len(choices) == 1 else {**part, "anyOf": choices}
