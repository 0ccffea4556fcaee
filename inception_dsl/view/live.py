"""The page of a spec that is being edited: the last one without errors, and what is wrong now."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from threading import Lock
from typing import Any

from inception_dsl.channels import printable
from inception_dsl.diagnostics import Diagnostic, SpecError
from inception_dsl.driver import measure
from inception_dsl.driver.figures import write_live_page
from inception_dsl.driver.snapshots import Snapshot, take_snapshot
from inception_dsl.driver.standpoint import stand_in
from inception_dsl.emit.page import write_waiting_page
from inception_dsl.resolve import Overrides


class LivePage:
    """A spec, and what a browser is shown of it.

    Attributes:
        version: the number of the page; it grows with each page that has no error.
        page: the page; one that waits, before there is one without errors.
        findings: those of the text as it is now.
        state: a number that grows with each change of the page or of the findings.
    """

    def __init__(self, spec: str, folder: Path, overrides: Overrides) -> None:
        self._spec = spec
        self._folder = folder
        self._overrides = overrides
        self._seen: Snapshot | None = None
        self._lock = Lock()
        self.version = 0
        self.state = 0
        self.page = write_waiting_page(spec)
        self.findings: tuple[Diagnostic, ...] = ()

    def refresh(self) -> None:
        """Read the spec again, if a file of the project has changed."""
        with self._lock:
            now = take_snapshot([self._spec], self._folder)
            if now == self._seen:
                return
            self._seen = now
            self._read()
            self.state += 1

    def _read(self) -> None:
        try:
            found = measure(self._spec, folder=self._folder, overrides=self._overrides)
            page = write_live_page(found, self.version + 1)
        except SpecError as error:
            self.findings = tuple(error.diagnostics)
        except Exception as error:  # the page goes on, and tells of our fault
            message = f"internal error: {type(error).__name__}: {error}"
            self.findings = (Diagnostic("E015", message),)
        else:
            self.page, self.version = page, self.version + 1
            self.findings = tuple(found.warnings)

    def tell(self) -> dict[str, Any]:
        """Return the number of the page and the findings, as a browser is told of them."""
        seen = stand_in(self._folder).see(self.findings)
        return {
            "version": self.version,
            "findings": [
                {**_tell_finding(shown), "file": _find_file(finding)}
                for finding, shown in zip(self.findings, seen, strict=True)
            ],
        }


def _tell_finding(finding: Diagnostic) -> dict[str, Any]:
    labels: Sequence[Any] = finding.labels
    span = labels[0].span if labels else None
    return {
        "code": finding.code,
        "severity": finding.severity,
        "message": printable(finding.message),
        "help": printable(finding.help or ""),
        "place": printable(span.place) if span else "",
        "line": span.line if span else None,
    }


def _find_file(finding: Diagnostic) -> str:
    """Return the name of a finding's file as the lines of the page have it."""
    return printable(finding.labels[0].span.source.name) if finding.labels else ""
