"""The keys of a spec with their descriptions, from the JSON Schema that editors use."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

_SCHEMA = Path(__file__).parent.parent / "spec.schema.json"


class Key(NamedTuple):
    """A key that a mapping may have."""

    name: str
    description: str


@cache
def _schema() -> dict[str, Any]:
    schema: dict[str, Any] = json.loads(_SCHEMA.read_text(encoding="utf-8"))
    return schema


def _resolve(node: Any) -> Iterator[dict[str, Any]]:
    """Yield the forms that a value may have, references followed."""
    pending, seen = [node], set()
    while pending:
        form = pending.pop(0)
        if not isinstance(form, dict) or id(form) in seen:
            continue
        seen.add(id(form))
        if "$ref" in form:
            name = str(form["$ref"]).rpartition("/")[2]
            pending.append(_schema()["definitions"][name])
        pending += form.get("anyOf", [])
        yield form


def _step_down(forms: Sequence[dict[str, Any]], key: str) -> list[dict[str, Any]]:
    below: list[dict[str, Any]] = []
    for form in forms:
        properties = form.get("properties", {})
        if key == "-":
            inner = form.get("items")
        elif key in properties:
            inner = properties[key]
        else:
            inner = form.get("additionalProperties")
        below += _resolve(inner) if inner else []
    return below


def _find(keys: Sequence[str]) -> list[dict[str, Any]]:
    forms = list(_resolve(_schema()))
    for key in keys:
        forms = _step_down(forms, key)
    return forms


def list_keys(keys: Sequence[str]) -> list[Key]:
    """Return the keys that a mapping below some keys may have."""
    found: dict[str, Key] = {}
    for form in _find(keys):
        for name, part in form.get("properties", {}).items():
            found.setdefault(name, Key(name, _describe(part) or ""))
    return list(found.values())


def describe_key(keys: Sequence[str]) -> str | None:
    """Return the description of the last of some keys; None if the language does not know it."""
    *above, last = keys
    for form in _find(above):
        if last in form.get("properties", {}):
            return _describe(form["properties"][last])
    return None


def _describe(part: Any) -> str | None:
    """Return the description of a value: its own, or that of the first form that has one."""
    forms = _resolve(part)
    return next((str(form["description"]) for form in forms if "description" in form), None)


def list_choices(keys: Sequence[str]) -> list[str]:
    """Return the words that the value of a key may be; none if it may be anything else."""
    return [str(choice) for form in _find(keys) for choice in form.get("enum", ())]
