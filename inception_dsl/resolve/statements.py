"""A spec's statements about itself: its input, its budget, and the claims of its sources."""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, get_args

from inception_dsl.bounds import MAX_CLAIMS
from inception_dsl.diagnostics import Diagnostic, Fix, Label, SpecError, nearest, shorten
from inception_dsl.ir import Bound, Claim, Multiple, Origin, TensorType
from inception_dsl.resolve.quantities import is_multiplier, read_multiple, read_quantity
from inception_dsl.resolve.reporter import Reporter
from inception_dsl.resolve.tokens import listed
from inception_dsl.source import Span
from inception_dsl.spec.load import Loaded
from inception_dsl.spec.places import DocumentPath
from inception_dsl.spec.schema import (
    CLAIM_CONTEXT,
    RESULT_CONTEXT,
    RESULTS,
    BudgetSpec,
    ClaimSpec,
    Measure,
)

if TYPE_CHECKING:
    from inception_dsl.ir.recipe import Result

MAX_INPUT_VALUES = 10**9

_TIMES = re.compile(r"(?:<=|>=|<|>) *(.*?) *x +.*")
"""A multiple whose number of times may be none."""

_SHAPE = re.compile(r"([0-9]{1,6})x([0-9]{1,6})x([0-9]{1,6})")


def list_multiples(loaded: Loaded) -> Iterator[tuple[Multiple, Span]]:
    """Yield the bounds of a spec that are multiples of other networks, with their texts."""
    for measure in get_args(Measure):
        multiple = read_multiple(str(getattr(loaded.spec.budget, measure)))
        if multiple is not None:
            yield multiple, loaded.places.text(("budget", measure))


class Statements(Reporter):
    """The reader of a spec's budget and claims."""

    def budget(self, budget: BudgetSpec) -> Iterable[Bound]:
        """Yield the bounds of a network, then those of its steps."""
        whole: dict[Measure, object] = {name: getattr(budget, name) for name in get_args(Measure)}
        yield from self._list_bounds(None, whole)
        for count, (at, bounds) in enumerate(budget.at.items()):
            if count == MAX_CLAIMS:
                message = f"the budget has more than {MAX_CLAIMS:,} steps"
                self.complain("E003", message, self.places.key(("budget", "at", at)))
                return
            yield from self._list_bounds(at, dict(bounds.items()))

    def _list_bounds(self, at: str | None, bounds: Mapping[Measure, object]) -> Iterator[Bound]:
        """Yield the bounds of the network, or of the step at a path."""
        place: DocumentPath = ("budget",) if at is None else ("budget", "at", at)
        for measure, written in bounds.items():
            if written is None:
                continue
            span = self.places.text((*place, measure))
            multiple = read_multiple(str(written))
            quantity = multiple or read_quantity(str(written))
            if quantity is None:
                self._no_quantity(written, span)
            elif multiple is not None and at is not None:
                message = f"the budget of `{shorten(at)}` is a multiple of a whole network"
                help = "bound a step by a number, and the network by a multiple"
                self.complain("E106", message, span, help)
            else:
                yield Bound(measure, quantity, Origin((span,)), at)

    def _no_quantity(self, written: object, span: Span) -> None:
        help = "a relation, a number and a unit, as in `<= 43M`, `~ 5G` or `9408`"
        # A memory is counted in bytes, without a letter for them.
        without_bytes = str(written).strip().removesuffix("B").rstrip()
        instead = without_bytes if read_quantity(without_bytes) else None
        if re.search(r"[0-9] *x ", str(written)):
            times = _TIMES.fullmatch(str(written).strip())
            help = "a multiple has a relation, as in `<= 1.05 x inception_v3`"
            if times is not None and not is_multiplier(times[1]):
                help = (
                    f"`{shorten(times[1])}` is no number of times: it has at most 6 digits and 9 "
                    "decimals, no sign and no exponent, as in `<= 1.05 x inception_v3`"
                )
        self.complain(
            "E106", f"`{shorten(str(written))}` is no quantity", span, help, instead=instead
        )

    def _places_of_inputs(
        self, written: str | Mapping[str, str], at: DocumentPath, known: Container[str]
    ) -> dict[str, Span]:
        """Return the place of each shape; of a name that no input has, the place of the name."""
        if isinstance(written, str):
            return {"": self.places.text(at)}
        places = {name: (*at, name) for name in written}
        return {
            name: self.places.text(place) if name in known else self.places.key(place)
            for name, place in places.items()
        }

    def claims(self, claims: Sequence[ClaimSpec], own: Mapping[str, TensorType]) -> Iterable[Claim]:
        """Yield the claims of the sources, each for the spec's own inputs or for others.

        Args:
            own: the inputs of the spec.
        """
        for index, written in enumerate(claims):
            at: DocumentPath = ("claims", index)
            measures = [
                (field.alias or name, value)
                for name, field in ClaimSpec.model_fields.items()
                if name not in _NO_MEASURES and (value := getattr(written, name)) is not None
            ]
            inputs: tuple[TensorType, ...] | None = None
            if written.input is not None:
                spans = self._places_of_inputs(written.input, (*at, "input"), own)
                inputs = tuple(change_inputs(own, written.input, spans).values())
            if not measures and not _is_result(written):
                self.complain("E102", "the claim claims nothing", self.places.value(at))
            for measure, value in measures:
                span = self.places.text((*at, measure))
                figure = str(value) if measure == "shape" else read_quantity(str(value))
                if figure is None:
                    self._no_quantity(value, span)
                    continue
                yield Claim(
                    written.at,
                    measure,
                    figure,
                    inputs,
                    written.heads,
                    written.source,
                    written.deviates,
                    Origin((span, self.places.value(at))),
                )

    def results(self, claims: Sequence[ClaimSpec]) -> Iterator[Result]:
        """Yield the errors that the sources report of the trained network."""
        for index, written in enumerate(claims):
            at: DocumentPath = ("claims", index)
            said = written.model_fields_set
            if not _is_result(written):
                for key in sorted(said & RESULT_CONTEXT):
                    message = f"`{key}` is a key of results, and the claim has none"
                    help = f"it stands beside `{RESULTS[0]}` or `{RESULTS[1]}`"
                    self.complain("E101", message, self.places.key((*at, key)), help)
                continue
            from inception_dsl.ir.recipe import Result

            self._check_result(written, at)
            for measure in RESULTS:
                percent = getattr(written, measure)
                if percent is not None:
                    spans = self.places.text((*at, measure)), self.places.value(at)
                    yield Result(
                        "top1_error" if measure == RESULTS[0] else "top5_error",
                        Decimal(percent),
                        written.crops,
                        written.networks or 1,
                        written.split,
                        written.source,
                        Origin(spans),
                    )

    def _check_result(self, written: ClaimSpec, at: DocumentPath) -> None:
        """Refuse numbers that no error or count is, and keys that a result does not have."""
        for key in sorted(written.model_fields_set - _OF_RESULTS):
            name = "in" if key == "reads" else key
            message = f"`{name}` is no key here: the claim is a result of the trained network"
            help = "write a claim of its own" if key not in CLAIM_CONTEXT else None
            self.complain("E101", message, self.places.key((*at, name)), help)
        for key, most in _MOST.items():
            value = getattr(written, key)
            low = 0 if key in RESULTS else 1
            if value is not None and not low <= value <= most:
                message = f"`{key}` is a number of at least {low} and at most {most:,}"
                self.complain("E211", message, self.places.text((*at, key)))
        top1, top5 = written.top1_error, written.top5_error
        if top1 is not None and top5 is not None and top5 > top1:
            message = f"`{RESULTS[1]}` is above `{RESULTS[0]}`"
            help = "an image whose class is not among the five likeliest is an error of both"
            self.complain("E211", message, self.places.text((*at, RESULTS[1])), help)


_NO_MEASURES = CLAIM_CONTEXT | frozenset(RESULTS)
_OF_RESULTS = RESULT_CONTEXT | frozenset(["source", *RESULTS])
_MOST = {**dict.fromkeys(RESULTS, 100), "crops": 10_000, "networks": 1_000}
"""Maximum value of each number of a result; errors are percentages."""


def _is_result(claim: ClaimSpec) -> bool:
    return claim.top1_error is not None or claim.top5_error is not None


def change_inputs(
    own: Mapping[str, TensorType], changes: str | Mapping[str, str], spans: Mapping[str, Span]
) -> dict[str, TensorType]:
    """Return the inputs of a network with some of another shape.

    Args:
        own: the inputs of the spec, by name; a single one may have no name.
        changes: the shape of the only input, or shapes by name.
        spans: the place of each shape by name, and of the only one under an empty name; none if no
            spec writes them.

    Raises:
        SpecError: E215 a name that no input has, or none where there are several; E003 and E106 as
            for `read_shape`.
    """
    if isinstance(changes, str):
        if len(own) > 1:
            message = f"the network has {len(own)} inputs: {listed(own)}"
            first = next(iter(own))
            example = f"{{{first}: {own[first]}}}" if spans else f"{first}={own[first]}"
            raise _input_error(message, spans.get(""), f"name it, as in `{example}`")
        (name,) = own
        return {name: read_shape(changes, spans.get(""), own=own[name])}
    types = dict(own)
    for name, text in changes.items():
        if name not in own:
            has = f"its inputs are {listed(own)}" if any(own) else "its only input needs no name"
            message = f"the network has no input `{shorten(name)}`: {has}"
            raise _input_error(message, spans.get(name), instead=nearest(name, own))
        types[name] = read_shape(text, spans.get(name), own=own[name])
    return types


def _input_error(
    message: str, span: Span | None, help: str | None = None, *, instead: str | None = None
) -> SpecError:
    """Return E215 at the place of an input, or without one for an input that no spec writes.

    Args:
        instead: the name that was probably meant.
    """
    labels = () if span is None else (Label(span),)
    fix = None
    if instead is not None:
        fix = Fix(span, instead) if span is not None else None
        help = None if span is not None else f"write `{instead}`"
    return SpecError([Diagnostic("E215", message, labels, help=help, fix=fix)])


def read_shape(text: str, span: Span | None, *, own: TensorType | None = None) -> TensorType:
    """Return a map's shape as it was written: height x width x channels.

    Args:
        own: the input of the spec itself, where another one is read. The network is made for its
            channels, so a shape with these first and another number last is refused.

    Raises:
        SpecError: E003 it is too large, E106 it is no shape or has its channels first.
    """
    labels = (Label(span),) if span else ()
    match = _SHAPE.fullmatch(text)
    sides = tuple(int(side) for side in match.groups()) if match else ()
    if not sides or min(sides) < 1:
        help = "height x width x channels, as in 299x299x3"
        message = f"the input `{shorten(text)}` is no shape"
        if (lacks := explain_short_shape(text)) is not None:
            message, help = lacks
        meant = re.sub(r"\s*[x\u00d7X*,]\s*", "x", text)
        is_near = span is not None and meant != text and _SHAPE.fullmatch(meant)
        fix = Fix(span, meant) if span is not None and is_near else None
        raise SpecError([Diagnostic("E106", message, labels, help=help, fix=fix)])
    height, width, channels = sides
    if height * width * channels > MAX_INPUT_VALUES:
        message = f"the input {text} holds more than {MAX_INPUT_VALUES:,} values"
        raise SpecError([Diagnostic("E003", message, labels)])
    if own is not None and height == own.channels != channels:
        message = f"the input {text} has {channels} channels, and the spec's has {own.channels}"
        note = "a shape is height x width x channels"
        meant = f"{width}x{channels}x{height}"
        fix = Fix(span, meant) if span is not None else None
        help = f"with its channels last it is {meant}"
        raise SpecError([Diagnostic("E106", message, labels, (note,), help, fix=fix)])
    return TensorType((channels, height, width))


def explain_short_shape(text: str) -> tuple[str, str] | None:
    """Return the message and the help for an input of one number, or without channels.

    Args:
        text: the input as it is written.
    """
    if re.fullmatch("[1-9][0-9]{0,5}", text):
        message = f"the input `{text}` is one number, and a network of the language reads maps"
        shape = "height x width x channels, as in 299x299x3"
        help = f"{shape}; a vector is 1x1x{text}, and a `flatten` behind it"
        return message, help
    if re.fullmatch("[1-9][0-9]{0,5}x[1-9][0-9]{0,5}", text):
        message = f"the input `{text}` has no number of channels"
        shape = "height x width x channels"
        return message, f"{shape}: {text}x1 for a grey image, {text}x3 for one in colour"
    return None


IMAGE_CHANNELS = (1, 3)
"""Channels of a grey and of a coloured image."""
MIN_SIDE = 28
"""Minimum side of an image that is taken for one with its channels first."""


def advise_on_order(type: TensorType) -> str | None:
    """Return what to write for an input that seems to have its channels first."""
    if not type.is_map:
        return None
    channels, height, width = type.shape
    if height not in IMAGE_CHANNELS or width < MIN_SIDE or channels < MIN_SIDE:
        return None
    return f"a shape is height x width x channels: write {width}x{channels}x{height}"


def find_odd_statements(loaded: Loaded) -> list[Diagnostic]:
    """Return a warning for an input such as 3x224x224, which reads as a map three pixels high.

    A map of 1 or 3 rows that has as many columns as channels, 28 or more, is nearly always a
    mistake. A square image with its channels first always looks like this.
    """
    written = loaded.spec.input
    shapes = written if isinstance(written, dict) else {"": written}
    odd: list[Diagnostic] = []
    for name, shape in shapes.items():
        place = ("input", name) if name else ("input",)
        odd += _find_odd(shape, loaded.places.text(place))
    return odd


def _find_odd(written: str | int | None, span: Span) -> list[Diagnostic]:
    match = _SHAPE.fullmatch(str(written))
    if match is None:
        return []
    height, width, channels = map(int, match.groups())
    if height not in IMAGE_CHANNELS or width != channels or width < MIN_SIDE:
        return []
    tall = f"{height} pixel{'s' if height > 1 else ''}"
    message = f"the input is {tall} high and has {channels} channels"
    note = "a shape is height x width x channels"
    what = f"{height} channel{'s' if height > 1 else ''}"
    help = f"for an image of {what}, write `{width}x{channels}x{height}`"
    return [Diagnostic("W606", message, (Label(span),), (note,), help)]
