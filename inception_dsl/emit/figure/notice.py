"""A figure that shows findings: `render` writes it in place of a figure that cannot be drawn."""

from __future__ import annotations

from collections.abc import Iterable

from inception_dsl.channels import spell_out
from inception_dsl.diagnostics import Diagnostic
from inception_dsl.emit.figure.formats.svg import to_svg
from inception_dsl.emit.figure.layout.metrics import text_width
from inception_dsl.emit.figure.layout.scene import PlacedText, Scene

_LINE = 18.0
_MARGIN = 12.0


def notice_svg(findings: Iterable[Diagnostic]) -> str:
    """Return findings as SVG, as a viewer of figures shows them."""
    return to_svg(notice_scene(findings), title="This figure could not be drawn")


def notice_scene(findings: Iterable[Diagnostic]) -> Scene:
    """Return findings as a scene: code and message, then place, notes and help."""
    lines = [text for finding in findings for text in _lines(finding)]
    texts = tuple(
        PlacedText(_MARGIN, _MARGIN + _LINE * (row + 0.75), text, bold=is_head, anchor="start")
        for row, (text, is_head) in enumerate(lines)
    )
    width = max((text_width(text, 11, bold=is_head) for text, is_head in lines), default=0)
    return Scene(width + 2 * _MARGIN, _LINE * len(lines) + 2 * _MARGIN, texts=texts)


def _lines(finding: Diagnostic) -> Iterable[tuple[str, bool]]:
    yield spell_out(f"{finding.severity} {finding.code}: {finding.message}"), True
    for label in finding.labels:
        remark = f": {label.text}" if label.text else ""
        yield spell_out(f"{label.span.place}{remark}"), False
    for note in finding.all_notes:
        yield spell_out(f"note: {note}"), False
    if finding.help is not None:
        yield spell_out(f"help: {finding.help}"), False
