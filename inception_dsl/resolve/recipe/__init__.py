"""The `training` of a spec, read to the facts of a recipe.

A spec without one never imports this folder. Each setting is a text of its own grammar, so that a
spec with twenty wrong settings gets twenty findings.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from inception_dsl.diagnostics import Diagnostic, Fix, Label, SpecError, nearest, shorten
from inception_dsl.ir import Origin, TensorType
from inception_dsl.ir.recipe import SETTINGS, Recipe, RecipeSetting
from inception_dsl.resolve.recipe import settings
from inception_dsl.resolve.recipe.agreement import check_agreement
from inception_dsl.resolve.recipe.habits import key_of
from inception_dsl.resolve.recipe.reader import UNKNOWN, SettingReader
from inception_dsl.resolve.reporter import Reporter
from inception_dsl.resolve.tokens import listed
from inception_dsl.source import Span
from inception_dsl.spec.places import DocumentPath, Places
from inception_dsl.spec.schema import MAX_TEXT, TRAINING
from inception_dsl.spec.tree import Mapping as TreeMapping
from inception_dsl.spec.tree import Scalar

READERS: dict[str, Callable[[SettingReader], object]] = {
    "batch": settings.read_count,
    "replicas": settings.read_replicas,
    "epochs": settings.read_count,
    "optimizer": settings.read_optimizer,
    "learning_rate": settings.read_learning_rate,
    "label_smoothing": settings.read_label_smoothing,
    "clip": settings.read_clip,
    "weight_decay": settings.read_weight_decay,
    "average": settings.read_average,
    "augment": settings.read_augmentation,
    "normalise": settings.read_normalisation,
}
"""The reader of each setting."""

REQUIRED = ("batch", "epochs", "optimizer", "learning_rate")
"""The settings that every recipe has, or calls unknown."""

NONE = "none"
"""The word for a setting that a training does without."""

_LONG = ("is", "source")
"""The keys of a setting in its long form."""


def read_recipe(
    places: Places,
    diagnostics: list[Diagnostic],
    inputs: Mapping[str, TensorType],
) -> Recipe | None:
    """Return the recipe of a spec; None if it has a finding, or an extending file removes it.

    Args:
        diagnostics: takes the findings.
        inputs: the inputs of the network.

    Raises:
        SpecError: all findings, once there are `MAX_FINDINGS`.
    """
    return _RecipeReader(places, diagnostics).read(inputs)


def write_setting(key: str, text: str, span: Span) -> str | None:
    """Return the text of a setting in its one form; None if it has an error, or is none."""
    if key not in READERS or text in (UNKNOWN, NONE):
        return None
    try:
        return str(RecipeSetting(_read_text(key, text, span)))
    except SpecError:
        return None


def _read_text(key: str, text: str, span: Span) -> object:
    """Return the value of a setting.

    Raises:
        SpecError: the text cannot be read.
    """
    reader = SettingReader(key, text, span)
    value = READERS[key](reader)
    reader.end()
    return value


class _RecipeReader(Reporter):
    def read(self, inputs: Mapping[str, TensorType]) -> Recipe | None:
        at: DocumentPath = ("training",)
        tree = self.places.tree(at)
        if isinstance(tree, Scalar) and tree.value == NONE:
            return None
        if not isinstance(tree, TreeMapping):
            help = "a recipe has keys such as `optimizer` and `learning_rate`"
            self.complain("E103", "`training` is a mapping", tree.span, help)
            return None
        before = len(self.diagnostics)
        for key in REQUIRED:
            if key not in tree.items and not self._is_misspelt(key, tree):
                help = f"`{key}: {UNKNOWN}` says that the source leaves it open"
                self.complain("E102", f"the recipe has no `{key}`", self.places.key(at), help)
        values = {key: self._setting(key, (*at, key)) for key in tree.items if key in READERS}
        for key in tree.items:
            if key not in READERS and key != "source":
                self._unknown_key(key, (*at, key), (*SETTINGS, "source"))
        source = self._source(tree)
        if len(self.diagnostics) > before:
            return None
        facts: dict[str, Any] = dict(values)
        recipe = Recipe(source=source, origin=Origin((self.places.key(at),)), **facts)
        self.report(check_agreement(recipe, inputs))
        return None if len(self.diagnostics) > before else recipe

    def _setting(self, key: str, at: DocumentPath) -> RecipeSetting[object]:
        tree = self.places.tree(at)
        if not isinstance(tree, TreeMapping):
            return self._value(key, at, None)
        for name in tree.items:
            if name not in _LONG:
                self._unknown_key(name, (*at, name), _LONG)
        source = self._source(tree)
        if "is" not in tree.items:
            help = "its value stands there, as in `{is: ..., source: Section 6}`"
            self.complain("E102", "the key `is` is missing", self.places.key(at), help)
            return RecipeSetting()
        return self._value(key, (*at, "is"), source)

    def _value(self, key: str, at: DocumentPath, source: str | None) -> RecipeSetting[object]:
        tree, span = self.places.tree(at), self.places.text(at)
        if not isinstance(tree, Scalar) or tree.value is None or isinstance(tree.value, bool):
            message = f"this is no text and no number for `{key}`"
            self.complain("E103", message, self.places.value(at), self._example(key))
            return RecipeSetting()
        text = tree.value if isinstance(tree.value, str) else span.text
        origin = Origin((span,))
        if text == UNKNOWN:
            return RecipeSetting(None, is_unknown=True, source=source, origin=origin)
        if text == NONE:
            if key in REQUIRED:
                help = f"`{UNKNOWN}` says that the source leaves it open"
                self.complain("E211", f"a training has `{key}`", span, help)
            return RecipeSetting(source=source, origin=origin)
        try:
            value = _read_text(key, text, span)
        except SpecError as error:
            self.report(error.diagnostics)
            return RecipeSetting()
        return RecipeSetting(value, source=source, origin=origin)

    def _source(self, tree: TreeMapping) -> str | None:
        entry = tree.items.get("source")
        if entry is None:
            return None
        match entry.value:
            case Scalar(value=str(text)) if len(text) <= MAX_TEXT:
                return text
            case Scalar(value=str()):
                message = f"a text of more than {MAX_TEXT:,} characters"
                self.complain("E003", message, entry.value.span)
            case other:
                self.complain("E103", "`source` is text", other.span)
        return None

    def _is_misspelt(self, key: str, tree: TreeMapping) -> bool:
        """Tell whether a key is there under another name, which has a finding."""
        others = (name for name in tree.items if name not in READERS)
        return any((key_of(name) or nearest(name, SETTINGS)) == key for name in others)

    def _unknown_key(self, key: str, at: DocumentPath, known: tuple[str, ...]) -> None:
        close = key_of(key) if "batch" in known else None
        close = close or nearest(key, known)
        span, value = self.places.key(at), self.places.value(at)
        whole = Span(span.source, span.start, max(span.end, value.end))
        fix = Fix(span, close, about=whole) if close else None
        notes = (f"known keys are {listed(known)}",)
        message = f"`{shorten(key)}` is no key here"
        self.report([Diagnostic("E101", message, (Label(span),), notes, fix=fix)])

    def _example(self, key: str) -> str:
        return f"as in `{key}: {TRAINING[key]}`"
