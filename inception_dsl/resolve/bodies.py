"""From a body as it is written to symbolic steps in order, each with the paths that it reads.

Nothing here knows a shape. Names, words and paths are checked once a block, however often it is
called. A faulty step is reported, and the reader continues without it.

Longer than 400 lines: the forms of a body hold each other, so one reader takes them all.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterable, Mapping, Sequence
from itertools import count

from inception_dsl.bounds import MAX_JOINED
from inception_dsl.diagnostics import Diagnostic, Label, SpecError, nearest, shorten
from inception_dsl.expr import Expr
from inception_dsl.ir import INPUT, CallDef, NodeDef, Origin, Path
from inception_dsl.ops import GATHERED, OPS, RESIDUAL, WORDS
from inception_dsl.resolve.blocks import Note, unique_paths
from inception_dsl.resolve.carried import refuse_act_defaults
from inception_dsl.resolve.reporter import Reporter
from inception_dsl.resolve.reserved import may_name_block, name_problem, usable_name
from inception_dsl.resolve.scope import Given
from inception_dsl.resolve.siblings import (
    Earlier,
    explain_use,
    find_taker,
    nearest_sibling,
    use_again,
)
from inception_dsl.resolve.step_names import UNREADABLE, is_readable, name_of
from inception_dsl.resolve.steps import BodyPlace, Sibling, StepReader
from inception_dsl.resolve.tokens import listed, read_condition
from inception_dsl.resolve.values import read_word
from inception_dsl.resolve.wiring import SINGLE, Inputs, explain_no_output, gives_several
from inception_dsl.source import Span
from inception_dsl.spec.places import DocumentPath, Places
from inception_dsl.spec.schema import BodySpec, Item, LongSpec, ResidualSpec, Word
from inception_dsl.spec.step import counted_name


class BodyReader(Reporter):
    """The reader of the bodies of one block, or of the network and its heads: one list of steps.

    Attributes:
        steps: those read so far.
        notes: the shapes that they are said to give.
        results: by the path of a named step, the path of its value; `named` has the place of its
            name.
        written: by the path of a step, where its words stand.
        has_unreadable: the text of some step cannot be read, so its name is unknown.
    """

    def __init__(self, places: Places, reader: StepReader, max_nodes: int, inputs: Inputs) -> None:
        super().__init__(places, [])
        self._inputs = inputs
        self._reader = reader
        self._scope = reader.scope
        self._max_nodes = max_nodes
        self._joins: Counter[str] = Counter()
        self.steps: list[NodeDef | CallDef] = []
        self.notes: list[Note] = []
        self.results: dict[str, Path] = {}
        self.named: dict[str, Span] = {}
        self.written: dict[str, dict[str, Span]] = {}
        self.has_unreadable = False
        self._faults = 0

    def report(self, findings: Iterable[Diagnostic]) -> None:
        """Add findings, and count them as faults of the step that is being read."""
        findings = list(findings)
        self._faults += len(findings)
        super().report(findings)

    def read(self, body: Item, at: DocumentPath) -> Path:
        """Add the steps of a block, or of the network, and return the path of its result."""
        return self._body(body, BodyPlace(at, Path(), Path(), INPUT, {}))

    def read_head(
        self, body: Item, at: DocumentPath, name: str, reads: Path, reader: StepReader
    ) -> Path:
        """Add the steps of a head that reads a step of the network.

        Args:
            reader: the reader of its steps.
        """
        self._reader = reader
        self._scope = reader.scope
        return self._body(body, BodyPlace(at, Path(name), Path(name), reads, {}))

    def _body(self, body: Item, place: BodyPlace) -> Path:
        match body:
            case str():
                return self._step(body, place)
            case list():
                return self._list(body, place)
            case LongSpec():
                return self._long(body, place)
            case BodySpec():
                return self._mapping(body, place)
            case dict():
                raise AssertionError(body)  # a named step stands in a list only

    def _list(self, items: list[Item], place: BodyPlace) -> Path:
        counts: Counter[str] = Counter()
        siblings = Earlier({INPUT: Sibling(Path(), place.reads, (), self.places.key(place.at))})
        siblings.named = frozenset(filter(None, map(name_of, items)))
        reads = place.reads
        for index, item in enumerate(items):
            inner: Item = item
            several = () if index else place.several
            here = place.item(index, reads, siblings, several)
            name = name_of(item)
            if isinstance(item, dict):
                ((name, inner),) = item.items()
                here = here.key(name)
                self._check_name(name, here.at, "step")
            elif name is not None:
                self._check_unnamed(name, here.at, siblings.named)
                counts[name] += 1
                name = counted_name(name, counts[name])
            if name == UNREADABLE and inner is item and not is_readable(item):
                self.has_unreadable = True
            before, faults = len(self.steps), self._faults
            below = here
            if name:
                below = here.named(name) if isinstance(item, dict) else here.counted(name)
            reads = self._body(inner, below)
            if name is not None:
                path, span = place.path / name, self.places.key(here.at)
                is_whole = self._faults == faults
                sibling = Sibling(path, reads, tuple(self.steps[before:]), span, is_whole)
                if name in siblings:
                    self._check_again(sibling, siblings[name])
                siblings[name] = sibling
                self.results[path], self.named[path] = reads, span
        if not items:
            self.complain("E103", "a list of steps has no step", self.places.value(place.at))
        return reads

    def _check_again(self, again: Sibling, first: Sibling) -> None:
        """Report a name that two of a list have, unless their steps clash as well."""
        if not any(unique_paths([*first.steps, *again.steps])):
            message = f"two steps have the path `{again.path}`"
            labels = (Label(again.span, "again"), Label(first.span, "first"))
            self.report([Diagnostic("E208", message, labels)])

    def _mapping(self, body: BodySpec, place: BodyPlace) -> Path:
        kinds = [key for key in ("branches", "steps", "reuse") if getattr(body, key) is not None]
        if len(kinds) > 1 or not (kinds or body.reads is not None):
            self._no_body(body, place)
            return place.reads
        is_block = place.at[0] == "blocks" and len(place.at) == 2
        for key in ("params", "defaults", "inputs", "outputs"):
            if not is_block and getattr(body, key) is not None:
                self.complain("E101", f"only a block has `{key}`", self._key(place, key))
        if body.order is not None and body.branches is None:
            message = "`order` is of branches, and there are none"
            self.complain("E101", message, self._key(place, "order"))
        place = self._from(body.reads, body.join, place, find_taker(body, place, self._reader))
        if "join" in body.model_fields_set and not _joins(body, place):
            message = f"nothing is here that `{body.join}` could join"
            help = "it joins `branches`, or several steps that `from` names"
            self.complain("E101", message, self._key(place, "join"), help)
        if body.residual is not None and place.several:
            message = "a residual adds what it reads to its body's result, and this body reads"
            message = f"{message} {len(place.several)} values"
            help = "write the sum as a step that reads both, `{from: [a, b], join: add}`"
            self.complain("E217", message, self._key(place, "residual"), help)
            return place.reads
        place = self._when(body, place, kinds)
        if body.steps is not None:
            result = self._body(body.steps, place.key("steps")._replace(siblings={}))
        elif body.branches is not None:
            result = self._branches(body, place)
        elif body.reuse is not None:
            result = self._reuse(body.reuse, place)
        else:
            result = place.reads
        if body.residual is not None:
            result = self._residual(body.residual, place.key("residual"), result)
        if body.out is not None:
            self._note(result, body.out, place)
        return result

    def _when(self, body: BodySpec | LongSpec, place: BodyPlace, kinds: list[str]) -> BodyPlace:
        """Return the place under the body's condition; what it reads is read in any case."""
        if body.when is None:
            return place
        if place.several:
            message = "a step that reads several values has none to give where it is not there"
            self.complain("E214", message, self._key(place, "when"))
            return place
        if not kinds:
            message = "a body that only reads is there in any case: nothing else says what it gives"
            self.complain("E214", message, self._key(place, "when"))
            return place
        return place.under(self._condition(body.when, place))

    def _condition(self, text: str, place: BodyPlace) -> Expr | None:
        try:
            return read_condition(text, self._text(place, "when"), self._scope, WORDS)
        except SpecError as error:
            self.report(error.diagnostics)
            return None

    def _note(self, result: Path, out: str | int, place: BodyPlace) -> None:
        self.notes.append(Note(place.path or result, result, str(out), self._text(place, "out")))

    def _no_body(self, body: BodySpec, place: BodyPlace) -> None:
        """Report why a mapping is no body; a single key may be meant as the name of a step."""
        keys = body.model_fields_set
        values = [getattr(body, key) for key in keys]
        if len(keys) == 1 and isinstance(values[0], str | int):
            (key,) = keys
            message = f"no step can be called `{key}`: that is a key of a body"
            self.complain("E105", message, self._key(place, key), instead=f"{key}_step")
            return
        both = [key for key in ("branches", "steps", "reuse") if key in keys]
        message = "a body has `branches`, `steps`, `reuse` or, to read alone, `from`"
        if len(both) > 1:
            message = f"a body has one of `branches`, `steps` and `reuse`, not {listed(both)}"
        close = self._reader.near_block(place.at)
        self.complain("E102", message, self.places.key(place.at), instead=close)

    def _from_by_name(
        self, names: Mapping[str, str], place: BodyPlace, taker: Sequence[str]
    ) -> BodyPlace:
        """Return the place, reading a step for each input of the block that it calls."""
        at = (*place.at, "from")
        if not taker:
            message = "inputs have names only where a block of several inputs is called"
            help = "write the names of the steps that are read, as a list"
            self.complain("E215", message, self.places.value(at), help)
            return place
        reads: dict[str, Path] = {}
        for name, step in names.items():
            if name not in taker:
                message = f"no input is named `{shorten(name)}`: they are {listed(taker)}"
                close = nearest(name, [input for input in taker if input not in names])
                self.complain("E215", message, self.places.key((*at, name)), instead=close)
            sibling = self._sibling(step, place, self.places.text((*at, name)))
            if sibling is not None:
                reads[name] = sibling.gives
        missing = [name for name in taker if name not in names]
        if missing and names.keys() <= set(taker):
            message = f"no step is named for the input {listed(missing[:1])}"
            self.complain("E215", message, self.places.value(at))
        several = tuple(reads.get(name, place.reads) for name in taker)
        return place._replace(reads=several[0], several=several)

    def _from(
        self,
        names: str | list[str] | dict[str, str] | None,
        join: str,
        place: BodyPlace,
        taker: Sequence[str],
        help: str | None = None,
    ) -> BodyPlace:
        """Return the place, reading the steps that `from` names.

        Several are joined, unless a block that takes several is called.

        Args:
            taker: the names of the inputs of that block.
            help: the way out where a name is that of no step.
        """
        if names is None:
            return place
        if isinstance(names, dict):
            return self._from_by_name(names, place, taker)
        written = [names] if isinstance(names, str) else names
        inputs: list[Path] = []
        for index, name in enumerate(written):
            at = (*place.at, "from") if isinstance(names, str) else (*place.at, "from", index)
            sibling = self._sibling(name, place, self.places.text(at), help)
            if sibling is not None:
                inputs.append(sibling.gives)
        if not inputs:
            return place._replace(several=(place.reads,) * len(taker))
        if taker:
            lacking = len(written) - len(inputs)  # reported
            several = (*inputs, *inputs[:1] * lacking)
            return place._replace(reads=inputs[0], several=several)
        if len(inputs) == 1:
            return place._replace(reads=inputs[0])
        return place._replace(reads=self._addjoined(join, place, tuple(inputs), {}))

    def _sibling(
        self, name: str, place: BodyPlace, span: Span, help: str | None = None
    ) -> Sibling | None:
        if name in place.siblings:
            return place.siblings[name]
        if name in self._inputs.paths:
            return Sibling(Path(), self._inputs.paths[name], (), span)
        holder, _, output = name.partition(".")
        if output and holder in place.siblings:
            return self._output(name, place.siblings[holder], span)
        if isinstance(place.siblings, Earlier) and name in place.siblings.named:
            reader = place.path.name
            message = (
                f"`{name}` comes later: `{reader}` reads `{name}`, which comes after `{reader}`"
            )
            if name == reader:
                message = f"`{name}` reads itself"
            self.complain("E008", message, span)
            return None
        if self.has_unreadable:
            self._faults += 1  # it may be the step that cannot be read
            return None
        close = nearest_sibling(name, place.siblings, self._inputs.paths)
        what = "step of this list" if isinstance(place.siblings, Earlier) else "branch"
        message = f"no earlier {what} is named `{shorten(name)}`"
        self.complain("E212", message, span, help, close.labels, close.name)
        return None

    def _output(self, name: str, holder: Sibling, span: Span) -> Sibling | None:
        """Return one output of an earlier step, as `from` names it: `fpn.p3`."""
        holder_name, _, output = name.partition(".")
        calls = (step for step in holder.steps if isinstance(step, CallDef))
        call = next((step for step in calls if step.path == holder.gives), None)
        outputs = call.outputs if call is not None else SINGLE
        if call is None or output not in outputs:
            if holder.is_whole:
                self.report([explain_no_output(holder_name, output, outputs, span)])
            self._faults += 1
            return None
        return holder._replace(gives=call.path / output)

    def _reuse(self, name: str, place: BodyPlace) -> Path:
        """Add an earlier step or branch again, with the same weights on another input."""
        sibling = self._sibling(name, place, self._text(place, "reuse"))
        if sibling is None:
            return place.reads
        if not sibling.is_whole:
            self._faults += 1  # its own fault was reported
            return place.reads
        if not sibling.steps:
            self.complain("E212", f"`{name}` has no step", self._text(place, "reuse"))
            return place.reads
        if len(self.steps) + len(sibling.steps) > self._max_nodes:
            message = f"the model has more than {self._max_nodes:,} nodes"
            self.fail("E003", message, self._text(place, "reuse"))
        again = use_again(sibling, place, Origin((self.places.key(place.at),)))
        if again is None:
            message = explain_use(name, sibling)
            self.complain("E212", message, self._text(place, "reuse"))
            return place.reads
        steps, gives = again
        if not all(step.path.names for step in steps):
            message = f"`{name}` is used again under no name, which leaves it the path of all steps"
            help = f"name it: `- NAME: {{reuse: {name}}}`"
            self.complain("E208", message, self._text(place, "reuse"), help)
            return place.reads
        self.steps.extend(steps)
        return gives

    def _branches(self, body: BodySpec, place: BodyPlace) -> Path:
        assert body.branches is not None
        results: dict[str, Sibling] = {}
        for name, inner in body.branches.items():
            here = place.branching(("branches", name), name, results)
            self._check_name(name, here.at, "branch")
            before, faults = len(self.steps), self._faults
            gives = self._body(inner, here)
            made = tuple(self.steps[before:])
            span, is_whole = self.places.key(here.at), self._faults == faults
            results[name] = Sibling(here.path, gives, made, span, is_whole)
        order = body.order if body.order is not None else list(results)
        for index, name in enumerate(order):
            if name not in results:
                close = nearest_sibling(name, results, ())
                message = f"`order` names `{shorten(name)}`, which is no branch"
                span = self.places.value((*place.at, "order", index))
                self.complain("E212", message, span, others=close.labels, instead=close.name)
        inputs = tuple(results[name].gives for name in order if name in results)
        if not inputs:
            self.complain("E103", "there is no branch to join", self.places.key(place.at))
            return place.reads
        return self._addjoined(body.join, place, inputs, {})

    def _addjoined(
        self,
        op: str,
        place: BodyPlace,
        inputs: tuple[Path, ...],
        attributes: Mapping[str, Given],
        otherwise: Path | None = None,
    ) -> Path:
        """Add a join and return its path.

        Args:
            otherwise: the path of the value that it gives where it is not there; None for that of
                the body.
        """
        if len(inputs) > MAX_JOINED:
            message = f"a join reads more than {MAX_JOINED:,} values"
            self.fail("E003", message, self.places.key(place.at))
        path = place.path / op
        self._joins[path] += 1
        if self._joins[path] > 1:
            path = Path(f"{path}{self._joins[path]}")
        complete = self._complete(op, attributes)
        origin = Origin((self.places.key(place.at),))
        self.steps.append(
            NodeDef(
                path=path,
                inputs=inputs,
                op=op,
                attributes=complete,
                count=None,
                branch=place.branch,
                origin=origin,
                when=place.when,
                otherwise=otherwise or place.otherwise,
            )
        )
        return path

    def _complete(self, op: str, attributes: Mapping[str, Given]) -> dict[str, Given]:
        """Return all attributes of a join: those of its activation come from the defaults."""
        complete: dict[str, Given] = {}
        for attribute in OPS[op].attributes:
            value = attributes.get(attribute.name, attribute.default)
            if attribute.changes == "training" and attribute.name not in attributes:
                continue
            if attribute.owner:
                if attribute.owner != complete["act"]:
                    continue
                setting = self._reader.defaults.get(attribute.owner, {}).get(
                    attribute.name_in_owner
                )
                value = value if setting is None else setting.value
            if value is not None:
                complete[attribute.name] = value
        return complete

    def _residual(self, residual: ResidualSpec, place: BodyPlace, body: Path) -> Path:
        if residual.when is not None:
            place = place.under(self._condition(residual.when, place))
        shortcut = place.reads
        if residual.shortcut is not None:
            shortcut = self._body(
                residual.shortcut,
                place.branching(("shortcut",), "shortcut", {}),
            )
        attributes: dict[str, Given] = {}
        named = ["drop_path"] if "drop_path" in residual.model_fields_set else []
        for name in ("scale", "act", *named):
            try:
                key, text = self._key(place, name), self._text(place, name)
                word = getattr(residual, name)
                attributes[name] = read_word(RESIDUAL, name, word, key, text, self._scope)
                if name == "act" and not isinstance(attributes[name], str):
                    refuse_act_defaults(self._reader.defaults, text)
            except SpecError as error:
                self.report(error.diagnostics)
        otherwise = body if place.when is not None else None
        return self._addjoined(RESIDUAL.name, place, (shortcut, body), attributes, otherwise)

    def _long(self, step: LongSpec, place: BodyPlace) -> Path:
        keys = step.__pydantic_extra__
        help = self._reader.explain_word(step.op, "from", step.reads, keys)
        taker = find_taker(step, place, self._reader)
        place = self._from(step.reads, GATHERED.name, place, taker, help)
        place = self._when(step, place, ["op"])
        result = self._step(step.op, place.key("op"), keys)
        if step.out is not None:
            self._note(result, step.out, place)
        return result

    def _step(self, text: str, place: BodyPlace, keys: Mapping[str, Word] | None = None) -> Path:
        try:
            made = self._reader.read(text, place, keys or {})
        except SpecError as error:
            self.report(error.diagnostics)
            return place.reads
        path = made.step.path
        if made.step.when is not None and gives_several(made.step):
            message = "a call of several outputs has none to give where it is not there"
            self.complain("E214", message, self.places.text(place.at))
            return place.reads
        self.steps.append(made.step)
        self.written[path] = made.places
        if made.note is not None:
            token, span = made.note
            self.notes.append(Note(path, path, token.text, span))
        return path

    def _check_name(self, name: str, at: DocumentPath, what: str) -> None:
        problem = name_problem(name)
        if problem is not None:
            self.complain("E105", problem, self.places.key(at), instead=usable_name(name, what))
        self._check_no_input(name, self.places.key(at))

    def _check_unnamed(self, name: str, at: DocumentPath, taken: Container[str]) -> None:
        """Report a step without a name whose block has a name that no step can have."""
        self._check_no_input(name, self.places.value(at))
        if may_name_block(name):
            message = f"a step cannot be called `{name}` like its block: name it"
            text = self.places.value(at)
            free = next(
                candidate for index in count(1) if (candidate := f"{name}{index}") not in taken
            )
            instead = f"{{{free}: {text.text}}}" if "\n" not in text.text else None
            self.complain("E105", message, text, instead=instead)

    def _check_no_input(self, name: str, span: Span) -> None:
        if name in self._inputs.paths:
            message = f"`{name}` is an input here: no step can have its name"
            self.complain("E215", message, span, "give the step another name")

    def _key(self, place: BodyPlace, key: str) -> Span:
        return self.places.key((*place.at, key))

    def _text(self, place: BodyPlace, key: str) -> Span:
        return self.places.text((*place.at, key))


def _joins(body: BodySpec, place: BodyPlace) -> bool:
    """Tell whether a body joins values: branches, or several steps that no call reads apart."""
    reads_several = isinstance(body.reads, list) and len(body.reads) > 1
    return body.branches is not None or (reads_several and not place.several)
