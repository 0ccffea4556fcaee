"""The words of other tools (PyTorch, Keras, TensorFlow, Caffe), with the words of this language.

They are no second spellings: a spec that uses one gets an error that names the right word.
"""

from __future__ import annotations

import re
from collections.abc import Container

from inception_dsl.ops import NORMS, OPS, WRITTEN, Op

_DEPTHWISE = frozenset(
    ["depthwise", "depthwise_conv", "depthwise_conv2d", "depthwiseconv", "depthwiseconv2d"]
    + ["dwconv", "dw_conv"]
)


def depthwise_of(kernel: str) -> str:
    """Return the way to write a depthwise convolution.

    `in` is what enters the whole body, which is not what reaches a later step of it.
    """
    conv = f"`{kernel} conv (C groups C)`"
    return f"a depthwise convolution is a conv in groups: {conv}, where C channels arrive"


_WORDS = {
    "activation": "act",
    "center": "beta",
    "dilate": "dilation",
    "dilation_rate": "dilation",
    "downscale_factor": "factor",
    "drop_prob": "drop",
    "drop_rate": "drop",
    "epsilon": "eps",
    "negative_slope": "slope",
    "nonlinearity": "act",
    "normalization": "norm",
    "num_groups": "groups",
    "keep_prob": "keep",
    "keep_probability": "keep",
    "output_padding": "output_pad",
    "p": "drop",
    "padding": "pad",
    "scale_factor": "factor",
    "standardized": "standardised",
    "strides": "stride",
    "upscale_factor": "factor",
    "valid": "V",
    **dict.fromkeys(["channels", "features", "filters", "num_filters", "num_outputs"], "width"),
    **dict.fromkeys(["out_channels", "out_features", "units"], "width"),
}
_BY_OP = {"rate": ("drop", "dilation"), "scale": ("gamma", "factor"), "alpha": ("slope",)}
"""Words of other tools that mean another word in another op: a dropout's or a conv's `rate`."""
_BEFORE_FLAGS = frozenset(
    ["approximate", "interpolation", "method", "mode", "padding_mode", "pad_mode"]
)
"""Words of other tools before a choice that stands alone in this language."""
_LETTERS = {"s": "stride", "p": "pad", "d": "dilation", "g": "groups"}

_LACKING = """
    alphadropout attention blurpool brn celu channel_shuffle channelshuffle chunk conv1d gdn
    lpnorm minpool pelu unflatten unshuffle
    constantpad constantpad2d
    conv2d_transpose conv2dtranspose conv3d conv_transpose conv_transpose2d convlstm convtranspose
    convtranspose2d crelu crop dcn deconv deconv2d deconvolution deform_conv deform_conv2d
    depth_to_space div divide dot dropblock dropout2d einsum elu embedding
    fractionalmaxpool frn gaussian_noise gem glu group_norm groupnorm gru hard_tanh hardshrink
    hardtanh instance_norm instancenorm instancenorm2d interpolate involution l2norm layer_norm
    layernorm log_sigmoid log_softmax logsigmoid logsoftmax lp_pool lp_pool2d lppool lppool2d lstm
    matmul max_unpool maximum maxout maxunpool maxunpool2d mha minimum mish multihead_attention
    multiheadattention pad permute pixel_shuffle pixel_unshuffle pixelshuffle pixelunshuffle prelu
    quick_gelu reflection_pad reflectionpad2d reshape rms_norm rmsnorm rnn roi_align roi_pool
    roialign roipool rrelu self_attention selu shuffle slice softmax2d softmin softplus
    softpool softshrink softsign space_to_depth spatial_dropout spatialdropout2d spectral_norm
    spectralnorm split squeeze sub subtract
    sumpool swiglu sync_bn syncbatchnorm tanhshrink threshold transformer transpose transpose_conv
    transposed_conv unpool unsqueeze upsample upsampling upsampling2d view
    weight_norm weightnorm zeropad zeropad2d zeropadding2d
"""
_TOKENS = """
    attention cls_token class_token cross_attention mha mhsa multihead_attention multiheadattention
    patch_embed patch_embedding pos_embed positional_embedding self_attention swin token tokens
    transformer transformer_block transformer_encoder window_attention
"""
_SEVERAL = {
    **dict.fromkeys(
        ["upconv", "upconv2d"], "a `deconv` with a stride, or an `upsample` and a conv"
    ),
    "dconv": "a `deconv`, a `conv` with `dilation`, or a conv in groups, one for each channel",
    **dict.fromkeys(
        ["dsconv", "dwsconv"], "a `sepconv`, or a conv in groups and a 1x1 conv with a norm each"
    ),
    **dict.fromkeys(["pool", "pool2d", "pooling"], "a `maxpool` or an `avgpool`"),
    **dict.fromkeys(["resize", "resizing"], "an `upsample` with `nearest` or `bilinear`"),
    "globalpool": "a `global avgpool` or a `global maxpool`",
    "adaptivepool": "an `adaptive avgpool` or an `adaptive maxpool`",
    **dict.fromkeys(
        ["mean", "reducemean"],
        "a `global avgpool` over all places, or a `channelavgpool` over all channels",
    ),
    **dict.fromkeys(
        ["max", "amax", "reducemax"],
        "a `global maxpool` over all places, or a `channelmaxpool` over all channels",
    ),
    **dict.fromkeys(
        ["norm", "normalize", "normalise", "normalization"],
        "a `batchnorm`, a `layernorm`, or an `l2norm`, which divides by the length alone",
    ),
    **dict.fromkeys(
        ["downsample", "downsampling", "subsample", "subsampling"],
        "a conv or a pool with a stride, as `2x2 avgpool (stride 2)`",
    ),
}
_CONVS = {
    **dict.fromkeys(
        ["depthwise", "dw"],
        depthwise_of("3x3"),
    ),
    **dict.fromkeys(["atrous", "dilated"], "write its rate: `3x3 conv (64 dilation 2)`"),
    **dict.fromkeys(["group", "grouped"], "write its groups: `3x3 conv (64 groups 32)`"),
    "pointwise": "write its kernel: `1x1 conv (64)`",
    "separable": "this language has it as `sepconv`",
    "strided": "write its stride: `3x3 conv (64 stride 2)`",
    "transposed": "this language has it as `deconv`",
}
_GATE = "gate: [global avgpool, linear (in//16 act relu), linear (in act sigmoid)]"
_BLOCKS = {
    **dict.fromkeys(
        ["se", "seblock", "selayer", "semodule", "squeezeexcitation", "squeezeexcite"],
        f"`{{join: mul, branches: {{whole: identity, {_GATE}}}}}`",
    ),
    **dict.fromkeys(
        ["aspp", "spp"],
        "`branches` with a conv of another `dilation`, or a pool of another kernel, in each",
    ),
}
_ORDERS = "its squares are neighbouring channels (CRD), those of TensorFlow lie apart (DCR)"
_NEAR = {
    "depthtospace": f"`pixelshuffle` takes the channels in another order: {_ORDERS}",
    "spacetodepth": f"`pixelunshuffle` gives the channels in another order: {_ORDERS}",
}
_LACKING_SCHEMES = """
    constant dirac glorot_normal he_normal he_uniform lecun_normal lecun_uniform
    msra ones orthogonal sparse uniform variance_scaling xavier_normal zeros
"""
_LACKING_MODES = "area bicubic bilinear_antialias gaussian lanczos nearest_exact trilinear"
_LACKING_PADS = "causal circular reflect reflection replicate symmetric"


def _plain(name: str) -> str:
    """Return a name in lower case, without blanks and underscores: tools differ in both."""
    return name.lower().replace("_", "").replace(" ", "")


_KNOWN = frozenset(
    _plain(name) for op in OPS.values() for name in (op.name, op.written, *op.aliases, *op.variants)
)
LACKING = frozenset(name for name in f"{_LACKING} {_TOKENS}".split() if _plain(name) not in _KNOWN)
"""Ops of the field that this language lacks.

The finding says so, because the op with the nearest name would compute something else.
"""
LACKING_VALUES = LACKING | frozenset(f"{_LACKING_SCHEMES} {_LACKING_PADS} {_LACKING_MODES}".split())
"""Values of the field that this language lacks: activations, norms, initialisations, paddings."""

KERNELS = frozenset(["kernel_size", "kernel", "ksize", "k"])
"""Names of the kernel in other tools; in this language it stands before the op."""


def op_of(name: str) -> str | None:
    """Return the op that another tool's name means."""
    plain = _plain(name)
    for written, op in WRITTEN.items():
        if plain in map(_plain, (op.name, written, *op.aliases)):
            return written
    return None


def kernel_and_op_of(name: str) -> str | None:
    """Return the kernel and the op that one word means: `3x3 conv` for `conv3x3`."""
    parts = re.fullmatch("([A-Za-z_]+?)_?([0-9]+x[0-9]+)", name)
    op = parts and op_of(parts[1])
    return f"{parts[2]} {op}" if parts and op and WRITTEN[op].kernel else None


def variant_of(name: str) -> tuple[str, tuple[str, ...]] | None:
    """Return the op that another tool's name means, and the words that the name stands for."""
    plain = _plain(name)
    for written, op in WRITTEN.items():
        for variant, words in op.variants.items():
            if plain == _plain(variant):
                return written, words
    return None


def meanings_of(name: str) -> str | None:
    """Return the steps that the field calls by one name."""
    return _SEVERAL.get(_plain(name))


def conv_of(text: str) -> str | None:
    """Return the way to write a convolution that a step calls by an adjective, as papers do."""
    named = re.match(r"(?:[0-9]+(?:x[0-9]*)? *)?([A-Za-z]+) +conv\b", text)
    return _CONVS.get(named[1].lower()) if named else None


def block_of(name: str) -> str | None:
    """Return the body of a block that the field calls by this name."""
    return _BLOCKS.get(_plain(name))


def is_depthwise(name: str) -> bool:
    """Tell whether this is a name of a depthwise convolution in another tool."""
    return name.lower() in _DEPTHWISE


def is_lacking(name: str) -> bool:
    """Tell whether the field has an op of this name that the language lacks."""
    return _plain(name) in map(_plain, LACKING) and op_of(name) is None


def near_of(name: str) -> str | None:
    """Return the op that does nearly what one that is lacking does, and the difference."""
    return _NEAR.get(_plain(name))


def is_of_tokens(name: str) -> bool:
    """Tell whether this is a name of attention, or of the tokens that it works on."""
    return _plain(name) in map(_plain, _TOKENS.split())


_DROP_PATH = frozenset(["drop_path", "stochastic_depth"])


def is_drop_path(name: str) -> bool:
    """Tell whether another tool has a residual's `drop_path` as a layer of this name."""
    return _plain(name) in map(_plain, _DROP_PATH)


def join_of(name: str) -> str | None:
    """Return the join that another tool has as a layer."""
    joins = (op for op in OPS.values() if op.join is not None)
    return next((op.name for op in joins if _is_named(op, name)), None)


def word_of(name: str, known: Container[str]) -> str | None:
    """Return the word of an op that another tool's word means: `padding`, `bn`, `s2`.

    Args:
        known: the words of the op.
    """
    if name.lower() in _BY_OP:
        return next((word for word in _BY_OP[name.lower()] if word in known), None)
    if short := re.fullmatch("([spdg])([0-9]+)", name):
        return f"{_LETTERS[short[1]]} {short[2]}"
    norm = next((norm for norm, op in NORMS.items() if _is_named(op, name)), None)
    return f"norm {norm}" if norm else _WORDS.get(name.lower())


def precedes_flag(name: str) -> bool:
    """Tell whether another tool has this word before a choice that stands alone here."""
    return name.lower() in _BEFORE_FLAGS


def _is_named(op: Op, name: str) -> bool:
    return _plain(name) in map(_plain, (op.name, *op.aliases))
