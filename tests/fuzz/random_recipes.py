"""Random recipes: facts of every kind, from which a test writes the `training` of a spec."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import TypeVar, get_args

from hypothesis import strategies as st

from inception_dsl.ir.learning_rate import (
    Cosine,
    Course,
    Decay,
    LearningRate,
    Length,
    Milestones,
    Number,
    Polynomial,
    Unit,
    Warmup,
)
from inception_dsl.ir.recipe import (
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
    Recipe,
    RecipeSetting,
    Replicas,
    RmsProp,
    Sgd,
    WeightDecay,
)

T = TypeVar("T")

TEXT = """\
inception: 1
name: net
input: 32x32x3
network: [global avgpool, linear (10)]
training:
"""

EPOCHS = 1000
"""The epochs of every random training, so that all lengths fit into it."""


def decimals(low: str, high: str, *, places: int = 9) -> st.SearchStrategy[Decimal]:
    """Draw exact numbers between two, without the ends."""
    unit = Decimal(10) ** -places
    numbers = st.decimals(Decimal(low) + unit, Decimal(high) - unit, places=places)
    return numbers.map(lambda number: number.normalize())


def _or_open(numbers: st.SearchStrategy[T]) -> st.SearchStrategy[T | None]:
    """Draw a number, or None for one that the source leaves open."""
    return st.one_of(st.none(), numbers)


SHARES = decimals("0", "1")
UNITS = st.sampled_from(get_args(Unit))
POSITIVE = decimals("0", "1000")
FRACTIONS: st.SearchStrategy[Number] = st.one_of(
    SHARES, st.fractions(Fraction(1, 50), Fraction(49, 50), max_denominator=100)
)
LENGTHS = st.builds(Length, _or_open(decimals("0", "100", places=2)), UNITS)


@st.composite
def _rates(draw: st.DrawFn) -> LearningRate:
    first = draw(_or_open(decimals("1", "10", places=4)))
    warmup = draw(_or_open(st.builds(Warmup, LENGTHS, st.one_of(st.just(Decimal(0)), SHARES))))
    moments = st.lists(st.integers(101, 900), min_size=1, max_size=5, unique=True)
    ends = st.one_of(st.just(Decimal(0)), SHARES)
    course: Course | None = draw(
        st.one_of(
            st.none(),
            st.builds(Decay, _or_open(SHARES), LENGTHS, st.booleans()),
            st.builds(Milestones, _or_open(SHARES), moments.map(lambda m: tuple(sorted(m))), UNITS),
            st.builds(Cosine, ends),
            st.builds(Polynomial, _or_open(POSITIVE), ends),
        )
    )
    return LearningRate(first, course, warmup)


@st.composite
def _augmentations(draw: st.DrawFn) -> Augmentation:
    usual = NAMED[draw(st.sampled_from(sorted(NAMED)))]
    pairs = st.tuples(FRACTIONS, FRACTIONS).map(lambda pair: (min(pair), max(pair)))
    pixels = st.integers(32, 1000)  # of the input at least
    colours = {name: draw(st.one_of(st.just(Decimal(0)), FRACTIONS)) for name in usual.colours}
    colours["hue"] = draw(st.one_of(st.just(Decimal(0)), decimals("0", "0.5")))
    return Augmentation(
        usual.name,
        area=draw(pairs) if usual.area else None,
        aspect=draw(pairs) if usual.aspect else None,
        resize=draw(pixels) if usual.resize else None,
        pad=draw(pixels) if usual.pad else None,
        mirrors=draw(st.booleans()),
        **colours,
    )


@st.composite
def _normalisations(draw: st.DrawFn) -> Normalisation:
    count = draw(st.sampled_from([1, 3]))
    mean = draw(st.lists(FRACTIONS, min_size=count, max_size=count))
    std = draw(st.lists(FRACTIONS, min_size=count, max_size=count))
    return Normalisation(tuple(mean), tuple(std))


OPTIMIZERS: st.SearchStrategy[Optimizer] = st.one_of(
    st.builds(Sgd, _or_open(SHARES), st.booleans()),
    st.just(Sgd()),
    st.builds(
        RmsProp,
        _or_open(SHARES),
        _or_open(SHARES),
        _or_open(POSITIVE),
        st.booleans(),
        st.booleans(),
    ),
    st.builds(Adam, _or_open(SHARES), _or_open(SHARES), _or_open(POSITIVE), st.booleans()),
)
KINDS = st.sets(st.sampled_from(get_args(DecayedKind)), min_size=1).map(
    lambda kinds: tuple(kind for kind in get_args(DecayedKind) if kind in kinds)
)
AVERAGES: st.SearchStrategy[Average] = st.one_of(
    st.builds(Ema, _or_open(SHARES), st.booleans()), st.builds(Polyak, _or_open(LENGTHS))
)


@st.composite
def _settings(draw: st.DrawFn, values: st.SearchStrategy[T]) -> RecipeSetting[T]:
    if draw(st.integers(0, 5)) == 0:
        return RecipeSetting(is_unknown=True)
    value = draw(values)
    if str(value) == "unknown":  # a rate or replicas of which nothing is told
        return RecipeSetting(is_unknown=True)
    return RecipeSetting(value, source=draw(st.sampled_from([None, "Table 3", "Section 8"])))


@st.composite
def recipes(draw: st.DrawFn) -> Recipe:
    """Draw a recipe without contradictions."""

    def some(values: st.SearchStrategy[T]) -> RecipeSetting[T]:
        return draw(st.one_of(st.just(RecipeSetting[T]()), _settings(values)))

    counts = st.integers(1, 10**9)
    return Recipe(
        source=draw(st.sampled_from([None, "Section 8"])),
        optimizer=draw(_settings(OPTIMIZERS)),
        learning_rate=draw(_settings(_rates())),
        batch=draw(_settings(counts)),
        epochs=draw(_settings(st.just(EPOCHS))),
        replicas=some(st.builds(Replicas, _or_open(counts), st.sampled_from([None, True, False]))),
        label_smoothing=some(SHARES),
        clip=some(st.builds(Clip, st.sampled_from(["norm", "value"]), _or_open(POSITIVE))),
        weight_decay=some(st.builds(WeightDecay, _or_open(SHARES), _or_open(KINDS))),
        average=some(AVERAGES),
        augment=some(_augmentations()),
        normalise=some(_normalisations()),
    )


def write_spec(recipe: Recipe) -> str:
    """Write the spec of a small network that is trained so."""
    lines = [f"  source: {recipe.source}"] if recipe.source else []
    for key, setting in recipe.settings.items():
        if setting.value is None and not setting.is_unknown:
            continue
        if setting.source is None:
            lines.append(f"  {key}: {setting}")
        else:
            lines.append(f"  {key}: {{is: {setting}, source: {setting.source}}}")
    return TEXT + "".join(f"{line}\n" for line in lines)
