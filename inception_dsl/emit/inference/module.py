"""The file: header, helpers, the network in inference, and the function that loads a checkpoint."""

from __future__ import annotations

import pathlib
from collections import Counter
from collections.abc import Iterator

from inception_dsl.analysis.fusing import FusedGraph, KeptNorm, list_kept_norms
from inception_dsl.channels import printable
from inception_dsl.emit.inference.forward import InferenceForward
from inception_dsl.emit.inference.layers import grow_tree
from inception_dsl.emit.python.code import (
    Assign,
    Atom,
    Block,
    Class,
    Construct,
    Definition,
    Evaluate,
    Excerpt,
    Function,
    Member,
    Parameter,
    Prefixed,
    Return,
    Statement,
    annotation,
    literal,
    local,
    symbol,
)
from inception_dsl.emit.python.excerpts import (
    IMPORTED,
    all_excerpts,
    cut_definitions,
    needed_excerpts,
)
from inception_dsl.emit.python.layout import docstring, layout, print_definition
from inception_dsl.emit.python.naming import ClassNames, class_name
from inception_dsl.emit.python.outputs import register_tuple
from inception_dsl.emit.python.small_classes import NONE, SUPER, TENSOR
from inception_dsl.ir import Model, Path, TensorType
from inception_dsl.ir.text import fingerprint

_HERE = pathlib.Path(__file__).parent
_COLLECTIONS = ("Iterator", "Mapping", "Sequence")
_TYPING = ("TYPE_CHECKING", "Any", "NamedTuple")
_FOLDS = annotation("dict[str, _Fold]", "_Fold", "dict", "str")
_NAMES = annotation("list[str]", "list", "str")
_LOAD, _PREPARE = "from_checkpoint", "prepare"


def emit_inference(
    model: Model, graph: FusedGraph, left_out: tuple[Path, ...], *, shown: str
) -> str:
    """Return a model in inference as the source of a Python module that imports torch alone.

    Args:
        graph: the steps of inference.
        left_out: the steps, or all that holds them, whose tensors inference has no use for.
        shown: the spec's path, or its name in the library, for the header.

    Raises:
        SpecError: E501, torch has no layer for an op.
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    parts = _Parts(model, graph, left_out)
    definitions = parts.definitions()
    known = (*all_excerpts(), *_cut_helpers())
    helpers = needed_excerpts(frozenset().union(*(d.uses for d in definitions)), known)
    uses = frozenset[str]().union(*(part.uses for part in (*helpers, *definitions)))
    exported = Construct(Atom(""), tuple(("", literal(n)) for n in parts.exported()), "[]")
    environment = Environment(
        loader=FileSystemLoader(_HERE / "templates"),
        undefined=StrictUndefined,
        autoescape=False,  # noqa: S701 - Python, whose statements come escaped
        trim_blocks=True,
        keep_trailing_newline=True,
    )
    return environment.get_template("inference.py.j2").render(
        shown=printable(shown),
        fingerprint=fingerprint(model),
        docstring="\n".join(docstring(list(_summarise(model, graph)), depth=0)),
        collections=", ".join(name for name in _COLLECTIONS if name in uses),
        typing=", ".join(name for name in _TYPING if name in uses),
        functional="F" in uses,
        pytree="_pytree" in uses,
        exported="\n".join(layout("__all__ = ", exported, depth=0)),
        definitions=map(print_definition, [*helpers, *definitions]),
    )


def _cut_helpers() -> tuple[Excerpt, ...]:
    """Return the definitions that only inference modules need."""
    others = frozenset(excerpt.name for excerpt in all_excerpts())
    return cut_definitions(_HERE / "helpers.py", IMPORTED | others | {*_COLLECTIONS, *_TYPING})


class _Parts:
    """The definitions of a module."""

    def __init__(self, model: Model, graph: FusedGraph, left_out: tuple[Path, ...]) -> None:
        self._model, self._left_out = model, left_out
        names = ClassNames([model.name, _LOAD, _PREPARE])
        network = class_name(model.name, model.title)
        self._network = names.claim(f"{network}Inference", "Network")
        self._outputs = None
        if len(model.outputs) > 1:
            self._outputs = names.claim(f"{network}Outputs", "Tuple")
        inputs = dict(zip(model.root.entries, model.root.input_types, strict=True))
        self._forward = InferenceForward(graph, inputs, self._outputs)
        self._layers = {layer.path: layer for layer in self._forward.layers.values()}

    def exported(self) -> list[str]:
        """Return the names that the module offers."""
        return sorted(
            filter(None, [self._network, self._outputs, _LOAD, _PREPARE]),
            key=lambda name: (not name[0].isupper(), name),
        )

    def definitions(self) -> list[Definition]:
        """Return the classes and the functions, in the order of the file."""
        return [*self._tuple(), self._class(), self._load(), self._prepare()]

    def _tuple(self) -> Iterator[Definition]:
        """Yield the tuple of several outputs, and its name in the files of exported programs."""
        if self._outputs is None:
            return
        members = tuple(
            Member(name, TENSOR, _show(type)) for name, type in self._model.outputs.items()
        )
        doc = f"Outputs of `{self._network}`."
        yield Class(self._outputs, symbol("NamedTuple"), (doc,), members=members)
        yield register_tuple(self._outputs)

    def _class(self) -> Class:
        made = [
            Assign(f"self.{name}", code) for name, code in grow_tree(self._layers.values()).items()
        ]
        still = Evaluate(
            Construct(
                Atom("self.requires_grad_", frozenset(["self"])), (("", literal(value=False)),)
            )
        )
        result = TENSOR if self._outputs is None else annotation(self._outputs, self._outputs)
        inputs = tuple(Parameter(name, TENSOR) for name in self._forward.inputs.values())
        passes = tuple(self._forward.statements())
        ends = ", ".join(map(_show, self._model.outputs.values()))
        begins = ", ".join(map(_show, self._model.root.input_types))
        title = self._model.title or self._model.name
        return Class(
            self._network,
            symbol("nn.Module"),
            (f"{title} in inference: {begins} -> {ends}.",),
            (
                Function("__init__", NONE, (SUPER, *made, still)),
                Function("forward", result, passes, inputs),
            ),
        )

    def _load(self) -> Function:
        """Return the function that makes the network from a checkpoint."""
        network = symbol(self._network)
        folds = tuple(
            ("", Prefixed(layer.fold, f"{literal(str(path))}: "))
            for path, layer in self._layers.items()
            if layer.fold is not None
        )
        left_out = tuple(("", literal(f"{path}.")) for path in self._left_out)
        load = Construct(
            symbol("_load_folded"),
            tuple(("", local(n)) for n in ("network", "state", "folds", "left_out", "dtype")),
        )
        body: tuple[Statement, ...] = (
            Assign("folds", Construct(Atom(""), folds, "{}"), _FOLDS),
            Assign("left_out", Construct(Atom(""), left_out, "[]"), _NAMES),
            Block(
                Atom('with torch.device("meta")', uses=frozenset(["torch"])),
                (Assign("network", Construct(network)),),
            ),
            Evaluate(load),
            Return(local("network")),
        )
        state = Parameter("state", annotation("Mapping[str, Tensor]", "Mapping", "Tensor"))
        dtype = Parameter("dtype", symbol("torch.dtype"), symbol("torch.float32"))
        doc = (
            f"Build the network from the state_dict of `{self._model.name}`, the module for"
            " training.",
            "Raises a RuntimeError if a tensor is missing or unexpected.",
        )
        return Function(_LOAD, network, body, (state,), (dtype,), doc, is_method=False)

    def _prepare(self) -> Function:
        """Return the function that packs the weights."""
        images = Parameter("*images", TENSOR)
        network = Parameter("network", symbol(self._network))
        pack = Construct(symbol("_pack_all"), (("", local("network")), ("", local("images"))))
        doc = (
            "Pack the weights of convolutions once, for oneDNN and images of this shape.",
            "Without oneDNN nothing changes. Images of other shapes run, too. Weights that are"
            " loaded or moved are no longer packed.",
        )
        return Function(
            _PREPARE, NONE, (Evaluate(pack),), (network, images), (), doc, is_method=False
        )


def _show(type: TensorType) -> str:
    return " x ".join(["N", *map(str, type.shape)])


def _summarise(model: Model, graph: FusedGraph) -> Iterator[str]:
    """Yield the paragraphs of the module's docstring."""
    yield f"{model.title or model.name} in inference, without training heads."
    if model.source:
        yield f"Source: {model.source}."
    yield (
        f"The module beside it, of the same spec, is for training. `{_LOAD}` takes its state_dict."
        " Activations run in the convolutions, and maps have their channels last in memory."
    )
    if norms := " ".join(_account_for_norms(graph)):
        yield norms


def _account_for_norms(graph: FusedGraph) -> Iterator[str]:
    """Yield sentences on the norms that weights take up, and on why the others stay."""
    folded = sum(step.norm is not None for step in graph.steps)
    if folded:
        yield f"{_count(folded, 'norm')} folded into the weights before {_them(folded)}."
    kept = list(list_kept_norms(graph))
    fixed = Counter(map(_place, (norm for norm in kept if norm.is_fixed)))
    if fixed:
        total = fixed.total()
        places = "; ".join(f"{number} {place}" for place, number in fixed.items())
        yield f"{_count(total, 'norm')} a factor and an offset of each channel: {places}."
    others = sum(not norm.is_fixed for norm in kept)
    if others:
        yield f"{_count(others, 'norm')} computed from each image."


def _place(norm: KeptNorm) -> str:
    if norm.has_other_readers:
        return f"behind `{norm.behind}`, whose value other steps read"
    return f"behind `{norm.behind}`" if norm.behind else "on an input"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun} is" if number == 1 else f"{number} {noun}s are"


def _them(number: int) -> str:
    return "it" if number == 1 else "them"
