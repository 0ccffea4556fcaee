"""The classes of an emitted module with other values of their parameters, against the spec's."""

from __future__ import annotations

import inspect
from collections import Counter
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from math import isnan
from random import Random
from typing import Any

import torch
from conftest import NET, Project
from random_steps import Spec, Step
from torch import Tensor, nn
from torch_counts import randomise, relative_error

from inception_dsl import driver
from inception_dsl.bridge import make_module
from inception_dsl.diagnostics import SpecError
from inception_dsl.ir import Call, Model

ACTS: dict[str, type[nn.Module]] = {
    "none": nn.Identity,
    "relu": nn.ReLU,
    "silu": nn.SiLU,
    "tanh": nn.Tanh,
}


@dataclass(frozen=True)
class Made:
    """A call of a block, and the class that its module is of."""

    call: Call
    module: nn.Module


@dataclass(frozen=True)
class Variant:
    """A class with other values of its parameters.

    Attributes:
        arguments: the arguments of its constructor.
        spec: the spec of a network that calls the block with these values, and nothing else.
    """

    arguments: dict[str, Any]
    spec: Spec


def made_classes(model: Model, network: nn.Module) -> Iterator[Made]:
    """Yield the first call of each block below the network, with its module."""
    seen: set[str] = set()

    def visit(call: Call, prefix: str) -> Iterator[Made]:
        for item in call.body:
            if not isinstance(item, Call):
                continue
            path = f"{prefix}{item.reuses or item.path}"
            if item.block not in seen:
                seen.add(item.block)
                yield Made(item, network.get_submodule(path))
            yield from visit(item, f"{path}.")

    yield from visit(model.root, "")


def other_values(made: Made, random: Random) -> tuple[dict[str, Any], dict[str, Any]]:
    """Draw values of the parameters that a class offers, as Python and as a spec have them."""
    python: dict[str, Any] = {}
    spec = dict(made.call.arguments)
    for name, param in inspect.signature(type(made.module)).parameters.items():
        kind = str(param.annotation).replace("<class 'int'>", "int")
        if name not in spec:
            assert name.endswith("_channels") and kind == "int", name
            python[name] = random.randint(1, 12)
            continue
        options: list[tuple[Any, Any]] = []
        if "tuple" in kind:
            options += [((h, w), f"{h}x{w}") for h, w in ((1, 3), (3, 1), (3, 3), (1, 1))]
        elif "Module" in kind:
            options += [(layer, word) for word, layer in ACTS.items()]
        elif "float" in kind:
            options += [(value, value) for value in (0.125, 0.5, 2.5)]
        else:
            options += [(value, value) for value in range(9)]
        if "None" in kind:
            options.append((None, "same"))
        python[name], spec[name] = random.choice(options)
    return python, spec


def variant(spec: Spec, made: Made, random: Random) -> Variant | None:
    """Draw a variant; None if no network can have the inputs of the block."""
    call = made.call
    python, values = other_values(made, random)
    names = [entry.relative_to("input") if "." in entry else "" for entry in call.entries]
    inputs: dict[str, str] = {}
    for name, type in zip(names, call.input_types, strict=True):
        if not type.is_map:
            return None
        channels = python.get(f"{name or 'in'}_channels", type.channels)
        inputs[str(name)] = f"{type.size[0]}x{type.size[1]}x{channels}"
    document = deepcopy(spec.document)
    for key in ("params", "heads", "outputs"):
        document.pop(key, None)
    document["input"] = inputs if len(inputs) > 1 else next(iter(inputs.values()))
    words = tuple((name, _written(value)) for name, value in values.items())
    step: Any = Step(call.block, None, words, bindings=True)
    if len(inputs) > 1:
        step = {"from": list(inputs), "steps": step}
    document["network"] = [{"variant": step}]
    if len(call.outputs) > 1:
        document["outputs"] = {f"o_{name}": f"variant.{name}" for name in call.outputs}
    return Variant(python, Spec(document))


def _written(value: Any) -> Any:
    if isinstance(value, tuple):
        return f"{value[0]}x{value[1]}"
    return value if isinstance(value, int | str | float) else str(value)


def check_other_params(
    project: Project, spec: Spec, random: Random, counts: Counter[str], *, tries: int = 2
) -> None:
    """Hold every class of a spec's module against the spec, with other values of its parameters.

    Raises:
        AssertionError: a class makes something else than its spec, or nothing.
    """
    project.write(NET, spec.text())
    try:
        checked = project.check()
    except SpecError as error:
        codes = {found.code for found in error.diagnostics if found.severity == "error"}
        assert codes == {"E501"}, spec
        counts["not emitted"] += 1
        return
    source = _emit(project)
    network = make_module(source, "net")
    if checked.model.network.params:
        _check_network(project, spec, source, random, counts)
    for made in made_classes(checked.model, network):
        for _ in range(tries):
            drawn = variant(spec, made, random)
            if drawn is None:
                counts["reads a vector"] += 1
                continue
            if not drawn.arguments:
                counts["offers nothing"] += 1
                break
            _check_variant(project, made, drawn, counts)


def _check_network(
    project: Project, spec: Spec, source: str, random: Random, counts: Counter[str]
) -> None:
    """Hold the network's factory against a spec with other values of its parameters."""
    params = {name: random.randint(1, 12) for name in spec.document["params"]}
    project.write(NET, Spec({**spec.document, "params": params}).text())
    try:
        expected = make_module(_emit(project), "net").eval()
    except SpecError as error:
        counts["network refused " + error.diagnostics[0].code] += 1
        return
    _hold_equal(make_module(source, "net", **params).eval(), expected, project.check().model)
    counts["network same"] += 1


def _check_variant(project: Project, made: Made, drawn: Variant, counts: Counter[str]) -> None:
    project.write(NET, drawn.spec.text())
    try:
        checked = project.check()
    except SpecError as error:
        counts["refused " + error.diagnostics[0].code] += 1
        return
    (call,) = checked.model.root.body
    assert isinstance(call, Call)
    gates = _list_gates(made.call)
    if any(gates.get(path, given) != given for path, given in _list_gates(call).items()):
        counts["gates otherwise"] += 1
        return
    expected = make_module(_emit(project), "net").get_submodule("variant").eval()
    given = type(made.module)(**drawn.arguments).eval()
    _hold_equal(given, expected, checked.model)
    counts["same"] += 1


def _list_gates(call: Call, prefix: str = "") -> dict[str, tuple[bool, ...]]:
    """Return the joins below a call, by path, and which of their inputs have one channel of many.

    A class cannot tell that a number of channels which becomes 1 makes a gate of a summand.
    """
    found: dict[str, tuple[bool, ...]] = {}
    for item in call.body:
        if isinstance(item, Call):
            found |= _list_gates(item, f"{prefix}{item.path}.")
        elif len(item.inputs) > 1 and item.op != "concat":
            kinds = tuple(type.channels != item.type.channels for type in item.input_types)
            found[f"{prefix}{item.path}"] = kinds
    return found


def _hold_equal(given: nn.Module, expected: nn.Module, model: Model) -> None:
    """Two modules have weights of the same names and shapes, and give the same with the same ones.

    Raises:
        AssertionError: they do not.
    """
    randomise(expected, seed=3)
    state = expected.state_dict()
    shapes = {name: value.shape for name, value in given.state_dict().items()}
    assert shapes == {name: value.shape for name, value in state.items()}
    given.load_state_dict(state)
    images = [torch.randn(2, *type.shape) for type in model.inputs.values()]
    with torch.no_grad():
        wanted, found = _tensors(expected(*images)), _tensors(given(*images))
    for one, other in zip(found, wanted, strict=True):
        difference = relative_error(one, other)
        # Values may overflow on both sides.
        assert difference <= 1e-5 or isnan(difference), difference


def _emit(project: Project) -> str:
    return driver.emit_module(project.check())


def _tensors(output: Any) -> list[Tensor]:
    return [output] if isinstance(output, Tensor) else list(output)
