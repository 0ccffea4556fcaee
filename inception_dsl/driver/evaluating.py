"""Trained networks on a folder of images: errors of each, and of all of them together."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from inception_dsl.channels import printable
from inception_dsl.diagnostics import Diagnostic, SpecError
from inception_dsl.driver.references import find_network
from inception_dsl.driver.walk import Checked, emit_module, measure_file
from inception_dsl.emit.report.evaluation import Evaluation, Score
from inception_dsl.evaluation import CropError, ErrorTally, has_several_sizes, list_sides
from inception_dsl.resolve import AS_WRITTEN, Overrides

if TYPE_CHECKING:
    from inception_dsl.bridge.evaluating import EvaluatedNetwork, SeenImage
    from inception_dsl.bridge.images import Filter, ImageFolder
    from inception_dsl.ir.recipe import Result

MAX_FINDINGS = 100
"""Maximum number of findings on single images that are kept; the others are counted."""


@dataclass(frozen=True, slots=True)
class EvaluationSettings:
    """The choices of an evaluation.

    Attributes:
        crops: the crops of an image, as `evaluation.LAYOUTS` has them.
        resize: another shorter side in pixels; "none" to take images as they are; None for that
            of the layout of the crops. 144 crops have four of their own, and take no other.
        filter: the filter that resizes images.
        mean, std: of pixels from 0 to 1, in the place of those that the specs say: both, or none.
        key: the names that lead to the state_dict, where a checkpoint has several.
        batch: the crops that a network sees at once, at most.
        workers: the threads that read images.
        device: `cpu` or `cuda`; None for a GPU if torch sees one.
    """

    crops: int = 1
    resize: int | Literal["none"] | None = None
    filter: Filter = "bilinear"
    mean: tuple[float, ...] | None = None
    std: tuple[float, ...] | None = None
    key: str | None = None
    batch: int = 64
    workers: int = 4
    device: str | None = None


def evaluate(
    networks: Sequence[tuple[str, Path]],
    *,
    data: Path,
    folder: Path,
    settings: EvaluationSettings,
    blacklist: Path | None = None,
    overrides: Overrides = AS_WRITTEN,
    report: Callable[[int, int], None] | None = None,
) -> Evaluation:
    """Measure the errors of trained networks on a folder of images.

    An image that cannot be read is left out, with a finding; the others go on.

    Args:
        networks: a spec and a checkpoint for each.
        data: a folder with a folder of images for each class.
        blacklist: a file of images that are left out.
        report: is called with the number of images that are done, and of all.

    Raises:
        SpecError: the errors of a spec; E801 to E803, a checkpoint cannot be used; E901, the folder
            or the blacklist cannot be used; E903, the crop does not fit; E904, the mean and the
            deviation of the input are not known; E905, a network cannot be evaluated.
        MissingExtraError: torch or Pillow is not installed.
    """
    _prepare(settings)
    from inception_dsl.bridge.evaluating import choose_device, run_images
    from inception_dsl.bridge.images import list_images, read_blacklist

    images = list_images(data)
    left_out = read_blacklist(blacklist, images) if blacklist else frozenset()
    checked = _read_networks(networks, images, folder, overrides)
    device = choose_device(settings.device)
    loaded = [
        _load(each, path, settings, device)
        for each, (_, path) in zip(checked, networks, strict=True)
    ]
    wanted = [(path, label) for path, label in images.images if path not in left_out]
    seen = run_images(
        loaded,
        wanted,
        crops=settings.crops,
        filter=settings.filter,
        batch=settings.batch,
        workers=settings.workers,
    )
    tallies, findings, broken = _count(seen, len(loaded) + 1, len(wanted), report)
    return Evaluation(
        scores=tuple(_score(checked, networks, tallies)),
        classes=len(images.classes),
        images=tallies[0].images,
        blacklisted=len(left_out),
        broken=broken,
        crops=settings.crops,
        findings=tuple(findings),
        is_whole=tallies[0].images + broken == len(wanted),
        other_claims=_list_other_claims(checked),
    )


def _prepare(settings: EvaluationSettings) -> None:
    """Refuse settings that contradict each other, and make sure that images can be run.

    Raises:
        SpecError: E904, a mean without a deviation, or the reverse; E905, crops of several sizes of
            an image, and a size.
        MissingExtraError: torch or Pillow is not installed.
    """
    from inception_dsl.bridge import require_torch
    from inception_dsl.bridge.images import require_pillow

    require_torch()
    require_pillow()
    if has_several_sizes(settings.crops) and settings.resize is not None:
        message = f"{settings.crops} crops are of an image in four sizes, and `--resize` gives one"
        help = "leave out `--resize`, or take `--crops 12`, which are of one size"
        raise SpecError([Diagnostic("E905", message, help=help)])
    if (settings.mean is None) != (settings.std is None):
        here, missing = ("std", "mean") if settings.mean is None else ("mean", "std")
        message = f"`--{here}` stands without `--{missing}`"
        help = f"give both: `--{missing}` of the recipe may be in other units"
        raise SpecError([Diagnostic("E904", message, help=help)])


def _count(
    seen: Iterable[SeenImage],
    count: int,
    whole: int,
    report: Callable[[int, int], None] | None,
) -> tuple[list[ErrorTally], list[Diagnostic], int]:
    """Return the errors of each network and of all, the findings, and the broken images.

    A person who interrupts it gets the errors of the images that were seen.

    Raises:
        SpecError: no image could be read.
        KeyboardInterrupt: it is interrupted before the first one.
    """
    tallies = [ErrorTally() for _ in range(count)]
    findings: list[Diagnostic] = []
    broken = 0
    try:
        for done, image in enumerate(seen, 1):
            if image.finding is not None:
                broken += 1
                findings += [image.finding] if broken <= MAX_FINDINGS else []
            for tally, rank in zip(tallies, image.ranks, strict=False):
                tally.add(rank)
            if report is not None:
                report(done, whole)
    except KeyboardInterrupt:
        if not tallies[0].images:
            raise
    if not tallies[0].images:
        raise SpecError(findings or [Diagnostic("E901", "the blacklist leaves no image")])
    return tallies, findings, broken


def _read_networks(
    networks: Sequence[tuple[str, Path]], images: ImageFolder, folder: Path, overrides: Overrides
) -> list[Checked]:
    """Return the networks of some specs, which can be measured together.

    Raises:
        SpecError: as for `evaluate`.
    """
    checked = [
        measure_file(find_network(spec, folder, input=overrides.input), overrides)
        for spec, _ in networks
    ]
    for each in checked:
        _check_network(each, images)
    if len({each.model.input.channels for each in checked}) > 1:
        raise SpecError([Diagnostic("E905", "the networks read images of other channels")])
    return checked


def _check_network(checked: Checked, images: ImageFolder) -> None:
    """Make sure that a network has one class for each folder, and reads square images.

    Raises:
        SpecError: E901, another number of classes; E905, it cannot be evaluated.
    """
    model, name = checked.model, checked.file.full_name
    inputs, outputs = list(model.inputs.values()), list(model.outputs.values())
    problem = ""
    if len(inputs) != 1 or len(outputs) != 1:
        problem = "has several inputs or outputs"
    elif not inputs[0].is_map or inputs[0].channels not in (1, 3):
        problem = f"reads {inputs[0]}: an image has 1 channel, or 3"
    elif inputs[0].size[0] != inputs[0].size[1]:
        problem = f"reads {inputs[0]}: crops are square"
    elif outputs[0].is_map:
        problem = f"gives a map of {outputs[0]}, and no class"
    if problem:
        raise SpecError([Diagnostic("E905", f"`{name}` cannot be evaluated: it {problem}")])
    count = len(images.classes)
    if outputs[0].channels != count:
        folder = printable(str(images.path))
        message = f"`{name}` has {outputs[0].channels:,} classes, and `{folder}` has {count:,}"
        help = "`--set num_classes=...` gives a network that has such a parameter other classes"
        raise SpecError([Diagnostic("E901", message, help=help)])


def _load(
    checked: Checked, checkpoint: Path, settings: EvaluationSettings, device: str
) -> EvaluatedNetwork:
    """Return a network with its weights and its preprocessing.

    Raises:
        SpecError: as for `evaluate`.
    """
    from inception_dsl.analysis.state import measure_state
    from inception_dsl.bridge import make_module
    from inception_dsl.bridge.choosing import choose_state
    from inception_dsl.bridge.evaluating import EvaluatedNetwork, load_network
    from inception_dsl.bridge.tensor_files import read_tensor_file

    model, name = checked.model, checked.file.full_name
    mean, std = _choose_numbers(checked, settings)
    shapes = {key: tensor.shape for key, tensor in measure_state(model.graph).items()}
    held = read_tensor_file(checkpoint)
    reading = choose_state(held, shapes, network=name, key=settings.key)
    module = make_module(emit_module(checked), model.name, seed=0)
    side = model.input.size[0]
    return EvaluatedNetwork(
        name=name,
        module=load_network(module, reading.tensors, device),
        channels=model.input.channels,
        side=side,
        shorter=_choose_sides(settings, side, name),
        mean=mean,
        std=std,
    )


def _choose_sides(settings: EvaluationSettings, side: int, name: str) -> tuple[int, ...]:
    """Return the shorter sides to which images are resized.

    Raises:
        SpecError: E903, the crop does not fit.
    """
    if settings.resize == "none":
        return ()
    try:
        return list_sides(settings.crops, side, settings.resize)
    except CropError as error:
        message = f"an image is smaller than the crop of `{name}`: {error}"
        raise SpecError([Diagnostic("E903", message, help="give `--resize` more pixels")]) from None


def _choose_numbers(
    checked: Checked, settings: EvaluationSettings
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Return the mean and the deviation of a network's input.

    Raises:
        SpecError: E904, they are not known, or are more or fewer than the channels.
    """
    channels, name = checked.model.input.channels, checked.file.full_name
    recipe = checked.model.recipe
    said = recipe.normalise.value if recipe is not None else None
    mean = settings.mean or (tuple(map(float, said.mean)) if said else None)
    std = settings.std or (tuple(map(float, said.std)) if said else None)
    if mean is None or std is None:
        message = f"nothing says the mean and the deviation of the input of `{name}`"
        help = "give them as `--mean 0.485,0.456,0.406 --std 0.229,0.224,0.225`, say"
        raise SpecError([Diagnostic("E904", message, help=help)])
    if {len(mean), len(std)} - {1, channels}:
        read = "1 channel" if channels == 1 else f"{channels} channels"
        message = f"`{name}` reads {read}: give one number for each, or one for all"
        raise SpecError([Diagnostic("E904", message)])
    if min(std) <= 0:
        message = f"the deviation of the input of `{name}` is not above 0"
        raise SpecError([Diagnostic("E904", message)])
    return mean, std


def _score(
    checked: Sequence[Checked],
    networks: Sequence[tuple[str, Path]],
    tallies: Sequence[ErrorTally],
) -> list[Score]:
    """Return the errors of each network, and of all together if there are several."""
    names = [each.file.full_name for each in checked]
    scores = [
        Score(
            name if names.count(name) == 1 else f"{name}={printable(str(path))}",
            str(path),
            1,
            tally,
            tuple(result for result in each.model.results if result.networks == 1),
        )
        for name, each, (_, path), tally in zip(names, checked, networks, tallies, strict=False)
    ]
    if len(checked) > 1:
        claims = {
            result: None
            for each in checked
            for result in each.model.results
            if result.networks == len(checked)
        }
        scores.append(Score("all together", "", len(checked), tallies[-1], tuple(claims)))
    return scores


def _list_other_claims(checked: Sequence[Checked]) -> tuple[tuple[str, Result], ...]:
    """Return the claims about another number of networks than were measured, by their networks."""
    counts = {1, len(checked)}
    claims = {
        (each.file.full_name, result): None
        for each in checked
        for result in each.model.results
        if result.networks not in counts
    }
    return tuple(claims)
