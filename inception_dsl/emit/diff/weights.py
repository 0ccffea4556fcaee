"""A plan of weights as JSON, which the bridge reads back."""

from __future__ import annotations

from dataclasses import asdict

from inception_dsl.channels import json_text
from inception_dsl.ir.weights import WeightPlan

SCHEMA_VERSION = 2


def plan_json(plan: WeightPlan, *, old: str, new: str) -> str:
    """Return the plan as docs/schemas/weights.schema.json describes it."""
    document = {
        "schema_version": SCHEMA_VERSION,
        "old": old,
        "new": new,
        "tensors": {
            key: {"recipe": type(recipe).__name__, **asdict(recipe)} for key, recipe in plan.recipes
        },
        "fresh": dict(plan.fresh),
        "left": dict(plan.left),
    }
    return json_text(document)
