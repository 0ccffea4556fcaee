"""The facts of a recipe: the training of a network, as its source tells it.

A recipe is data; `docs/training.md` has the formula of every setting. A model without a recipe, and
every command on it, never imports this module. None stands for a number that the source leaves
open. `str` of a value prints it as a spec writes it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from typing import Generic, Literal, NamedTuple, TypeVar

from inception_dsl.ir.learning_rate import LearningRate, Length, Number, write_call, write_number
from inception_dsl.ir.model import Origin

T_co = TypeVar("T_co", covariant=True)

DecayedKind = Literal["weights", "biases", "norms"]
"""Parameters that weight decay reaches: the weights of convs and linears, the biases of both, and
all parameters of norms."""

DECAYED: tuple[DecayedKind, ...] = ("weights", "biases", "norms")
"""All kinds of parameters, in the order in which a spec is printed."""


@dataclass(frozen=True)  # without slots: `RecipeSetting[int](32)` notes its own type
class RecipeSetting(Generic[T_co]):
    """A setting of a recipe: its value, who says so, and where.

    Attributes:
        value: the value; None if the recipe has none, or leaves it open.
        is_unknown: whether the source leaves it open. A setting that is neither known nor unknown
            is not there: the training does without it.
        source: the source of this setting; None for that of the whole recipe.
        origin: the line that wrote it; empty if none did.
    """

    value: T_co | None = None
    is_unknown: bool = False
    source: str | None = field(default=None, compare=False)
    origin: Origin = field(default_factory=Origin, compare=False)

    def __str__(self) -> str:
        """Print the value as a spec writes it."""
        if self.value is None:
            return "unknown" if self.is_unknown else "none"
        return write_number(self.value) if isinstance(self.value, Decimal) else str(self.value)


@dataclass(frozen=True, slots=True)
class Replicas:
    """Processes that train one network together, each on batches of its own.

    Attributes:
        count: their number; None if the source leaves it open.
        is_synchronous: whether one step takes the mean of their gradients. Asynchronous ones each
            change the common weights by their own. None if nothing is said.
    """

    count: int | None
    is_synchronous: bool | None = None

    def __str__(self) -> str:
        """Print the replicas: `20 (asynchronous)`."""
        number = "unknown" if self.count is None else str(self.count)
        if self.is_synchronous is None:
            return number
        return f"{number} ({'' if self.is_synchronous else 'a'}synchronous)"


class Sgd(NamedTuple):
    """Stochastic gradient descent: `v <- momentum v + g; w <- w - rate v`, as torch has it.

    With `is_nesterov` the step is `w <- w - rate (g + momentum v)`.
    """

    momentum: Decimal | None = Decimal(0)
    is_nesterov: bool = False

    def __str__(self) -> str:
        """Print the optimizer: `sgd (momentum 0.9 nesterov)`."""
        words = [] if self.momentum == 0 else [f"momentum {write_number(self.momentum)}"]
        words += ["nesterov"] if self.is_nesterov else []
        return write_call("sgd", words)


class RmsProp(NamedTuple):
    """RMSProp: `s <- decay s + (1 - decay) g^2`, and a step of `rate g` over the root of `s`.

    Attributes:
        momentum: of the steps; 0 for none.
        is_inside_root: epsilon is added to `s` before the root, as TensorFlow does. Else it is
            added to the root, as torch does.
        is_centered: the variance of the gradient stands in the place of `s`.
    """

    decay: Decimal | None
    momentum: Decimal | None
    eps: Decimal | None
    is_inside_root: bool
    is_centered: bool = False

    def __str__(self) -> str:
        """Print the optimizer: `rmsprop (decay 0.9 momentum 0.9 eps 1.0 inside_root)`."""
        words = [f"decay {write_number(self.decay)}"]
        words += [] if self.momentum == 0 else [f"momentum {write_number(self.momentum)}"]
        words += [f"eps {write_number(self.eps)}"]
        words += ["inside_root" if self.is_inside_root else "outside_root"]
        words += ["centered"] if self.is_centered else []
        return write_call("rmsprop", words)


class Adam(NamedTuple):
    """Adam, or AdamW if `is_decoupled`, which decays the weights beside the gradient.

    Source: arXiv:1412.6980, Algorithm 1, with its numbers for those that are not said.
    """

    beta1: Decimal | None = Decimal("0.9")
    beta2: Decimal | None = Decimal("0.999")
    eps: Decimal | None = Decimal("1e-8")
    is_decoupled: bool = False

    def __str__(self) -> str:
        """Print the optimizer: `adamw (beta2 0.95)`."""
        usual = Adam(is_decoupled=self.is_decoupled)
        words = [
            f"{name} {write_number(value)}"
            for name in ("beta1", "beta2", "eps")
            if (value := getattr(self, name)) != getattr(usual, name)
        ]
        return write_call("adamw" if self.is_decoupled else "adam", words)


Optimizer = Sgd | RmsProp | Adam


class Clip(NamedTuple):
    """A bound on the gradients: on the norm of all together, or on each value."""

    kind: Literal["norm", "value"]
    bound: Decimal | None

    def __str__(self) -> str:
        """Print the bound: `norm 2.0`."""
        return f"{self.kind} {write_number(self.bound)}"


class WeightDecay(NamedTuple):
    """Weight decay: `rate w` is added to the gradient of a weight `w`.

    AdamW takes `learning rate * rate * w` from the weight instead.

    Attributes:
        rate: the rate; None if the source leaves it open.
        of: the parameters that decay; None if the source leaves it open.
    """

    rate: Decimal | None
    of: tuple[DecayedKind, ...] | None

    def __str__(self) -> str:
        """Print the decay: `4e-5 (weights)`."""
        kinds: list[str] = ["unknown"] if self.of is None else list(self.of)
        return write_call(write_number(self.rate), ["all"] if self.of == DECAYED else kinds)


class Ema(NamedTuple):
    """The exponential average of the weights: `a <- decay a + (1 - decay) w` after each step.

    Attributes:
        is_rising: step `n`, counted from 0, has at most the decay `(1 + n) / (10 + n)`.
    """

    decay: Decimal | None
    is_rising: bool = False

    def __str__(self) -> str:
        """Print the average: `ema 0.9999`."""
        return write_call(f"ema {write_number(self.decay)}", ["rising"] if self.is_rising else [])


class Polyak(NamedTuple):
    """The mean of the weights after each step from `start` on; from the first if it is None."""

    start: Length | None = None

    def __str__(self) -> str:
        """Print the average: `polyak (from 10 epochs)`."""
        return write_call("polyak", [] if self.start is None else [f"from {self.start}"])


Average = Ema | Polyak


class Augmentation(NamedTuple):
    """The random changes of a training image, in the order of the attributes.

    Attributes:
        name: `inception`, `crop` or `shift`.
        area: of `inception`: the smallest and the largest share of the image's area that is cut
            out, and then resized to the input.
        aspect: of `inception`: the smallest and the largest ratio of its width to its height.
        resize: of `crop`: the shorter side of the image, in pixels, before the input is cut out.
        pad: of `shift`: the pixels of zeros on each side, before the input is cut out.
        mirrors: every second image is mirrored, left to right.
        brightness, contrast, saturation: the factor is drawn from `1 - b` to `1 + b`; 0 for none.
        hue: the shift is drawn from `-h` to `h`, in turns of the circle of colours.
    """

    name: Literal["inception", "crop", "shift"]
    area: tuple[Number, Number] | None = None
    aspect: tuple[Number, Number] | None = None
    resize: int | None = None
    pad: int | None = None
    mirrors: bool = True
    brightness: Number = Decimal(0)
    contrast: Number = Decimal(0)
    saturation: Number = Decimal(0)
    hue: Number = Decimal(0)

    def __str__(self) -> str:
        """Print the name, and what differs from the changes of that name."""
        usual, words = NAMED[self.name], list[str]()
        for name in ("area", "aspect"):
            pair = getattr(self, name)
            if pair is not None and pair != getattr(usual, name):
                words.append(f"{name} {write_number(pair[0])} to {write_number(pair[1])}")
        for name in ("resize", "pad"):
            if (pixels := getattr(self, name)) not in (None, getattr(usual, name)):
                words.append(f"{name} {pixels}")
        words += [] if self.mirrors else ["no_mirror"]
        changed = {n: value for n, value in self.colours.items() if value != usual.colours[n]}
        if changed and not any(self.colours.values()):
            words.append("no_photometric")
        else:
            words += [f"{name} {write_number(value)}" for name, value in changed.items()]
        return write_call(self.name, words)

    @property
    def colours(self) -> dict[str, Number]:
        """The strength of each change of colours; 0 for one that is not made."""
        return {
            "brightness": self.brightness,
            "contrast": self.contrast,
            "saturation": self.saturation,
            "hue": self.hue,
        }


NAMED = {
    "inception": Augmentation(
        "inception",
        area=(Decimal("0.08"), Decimal(1)),
        aspect=(Fraction(3, 4), Fraction(4, 3)),
        brightness=Fraction(32, 255),
        contrast=Decimal("0.5"),
        saturation=Decimal("0.5"),
        hue=Decimal("0.2"),
    ),
    "crop": Augmentation("crop", resize=256),
    "shift": Augmentation("shift", pad=4),
}
"""The changes of images that have a name.

Source: of `inception` arXiv:1409.4842, Section 6, with the colours of the authors' code,
`inception/image_processing.py` of tensorflow/models; of `crop` Krizhevsky et al., 2012, Section
4.1; of `shift` arXiv:1512.03385, Section 4.2.
"""


class Normalisation(NamedTuple):
    """The input of the network: `(pixel - mean) / std`, where pixels go from 0 to 1.

    Attributes:
        mean, std: one number for each channel, or a single one for all.
    """

    mean: tuple[Number, ...]
    std: tuple[Number, ...]

    def __str__(self) -> str:
        """Print the numbers: `mean 0.5 std 0.5`."""
        mean, std = (" ".join(map(write_number, numbers)) for numbers in (self.mean, self.std))
        return f"mean {mean} std {std}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """The training of a network, as its source tells it.

    The first four settings have a value, or are unknown. Any other may be missing.

    Attributes:
        source: the source of all settings that name none.
        batch: images in a batch of one replica.
        epochs: passes over all training images.
        label_smoothing: the share of a label that goes to all classes evenly.
        origin: the line of its key.
    """

    source: str | None
    optimizer: RecipeSetting[Optimizer]
    learning_rate: RecipeSetting[LearningRate]
    batch: RecipeSetting[int]
    epochs: RecipeSetting[int]
    replicas: RecipeSetting[Replicas] = RecipeSetting()
    label_smoothing: RecipeSetting[Decimal] = RecipeSetting()
    clip: RecipeSetting[Clip] = RecipeSetting()
    weight_decay: RecipeSetting[WeightDecay] = RecipeSetting()
    average: RecipeSetting[Average] = RecipeSetting()
    augment: RecipeSetting[Augmentation] = RecipeSetting()
    normalise: RecipeSetting[Normalisation] = RecipeSetting()
    origin: Origin = field(default_factory=Origin, compare=False)

    def source_of(self, name: str) -> str | None:
        """Return the source of a setting: its own, else that of the recipe."""
        return self.settings[name].source or self.source

    @property
    def settings(self) -> dict[str, RecipeSetting[object]]:
        """The settings by the keys of a spec, in the order in which a spec is printed."""
        return {name: getattr(self, name) for name in SETTINGS}


SETTINGS = (
    "batch",
    "replicas",
    "epochs",
    "optimizer",
    "learning_rate",
    "label_smoothing",
    "clip",
    "weight_decay",
    "average",
    "augment",
    "normalise",
)
"""The keys of a recipe besides its source."""


@dataclass(frozen=True, slots=True)
class Result:
    """An error that a source reports of the trained network.

    Attributes:
        measure: `top1_error` or `top5_error`.
        percent: the error.
        crops: the crops of an image over which the outputs are averaged; None if nothing is said.
        networks: the networks over which they are averaged.
        split: the images; None if nothing is said.
        source: the source that reports it.
        origin: the line of the value, then the line of its entry.
    """

    measure: Literal["top1_error", "top5_error"]
    percent: Decimal
    crops: int | None
    networks: int
    split: Literal["validation", "test"] | None
    source: str | None
    origin: Origin = field(default_factory=Origin, compare=False)
