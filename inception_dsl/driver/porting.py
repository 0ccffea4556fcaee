"""From a checkpoint of one network to a checkpoint of another: paired, carried over, proved."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from inception_dsl.channels import printable
from inception_dsl.diagnostics import Diagnostic, SpecError
from inception_dsl.driver.references import NamedInput
from inception_dsl.driver.writing import Artifact
from inception_dsl.ir import Path as StepPath
from inception_dsl.ir.weights import WeightPlan
from inception_dsl.resolve import AS_WRITTEN, Overrides
from inception_dsl.spec.target import is_file_target, is_target

if TYPE_CHECKING:
    from torch import Tensor

    from inception_dsl.bridge.porting import PortNetwork, Proof, State
    from inception_dsl.diff.porting import PortPlan
    from inception_dsl.emit.diff.porting import PortResult

MAX_SHOWN = 4
"""Maximum number of steps or tensors that a finding names."""


@dataclass(frozen=True, slots=True)
class PortMap:
    """The map from the tensors of one network to those of another one.

    Attributes:
        old, new: the networks.
        pairs: the pairs of steps, the departures, and what can be proved.
        weights: the recipes, by the keys of the state_dicts.
        missing: the tensors of the new network that nothing is carried to, each with the reason.
        notes: what an import of either network leaves out.
    """

    old: PortNetwork
    new: PortNetwork
    pairs: PortPlan
    weights: WeightPlan
    missing: tuple[tuple[str, str], ...]
    notes: tuple[Diagnostic, ...]

    @property
    def is_same(self) -> bool:
        """Both networks should give the same outputs."""
        return self.pairs.is_same and not self.missing


@dataclass(frozen=True, slots=True)
class Ported:
    """The checkpoint of a port, and its proof.

    Attributes:
        map: the map that made it.
        state: the tensors by key.
        place: where the old state_dict was in the checkpoint; empty if it was the checkpoint.
        random: the proof with random weights; `real`, with those of the checkpoint.
        notes: what a person should know about it.
    """

    map: PortMap
    state: State
    place: str
    random: Proof | None
    real: Proof | None
    notes: tuple[Diagnostic, ...]


def map_weights(
    old: str,
    new: str,
    *,
    folder: Path,
    input: NamedInput = None,
    params: Mapping[str, str] | None = None,
    pairs: Sequence[tuple[str, str]] = (),
) -> PortMap:
    """Return the map from the tensors of one network to those of another one.

    Args:
        old, new: each a spec or a target of code.
        input: the input of both; None for that of a spec, else that of the library.
        params: other values for parameters of the specs.
        pairs: steps of the old and the new network that are a pair where the graphs do not tell.

    Raises:
        SpecError: the errors of either network; E804, one is a file, which has no state_dict, or a
            pair cannot be.
        MissingExtraError: torch is not installed.
    """
    from inception_dsl.bridge import require_torch
    from inception_dsl.diff.code_names import name_as_in_code
    from inception_dsl.diff.porting import plan_port

    require_torch()
    files = [reference for reference in (old, new) if is_file_target(reference)]
    if files:
        message = f"`{files[0]}` is a file, whose weights are in it: it has no checkpoints"
        help = "name the code, or the spec, that the file was made of"
        raise SpecError([Diagnostic("E804", message, help=help)])
    networks: dict[int, PortNetwork] = {}
    notes: list[Diagnostic] = []
    for index, reference in sorted(enumerate((old, new)), key=lambda item: is_target(item[1])):
        known = next(iter(networks.values()), None)
        wanted = input if input is not None or known is None else _write_inputs(known)
        networks[index], told = _find_side(reference, folder, Overrides(wanted, params or {}))
        notes += told
    sides = networks[0], networks[1]
    models = sides[0].model, sides[1].model
    asked = [(StepPath(a), StepPath(b)) for a, b in pairs]
    are_code = all(side.module is not None for side in sides)
    plan = plan_port(*models, asked, are_code=are_code)
    if plan.refused:
        raise SpecError([_refuse_pair(pair, reason) for pair, reason in plan.refused])
    weights = name_as_in_code(plan.weights, models, (sides[0].tensors, sides[1].tensors))
    tied = sides[1].list_tied()
    made = {twin for key, _ in weights.recipes for twin in tied.get(key, (key,))}
    reasons = dict(weights.fresh)
    missing = tuple(
        (key, reasons.get(key, "no step of its spec has it"))
        for key in sides[1].shapes
        if key not in made
    )
    return PortMap(*sides, plan, weights, missing, tuple(dict.fromkeys(notes)))


def _refuse_pair(pair: tuple[StepPath, StepPath], reason: str) -> Diagnostic:
    old, new = (printable(path) for path in pair)
    return Diagnostic("E804", f"`{old}` and `{new}` cannot be a pair: {reason}")


def _write_inputs(network: PortNetwork) -> NamedInput:
    """Return the inputs of a network as a caller writes them; None if one is no map."""
    types = network.model.inputs
    if not all(type.is_map for type in types.values()):
        return None
    texts = {name: str(type) for name, type in types.items()}
    return texts if len(texts) > 1 else next(iter(texts.values()))


def _find_side(
    reference: str, folder: Path, overrides: Overrides
) -> tuple[PortNetwork, tuple[Diagnostic, ...]]:
    from functools import partial

    from inception_dsl.bridge.porting import PortNetwork
    from inception_dsl.driver.importing import trace_reference, write_traced
    from inception_dsl.driver.walk import emit_module, measure_file
    from inception_dsl.spec.files import find_spec

    if not is_target(reference):
        checked = measure_file(find_spec(reference, folder), overrides)
        emit = partial(emit_module, checked)
        return PortNetwork(name=reference, model=checked.model, emit=emit, tensors={}), ()
    traced = trace_reference(reference, folder=folder, input=overrides.input)
    imported = write_traced(traced, target=reference, folder=folder, compares=False)
    checked = measure_file(imported.file, AS_WRITTEN)
    network = PortNetwork(
        name=reference,
        model=checked.model,
        emit=partial(emit_module, checked),
        module=traced.module,
        tensors=imported.file.code.tensors if imported.file.code is not None else {},
        inputs=tuple(traced.graph.inputs),
        buffers=traced.graph.buffers,
    )
    return network, imported.notes


def port(
    checkpoint: str | PathLike[str] | Mapping[str, Any],
    old: str,
    new: str,
    *,
    input: str | Mapping[str, str] | None = None,
    key: str | None = None,
    partial: bool = False,
    params: Mapping[str, str] | None = None,
    pairs: Sequence[tuple[str, str]] = (),
) -> dict[str, Tensor]:
    """Carry a checkpoint over to another network that does the same, as `inception-dsl port` does.

    Both networks run on a random input, with random weights and with these. Nothing is returned
    unless they give the same values, where they do not depart from each other.

    Args:
        checkpoint: a file of torch or of safetensors, or what it holds.
        old: the network of the checkpoint: a spec, or a target of code such as `timm:resnet50`.
        new: the other network, likewise.
        input: the input of both networks; that of a spec, or of a library, unless it is given.
        key: the names that lead to the state_dict, if the checkpoint has several.
        partial: return the tensors that can be carried over, though the network needs more.
        params: other values for parameters of the specs, such as `{"num_classes": "10"}`.
        pairs: steps of the old and the new network that are a pair where the graphs do not tell.

    Returns:
        The state_dict of the new network.

    Raises:
        SpecError: E801 to E803, the checkpoint cannot be used; E804, tensors are not carried over;
            E805, the networks give other values; or the errors of either network.
        MissingExtraError: torch is not installed.

    Example:
        `module.load_state_dict(port("resnet50.safetensors", "timm:resnet50", "resnet50"))`.
    """
    weights = map_weights(old, new, folder=Path.cwd(), input=input, params=params, pairs=pairs)
    held = checkpoint if isinstance(checkpoint, Mapping) else Path(checkpoint)
    return dict(carry_checkpoint(held, weights, key=key, allows_missing=partial).state)


def carry_checkpoint(
    checkpoint: Path | Mapping[str, Any],
    weights: PortMap,
    *,
    key: str | None = None,
    allows_missing: bool = False,
) -> Ported:
    """Carry a checkpoint over, after it is proved that this is right.

    Args:
        checkpoint: a file, or what it holds.
        key: the names that lead to the state_dict, where the checkpoint has several.
        allows_missing: carry over what can be, though the new network needs more.

    Raises:
        SpecError: E801 to E803, the checkpoint cannot be used; E804, tensors of the new network
            are not carried over; E805, the networks give other values.
        MissingExtraError: the checkpoint is a file of safetensors, and the package is missing.
    """
    from inception_dsl.bridge.choosing import choose_state, name_reading
    from inception_dsl.bridge.porting import draw_state, make_tensors, narrow, widen
    from inception_dsl.bridge.tensor_files import read_tensor_file
    from inception_dsl.ir.weights import is_computed

    if not allows_missing and (problems := list(find_missing(weights))):
        raise SpecError(problems)
    held = read_tensor_file(checkpoint) if isinstance(checkpoint, Path) else checkpoint
    old, new = weights.old, weights.new
    reading = choose_state(held, old.shapes, network=old.name, key=key)
    drawn, plan = draw_state(old), weights.weights
    is_rounded = any(is_computed(recipe) for _, recipe in plan.recipes)
    made = [
        make_tensors(plan, widen(tensors) if is_rounded else tensors, new)
        for tensors in (drawn, reading.tensors)
    ]
    random = _prove(weights, drawn, made[0])
    real = _prove(weights, reading.tensors, made[1], is_real=True)
    state = narrow(made[1], plan, reading.tensors) if is_rounded else made[1]
    notes = list(weights.notes)
    place = "" if reading.is_plain else name_reading(reading)
    return Ported(weights, state, place, random, real, tuple(notes))


def find_missing(weights: PortMap) -> Iterator[Diagnostic]:
    """Yield the findings on tensors that nothing is carried to."""
    old, new = weights.old.name, weights.new.name
    for paths, one, other in (
        (weights.pairs.undecided_new, new, old),
        (weights.pairs.undecided_old, old, new),
    ):
        if paths:
            partners = "partner of 1 step" if len(paths) == 1 else f"partners of {len(paths)} steps"
            between = f"the {partners} of `{one}` in `{other}`"
            message = f"the graphs do not tell {between}: {_list(paths)}"
            help = "`--pair OLD=NEW` names a pair, and `--partial` writes the others alone"
            yield Diagnostic("E804", message, help=help)
    undecided = set(weights.pairs.undecided_new)
    keys = [key for key, _ in weights.missing]
    if keys and not undecided:
        reasons = [f"`{key}`: {reason}" for key, reason in weights.missing[:MAX_SHOWN]]
        more = len(keys) - MAX_SHOWN
        notes = (*reasons, *([f"and {more} more"] if more > 0 else []))
        count = f"{len(keys)} of {len(new_shapes)}" if (new_shapes := weights.new.shapes) else ""
        message = f"{count} tensors of `{new}` cannot be made of those of `{old}`"
        help = "`--partial` writes the others alone"
        yield Diagnostic("E804", message, notes=notes, help=help)


def _prove(
    weights: PortMap,
    old_state: State,
    new_state: State,
    *,
    is_real: bool = False,
) -> Proof | None:
    """Run both networks with some weights.

    Returns:
        None if they take other inputs, so that nothing can be compared.

    Raises:
        SpecError: E805, they part.
    """
    from math import isfinite

    from inception_dsl.bridge.porting import compare_outputs, compare_steps

    old, new = weights.old, weights.new
    if list(old.model.inputs.values()) != list(new.model.inputs.values()):
        return None
    proof = compare_outputs(old, new, old_state, new_state) if weights.is_same else None
    if proof is not None and proof.is_equal:
        return proof
    steps = compare_steps(old, new, old_state, new_state, weights.pairs.checks)
    if proof is None and steps.is_equal:
        return steps
    if is_real and not isfinite((proof or steps).error):
        return proof or steps  # a checkpoint whose own outputs are no numbers
    raise SpecError([_tell_parted(weights, proof, steps)])


def _tell_parted(weights: PortMap, proof: Proof | None, steps: Proof) -> Diagnostic:
    old, new = weights.old.name, weights.new.name
    if proof is not None:
        by = f"their outputs differ by {proof.error:.1e} of the largest"
    else:
        by = f"steps that should give the same differ by {steps.error:.1e} of the largest"
    message = f"`{new}` with the weights of `{old}` is another network: {by}"
    notes: tuple[str, ...] = ()
    if steps.parted is not None:
        parted = steps.parted
        notes = (f"they part at `{parted.new}`, which should give the value of `{parted.old}`",)
    elif proof is not None:
        notes = ("every step of their specs gives the same values: code does otherwise",)
    return Diagnostic("E805", message, notes=notes)


def sum_up(ported: Ported) -> PortResult:
    """Return the facts of a port that a person reads."""
    from math import isfinite

    from inception_dsl.emit.diff.porting import PortResult

    weights = ported.map
    proofs = [proof for proof in (ported.random, ported.real) if proof is not None]
    finite = [proof.error for proof in proofs if isfinite(proof.error)]
    return PortResult(
        old=weights.old.name,
        new=weights.new.name,
        place=ported.place,
        carried=len(ported.state),
        needed=len(weights.new.shapes),
        left=len(weights.weights.left),
        departures=weights.pairs.departures,
        error=max(finite, default=None),
        is_whole=weights.is_same,
        is_finite=len(finite) == len(proofs),
        equal=ported.random.steps if ported.random else 0,
        steps=len(weights.pairs.checks),
    )


def make_checkpoint(ported: Ported, output: Path, source: Path) -> Artifact:
    """Return the file of a ported checkpoint; nothing is written.

    Raises:
        SpecError: E801, its name says no format, or it is the old checkpoint's.
        MissingExtraError: it is to be a file of safetensors, and the package is not installed.
    """
    from inception_dsl.bridge.tensor_files import choose_format, pack_tensors

    format = choose_format(output)
    check_output(output, source)
    return Artifact(output, pack_tensors(ported.state, format))


def is_checkpoint_name(output: Path) -> bool:
    """Tell whether the name of a file is one of a checkpoint."""
    from inception_dsl.bridge.tensor_files import SUFFIXES

    return output.suffix in SUFFIXES


def check_output(output: Path, source: Path) -> None:
    """Make sure that a checkpoint can be written, and not over the old one.

    Raises:
        SpecError: E801, it cannot.
    """
    from inception_dsl.bridge.tensor_files import choose_format

    choose_format(output)
    choose_format(output.resolve())  # a link may lead to code, or to any other file
    if output.exists() and source.exists() and output.samefile(source):
        message = f"`{output}` is the checkpoint that is read: it is not written over"
        raise SpecError([Diagnostic("E801", message, help="choose another name for `-o`")])


def _list(paths: tuple[object, ...]) -> str:
    shown = ", ".join(f"`{path}`" for path in paths[:MAX_SHOWN])
    more = len(paths) - MAX_SHOWN
    return f"{shown} and {more} more" if more > 0 else shown
