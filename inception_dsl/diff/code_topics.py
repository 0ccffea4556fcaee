"""The subjects of findings that only networks of code have, as data: no spec says them."""

from __future__ import annotations

from dataclasses import dataclass

from inception_dsl.diff.edit_facts import KeyChange, StepWords
from inception_dsl.ir import Path


@dataclass(frozen=True, slots=True)
class IdleTensorsListed:
    """Tensors of code that no step of inference uses, and that are new, gone, or reshaped.

    Attributes:
        holders: the paths of the modules that hold them; of a tensor beside others in use, its key.
        keys: their changes, all of one kind.
        twins: the keys under which steps use the same tensors.
    """

    holders: tuple[Path, ...]
    keys: tuple[KeyChange, ...]
    twins: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FreezingChanged:
    """Tensors of code that training changes on one side, and leaves as they are on the other one.

    Attributes:
        modules: the paths of the modules that hold them, in the new network.
        count: the number of tensors.
        are_averages: they are running averages, by which their norms divide in training, too;
            otherwise parameters.
        is_fixed: the new network leaves them as they are.
    """

    modules: tuple[Path, ...]
    count: int
    are_averages: bool
    is_fixed: bool


@dataclass(frozen=True, slots=True)
class DrawChanged:
    """Modules of code that draw at random in training as no spec says, on one side or on both.

    Attributes:
        modules: their paths.
        before, after: the class, or the step in its place; None where nothing is.
        shares: the share of values that each class drops; None where that is not known.
    """

    modules: tuple[Path, ...]
    before: str | StepWords | None
    after: str | StepWords | None
    shares: tuple[float | None, float | None]


@dataclass(frozen=True, slots=True)
class TrainingChanged:
    """Steps of training that no spec says, on one side or on both, and that are not the same.

    Attributes:
        before, after: why the spec has them not, as a clause; None where it has all steps.
    """

    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class NumbersChanged:
    """Tensors of code whose numbers have another type.

    Attributes:
        modules: the paths of the modules that hold them, in the new network.
        count: the number of tensors.
        before, after: the type, such as `float32`.
    """

    modules: tuple[Path, ...]
    count: int
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class FormChanged:
    """Another form of the results of code: its lists, keys and fields."""

    before: str
    after: str


@dataclass(frozen=True, slots=True)
class ArgumentRenamed:
    """Another name of the argument of `forward` that takes the only input."""

    before: str
    after: str


CodeTopic = (
    IdleTensorsListed
    | FreezingChanged
    | DrawChanged
    | TrainingChanged
    | NumbersChanged
    | FormChanged
    | ArgumentRenamed
)
"""A subject that only networks of code have: no spec says it."""
