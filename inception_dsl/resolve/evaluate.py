"""The values that expressions have once the parameters of a block have theirs."""

from __future__ import annotations

from collections.abc import Mapping

from inception_dsl.expr import ExprError, Name, evaluate, find_names, show
from inception_dsl.ir import Value
from inception_dsl.resolve.scope import Given


class NoValueError(Exception):
    """The error of an expression without a value; its text is the message of a finding."""


def value_of(written: Given, env: Mapping[str, Value]) -> Value:
    """Return the value of an attribute or an argument as it is written.

    Args:
        env: the values of the parameters, and of `in`.

    Raises:
        NoValueError: a word stands where a number should, or the arithmetic fails.
    """
    match written:
        case bool() | str() | tuple():
            return written
        case Name(name):
            return env[name]
    for name in sorted(find_names(written)):
        if isinstance(env[name], str):
            raise NoValueError(f"`{as_written(written)}` is no number: `{name}` is {env[name]}")
    numbers = {name: value for name, value in env.items() if not isinstance(value, str | tuple)}
    try:
        return evaluate(written, numbers)
    except ExprError as error:
        raise NoValueError(str(error)) from None


def as_written(value: Given) -> str:
    """Return a value or an expression as a spec writes it."""
    return str(value) if isinstance(value, str | tuple) else show(value)
