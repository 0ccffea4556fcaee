"""The values that a caller gives to parameters: `--set num_classes=10`."""

from __future__ import annotations

import re
from decimal import Decimal

from inception_dsl.diagnostics import Diagnostic, SpecError
from inception_dsl.ir import Value
from inception_dsl.ops import WORDS
from inception_dsl.resolve.template import Overrides
from inception_dsl.resolve.values import SIZE, parameter_value


def read_override(overrides: Overrides, name: str, text: str) -> Value:
    """Return the value that a caller gives a parameter.

    Raises:
        SpecError: E211, it is neither a number nor a word of an op.
    """
    if re.fullmatch(r"[0-9]{1,18}", text):
        return int(text)
    if re.fullmatch(r"[0-9]{1,18}\.[0-9]{1,18}", text):
        return Decimal(text)
    if text in WORDS or SIZE.fullmatch(text):
        return parameter_value(text)
    shown = overrides.write_param(name, text)
    message = f"`{shown}` gives neither a number nor a word of an op"
    raise SpecError([Diagnostic("E211", message)])
