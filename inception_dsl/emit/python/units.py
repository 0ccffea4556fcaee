"""The small classes that blocks are made of: a conv with its norm and its activation.

A unit is written once for all its uses. What they agree on stands in its body; what they do not is
an argument. A conv without a norm is torch's own layer, or a subclass that adds the activation, so
that its path is the path of its weight.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from inception_dsl.emit.python.init import Init, init_of, usual
from inception_dsl.emit.python.layout import (
    Code,
    Construct,
    docstring,
    layout,
    literal,
    signature,
)
from inception_dsl.emit.python.torch_table import DEFAULTS, FUNCTIONS, IN_PLACE, Argument, Layer

_PROSE = {
    "nn.Conv2d": "convolution",
    "SameConv2d": "convolution (TensorFlow's `same`)",
    "SepConv2d": "separable convolution",
    "SameSepConv2d": "separable convolution (TensorFlow's `same`)",
    "nn.Linear": "linear layer",
}
_NAMES = {
    "nn.Conv2d": "Conv",
    "SameConv2d": "SameConv",
    "SepConv2d": "SepConv",
    "SameSepConv2d": "SameSepConv",
    "nn.Linear": "Linear",
}
# Where a window stands is every use's own; what a unit is made of may be said once, in its body.
_GEOMETRY = frozenset(["kernel_size", "stride", "padding", "dilation", "groups", "multiplier"])
_OF_TORCH = frozenset(["nn.Conv2d", "SameConv2d", "nn.Linear"])
"""Bases that begin their own weights, as torch's layers do."""

_GIVEN = "act"
"""The activation of units that are given it: a parameter of their block says which."""


@dataclass(frozen=True, slots=True)
class _Kind:
    """Uses that can share one class: the base layer, the norm and the activation, if any."""

    base: str
    norm: str
    act: str


@dataclass(slots=True)
class _Unit:
    """A class, and the arguments that its uses give to its layers.

    `init` is how its own body begins its weights, where its uses do not say otherwise.
    """

    name: str
    kind: _Kind
    values: dict[tuple[str, str], set[Argument]] = field(default_factory=dict)
    init: Init = field(default_factory=Init)


class Units:
    """The units of a model, made from the layers of every step that has one."""

    def __init__(self, uses: Iterable[tuple[Layer, ...]]) -> None:
        uses = [layers for layers in uses if is_unit(layers)]
        acts = Counter((k.base, k.norm) for k in {_kind(layers) for layers in uses} if k.act)
        self._units: dict[_Kind, _Unit] = {}
        inits: dict[_Kind, list[Init]] = {}
        for layers in uses:
            kind = _kind(layers)
            unit = self._units.setdefault(kind, _Unit(_name(kind, acts), kind))
            inits.setdefault(kind, []).append(init_of(layers))
            for layer in layers:
                for name, value in layer.arguments:
                    if name:
                        unit.values.setdefault((layer.callee, name), set()).add(value)
        for kind, unit in self._units.items():
            if kind.norm or kind.base in _OF_TORCH:
                unit.init = usual(inits[kind])

    @property
    def names(self) -> list[str]:
        """The classes' names, in order of first use."""
        return [unit.name for unit in self._units.values()]

    def construct(self, layers: tuple[Layer, ...]) -> Code:
        """The code that makes the module of a step."""
        init = init_of(layers)
        if not is_unit(layers):
            parts = [_layer(layer) for layer in layers]
            return init.around(parts[0]) if len(parts) == 1 else _sequential(parts)
        unit = self._units[_kind(layers)]
        arguments: list[tuple[str, Code]] = []
        for layer in layers:
            for name, value in layer.arguments:
                if not name and layer.callee == unit.kind.base:
                    arguments.append(("", literal(value)))
                elif layer.name == "act" and unit.kind.act == _GIVEN:
                    arguments.append((_GIVEN, literal(value)))
                elif name and self._is_said(unit, layer, name, value):
                    arguments.append((name, literal(value)))
        made = Construct(unit.name, tuple(arguments))
        return made if init == unit.init else init.around(made)

    def _is_said(self, unit: _Unit, layer: Layer, name: str, value: Argument) -> bool:
        if value == DEFAULTS[layer.callee].get(name):
            return False
        varies = len(unit.values[layer.callee, name]) > 1
        return varies or name in _GEOMETRY or not unit.kind.norm

    def classes(self) -> list[list[str]]:
        """The source of every unit."""
        return [
            _with_norm(unit) if unit.kind.norm else _subclass(unit) for unit in self._units.values()
        ]


def _with_norm(unit: _Unit) -> list[str]:
    params = ["in_channels: int", "out_channels: int"]
    given: list[tuple[str, Code]] = [("", "in_channels"), ("", "out_channels")]
    norm: list[tuple[str, Code]] = [("", "out_channels")]
    for (callee, name), values in unit.values.items():
        arguments = given if callee == unit.kind.base else norm
        default = DEFAULTS[callee].get(name)
        is_said = values != {default} if name in _GEOMETRY else len(values) > 1
        if is_said:
            params.append(_param(name, values, default))
            arguments.append((name, name))
        elif (value := next(iter(values))) != default:
            arguments.append((name, literal(value)))
    return [
        f"class {unit.name}(nn.Module):",
        *docstring([_summary(unit)], depth=1),
        "",
        *_constructor(unit, params),
        "        super().__init__()",
        *layout("self.conv = ", unit.init.around(Construct(unit.kind.base, tuple(given))), depth=2),
        *layout("self.bn = ", Construct(unit.kind.norm, tuple(norm)), depth=2),
        *_stored_act(unit),
        "",
        "    def forward(self, x: Tensor) -> Tensor:",
        *_activated("self.bn(self.conv(x))", unit.kind.act),
    ]


def _param(name: str, values: set[Argument], default: Argument | None) -> str:
    said = "" if default is None else f" = {literal(default)}"
    return f"{name}: {_type(values)}{said}"


def _constructor(unit: _Unit, params: list[str]) -> list[str]:
    """The head of a constructor, which takes the activation behind all that must be given."""
    required = [param for param in params if " = " not in param]
    given = [f"{_GIVEN}: type[nn.Module]"] if unit.kind.act == _GIVEN else []
    params = ["self", *required, *given, *params[len(required) :]]
    return signature("__init__", params, "None", depth=1)


def _stored_act(unit: _Unit) -> list[str]:
    return [f"        self.act = {_GIVEN}()"] if unit.kind.act == _GIVEN else []


def is_unit(layers: tuple[Layer, ...]) -> bool:
    """A step's layers want a class of their own."""
    return len(layers) > 1 and layers[0].callee in _NAMES


def _kind(layers: tuple[Layer, ...]) -> _Kind:
    callees = [layer.callee for layer in layers]
    act = layers[-1].callee or _GIVEN if layers[-1].name == "act" else ""
    norm = next((layer.callee for layer in layers if layer.name == "bn"), "")
    return _Kind(callees[0], norm, act)


def _name(kind: _Kind, acts: Mapping[tuple[str, str], int]) -> str:
    name = _NAMES[kind.base] + {"": "", "nn.BatchNorm2d": "Norm"}.get(kind.norm, "ShiftNorm")
    if not kind.act:
        return name
    if kind.act == _GIVEN or acts[kind.base, kind.norm] == 1:
        return f"{name}Act"
    return name + kind.act.removeprefix("nn.")


def _layer(layer: Layer) -> Construct:
    defaults = DEFAULTS.get(layer.callee, {})
    return Construct(
        layer.callee,
        tuple(
            (name, literal(value))
            for name, value in layer.arguments
            if not name or value != defaults.get(name)
        ),
    )


def _sequential(parts: list[Construct]) -> Construct:
    return Construct("nn.Sequential", tuple(("", part) for part in parts))


def _type(values: set[Argument]) -> str:
    if any(isinstance(value, bool) for value in values):
        return "bool"
    if all(isinstance(value, tuple) for value in values):
        return "tuple[int, int]"
    if any(isinstance(value, tuple) for value in values):
        return "int | tuple[int, int]"
    return "int"


def _summary(unit: _Unit) -> str:
    prose = _PROSE[unit.kind.base]
    parts = [prose[0].upper() + prose[1:]]
    if unit.kind.norm:
        parts.append("batch norm")
    if unit.kind.act:
        own = unit.kind.act.removeprefix("nn.")
        parts.append("an activation" if unit.kind.act == _GIVEN else own)
    return f"{', '.join(parts[:-1])} and {parts[-1]}."


def _subclass(unit: _Unit) -> list[str]:
    return [
        f"class {unit.name}({unit.kind.base}):",
        *docstring([_summary(unit)], depth=1),
        "",
        *(_own_constructor(unit) if unit.kind.act == _GIVEN else []),
        *unit.init.method(),
        "    def forward(self, input: Tensor) -> Tensor:",
        *_activated("super().forward(input)", unit.kind.act, name="x: Tensor"),
    ]


def _own_constructor(unit: _Unit) -> list[str]:
    base = unit.kind.base
    sides = (
        ("in_features", "out_features") if base == "nn.Linear" else ("in_channels", "out_channels")
    )
    params = [f"{side}: int" for side in sides]
    given: list[tuple[str, Code]] = [("", side) for side in sides]
    for (_, name), values in unit.values.items():
        default = DEFAULTS[base].get(name)
        if values != {default}:
            params.append(_param(name, values, default))
            given.append((name, name))
    return [
        *_constructor(unit, params),
        *layout("", Construct("super().__init__", tuple(given)), depth=2),
        *_stored_act(unit),
        "",
    ]


def _activated(code: str, act: str, *, name: str = "x") -> list[str]:
    if not act:
        return [f"        {name} = {code}", "        return x"]
    if act == _GIVEN:
        return [f"        {name} = self.act({code})", "        return x"]
    return [f"        return {activation(act, code, in_place=True)}"]


def activation(act: str, code: str, *, in_place: bool = False) -> str:
    """An activation of a value as a forward pass writes it."""
    flag = ", inplace=True" if in_place and act in IN_PLACE else ""
    return f"{FUNCTIONS[act]}({code}{flag})"
