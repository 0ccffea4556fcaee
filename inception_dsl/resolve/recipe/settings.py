"""The text of each setting of a recipe, read to its value."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import partial
from typing import Literal, NamedTuple, cast, get_args

from inception_dsl.ir.learning_rate import (
    Cosine,
    Course,
    Decay,
    LearningRate,
    Length,
    Milestones,
    Number,
    Polynomial,
    Warmup,
)
from inception_dsl.ir.recipe import (
    DECAYED,
    NAMED,
    Adam,
    Augmentation,
    Average,
    Clip,
    DecayedKind,
    Ema,
    Normalisation,
    Optimizer,
    Polyak,
    Replicas,
    RmsProp,
    Sgd,
    WeightDecay,
)
from inception_dsl.ir.recipe_ranges import (
    AREA,
    ASPECT,
    COUNT,
    FACTOR,
    LOW_RATE,
    MEAN,
    MOMENT,
    PIXELS,
    POSITIVE,
    RATE,
    SHARE,
    STRENGTH,
    TURNS,
    Range,
)
from inception_dsl.resolve.recipe.reader import UNKNOWN, SettingReader

_ZERO, _ONE = Decimal(0), Decimal(1)


def read_count(reader: SettingReader) -> int:
    """Read `32`."""
    return reader.whole(reader.key, COUNT)


def read_replicas(reader: SettingReader) -> Replicas:
    """Read `20`, `20 (asynchronous)` or `unknown (asynchronous)`."""
    count = None if reader.take_if(UNKNOWN) else reader.whole("replicas", COUNT)
    words = reader.words("replicas", {"synchronous": _flag, "asynchronous": _flag})
    if len(words) == 2:
        again = reader.places["synchronous"]
        raise reader.contradiction("replicas are either synchronous or asynchronous", again)
    return Replicas(count, "synchronous" in words if words else None)


def read_optimizer(reader: SettingReader) -> Optimizer:
    """Read `sgd (...)`, `rmsprop (...)`, `adam (...)` or `adamw (...)`."""
    name = reader.choose("an optimizer", _OPTIMIZERS).text
    return _OPTIMIZERS[name](reader)


def _read_sgd(reader: SettingReader) -> Sgd:
    words = reader.words("sgd", {"momentum": _number(reader, "momentum"), "nesterov": _flag})
    optimizer = Sgd(_decimal(words, "momentum", _ZERO), "nesterov" in words)
    if optimizer.is_nesterov and optimizer.momentum == 0:
        place = reader.places["nesterov"]
        raise reader.contradiction("`nesterov` needs a `momentum` above 0", place)
    return optimizer


def _read_rmsprop(reader: SettingReader) -> RmsProp:
    flags = dict.fromkeys(("inside_root", "outside_root", "centered"), _flag)
    numbers = {name: _number(reader, name) for name in ("decay", "momentum")}
    words = reader.words("rmsprop", {**numbers, "eps": _number(reader, "eps", POSITIVE), **flags})
    for name, example in (("decay", "decay 0.9"), ("eps", "eps 1e-8")):
        if name not in words:
            help = f"tools differ in it: write `{example}`, or `{name} unknown`"
            raise reader.lacks("rmsprop", name, help)
    if "inside_root" in words and "outside_root" in words:
        place = reader.places["outside_root"]
        raise reader.contradiction("epsilon is added inside the root or outside of it", place)
    if "inside_root" not in words and "outside_root" not in words:
        help = "say `inside_root` for TensorFlow's epsilon, `outside_root` for torch's"
        raise reader.lacks("rmsprop", "inside_root", help)
    return RmsProp(
        decay=_decimal(words, "decay", _ZERO),
        momentum=_decimal(words, "momentum", _ZERO),
        eps=_decimal(words, "eps", _ZERO),
        is_inside_root="inside_root" in words,
        is_centered="centered" in words,
    )


def _read_adam(reader: SettingReader, *, is_decoupled: bool) -> Adam:
    usual = Adam()
    words = reader.words(
        "adamw" if is_decoupled else "adam",
        {
            "beta1": _number(reader, "beta1"),
            "beta2": _number(reader, "beta2"),
            "eps": _number(reader, "eps", POSITIVE),
        },
    )
    return Adam(
        _decimal(words, "beta1", usual.beta1),
        _decimal(words, "beta2", usual.beta2),
        _decimal(words, "eps", usual.eps),
        is_decoupled,
    )


_OPTIMIZERS: dict[str, Callable[[SettingReader], Optimizer]] = {
    "sgd": _read_sgd,
    "rmsprop": _read_rmsprop,
    "adam": partial(_read_adam, is_decoupled=False),
    "adamw": partial(_read_adam, is_decoupled=True),
}


def read_learning_rate(reader: SettingReader) -> LearningRate:
    """Read `0.045 x 0.94 every 2 epochs`, `0.1 cosine (warmup 5 epochs)` and the like."""
    first = reader.number("learning_rate", RATE)
    course: Course | None = None
    owner, choices = "learning_rate", dict[str, Callable[[], object]]()
    if reader.take_if("x"):
        factor = reader.number("x", FACTOR)
        owner = reader.choose("a moment", ("every", "at")).text
        if owner == "every":
            course = Decay(factor, reader.length("every"))
            choices["continuous"] = _flag
        else:
            course = _read_milestones(reader, factor)
    elif reader.peek().kind not in ("end", "symbol"):
        owner = reader.choose("a course of the rate", ("x", "cosine", "polynomial")).text
        course = Cosine() if owner == "cosine" else Polynomial(None)
        choices["to"] = partial(reader.known_number, "to", LOW_RATE)
        if owner == "polynomial":
            choices["power"] = _number(reader, "power", POSITIVE)
    choices["warmup"] = partial(reader.length, "warmup")
    choices["from"] = partial(reader.known_number, "from", LOW_RATE)
    words = reader.words(owner, choices)
    if owner == "polynomial" and "power" not in words:
        raise reader.lacks("polynomial", "power", "a straight line is `polynomial (power 1)`")
    if "from" in words and "warmup" not in words:
        raise reader.contradiction(
            "`from` is of a `warmup`, and there is none", reader.places["from"]
        )
    end = _decimal(words, "to", _ZERO) or _ZERO
    match course:
        case Decay():
            course = course._replace(is_continuous="continuous" in words)
        case Cosine():
            course = Cosine(end)
        case Polynomial():
            course = Polynomial(_decimal(words, "power", None), end)
    warmup = None
    if "warmup" in words:
        start = _decimal(words, "from", _ZERO) or _ZERO
        warmup = Warmup(cast(Length, words["warmup"]), start)
    _check_rates(reader, first, {"to": end, "from": warmup.start if warmup else _ZERO})
    return LearningRate(first, course, warmup)


def _check_rates(
    reader: SettingReader, first: Decimal | None, rates: Mapping[str, Decimal]
) -> None:
    """Refuse a rate that a falling course ends with, or a warm-up begins with, above the first."""
    for name, rate in rates.items():
        if first is not None and name in reader.places and rate > first:
            message = f"`{name}` is above the learning rate itself"
            raise reader.contradiction(message, reader.places[name])


def _read_milestones(reader: SettingReader, factor: Decimal | None) -> Milestones:
    """Read the moments behind `at`, with their unit."""
    moments: list[int] = []
    range = MOMENT
    while reader.peek().kind == "number" or not moments:
        token = reader.peek()
        moments.append(reader.whole("at", range))
        if moments[1:] and moments[-1] <= moments[-2]:
            raise reader.error("E211", "the moments behind `at` grow", token)
    return Milestones(factor, tuple(moments), reader.unit("at"))


def read_label_smoothing(reader: SettingReader) -> Decimal:
    """Read `0.1`."""
    return reader.known_number("label_smoothing", FACTOR)


def read_clip(reader: SettingReader) -> Clip:
    """Read `norm 2.0` or `value 0.5`."""
    token = reader.peek()
    if token.kind == "number":
        message = "nothing says what is clipped: the `norm` of all gradients, or each `value`"
        raise reader.error("E204", message, token, instead=f"norm {token.text}")
    kind = reader.choose("what is clipped", ("norm", "value")).text
    return Clip(cast(Literal["norm", "value"], kind), reader.number(kind, POSITIVE))


def read_weight_decay(reader: SettingReader) -> WeightDecay:
    """Read `4e-5 (weights)`: the rate, and the parameters that decay."""
    token = reader.peek()
    rate = reader.number("weight_decay", FACTOR)
    words = reader.words("weight_decay", dict.fromkeys((*DECAYED, "all", UNKNOWN), _flag))
    if not words:
        help = "`(weights)` are those of convs and linears, `(all)` are biases and norms, too"
        raise reader.error("E204", "nothing says which parameters decay", token, help)
    for word in ("all", UNKNOWN):
        if word in words and len(words) > 1:
            raise reader.contradiction(f"`{word}` stands alone", reader.places[word])
    if UNKNOWN in words:
        return WeightDecay(rate, None)
    kinds = (kind for kind in get_args(DecayedKind) if kind in words or "all" in words)
    return WeightDecay(rate, tuple(kinds))


def read_average(reader: SettingReader) -> Average:
    """Read `ema 0.9999`, `ema 0.9999 (rising)`, `polyak` or `polyak (from 10 epochs)`."""
    name = reader.choose("an average", ("ema", "polyak")).text
    if name == "ema":
        decay = reader.number("ema", FACTOR)
        return Ema(decay, "rising" in reader.words("ema", {"rising": _flag}))
    words = reader.words("polyak", {"from": partial(reader.length, "from")})
    return Polyak(cast("Length | None", words.get("from")))


class _Change(NamedTuple):
    """The words of a kind of augmentation, with their readers."""

    pairs: tuple[str, ...] = ()
    pixels: tuple[str, ...] = ()


_CHANGES = {
    "inception": _Change(pairs=("area", "aspect")),
    "crop": _Change(pixels=("resize",)),
    "shift": _Change(pixels=("pad",)),
}


def read_augmentation(reader: SettingReader) -> Augmentation:
    """Read `inception`, `crop (resize 256)`, `shift (pad 4 no_mirror)` and the like."""
    name = reader.choose("an augmentation", NAMED).text
    usual, change = NAMED[name], _CHANGES[name]
    ranges = {"area": AREA, "aspect": ASPECT}
    choices: dict[str, Callable[[], object]] = {}
    choices |= {word: partial(reader.pair, word, ranges[word]) for word in change.pairs}
    choices |= {word: partial(reader.whole, word, PIXELS) for word in change.pixels}
    choices |= {"no_mirror": _flag, "no_photometric": _flag}
    for colour in usual.colours:
        range = TURNS if colour == "hue" else STRENGTH
        choices[colour] = partial(reader.fraction, colour, range)
    words = reader.words(name, choices)
    plain = "no_photometric" in words
    coloured = next((colour for colour in usual.colours if colour in words), None)
    if plain and coloured is not None:
        message = f"`no_photometric` says that no colour changes, and `{coloured}` changes one"
        raise reader.contradiction(message, reader.places["no_photometric"])
    colours = {
        colour: _ZERO if plain else cast(Number, words.get(colour, strength))
        for colour, strength in usual.colours.items()
    }
    return Augmentation(
        usual.name,
        area=cast("tuple[Number, Number] | None", words.get("area", usual.area)),
        aspect=cast("tuple[Number, Number] | None", words.get("aspect", usual.aspect)),
        resize=cast("int | None", words.get("resize", usual.resize)),
        pad=cast("int | None", words.get("pad", usual.pad)),
        mirrors="no_mirror" not in words,
        **colours,
    )


def read_normalisation(reader: SettingReader) -> Normalisation:
    """Read `mean 0.5 std 0.5`, one number for all channels or one for each."""
    reader.expect("mean", "mean 0.5 std 0.5")
    mean = reader.numbers("mean", MEAN)
    reader.expect("std", "mean 0.5 std 0.5")
    std = reader.numbers("std", POSITIVE)
    if len(mean) != len(std):
        message = f"`mean` has {len(mean)} numbers, and `std` has {len(std)}"
        raise reader.contradiction(message, reader.span)
    return Normalisation(mean, std)


def _flag() -> bool:
    return True


def _number(reader: SettingReader, name: str, range: Range = SHARE) -> Callable[[], Decimal | None]:
    return partial(reader.number, name, range)


def _decimal(words: Mapping[str, object], name: str, usual: Decimal | None) -> Decimal | None:
    return cast("Decimal | None", words.get(name, usual))
