"""A comparison of two networks, as `inception-dsl diff` makes it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from inception_dsl import driver
from inception_dsl.api.arguments import Param, make_overrides, name_spec
from inception_dsl.api.figures import Figure, check_page, draw_changes
from inception_dsl.api.network import Network
from inception_dsl.diagnostics import CallerValueError, Diagnostic
from inception_dsl.driver.options import choose
from inception_dsl.records import Record

if TYPE_CHECKING:
    from inception_dsl.diff import Report
    from inception_dsl.emit.figure import Background, Theme
    from inception_dsl.ir.weights import WeightPlan


@dataclass(frozen=True, slots=True, repr=False)
class Changes(Record):
    """The changes from one network to another one, and what they mean.

    As text, it is the output of `inception-dsl diff`. A notebook shows it as a review comment. A
    data frame of it has a row for each finding.

    Attributes:
        report: the comparison, as the driver knows it.
    """

    report: Report

    @property
    def is_empty(self) -> bool:
        """Return whether there is no finding at all: nothing that the language says differs."""
        return not self.report.findings

    @property
    def fails(self) -> bool:
        """Return whether there is a finding on which the project, or the caller, wants to fail."""
        return self.report.fails

    @property
    def findings(self) -> tuple[Diagnostic, ...]:
        """Return a finding for each change, without those that the project accepts."""
        return self._list(are_waived=False)

    @property
    def waived(self) -> tuple[Diagnostic, ...]:
        """Return the findings that the project accepts in its pyproject.toml."""
        return self._list(are_waived=True)

    def to_dict(self) -> dict[str, Any]:
        """Return the document of `inception-dsl diff --format json`, as its JSON Schema says."""
        document: dict[str, Any] = json.loads(self._write("json"))
        return document

    def to_markdown(self) -> str:
        """Return the comment for a review, as `inception-dsl diff --format markdown` writes it."""
        return self._write("markdown")

    def figure(
        self,
        *,
        block: str | None = None,
        side_by_side: bool = False,
        style: str = "modern",
        theme: Theme = "light",
        background: Background = "page",
    ) -> Figure:
        """Draw what changes, old and new in one figure.

        Args:
            block: the name of the block to draw alone, by its new name.
            side_by_side: the old stands beside the new.
            style, theme, background: as for `Network.figure`.

        Raises:
            ValueError: an argument is none of its choices.
            SpecError: E502, the figure cannot be drawn.

        Example:
            >>> from inception_dsl import diff
            >>> diff("inception_v3", "torchvision/inception_v3").figure().svg[:4]
            '<svg'
        """
        from inception_dsl.emit.diff.figure import DiffRequest
        from inception_dsl.emit.figure import PRESETS, find_style

        choose(style, PRESETS, "style")
        check_page(theme, background)
        look = find_style(style)
        request = DiffRequest("svg", side_by_side, block, look, theme=theme, background=background)
        return draw_changes(self._see("svg"), request)

    def plan_weights(self) -> WeightPlan:
        """Return the plan that carries a checkpoint of the old network over to the new one.

        Example:
            >>> from inception_dsl import diff
            >>> plan = diff("inception_v3", "torchvision/inception_v3").plan_weights()
            >>> len(plan.recipes), plan.fresh, plan.left
            (580, (), ())
        """
        from inception_dsl.driver.changes import plan_carry

        (made,) = self.report.comparisons
        return plan_carry(made)

    def __str__(self) -> str:
        return self._write("text")

    def __repr__(self) -> str:
        (made,) = self.report.comparisons
        count = len(self.report.findings)
        return f"<Changes: {made.title}, {count} finding{'' if count == 1 else 's'}>"

    def _repr_markdown_(self) -> str:
        return self.to_markdown()

    def _list(self, *, are_waived: bool) -> tuple[Diagnostic, ...]:
        from inception_dsl.emit.diff import list_findings

        return tuple(
            diagnostic
            for finding, diagnostic in list_findings(self.report)
            if (finding.waived is not None) == are_waived
        )

    def _list_rows(self) -> Iterable[Mapping[str, Any]]:
        columns = ("code", "name", "category", "severity", "at", "what", "sentence", "waived")
        (made,) = self.to_dict()["comparisons"]
        for finding in made["findings"]:
            yield {column: finding[column] for column in columns}

    def _see(self, format: str) -> Report:
        here = Path.cwd()
        if format in ("json", "markdown"):
            return driver.stand_at_root(here, annotates=format != "json").see_report(self.report)
        return driver.stand_in(here).see_report(self.report)

    def _write(self, format: str) -> str:
        from inception_dsl.emit.diff import FORMATS

        return FORMATS[format](self._see(format))


def diff(
    old: str | PathLike[str] | Network,
    new: str | PathLike[str] | Network,
    *,
    input: str | Mapping[str, str] | None = None,
    params: Mapping[str, Param] | None = None,
    fail_on: str | None = None,
) -> Changes:
    """Compare two networks and say what the changes mean, as `inception-dsl diff` does.

    Args:
        old, new: a .yaml file, a name that `inception-dsl list` shows, `REV:path` for a file of a
            revision, a target such as `timm:inception_v4`, or a network that has been loaded.
        input: another input than those of the specs, for both.
        params: other values for the parameters of both specs, as in `{"num_classes": 10}`.
        fail_on: the findings on which the result `fails`: `error`, `warning`, `note`, `never`, or
            categories and limits, as in `NUMERICS,macs > 5%`. The project's setting, or `error`,
            for None.

    Raises:
        SpecError: the errors of either spec; E009, there is no such revision.
        ValueError: there are no such findings to fail on, or `input` or `params` stand beside a
            network that has been loaded.
        MissingExtraError: torch is not installed, which a target needs.

    Example:
        >>> changes = diff("inception_v3", "torchvision/inception_v3")
        >>> [finding.message for finding in changes.findings if finding.code == "D721"]
        ['9 of 10 avgpools: 3x3 avgpool (count_pad no -> yes): the weights still load, and means at
        the border count the padding']
        >>> diff("googlenet", "googlenet").is_empty
        True
    """
    from inception_dsl.driver.changes import compare_measured, find_side
    from inception_dsl.driver.settings import find_agreement
    from inception_dsl.driver.walk import measure_file
    from inception_dsl.rules.agreement import read_fail_on
    from inception_dsl.spec.project import project_root

    here = Path.cwd()
    overrides = make_overrides(input, params)
    if overrides and any(isinstance(side, Network) for side in (old, new)):
        raise CallerValueError("`input` and `params` are for specs: load the network with them")
    limit = None if fail_on is None else read_fail_on(fail_on)

    def find(side: str | PathLike[str] | Network) -> driver.Checked:
        if isinstance(side, Network):
            return side.checked
        return measure_file(find_side(name_spec(side), here, overrides.input), overrides)

    agreement = find_agreement(project_root(here.resolve()))
    report = compare_measured(find(old), find(new), agreement, folder=here, fail_on=limit)
    return Changes(report)
