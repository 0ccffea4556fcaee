"""The initialisation of weights: in one loop over all layers, or at each layer's construction.

The loop is the way to write it by hand. It serves where all layers of a kind begin alike, but for a
few that the network can name. Otherwise each layer is initialised where it is made.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from inception_dsl.analysis import ForwardPlan, Holder
from inception_dsl.emit.python.code import (
    Atom,
    Block,
    Code,
    Construct,
    Evaluate,
    Statement,
    attribute,
    literal,
    local,
    symbol,
)
from inception_dsl.emit.python.naming import free_name
from inception_dsl.emit.python.torch_classes import BASES, Argument
from inception_dsl.emit.python.torch_table import NONLINEARITY, Layer
from inception_dsl.ir import BlockDef, CallDef, Model, NodeDef, Path

_CONV, _DECONV, _LINEAR = "nn.Conv2d", "nn.ConvTranspose2d", "nn.Linear"
_MAX_EXCEPTIONS = 8
"""Maximum number of layers that the network initialises by name."""


@dataclass(frozen=True, slots=True)
class Init:
    """The initialisation of a layer's weights and bias; empty where torch's default holds."""

    scheme: str = ""
    bias: Argument | None = None

    def __bool__(self) -> bool:
        return bool(self.scheme) or self.bias is not None

    def around(self, code: Code) -> Code:
        """Return a call that makes a module and initialises its weights."""
        if self.scheme:
            name, _, takes = self.scheme.partition(" ")
            code = Construct(symbol(f"_init_{name}"), (("", code), *_keyword(takes)))
        if self.bias is not None:
            code = Construct(symbol("_init_bias"), (("", code), ("", _number(self.bias))))
        return code


@dataclass(frozen=True, slots=True)
class LayerInits:
    """The initialisation of layers at their construction; empty if the network has a loop."""

    are_in_loop: bool

    def of(self, layers: tuple[Layer, ...]) -> Init:
        """Return the initialisation of a step at its construction."""
        return Init() if self.are_in_loop else init_of(layers)

    def common(self, inits: Iterable[Init]) -> Init:
        """Return the most frequent initialisation among the uses of a class, if every use has one.

        A use can override it with another one, but not with torch's default.
        """
        counts = Counter(inits)
        if not counts:
            return Init()
        common = counts.most_common(1)[0][0]
        all_say_it = all(
            (init.scheme or not common.scheme) and (init.bias is not None or common.bias is None)
            for init in counts
        )
        are_numbers = all(isinstance(init.bias, int | Decimal | None) for init in counts)
        return common if all_say_it and are_numbers else Init()


def init_of(layers: tuple[Layer, ...]) -> Init:
    """Return the initialisation of a step, which its first layer determines."""
    return Init(layers[0].init, layers[0].bias_init)


@dataclass(frozen=True, slots=True)
class Weighted:
    """A step whose first layer has weights, in the block that holds it."""

    block: BlockDef
    step: NodeDef
    layers: tuple[Layer, ...]

    @staticmethod
    def has_weights(layers: tuple[Layer, ...]) -> bool:
        """Tell whether the first of some layers is a convolution or a linear layer."""
        return layers[0].callee in BASES

    @property
    def kind(self) -> str:
        """The torch layer that holds its weights."""
        return BASES[self.layers[0].callee].holder

    @property
    def has_bias(self) -> bool:
        """The layer has a bias."""
        return dict(self.layers[0].arguments).get("bias") is not False

    @property
    def has_norm(self) -> bool:
        """The layer and a norm are children of one small class."""
        return any(layer.name != "act" for layer in self.layers[1:])

    @property
    def init(self) -> Init:
        """The initialisation of its weights and its bias."""
        return init_of(self.layers)


@dataclass(frozen=True, slots=True)
class Initialisation:
    """The initialisation of all weights of a network.

    Attributes:
        layers: the initialisation of layers at their construction.
        rules: the loop's initialisation of each kind of layer.
        exceptions: the layers with another initialisation, by their paths in the network.
    """

    layers: LayerInits
    rules: Mapping[str, _Rule]
    exceptions: Mapping[str, _Rule]

    def statements(self, bound: Iterable[str]) -> Iterator[Statement]:
        """Yield the statements that end the network's constructor.

        Args:
            bound: names that the constructor binds to other things.
        """
        by_rule: dict[_Rule, list[str]] = {}
        for kind, rule in self.rules.items():
            by_rule.setdefault(rule, []).append(kind)
        if by_rule:
            module = local(free_name("module", bound))
            heads = []
            for index, (rule, kinds) in enumerate(by_rule.items()):
                types = " | ".join(kinds)
                word = "elif" if index else "if"
                condition = f"{word} isinstance({module}, {types})"
                if rule.is_guard:
                    condition += f" and {_is_there(rule.bias_of(module))}"
                test = Atom(condition, module.reads, frozenset(["isinstance", "nn"]))
                inner = replace(rule, is_bias_sure=True) if rule.is_guard else rule
                heads.append(Block(test, tuple(inner.statements(module))))
            loop = Atom(f"for {module} in self.modules()", frozenset(["self"]))
            yield Block(loop, tuple(heads), binds=str(module))
        for path, rule in self.exceptions.items():
            yield from rule.statements(attribute(path))


@dataclass(frozen=True, slots=True)
class _Rule:
    """The initialisation of all layers of one kind.

    Attributes:
        init: the scheme of their weights and the value of their biases.
        is_bias_sure: the bias, if it is set, is known to be there.
        resets: begin as torch's layers do, after another rule has been applied.
    """

    init: Init
    is_bias_sure: bool
    resets: bool = False

    @property
    def is_guard(self) -> bool:
        """All of its statements are for layers that have a bias."""
        sets_only_the_bias = not (self.resets or self.init.scheme) and self.init.bias is not None
        return sets_only_the_bias and not self.is_bias_sure

    @staticmethod
    def bias_of(module: Atom) -> Atom:
        """Return the bias of a layer."""
        return Atom(f"{module}.bias", module.reads)

    def statements(self, module: Atom) -> Iterator[Statement]:
        """Yield the statements that initialise a layer."""
        weight = Atom(f"{module}.weight", module.reads)
        bias = self.bias_of(module)
        if self.resets:
            yield Evaluate(Construct(Atom(f"{module}.reset_parameters", module.reads)))
        if self.init.scheme:
            name, arguments = _torch_call(self.init.scheme)
            yield Evaluate(Construct(symbol(f"nn.init.{name}_"), (("", weight), *arguments)))
        if self.init.bias is not None:
            is_zero = self.init.bias == 0
            value = () if is_zero else (("", _number(self.init.bias)),)
            name = "nn.init.zeros_" if is_zero else "nn.init.constant_"
            fill = Evaluate(Construct(symbol(name), (("", bias), *value)))
            guard = Atom(f"if {_is_there(bias)}", module.reads)
            yield fill if self.is_bias_sure else Block(guard, (fill,))


def plan_initialisation(
    model: Model, plans: Mapping[str, ForwardPlan], steps: Sequence[Weighted]
) -> Initialisation:
    """Plan the initialisation of a network's weights.

    Args:
        steps: all steps that have weights of their own.
    """
    in_place = Initialisation(LayerInits(are_in_loop=False), {}, {})
    rules: dict[str, _Rule] = {}
    exceptions: dict[str, _Rule] = {}
    places = _Places(model, plans)
    for kind in (_CONV, _DECONV, _LINEAR):
        uses = [step for step in steps if step.kind == kind]
        if not all(isinstance(step.init.bias, int | Decimal | None) for step in uses):
            return in_place
        common = _common(uses)
        if common:
            # torch declares the bias of a conv optional, and a linear layer's may be missing.
            is_sure = common.bias is None or (kind == _LINEAR and all(s.has_bias for s in uses))
            rules[kind] = _Rule(common, is_sure)
        for step in uses:
            if _agrees(step, common):
                continue
            paths = places.of(step)
            if paths is None or len(exceptions) + len(paths) > _MAX_EXCEPTIONS:
                return in_place
            resets = bool(common.scheme and not step.init.scheme) or (
                common.bias is not None and step.has_bias and step.init.bias is None
            )
            init = step.init if resets else _beyond(step.init, common)
            rule = _Rule(init, kind == _LINEAR, resets)
            exceptions |= dict.fromkeys(paths, rule)
    return Initialisation(LayerInits(are_in_loop=True), rules, exceptions)


def _common(uses: Sequence[Weighted]) -> Init:
    """Return the most frequent scheme, and the most frequent bias of the layers that have one.

    Of equally frequent ones it is that of the later layer: the network's own come last.
    """
    if not uses:
        return Init()
    later_first = uses[::-1]
    scheme = Counter(step.init.scheme for step in later_first).most_common(1)[0][0]
    biases = Counter(s.init.bias for s in later_first if s.has_bias and s.init.scheme == scheme)
    return Init(scheme, biases.most_common(1)[0][0] if biases else None)


def _beyond(init: Init, common: Init) -> Init:
    """Return the part of a layer's initialisation that the loop has not done."""
    return Init(
        "" if init.scheme == common.scheme else init.scheme,
        None if init.bias == common.bias else init.bias,
    )


def _agrees(step: Weighted, common: Init) -> bool:
    init = step.init
    return init.scheme == common.scheme and (not step.has_bias or init.bias == common.bias)


class _Places:
    """The paths of steps in a network, as the attributes of its modules lead to them."""

    def __init__(self, model: Model, plans: Mapping[str, ForwardPlan]) -> None:
        self._plans = plans
        self._prefixes: dict[str, list[Path] | None] = {model.network.name: [Path()]}
        for block in reversed(model.blocks):  # callers before callees
            prefixes = self._prefixes.setdefault(block.name, [])
            for step in block.body:
                if isinstance(step, CallDef) and step.reuses is None:
                    self._prefixes[step.block] = self._extend(block, step, prefixes)

    def _extend(
        self, block: BlockDef, step: CallDef, prefixes: list[Path] | None
    ) -> list[Path] | None:
        known = self._prefixes.get(step.block, [])
        if known is None or prefixes is None or not self._has_attribute(block, step):
            return None
        paths = [*known, *(prefix / step.path for prefix in prefixes)]
        return paths if len(paths) <= _MAX_EXCEPTIONS else None

    def of(self, step: Weighted) -> list[str] | None:
        """Return the paths of a step's layer in the network; None where attributes lead to none."""
        prefixes = self._prefixes[step.block.name]
        is_one_layer = not BASES[step.layers[0].callee].children
        if prefixes is None or not is_one_layer or not self._has_attribute(step.block, step.step):
            return None
        layer = f".{step.layers[0].name}" if step.has_norm else ""
        return [f"{prefix / step.step.path}{layer}" for prefix in prefixes]

    def _has_attribute(self, block: BlockDef, step: NodeDef | CallDef) -> bool:
        """Tell whether attributes alone lead to the module of a step."""
        holder = self._plans[block.name].modules
        for name in step.path.names[:-1]:
            child = holder.children[name]
            if not isinstance(child, Holder) or child.is_chain:
                return False
            holder = child
        return step.count is None and step.when is None


def _is_there(bias: Atom) -> str:
    return f"{bias} is not None"


def _keyword(takes: str) -> list[tuple[str, Code]]:
    if not takes:
        return []
    return [("mode", literal(takes))] if takes.startswith("fan") else [("std", Atom(takes))]


def _torch_call(scheme: str) -> tuple[str, list[tuple[str, Code]]]:
    """Return torch's function of a scheme, without the underscore at its end, and its arguments."""
    name, _, takes = scheme.partition(" ")
    match name:
        case "truncated_normal":
            bound = 2 * Decimal(takes)
            bounds = [("a", literal(-bound)), ("b", literal(bound))]
            return "trunc_normal", [*_keyword(takes), *bounds]
        case "kaiming_normal" | "kaiming_uniform":
            return name, [*_keyword(takes), ("nonlinearity", literal(NONLINEARITY))]
        case _:
            return name, _keyword(takes)


def _number(value: Argument) -> Atom:
    return Atom(f"{value}.0") if isinstance(value, int) else literal(value)
