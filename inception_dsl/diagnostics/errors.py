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
