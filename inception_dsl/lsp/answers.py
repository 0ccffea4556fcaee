"""The answers to an editor's requests: data of the features, as messages of the protocol.

Every answer is made in one go, in some ten milliseconds, of texts as they stand when it is asked
for.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from lsprotocol import types
from pygls.exceptions import JsonRpcException

from inception_dsl.lsp.completion import Item, complete_at
from inception_dsl.lsp.desk import Desk, Document
from inception_dsl.lsp.formatting import format_text
from inception_dsl.lsp.hints import list_hints
from inception_dsl.lsp.hover import describe_place
from inception_dsl.lsp.lenses import list_lenses
from inception_dsl.lsp.messages import (
    SEVERITIES,
    UNUSED,
    Change,
    Place,
    Shown,
    list_fixes,
    place_span,
)
from inception_dsl.lsp.navigation import Named, find_definitions, find_named, find_references
from inception_dsl.lsp.positions import TextLines
from inception_dsl.lsp.renaming import RenameError, find_renamed, rename
from inception_dsl.lsp.shapes import find_shapes
from inception_dsl.lsp.symbols import Mention

REQUEST_FAILED = -32803
"""The code of the protocol for a request that is right, and cannot be met."""

STALE = "as of the last text without errors"
"""The words on facts of a text that has got an error since."""

COMPLETION_KINDS = {
    "op": types.CompletionItemKind.Function,
    "block": types.CompletionItemKind.Class,
    "word": types.CompletionItemKind.Property,
    "value": types.CompletionItemKind.EnumMember,
    "param": types.CompletionItemKind.Variable,
    "row": types.CompletionItemKind.Reference,
    "step": types.CompletionItemKind.Field,
    "key": types.CompletionItemKind.Keyword,
    "spec": types.CompletionItemKind.File,
    "function": types.CompletionItemKind.Function,
}

Finder = Callable[[Desk, Document, Named], list[Mention]]
"""A function that finds places that name the same thing."""


@contextmanager
def refusing() -> Iterator[None]:
    """Turn the refusal of a rename into the failure of its request."""
    try:
        yield
    except RenameError as error:
        raise JsonRpcException(str(error), REQUEST_FAILED) from None


class Answers:
    """The answers to one editor.

    Attributes:
        server: the server of the protocol.
        desk: the open texts.
        with_costs: hints tell parameters and multiply-accumulates, too.
    """

    def __init__(self, server: Any, desk: Desk) -> None:
        self.server = server
        self.desk = desk
        self.with_costs = True

    def diagnostic(self, shown: Shown) -> types.Diagnostic:
        """Return a finding as a message of the protocol."""
        finding = shown.finding
        related = [
            types.DiagnosticRelatedInformation(
                location=types.Location(uri=place.uri, range=self._range(place)), message=remark
            )
            for place, remark in shown.related
        ]
        return types.Diagnostic(
            range=self._range(shown.place),
            message=shown.message,
            severity=types.DiagnosticSeverity(SEVERITIES[finding.severity]),
            code=finding.code,
            source="inception-dsl",
            related_information=related or None,
            tags=[types.DiagnosticTag.Unnecessary] if finding.code in UNUSED else None,
        )

    def actions(self, params: types.CodeActionParams) -> list[types.CodeAction]:
        """Return the fixes of the findings in a region."""
        document = self.desk.find(params.text_document.uri)
        if document is None:
            return []
        start, end = (
            document.lines.offset(at.line, at.character)
            for at in (params.range.start, params.range.end)
        )
        return [self._action(change) for change in list_fixes(self.desk, document, start, end)]

    def _action(self, change: Change) -> types.CodeAction:
        edit = types.TextEdit(range=self._range(change.place), new_text=change.text)
        return types.CodeAction(
            title=change.title,
            kind=types.CodeActionKind.QuickFix,
            diagnostics=[self.diagnostic(change.finding)],
            is_preferred=True,
            edit=types.WorkspaceEdit(changes={change.place.uri: [edit]}),
        )

    def hints(self, params: types.InlayHintParams) -> list[types.InlayHint]:
        """Return the shapes and the costs behind the steps of a region."""
        document = self.desk.find(params.text_document.uri)
        shapes = find_shapes(self.desk, document) if document is not None else None
        if document is None or shapes is None:
            return []
        first, last = params.range.start.line, params.range.end.line
        shown = []
        for hint in list_hints(shapes.steps(), with_costs=self.with_costs):
            place = shapes.carry.forward(hint.offset)
            if place is None:
                continue
            position = self._position(document.lines, place)
            if first <= position.line <= last:
                stale = f"\n{STALE}" if shapes.is_stale else ""
                shown.append(
                    types.InlayHint(
                        position=position,
                        label=hint.label,
                        tooltip=hint.tooltip + stale,
                        padding_left=True,
                    )
                )
        return shown

    def lenses(self, params: types.CodeLensParams) -> list[types.CodeLens]:
        """Return the totals and the budget of a network; with an error the last ones, told so.

        Without them, all lines below would move while a person types.
        """
        document = self.desk.find(params.text_document.uri)
        shapes = find_shapes(self.desk, document) if document is not None else None
        if document is None or shapes is None or shapes.name != shapes.reading.file.shown:
            return []
        stale = f", {STALE}" if shapes.is_stale else ""
        places = ((shapes.carry.forward(each.offset), each) for each in list_lenses(shapes.reading))
        return [
            types.CodeLens(
                range=self._range(Place(document.uri, document.text, place, place)),
                command=types.Command(title=f"{lens.text}{stale}", command=""),
            )
            for place, lens in places
            if place is not None
        ]

    def format(self, params: types.DocumentFormattingParams) -> list[types.TextEdit]:
        """Return the edits that format a spec."""
        document = self.desk.find(params.text_document.uri)
        if document is None:
            return []
        return [
            types.TextEdit(
                range=self._range(Place(document.uri, document.text, edit.start, edit.end)),
                new_text=edit.text,
            )
            for edit in format_text(document.text)
        ]

    def hover(self, params: types.HoverParams) -> types.Hover | None:
        """Return the facts of what stands at a place."""
        document = self.desk.find(params.text_document.uri)
        if document is None:
            return None
        hover = describe_place(self.desk, document, self._at(document, params.position))
        if hover is None:
            return None
        return types.Hover(
            contents=types.MarkupContent(kind=types.MarkupKind.Markdown, value=hover.text),
            range=self._range(Place(document.uri, document.text, hover.start, hover.end)),
        )

    def complete(self, params: types.CompletionParams) -> types.CompletionList | None:
        """Return what can stand at a place."""
        document = self.desk.find(params.text_document.uri)
        if document is None:
            return None
        offset = self._at(document, params.position)
        completion = complete_at(self.desk, document, offset)
        place = Place(document.uri, document.text, completion.start, offset)
        written = self._range(place)
        items = [
            types.CompletionItem(
                label=item.label,
                kind=COMPLETION_KINDS[item.kind],
                detail=item.detail or None,
                documentation=types.MarkupContent(types.MarkupKind.Markdown, item.description)
                if item.description
                else None,
                text_edit=types.TextEdit(range=written, new_text=self._stops(item)),
                insert_text_format=types.InsertTextFormat.Snippet
                if item.is_snippet and self._takes_snippets
                else types.InsertTextFormat.PlainText,
                sort_text=f"{index:04}",
            )
            for index, item in enumerate(completion.items)
        ]
        return types.CompletionList(is_incomplete=False, items=items)

    @property
    def _takes_snippets(self) -> bool:
        document = self.server.client_capabilities.text_document
        completion = document.completion if document is not None else None
        item = completion.completion_item if completion is not None else None
        return bool(item is not None and item.snippet_support)

    def _stops(self, item: Item) -> str:
        """Return the text of an item; without its stops, if the editor does not know them."""
        if not item.is_snippet or self._takes_snippets:
            return item.text
        return re.sub(r"\$\{[0-9]+:?([^}]*)\}|\$[0-9]+", r"\1", item.text)

    def definition(self, params: types.DefinitionParams) -> list[types.Location]:
        """Return the places that make what a place names."""
        return self._locate(params, find_definitions)

    def references(self, params: types.ReferenceParams) -> list[types.Location]:
        """Return all places that name the same thing."""
        return self._locate(params, find_references)

    def _locate(self, params: Any, find: Finder) -> list[types.Location]:
        document = self.desk.find(params.text_document.uri)
        offset = self._at(document, params.position) if document is not None else 0
        named = find_named(self.desk, document, offset) if document is not None else None
        if document is None or named is None:
            return []
        locations = []
        for mention in find(self.desk, document, named):
            place = place_span(self.desk, document, mention.span)
            if place is not None:
                locations.append(types.Location(uri=place.uri, range=self._range(place)))
        return locations

    def prepare_rename(self, params: types.PrepareRenameParams) -> types.Range | None:
        """Return the name at a place that can have another one."""
        document = self.desk.find(params.text_document.uri)
        if document is None:
            return None
        with refusing():
            span = find_renamed(self.desk, document, self._at(document, params.position))
        return self._range(Place(document.uri, document.text, span.start, span.end))

    def rename(self, params: types.RenameParams) -> types.WorkspaceEdit | None:
        """Return the edits that give a step or a block another name."""
        document = self.desk.find(params.text_document.uri)
        if document is None:
            return None
        with refusing():
            offset = self._at(document, params.position)
            renamed = rename(self.desk, document, offset, params.new_name)
        return types.WorkspaceEdit(
            changes={
                self.desk.uri_of(each.path): [
                    types.TextEdit(
                        range=self._range(
                            Place(self.desk.uri_of(each.path), each.text, edit.start, edit.end)
                        ),
                        new_text=edit.text,
                    )
                    for edit in each.edits
                ]
                for each in renamed
            }
        )

    # Places

    def _position(self, lines: TextLines, offset: int) -> types.Position:
        line, character = lines.position(offset)
        return types.Position(line=line, character=character)

    def _range(self, place: Place) -> types.Range:
        lines = self.desk.lines_of(place.uri, place.text)
        return types.Range(
            start=self._position(lines, place.start), end=self._position(lines, place.end)
        )

    def _at(self, document: Document, position: types.Position) -> int:
        """Return the character at a place of an open text."""
        return document.lines.offset(position.line, position.character)
