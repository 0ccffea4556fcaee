"""From a step as it is written to a symbolic one: its op or block, its words, its count."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple

from inception_dsl.diagnostics import Diagnostic, Fix, Label, SpecError, nearest, shorten
from inception_dsl.expr import Apply, Expr, Name
from inception_dsl.ir import CallDef, NodeDef, Origin, Path
from inception_dsl.ops import WRITTEN, Op
from inception_dsl.resolve.bindings import read_argument, read_bindings
from inception_dsl.resolve.blocks import Signature
from inception_dsl.resolve.carried import Defaults
from inception_dsl.resolve.scope import Given, Scope, Setting, Table, close_by
from inception_dsl.resolve.tokens import Words
from inception_dsl.resolve.values import read_word
from inception_dsl.resolve.wiring import (
    explain_inputs,
    explain_several_outputs,
    find_repeated,
    gives_several,
)
from inception_dsl.resolve.words import read_attributes
from inception_dsl.source import Span
from inception_dsl.spec.places import DocumentPath, Places
from inception_dsl.spec.schema import Word
from inception_dsl.spec.step import StepSyntaxError, StepText, Token, number, parse_step
from inception_dsl.spec.text import syntax_finding


class BodyPlace(NamedTuple):
    """The place of a body in the document, with its input.

    Attributes:
        at: its place in the document.
        path: the path of its holder; empty for the block itself.
        branch: the path of the innermost branch that holds it.
        reads: the path of its input.
        siblings: the earlier steps of its list, or earlier branches, which `from` and `reuse` may
            name.
        several: the paths of the inputs of the call that it begins with, if `from` names several.
        is_named: false for a step that is called by its op or block, counted in its list.
        when: the condition under which the body is there; None if it always is.
    """

    at: DocumentPath
    path: Path
    branch: Path
    reads: Path
    siblings: Mapping[str, Sibling]
    several: tuple[Path, ...] = ()
    is_named: bool = True
    when: Expr | None = None

    def key(self, *keys: str | int) -> BodyPlace:
        """Return the place deeper in the document."""
        return self._replace(at=(*self.at, *keys))

    def item(
        self, index: int, reads: Path, siblings: Mapping[str, Sibling], several: tuple[Path, ...]
    ) -> BodyPlace:
        """Return the place of an item of the list that stands here."""
        at = (*self.at, index)
        return BodyPlace(
            at, self.path, self.branch, reads, siblings, several, self.is_named, self.when
        )

    def named(self, name: str) -> BodyPlace:
        """Return the place of a named part below this one."""
        return self._replace(path=self.path / name)

    def counted(self, name: str) -> BodyPlace:
        """Return the place of a step below this one that its list counts."""
        return self._replace(path=self.path / name, is_named=False)

    def under(self, condition: Expr | None) -> BodyPlace:
        """Return the place under one more condition."""
        if condition is None:
            return self
        both = condition if self.when is None else Apply("and", (self.when, condition))
        return self._replace(when=both)

    @property
    def otherwise(self) -> Path | None:
        """The path of the value that the body gives where it is not there: its input."""
        return None if self.when is None else self.reads

    def branching(
        self, key: tuple[str, ...], name: str, siblings: Mapping[str, Sibling]
    ) -> BodyPlace:
        """Return the place of a branch, whose body stands at `key` in the document."""
        below = self.path / name
        return self._replace(at=(*self.at, *key), path=below, branch=below, siblings=siblings)


class Sibling(NamedTuple):
    """An earlier step or branch: its path, its value, its steps, and the place of its name.

    `is_whole` is false if a part of it is at fault and was left out.
    """

    path: Path
    gives: Path
    steps: tuple[NodeDef | CallDef, ...]
    span: Span
    is_whole: bool = True


class Made(NamedTuple):
    """A step as it was read.

    Attributes:
        note: the token of its shape, behind `->`, and where it stands.
        places: where its words stand, by attribute or parameter; under an empty name, its count.
    """

    step: NodeDef | CallDef
    note: tuple[Token, Span] | None
    places: dict[str, Span]


class StepReader:
    """The reader of the steps of one block, or of the network and its heads.

    Args:
        signatures: the blocks that a step may call.
        scope: the names that an expression may read.
        defaults: the values of attributes that a step leaves out.
    """

    def __init__(
        self,
        places: Places,
        signatures: Mapping[str, Signature],
        tables: Mapping[str, Table],
        scope: Scope,
        defaults: Defaults,
    ) -> None:
        self._places = places
        self._signatures = signatures
        self._tables = tables
        self.scope = scope
        self.defaults = defaults
        self._shared: dict[tuple[object, ...], dict[str, Given]] = {}

    def find_signature(self, text: str) -> Signature | None:
        """Return the signature of the block that a step calls; None if it calls none."""
        try:
            step = parse_step(text)
        except StepSyntaxError:
            return None
        return self._signatures.get(step.name.text) if step.modifier is None else None

    def near_block(self, at: DocumentPath) -> str | None:
        """Return the block that a new one without a body is perhaps meant to change."""
        if len(at) != 2 or at[0] != "blocks":
            return None
        return nearest(str(at[1]), self._signatures.keys() - {at[1]})

    def explain_word(
        self, text: str, key: str, value: object, keys: Mapping[str, Word]
    ) -> str | None:
        """Explain how to write a word of an op that is spelt like a key of a body, such as `from`.

        Return None if the op has no such word, or if the word cannot have the value.

        Args:
            keys: the other words of the step.
        """
        try:
            op = WRITTEN.get(parse_step(text).name.text)
        except StepSyntaxError:
            return None
        if op is None or op.attribute(key) is None or not isinstance(value, str):
            return None
        width = f"{keys[op.width]} " if op.width in keys else ""
        return f"write the short form, as in `{op.written} ({width}{key} {shorten(value)})`"

    def _share(self, attributes: dict[str, Given]) -> dict[str, Given]:
        """Return the attributes; steps with equal ones share them, which saves memory."""
        kinds = map(type, attributes.values())  # 1, 1.0 and true are equal to each other
        return self._shared.setdefault((*attributes.items(), *kinds), attributes)

    def read(self, text: str, place: BodyPlace, keys: Mapping[str, Word]) -> Made:
        """Return a step as it is read, in its short form or, with `keys`, in its long one.

        Raises:
            SpecError: E104 no step, E2xx a name or a word that is unknown or does not fit.
        """
        span = self._places.text(place.at)
        step = self._parse(text, span)
        words = Words(step.words, span, self.scope)
        self._check_kernel(step, words, text)
        what = self._find(step, words)
        count = self._count(step, words)
        origin = Origin((span,))
        path = place.path or Path(step.name.text)
        settings = self._settings(what, keys, place, is_repeated=step.count is not None)
        if step.count is not None and isinstance(what, Op) and not what.has_module:
            raise words.error("E211", f"`{what.written}` is not repeated", step.count)
        places = {"": words.span(step.count)} if step.count else {}
        made: NodeDef | CallDef
        if isinstance(what, Op):
            attributes, word_places = read_attributes(what, step, words, settings, self.defaults)
            places |= word_places
            made = NodeDef(
                path=path,
                inputs=(place.reads,),
                op=what.name,
                attributes=self._share(attributes),
                count=count,
                branch=place.branch,
                origin=origin,
                is_named=place.is_named,
                when=place.when,
                otherwise=place.otherwise,
            )
        else:
            signature = self._signatures[what]
            bound = read_bindings(step, words, signature, settings, self._tables)
            arguments = {p.name: bound[p.name].value for p in signature.params if p.name in bound}
            places |= {name: setting.span for name, setting in bound.items()}
            made = CallDef(
                path=path,
                inputs=self._inputs(what, signature, place, words.span(step.name), text),
                block=what,
                arguments=arguments,
                count=count,
                branch=place.branch,
                origin=origin,
                is_named=place.is_named,
                outputs=signature.outputs,
                when=place.when,
                otherwise=place.otherwise,
            )
            if (problem := find_repeated(made, signature)) is not None:
                raise SpecError([problem])
            if step.note is not None and gives_several(made):
                help = "write the shape of each output on the step that makes it"
                place_of_note = words.span(step.note)
                raise SpecError([explain_several_outputs(made, place_of_note, help=help)])
        note = (step.note, words.span(step.note)) if step.note is not None else None
        return Made(made, note, places)

    def _inputs(
        self, block: str, signature: Signature, place: BodyPlace, span: Span, text: str
    ) -> tuple[Path, ...]:
        """Return the paths that a call reads: one for each input of its block.

        Raises:
            SpecError: E215, `from` names another number of steps.
        """
        if len(signature.inputs) == 1:
            return (place.reads,)
        if len(place.several) != len(signature.inputs):
            number = len(place.several)
            raise SpecError([explain_inputs(block, signature.inputs, number, span, text)])
        return place.several

    def _settings(
        self, what: Op | str, keys: Mapping[str, Word], place: BodyPlace, *, is_repeated: bool
    ) -> dict[str, Setting]:
        """Return the settings that a step in its long form gives by keys."""
        settings: dict[str, Setting] = {}
        for name, word in keys.items():
            at = (*place.at[:-1], name)
            text = self._places.text(at)
            key = self._places.key(at)
            if isinstance(what, Op):
                value = read_word(what, name, word, key, text, self.scope)
            else:
                value = read_argument(word, text, self.scope, is_repeated=is_repeated)
            settings[name] = Setting(value, key)
        return settings

    def _parse(self, text: str, span: Span) -> StepText:
        if "\n" in span.text:
            label = Label(span.part(0, span.text.index("\n")))
            raise SpecError([Diagnostic("E104", "a step stands on one line", (label,))])
        try:
            return parse_step(text)
        except StepSyntaxError as error:
            raise SpecError([self._advise(syntax_finding(error, text, span), text, span)]) from None

    def _advise(self, finding: Diagnostic, text: str, span: Span) -> Diagnostic:
        """Return the finding for a text that is no step, with what its words most likely mean."""
        from inception_dsl.resolve.habits import conv_of
        from inception_dsl.resolve.multiples import advise_step

        if (meant := conv_of(text)) is not None:
            return replace(finding, fix=None, help=meant)
        if (multiple := advise_step(text, self._signatures)) is None:
            return finding
        reading, advice = multiple
        fix = None
        if advice.instead is not None and span.text == text:
            fix = Fix(span.part(0, reading.end), advice.instead)
        return replace(finding, fix=fix, help=advice.help)

    def _check_kernel(self, step: StepText, words: Words, text: str) -> None:
        """Refuse a kernel that is a name and no parameter: one of two names is too many."""
        kernel = step.kernel
        if kernel is None or kernel.kind != "name" or kernel.text in self.scope.names:
            return
        op = WRITTEN.get(step.name.text)
        close = close_by(kernel.text, self.scope.declared, self.scope.declared)
        if op is not None and op.kernel and (close.name or kernel.text in self.scope.unseen):
            raise words.unknown(kernel.text, kernel, self.scope.names)
        message = f"`{step.name.text}` stands where the step should end"
        label = Label(words.span(kernel, step.name))
        from inception_dsl.resolve.habits import conv_of

        help = conv_of(f"{kernel.text} {step.name.text}")
        finding = Diagnostic("E104", message, (label,), help=help)
        raise SpecError([finding if help else self._advise(finding, text, words.text)])

    def _count(self, step: StepText, words: Words) -> Expr | None:
        token = step.count
        if token is None:
            return None
        if token.kind == "name":
            if token.text not in words.scope.names:
                raise words.unknown(token.text, token, words.scope.names)
            return Name(token.text)
        try:
            count = number(token)
        except StepSyntaxError as error:
            raise words.error(error.code, error.message, token, instead=error.instead) from None
        if not isinstance(count, int) or count < 1:
            message = "a step is repeated a whole number of times, at least once"
            raise words.error("E211", message, token)
        return count

    def _find(self, step: StepText, words: Words) -> Op | str:
        """Return the op or the block that a step names."""
        name = step.name.text
        written = f"{step.modifier.text} {name}" if step.modifier else name
        op = WRITTEN.get(written)
        if op is not None:
            return op
        if name in self._signatures and step.modifier is None:
            if step.kernel is not None:
                raise words.error("E210", f"the block `{name}` takes no kernel", step.kernel)
            return name
        label = Label(words.span(step.modifier or step.name, step.name))
        blocks = {name: signature.span for name, signature in self._signatures.items()}
        from inception_dsl.resolve.unknown_ops import explain_unknown

        raise explain_unknown(step, written, label, blocks)
