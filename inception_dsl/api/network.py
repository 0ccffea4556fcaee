"""A network, and all that a program or a notebook may ask of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from inception_dsl import driver
from inception_dsl.analysis import (
    BYTES,
    CostReport,
    Field,
    MemoryReport,
    measure_depths,
    measure_fields,
    measure_memory,
)
from inception_dsl.api.arguments import Param, write_params
from inception_dsl.api.figures import Figure, Page, check_choices, draw_network
from inception_dsl.api.notebook import shorten
from inception_dsl.diagnostics import CallerTypeError, CallerValueError, Diagnostic, StaleSpecError
from inception_dsl.driver.options import check_batch, choose
from inception_dsl.ir import Model, TensorType, write_types
from inception_dsl.ir.text import fingerprint, identify
from inception_dsl.resolve import AS_WRITTEN, Overrides

if TYPE_CHECKING:
    from networkx import DiGraph
    from torch import nn

    from inception_dsl.analysis import ConventionCount
    from inception_dsl.analysis.roofline import RooflineReport
    from inception_dsl.analysis.symbolic import SymbolicCost
    from inception_dsl.emit.figure import (
        Background,
        CurveKind,
        Detail,
        Direction,
        Shading,
        Shapes,
        Theme,
    )
    from inception_dsl.ir.recipe import Recipe, Result


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Network:
    """A network whose spec has no errors. A notebook shows its schema.

    Two networks are equal if their models are, however their specs are written.

    Attributes:
        checked: the model with its cost and its file, as the driver knows them.
        overrides: the input and the parameters with which the spec was loaded.
    """

    checked: driver.Checked
    overrides: Overrides = AS_WRITTEN

    def __repr__(self) -> str:
        totals = self.checked.cost.totals
        counts = f"{totals.params:,} params, {shorten(totals.macs)}MACs"
        outputs = write_types(self.outputs)
        return f"<Network {self.model.name}: {self.checked.cost.input} -> {outputs}, {counts}>"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Network):
            return NotImplemented
        return self.model is other.model or identify(self.model) == identify(other.model)

    def __hash__(self) -> int:
        return hash(fingerprint(self.model))

    @property
    def model(self) -> Model:
        """Return the blocks as they are written, and the network as it runs."""
        return self.checked.model

    @property
    def input(self) -> TensorType:
        """Return the type of the network's only input.

        Raises:
            ValueError: it has several; see `inputs`.
        """
        return _take_only(self.inputs, "input")

    @property
    def inputs(self) -> dict[str, TensorType]:
        """Return the types of the network's inputs, by name; a single one has an empty name."""
        return self.model.inputs

    @property
    def output(self) -> TensorType:
        """Return the type of the network's only output in inference.

        Raises:
            ValueError: it has several; see `outputs`.
        """
        return _take_only(self.outputs, "output")

    @property
    def outputs(self) -> dict[str, TensorType]:
        """Return the types of the outputs of inference, by name; a single one has an empty name."""
        return self.model.outputs

    @property
    def warnings(self) -> tuple[Diagnostic, ...]:
        """Return the findings that are no errors."""
        return self.checked.warnings

    @property
    def recipe(self) -> Recipe | None:
        """Return the training of the network, as its source tells it; None if the spec does not."""
        return self.model.recipe

    @property
    def results(self) -> tuple[Result, ...]:
        """Return the errors that its sources report of the trained network."""
        return self.model.results

    def cost(self, *, batch: int = 1) -> CostReport:
        """Count parameters, MACs and FLOPs: by path, stage and block, and in all.

        Raises:
            ValueError: the batch is no number from 1 to a billion.

        Example:
            >>> from inception_dsl import load
            >>> cost = load("inception_v4").cost(batch=8)
            >>> cost.totals.macs // 8
            12253974624
        """
        return driver.measure_cost_of(self.checked, batch=check_batch(batch))

    def memory(self, *, batch: int = 1, dtype: str = "float32") -> MemoryReport:
        """Measure the bytes that inference keeps alive, and that training keeps for its backward.

        Args:
            dtype: the type of every number: `float64`, `float32`, `bfloat16` or `float16`.

        Raises:
            ValueError: there is no such type, or the batch is out of bounds.

        Example:
            >>> from inception_dsl import load
            >>> memory = load("inception_v4").memory()
            >>> memory.peak, memory.peak_at
            (186610036, 'stem.mixed2.concat')
        """
        choose(dtype, BYTES, "dtype")
        return measure_memory(self.model, batch=check_batch(batch), dtype=dtype)

    def symbolic(self, block: str | None = None) -> SymbolicCost:
        """Return parameters and MACs as exact polynomials, as `inception-dsl flops --symbolic`.

        Args:
            block: the name of a block, for its polynomials in its own parameters; those of the
                whole network for None.

        Raises:
            SpecError: E510, the polynomials are too large; E513, there is no such block.
            RuntimeError: the spec has changed since it was loaded.

        Example:
            >>> from inception_dsl import load
            >>> (piece,) = load("inception_v4").symbolic("reduction_a").pieces
            >>> print(piece.costs["params"])
            in*k + 9*in*n + 9*k*l + 9*l*m + 2*k + 2*l + 2*m + 2*n
            >>> at = {"in": 384, "k": 192, "l": 224, "m": 256, "n": 384}
            >>> int(piece.costs["params"].evaluate(at))
            2306112
        """
        from inception_dsl.driver.symbolic import find_symbolic_cost_of

        if block is not None and not isinstance(block, str):
            raise CallerTypeError(f"a block is named by a text, not {block!r}")
        self._refuse_changed()
        return find_symbolic_cost_of(self.checked.file, block, self.overrides)

    def count(self, convention: str, *, batch: int = 1) -> ConventionCount:
        """Count the network as a tool does, in all, by path and by kind of layer.

        Args:
            convention: `fvcore`, `torchinfo`, `ptflops`, `thop`, `calflops`, `deepspeed`, `torch`,
                `keras`; or `macs` or `flops`, as this project counts.

        Raises:
            ValueError: there is no such convention, or the batch is out of bounds.

        Example:
            >>> from inception_dsl import load
            >>> load("mobilenet_v2").count("fvcore").total
            314193216
        """
        from inception_dsl.analysis import CONVENTIONS, count_by, measure_work

        choose(convention, CONVENTIONS, "convention")
        return count_by(CONVENTIONS[convention], measure_work(self.model, self.cost(batch=batch)))

    def least_time(self, device: str, *, batch: int = 1, dtype: str = "float32") -> RooflineReport:
        """Bound the time of a step on a device from below, and find the largest batch that fits.

        Args:
            device: the name of a device, a .yaml file that describes one, or `cpu`, which measures
                this processor.
            dtype: a type of numbers that the device has a rate for: `float32`, `tf32`, ...

        Raises:
            ValueError: there is no such type, or the batch is out of bounds.
            SpecError: E012 to E014, there is no such device, or it has no such rate.
            MissingExtraError: neither torch nor numpy is there to measure the processor.

        Example:
            >>> from inception_dsl import load
            >>> load("inception_v4").least_time("h100", dtype="bfloat16").inference.fitting
            10099
        """
        from inception_dsl.analysis.devices import NUMBER_BYTES
        from inception_dsl.analysis.roofline import measure_roofline
        from inception_dsl.driver.devices import find_device

        if not isinstance(device, str):
            raise CallerTypeError(f"a device is named by a text such as 'h100', not {device!r}")
        choose(dtype, NUMBER_BYTES, "dtype")
        cost = self.cost(batch=batch)
        found = find_device(device, dtype, folder=Path.cwd())
        return measure_roofline(self.model, cost, found, dtype)

    def fields(self) -> Mapping[str, Field]:
        """Measure the receptive field of every node by its path, in pixels of the input.

        Example:
            >>> from inception_dsl import load
            >>> load("vgg16").fields()["stage5.maxpool"].height
            Windows(start=-90, stride=32, size=212)
        """
        return measure_fields(self.model)

    def depths(self) -> Mapping[str, int]:
        """Count the convs and linears on the longest path to every node, by its path.

        Example:
            >>> from inception_dsl import load
            >>> load("googlenet").depths()["fc"]
            22
        """
        return measure_depths(self.model)

    def to_networkx(self) -> DiGraph:
        """Return the network as it runs as a directed graph of networkx, for questions of your own.

        A node stands under its path: each input, then each op, training heads included. It has
        `op`, `label`, `shape`, `attributes`, `stage`, `block`, `head`, and `params`, `macs` and
        `flops` for one image. An edge has `places`, the numbers of the inputs at which a node
        reads the other one. The graph has `name`, `outputs` and `head_outputs`.

        Example:
            >>> from inception_dsl import load
            >>> load("googlenet").to_networkx().nodes["fc"]["shape"]
            (1000,)
        """
        from inception_dsl.api.graphs import make_digraph

        return make_digraph(self.model, self.cost())

    def emit(self) -> str:
        """Return the source of the network's PyTorch module, as `inception-dsl build` writes it.

        Raises:
            SpecError: E501, PyTorch cannot express a step.

        Example:
            >>> from inception_dsl import load
            >>> print(load("inception_v4").emit()[:65])
            # generated by inception-dsl from specs/inception_v4.yaml, do not
        """
        return driver.emit_module(self.checked)

    def module(self, *, seed: int | None = None, **params: Param) -> nn.Module:
        """Make the network's PyTorch module: (batch, channels, height, width) to logits.

        Args:
            seed: a number that makes the initial weights the same each time; torch's own generator
                is left as it was.
            params: other values for the network's parameters, as in `num_classes=10`. The spec is
                read again for them.

        Raises:
            SpecError: E501, PyTorch cannot express a step; E2xx or E3xx, a parameter is not there,
                or its value does not fit.
            MissingExtraError: torch is not installed.
            RuntimeError: the spec has changed since it was loaded, and `params` are given.

        Example:
            >>> from inception_dsl import load
            >>> module = load("googlenet").module(seed=0, num_classes=10)
            >>> module.fc
            Linear(in_features=1024, out_features=10, bias=True)
        """
        from inception_dsl.bridge import make_module

        if seed is not None and (isinstance(seed, bool) or not isinstance(seed, int)):
            raise CallerValueError(f"a seed is a whole number, not {seed!r}")
        network = self._with_params(params) if params else self
        return make_module(network.emit(), self.model.name, seed=seed)

    def _with_params(self, params: Mapping[str, Param]) -> Network:
        """Return the network with other parameters, from the same spec."""
        merged = {**self.overrides.params, **write_params(params)}
        overrides = Overrides(self.overrides.input, merged, from_python=True)
        self._refuse_changed()
        return Network(driver.measure_file(self.checked.file, overrides), overrides)

    def _refuse_changed(self) -> None:
        """Refuse a spec whose text is no longer that of the network."""
        file = self.checked.file
        if Network(driver.measure_file(file, self.overrides)) != self:
            raise StaleSpecError(f"`{file.shown}` has changed since it was loaded: load it again")

    def verify(self) -> list[str]:
        """Run the module with torch, without computing, and compare it with the spec.

        Returns:
            The differences, which are faults of this package; none if all is well.

        Example:
            >>> from inception_dsl import load
            >>> load("inception_v4").verify()
            []
        """
        return driver.verify(self.checked)

    def figure(
        self,
        detail: Detail = "schema",
        *,
        block: str | None = None,
        style: str = "modern",
        direction: Direction = "up",
        shapes: Shapes = "joins",
        cost: Shading | None = None,
        curve: CurveKind | None = None,
        has_title: bool = True,
        has_notes: bool = True,
        theme: Theme = "light",
        background: Background = "page",
        width: str | None = None,
    ) -> Figure:
        """Draw the network, or one of its blocks, as `inception-dsl render` does.

        Args:
            detail: `schema`, `blocks`, `poster` or `full`.
            block: the name of the block to draw alone.
            style: `modern`, `paper` or `bar`.
            direction: the side to which the data flows, `up` or `down`.
            shapes: the boxes that show their shape: `all`, `joins` or `none`.
            cost: the cost that boxes are shaded by: `params`, `macs` or `memory`.
            curve: the quantity that is drawn beside a schema: `representation`, `macs` or `params`.
            has_title: the figure has its title and its source.
            has_notes: it has footnotes about claims that do not hold.
            theme: the page that it is for, `light` or `dark`.
            background: its ground, `page` for the colour of the page, or `none`.
            width: the width that it is laid out for, as in `3.3in`, `84mm` or `240pt`.

        Raises:
            ValueError: an argument is none of its choices.
            SpecError: E502, the figure cannot be drawn.

        Example:
            >>> from inception_dsl import load
            >>> network = load("inception_v4")
            >>> network.figure(block="inception_a", style="paper").svg[:4]
            '<svg'
        """
        from inception_dsl.emit.figure import Request, find_style

        check_choices(detail, style, direction, shapes, cost, curve)
        look = find_style(style, direction)
        request = Request(detail, block, style=look, shapes=shapes, cost=cost, curve=curve)
        page = Page(has_title, has_notes, theme, background, width)
        return draw_network(self.checked, page.add_to(request))

    @property
    def blocks(self) -> Mapping[str, Figure]:
        """Return the figure of each block by its name."""
        return {block.name: self.figure(block=block.name) for block in self.model.blocks[:-1]}

    def _repr_svg_(self) -> str:
        return self.figure().svg


def _take_only(types: Mapping[str, TensorType], kind: str) -> TensorType:
    if len(types) > 1:
        raise CallerValueError(f"the network has {len(types)} {kind}s: read `{kind}s`")
    return next(iter(types.values()))
