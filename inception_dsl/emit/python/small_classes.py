"""The small classes that blocks are made of: a conv with its norm and its activation.

A small class is written once for all its uses. Its body holds the values on which they agree, its
parameters the others. A conv without a norm is torch's own layer, or a subclass that adds the
activation, so that its path is the path of its weight.

Longer than 400 lines: the body of each kind of small class stands beside its constructor.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import NamedTuple

from inception_dsl.emit.python.code import (
    Assign,
    Atom,
    Class,
    Code,
    Construct,
    Evaluate,
    Function,
    Parameter,
    Return,
    Statement,
    annotation,
    attribute,
    literal,
    local,
    symbol,
)
from inception_dsl.emit.python.expressions import expression
from inception_dsl.emit.python.init import Init, LayerInits
from inception_dsl.emit.python.naming import ClassNames
from inception_dsl.emit.python.torch_classes import BASES, DEFAULTS, Argument, Base
from inception_dsl.emit.python.torch_table import FUNCTIONS, IN_PLACE, OUT_CHANNELS, Layer
from inception_dsl.expr import Apply, find_names

# Each use has a window of its own; other values may be written once, in the body of the class.
_GEOMETRY = frozenset(
    ["kernel_size", "stride", "padding", "output_padding", "dilation", "groups", "multiplier"]
)
_ACT = "act"
"""The parameter that takes the activation where a parameter of the block chooses it."""

ACT_TYPE = annotation("type[nn.Module]", "nn")
"""The type of a parameter that is an activation."""

TENSOR = symbol("Tensor")
NONE = annotation("None")
_INIT = Atom("super().__init__", uses=frozenset(["super"]))
SUPER = Evaluate(Construct(_INIT))
"""The first statement of a constructor."""

_IS_PADDED_BY_NUMBERS = Evaluate(
    Atom(
        "assert isinstance(self.padding, tuple)",
        frozenset(["self"]),
        frozenset(["isinstance", "tuple"]),
    )
)
"""Tells the type of a padding that torch declares as a tuple or a word."""

_INT = annotation("int")
_X = Parameter("x", TENSOR)


def _call(path: str, *arguments: Code) -> Construct:
    return Construct(attribute(path), tuple(("", argument) for argument in arguments))


def _base_call(base: Base) -> Code:
    """Return the call of a base's forward pass in a subclass; TorchScript has no `super`."""
    input, weights = local("input"), (attribute("weight"), attribute("bias"))
    if base.children:
        code: Code = input
        for child in base.children:
            code = _call(child, code)
        return code
    if base.holder == "nn.Linear":
        return Construct(symbol("F.linear"), tuple(("", code) for code in (input, *weights)))
    if base.holder == "nn.ConvTranspose2d":
        words = ("stride", "padding", "output_padding", "groups", "dilation")
        passed = (input, *weights, *map(attribute, words))
        return Construct(symbol("F.conv_transpose2d"), tuple(("", code) for code in passed))
    return _call("_conv_forward", input, *weights)


class _Kind(NamedTuple):
    """Uses that can share one class: the base layer, the norm and the activation, if any.

    Attributes:
        base_name: the attribute that holds the base layer, beside a norm.
        norm_name: the attribute that holds the norm.
        norm_positional: the arguments of the norm that have no keyword.
        act_arguments: the arguments of the activation that are not torch's defaults.
    """

    base: str
    norm: str
    act: str
    base_name: str
    norm_name: str
    norm_positional: tuple[Argument, ...]
    act_arguments: tuple[tuple[str, Argument], ...] = ()

    @property
    def has_act_module(self) -> bool:
        """The activation is a module: a parameter chooses it, or it has a weight."""
        return bool(self.act) and self.act not in FUNCTIONS


@dataclass(slots=True)
class SmallClass:
    """A class, and the arguments that its uses give to its layers.

    `init` is the default initialisation, which its body writes and a use can override.
    """

    name: str
    kind: _Kind
    values: dict[tuple[str, str], set[Argument]] = field(default_factory=dict)
    init: Init = field(default_factory=Init)


class SmallClasses:
    """The small classes of a model, made from the layers of every step that has some.

    Args:
        inits: how each layer initialises its weights where it is made.
    """

    def __init__(
        self, uses: Iterable[tuple[Layer, ...]], inits: LayerInits, names: ClassNames
    ) -> None:
        uses = [layers for layers in uses if has_small_class(layers)]
        kinds = {_kind(layers) for layers in uses}
        acts = Counter((kind.base, kind.norm) for kind in kinds if kind.act)
        norms = Counter(base for base, norm in {(k.base, k.norm) for k in kinds} if norm)
        self._inits = inits
        self._classes: dict[_Kind, SmallClass] = {}
        inits_of: dict[_Kind, list[Init]] = {}
        for layers in uses:
            kind = _kind(layers)
            if kind not in self._classes:
                name = names.claim(_name(kind, acts, norms), "Layer")
                self._classes[kind] = SmallClass(name, kind)
            small_class = self._classes[kind]
            inits_of.setdefault(kind, []).append(inits.of(layers))
            for layer in _without_act(layers):
                for name, value in layer.arguments:
                    if name:
                        small_class.values.setdefault((layer.callee, name), set()).add(value)
        for kind, small_class in self._classes.items():
            if kind.norm or not BASES[kind.base].children:
                small_class.init = inits.common(inits_of[kind])

    def construct(self, layers: tuple[Layer, ...]) -> Code:
        """Return the code that makes the module of a step."""
        init = self._inits.of(layers)
        if not has_small_class(layers):
            parts = [write_layer(layer) for layer in layers]
            return init.around(parts[0]) if len(parts) == 1 else in_sequence(parts)
        small_class = self._classes[_kind(layers)]
        arguments: list[tuple[str, Code]] = []
        for layer in _without_act(layers):
            for name, value in layer.arguments:
                if not name and layer.callee == small_class.kind.base:
                    arguments.append(("", expression(value)))
                elif name and _is_argument(small_class, layer, name, value):
                    arguments.append((name, expression(value)))
        if small_class.kind.act == _ACT:
            arguments += [(_ACT, literal(value)) for _, value in layers[-1].arguments]
        made = Construct(symbol(small_class.name), tuple(arguments))
        return made if init == small_class.init else init.around(made)

    def definitions(self) -> list[Class]:
        """Return the classes, in order of first use."""
        return [
            _with_norm(small_class) if small_class.kind.norm else _subclass(small_class)
            for small_class in self._classes.values()
        ]


def _without_act(layers: tuple[Layer, ...]) -> tuple[Layer, ...]:
    return layers[:-1] if layers[-1].name == "act" else layers


def has_small_class(layers: tuple[Layer, ...]) -> bool:
    """Tell whether a step's layers are made by one class of their own."""
    return len(layers) > 1 and layers[0].callee in BASES


def _is_argument(small_class: SmallClass, layer: Layer, name: str, value: Argument) -> bool:
    """Tell whether a use passes a value, rather than leaving it to the class."""
    if value == DEFAULTS.get(layer.callee, {}).get(name):
        return False
    varies = _vary(small_class.values[layer.callee, name])
    return varies or name in _GEOMETRY or not small_class.kind.norm


def _vary(values: set[Argument]) -> bool:
    """Tell whether no one value, written in the body of a class, holds for all its uses."""
    read = frozenset[str]().union(*(literal(value).reads for value in values))
    return len(values) > 1 or not read <= find_names(OUT_CHANNELS)


def _with_norm(small_class: SmallClass) -> Class:
    kind = small_class.kind
    params = [Parameter("in_channels", _INT), Parameter("out_channels", _INT)]
    conv: list[tuple[str, Code]] = [("", local(param.name)) for param in params]
    norm: list[tuple[str, Code]] = [("", literal(value)) for value in kind.norm_positional]
    for (callee, name), values in small_class.values.items():
        arguments = conv if callee == kind.base else norm
        default = DEFAULTS.get(callee, {}).get(name)
        is_param = values != {default} if name in _GEOMETRY else _vary(values)
        if is_param:
            params.append(_param(name, values, default))
            arguments.append((name, local(name)))
        elif (value := next(iter(values))) != default:
            arguments.append((name, literal(value)))
    body = (
        Assign(
            f"self.{kind.base_name}",
            small_class.init.around(Construct(symbol(kind.base), tuple(conv))),
        ),
        Assign(f"self.{kind.norm_name}", Construct(symbol(kind.norm), tuple(norm))),
    )
    convolved = Construct(attribute(kind.base_name), (("", local("x")),))
    normed = Construct(attribute(kind.norm_name), (("", convolved),))
    return Class(
        small_class.name,
        symbol("nn.Module"),
        (_summary(kind),),
        (
            _constructor(kind, params, (SUPER, *body)),
            Function("forward", TENSOR, _activate(normed, kind), (_X,)),
        ),
    )


def _subclass(small_class: SmallClass) -> Class:
    """Return a layer of torch's, or of a helper, that ends in an activation."""
    kind = small_class.kind
    methods: list[Function] = []
    if kind.has_act_module:
        methods.append(_own_constructor(small_class))
    if small_class.init:  # torch's layers initialise themselves in this method
        reset = Construct(Atom("super().reset_parameters", uses=frozenset(["super"])))
        begun = small_class.init.around(local("self"))
        methods.append(Function("reset_parameters", NONE, (Evaluate(reset), Evaluate(begun))))
    body = _activate(_base_call(BASES[kind.base]), kind, declares=TENSOR)
    params = [Parameter("input", TENSOR)]
    if BASES[kind.base].holder == "nn.ConvTranspose2d":  # as torch's own forward pass has it
        params.append(Parameter("output_size", annotation("list[int] | None"), NONE))
        body = (_IS_PADDED_BY_NUMBERS, *body)
    methods.append(Function("forward", TENSOR, body, tuple(params)))
    return Class(small_class.name, symbol(kind.base), (_summary(kind),), tuple(methods))


def _own_constructor(small_class: SmallClass) -> Function:
    kind = small_class.kind
    sides = "features" if kind.base == "nn.Linear" else "channels"
    params = [Parameter(f"in_{sides}", _INT), Parameter(f"out_{sides}", _INT)]
    arguments: list[tuple[str, Code]] = [("", local(param.name)) for param in params]
    for (_, name), values in small_class.values.items():
        default = DEFAULTS[kind.base].get(name)
        if values != {default}:
            params.append(_param(name, values, default))
            arguments.append((name, local(name)))
    base = Construct(_INIT, tuple(arguments))
    return _constructor(kind, params, (Evaluate(base),))


def _constructor(kind: _Kind, params: list[Parameter], body: tuple[Statement, ...]) -> Function:
    """Return a constructor; an activation that it takes stands behind all that must be given."""
    if kind.act == _ACT:
        params = [*params, Parameter(_ACT, ACT_TYPE)]
        body = (*body, Assign(f"self.{_ACT}", Construct(local(_ACT))))
    elif kind.has_act_module:
        arguments = tuple((name, literal(value)) for name, value in kind.act_arguments)
        body = (*body, Assign(f"self.{_ACT}", Construct(symbol(kind.act), arguments)))
    ordered = sorted(params, key=lambda param: param.default is not None)
    return Function("__init__", NONE, body, tuple(ordered))


def _param(name: str, values: set[Argument], default: Argument | None) -> Parameter:
    type = annotation("float") if isinstance(default, Decimal) else _type(values)
    return Parameter(name, type, None if default is None else literal(default))


def _kind(layers: tuple[Layer, ...]) -> _Kind:
    act = layers[-1].callee or _ACT if layers[-1].name == "act" else ""
    of_act = _list_changed(layers[-1]) if act and act != _ACT else ()
    norm = next(iter(_without_act(layers)[1:]), None)
    if norm is None:
        return _Kind(layers[0].callee, "", act, "", "", (), of_act)
    positional = tuple(value for name, value in norm.arguments if not name)
    return _Kind(layers[0].callee, norm.callee, act, layers[0].name, norm.name, positional, of_act)


def _list_changed(layer: Layer) -> tuple[tuple[str, Argument], ...]:
    """Return the arguments of a layer that are not torch's defaults."""
    defaults = DEFAULTS.get(layer.callee, {})
    return tuple(
        pair for pair in layer.arguments if not pair[0] or pair[1] != defaults.get(pair[0])
    )


def _name(kind: _Kind, acts: Mapping[tuple[str, str], int], norms: Mapping[str, int]) -> str:
    """Return the name of a small class: its norm and activation are named if there are others.

    Args:
        acts: the number of activations behind each base and norm.
        norms: the number of norms behind each base.
    """
    name = BASES[kind.base].name
    if kind.norm:
        name += "Norm" if norms[kind.base] == 1 else "".join(_norm_words(kind.norm))
    if not kind.act:
        return name
    if kind.act == _ACT or acts[kind.base, kind.norm] == 1:
        return f"{name}Act"
    return name + kind.act.removeprefix("nn.")


def _norm_words(norm: str) -> list[str]:
    """Return the words of the name of a norm's class: `Batch`, `Norm` for `nn.BatchNorm2d`."""
    return re.findall(r"[A-Z][a-z]+", norm)


def write_layer(layer: Layer) -> Construct:
    """Return the construction of one layer."""
    arguments = tuple((name, expression(value)) for name, value in _list_changed(layer))
    return Construct(symbol(layer.callee), arguments)


def in_sequence(parts: list[Construct]) -> Construct:
    """Return the construction of layers that run one after the other."""
    return Construct(symbol("nn.Sequential"), tuple(("", part) for part in parts))


def _type(values: set[Argument]) -> Atom:
    if any(isinstance(value, bool) for value in values):
        return annotation("bool")
    are_pairs = frozenset[bool]().union(*map(_are_pairs, values))
    if True in are_pairs:
        return annotation("int | tuple[int, int]" if False in are_pairs else "tuple[int, int]")
    return annotation("float" if any(isinstance(value, Decimal) for value in values) else "int")


def _are_pairs(value: Argument) -> frozenset[bool]:
    """Tell of each value that an argument may have whether it is a pair."""
    match value:
        case Apply("if", (_, one, other)):
            assert not isinstance(one, str) and not isinstance(other, str)
            return _are_pairs(one) | _are_pairs(other)
        case _:
            is_pair = isinstance(value, tuple)
            return frozenset([is_pair or (isinstance(value, Apply) and value.function == "pair")])


def _summary(kind: _Kind) -> str:
    prose = BASES[kind.base].prose
    parts = [prose[0].upper() + prose[1:]]
    if kind.norm:
        parts.append(" ".join(_norm_words(kind.norm)).lower())
    if kind.act:
        parts.append("an activation" if kind.act == _ACT else kind.act.removeprefix("nn."))
    return f"{', '.join(parts[:-1])} and {parts[-1]}."


def _activate(code: Code, kind: _Kind, *, declares: Atom | None = None) -> tuple[Statement, ...]:
    """Return the end of a forward pass; modules give an untyped result, functions a Tensor.

    Args:
        declares: the type of `x` if the function has no parameter of that name.
    """
    if kind.act and not kind.has_act_module:
        return (Return(_call_act(kind.act, kind.act_arguments, code, in_place=True)),)
    result = Construct(attribute(_ACT), (("", code),)) if kind.act else code
    return Assign("x", result, declares), Return(local("x"))


def activate(layer: Layer, code: Code, *, in_place: bool = False) -> Construct:
    """Return an activation of a value as a forward pass writes it.

    Args:
        in_place: the value may be overwritten.
    """
    return _call_act(layer.callee, _list_changed(layer), code, in_place=in_place)


def _call_act(
    act: str, arguments: tuple[tuple[str, Argument], ...], code: Code, *, in_place: bool
) -> Construct:
    flag: tuple[tuple[str, Code], ...] = (("inplace", literal(value=True)),)
    words = tuple((name, literal(value)) for name, value in arguments)
    is_in_place = in_place and act in IN_PLACE
    return Construct(symbol(FUNCTIONS[act]), (("", code), *words, *(flag if is_in_place else ())))
