"""The module of a target, on the meta device. To build it runs the code that the target names."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import os
import re
import sys
import traceback
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, NoReturn

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from inception_dsl.bridge.frames import INSTALLED, OriginMaker, is_foreign
from inception_dsl.bridge.makers import record_makers
from inception_dsl.bridge.reading import lacks
from inception_dsl.channels import printable
from inception_dsl.diagnostics import Diagnostic, Label, SpecError, nearest
from inception_dsl.ir import Origin, TensorType
from inception_dsl.spec.target import Target

FAILURES = (Exception, SystemExit, GeneratorExit)
"""The errors of a network's own code that are findings; an interrupt by a person is none."""

MAX_MESSAGE = 500
"""Maximum number of characters that are shown of an error of a network's own code."""


@dataclass(frozen=True, slots=True)
class BuiltTarget:
    """The module of a target.

    Attributes:
        input: the input that its library says it takes; None if that is not known.
        origin: the package and the version that it comes from, or the file.
        makers: the lines that made its modules and its tensors, by their paths.
        fixed: the parameters that need no gradient, by name.
        numbers: the types of the numbers in its state_dict, by key; the module here has others.
        rebuild: builds it once more, with values.
    """

    module: nn.Module
    input: TensorType | None
    origin: str
    makers: Mapping[str, Origin]
    fixed: frozenset[str]
    numbers: Mapping[str, str]
    rebuild: Callable[[], nn.Module]


def build_target(target: Target, folder: Path) -> BuiltTarget:
    """Return the module of a target, without values.

    Args:
        folder: the folder that files and packages are named from.

    Raises:
        SpecError: E701 there is no such network, E702 its code fails.
    """
    with quiet(), record_makers() as record:
        factory, input, origin = _find_factory(target, folder)
        module = _build(target, factory)
    if isinstance(module, nn.Module):  # `torch.compile` wraps the module that it compiles
        module = vars(module).get("_modules", {}).get("_orig_mod", module)
    if isinstance(module, torch.jit.ScriptModule):
        message = f"the language has no word for {lacks.COMPILED.what}: `{target.name}`"
        raise SpecError([Diagnostic("E705", message)])
    if not isinstance(module, nn.Module):
        message = f"`{printable(target.text)}` gives a {type(module).__name__}, no `nn.Module`"
        raise SpecError([Diagnostic("E701", message)])
    try:
        fixed = _find_fixed(module)
        numbers = {key: name_type(tensor) for key, tensor in module.state_dict().items()}
        _take_values(module)
    except AttributeError:
        message = f"`{type(module).__name__}` does not call `super().__init__()`"
        raise SpecError([Diagnostic("E702", message)]) from None
    makers = record.find_makers(module)

    def rebuild() -> nn.Module:
        again = factory(**target.arguments)
        assert isinstance(again, nn.Module)
        return again

    return BuiltTarget(module, input or _input_of(module), origin, makers, fixed, numbers, rebuild)


def _find_factory(
    target: Target, folder: Path
) -> tuple[Callable[..., Any], TensorType | None, str]:
    match target.library:
        case "timm":
            timm = _import_library("timm")
            if not timm.is_model(target.name):
                raise _unknown(target, timm.list_models())

            def make(**arguments: Any) -> Any:
                return timm.create_model(target.name, pretrained=False, **arguments)

            return make, None, f"timm {timm.__version__}"
        case "torchvision":
            torchvision = _import_library("torchvision")
            if target.name not in torchvision.models.list_models():
                raise _unknown(target, torchvision.models.list_models())
            builder = torchvision.models.get_model_builder(target.name)
            extra: dict[str, Any] = {"weights": None}
            if "weights_backbone" in inspect.signature(builder).parameters:
                extra["weights_backbone"] = None
            if target.name in {"googlenet", "inception_v3"}:
                extra["init_weights"] = False  # its own values take seconds, and are not read
            side = 299 if target.name == "inception_v3" else 224

            def make(**arguments: Any) -> Any:
                return builder(**{**extra, **arguments})

            return make, TensorType((3, side, side)), f"torchvision {torchvision.__version__}"
        case "py":
            module = _import_own(target, folder)
            factory = getattr(module, target.name, None)
            if not callable(factory):
                if factory is not None:
                    kind = type(factory).__name__
                    message = f"`{printable(target.text)}` is of `{kind}`, no class or function"
                    raise SpecError([Diagnostic("E701", message)])
                names = [name for name, value in vars(module).items() if callable(value)]
                raise _unknown(target, names)
            is_built = isinstance(factory, nn.Module)
            return (lambda: factory) if is_built else factory, None, target.module


def _import_library(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError:
        message = f"`{name}` is not installed"
        raise SpecError([Diagnostic("E701", message, help=f"pip install {name}")]) from None


def _import_own(target: Target, folder: Path) -> ModuleType:
    """Import the module of a `py` target: a file, or a package seen from the working folder."""
    try:
        if not target.module.endswith(".py"):
            _find_first(folder)
            return importlib.import_module(target.module)
        path = folder / target.module
        if not path.is_file():
            message = f"there is no file `{printable(target.module)}`"
            raise SpecError([Diagnostic("E701", message)])
        _find_first(folder)
        _find_first(path.parent)
        spec = importlib.util.spec_from_file_location(path.stem, path)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[path.stem] = module  # classes find their module by name
        spec.loader.exec_module(module)
    except SpecError:
        raise
    except FAILURES as error:
        message = f"`{printable(target.module)}` cannot be imported"
        raise explain_failure("E702", message, error, _advise_on_import(target, error)) from None
    return module


def _advise_on_import(target: Target, error: BaseException) -> str | None:
    """Return the name of a file as part of its package, if its imports are relative."""
    if not isinstance(error, ImportError) or "attempted relative import" not in str(error):
        return None
    parts = target.module.removesuffix(".py").split("/")
    if not target.module.endswith(".py") or not all(part.isidentifier() for part in parts):
        return None
    if len(parts) < 2:
        return None
    rest = target.text.partition(".py:")[2]
    return f"name it in its package, as in `py:{'.'.join(parts)}:{printable(rest)}`"


def _find_first(folder: Path) -> None:
    """Let imports look into a folder before all others."""
    if str(folder) in sys.path:
        sys.path.remove(str(folder))
    sys.path.insert(0, str(folder))


def _build(target: Target, factory: Callable[..., Any]) -> Any:
    """Build on the meta device; on the CPU if a constructor computes with values."""
    try:
        with torch.device("meta"):
            return factory(**target.arguments)
    except FAILURES:
        try:
            return factory(**target.arguments)
        except FAILURES as error:
            raise explain_failure(
                "E702", f"`{printable(target.text)}` cannot be built", error
            ) from None


def name_type(tensor: object) -> str:
    """Return the type of the numbers of a tensor, as `float32`; empty for another object."""
    return str(tensor.dtype).removeprefix("torch.") if isinstance(tensor, Tensor) else ""


def _find_fixed(module: nn.Module) -> frozenset[str]:
    """Return the parameters that need no gradient, so that an optimizer leaves them as they are."""
    named = module.named_parameters(remove_duplicate=False)
    return frozenset(name for name, parameter in named if not parameter.requires_grad)


def _take_values(module: nn.Module) -> None:
    """Put tensors of the meta device in the place of a module's own; shared ones stay shared.

    Numbers of other precisions become those of single precision, since a spec has no types.
    `Module.to` would part them. Some are on the CPU wherever a module is built: `torch.Tensor([0])`
    is one.
    """
    moved: dict[int, tuple[Tensor, Tensor]] = {}  # an old tensor stays alive, and keeps its id
    for child in module.modules():
        if isinstance(child, torch.jit.ScriptModule):
            child.to("meta")
            continue
        groups: tuple[dict[str, Any], ...] = (child._parameters, child._buffers)
        for tensors in groups:
            for name, tensor in tensors.items():
                if tensor is None or is_lazy(tensor):
                    continue
                if tensor.is_meta and tensor.dtype in {torch.float32, torch.int64, torch.bool}:
                    tensor.requires_grad_(requires_grad=False)
                    continue
                if id(tensor) not in moved:
                    moved[id(tensor)] = tensor, _empty_like(tensor)
                tensors[name] = moved[id(tensor)][1]


def _empty_like(tensor: Tensor) -> Tensor:
    dtype = torch.float32 if tensor.is_floating_point() else tensor.dtype
    empty = torch.empty_like(tensor, device="meta", dtype=dtype)
    return nn.Parameter(empty, requires_grad=False) if isinstance(tensor, nn.Parameter) else empty


def _input_of(module: nn.Module) -> TensorType | None:
    """Return the input that the configuration of a network names, as timm's networks have one."""
    for name in ("pretrained_cfg", "default_cfg"):
        config: Any = getattr(module, name, None)
        size = config.get("input_size") if hasattr(config, "get") else None
        if isinstance(size, tuple | list) and all(isinstance(side, int) for side in size):
            return TensorType(tuple(size))
    return None


MAX_NAMES = 3
"""Maximum number of names of a library that a finding lists."""


MIN_ALIKE = 3
"""Minimum number of letters at the beginning that names alike have in common."""


def _unknown(target: Target, names: Sequence[str]) -> SpecError:
    message = f"`{printable(target.text)}`: there is no `{printable(target.name)}`"
    name = target.name
    plain = re.sub(r"\W|_", "", name).lower()
    same = (other for other in names if re.sub(r"\W|_", "", other).lower() == plain)
    close = next(same, None) or nearest(name, [one for one in names if one[:2] == name[:2]])
    alike = _find_alike(name, names)
    if close or target.library == "py":
        help = f"write `{close}`" if close else None
    elif alike:
        help = f"names that begin alike are {', '.join(f'`{other}`' for other in alike)}"
    else:
        package = {"torchvision": "torchvision.models"}.get(target.library, target.library)
        help = f"`{package}.list_models()` lists all {len(names):,} names"
    return SpecError([Diagnostic("E701", message, help=help)])


def _find_alike(name: str, names: Iterable[str]) -> list[str]:
    """Return the shortest names that have the most letters at the beginning in common."""
    ranks: dict[int, list[str]] = {}
    for other in names:
        pairs = enumerate(zip(name, other, strict=False))
        same = next((index for index, (one, two) in pairs if one != two), len(name))
        ranks.setdefault(same, []).append(other)
    most = max(ranks, default=0)
    if most < MIN_ALIKE:
        return []
    return sorted(ranks[most], key=lambda other: (len(other), other))[:MAX_NAMES]


def explain_failure(
    code: str, message: str, error: BaseException, help: str | None = None
) -> SpecError:
    """Return the error of a network's own code as a finding at the line that raised it.

    Lines of Python and of torch are nobody's: the one that called them is shown.
    """
    said = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    text = printable(said.splitlines()[0][:MAX_MESSAGE])
    frames = [
        (frame.filename, frame.lineno or 1)
        for frame in reversed(traceback.extract_tb(error.__traceback__))
        if not is_foreign(frame.filename)
    ]
    if isinstance(error, SyntaxError) and error.filename:
        frames.insert(0, (error.filename, error.lineno or 1))
    spans = OriginMaker().make(tuple(frames[:1])).spans
    labels = tuple(Label(span) for span in spans)
    return SpecError([Diagnostic(code, message, labels, notes=(text,), help=help)])


@contextmanager
def forget_modules(target: Target, folder: Path) -> Iterator[None]:
    """Forget a person's own modules that a target brings: another target may have others so named.

    Args:
        folder: the folder that files and packages are named from.
    """
    known = set(sys.modules)
    try:
        yield
    finally:
        roots = (folder, (folder / target.module).parent.resolve())
        for name in sys.modules.keys() - known:
            file = getattr(sys.modules[name], "__file__", None)
            if target.library == "py" and isinstance(file, str) and _is_own(Path(file), roots):
                del sys.modules[name]


def _is_own(file: Path, roots: Sequence[Path]) -> bool:
    """Tell whether a module lies in some folders, and in no installed package there."""
    is_below = any(file.is_relative_to(root) for root in roots)
    return is_below and INSTALLED.isdisjoint(file.parts) and not is_foreign(str(file))


@contextmanager
def quiet() -> Iterator[None]:
    """Keep what foreign code prints away from the results of a command, however it is printed."""
    with warnings.catch_warnings(), redirect_stdout(sys.stderr), _divert_output(), _refuse_exit():
        warnings.simplefilter("ignore")
        try:
            yield
        except (Exception, KeyboardInterrupt, SystemExit, GeneratorExit):
            raise
        except BaseException as error:  # a class of the network's own
            said = f"{type(error).__name__}: {error}"
            raise RuntimeError(said).with_traceback(error.__traceback__) from None


@contextmanager
def _refuse_exit() -> Iterator[None]:
    """Let code that ends this process fail instead: its exit code would pass for a result."""
    kept, process = os._exit, os.getpid()

    def end(status: int) -> NoReturn:
        if os.getpid() != process:  # a process that the network's code has made
            kept(status)
        raise SystemExit(f"os._exit({status!r})")

    os._exit = end
    try:
        yield
    finally:
        os._exit = kept


@contextmanager
def _divert_output() -> Iterator[None]:
    """Let what is written past Python to the standard output go to the standard error."""
    if sys.__stdout__ is not None:
        sys.__stdout__.flush()
    try:
        os.fstat(2)
        kept = os.dup(1)
    except OSError:  # one of them is closed
        yield
        return
    os.dup2(2, 1)
    try:
        yield
    finally:
        if sys.__stdout__ is not None:
            sys.__stdout__.flush()
        os.dup2(kept, 1)
        os.close(kept)
