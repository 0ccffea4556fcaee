"""A trace of a module: every call of torch that one forward pass makes, with its arguments.

The module runs on the meta device, which has shapes and no values. A mode of torch sees the calls
of `torch.nn.functional`, of methods and of operators; hooks tell which module makes them. Nothing
here knows the meaning of a call.

Longer than 400 lines: one recorder holds the state of a trace, which all that it notes shares.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from numbers import Integral, Real
from types import MappingProxyType
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules import module as hooks
from torch.overrides import TorchFunctionMode

from inception_dsl.bridge.calls import (
    BATCH,
    CallTrace,
    ConstantRef,
    ModuleFacts,
    TorchCall,
    TracedResult,
    ValueRef,
    WeightRef,
    find_values,
)
from inception_dsl.bridge.frames import FrameReader, Frames
from inception_dsl.bridge.gradients import GradientWatch, watch_casts
from inception_dsl.bridge.norms import normalize_at_once
from inception_dsl.bridge.ports import (
    call_module,
    describe_form,
    list_results,
    make_inputs,
    name_arguments,
)

OTHER_BATCH = 3
"""The number of images in a traced batch of training.

It is not that of inference, so that a network that looks at it gives two traces.
"""

DRAWS = frozenset(
    ["rand", "randn", "randint", "randperm", "rand_like", "randn_like", "normal", "bernoulli"]
)
"""The functions that draw at random, other than a dropout's."""


_IN_PLACE_OPERATORS = frozenset(
    [
        "iadd",
        "isub",
        "imul",
        "itruediv",
        "ifloordiv",
        "ipow",
        "iand",
        "ior",
        "ixor",
        "imatmul",
        "imod",
    ]
)


_ASKS = frozenset(
    [
        *("__bool__", "__float__", "__int__", "__index__", "__complex__", "__array__"),
        *("item", "tolist", "numpy", "__contains__"),
        *("nonzero", "argwhere", "equal", "allclose", "is_nonzero", "bincount"),
        *("unique", "unique_consecutive", "masked_select"),
    ]
)
"""The functions that answer with a tensor's values, or with as many results as these say."""

_ZEROS = frozenset(["zeros", "zeros_like", "new_zeros"])
"""The functions that make tensors of zeros, whatever they read."""

_COPIES = frozenset(["cpu", "to", "cuda"])
"""The functions that copy values; a tensor on the meta device has none."""


@dataclass(frozen=True, slots=True)
class ValueRequest:
    """A request of a network for the values of a tensor.

    Attributes:
        name: the function that asks.
        of: the name of the parameter or the buffer; empty for a tensor that the network computes.
        module: the path of the module that asks.
    """

    name: str
    of: str
    module: str
    frames: Frames


class ValuesAskedError(Exception):
    """The error of a network that asks for values, which differ from image to image."""

    def __init__(self, requests: Sequence[ValueRequest]) -> None:
        super().__init__(requests[0].name)
        self.requests = tuple(requests)


class _Recorder(TorchFunctionMode):
    """A mode of torch that writes a trace."""

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.trace = CallTrace()
        self.requests: list[ValueRequest] = []
        self._values: dict[int, ValueRef] = {}
        self._kept: list[Tensor] = []  # a tensor that is freed would give its id to another one
        self._refs: list[ValueRef] = []
        self._kept_zeros: list[Tensor] = []
        self._storages: dict[int, list[int]] = {}
        self._overwritten: set[int] = set()
        self._zeros: dict[int, int] = {}
        self._weights = dict(_list_weights(module))
        self._parameters = {id(parameter): parameter for parameter in module.parameters()}
        self._parameters_of: dict[int, list[nn.Parameter]] = {}  # by their storages
        for parameter in self._parameters.values():
            self._parameters_of.setdefault(_storage(parameter), []).append(parameter)
        self._paths: dict[int, str] = {}
        for path, child in module.named_modules():
            self._paths.setdefault(id(child), path)
        self._compiled = {
            path
            for path, child in module.named_modules()
            if isinstance(child, torch.jit.ScriptModule)
        }
        self._stack: list[tuple[str, tuple[int, ...]]] = []
        self._counts: Counter[tuple[str, tuple[int, ...], str]] = Counter()
        self._holders = {path for path, child in module.named_modules() if _has_weights(child)}
        self._frames = FrameReader()
        self.gradients = GradientWatch()

    def add_input(self, tensor: Tensor) -> None:
        self.trace.inputs.append(self._add(tensor))

    def enter(self, module: nn.Module, arguments: Sequence[Any]) -> None:
        path = self._paths.get(id(module))
        self._stack.append(("", ()) if path is None else self._count_run(path))
        if path and len(list(_list_tensors(arguments))) > 1:
            named = name_arguments(module.forward, arguments)
            refs = [(name, self._values.get(id(tensor))) for name, tensor in named]
            names = {ref.number: name for name, ref in refs if ref is not None}
            self.trace.arguments[self.place] = names

    def leave(self) -> None:
        if self._stack:
            self._stack.pop()

    @property
    def place(self) -> tuple[str, tuple[int, ...]]:
        """The path of the module that runs, and its earlier runs."""
        return self._stack[-1] if self._stack else ("", ())

    def _count_run(self, path: str) -> tuple[str, tuple[int, ...]]:
        """Return the place of a run that begins: its number counts in the nearest run around it.

        Between the two may be modules that only hold others. The first of these counts the runs of
        a module with weights, so that all that runs in one round of a loop stays together.
        """
        self.trace.ran[path] = None
        around = next(
            (pair for pair in reversed(self._stack) if _is_above(pair[0], path)), ("", ())
        )
        between = len(path.split(".")) - len(around[1]) if path else 0
        if not between:
            return path, ()
        number = self._counts[*around, path]
        self._counts[*around, path] += 1
        rest = [0] * (between - 1)
        is_held = path in self._holders
        return path, (*around[1], *((number, *rest) if is_held else (*rest, number)))

    def refer(self, value: Any) -> Any:
        """Return a value with references in the place of its tensors."""
        match value:
            case Tensor():
                shape = tuple(value.shape)
                name, is_parameter = self._weights.get(id(value), ("", False))
                known = self._values.get(id(value))
                if known is None and name:
                    return WeightRef(name, shape, is_parameter)
                known = known or self._find_other_name(value)
                is_zero = self._zeros.get(id(value)) == _version(value)
                return known or ConstantRef(shape, is_zero, isinstance(value, nn.Parameter))
            case tuple() | list():
                return tuple(self.refer(part) for part in value)
            case dict():
                return {key: self.refer(part) for key, part in value.items()}
            case bool():
                return value
            case Integral():  # numpy's numbers are the same to torch
                return int(value)
            case Real():
                return float(value)
            case _:
                return value

    def _find_other_name(self, tensor: Tensor) -> ValueRef | None:
        """Return the value that a tensor is under the name of another class, as a subclass gives.

        torch shows no call for it. Both have the same memory in the same order.
        """
        for number in reversed(self._storages.get(_storage(tensor), ())):
            if _lie_alike(self._kept[number - 1], tensor):
                return None if number in self._overwritten else self._refs[number - 1]
        return None

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        name = getattr(func, "__name__", str(func))
        if name == "__get__":
            name = f"get_{getattr(getattr(func, '__self__', None), '__name__', '')}"
        elif getattr(func, "__module__", None) != "torch.nn.functional" and name == "batch_norm":
            name = "torch_batch_norm"  # its arguments have another order
        elif name == "__set__" and func.__self__ is Tensor.data:
            name = "setitem"
        arguments, keywords = self.refer(args), self.refer(kwargs)
        read = list(_list_tensors((args, kwargs)))
        versions = [_version(tensor) for tensor in read]
        plain = _plain_name(name)
        if name in _ASKS:
            self._note_request(plain, read, arguments)
        try:
            result = None
            if name == "batch_norm":
                result = normalize_at_once(*args, **kwargs)
            if result is None:
                result = _apply(func, args, kwargs, read)
        except NotImplementedError:  # torch copies no values of a tensor that has none
            if plain in _COPIES:
                self._note_request(plain, read, arguments)
            raise
        made = list(_list_tensors(result))
        if plain in _ZEROS and not kwargs.get("out"):
            self._kept_zeros += made
            self._zeros.update((id(tensor), _version(tensor)) for tensor in made)
            return result
        if (not read and plain not in DRAWS) or (name.startswith("get_") and _are_same(made, read)):
            return result
        written = read[:1] if name == "setitem" else []
        written += [
            tensor
            for tensor, version in zip(read, versions, strict=True)
            if _version(tensor) > version
        ]
        if not made and not written:
            return result
        stale = any(ref.number in self._overwritten for ref in find_values((arguments, keywords)))
        self._note_written(written)
        path, runs = self.place
        call = TorchCall(
            name=plain,
            arguments=arguments,
            keywords=keywords,
            results=tuple(self._add(tensor) for tensor in made),
            module=path,
            runs=runs,
            frames=self._frames.read(),
            is_stale=stale,
            is_compiled=path in self._compiled or isinstance(func, torch._ops.OpOverload),
            is_cut=self.gradients.is_cut(plain),
        )
        self.trace.calls.append(call)
        return self._keep_single(result, read)

    def _note_written(self, written: Sequence[Tensor]) -> None:
        """Note that values changed, those of parameters as well, under all of their names."""
        storages = set(map(_storage, written))
        for storage in storages:
            self._overwritten.update(self._storages.get(storage, ()))
        for tensor in written:
            parameter = self._parameters.get(id(tensor))
            if parameter is not None:  # it may have another storage now
                self._parameters_of.setdefault(_storage(parameter), []).append(parameter)
        changed = {
            id(parameter): parameter
            for storage in storages
            for parameter in self._parameters_of.get(storage, ())
            if _storage(parameter) == storage
        }
        for parameter in changed.values():
            self._add(parameter)

    def is_overwritten(self, ref: object) -> bool:
        """Tell whether a value has changed under another name."""
        return isinstance(ref, ValueRef) and ref.number in self._overwritten

    def _keep_single(self, result: Any, read: Sequence[Tensor]) -> Any:
        """Return a result in the precision of the weights here, under the number that it has.

        A network that computes in another precision runs to its end, and the call that chose the
        precision is noted.
        """
        if not (isinstance(result, Tensor) and result.is_meta and result.is_floating_point()):
            return result
        if result.dtype == torch.float32 or any(tensor.dtype == result.dtype for tensor in read):
            return result
        single = result.float()
        self._kept.append(single)
        self._refs.append(self._values[id(result)])
        self._values[id(single)] = self._values[id(result)]
        return single

    def note_cast(self) -> None:
        """Note that the module that runs chooses another type of numbers for its steps."""
        path, _ = self.place
        self.trace.casts.append((path, self._frames.read()))

    def _note_request(self, name: str, read: Sequence[Tensor], arguments: Any) -> None:
        """Note a request for values, if the tensor has none here."""
        if any(tensor.is_meta for tensor in read):
            named = (ref.name for ref in arguments if isinstance(ref, WeightRef))
            path, _ = self.place
            request = ValueRequest(name, next(named, ""), path, self._frames.read())
            self.requests.append(request)

    def _add(self, tensor: Tensor) -> ValueRef:
        """Give a tensor a number; a change in place gives it another one."""
        self._kept.append(tensor)
        ref = ValueRef(len(self._kept), tuple(tensor.shape), str(tensor.dtype))
        self._values[id(tensor)] = ref
        self._refs.append(ref)
        self._storages.setdefault(_storage(tensor), []).append(ref.number)
        return ref


def _apply(func: Any, args: Any, kwargs: Any, read: Sequence[Tensor]) -> Any:
    """Call a function of torch; tensors that the network makes on the CPU go to the meta device."""
    try:
        return func(*args, **kwargs)
    except RuntimeError:
        devices = {tensor.device.type for tensor in read}
        if devices != {"cpu", "meta"}:
            raise
        twins = {id(tensor): tensor.to("meta") for tensor in read if not tensor.is_meta}
        result = func(*_replace(args, twins), **_replace(kwargs, twins))
        for tensor in read:
            if id(tensor) in twins and _version(twins[id(tensor)]):
                tensor.copy_(tensor)  # its values are not known now, and its version tells it
        return result


def _replace(value: Any, twins: Mapping[int, Tensor]) -> Any:
    """Return arguments with other tensors in the place of some, by their ids."""
    match value:
        case Tensor():
            return twins.get(id(value), value)
        case tuple() | list():
            return type(value)([_replace(part, twins) for part in value])
        case dict():
            return {key: _replace(part, twins) for key, part in value.items()}
        case _:
            return value


def _has_weights(module: nn.Module) -> bool:
    return any(True for _ in module.parameters())


def _is_above(path: str, below: str) -> bool:
    """Tell whether a module holds another one, at any depth."""
    return not path or below.startswith(f"{path}.")


def _are_same(made: Sequence[Tensor], read: Sequence[Tensor]) -> bool:
    """Tell whether a call gives the very tensors that it reads; `==` would compare values."""
    return [id(tensor) for tensor in made] == [id(tensor) for tensor in read]


def _storage(tensor: Tensor) -> int:
    return int(tensor.untyped_storage()._cdata)


def _lie_alike(one: Tensor, other: Tensor) -> bool:
    """Tell whether two tensors of one memory have the same values in the same order."""
    ways = [(each.shape, each.stride(), each.storage_offset()) for each in (one, other)]
    return one.dtype == other.dtype and ways[0] == ways[1]


def _version(tensor: Tensor) -> int:
    """Return the number of changes in place that a tensor, or a view of it, has seen."""
    return tensor._version


def _plain_name(name: str) -> str:
    """Return the name of a function without the marks of an operator or of a change in place."""
    plain = name.strip("_")
    return plain[1:] if plain in _IN_PLACE_OPERATORS and name.startswith("__") else plain


def _list_weights(module: nn.Module) -> Iterator[tuple[int, tuple[str, bool]]]:
    """Yield each buffer and parameter by its first name; a shared one has several."""
    for name, buffer in module.named_buffers():
        yield id(buffer), (name, False)
    for name, parameter in module.named_parameters():
        yield id(parameter), (name, True)


def _list_tensors(value: Any) -> Iterator[Tensor]:
    match value:
        case Tensor():
            yield value
        case tuple() | list():
            for part in value:
                yield from _list_tensors(part)
        case dict():
            for part in value.values():
                yield from _list_tensors(part)


_CONTAINERS = (nn.Sequential, nn.ModuleList, nn.ModuleDict)


def describe_modules(
    module: nn.Module, buffers: Mapping[str, Any] = MappingProxyType({})
) -> ModuleFacts:
    """Return what a reading needs of a module and of all that it holds.

    Args:
        buffers: the values of its buffers, as far as they are known.
    """
    return ModuleFacts(
        classes={path: type(child).__name__ for path, child in module.named_modules()},
        containers=frozenset(
            path for path, child in module.named_modules() if isinstance(child, _CONTAINERS)
        ),
        weights={name: tuple(value.shape) for name, value in module.named_parameters()},
        buffers=buffers,
    )


def trace_module(
    module: nn.Module,
    shapes: Mapping[str, Sequence[int]],
    *,
    training: bool = False,
    batch: int = BATCH,
) -> CallTrace:
    """Run a module that is on the meta device once, and return the record.

    The module is left in the mode in which it ran.

    Args:
        shapes: those of one image, or of one vector, by the name of the argument of `forward`; an
            input without a name is the first argument.

    Raises:
        ValuesAskedError: the network asks for the values of a tensor.

    Shape: `(channels, height, width)` of an image, `(features,)` of a vector.
    """
    module.train(training)
    recorder = _Recorder(module)
    tensors = make_inputs(shapes, batch)
    for tensor in tensors.values():
        recorder.add_input(tensor)
    try:
        with _watch(recorder), torch.enable_grad(), recorder:
            output = call_module(module, tensors)
    finally:
        if recorder.requests:  # a network may catch the error that ends a run
            raise ValuesAskedError(recorder.requests) from None
    results = [(name, recorder.refer(tensor)) for name, tensor in list_results(output)]
    recorder.trace.outputs = tuple(
        TracedResult(name, ref, recorder.is_overwritten(ref)) for name, ref in results
    )
    recorder.trace.form = describe_form(output)
    return recorder.trace


@contextmanager
def _watch(recorder: _Recorder) -> Iterator[None]:
    """Tell a recorder which module runs."""

    def enter(module: nn.Module, arguments: Any) -> None:
        recorder.enter(module, arguments)

    def leave(module: nn.Module, arguments: Any, output: Any) -> None:
        recorder.leave()

    handles = (
        hooks.register_module_forward_pre_hook(enter),
        hooks.register_module_forward_hook(leave, always_call=True),
    )
    try:
        with watch_casts(recorder.note_cast), recorder.gradients.run():
            yield
    finally:
        for handle in handles:
            handle.remove()
