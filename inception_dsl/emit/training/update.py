"""An update of a training script: optimizer, loss, bound on the gradients, and average."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from inception_dsl.analysis.state import measure_state
from inception_dsl.emit.training.options import Options, Section, break_call, write_literal
from inception_dsl.ir import Model
from inception_dsl.ir.learning_rate import Length
from inception_dsl.ir.recipe import (
    DECAYED,
    Adam,
    DecayedKind,
    Ema,
    Polyak,
    Recipe,
    RmsProp,
    Sgd,
    WeightDecay,
)
from inception_dsl.ir.recipe_ranges import FACTOR, LENGTH, POSITIVE, SHARE, Range

_IGNORE = "  # type: ignore[no-untyped-call]"
"""torch gives the functions of averages no types."""

_LAYERS = "(nn.Conv1d, nn.Conv2d, nn.ConvTranspose2d, nn.Linear)"
_NORMS = "(nn.BatchNorm1d, nn.BatchNorm2d, nn.GroupNorm, nn.InstanceNorm2d, nn.LayerNorm)"

_DECAYS: dict[tuple[DecayedKind, ...], tuple[str, str]] = {
    ("weights",): (_LAYERS, 'isinstance(layer, layers) and name == "weight"'),
    ("biases",): (_LAYERS, 'isinstance(layer, layers) and name == "bias"'),
    ("norms",): (_NORMS, "isinstance(layer, layers)"),
    ("weights", "biases"): (_LAYERS, "isinstance(layer, layers)"),
    ("weights", "norms"): (_LAYERS, 'not (isinstance(layer, layers) and name == "bias")'),
    ("biases", "norms"): (_LAYERS, 'not (isinstance(layer, layers) and name == "weight")'),
}
"""The layers that weight decay asks for, and its condition, by the parameters that it reaches."""


@dataclass(frozen=True, slots=True)
class OptimizerCode:
    """The function that makes the optimizer.

    Attributes:
        is_timm: it is timm's RMSProp.
    """

    doc: str
    body: tuple[str, ...]
    is_timm: bool


def write_optimizer(model: Model, recipe: Recipe, options: Options) -> OptimizerCode:
    """Write the optimizer of a recipe, with its weight decay."""
    made = recipe.optimizer.value
    assert made is not None
    callee, doc, arguments = _name_optimizer(made, options)
    decay = recipe.weight_decay.value
    of = DECAYED if decay is None or decay.of is None else decay.of
    rate = _write_decay(decay, options)
    lines: list[str] = []
    if of == DECAYED:
        arguments.insert(0, "network.parameters()")
        is_told = decay is not None or isinstance(made, Adam)  # AdamW decays unless it is told
        arguments += [f"weight_decay={rate}"] * is_told
    else:
        arguments.insert(0, "groups")
        lines += _split(model, of)
        lines += ["groups: list[dict[str, Any]] = ["]
        lines += [f'    {{"params": decayed, "weight_decay": {rate}}},']
        lines += ['    {"params": others, "weight_decay": 0},', "]"]
    lines += break_call(f"return {callee}", arguments)
    is_timm = isinstance(made, RmsProp) and made.is_inside_root
    return OptimizerCode(doc, tuple(lines), is_timm)


def _split(model: Model, of: tuple[DecayedKind, ...]) -> Iterator[str]:
    """Yield the statements that split the parameters into those that decay and the others."""
    tensors = measure_state(model.graph).values()
    if of == ("weights",) and all((t.role in _WEIGHTS) == (len(t.shape) > 1) for t in tensors):
        for name, sign in (("decayed", ">"), ("others", "<=")):
            yield f"{name} = [weight for weight in network.parameters() if weight.ndim {sign} 1]"
        return
    layers, condition = _DECAYS[of]
    yield f"layers = {layers}"
    yield "decayed: list[Tensor] = []"
    yield "others: list[Tensor] = []"
    yield "for layer in network.modules():"
    yield "    for name, parameter in layer.named_parameters(recurse=False):"
    yield f"        is_decayed = {condition}"
    yield "        (decayed if is_decayed else others).append(parameter)"


_WEIGHTS = {"weight", "inner weight"}
"""The roles of the weights of convs and linears."""


def _write_decay(decay: WeightDecay | None, options: Options) -> str:
    if decay is None:
        return "0"
    return options.write(
        decay.rate, "weight_decay", "rate of the weight decay", "optimizer", FACTOR
    )


def _name_optimizer(made: Sgd | RmsProp | Adam, options: Options) -> tuple[str, str, list[str]]:
    """Return the class of an optimizer, a docstring, and its arguments besides the weights."""

    def write(number: Decimal | None, option: str, range: Range = SHARE) -> str:
        return options.write(number, option, f"{option} of the optimizer", "optimizer", range)

    def keyword(name: str, number: Decimal | None, option: str, range: Range = SHARE) -> str:
        return f"{name}={write(number, option, range)}"

    match made:
        case Sgd(momentum, is_nesterov):
            range = FACTOR if is_nesterov else SHARE
            arguments = [] if momentum == 0 else [keyword("momentum", momentum, "momentum", range)]
            arguments += ["nesterov=True"] * is_nesterov
            return "torch.optim.SGD", "Make stochastic gradient descent.", arguments
        case RmsProp():
            arguments = [keyword("alpha", made.decay, "decay")]
            if made.momentum != 0:
                arguments.append(keyword("momentum", made.momentum, "momentum"))
            arguments.append(keyword("eps", made.eps, "eps", POSITIVE))
            arguments += ["centered=True"] * made.is_centered
            if made.is_inside_root:
                doc = "Make TensorFlow's RMSProp, which adds epsilon inside the root."
                return "RMSpropTF", doc, arguments
            return "torch.optim.RMSprop", "Make RMSProp, with epsilon beside the root.", arguments
        case Adam():
            betas = f"{write(made.beta1, 'beta1')}, {write(made.beta2, 'beta2')}"
            arguments = [f"betas=({betas})", keyword("eps", made.eps, "eps", POSITIVE)]
            name = "AdamW" if made.is_decoupled else "Adam"
            return f"torch.optim.{name}", f"Make {name}.", arguments


@dataclass(frozen=True, slots=True)
class LossCode:
    """The function that measures the loss: the type of the outputs, and its body."""

    doc: str
    type: str
    body: tuple[str, ...]


def write_loss(model: Model, recipe: Recipe, options: Options) -> LossCode:
    """Write the loss of a model, with those of its training heads by their weights."""
    smoothing = ""
    if recipe.label_smoothing.value is not None:
        smoothing = f", label_smoothing={write_literal(recipe.label_smoothing.value)}"
    if not model.heads:
        line = f"return F.cross_entropy(outputs, labels{smoothing})"
        return LossCode("Measure the loss of the logits.", "Tensor", (line,))
    lines = [f"loss = F.cross_entropy(outputs.logits, labels{smoothing})"]
    for head in model.heads:
        callee = f"loss = loss + {write_literal(head.loss_weight)} * F.cross_entropy"
        arguments = [f"outputs.{head.path}", *f"labels{smoothing}".split(", ")]
        lines += break_call(callee, arguments)
    several = "training heads" if len(model.heads) > 1 else "training head"
    doc = f"Add up the losses of the logits and of the {several}."
    return LossCode(doc, "Any", (*lines, "return loss"))


def write_clip(recipe: Recipe, options: Options) -> str:
    """Write the bound on the gradients; empty if there is none."""
    clip = recipe.clip.value
    if clip is None:
        return ""
    bound = options.write(clip.bound, "clip", "bound on the gradients", _TRAINING, POSITIVE)
    return f"nn.utils.clip_grad_{clip.kind}_(self.network.parameters(), {bound})"


_TRAINING: Section = "training"


@dataclass(frozen=True, slots=True)
class AverageCode:
    """The average of the weights: the function of torch, how it is made, and how updated."""

    function: str
    made: tuple[str, ...]
    updated: tuple[str, ...]


def write_average(recipe: Recipe, options: Options, *, has_statistics: bool) -> AverageCode | None:
    """Write the average of a recipe; None if it has none.

    Args:
        has_statistics: whether norms keep statistics, which are averaged, too.
    """
    too = ", use_buffers=True" * has_statistics
    update = "self.average.update_parameters(self.network)"
    match recipe.average.value:
        case None:
            return None
        case Ema(decay, is_rising):
            number = options.write(decay, "ema", "decay of the average", _TRAINING, FACTOR)
            function = "get_ema_multi_avg_fn"
            if not is_rising:
                made: tuple[str, ...] = (
                    f"ema = {function}({number}){_IGNORE}",
                    f"self.average = AveragedModel(self.network, multi_avg_fn=ema{too})",
                    f"{update}  # it begins at the initial weights",
                )
                return AverageCode(function, made, (update,))
            made = (
                f"self.average = AveragedModel(self.network{too})",
                f"{update}  # it begins at the initial weights",
            )
            updated = (
                f"decay = min({number}, (1 + self.step) / (10 + self.step))",
                f"self.average.multi_avg_fn = {function}(decay){_IGNORE}",
                update,
            )
            return AverageCode(function, made, updated)
        case Polyak(start):
            function = "get_swa_avg_fn"  # the one for several tensors divides no counters
            made = (
                f"mean = {function}(){_IGNORE}",
                f"self.average = AveragedModel(self.network, avg_fn=mean{too})",
            )
            return AverageCode(function, made, (*_write_start(start, options), update))


def _write_start(start: Length | None, options: Options) -> Iterator[str]:
    if start is not None:
        help = f"{start.unit} before the average begins"
        moment = options.write(start.amount, "average_from", help, _TRAINING, LENGTH)
        steps = f"{moment} * self.epoch_steps" if start.unit == "epochs" else moment
        yield f"if self.step <= {steps}:  # until then, it is the weights themselves"
        yield "    self.average.n_averaged.zero_()"
