"""The form of a spec as JSON Schema, for editors: completion of keys, and a pattern for steps.

It is made from the models that check a spec. Editors judge one file: what needs other files, or
the meaning of words, is for `check`.
"""

from __future__ import annotations

import json
from typing import Any

from inception_dsl.spec.schema import ModelSpec

STEP_PATTERN = (
    r"^\s*(?:[A-Za-z0-9_]+\s+x\s+)?"  # 4 x
    r"(?:[0-9]+x[0-9]+\s+)?(?:(?:global|adaptive)\s+)?"  # 3x3 adaptive
    r"[A-Za-z_][A-Za-z0-9_]*(?:\s*\(.*\))?"  # conv (96 stride 2 V)
    r"\s*(?:->\s*(?:[0-9]+x[0-9]+x[0-9]+|[0-9]+))?\s*$"  # -> 35x35x384
)

_STEP = {
    "type": "string",
    "pattern": STEP_PATTERN,
    "description": "A step: `3x3 conv (96 stride 2 V) -> 17x17x96`, `4 x inception_a`.",
}
_EXTENDS = {"type": "string", "description": "The spec, or the block, that this one starts from."}
_SKIPPED = frozenset(["title", "default"])


def json_schema() -> str:
    """The schema as text, the same for every version of what it is made with."""
    schema = _plain(ModelSpec.model_json_schema(by_alias=True))
    definitions = schema["$defs"]
    for name in ("Body", "Item"):
        definitions[name] = {"anyOf": [_with_step(part) for part in definitions[name]["oneOf"]]}
    body = definitions["BodySpec"]["properties"]
    body["extends"] = _EXTENDS
    body["after"] = {"type": "string", "description": "In an extending file: insert behind it."}
    definitions["Step"] = _STEP
    properties = schema["properties"]
    properties["extends"] = _EXTENDS
    changes = {"type": "object", "additionalProperties": {"$ref": "#/$defs/Body"}}
    properties["network"] = {"anyOf": [{"$ref": "#/$defs/Body"}, changes]}
    # An extending file changes a head in part, and takes one away with `none`.
    definitions["HeadSpec"]["required"] = []
    properties["heads"]["additionalProperties"] = {
        "anyOf": [{"$ref": "#/$defs/HeadSpec"}, {"$ref": "#/$defs/Body"}]
    }
    return (
        json.dumps(
            {
                "$schema": "http://json-schema.org/draft-07/schema#",
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


def _with_step(part: dict[str, Any]) -> dict[str, Any]:
    return {"$ref": "#/$defs/Step"} if part == {"type": "string"} else part


def _plain(node: Any) -> Any:
    """The schema without what only pydantic has a use for: titles, defaults, nulls."""
    if isinstance(node, list):
        return [_plain(item) for item in node if item != {"type": "null"}]
    if not isinstance(node, dict):
        return node
    plain = {}
    for key, value in node.items():
        if key in _SKIPPED and not isinstance(value, dict):
            continue
        plain[key] = _plain(value)
    if len(plain.get("anyOf", ())) == 1:
        return plain["anyOf"][0] | {key: v for key, v in plain.items() if key != "anyOf"}
    return plain
