"""The import of networks whose code is scrambled, judged without the weights' names.

A spec is emitted, its module is scrambled, and the scrambled module is imported. The new spec must
be the same network: parameters, multiply-accumulates and outputs. For the outputs, both modules get
weights that only the shape and the kind of a tensor decide, so no pairing is needed; an import has
compared the outputs with random weights already.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from inspect import signature
from pathlib import Path
from random import Random

import torch
from random_steps import Spec
from scrambling import Scrambler
from torch import Tensor, nn
from torch_counts import relative_error

from inception_dsl import load
from inception_dsl.bridge import make_module
from inception_dsl.bridge.importing import copy_to_meta, trace_network
from inception_dsl.bridge.ports import list_results
from inception_dsl.diagnostics import SpecError
from inception_dsl.driver.importing import write_traced
from inception_dsl.ir import TensorType

MAX_ERROR = 1e-9
"""Maximum error of outputs in double precision; sums in another order differ by rounding."""


class ScramblingFaultError(Exception):
    """The error of scrambled code that is not the same network: a fault of the scrambler."""


@dataclass(frozen=True)
class Trial:
    """The import of a scrambled network.

    Attributes:
        text: the imported spec; empty if the import is refused.
        refusals: the messages of a refusal.
        difference: the way in which the new network differs; empty if it is the same.
        source: the scrambled classes.
    """

    text: str
    refusals: tuple[str, ...]
    difference: str
    source: str


def fill_by_shape(module: nn.Module) -> None:
    """Give each tensor values that follow from its shape and from the end of its name."""
    for name, tensor in module.state_dict().items():
        kind = name.rpartition(".")[2]
        seed = sum(ord(letter) for letter in kind) * 1000 + sum(
            side * 31**axis for axis, side in enumerate(tensor.shape)
        )
        generator = torch.Generator().manual_seed(seed)
        if tensor.dim() > 1:
            tensor.normal_(std=(2 / tensor[0].numel()) ** 0.5, generator=generator)
        elif kind in {"running_var", "weight"}:
            tensor.uniform_(0.5, 1.5, generator=generator)
        elif tensor.is_floating_point():
            tensor.normal_(std=0.1, generator=generator)


def run(module: nn.Module, images: Sequence[Tensor]) -> list[Tensor]:
    """Return the outputs of a module in inference, in double precision."""
    exact = copy.deepcopy(module).eval().double()
    with torch.no_grad():
        return [tensor for _, tensor in list_results(exact(*(image.double() for image in images)))]


def name_inputs(module: nn.Module, inputs: Mapping[str, TensorType]) -> dict[str, TensorType]:
    """Return the inputs of a module by the names that its forward pass gives them."""
    if len(inputs) == 1:
        return dict(inputs)
    return dict(zip(signature(module.forward).parameters, inputs.values(), strict=True))


def import_scrambled(spec: Spec, seed: int, folder: Path) -> Trial:
    """Scramble the module of a spec, import it and judge the result."""
    document = {key: value for key, value in spec.document.items() if key != "heads"}
    path = folder / "net.yaml"
    path.write_text(Spec(document).text())
    network = load(path)
    module = make_module(network.emit(), "net").eval()
    fill_by_shape(module)
    generator = torch.Generator().manual_seed(seed)
    images = [torch.randn(2, *type.shape, generator=generator) for type in network.inputs.values()]
    scrambler = Scrambler(Random(seed))
    scrambled = scrambler.scramble(module, images)
    source = "\n".join(scrambler.sources)
    try:
        expected = run(scrambled, images)
    except Exception as error:
        raise ScramblingFaultError(f"{type(error).__name__}: {error}", source) from error
    if (apart := _measure_error(run(module, images), expected)) > MAX_ERROR:
        raise ScramblingFaultError(f"outputs differ by {apart:.1e} of the largest", source)
    try:
        inputs = name_inputs(scrambled, network.inputs)
        traced = trace_network(copy_to_meta(scrambled), inputs, name="net")
        imported = write_traced(traced, target="py:net", folder=folder, compares=True)
    except SpecError as error:
        assert {found.code for found in error.diagnostics} == {"E705"}, source
        return Trial("", tuple(found.message for found in error.diagnostics), "", source)
    path.write_text(imported.text)
    again = load(path)
    rebuilt = make_module(again.emit(), "net")
    fill_by_shape(rebuilt)
    params, macs = again.cost().totals.params, again.cost().totals.macs
    difference = ""
    if params != scrambler.params:
        difference = f"{params:,} parameters in the place of {scrambler.params:,}"
    elif macs != network.cost().totals.macs:
        difference = f"{macs:,} MACs in the place of {network.cost().totals.macs:,}"
    elif (apart := _measure_error(run(rebuilt, images), expected)) > MAX_ERROR:
        difference = f"outputs differ by {apart:.1e} of the largest"
    return Trial(imported.text, (), difference, source)


def _measure_error(outputs: list[Tensor], expected: list[Tensor]) -> float:
    """Return the largest error of outputs, as a share of the largest value of each."""
    pairs = zip(outputs, expected, strict=True)
    return max(relative_error(output, target) for output, target in pairs)
