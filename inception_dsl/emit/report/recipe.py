"""The recipe of a network and its reported errors, as sections of its cost page."""

from __future__ import annotations

from collections.abc import Iterator

from inception_dsl.ir import Model
from inception_dsl.ir.recipe import Recipe, Result
from inception_dsl.tables import Column, markdown_table

_SETTINGS = (Column("setting", "left"), Column("value", "left"), Column("source", "left"))
_RESULTS = (
    Column("crops"),
    Column("networks"),
    Column("top-1 error, %"),
    Column("top-5 error, %"),
    Column("images", "left"),
    Column("source", "left"),
)


def list_recipe_sections(model: Model) -> Iterator[str]:
    """Yield the sections of a model's recipe and results, as Markdown; none for one without."""
    if model.recipe is not None:
        yield "## Training"
        yield (
            "The settings of the training, as the sources tell them. `unknown` is what they leave"
            " open; what is not listed, they do not name."
        )
        yield markdown_table(_SETTINGS, list(_list_settings(model.recipe)))
    if model.results:
        yield "## Reported errors"
        yield "The errors of the trained network, as the sources report them."
        yield markdown_table(_RESULTS, list(_list_results(model.results)))


def _list_settings(recipe: Recipe) -> Iterator[list[str]]:
    for key, setting in recipe.settings.items():
        if setting.value is not None or setting.is_unknown:
            source = recipe.source_of(key) or ""
            yield [key, str(setting), source]


def _list_results(results: tuple[Result, ...]) -> Iterator[list[str]]:
    """Yield a row for each entry of claims: its errors stand in one row."""
    rows: list[dict[str, Result]] = []
    keys: list[tuple[object, ...]] = []
    for result in results:
        place = result.origin.spans[1:]  # none in a model that no text wrote
        key = (place, result.crops, result.networks, result.split, result.source)
        if not rows or keys[-1] != key or result.measure in rows[-1]:
            rows.append({})
            keys.append(key)
        rows[-1][result.measure] = result
    for errors in rows:
        first = next(iter(errors.values()))
        percents = (errors.get(measure) for measure in ("top1_error", "top5_error"))
        yield [
            str(first.crops or ""),
            str(first.networks),
            *("" if result is None else f"{result.percent:f}" for result in percents),
            first.split or "",
            first.source or "",
        ]
