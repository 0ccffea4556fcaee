"""Names of steps, branches, blocks and parameters, made of those of modules and classes."""

from __future__ import annotations

import re
from collections.abc import Container
from keyword import iskeyword

from inception_dsl.ops import OPS, STEP_OPS, WORDS
from inception_dsl.resolve.declarations import OTHER_MEANINGS
from inception_dsl.resolve.reserved import RESERVED, drop_accents
from inception_dsl.spec.schema import BODY_KEYS

SHORTCUT = re.compile(r"downsample|shortcut|skip|proj|identity|residual|^ds", re.IGNORECASE)
"""The names that networks give to the branch around a residual's body."""

MAX_LETTERS = 50
"""Maximum number of letters of a name, a number behind it not counted."""

_OF_THE_LANGUAGE = (
    BODY_KEYS
    | {"input", "none", "after", "at", "scale", "act", "shortcut", "network", "residual", "when"}
    | {"drop_path", "inputs", "outputs", "global", "adaptive"}
    | {op.name for op in OPS.values() if op.join is not None}
)
"""The words that a spec reads in another way than as a name."""

OP_WORDS = frozenset(op.written.split()[-1] for op in STEP_OPS) | WORDS
"""The words that begin a step, and those that an argument may hold."""

NO_PARAMS = OP_WORDS | OTHER_MEANINGS | {"in"}
"""The words that an expression or an argument reads in another way than as a parameter."""


def clean_name(name: str) -> str:
    """Return a name that a step can have, made of any text."""
    plain = (
        re.sub(r"\W", "_", drop_accents(name), flags=re.ASCII).strip("_")[:MAX_LETTERS] or "step"
    )
    if plain[0].isdigit():
        plain = f"layer{plain}"
    return f"{plain}_" if iskeyword(plain) or plain in RESERVED | _OF_THE_LANGUAGE else plain


def name_block(kind: str, taken: Container[str]) -> str:
    """Return the name of a block for a class: `InvertedResidual` becomes `inverted_residual`."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", kind)
    name = clean_name(re.sub("_+", "_", words).lower())
    name = f"{name}_block" if name in OP_WORDS else name
    # The second step of a block `stage3` is called `stage3_2`, that of `stage` is `stage2`.
    return number(name, taken, "v" if name[-1].isdigit() else "_")


def name_flag(step: str) -> str:
    """Return a name for the parameter that says whether a step is there."""
    name = clean_name(step)
    return f"has_{name}" if name in NO_PARAMS else name


def number(name: str, taken: Container[str], sign: str = "") -> str:
    """Return a name with the first number from 2 that makes it another one than those taken."""
    count = 2
    numbered = name
    while numbered in taken:
        numbered = f"{name}{sign if sign or not name[-1].isdigit() else '_'}{count}"
        count += 1
    return numbered


def without_number(name: str) -> str:
    """Return a name without a number at its end: `denselayer12` is one of many `denselayer`."""
    return re.sub(r"_?\d+$", "", name) or name
