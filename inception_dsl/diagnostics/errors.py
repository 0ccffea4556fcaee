"""The exceptions of this package, which read as the command line prints them."""

from __future__ import annotations

from collections.abc import Iterable

from inception_dsl.diagnostics.diagnostic import Diagnostic


class SpecError(Exception):
    """The errors of one stage, as an exception; later stages did not run.

    As text, it is the output of `inception-dsl check`.

    Attributes:
        diagnostics: the findings, in order.
    """

    def __init__(self, diagnostics: Iterable[Diagnostic]) -> None:
        self.diagnostics = tuple(diagnostics)
        super().__init__(self.diagnostics)

    def __str__(self) -> str:
        from inception_dsl.diagnostics.printer import render

        return "\n" + render(self.diagnostics)

    def _render_traceback_(self) -> list[str]:
        """Return the lines that a notebook shows: the findings, without the frames above them."""
        return str(self).splitlines()[1:]


class _CallerError(Exception):
    """The fault of a caller in Python: its text says all, so a notebook shows no frames.

    A subclass is an exception of Python as well, which is what a caller catches.
    """

    def _render_traceback_(self) -> list[str]:
        """Return the lines that a notebook shows."""
        return f"error: {self}".splitlines()


class CallerValueError(_CallerError, ValueError):
    """The error of an argument whose value is none of its choices, or out of bounds."""


class CallerTypeError(_CallerError, TypeError):
    """The error of an argument of a type that it cannot have."""


class StaleSpecError(_CallerError, RuntimeError):
    """The error of a spec that has changed since its network was loaded."""


class MissingExtraError(Exception):
    """The error of an input or output that needs a package of one of this project's extras.

    Attributes:
        way_out: the command that installs the package.
    """

    def __init__(self, output: str, package: str, extra: str) -> None:
        self.way_out = f"pip install 'inception-dsl[{extra}]'"
        super().__init__(f"{output} needs {package}, which is not installed")

    def _render_traceback_(self) -> list[str]:
        """Return the lines that a notebook shows."""
        return [f"error: {self}", f"   = help: {self.way_out}"]
