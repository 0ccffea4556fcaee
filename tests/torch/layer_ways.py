"""The steps of a module as torch's own symbolic tracer reads them, each with ways to compute it.

A layer may be a module or a function, and a function may be called by its place or by keywords.
"""

from __future__ import annotations

import operator
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, fx, nn

ACTS: dict[Any, tuple[type[nn.Module], str]] = {
    F.relu: (nn.ReLU, "relu"),
    F.relu6: (nn.ReLU6, ""),
    F.silu: (nn.SiLU, ""),
    F.elu: (nn.ELU, ""),
    F.selu: (nn.SELU, ""),
    F.mish: (nn.Mish, ""),
    F.hardtanh: (nn.Hardtanh, ""),
    F.leaky_relu: (nn.LeakyReLU, ""),
    F.hardswish: (nn.Hardswish, ""),
    F.hardsigmoid: (nn.Hardsigmoid, ""),
    F.gelu: (nn.GELU, ""),
    F.softplus: (nn.Softplus, ""),
    torch.relu: (nn.ReLU, "relu"),
    torch.sigmoid: (nn.Sigmoid, "sigmoid"),
    torch.tanh: (nn.Tanh, "tanh"),
}
"""The class of an activation, and its name as a method; empty if it is none."""

IN_PLACE = frozenset(
    [F.relu, F.relu6, F.silu, F.elu, F.selu, F.mish, F.hardtanh, F.leaky_relu, F.hardswish]
)
"""The activations that can overwrite what they read."""

FRESH = frozenset(["conv2d", "linear", "batch_norm", "add", "cat", "avg_pool2d", "max_pool2d"])
"""The functions whose results share no memory with others, and that need no copy of them."""


@dataclass(frozen=True)
class Layer:
    """A step of a network.

    Attributes:
        name: the name of its value.
        reads: the names of the values that it reads.
        kind: the name of its function of torch.
        module: a module that computes it; None if there is none.
        texts: functions that compute it, as expressions of Python; `{0}` is what it reads first,
            and `@weight` stands for a tensor.
        tensors: the tensors of those expressions.
        overwrites: expressions that leave the result in what it reads first.
    """

    name: str
    reads: tuple[str, ...]
    kind: str
    module: nn.Module | None
    texts: tuple[str, ...]
    tensors: dict[str, Tensor] = field(default_factory=dict)
    overwrites: tuple[str, ...] = ()

    @property
    def parameters(self) -> list[nn.Parameter]:
        """The parameters that it uses."""
        of_module = self.module.parameters() if self.module is not None else ()
        tensors = [*self.tensors.values(), *of_module]
        return [tensor for tensor in tensors if isinstance(tensor, nn.Parameter)]


class _Reader(fx.Tracer):
    """A tracer that opens all modules but layers: torch's own, and those that torch lacks."""

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        is_layer = type(m).__module__.startswith("torch.nn") and not isinstance(m, nn.Sequential)
        return is_layer or "Same" in type(m).__name__ or type(m).__name__.startswith("_")


def read_layers(
    module: nn.Module, images: Sequence[Tensor]
) -> tuple[list[str], list[Layer], list[str]]:
    """Return the inputs of a module, its steps in order, and the values that it returns."""
    graph = _Reader().trace(module)
    whole = fx.GraphModule(module, graph)
    graph.eliminate_dead_code()
    shapes: dict[str, tuple[int, ...]] = {}

    class Watch(fx.Interpreter):
        def run_node(self, n: fx.Node) -> Any:
            value = super().run_node(n)
            if isinstance(value, Tensor):
                shapes[n.name] = tuple(value.shape)
            return value

    with torch.no_grad():
        Watch(whole).run(*images)
    inputs, layers, outputs = [], [], []
    for node in graph.nodes:
        match node.op:
            case "placeholder":
                inputs.append(node.name)
            case "call_function" if isinstance(node.target, type):  # a tuple with names
                outputs = [one.name for one in (*node.args, *node.kwargs.values())]
            case "output":
                outputs = outputs or [one.name for one in node.all_input_nodes]
            case "get_attr":
                continue
            case _:
                layers.append(_read(node, module, shapes))
    return inputs, layers, outputs


def _find(module: nn.Module, path: str) -> Any:
    return operator.attrgetter(path)(module)


def _read(node: fx.Node, root: nn.Module, shapes: dict[str, tuple[int, ...]]) -> Layer:
    """Return a node of the tracer as a step."""
    reads = tuple(one.name for one in node.all_input_nodes if one.op != "get_attr")
    shape = shapes.get(reads[0], ()) if reads else ()  # a tuple of tensors has none
    if node.op == "call_module":
        module = _find(root, str(node.target))
        return _of_module(node.name, reads, module, shape)
    if node.target is F.conv2d and _is_held(node.args[1]):
        return _of_conv(node, reads, root)
    if node.target in ACTS:
        keywords = {key: value for key, value in node.kwargs.items() if key != "inplace"}
        return _of_act(node.name, reads, node.target, keywords)
    kind = node.target if isinstance(node.target, str) else node.target.__name__
    if kind == "_drop_path":  # in inference it drops nothing
        return Layer(node.name, reads, kind, None, ("{0}",))
    if node.target is torch.cat:
        listed = ", ".join(f"{{{index}}}" for index in _places(node.args[0], reads))
        texts = [f"torch.cat([{listed}], {axis})" for axis in ("1", "dim=1")]
        texts += [f"torch.cat(({listed},), dim=-{len(shape) - 1})", f"torch.concat([{listed}], 1)"]
        return Layer(node.name, reads, "cat", None, tuple(texts))
    if kind in {"add", "mul"} and not any(map(_is_held, node.args)):
        keeps = len({shapes.get(read, ()) for read in reads}) == 1
        return _of_sum(node, reads, kind, keeps_shape=keeps)
    held = [one for one in node.all_input_nodes if _is_held(one)]
    tensors = {f"held{index}": _find(root, str(one.target)) for index, one in enumerate(held)}
    written = _write_call(node, reads, [one.name for one in held])
    return Layer(node.name, reads, kind, None, (written,), tensors)


def _is_held(value: Any) -> bool:
    """Tell whether a value is a tensor that a module holds."""
    return isinstance(value, fx.Node) and value.op == "get_attr"


def _places(values: Any, reads: Sequence[str]) -> list[int]:
    return [reads.index(value.name) for value in values]


def _write_call(node: fx.Node, reads: Sequence[str], held: Sequence[str]) -> str:
    """Return a call of torch as it stands.

    Args:
        held: the names of the tensors that it takes of modules.
    """

    def write(value: Any) -> str:
        match value:
            case fx.Node() if value.name in held:
                return f"@held{held.index(value.name)}"
            case fx.Node():
                return f"{{{reads.index(value.name)}}}"
            case list() | tuple():
                return f"[{', '.join(map(write, value))}]"
            case slice():
                return f"slice({value.start}, {value.stop}, {value.step})"
            case _:
                return repr(value)

    arguments = [write(value) for value in node.args]
    keywords = [f"{key}={write(value)}" for key, value in node.kwargs.items()]
    if node.op == "call_method":
        return f"{arguments[0]}.{node.target}({', '.join([*arguments[1:], *keywords])})"
    target: Any = node.target
    if target is getattr:
        return f"{arguments[0]}.{node.args[1]}"
    if target is operator.getitem:
        index = node.args[1]
        inner = ", ".join(write(part) for part in (index if isinstance(index, tuple) else [index]))
        return f"{arguments[0]}[{inner}]"
    place = "operator" if target.__module__ == "_operator" else _place(target)
    return f"{place}.{target.__name__}({', '.join([*arguments, *keywords])})"


def _place(function: Any) -> str:
    return "torch" if getattr(torch, function.__name__, None) is function else "F"


def _of_sum(node: fx.Node, reads: tuple[str, ...], kind: str, *, keeps_shape: bool) -> Layer:
    """Return a sum or a product, of two tensors or with a number.

    Args:
        keeps_shape: the result has the shape of what could be overwritten with it.
    """
    first, second = (
        f"{{{reads.index(value.name)}}}" if isinstance(value, fx.Node) else repr(value)
        for value in node.args
    )
    sign = {"add": "+", "mul": "*"}[kind]
    texts = [f"{first} {sign} {second}", f"{second} {sign} {first}"]
    if first == "{0}":
        texts += [f"torch.{kind}({first}, {second})", f"{first}.{kind}({second})"]
        texts += [f"torch.{kind}(input={first}, other={second})"]
    other = second if first == "{0}" else first
    overwrites = (f"{{0}}.{kind}_({other})", f"operator.i{kind}({{0}}, {other})")
    return Layer(node.name, reads, kind, None, tuple(texts), {}, overwrites if keeps_shape else ())


def _of_act(name: str, reads: tuple[str, ...], function: Any, keywords: dict[str, Any]) -> Layer:
    """Return an activation."""
    kind, method = ACTS[function]
    written = "".join(f", {key}={value!r}" for key, value in keywords.items())
    texts = [f"{_place(function)}.{function.__name__}({{0}}{written})"]
    if method:
        texts += [f"{{0}}.{method}()", f"torch.{method}({{0}})"]
    overwrites = [f"torch.{method}_({{0}})", f"{{0}}.{method}_()"] if method else []
    if function in IN_PLACE:
        overwrites.append(f"F.{function.__name__}({{0}}{written}, inplace=True)")
    if function is F.relu:
        texts += ["{0}.clamp(min=0)", "torch.clamp({0}, 0)"]
    if function is F.hardsigmoid:
        texts += ["F.relu6({0} + 3) / 6", "F.relu6({0} + 3.0) * (1 / 6)"]
    if function is F.hardswish:
        texts += ["{0} * F.hardsigmoid({0})", "{0} * F.relu6({0} + 3) / 6"]
    return Layer(name, reads, "act", kind(**keywords), tuple(texts), {}, tuple(overwrites))


def _of_conv(node: fx.Node, reads: tuple[str, ...], root: nn.Module) -> Layer:
    """Return a convolution whose weights a module has that is no layer of torch's."""
    _, weight, bias, stride, padding, dilation, groups = node.args
    assert isinstance(weight, fx.Node)
    kernel = _find(root, str(weight.target))
    module = nn.Conv2d(
        kernel.shape[1] * int(str(groups)),
        kernel.shape[0],
        tuple(kernel.shape[2:]),
        stride,  # type: ignore[arg-type]
        padding,  # type: ignore[arg-type]
        dilation,  # type: ignore[arg-type]
        int(str(groups)),
        bias is not None,
    )
    module.weight = kernel
    if isinstance(bias, fx.Node):
        module.bias = _find(root, str(bias.target))
    return _of_module(node.name, reads, module, ())


def _of_module(
    name: str, reads: tuple[str, ...], module: nn.Module, shape: tuple[int, ...]
) -> Layer:
    """Return a layer of torch, with the functions that compute the same."""
    tensors = dict(module.state_dict(keep_vars=True))
    texts: list[str] = []
    kind = type(module).__name__
    match module:
        case _ if not type(module).__module__.startswith("torch.nn"):
            pass  # it may do more than the layer of torch that it extends
        case nn.Conv2d():
            kind = "conv2d"
            bias = "@bias" if module.bias is not None else "None"
            at = module.stride, module.padding, module.dilation, module.groups
            texts = [
                f"F.conv2d({{0}}, @weight, {bias}, {', '.join(map(repr, at))})",
                f"torch.conv2d({{0}}, @weight, {bias}, {', '.join(map(repr, at))})",
                f"F.conv2d(weight=@weight, input={{0}}, bias={bias}, stride={at[0]}, "
                f"padding={at[1]}, dilation={at[2]}, groups={at[3]})",
            ]
        case nn.BatchNorm2d():
            kind = "batch_norm"
            weights = "@weight, @bias" if module.affine else "None, None"
            more = f"False, {module.momentum}, {module.eps}"
            texts = [f"F.batch_norm({{0}}, @running_mean, @running_var, {weights}, {more})"]
        case nn.Linear():
            kind = "linear"
            bias = "@bias" if module.bias is not None else "None"
            texts = [f"F.linear({{0}}, @weight, {bias})"]
        case nn.Flatten() if module.start_dim == 1:
            texts = [
                "{0}.flatten(1)",
                "torch.flatten({0}, 1)",
                "{0}.contiguous().view({0}.size(0), -1)",
            ]
            texts += ["{0}.reshape({0}.shape[0], -1)", "{0}.reshape(len({0}), -1)"]
            if shape[2:] == (1, 1):
                texts += ["{0}.squeeze(-1).squeeze(-1)", "{0}[:, :, 0, 0]", "{0}.squeeze((2, 3))"]
        case nn.AdaptiveAvgPool2d():
            size = module.output_size
            texts = [f"F.adaptive_avg_pool2d({{0}}, {size})"]
            if size in (1, (1, 1)):
                texts += ["{0}.mean((2, 3), keepdim=True)", "torch.mean({0}, [-1, -2], True)"]
                texts += ["{0}.mean(3, True).mean(2, True)"]
                texts += [f"F.avg_pool2d({{0}}, {shape[2:]})", "F.avg_pool2d({0}, {0}.shape[2:])"]
        case nn.MaxPool2d():
            at_pool = module.kernel_size, module.stride, module.padding, module.dilation
            words = ", ".join(map(repr, at_pool))
            texts = [f"F.max_pool2d({{0}}, {words}, {module.ceil_mode})"]
        case nn.AvgPool2d():
            kind = "avg_pool2d"
            at_mean = module.kernel_size, module.stride, module.padding, module.ceil_mode
            words = ", ".join(map(repr, at_mean))
            texts = [f"F.avg_pool2d({{0}}, {words}, {module.count_include_pad})"]
        case nn.Dropout():
            texts = [f"F.dropout({{0}}, {module.p}, self.training)"]
        case nn.Identity():
            texts = ["{0}"]
        case nn.LocalResponseNorm():
            at_lrn = module.size, module.alpha, module.beta, module.k
            texts = [f"F.local_response_norm({{0}}, {', '.join(map(repr, at_lrn))})"]
        case nn.Softmax():
            texts = ["F.softmax({0}, dim=1)", "{0}.softmax(1)", "torch.softmax({0}, 1)"]
        case _ if type(module) in {of for of, _ in ACTS.values()}:
            (function,) = [fn for fn, (of, _) in ACTS.items() if of is type(module)][:1]
            return _of_act(name, reads, function, _act_arguments(module))
    return Layer(name, reads, kind, module, tuple(texts), tensors)


def _act_arguments(module: nn.Module) -> dict[str, Any]:
    names = {
        nn.ELU: ("alpha",),
        nn.LeakyReLU: ("negative_slope",),
        nn.Hardtanh: ("min_val", "max_val"),
        nn.GELU: ("approximate",),
        nn.Softplus: ("beta", "threshold"),
    }
    return {name: getattr(module, name) for name in names.get(type(module), ())}
