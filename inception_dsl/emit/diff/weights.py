"""A plan of weights as JSON, which the bridge reads back."""

from __future__ import annotations

import json
from dataclasses import asdict

from inception_dsl.channels import json_text
from inception_dsl.ir.weights import ConcatOut, Copy, Recipe, WeightPlan

SCHEMA_VERSION = 2


def plan_json(plan: WeightPlan, *, old: str, new: str) -> str:
    """Return the plan as docs/schemas/weights.schema.json describes it."""
    document = {
        "schema_version": SCHEMA_VERSION,
        "old": old,
        "new": new,
        "tensors": {key: _write(recipe) for key, recipe in plan.recipes},
        "fresh": dict(plan.fresh),
        "left": dict(plan.left),
    }
    return json_text(document)


def is_plan(document: bytes) -> bool:
    """Tell whether a file is a plan of weights, of whatever networks."""
    try:
        plan = json.loads(document)
    except (ValueError, RecursionError):
        return False
    keys = {"schema_version", "old", "new", "tensors", "fresh", "left"}
    return isinstance(plan, dict) and plan.keys() == keys


def _write(recipe: Recipe) -> dict[str, object]:
    name = type(recipe).__name__
    if isinstance(recipe, ConcatOut):
        return {"recipe": name, "parts": [_write(part) for part in recipe.parts]}
    return {"recipe": name, **asdict(recipe)}


def write_weights(plan: WeightPlan) -> str:
    """Return a plan as a line: the numbers of tensors that stay, are made of others, or are new."""
    copied = sum(recipe == Copy(key) for key, recipe in plan.recipes)
    renamed = sum(isinstance(recipe, Copy) for _, recipe in plan.recipes) - copied
    made = len(plan.recipes) - copied - renamed
    parts = ["1 tensor stays" if copied == 1 else f"{copied:,} tensors stay"]
    if renamed:
        parts.append("1 gets another key" if renamed == 1 else f"{renamed:,} get another key")
    if made:
        parts.append(f"{made:,} {'is' if made == 1 else 'are'} made of others")
    if plan.fresh:
        reasons = ", ".join(dict.fromkeys(reason for _, reason in plan.fresh))
        begin = "1 begins" if len(plan.fresh) == 1 else f"{len(plan.fresh):,} begin"
        parts.append(f"{begin} fresh ({reasons})")
    return ", ".join(parts)
