"""The calls of torch that an ONNX graph stands for, written as if a module had run.

Every shape is computed here from the input's, by the rules of ONNX. The multiply-accumulates are
counted from these shapes; no rule of the language is asked.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import prod
from typing import TYPE_CHECKING, Any

from inception_dsl.bridge.calls import CallTrace, TorchCall, TracedResult, ValueRef, WeightRef
from inception_dsl.bridge.exported.onnx.constants import compute_constant
from inception_dsl.bridge.exported.onnx.model import OnnxModel, OnnxNode, StoredTensor
from inception_dsl.bridge.exported.onnx.places import NodePlaces, find_exporter
from inception_dsl.bridge.exported.onnx.sharing import Sharing
from inception_dsl.bridge.exported.unreadable import UnreadableError
from inception_dsl.bridge.reading import Cause, lacks
from inception_dsl.bridge.reading.reader import UnsayableError
from inception_dsl.bridge.traced import TensorOrigin
from inception_dsl.channels import printable
from inception_dsl.ir import Origin

if TYPE_CHECKING:
    from numpy.typing import NDArray

MAX_ELEMENTS = 10**11
"""Maximum number of elements of a tensor."""

Shape = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class StoredView:
    """A stored tensor under another shape, or with its axes in another order.

    Attributes:
        order: the axes of the stored tensor in their new order; None if it is the same.
    """

    tensor: StoredTensor
    shape: Shape
    order: Shape | None = None


Held = ValueRef | StoredView | None
"""A value of a graph; None for one that a refused node makes."""

Translator = Callable[["CallWriter", OnnxNode], None]


@dataclass(slots=True)
class CallWriter:
    """A writer of the calls of one graph, node by node.

    Attributes:
        batch: the number of images.
        macs: the multiply-accumulates of all nodes, for the whole batch.
        weights: the shapes of the parameters, by name.
        origins: the stored tensors of all weights and buffers, by name.
        doubtful: the names of values that may be learnt or fixed.
    """

    model: OnnxModel
    batch: int
    trace: CallTrace = field(default_factory=CallTrace)
    causes: list[Cause] = field(default_factory=list)
    weights: dict[str, Shape] = field(default_factory=dict)
    origins: dict[str, TensorOrigin] = field(default_factory=dict)
    doubtful: dict[str, None] = field(default_factory=dict)
    macs: int = 0
    values: dict[str, Held] = field(default_factory=dict)
    places: NodePlaces = field(init=False)
    sharing: Sharing = field(init=False)
    node: OnnxNode = field(init=False)
    place: str = ""
    _count: int = 0

    def __post_init__(self) -> None:
        exporter = find_exporter(self.model)
        self.places = NodePlaces(exporter)
        self.sharing = Sharing(self.model.values, is_named_by_use=exporter == "names")
        for name, tensor in self.model.tensors.items():
            self.values[name] = StoredView(tensor, tensor.shape)

    def write(
        self,
        translators: Mapping[str, Translator],
        shapes: Mapping[str, Shape],
        channels_last: Collection[str] = (),
    ) -> None:
        """Write the calls of all nodes that an output depends on.

        Args:
            shapes: those of the inputs, with the batch.
            channels_last: the inputs whose channels are their last axis.
        """
        for name, shape in shapes.items():
            ref = self._make(shape)
            self.trace.inputs.append(ref)
            if name in channels_last:
                self.trace.channels_last.add(ref.number)
            self.values[name] = ref
        live = _find_live(self.model)
        for node in self.model.nodes:
            if live.intersection(node.outputs):
                self._write_node(node, translators)
        results = []
        for port in self.model.outputs:
            match self.values[port.name]:
                case ValueRef() as ref:
                    results.append(TracedResult(_name_output(self.model, port.name), ref))
                case StoredView(tensor=tensor):
                    results.append(
                        TracedResult("", WeightRef(tensor.name, tensor.shape, is_parameter=True))
                    )
        self.trace.outputs = tuple(results)

    def _write_node(self, node: OnnxNode, translators: Mapping[str, Translator]) -> None:
        self.node = node
        held = [self.values[name] for name in node.inputs if name]
        self.place = self.places.find(node, _first_weight(held))
        for name in node.outputs:
            self.values[name] = None
        if any(one is None for one in held):
            return
        if self._fold(node):
            return
        translator = translators.get(node.op)
        try:
            if node.fault and node.fault != "unknown":
                message = f"the node `{printable(node.name[:80])}` is no {node.op}: {node.fault}"
                raise UnreadableError(message)
            if translator is None or node.fault:
                raise UnsayableError(lacks.NO_WORD)
            translator(self, node)
        except UnsayableError as error:
            self.causes.append(
                Cause(error.lack, node.op, self.place or node.name, self.kind, Origin())
            )

    @property
    def kind(self) -> str:
        """The name of the class of the module that made the node, or of the network's."""
        return self.places.classes.get(self.place) or self.places.classes.get("", "")

    def _fold(self, node: OnnxNode) -> bool:
        """Compute a node that reads constants alone; tell whether that was possible."""
        if node.op == "Constant":
            value = node.attributes.get("value")
            if isinstance(value, StoredTensor):
                tensor = replace(value, name=node.outputs[0])
                self.values[node.outputs[0]] = StoredView(tensor, tensor.shape)
                return True
            array = _constant_of(node)
        elif node.op in {"Shape", "Size"}:
            array = self._measure(node)
        else:
            read = node.inputs[:1] if node.op == "CastLike" else node.inputs
            arrays = [self.constant(index) for index in range(len(read))]
            if any(one is None and name for one, name in zip(arrays, read, strict=True)):
                return False
            if node.op == "Identity" and node.inputs[0] in self.model.tensors:
                return False  # it may stand for a weight of its own
            array = compute_constant(node, arrays)
        if array is None:
            return False
        self.give_array(array)
        return True

    def _measure(self, node: OnnxNode) -> NDArray[Any] | None:
        import numpy as np

        held = self.values[node.inputs[0]]
        if held is None:
            return None
        if node.op == "Size":
            return np.asarray(prod(held.shape))
        start, end = node.attributes.get("start", 0), node.attributes.get("end")
        return np.asarray(held.shape[start:end], dtype="int64")

    # The following serve the translators.

    def held(self, index: int) -> ValueRef | StoredView | None:
        """Return an input of the node; None if it is left out."""
        name = self.node.inputs[index] if index < len(self.node.inputs) else ""
        return self.values[name] if name else None

    def value(self, index: int = 0) -> ValueRef:
        """Return an input that is computed from those of the network.

        Raises:
            UnsayableError: it is computed from weights alone.
        """
        held = self.held(index)
        if not isinstance(held, ValueRef):
            raise UnsayableError(lacks.COMPUTED_WEIGHTS)
        return held

    def constant(self, index: int) -> NDArray[Any] | None:
        """Return the values of a small constant input; None if it is another one, or left out."""
        held = self.held(index)
        if not isinstance(held, StoredView) or held.order is not None or held.tensor.array is None:
            return None
        return held.tensor.array.reshape(held.shape)

    def numbers(self, index: int) -> tuple[int, ...] | None:
        """Return the whole numbers of a constant input; None if it is left out.

        Raises:
            UnsayableError: they are not known before the network runs.
        """
        if self.held(index) is None:
            return None
        array = self.constant(index)
        if array is None:
            raise UnsayableError(lacks.NO_WORD)
        return tuple(int(one) for one in array.reshape(-1))

    def weight(
        self, index: int, *, is_parameter: bool = True, shape: Shape | None = None
    ) -> WeightRef | ValueRef | None:
        """Return an input that is a weight, perhaps under another shape of the same size.

        Returns:
            None if it is left out; a value if it is computed, which the language cannot say.
        """
        held = self.held(index)
        if held is None or isinstance(held, ValueRef):
            return held
        sides = held.shape if shape is None else shape
        if prod(sides) != prod(held.shape):
            raise UnsayableError(lacks.BROADCAST)
        name = self.sharing.name_use(held.tensor, self.place)
        self.origins[name] = TensorOrigin(held.tensor.copied or held.tensor.name, held.order)
        if is_parameter:
            self.weights[name] = held.tensor.shape
        return WeightRef(name, sides, is_parameter)

    def bias(self, index: int, width: int) -> WeightRef | ValueRef | None:
        """Return the bias of some channels; one of zeros that are computed is none."""
        held, array = self.held(index), self.constant(index)
        if isinstance(held, StoredView) and held.tensor.is_constant and array is not None:
            return self.weight(index, shape=(width,)) if array.any() else None
        return self.weight(index, shape=(width,))

    def call(self, name: str, *arguments: Any, shape: Shape, **keywords: Any) -> ValueRef:
        """Write a call of torch with one result."""
        (ref,) = self.call_several(name, *arguments, shapes=[shape], **keywords)
        return ref

    def call_several(
        self, name: str, *arguments: Any, shapes: Sequence[Shape], **keywords: Any
    ) -> tuple[ValueRef, ...]:
        """Write a call of torch with several results."""
        refs = tuple(map(self._make, shapes))
        self.trace.calls.append(
            TorchCall(
                name=name,
                arguments=arguments,
                keywords=keywords,
                results=refs,
                module=self.place,
                runs=(),
                frames=(),
            )
        )
        return refs

    def _make(self, shape: Shape) -> ValueRef:
        if min(shape, default=1) < 1:
            raise UnreadableError(
                f"the node `{printable(self.node.name[:80])}` makes a tensor of no elements"
            )
        if prod(shape) > MAX_ELEMENTS:
            raise UnreadableError(
                f"the node `{printable(self.node.name[:80])}` makes a tensor of more than "
                f"{MAX_ELEMENTS:,} elements"
            )
        self._count += 1
        return ValueRef(self._count, shape, "float")

    def give(self, value: Held, output: int = 0) -> None:
        """Set a result of the node."""
        self.values[self.node.outputs[output]] = value

    def give_array(self, array: NDArray[Any]) -> None:
        """Set a constant as the result of the node."""
        tensor = StoredTensor(
            self.node.outputs[0], array.shape, str(array.dtype), array, is_constant=True
        )
        self.give(StoredView(tensor, tensor.shape))


def _first_weight(held: Sequence[Held]) -> str:
    stored = (one.tensor.name for one in held if isinstance(one, StoredView))
    return next(stored, "")


def _find_live(model: OnnxModel) -> set[str]:
    """Return the names of the values that an output depends on."""
    live = {port.name for port in model.outputs}
    for node in reversed(model.nodes):
        if live.intersection(node.outputs):
            live.update(node.inputs)
    return live - {""}


def _name_output(model: OnnxModel, name: str) -> str:
    """Return the name of an output; empty for the only one."""
    return name if len(model.outputs) > 1 else ""


def _constant_of(node: OnnxNode) -> NDArray[Any] | None:
    """Return the numbers of a constant that no tensor holds."""
    import numpy as np

    at = node.attributes
    for key in ("value_int", "value_ints"):
        if key in at:
            return np.asarray(at[key], dtype="int64")
    for key in ("value_float", "value_floats"):
        if key in at:
            return np.asarray(at[key], dtype="float32")
    return None
