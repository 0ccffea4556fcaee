"""The file: header, helpers, small classes, blocks in order of first use, the network, its factory.

The module is put together as data and printed once, at the end. Longer than 400 lines: every part
of the file has its place in one class.
"""

from __future__ import annotations

import pathlib
from collections.abc import Iterator, Mapping, Sequence

from inception_dsl.analysis import (
    BlockWidths,
    Classes,
    CostReport,
    ForwardPlan,
    ModuleCall,
    has_module,
)
from inception_dsl.analysis.widths import name_channels
from inception_dsl.channels import printable
from inception_dsl.diagnostics import Diagnostic, Label, SpecError
from inception_dsl.emit.deviations import deviations
from inception_dsl.emit.python.block import (
    BlockModules,
    ClassInfo,
    constructor,
    forward_params,
    step_layers,
)
from inception_dsl.emit.python.code import (
    Assign,
    Atom,
    Class,
    Construct,
    Definition,
    Function,
    Member,
    Parameter,
    Return,
    Statement,
    annotation,
    literal,
    local,
    symbol,
)
from inception_dsl.emit.python.excerpts import all_excerpts, needed_excerpts
from inception_dsl.emit.python.forward import Forward
from inception_dsl.emit.python.init import Weighted, plan_initialisation
from inception_dsl.emit.python.layout import docstring, layout, print_definition
from inception_dsl.emit.python.naming import ClassNames, class_name, free_name
from inception_dsl.emit.python.outputs import register_tuple
from inception_dsl.emit.python.parameters import ParamType, declare, find_type, write_condition
from inception_dsl.emit.python.shapes import shape_text
from inception_dsl.emit.python.small_classes import TENSOR, SmallClasses
from inception_dsl.emit.python.torch_table import EmitError, Layer
from inception_dsl.emit.python.training_form import (
    LOAD,
    SAVE,
    TrainingForm,
    cut_training_helpers,
)
from inception_dsl.expr import Apply, Expr, Name
from inception_dsl.ir import (
    BlockDef,
    Call,
    CallDef,
    Model,
    NodeDef,
    Path,
    Value,
)
from inception_dsl.ir.text import fingerprint

_TEMPLATES = pathlib.Path(__file__).parent / "templates"
_TYPING = ("Any", "Literal", "NamedTuple", "TypeVar")
_INT = annotation("int")


def emit_python(
    model: Model,
    classes: Classes,
    plans: Mapping[str, ForwardPlan],
    cost: CostReport,
    *,
    shown: str,
    form: TrainingForm | None = None,
) -> str:
    """Return a model as the source of a Python module that imports torch and nothing else.

    Args:
        classes: the classes of its blocks, and `plans` their forward passes.
        shown: the spec's path, or its name in the library, for the header.
        form: what is special about a module in its form for training; None for another one.

    Raises:
        SpecError: E501, torch has no layer for an op.
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    widths = classes.widths
    parts = _Parts(classes.model, widths, plans, form)
    definitions = parts.definitions()
    uses = frozenset[str]().union(*(definition.uses for definition in definitions))
    known = all_excerpts() if form is None else (*all_excerpts(), *cut_training_helpers())
    helpers = needed_excerpts(uses, known)
    uses = uses.union(*(helper.uses for helper in helpers))
    exported = Construct(Atom(""), tuple(("", literal(n)) for n in parts.exported()), "[]")
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        undefined=StrictUndefined,
        autoescape=False,  # noqa: S701 - Python, whose statements come escaped
        trim_blocks=True,
        keep_trailing_newline=True,
    )
    return environment.get_template("model.py.j2").render(
        shown=printable(shown),
        fingerprint=fingerprint(model),
        docstring="\n".join(docstring(_summary(model, widths, plans, cost, form), depth=0)),
        mapping="Mapping" in uses,
        collections="OrderedDict" in uses,
        nullcontext="nullcontext" in uses,
        fraction="Fraction" in uses,
        math="math" in uses,
        typing=", ".join(name for name in _TYPING if name in uses),
        torch="torch" in uses,
        functional="F" in uses,
        pytree="_pytree" in uses,
        checkpoint="checkpoint" in uses,
        exported="\n".join(layout("__all__ = ", exported, depth=0)),
        definitions=map(print_definition, [*helpers, *definitions]),
    )


class _Parts:
    """The definitions of a module, made one after the other."""

    def __init__(
        self,
        model: Model,
        widths: Mapping[str, BlockWidths],
        plans: Mapping[str, ForwardPlan],
        form: TrainingForm | None,
    ) -> None:
        self._model = model
        self._form = form
        self._widths = widths
        self._plans = plans
        self._types = _parameter_types(model)
        self._classes: dict[str, ClassInfo] = {}
        self._names = ClassNames([*_author_names(model, plans), LOAD, SAVE])
        self._class_names = {
            block.name: self._names.claim(class_name(block.name, block.title), "Block")
            for block in model.blocks[:-1]
        }
        network = class_name(model.name, model.title)
        self._class_names[model.network.name] = self._names.claim(network, "Network")
        self._outputs = {
            block.name: self._names.claim(f"{self._class_names[block.name]}Outputs", "Tuple")
            for block in model.blocks
            if len(block.outputs) > 1
        }
        self._training = self._claim_training(network) if model.heads else None
        weighted, layers = self._layers()
        self._init = plan_initialisation(model, plans, weighted)
        self._small_classes = SmallClasses(layers, self._init.layers, self._names)

    def _claim_training(self, network: str) -> str:
        """Return the name of the tuple that training returns."""
        is_several = len(self._model.network.outputs) > 1
        return self._names.claim(f"{network}{'Training' if is_several else ''}Outputs", "Tuple")

    def definitions(self) -> list[Definition]:
        """Return all classes and the factory, in the order of the file."""
        definitions: list[Definition] = [*self._small_classes.definitions()]
        for block in self._model.blocks[:-1]:
            definitions.extend(self._block(block, self._stored(block)))
        network = self._model.network
        if network.name in self._outputs:
            definitions.append(self._tuple_of(network))
            definitions.append(register_tuple(self._outputs[network.name]))
        if self._training is not None:
            definitions.append(self._training_tuple(self._training))
            definitions.append(register_tuple(self._training))
        definitions.extend(self._block(network, self._stored(network)))
        definitions.append(self._factory())
        if self._form is not None:
            name = self._class_names[network.name]
            definitions.extend(self._form.define(name, self._model.name))
        return definitions

    def exported(self) -> list[str]:
        """Return the names that the module offers: the network, its outputs and its factory."""
        network = self._class_names[self._model.network.name]
        outputs = self._outputs.get(self._model.network.name)
        functions = (self._model.name, *((LOAD, SAVE) if self._form is not None else ()))
        names = filter(None, (network, outputs, self._training, *functions))
        return sorted(names, key=lambda name: (not name.isupper(), not name[0].isupper(), name))

    def _layers(self) -> tuple[list[Weighted], list[tuple[Layer, ...]]]:
        """Return the layers of every step, and apart those that hold weights of their own."""
        weighted: list[Weighted] = []
        all_layers: list[tuple[Layer, ...]] = []
        for block in self._model.blocks:
            widths, types = self._widths[block.name], self._types[block.name]
            of_block: dict[str, tuple[Layer, ...]] = {}
            for step in block.body:
                if not isinstance(step, NodeDef) or not has_module(step):
                    continue
                channels = widths.widths[step.inputs[0]].channels
                try:
                    layers = step_layers(step, widths, channels, types)
                    if step.reuses is not None:
                        _hold_to_reused(step, layers, of_block[step.reuses])
                except EmitError as error:
                    labels = () if step.origin.span is None else (Label(step.origin.span),)
                    raise SpecError([Diagnostic("E501", str(error), labels)]) from None
                of_block[step.path] = layers
                all_layers.append(layers)
                if step.reuses is None and Weighted.has_weights(layers):
                    weighted.append(Weighted(block, step, layers))
        return weighted, all_layers

    def _block(self, block: BlockDef, stored: Mapping[str, str]) -> Iterator[Class]:
        """Yield the class of a block, behind those of its outputs and its nested branches."""
        is_network = block is self._model.network
        outputs = self._outputs.get(block.name)
        if outputs is not None and not is_network:
            yield self._tuple_of(block)
        name, types = self._class_names[block.name], self._types[block.name]
        widths, plan = self._widths[block.name], self._plans[block.name]
        params = [declare(param, types[param.name]) for param in block.params]
        modules = BlockModules(
            name, params, types, widths, self._small_classes, self._classes, self._names
        )
        made = modules.statements(plan.modules)
        bound = [param.name for param in params]
        begin = tuple(self._init.statements(bound)) if is_network else ()
        conditions = self._find_conditions(block)
        flags = self._flags(block, conditions, stored)
        body = (*self._store(block, stored), *self._decide(block, conditions, flags), *made, *begin)
        new = constructor(params, body, by_position=is_network)
        channels = list(map(name_channels, block.inputs))
        takes = tuple(index for index, channel in enumerate(channels) if channel in new.reads)
        if takes:
            entering = [Parameter(channels[index], _INT) for index in takes]
            new = constructor([*entering, *params], body, channels=channels)
        keywords = tuple(channels) if len(channels) > 1 else ("",)
        self._classes[block.name] = ClassInfo(name, types, keywords, takes)
        training = self._training if is_network else None
        result = TENSOR if outputs is None else annotation(outputs, outputs)
        if training is not None:
            result = annotation(f"{result} | {training}", *result.uses, training)
        recomputes = is_network and self._form is not None and self._form.recomputes
        forward_pass = Forward(
            widths, plan, outputs, training, stored, flags, recomputes=recomputes
        )
        passes = tuple(forward_pass.statements())
        inputs = tuple(Parameter(plan.locals[path], TENSOR) for path in block.inputs)
        forward = Function("forward", result, passes, inputs)
        yield from modules.nested
        doc = tuple(self._block_summary(block))
        yield Class(name, symbol("nn.Module"), doc, (new, forward))

    def _stored(self, block: BlockDef) -> dict[str, str]:
        """Return the attributes that hold the parameters which the forward pass reads."""
        steps = [step.path.names[0] for step in block.body]
        return {
            name: free_name(name, steps) for name in forward_params(block, self._widths[block.name])
        }

    def _find_conditions(self, block: BlockDef) -> dict[Path, Apply]:
        """Return the conditions that the forward pass reads, by the paths of the values.

        The constructor reads those of modules that are not there.
        """
        plan, widths = self._plans[block.name], self._widths[block.name]
        conditions: dict[Path, Apply] = {}
        for statement in (*plan.trunk, *plan.in_heads, *plan.called_heads):
            match statement.makes:
                case NodeDef(path=path, when=when) | ModuleCall(gives=(path, *_), when=when):
                    condition = widths.decide(when, path)
                    if isinstance(condition, Apply):
                        conditions[path] = condition
        return conditions

    def _flags(
        self, block: BlockDef, conditions: Mapping[Path, Apply], stored: Mapping[str, str]
    ) -> dict[str, str]:
        """Return the attributes that hold the conditions, by the paths of the values.

        Values under one condition share an attribute, which has the name of the first.
        """
        taken = {*stored.values(), *(step.path.names[0] for step in block.body)}
        names: dict[Expr, str] = {}
        for path, condition in conditions.items():
            if condition not in names:
                names[condition] = free_name(f"has_{'_'.join(path.names)}", taken)
                taken.add(names[condition])
        return {path: names[condition] for path, condition in conditions.items()}

    def _decide(
        self, block: BlockDef, conditions: Mapping[Path, Apply], flags: Mapping[str, str]
    ) -> Iterator[Statement]:
        """Yield the statements that decide the conditions."""
        types = self._types[block.name]
        decided = {flags[path]: condition for path, condition in conditions.items()}
        for flag, condition in decided.items():
            yield Assign(f"self.{flag}", literal(write_condition(condition, types)))

    def _store(self, block: BlockDef, stored: Mapping[str, str]) -> Iterator[Statement]:
        for name, is_act in forward_params(block, self._widths[block.name]).items():
            value = Construct(local(name)) if is_act else local(name)
            yield Assign(f"self.{stored[name]}", value)

    def _tuple_of(self, block: BlockDef) -> Class:
        """Return the tuple of the outputs of a block, or of the network in inference."""
        widths, plan = self._widths[block.name], self._plans[block.name]
        members = tuple(
            Member(name, TENSOR, shape_text(widths, path)) for name, path in plan.outputs.items()
        )
        doc = f"Outputs of `{self._class_names[block.name]}`."
        return Class(self._outputs[block.name], symbol("NamedTuple"), (doc,), members=members)

    def _training_tuple(self, name: str) -> Class:
        network = self._model.network
        widths, plan = self._widths[network.name], self._plans[network.name]
        paths = {name or "logits": path for name, path in plan.outputs.items()}
        paths |= {head.path: plan.head_outputs[head.path] for head in self._model.heads}
        members = tuple(
            Member(member, TENSOR, shape_text(widths, path)) for member, path in paths.items()
        )
        outputs = self._outputs.get(network.name)
        returned = "the logits" if outputs is None else f"`{outputs}`"
        doc = f"Outputs in training mode; eval mode returns {returned}."
        return Class(name, symbol("NamedTuple"), (doc,), members=members)

    def _factory(self) -> Function:
        network = self._model.network
        types = self._types[network.name]
        params = tuple(declare(param, types[param.name]) for param in network.params)
        made = symbol(self._class_names[network.name])
        arguments = tuple((param.name, local(param.name)) for param in params)
        title = self._model.title or self._model.name
        return Function(
            self._model.name,
            made,
            (Return(Construct(made, arguments)),),
            params,
            doc=(f"Build {title}.",),
            is_method=False,
        )

    def _block_summary(self, block: BlockDef) -> Iterator[str]:
        widths = self._widths[block.name]
        inputs = (shape_text(widths, path) for path in block.inputs)
        outputs = (shape_text(widths, path) for path in self._plans[block.name].outputs.values())
        shapes = f"{', '.join(inputs)} -> {', '.join(outputs)}."
        if block is self._model.network:
            title, source = self._model.title or self._model.name, None
        else:
            title, source = block.title or block.name, block.source
        named = f"{title} ({source})" if source else title
        if len(named) + len(shapes) < 88:
            yield f"{named}: {shapes}"
        else:
            yield f"{named}."
            yield f"Shape: {shapes}"


def _hold_to_reused(step: NodeDef, layers: Sequence[Layer], reused: Sequence[Layer]) -> None:
    """Refuse a step that runs another one's layers where its own would be of other classes.

    Raises:
        EmitError: one reads maps, and the other vectors.
    """
    if [layer.callee for layer in layers] != [layer.callee for layer in reused]:
        text = f"`{step.path}` and `{step.reuses}` share a layer"
        raise EmitError(f"{text}: one reads maps, the other vectors")


def _summary(
    model: Model,
    widths: Mapping[str, BlockWidths],
    plans: Mapping[str, ForwardPlan],
    cost: CostReport,
    form: TrainingForm | None,
) -> list[str]:
    """Return the paragraphs of the module's docstring."""
    network = model.network.name
    params = f"{cost.totals.params:,}"
    if model.heads:
        params += f" ({cost.totals_with_heads.params:,} with training heads)"
    paragraphs = [
        f"{model.title or model.name}.",
        f"Source: {model.source}." if model.source else "",
        f"{_describe_inputs(model, widths[network])} Parameters: {params}."
        f" Multiply-accumulates: {cost.totals.macs:,}.",
    ]
    if any(path in plans[network].left_out for path in model.network.outputs.values()):
        paragraphs.append("The network returns logits; the loss applies the softmax.")
    if deviations(model):
        paragraphs.append("Known deviations from its sources: see cost.md.")
    if form is not None:
        paragraphs.extend(form.describe())
    return paragraphs


def _describe_inputs(model: Model, widths: BlockWidths) -> str:
    first, *others = (shape_text(widths, path) for path in model.network.inputs)
    if not others:
        return f"Input: {first}."
    names = (path.name for path in model.network.inputs)
    named = zip(names, (first, *others), strict=True)
    return f"Inputs: {', '.join(f'{name} {shape}' for name, shape in named)}."


def _author_names(model: Model, plans: Mapping[str, ForwardPlan]) -> Iterator[str]:
    """Yield the names of authors that functions of the module bind, or that the module has."""
    yield model.name
    for block in model.blocks:
        yield from (param.name for param in block.params)
    for block in model.blocks:  # a forward pass that makes a tuple of outputs needs its name
        if len(block.outputs) > 1 or (model.heads and block is model.network):
            yield from plans[block.name].locals.values()


def _parameter_types(model: Model) -> dict[str, dict[str, ParamType]]:
    """Return the type of every parameter by block, from all the values that it can have.

    One that a caller binds to a parameter of its own can have all the values of that one.
    """
    values: dict[tuple[str, str], list[Value]] = {}
    for block in model.blocks:
        for param in block.params:
            default = [] if param.default is None else [param.default]
            values[block.name, param.name] = list(default)
    seen: set[int] = set()

    def visit(call: Call) -> None:
        for name, value in call.arguments.items():
            if (call.block, name) in values:  # a class need not offer each parameter
                values[call.block, name].append(value)
        if id(call.body) in seen:
            return
        seen.add(id(call.body))
        for item in call.body:
            if isinstance(item, Call):
                visit(item)

    visit(model.root)
    for block in reversed(model.blocks):  # callers before callees
        for step in block.body:
            if isinstance(step, CallDef):
                for name, value in step.arguments.items():
                    if isinstance(value, Name) and (step.block, name) in values:
                        values[step.block, name] += values.get((block.name, value.name), [])
    result: dict[str, dict[str, ParamType]] = {block.name: {} for block in model.blocks}
    for (block_name, name), bound in values.items():
        result[block_name][name] = find_type(bound)
    return result
