"""Code that inference modules bring along: the fused convolution, its packing, folded weights.

Nothing imports this module: its definitions are cut out of its text, and a module gets those that
it needs. All names begin with an underscore, as no author's name does.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class _Layers(nn.Module):
    """The layers of a block or a branch by name, or those of several copies by number."""

    def __init__(self, *copies: nn.Module, **layers: nn.Module) -> None:
        super().__init__()
        numbered = {str(index): copy for index, copy in enumerate(copies)}
        for name, layer in {**numbered, **layers}.items():
            self.add_module(name, layer)

    def __getitem__(self, index: int) -> Any:
        return self._modules[str(index)]

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any: ...


class _Conv2d(nn.Conv2d):
    """Convolution, bias, sum and activation in one call: oneDNN's, once the weight is packed."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int | tuple[int, int],
        stride: int | tuple[int, int] = 1,
        padding: int | tuple[int, int] = 0,
        dilation: int | tuple[int, int] = 1,
        groups: int = 1,
        bias: bool = True,
        act: str = "none",
    ) -> None:
        super().__init__(
            in_channels, out_channels, kernel_size, stride, padding, dilation, groups, bias
        )
        self.act = act
        self.packed: Tensor | None = None

    def forward(
        self,
        input: Tensor,
        adds_bias: bool = True,
        added: Tensor | None = None,
        in_place: bool = False,
    ) -> Tensor:
        bias = self.bias if adds_bias else None
        read = [input] if added is None else [input, added]
        needs_grad = torch.is_grad_enabled() and any(x.requires_grad for x in read)
        if self.packed is None or needs_grad or torch.compiler.is_compiling():
            x = self._conv_forward(input, self.weight, bias)
            x = x if added is None else x + added
            return F.relu(x, inplace=True) if self.act == "relu" else x
        weights = (self.packed, bias, self.padding, self.stride, self.dilation, self.groups)
        fused: Tensor
        if added is None:
            fused = torch.ops.mkldnn._convolution_pointwise(input, *weights, self.act, [], "")
            return fused
        acts: tuple[Any, ...] = ("add", 1.0, None if self.act == "none" else self.act, [], "")
        if in_place:
            fused = torch.ops.mkldnn._convolution_pointwise_.binary(added, input, *weights, *acts)
        else:
            fused = torch.ops.mkldnn._convolution_pointwise.binary(input, added, *weights, *acts)
        return fused

    def _apply(self, *args: Any, **kwargs: Any) -> Any:
        """Unpack a weight that moves to another device or type."""
        self.packed = None
        return super()._apply(*args, **kwargs)  # type: ignore[no-untyped-call]

    def _load_from_state_dict(self, *args: Any, **kwargs: Any) -> None:
        """Unpack a weight that is loaded."""
        self.packed = None
        super()._load_from_state_dict(*args, **kwargs)

    def __getstate__(self) -> dict[str, Any]:
        """Return what is copied and pickled; oneDNN's tensors are not."""
        return {**self.__dict__, "packed": None}


def _has_fused_convolution(x: Tensor) -> bool:
    """Tell whether torch runs a convolution, its bias and its activation in one call."""
    names = ("_convolution_pointwise", "_reorder_convolution_weight")
    if x.device.type != "cpu" or not all(hasattr(torch.ops.mkldnn, name) for name in names):
        return False
    if x.dtype == torch.bfloat16:
        is_fast: bool = torch.ops.mkldnn._is_mkldnn_bf16_supported()
        return is_fast
    return x.dtype == torch.float32


def _pack(conv: nn.Module, inputs: tuple[Tensor, ...]) -> None:
    """Pack the weight of a convolution for inputs of this shape, if torch can."""
    assert isinstance(conv, _Conv2d)
    conv.packed = None
    if _has_fused_convolution(inputs[0]) and conv.weight.dtype == inputs[0].dtype:
        window = (conv.padding, conv.stride, conv.dilation, conv.groups)
        conv.packed = torch.ops.mkldnn._reorder_convolution_weight(
            conv.weight.detach(), *window, inputs[0].shape
        )


@torch.no_grad()
def _pack_all(network: nn.Module, images: Sequence[Tensor]) -> None:
    """Pack the weights of all convolutions, as the images reach them."""
    convs = [layer for layer in network.modules() if isinstance(layer, _Conv2d)]
    hooks = [conv.register_forward_pre_hook(_pack) for conv in convs]
    try:
        network(*images)
    finally:
        for hook in hooks:
            hook.remove()


class _Fold(NamedTuple):
    """A layer of a checkpoint, and the batch norm that its weight and its bias take up.

    A norm alone is a weight and a bias, too. `groups` are those of a transposed convolution;
    `weight_eps` and `gain` those of a weight that is standardised. `factor` multiplies the result.
    """

    layer: str = ""
    norm: str = ""
    eps: float = 0.0
    has_bias: bool = False
    has_scale: bool = True
    has_shift: bool = True
    groups: int = 0
    weight_eps: float = 0.0
    gain: float = 0.0
    factor: float = 1.0

    def list_keys(self) -> Iterator[str]:
        """Yield the keys of the tensors in the checkpoint."""
        if self.layer:
            yield f"{self.layer}.weight"
            if self.has_bias:
                yield f"{self.layer}.bias"
            if self.gain:
                yield f"{self.layer}.gain"
        if self.norm:
            if self.has_scale:
                yield f"{self.norm}.weight"
            if self.has_shift:
                yield f"{self.norm}.bias"
            yield f"{self.norm}.running_mean"
            yield f"{self.norm}.running_var"


def _fold(fold: _Fold, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the weight and the bias of a layer, in double precision."""
    wide = {key: state[key].double() for key in fold.list_keys()}
    scale, shift = None, wide.get(f"{fold.layer}.bias") if fold.layer else None
    if fold.norm:
        scale = (wide[f"{fold.norm}.running_var"] + fold.eps).rsqrt()
        if fold.has_scale:
            scale = scale * wide[f"{fold.norm}.weight"]
        mean = wide[f"{fold.norm}.running_mean"]
        shift = scale * (-mean if shift is None else shift - mean)
        if fold.has_shift:
            shift = shift + wide[f"{fold.norm}.bias"]
    folded = {} if shift is None else {"bias": shift}
    if not fold.layer:
        assert scale is not None
        return {"weight": scale, **folded}
    weight = wide[f"{fold.layer}.weight"]
    if fold.weight_eps:
        filters = weight.flatten(1)
        centred = filters - filters.mean(1, keepdim=True)
        filters = centred * (filters.var(1, correction=0, keepdim=True) + fold.weight_eps).rsqrt()
        if fold.gain:
            gain = wide[f"{fold.layer}.gain"].reshape(-1, 1)
            filters = filters * gain * (fold.gain * filters.shape[1] ** -0.5)
        weight = filters.reshape(weight.shape)
    if scale is not None and fold.groups:
        grouped = weight.reshape(fold.groups, -1, *weight.shape[1:])
        weight = (grouped * scale.reshape(fold.groups, 1, -1, 1, 1)).reshape(weight.shape)
    elif scale is not None:
        weight = weight * scale.reshape(-1, *[1] * (weight.dim() - 1))
    return {name: fold.factor * each for name, each in {"weight": weight, **folded}.items()}


@torch.no_grad()
def _load_folded(
    network: nn.Module,
    state: Mapping[str, Tensor],
    folds: Mapping[str, _Fold],
    left_out: Sequence[str],
    dtype: torch.dtype,
) -> None:
    """Give a network the weights of a checkpoint, each of them rounded once.

    Args:
        folds: by the path of a layer, what its weight and its bias are made of; all other tensors
            have their names in the checkpoint.
        left_out: the beginnings of the keys of tensors that inference has no use for.

    Raises:
        RuntimeError: the checkpoint lacks a tensor, or has one that nothing is made of.
    """
    layers = {key: key.rpartition(".")[0] for key in network.state_dict()}
    copied = [key for key, layer in layers.items() if layer not in folds]
    wanted = {*copied, *(key for fold in folds.values() for key in fold.list_keys())}
    counters = {f"{fold.norm}.num_batches_tracked" for fold in folds.values() if fold.norm}
    more = {key for key in state if not key.startswith(tuple(left_out))}
    missing, unexpected = sorted(wanted - state.keys()), sorted(more - wanted - counters)
    if missing or unexpected:
        raise RuntimeError(f"the checkpoint lacks {missing} and has {unexpected} besides")
    weights = {key: state[key].to(dtype, copy=True) for key in copied}
    for layer, fold in folds.items():
        for name, tensor in _fold(fold, state).items():
            weights[f"{layer}.{name}"] = tensor.to(dtype, copy=True)
    network.load_state_dict(weights, assign=True)
    network.to(memory_format=torch.channels_last)
    device = next((each.device for each in weights.values()), torch.get_default_device())
    parts: list[Any] = [*network.modules()]
    for part in parts:
        if any(buffer.is_meta for buffer in part.buffers(recurse=False)):
            part.to_empty(device=device, recurse=False)
            part.reset_parameters()  # fixed numbers, which no checkpoint has
            part.to(dtype)
