"""A plan of weights as JSON, which the bridge reads back."""

from __future__ import annotations

import json
from dataclasses import asdict

from inception_dsl.ir.weights import WeightPlan

SCHEMA_VERSION = 1


def plan_json(plan: WeightPlan, *, old: str, new: str) -> str:
    """The plan as docs/schemas/weights.schema.json describes it."""
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
    return json.dumps(document, indent=2) + "\n"
