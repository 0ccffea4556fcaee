"""The file: header, units, blocks in order of first use, the network, its factory function."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path

from inception_dsl.analysis import BlockWidths, CostReport, ForwardPlan, has_module
from inception_dsl.channels import printable
from inception_dsl.diagnostics import Diagnostic, Label, SpecError
from inception_dsl.emit.deviations import Deviation, deviations
from inception_dsl.emit.python.block import (
    BlockModules,
    ClassInfo,
    forward_params,
    param_code,
    reads_in_channels,
    step_layers,
)
from inception_dsl.emit.python.forward import Forward
from inception_dsl.emit.python.helpers import HELPERS, needed
from inception_dsl.emit.python.init import init_of
from inception_dsl.emit.python.layout import Construct, docstring, layout, signature
from inception_dsl.emit.python.shapes import shape_text
from inception_dsl.emit.python.torch_table import EmitError, Layer
from inception_dsl.emit.python.units import Units
from inception_dsl.ir import (
    INPUT,
    BlockDef,
    Call,
    Model,
    NodeDef,
    Origin,
    Value,
    fingerprint,
)

_TEMPLATES = Path(__file__).parent / "templates"
_DEVIATES = "What its sources claim of it, and is not so:"
_TYPING = ("Literal", "NamedTuple", "TypeVar")
_IMPORTED = (*_TYPING, "F", "OrderedDict", "Tensor", "nn", "torch")
_BUILTINS = ("bool", "float", "int", "isinstance", "list", "max", "range", "super", "tuple", "type")
_TYPE = "type[nn.Module]"
"""The annotation of a parameter that is an activation."""


def emit_python(
    model: Model,
    widths: Mapping[str, BlockWidths],
    plans: Mapping[str, ForwardPlan],
    cost: CostReport,
    *,
    shown: str,
) -> str:
    """The model as the source of a Python module that imports torch and nothing else.

    Args:
        shown: the spec's path, or its name in the library, for the header.

    Raises:
        SpecError: E501, PyTorch has no layer for something.
    """
    return _Module(model, widths, plans, cost, shown).text()


class _Module:
    def __init__(
        self,
        model: Model,
        widths: Mapping[str, BlockWidths],
        plans: Mapping[str, ForwardPlan],
        cost: CostReport,
        shown: str,
    ) -> None:
        self._model = model
        self._widths = widths
        self._plans = plans
        self._cost = cost
        self._shown = shown
        self._annotations = _annotations(model)
        layers = self._layers()
        self._units = Units(layers)
        self._says_how_weights_begin = any(map(init_of, layers))
        self._classes: dict[str, ClassInfo] = {}
        self._names = dict.fromkeys(
            [*self._units.names, *HELPERS, *_IMPORTED, *_BUILTINS], Origin()
        )

    def text(self) -> str:
        from jinja2 import Environment, FileSystemLoader, StrictUndefined

        definitions = ["\n".join(lines) for lines in self._units.classes()]
        definitions.extend(self._block(block) for block in self._model.blocks[:-1])
        outputs = self._outputs()
        if outputs:
            definitions.append(outputs)
        definitions.append(self._block(self._model.network))
        definitions.append(self._factory())
        helpers, asked = needed(definitions)
        definitions = helpers + definitions
        environment = Environment(
            loader=FileSystemLoader(_TEMPLATES),
            undefined=StrictUndefined,
            autoescape=False,  # noqa: S701 - Python, whose statements come escaped
            trim_blocks=True,
            keep_trailing_newline=True,
        )
        return environment.get_template("model.py.j2").render(
            shown=printable(self._shown),
            fingerprint=fingerprint(self._model),
            docstring="\n".join(self._docstring()),
            collections="OrderedDict" in asked,
            typing=", ".join(name for name in _TYPING if name in asked),
            torch="torch" in asked,
            functional="F" in asked,
            definitions=definitions,
        )

    def _layers(self) -> list[tuple[Layer, ...]]:
        """The layers of every step, for the units; a repeated step's of every copy."""
        found = []
        for block in self._model.blocks:
            widths = self._widths[block.name]
            for step in block.body:
                if isinstance(step, NodeDef) and has_module(step):
                    channels = widths.widths[step.inputs[0]].channels
                    try:
                        found.append(step_layers(step, widths, channels))
                    except EmitError as error:
                        is_network = block is self._model.network
                        raise _not_emittable(error, step.origin, is_network=is_network) from None
        return found

    def _block(self, block: BlockDef) -> str:
        widths = self._widths[block.name]
        is_network = block is self._model.network
        name = self._class_name(block, is_network=is_network)
        annotations = self._annotations[block.name]
        plan = self._plans[block.name]
        try:
            made = BlockModules(widths, plan.modules, self._units, self._classes).statements()
        except EmitError as error:
            raise _not_emittable(error, block.origin, is_network=is_network) from None
        self._refuse_shadows(block, made)
        outputs = f"{name}Outputs" if widths.heads else None
        forward = Forward(widths, plan, outputs)
        stored = self._stored(block)
        takes = reads_in_channels(made)
        self._classes[block.name] = ClassInfo(name, annotations, takes)
        params = ["in_channels: int"] if takes else []
        if block.params and not is_network:
            params.append("*")
        params.extend(param_code(param, annotations[param.name]) for param in block.params)
        result = f"Tensor | {outputs}" if outputs else "Tensor"
        lines = [
            f"class {name}(nn.Module):",
            *docstring(self._block_summary(block), depth=1),
            "",
            *signature("__init__", ["self", *params], "None", depth=1),
            "        super().__init__()",
            *stored,
            *made,
            "",
            f"    def forward(self, x: Tensor) -> {result}:",
            *forward.lines(),
        ]
        return "\n".join(lines)

    def _refuse_shadows(self, block: BlockDef, made: list[str]) -> None:
        """A constructor calls what it has no parameter for, but for those that are types."""
        for name, annotation in self._annotations[block.name].items():
            called = re.compile(rf"(?<![.\w]){name}\(")
            if annotation != _TYPE and any(map(called.search, made)):
                message = f"`{name}` names a parameter, and something that emitted code calls"
                raise SpecError([Diagnostic("E501", message, _labels(block.origin))])

    def _stored(self, block: BlockDef) -> list[str]:
        """What a forward pass reads of the parameters."""
        steps = {step.path.partition(".")[0] for step in block.body}
        lines = []
        for name, is_act in forward_params(block).items():
            if name in steps:
                message = f"`{name}` names a step, and a parameter that the forward pass reads"
                raise SpecError([Diagnostic("E501", message, _labels(block.origin))])
            lines.append(f"        self.{name} = {name}{'()' if is_act else ''}")
        return lines

    def _outputs(self) -> str | None:
        heads = self._model.heads
        if not heads:
            return None
        name = self._claim(f"{self._network_name()}Outputs", self._model.network.origin)
        network = self._model.network.name
        result = shape_text(self._widths[network], self._plans[network].output)
        lines = [
            f"class {name}(NamedTuple):",
            *docstring(["What training gives; in eval mode it is the logits alone."], depth=1),
            "",
            f"    logits: Tensor  # {result}",
            *(f"    {head.path}: Tensor" for head in heads),
        ]
        return "\n".join(lines)

    def _factory(self) -> str:
        network = self._model.network
        annotations = self._annotations[network.name]
        name = self._claim(self._model.name, network.origin)
        params = [param_code(param, annotations[param.name]) for param in network.params]
        class_name = self._classes[network.name].name
        self._refuse_shadows(network, [f"{class_name}("])
        arguments = tuple((param.name, param.name) for param in network.params)
        title = self._model.title or self._model.name
        begun = "its spec" if self._says_how_weights_begin else "torch"
        lines = [
            *signature(name, params, class_name, depth=0),
            *docstring([f"{title}, with weights as {begun} initialises them."], depth=1),
            *layout("return ", Construct(class_name, arguments), depth=1),
        ]
        return "\n".join(lines)

    def _network_name(self) -> str:
        return class_name(self._model.name, self._model.title)

    def _class_name(self, block: BlockDef, *, is_network: bool) -> str:
        name = self._network_name() if is_network else class_name(block.name, block.title)
        return self._claim(name, block.origin)

    def _claim(self, name: str, origin: Origin) -> str:
        """A name of the module, for one thing only."""
        if name in self._names:
            labels = (*_labels(origin, "again"), *_labels(self._names[name], "first"))
            message = f"the module would have two things named `{name}`"
            raise SpecError([Diagnostic("E501", message, labels)])
        self._names[name] = origin
        return name

    def _docstring(self) -> list[str]:
        found = list(map(_deviation, deviations(self._model)))
        if not found:
            return docstring(self._summary(), depth=0)
        return docstring([*self._summary(), _DEVIATES], depth=0, items=found)

    def _summary(self) -> list[str]:
        model, cost = self._model, self._cost
        source = f", {model.source}" if model.source else ""
        params = f"{cost.totals.params:,} parameters"
        if model.heads:
            params += f" ({cost.totals_with_heads.params:,} with training heads)"
        paragraphs = [
            f"{model.title or model.name}{source}.",
            f"Input {shape_text(self._widths[model.network.name], INPUT)}. {params},"
            f" {cost.totals.macs:,} multiply-accumulates.",
        ]
        if model.network.output in self._plans[model.network.name].unsaid:
            paragraphs.append("It gives logits: the softmax at the end is left to the loss.")
        return paragraphs

    def _block_summary(self, block: BlockDef) -> list[str]:
        widths = self._widths[block.name]
        is_network = block is self._model.network
        source = f" ({block.source})" if block.source and not is_network else ""
        title = f"{self._title(block)}{source}"
        output = shape_text(widths, self._plans[block.name].output)
        shapes = f"{shape_text(widths, INPUT)} to {output}."
        if len(title) + len(shapes) < 88:
            return [f"{title}: {shapes}"]
        return [f"{title}.", shapes]

    def _title(self, block: BlockDef) -> str:
        title = self._model.title if block is self._model.network else block.title
        return title or (self._model.name if block is self._model.network else block.name)


def _deviation(own: Deviation) -> str:
    of = f"`{own.at}`, " if own.at else ""
    source = f" ({own.source})" if own.source else ""
    return f"{of}{own.said}{source}: {own.why}."


def class_name(name: str, title: str | None) -> str:
    """The class of a block or a network: its name, with the capitals that its title has.

    Example:
        >>> class_name("googlenet", "GoogLeNet"), class_name("stem_v4", "The stem")
        ('GoogLeNet', 'StemV4')
    """
    words = re.findall(r"[A-Za-z0-9]+", title or "")
    titled = "".join(word[0].upper() + word[1:] for word in words)
    if titled.lower() == name.replace("_", "").lower():
        return titled
    return "".join(part[0].upper() + part[1:] for part in name.split("_") if part)


def _annotations(model: Model) -> dict[str, dict[str, str]]:
    """The annotation of every parameter, from all the values that it ever has."""
    values: dict[tuple[str, str], list[Value]] = {}
    for block in model.blocks:
        for param in block.params:
            default = [] if param.default is None else [param.default]
            values[block.name, param.name] = list(default)
    seen: set[int] = set()

    def visit(call: Call) -> None:
        for name, value in call.arguments.items():
            values[call.block, name].append(value)
        if id(call.body) in seen:
            return
        seen.add(id(call.body))
        for item in call.body:
            if isinstance(item, Call):
                visit(item)

    visit(model.root)
    result: dict[str, dict[str, str]] = {block.name: {} for block in model.blocks}
    for (block_name, name), own in values.items():
        result[block_name][name] = _annotation(own)
    return result


def _annotation(values: list[Value]) -> str:
    if any(isinstance(value, str) for value in values):
        return _TYPE
    return "float" if any(isinstance(value, Decimal) for value in values) else "int"


def _not_emittable(error: EmitError, origin: Origin, *, is_network: bool) -> SpecError:
    help = None if is_network else "give the block a parameter that tells, or write one for each"
    return SpecError([Diagnostic("E501", str(error), _labels(origin), help=help)])


def _labels(origin: Origin, text: str = "") -> tuple[Label, ...]:
    return tuple(Label(span, text) for span in origin.spans[:1])
