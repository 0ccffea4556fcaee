"""The layers of an inference module: their paths, their constructions, what they are folded of.

A layer has the path of its step, or one below it if the step has several. A step without weights
has the layer that it has in the module for training.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from inception_dsl.analysis.fusing import FusedStep, find_weight, keeps_statistics
from inception_dsl.diagnostics import Diagnostic, Label, SpecError
from inception_dsl.emit.python.code import Atom, Code, Construct, literal, symbol
from inception_dsl.emit.python.small_classes import in_sequence, write_layer
from inception_dsl.emit.python.torch_classes import DEFAULTS, Argument
from inception_dsl.emit.python.torch_table import FUNCTIONS, EmitError, Layer, layers_of
from inception_dsl.expr import Expr
from inception_dsl.ir import Node, Path, Value
from inception_dsl.ops import OPS
from inception_dsl.ops.attribute import decimal, number, read_pair
from inception_dsl.ops.standardised import STANDARDISED, is_standardised
from inception_dsl.ops.window import find_reaches, pads_itself

CONV, FUSED_CONV = "nn.Conv2d", "_Conv2d"
"""torch's convolution, and the helper that runs it with its bias and its activation."""

_CONVS = frozenset([CONV, "_SameConv2d"])
"""The convolutions that the helper runs; the input of the second one is padded first."""


@dataclass(frozen=True, slots=True)
class PlacedLayer:
    """The layer of a step in inference.

    Attributes:
        path: its place below the network.
        code: its construction.
        pads: the arguments with which its input is padded first, if it is.
        fold: what its weight and its bias are made of; None if its tensors are the checkpoint's.
    """

    path: Path
    code: Code
    pads: tuple[Code, ...] = ()
    fold: Construct | None = None


def place_layers(steps: Sequence[FusedStep], acts: Mapping[str, str]) -> dict[str, PlacedLayer]:
    """Return the layer of every step, by the name of the step.

    A step with the weights of an earlier one has the layer of that one, if both do the same.

    Args:
        acts: the activations that layers run, by the names of their steps.

    Raises:
        SpecError: E501, torch has no layer for an op.
    """
    counts = Counter(step.path for step in steps)
    placed: dict[str, PlacedLayer] = {}
    known: dict[tuple[object, ...], PlacedLayer] = {}
    taken: set[Path] = set()
    for step in steps:
        layer = _make_layer(step, acts.get(step.name, ""), is_alone=counts[step.path] == 1)
        sources = tuple(sorted(step.tensors.items()))
        key = (sources, layer.code, layer.fold) if sources else (step.name,)
        if layer.path in taken and key not in known:  # the same weights, in another layer
            layer = replace(layer, path=_find_own_path(step, is_alone=counts[step.path] == 1))
            layer = replace(layer, fold=_fold(step))
        placed[step.name] = known.setdefault(key, layer)
        taken.add(placed[step.name].path)
    return placed


def list_layers(step: FusedStep) -> tuple[Layer, ...]:
    """Return torch's layers of a step, without its norm and its activation.

    Raises:
        SpecError: E501, torch has none.
    """
    node = step.node
    attributes: dict[str, Value | Expr] = dict(node.attributes)
    if find_weight(node) is not None:
        for attribute in STANDARDISED:
            attributes.pop(attribute.name, None)
        attributes |= {"norm": "none", "act": "none"}
        attributes["bias"] = "bias" in step.tensors or step.norm is not None
    try:
        input = node.input_types[0]
        return layers_of(node.op, attributes, input.channels, on_vectors=not input.is_map)
    except EmitError as error:
        labels = () if node.origin.span is None else (Label(node.origin.span),)
        raise SpecError([Diagnostic("E501", str(error), labels)]) from None


def is_fused_conv(step: FusedStep) -> bool:
    """Tell whether a step is a convolution that the helper runs."""
    if find_weight(step.node) is None:
        return False
    return list_layers(step)[-1].callee in _CONVS


def is_function(step: FusedStep) -> bool:
    """Tell whether a step is an activation that is a function of torch."""
    if not OPS[step.node.op].has_module or step.tensors:
        return False
    return list_layers(step)[-1].callee in FUNCTIONS


def _make_layer(step: FusedStep, act: str, *, is_alone: bool) -> PlacedLayer:
    node = step.node
    path = _find_path(step, is_alone=is_alone)
    fold = _fold(step) if _is_folded(step) or path != _find_source(step) else None
    if keeps_statistics(node):
        callee = "_Scale2d" if node.type.is_map else "_Scale"
        arguments: list[tuple[str, Argument]] = [("", node.type.channels), ("bias", True)]
        return PlacedLayer(path, write_layer(Layer("", callee, tuple(arguments))), fold=fold)
    layers = list_layers(step)
    if find_weight(node) is None:
        parts = [write_layer(layer) for layer in layers]
        code = parts[0] if len(parts) == 1 else in_sequence(parts)
        return PlacedLayer(path, code, fold=None)
    (layer,) = layers
    if layer.callee not in _CONVS:
        return PlacedLayer(path, write_layer(layer), fold=fold)
    return PlacedLayer(path, _write_conv(layer, act), _write_padding(node), fold)


def _write_conv(layer: Layer, act: str) -> Construct:
    """Return the construction of a fused convolution."""
    defaults = DEFAULTS[CONV]
    arguments = [
        pair for pair in layer.arguments if not pair[0] or pair[1] != defaults.get(pair[0])
    ]
    if act:
        arguments.append(("act", act))
    return write_layer(Layer("", FUSED_CONV, tuple(arguments)))


def _write_padding(node: Node) -> tuple[Code, ...]:
    """Return the window and the stride by which TensorFlow's `same` pads."""
    values = node.attributes
    if not pads_itself(values):
        return ()
    return literal(find_reaches(values)), literal(read_pair(values, "stride"))


def _is_folded(step: FusedStep) -> bool:
    """Tell whether the weights of a step are not those of the checkpoint."""
    if step.norm is not None or step.factor != 1 or keeps_statistics(step.node):
        return True
    return find_weight(step.node) is not None and is_standardised(step.node.attributes)


def _find_source(step: FusedStep) -> Path:
    """Return the layer of the checkpoint that holds the tensors of a step; empty if it has none."""
    return next((Path(key).parent for key in step.tensors.values()), Path())


def _find_path(step: FusedStep, *, is_alone: bool) -> Path:
    if step.tensors and not _is_folded(step) and (is_alone or _is_below(step)):
        return _find_source(step)
    return _find_own_path(step, is_alone=is_alone)


def _is_below(step: FusedStep) -> bool:
    """Tell whether the tensors of a step lie below its path, in a layer with a name."""
    return _find_source(step).is_below(_find_owner(step))


def _find_owner(step: FusedStep) -> Path:
    """Return the step of the spec that has the weights."""
    return step.node.reuses or step.path


def _find_own_path(step: FusedStep, *, is_alone: bool) -> Path:
    """Return the path below the step itself, whichever step has the weights."""
    if is_alone:
        return step.path
    if step.tensors and _is_below(step):
        return step.path / _find_source(step).relative_to(_find_owner(step))
    return step.path / step.place


def _fold(step: FusedStep) -> Construct | None:
    """Return what the weight and the bias of a step are made of; None if it has no weight."""
    arguments: list[tuple[str, Argument]] = []
    norm, node = step.norm, step.node
    if keeps_statistics(node):
        arguments += _describe_norm(step.tensors, decimal(node.attributes, "eps"), ("norm", "eps"))
        return _write_fold(arguments)
    if find_weight(node) is None:
        return None
    arguments.append(("", str(_find_source(step))))
    if norm is not None:
        arguments += _describe_norm(norm.tensors, Decimal(repr(norm.eps)), ("", ""))
    if "bias" in step.tensors:
        arguments.append(("has_bias", True))
    weight = find_weight(node)
    if norm is not None and weight is not None and weight.out_axis != 0:
        arguments.append(("groups", number(node.attributes, "groups")))
    if is_standardised(node.attributes):
        arguments.append(("weight_eps", decimal(node.attributes, "weight_eps")))
        if "gain" in step.tensors:
            arguments.append(("gain", decimal(node.attributes, "gain")))
    if step.factor != 1:
        arguments.append(("factor", step.factor))
    return _write_fold(arguments)


def _describe_norm(
    tensors: Mapping[str, str], eps: Argument, words: tuple[str, str]
) -> Iterator[tuple[str, Argument]]:
    """Yield the arguments of a norm."""
    yield words[0], str(Path(tensors["running_mean"]).parent)
    yield words[1], eps
    if "weight" not in tensors:
        yield "has_scale", False
    if "bias" not in tensors:
        yield "has_shift", False


def _write_fold(arguments: Iterable[tuple[str, Argument]]) -> Construct:
    pairs = tuple((name, literal(value)) for name, value in arguments)
    return Construct(symbol("_Fold"), pairs)


def grow_tree(layers: Iterable[PlacedLayer]) -> dict[str, Code]:
    """Return the constructions of all layers, by the first names of their paths."""
    tree: dict[str, object] = {}
    for layer in layers:
        branch = tree
        for name in layer.path.names[:-1]:
            below = branch.setdefault(name, {})
            assert isinstance(below, dict)
            branch = below
        branch[layer.path.name] = layer.code
    return {name: _write_branch(item) for name, item in tree.items()}


def _write_branch(item: object) -> Code:
    """Return the construction of a layer, or of all layers below a path."""
    if not isinstance(item, dict):
        assert isinstance(item, Construct)
        return item
    written = {name: _write_branch(below) for name, below in item.items()}
    if not all(name.isdigit() for name in written):
        return Construct(symbol("_Layers"), tuple(written.items()))
    gap = Construct(symbol("nn.Identity"))  # a copy without layers
    count = 1 + max(map(int, written))
    copies = tuple(("", written.get(str(index), gap)) for index in range(count))
    return Construct(symbol("_Layers"), copies)


def write_place(path: Path) -> Atom:
    """Return a layer as a forward pass writes it: `self.inception_c[0].b3x3`."""
    names = (f"[{name}]" if name.isdigit() else f".{name}" for name in path.names)
    return Atom(f"self{''.join(names)}", frozenset(["self"]))
