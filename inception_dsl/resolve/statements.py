"""What a spec says of itself: its input, its budget, and what its sources claim."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from inception_dsl.diagnostics import Diagnostic, Label, SpecError
from inception_dsl.ir import Bound, Claim, Origin, TensorType
from inception_dsl.resolve.figures import read_figure
from inception_dsl.resolve.reporter import Reporter
from inception_dsl.source import Span
from inception_dsl.spec.schema import CLAIM_CONTEXT, ClaimSpec, DocumentPath, Measure

MAX_INPUT_VALUES = 10**9

_SHAPE = re.compile(r"([0-9]{1,6})x([0-9]{1,6})x([0-9]{1,6})")


class Statements(Reporter):
    """Reads what must hold."""

    def budget(self, budget: Mapping[Measure, str | int]) -> Iterable[Bound]:
        """The bounds of a network."""
        for measure, written in budget.items():
            span = self.places.text(("budget", measure))
            figure = read_figure(str(written))
            if figure is None:
                self._no_figure(written, span)
            else:
                yield Bound(measure, figure, Origin((span,)))

    def _no_figure(self, written: object, span: Span) -> None:
        help = "a relation, a number and a unit, as in `<= 43M`, `~ 5G` or `9408`"
        self.complain("E106", f"`{written}` is no figure", span, help)

    def claims(self, claims: Sequence[ClaimSpec]) -> Iterable[Claim]:
        """What sources claim of it."""
        for index, written in enumerate(claims):
            at: DocumentPath = ("claims", index)
            measures = [
                (field.alias or name, value)
                for name, field in ClaimSpec.model_fields.items()
                if name not in CLAIM_CONTEXT and (value := getattr(written, name)) is not None
            ]
            text = self.places.text((*at, "input"))
            given = None if written.input is None else read_shape(written.input, text)
            if not measures:
                self.complain("E102", "the claim claims nothing", self.places.value(at))
            for measure, value in measures:
                span = self.places.text((*at, measure))
                figure = str(value) if measure == "shape" else read_figure(str(value))
                if figure is None:
                    self._no_figure(value, span)
                    continue
                yield Claim(
                    written.at,
                    measure,
                    figure,
                    given,
                    written.heads,
                    written.source,
                    written.deviates,
                    Origin((span, self.places.value(at))),
                )


def read_shape(text: str, span: Span | None) -> TensorType:
    """A map's shape as it was written: height x width x channels.

    Raises:
        SpecError: E003 it is too large, E106 it is no shape.
    """
    labels = (Label(span),) if span else ()
    match = _SHAPE.fullmatch(text)
    sides = tuple(int(side) for side in match.groups()) if match else ()
    if not sides or min(sides) < 1:
        help = "height x width x channels, as in 299x299x3"
        message = f"the input `{text}` is no shape"
        raise SpecError([Diagnostic("E106", message, labels, help=help)])
    height, width, channels = sides
    if height * width * channels > MAX_INPUT_VALUES:
        message = f"the input {text} holds more than {MAX_INPUT_VALUES:,} values"
        raise SpecError([Diagnostic("E003", message, labels)])
    return TensorType((channels, height, width))
