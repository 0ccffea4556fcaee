"""The ends of a body: the outputs of a block or of the network, and the training heads."""

from __future__ import annotations

from collections.abc import Container, Mapping
from decimal import Decimal

from inception_dsl.diagnostics import Diagnostic, Label, shorten
from inception_dsl.ir import CallDef, Head, NodeDef, Path
from inception_dsl.resolve.blocks import place_of
from inception_dsl.resolve.bodies import BodyReader
from inception_dsl.resolve.reporter import Reporter
from inception_dsl.resolve.reserved import name_problem, usable_name
from inception_dsl.resolve.steps import StepReader
from inception_dsl.resolve.wiring import (
    TUPLE_NAMES,
    Values,
    check_outputs,
    explain_several_outputs,
    gives_several,
    list_values,
)
from inception_dsl.spec.places import DocumentPath
from inception_dsl.spec.schema import HeadSpec


class EndReader(Reporter):
    """The reader of the ends of a body whose steps are read.

    Args:
        reader: the reader of the steps.
        diagnostics: takes the findings about heads.
    """

    def __init__(self, reader: BodyReader, diagnostics: list[Diagnostic]) -> None:
        super().__init__(reader.places, diagnostics)
        self._reader = reader

    def read_outputs(
        self,
        written: list[str] | dict[str, str] | None,
        at: DocumentPath,
        result: Path,
    ) -> dict[str, Path]:
        """Return the path of the value of each output of a block; a single one has no name.

        Args:
            result: the path of what the body gives.
        """
        if self._reader.diagnostics:  # a step at fault may be one of the outputs
            return {"": result}
        if written is None:
            steps = (step for step in self._reader.steps if step.path == result)
            call = next((step for step in steps if gives_several(step)), None)
            if isinstance(call, CallDef):
                help = f"name the outputs, as in `outputs: {{{call.outputs[0]}: "
                help += f"{call.path}.{call.outputs[0]}, ...}}`"
                self._reader.report([explain_several_outputs(call, place_of(call), help=help)])
            return {"": result}
        where = f"`{at[-1]}`" if at else "the network"
        names = written if isinstance(written, dict) else {name: name for name in written}
        values = list_values(self._reader.steps, self._reader.results, self._reader.named)
        outputs: dict[str, Path] = {}
        for index, (name, path) in enumerate(names.items()):
            key = name if isinstance(written, dict) else index
            span = self.places.text((*at, "outputs", key))
            value = values.find(path)
            if value is None:
                message = f"no step of {where} has the path `{shorten(path)}`"
                self._reader.report([values.explain_missing(path, span, message)])
            elif value is not None and value in values.calls:
                help = f"name one, as in `{path}.{values.calls[value].outputs[0]}`"
                self._reader.report([explain_several_outputs(values.calls[value], span, help=help)])
            elif value is not None:
                outputs[name] = value
        if len(names) == 1:
            return {"": next(iter(outputs.values()), result)}
        span = self.places.key((*at, "outputs"))
        self._reader.report(check_outputs(where, outputs, values, span))
        return outputs

    def read_heads(
        self, heads: Mapping[str, HeadSpec], steps: StepReader, outputs: Mapping[str, Path]
    ) -> tuple[Head, ...]:
        """Return the training heads; their steps are added to those of the network.

        Args:
            heads: the heads as they are written.
            steps: the reader of their steps.
            outputs: the outputs of the network.
        """
        values = list_values(self._reader.steps, self._reader.results, self._reader.named)
        first = {str(step.path.first): step for step in reversed(self._reader.steps)}
        taken = outputs.keys() if len(outputs) > 1 else {"logits"}
        made: list[Head] = []
        for name, written in heads.items():
            head = self._head(name, written, steps, values, first, taken)
            made.extend([] if head is None else [head])
        calls = list_values(self._reader.steps, {}, {}).calls
        for head in made:
            if head.output in calls:
                call = calls[head.output]
                self._reader.report([explain_several_outputs(call, place_of(call))])
        return tuple(made)

    def _head(
        self,
        name: str,
        written: HeadSpec,
        steps: StepReader,
        values: Values,
        first: Mapping[str, NodeDef | CallDef],
        taken: Container[str],
    ) -> Head | None:
        """Return a head; its steps are added.

        Args:
            values: the values that it may hang on.
            first: by the first name of its path, the first step of each name.
            taken: the names of the network's outputs in the tuple that training returns.
        """
        at: DocumentPath = ("heads", name)
        problem = name_problem(name)
        if problem is None and name in TUPLE_NAMES:
            problem = f"emitted code needs the name `{name}` for itself"
        if problem is None and name in taken and name not in first:
            problem = f"`{name}` names an output: training returns it beside the heads"
        if problem is not None:
            self.complain("E105", problem, self.places.key(at), instead=usable_name(name, "head"))
        if name in first:
            labels = (
                Label(self.places.key(at), "again"),
                Label(place_of(first[name]), "first"),
            )
            message = f"two steps have the path `{name}`"
            way_out = "give the head another name"
            self.report([Diagnostic("E208", message, labels, help=way_out)])
            return None
        place = values.find(written.at)
        span = self.places.text((*at, "at"))
        if place is None:
            if not self._reader.has_unreadable:  # it may be the unreadable step, which was reported
                message = f"no step of the network has the path `{written.at}`"
                self.report([values.explain_missing(written.at, span, message)])
            return None
        if place in values.calls:
            example = f"{written.at}.{values.calls[place].outputs[0]}"
            help = f"name one, as in `at: {example}`"
            self.report([explain_several_outputs(values.calls[place], span, help=help)])
            return None
        output = self._reader.read_head(written.steps, (*at, "steps"), name, place, steps)
        weight = written.loss_weight if written.loss_weight is not None else 1
        return Head(Path(name), place, output, Decimal(weight))
