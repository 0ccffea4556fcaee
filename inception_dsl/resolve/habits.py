"""What other tools call things, for those who come from there: PyTorch, Keras, TensorFlow, Caffe.

These are no second spellings: a spec that uses one is told the word of this language.
"""

from __future__ import annotations

import re

_OPS = {
    "avg_pool2d": "avgpool",
    "avg_pool": "avgpool",
    "averagepooling2d": "avgpool",
    "batch_norm": "batchnorm",
    "bn": "batchnorm",
    "dense": "linear",
    "depthwiseconv2d": "sepconv",
    "fc": "linear",
    "gap": "global avgpool",
    "globalaveragepooling2d": "global avgpool",
    "globalavgpool": "global avgpool",
    "inner_product": "linear",
    "localresponsenorm": "lrn",
    "max_pool": "maxpool",
    "max_pool2d": "maxpool",
    "maxpooling2d": "maxpool",
    "separableconv2d": "sepconv",
    "swish": "silu",
}
_JOINS = {
    "add": "add",
    "cat": "concat",
    "concat": "concat",
    "concatenate": "concat",
    "eltwise": "add",
    "mul": "mul",
    "multiply": "mul",
    "sum": "add",
}
_WORDS = {
    "batchnorm": "norm batchnorm",
    "bn": "norm batchnorm",
    "padding": "pad",
    "strides": "stride",
    "valid": "V",
}
_LETTERS = {"s": "stride", "p": "pad", "d": "dilation", "g": "groups"}

_NOT_YET: dict[str, str] = {
    **dict.fromkeys(
        ["conv_transpose", "conv_transpose2d", "conv2d_transpose", "conv2dtranspose"]
        + ["convtranspose", "convtranspose2d", "deconv", "deconv2d", "deconvolution"]
        + ["transposed_conv", "transpose_conv", "upconv", "upconv2d"],
        "a transposed convolution",
    ),
    **dict.fromkeys(["conv1d", "conv3d"], "a convolution that is not over height and width"),
    **dict.fromkeys(["deform_conv", "deform_conv2d", "dcn"], "a deformable convolution"),
    **dict.fromkeys(["lppool", "lp_pool", "lppool2d", "lp_pool2d"], "a power-average pool"),
    **dict.fromkeys(["maxunpool", "max_unpool", "maxunpool2d", "unpool"], "an unpooling"),
    **dict.fromkeys(["sumpool", "stochasticpool", "fractionalmaxpool"], "this kind of pooling"),
    **dict.fromkeys(["roipool", "roi_pool", "roialign", "roi_align"], "pooling over regions"),
    **dict.fromkeys(["softpool", "blurpool", "gempool", "gem"], "this kind of pooling"),
    **dict.fromkeys(
        ["layernorm", "layer_norm", "ln", "groupnorm", "group_norm", "gn", "instancenorm"]
        + ["instance_norm", "instancenorm2d", "rmsnorm", "rms_norm", "syncbatchnorm", "sync_bn"]
        + ["weightnorm", "weight_norm", "spectralnorm", "spectral_norm", "l2norm", "grn", "frn"],
        "a normalisation other than `batchnorm` and `lrn`",
    ),
    **dict.fromkeys(
        ["prelu", "elu", "selu", "celu", "glu", "swiglu", "geglu", "mish", "softplus", "softsign"]
        + ["hardtanh", "hard_tanh", "logsigmoid", "log_sigmoid", "tanhshrink", "softshrink"]
        + ["hardshrink", "threshold", "rrelu", "crelu", "maxout", "quick_gelu"],
        "an activation that",
    ),
    **dict.fromkeys(["log_softmax", "logsoftmax", "softmin", "softmax2d"], "a softmax of this kind"),
    **dict.fromkeys(
        ["upsample", "upsampling", "upsampling2d", "interpolate", "resize", "nearest", "bilinear"],
        "resizing a map",
    ),
    **dict.fromkeys(
        ["pixelshuffle", "pixel_shuffle", "pixelunshuffle", "pixel_unshuffle", "depth_to_space"]
        + ["space_to_depth", "channelshuffle", "channel_shuffle", "shuffle", "focus"],
        "moving values between channels and places",
    ),
    **dict.fromkeys(["split", "chunk", "slice", "crop", "narrow"], "taking a part of the channels"),
    **dict.fromkeys(
        ["attention", "mha", "multiheadattention", "multihead_attention", "self_attention"]
        + ["transformer", "mlp", "embedding", "patch_embed"],
        "a layer of a transformer",
    ),
    **dict.fromkeys(["lstm", "gru", "rnn", "conv_lstm", "convlstm"], "a recurrent layer"),
    **dict.fromkeys(
        ["droppath", "drop_path", "stochastic_depth", "dropblock", "alphadropout", "dropout2d"]
        + ["spatial_dropout", "spatialdropout2d", "gaussian_noise"],
        "dropping other than of single values",
    ),
    **dict.fromkeys(
        ["reshape", "view", "permute", "transpose", "squeeze", "unsqueeze", "pad", "zero_pad"]
        + ["zeropad2d", "zeropadding2d", "reflection_pad", "reflectionpad2d"],
        "changing the shape of a tensor without a window",
    ),
    **dict.fromkeys(["sub", "subtract", "div", "divide", "minimum", "maximum", "matmul", "dot"],
        "this operation on two tensors",
    ),
}
"""Ops and words of the field that this language lacks, each with the kind of thing that it is."""

_NOT_YET_VALUES: dict[str, frozenset[str]] = {
    "init": frozenset(
        ["constant", "dirac", "glorot_normal", "glorot_uniform", "he_normal", "he_uniform"]
        + ["kaiming_uniform", "lecun_normal", "orthogonal", "sparse", "uniform", "variance_scaling"]
        + ["xavier_normal", "zeros", "ones", "msra"]
    ),
    "pad": frozenset(["circular", "reflect", "reflection", "replicate", "symmetric", "causal"]),
}
"""By attribute, values of the field that are no name of an op and that this language lacks."""

KERNELS = frozenset(["kernel_size", "kernel", "ksize", "k"])
"""What others call the kernel, which here stands before the op."""


def lacks(name: str) -> str | None:
    """Return the kind of thing an op of the field is that this language lacks, or None."""
    return _NOT_YET.get(name.lower())


def lacks_value(attribute: str, name: str) -> bool:
    """Tell whether the field knows this value of an attribute, and this language does not."""
    known = _NOT_YET_VALUES.get(attribute, frozenset())
    return name.lower() in known or name.lower() in _NOT_YET


def op_of(name: str) -> str | None:
    """The op that another tool's name means."""
    return _OPS.get(name.lower())


def join_of(name: str) -> str | None:
    """The join that another tool has as a layer."""
    return _JOINS.get(name.lower())


def word_of(name: str) -> str | None:
    """The word of an op that another tool's means: `padding`, `bn`, `s2`."""
    short = re.fullmatch("([spdg])([0-9]+)", name)
    return f"{_LETTERS[short[1]]} {short[2]}" if short else _WORDS.get(name.lower())
