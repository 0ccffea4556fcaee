"""The file: the facts of a model and its recipe, put into the skeleton of a script."""

from __future__ import annotations

import pathlib
from collections.abc import Iterator

from inception_dsl.analysis.state import measure_state
from inception_dsl.channels import printable
from inception_dsl.diagnostics import Diagnostic, Label
from inception_dsl.emit.python.layout import docstring
from inception_dsl.emit.training.images import describe_images
from inception_dsl.emit.training.options import Options
from inception_dsl.emit.training.rate import write_rate
from inception_dsl.emit.training.update import (
    write_average,
    write_clip,
    write_loss,
    write_optimizer,
)
from inception_dsl.ir import Model
from inception_dsl.ir.recipe import Recipe
from inception_dsl.ir.text import fingerprint

_TEMPLATES = pathlib.Path(__file__).parent / "templates"
_TOP = 5

_ASYNCHRONOUS = (
    "The source trains with asynchronous replicas. Here all replicas make one update together."
)


def emit_training(model: Model, recipe: Recipe, *, shown: str) -> str | Diagnostic:
    """Return the script that trains a model, or the reason why there is none.

    Args:
        shown: the spec's path, or its name in the library, for the header.
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    obstacle = find_obstacle(model, recipe)
    if obstacle is not None:
        message = f"the training script is left out: {obstacle}"
        spans = recipe.origin.spans[:1]
        return Diagnostic("W627", message, tuple(map(Label, spans)))
    options = Options()
    has_statistics = any(
        tensor.role in {"mean", "variance"} for tensor in measure_state(model.graph).values()
    )
    (output,) = model.outputs.values()
    average = write_average(recipe, options, has_statistics=has_statistics)
    facts: dict[str, object] = {
        "shown": printable(shown),
        "fingerprint": fingerprint(model),
        "factory": model.name,
        "classes": output.channels,
        "has_top5": output.channels > _TOP,
        "has_statistics": has_statistics,
        "rate": write_rate(recipe, options),
        "optimizer": write_optimizer(model, recipe, options),
        "loss": write_loss(model, recipe, options),
        "clip": write_clip(recipe, options),
        "average": average,
        **describe_images(model, recipe),
    }
    facts["options"] = options.list_for(recipe)
    facts["checks"] = options.list_checks(recipe)
    facts["takes_args"] = options.takes
    facts["gives_args"] = options.gives
    facts["docstring"] = "\n".join(_describe(model, recipe, output.channels))
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        undefined=StrictUndefined,
        autoescape=False,  # noqa: S701 - Python, whose texts come escaped
        trim_blocks=True,
        keep_trailing_newline=True,
    )
    return environment.get_template("train.py.j2").render(facts)


def find_obstacle(model: Model, recipe: Recipe) -> str | None:
    """Return the reason why no script can train a model on a folder of classes; None if one can."""
    if len(model.inputs) > 1 or len(model.outputs) > 1:
        return "it classifies no single image"
    (output,) = model.outputs.values()
    if not model.input.is_map or output.is_map:
        return f"it leads from {model.input} to {output}, and no image to classes"
    if model.input.channels not in {1, 3}:
        return f"its input has {model.input.channels} channels, and an image 1 or 3"
    resize = recipe.augment.value.resize if recipe.augment.value else None
    if resize is not None and resize < max(model.input.size):
        return f"an image whose shorter side is {resize} pixels holds no crop of {model.input}"
    if recipe.optimizer.value is None:
        return "the recipe leaves the optimizer open"
    return None


def _describe(model: Model, recipe: Recipe, classes: int) -> Iterator[str]:
    """Yield the lines of the docstring of a script."""
    unknown = [
        name.replace("_", " ")
        for name, setting in recipe.settings.items()
        if setting.is_unknown and name in _OPTIONAL
    ]
    replicas = recipe.replicas.value
    decay = recipe.weight_decay.value
    notes = [
        f"Recipe: {recipe.source}." if recipe.source else "",
        f"The recipe leaves open, and this file does without: {', '.join(unknown)}."
        if unknown
        else "",
        _ASYNCHRONOUS if replicas is not None and replicas.is_synchronous is False else "",
        _ALL_DECAY if decay is not None and decay.of is None else "",
    ]
    kept = "weights" if recipe.average.value is None else "averaged weights"
    usage = _USAGE.format(classes=classes, kept=kept).rstrip("\n").split("\n")
    first, *others = docstring([f"Train {model.title or model.name}.", *notes, "x"], depth=0)
    yield first
    yield from others[:-2]
    yield from usage
    yield '"""'


_OPTIONAL = ("label_smoothing", "clip", "weight_decay", "average", "augment", "normalise")
"""The settings that a training can do without."""

_ALL_DECAY = "It leaves open which parameters decay. Here all do."

_USAGE = """\
    python train.py --data DATA --output RUN
    torchrun --standalone --nproc-per-node 8 train.py --data DATA --output RUN

DATA/train and DATA/val hold a folder of images for each of the {classes:,} classes. RUN gets
best.safetensors, the {kept} of the best epoch; last.pt, from which --resume goes on;
the log, as log.jsonl and for TensorBoard; and curves.svg.
"""
