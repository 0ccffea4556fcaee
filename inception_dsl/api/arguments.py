"""The arguments of a caller in Python, as the command line takes them."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from numbers import Integral, Real
from os import PathLike, fsdecode

from inception_dsl.diagnostics import CallerTypeError, CallerValueError
from inception_dsl.resolve import Overrides

Param = int | float | str
"""The value of a network's parameter: a number, or a word of an op such as `relu`."""


def name_spec(spec: str | PathLike[str]) -> str:
    """Return the file or the name of a spec as text."""
    if not isinstance(spec, str | PathLike):
        kind = type(spec).__name__
        raise CallerTypeError(f"a spec is a .yaml file or the name of one; this is of type {kind}")
    return fsdecode(spec)


def make_overrides(
    input: str | Mapping[str, str] | None, params: Mapping[str, Param] | None
) -> Overrides:
    """Return the changes to a spec that a caller asks for; the arguments are those of `load`."""
    texts = input.items() if isinstance(input, Mapping) else [("", input or "")]
    if not all(isinstance(name, str) and isinstance(text, str) for name, text in texts):
        raise CallerTypeError(f"an input is a text such as '331x331x3', not {input!r}")
    return Overrides(input, write_params(params or {}), from_python=True)


def write_params(params: Mapping[str, Param]) -> dict[str, str]:
    """Return the values of parameters as the command line takes them."""
    if not isinstance(params, Mapping):
        raise CallerTypeError(
            f"`params` is a mapping such as {{'num_classes': 10}}, not {params!r}"
        )
    texts = {}
    for name, value in params.items():
        if isinstance(value, bool) or not isinstance(value, Integral | Real | str):
            message = f"the parameter `{name}` takes a number or a word of an op, not {value!r}"
            raise CallerValueError(message)
        is_whole = isinstance(value, Integral | str)
        texts[name] = str(value) if is_whole else f"{Decimal(str(value)):f}"
    return texts
