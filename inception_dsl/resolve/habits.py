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

KERNELS = frozenset(["kernel_size", "kernel", "ksize", "k"])
"""What others call the kernel, which here stands before the op."""


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
