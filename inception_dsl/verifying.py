"""A module of torch held against a spec, as one line of a test.

Everything is one call of the driver.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from os import PathLike, fsdecode
from pathlib import Path
from typing import TYPE_CHECKING

from inception_dsl import driver
from inception_dsl.api import make_overrides
from inception_dsl.diagnostics import Diagnostic

if TYPE_CHECKING:
    from torch import nn

    from inception_dsl.api import Param
    from inception_dsl.diff import Report


class DepartureError(AssertionError):
    """The error of a module that departs from its spec; its text is what `verify` prints.

    Attributes:
        verification: the departures, and those that the project has agreed on.
    """

    def __init__(self, verification: Verification) -> None:
        super().__init__(f"\n{verification}")
        self.verification = verification

    def _render_traceback_(self) -> list[str]:
        """Return the lines that a notebook shows: the departures, without the frames above them."""
        return str(self).splitlines()[1:]


@dataclass(frozen=True, slots=True, repr=False)
class Verification:
    """A module held against its spec. As text, it is the output of `inception-dsl verify`.

    Attributes:
        report: the comparison, as the driver knows it.
    """

    report: Report

    @property
    def departures(self) -> tuple[Diagnostic, ...]:
        """Return a finding for each departure, without those that the project has agreed on."""
        return self._list(are_agreed=False)

    @property
    def agreed(self) -> tuple[Diagnostic, ...]:
        """Return the departures that the project has agreed on in its pyproject.toml."""
        return self._list(are_agreed=True)

    def _list(self, *, are_agreed: bool) -> tuple[Diagnostic, ...]:
        from inception_dsl.emit.diff import list_findings

        return tuple(
            diagnostic
            for finding, diagnostic in list_findings(self.report)
            if (finding.waived is not None) == are_agreed
        )

    def __str__(self) -> str:
        from inception_dsl.emit.diff import FORMATS

        return FORMATS["text"](driver.stand_in(Path.cwd()).see_report(self.report))

    def __repr__(self) -> str:
        (comparison,) = self.report.comparisons
        return f"<Verification: {comparison.title}, {len(self.departures)} departures>"


def verify(
    spec: str | PathLike[str],
    module: nn.Module | str,
    *,
    input: str | Mapping[str, str] | None = None,
    params: Mapping[str, Param] | None = None,
    fail_on: str | None = None,
) -> Verification:
    """Hold a module of torch against a spec, as `inception-dsl verify` does; raise if it departs.

    Steps are paired by the graphs alone: names of modules and of tensors do not count, and nor do
    initial weights. The module runs without values, and stays as it is.

    Args:
        spec: a .yaml file, or a name that `inception-dsl list` shows.
        module: a module, or a target such as `timm:inception_v4` or `py:net.py:Net`.
        input: another input than the spec's, for both.
        params: other values for the spec's parameters, as in `{"num_classes": 10}`.
        fail_on: `error` or `warning`, to raise on graver departures alone; `never`; or categories,
            as in `NUMERICS,CHECKPOINT`. Without it, the project's setting, and otherwise any.

    Returns:
        The departures on which it does not raise.

    Raises:
        DepartureError: an AssertionError; the module departs from the spec.
        SpecError: the spec has errors, or the module cannot be run or said in the language.
        MissingExtraError: torch is not installed.

    Example:
        >>> from inception_dsl import load
        >>> verify("googlenet", load("googlenet").module())
        <Verification: GoogLeNet against googlenet, 0 departures>
    """
    from inception_dsl.rules.agreement import read_fail_on

    report = driver.verify_code(
        fsdecode(spec),
        module,
        folder=Path.cwd(),
        overrides=make_overrides(input, params),
        fail_on=None if fail_on is None else read_fail_on(fail_on),
    )
    verification = Verification(report)
    if report.fails:
        raise DepartureError(verification)
    return verification
