"""The check of a spec's form, by pydantic, with its errors as findings at their places.

pydantic's own messages are never shown. The texts of steps, and whether names exist, are checked
later.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any, get_args

from pydantic import BaseModel, ValidationError

from inception_dsl.diagnostics import (
    MAX_FINDINGS,
    Diagnostic,
    Fix,
    Label,
    SpecError,
    nearest,
    shorten,
)
from inception_dsl.source import Span
from inception_dsl.spec.places import DocumentPath, Places, plain
from inception_dsl.spec.schema import (
    BODY_KEYS,
    MAX_TEXT,
    BodySpec,
    ClaimSpec,
    HeadSpec,
    Measure,
    ModelSpec,
    ResidualSpec,
)
from inception_dsl.spec.tree import Mapping, Scalar, Sequence, Tree

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails


def validate(tree: Tree) -> tuple[ModelSpec, Places]:
    """Return the spec that a tree holds, and where its parts stand.

    Raises:
        SpecError: E101 an unknown key, E102 a missing one, E103 a value of the wrong kind.
    """
    places = Places(tree)
    try:
        return ModelSpec.model_validate(plain(tree)), places
    except ValidationError as error:
        raise SpecError(islice(_translate(error, places), MAX_FINDINGS)) from None


def _translate(error: ValidationError, places: Places) -> Iterator[Diagnostic]:
    """Yield pydantic's errors as findings, each cause once."""
    problems = error.errors(include_url=False, include_context=True, include_input=False)
    misspelt = _misspelt(problems, places)
    seen: set[DocumentPath] = set()
    for problem in problems:
        path = _document_path(problem["loc"], places)
        if problem["type"] == "missing" and (path, problem["loc"][-1]) in misspelt:
            continue  # the key is there, misspelt, and has a finding
        if path in seen:  # each alternative of a union complains on its own
            continue
        seen.add(path)
        is_extra = problem["type"] == "extra_forbidden"
        if is_extra and _is_list(places.tree(path[:-1]), _known_keys(problem["loc"])):
            if path[:-1] not in seen:  # every one of its keys names a step
                seen.add(path[:-1])
                yield _no_list(path, places)
            continue
        yield _diagnose(problem["type"], path, problem.get("ctx", {}), problem["loc"], places)


def _misspelt(
    problems: Iterable[ErrorDetails], places: Places
) -> set[tuple[DocumentPath, int | str]]:
    """Return the keys that are there under a misspelt name, each with the path of its mapping."""
    misspelt: set[tuple[DocumentPath, int | str]] = set()
    for problem in problems:
        if problem["type"] == "extra_forbidden":
            path = _document_path(problem["loc"], places)
            close = _meant_key(str(path[-1]), _known_keys(problem["loc"])) if path else None
            misspelt.update([(path[:-1], close)] if close else [])
    return misspelt


def _meant_key(key: str, known: frozenset[str]) -> str | None:
    """Return the known key that an unknown one was most likely meant to be."""
    meant = _NETWORK.get(key) if "network" in known else None
    return meant or nearest(key, known)


def _fix(path: DocumentPath, key: str, places: Places) -> Fix:
    """Return the fix that writes another key; a fault of the value under that key refutes it."""
    span, value = places.key(path), places.value(path)
    return Fix(span, key, about=Span(span.source, span.start, max(span.end, value.end)))


def _document_path(loc: tuple[int | str, ...], places: Places) -> DocumentPath:
    path: DocumentPath = ()
    for key in loc:
        tree = places.tree(path)
        present = isinstance(tree, Mapping) and key in tree.items
        present = present or (isinstance(tree, Sequence) and isinstance(key, int))
        if present:
            path = (*path, key)
    return path


def _is_list(tree: Tree, known: frozenset[str]) -> bool:
    """Tell whether a mapping has steps by name, and no key of a body, where a list is wanted."""
    if known != BODY_KEYS or not isinstance(tree, Mapping):
        return False
    return len(tree.items) > 1 and not tree.items.keys() & BODY_KEYS


def _no_list(path: DocumentPath, places: Places) -> Diagnostic:
    key = str(path[-1])
    message = f"`{key}` is no key of a body: steps that have names are a list"
    notes = (f"known keys are {_listed(sorted(BODY_KEYS))}",)
    help = f"begin every step with a dash: `- {key}: ...`"
    return Diagnostic("E101", message, (Label(places.key(path)),), notes, help)


_NETWORK = dict.fromkeys(["backbone", "body", "layers", "model", "steps"], "network")
"""Keys that other tools use for the network."""

_AS = {
    "join": "`concat` puts channels behind each other, `add` sums values, `mul` multiplies them,"
    " `maximum` and `minimum` take the largest or the smallest",
    "when": "it compares values, as in `stride == 1`; a step that is always there has no `when`",
    "branches": "name every branch, as in `{b1x1: 1x1 conv (64), b3x3: 3x3 conv (64)}`",
    "heads": "name every head, as in `aux: {at: ..., steps: ...}`",
    "input": "height x width x channels, as in `299x299x3`",
    "params": "name what calls bind, as in `[width]`, or give defaults, as in `{width: 64}`",
    "residual": "`residual: {}` adds the input unchanged",
}
"""Examples of a key with a value of the right kind, for findings of E103."""


def _diagnose(
    kind: str,
    path: DocumentPath,
    context: dict[str, Any],
    loc: tuple[int | str, ...],
    places: Places,
) -> Diagnostic:
    if kind == "extra_forbidden" or loc[-1] == "[key]":
        key = str(path[-1])
        known = _known_keys(loc)
        close = _meant_key(key, known)
        notes = (f"known keys are {_listed(sorted(known))}",)
        if key.count(")") > key.count("("):
            notes = ("YAML ends the text at a comma within `[]` or `{}`: quote the step",)
        return Diagnostic(
            "E101",
            f"`{shorten(key)}` is no key here",
            (Label(places.key(path)),),
            notes=notes,
            fix=_fix(path, close, places) if close else None,
        )
    if kind == "string_too_long":
        message = f"a text of more than {MAX_TEXT:,} characters"
        return Diagnostic("E003", message, (Label(places.value(path)),))
    if kind == "missing":
        key = str(loc[-1])
        return Diagnostic("E102", f"the key `{key}` is missing", (Label(_head(path, places)),))
    if kind == "literal_error":
        choices = re.findall(r"[^' ,]+", context["expected"].replace(" or ", ", "))
        tree = places.tree(path)
        if isinstance(tree, Scalar):
            message = f"`{shorten(tree.span.text)}` is no value of `{path[-1]}`: {_listed(choices)}"
            value = str(tree.value)
            begun = [choice for choice in choices if choice.startswith(value) and value]
            meant = begun[0] if len(begun) == 1 else nearest(value, choices)
            help = _AS.get(str(path[-1]))
            fix = Fix(tree.span, meant) if meant else None
            return Diagnostic("E103", message, (Label(tree.span),), help=help, fix=fix)
        message = f"this is {_found(tree)}, not one of {_listed(choices)}"
        return Diagnostic("E103", message, (Label(places.value(path)),))
    message = f"this is {_found(places.tree(path))}, not {_wanted(kind, loc)}"
    help = _AS.get(str(path[-1])) if path else None
    if path == ("params",):
        help = "give each parameter of the network a value, as in `{num_classes: 1000}`"
    step = places.tree(path[:-1])
    if path[-1:] == ("from",) and isinstance(step, Mapping) and "op" in step.items:
        message = "`from` is a key of bodies, which names inputs, and no word of an op"
        help = "write the short form, as in `slice (4 from 7)`"
    return Diagnostic("E103", message, (Label(places.value(path)),), help=help)


def _head(path: DocumentPath, places: Places) -> Span:
    return places.key(path) if path else places.value(()).part(0, 1)


def _known_keys(loc: tuple[int | str, ...]) -> frozenset[str]:
    models: dict[str, type[BaseModel]] = {
        "<body>": BodySpec,
        "claims": ClaimSpec,
        "heads": HeadSpec,
    }
    owner: type[BaseModel] = ModelSpec
    for key in loc[:-1]:
        owner = models.get(str(key), owner)
    if "residual" in loc[:-1] and owner is BodySpec:
        owner = ResidualSpec
    if loc[0] == "budget":
        steps = frozenset[str]() if "at" in loc[:-1] else frozenset(["at"])
        return steps | frozenset(get_args(Measure))
    if owner is BodySpec:
        return BODY_KEYS
    # `extends` is gone by now: what it names is in the tree.
    extra = frozenset(["extends"]) if owner is ModelSpec else frozenset()
    return extra | frozenset(field.alias or name for name, field in owner.model_fields.items())


def _found(tree: Tree) -> str:
    match tree:
        case Sequence():
            return "a list"
        case Mapping():
            return "a mapping"
        case Scalar(value=None):
            return "empty"
        case Scalar(value=str()):
            return "text"
        case Scalar(value=bool()):
            return "true or false"
        case _:
            return "a number"


_WANTED = {
    "string_type": "text",
    "list_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "int_type": "a whole number",
    "union_tag_invalid": "a step, a list of steps or a mapping",
    "union_tag_not_found": "a step, a list of steps or a mapping",
}


def _wanted(kind: str, loc: tuple[int | str, ...]) -> str:
    if kind == "int_type" and loc[-1] == "int":  # of a union with decimals
        return "a number"
    return _WANTED.get(kind, "a number or a name")


def _listed(names: list[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)
