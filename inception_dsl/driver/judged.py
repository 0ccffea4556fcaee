"""The error of a network that the rules find wrong, with the network itself."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from inception_dsl.diagnostics import Diagnostic, SpecError

if TYPE_CHECKING:
    from inception_dsl.driver.walk import Checked


class JudgedError(SpecError):
    """The error of a network that can be read, and that the rules find wrong.

    Attributes:
        checked: the network; its warnings are all findings, errors too.
    """

    def __init__(self, findings: Iterable[Diagnostic], checked: Checked) -> None:
        self.checked = checked
        super().__init__(findings)
