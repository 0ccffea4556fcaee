"""The words of other tools for the settings of a recipe, with the words of this language."""

from __future__ import annotations

import re

KEYS = {
    "augmentation": "augment",
    "batch_size": "batch",
    "clip_grad": "clip",
    "clipping": "clip",
    "ema": "average",
    "gradient_clipping": "clip",
    "initial_learning_rate": "learning_rate",
    "l2": "weight_decay",
    "lr": "learning_rate",
    "max_epochs": "epochs",
    "normalisation": "normalise",
    "normalization": "normalise",
    "normalize": "normalise",
    "num_epochs": "epochs",
    "num_replicas": "replicas",
    "opt": "optimizer",
    "optimiser": "optimizer",
    "rate": "learning_rate",
    "regularization": "weight_decay",
    "schedule": "learning_rate",
    "scheduler": "learning_rate",
    "smoothing": "label_smoothing",
    "transforms": "augment",
    "world_size": "replicas",
}
"""Keys of other tools for those of a recipe."""

VALUES: dict[str, dict[str, str]] = {
    "optimizer": {
        "momentum": "sgd",
        "nesterov": "sgd",
        "nag": "sgd",
        "rmsproptf": "rmsprop",
        "alpha": "decay",
        "rho": "decay",
        "epsilon": "eps",
        "beta_1": "beta1",
        "beta_2": "beta2",
        "centred": "centered",
    },
    "weight_decay": {
        "weight": "weights",
        "kernels": "weights",
        "bias": "biases",
        "norm": "norms",
        "batchnorm": "norms",
        "bn": "norms",
        "everything": "all",
    },
    "average": {
        "swa": "polyak",
        "mean": "polyak",
        "exponential": "ema",
        "moving": "ema",
    },
    "augment": {
        "cifar": "shift",
        "random_resized_crop": "inception",
        "randomresizedcrop": "inception",
        "random_crop": "crop",
        "alexnet": "crop",
        "vgg": "crop",
        "scale": "area",
        "ratio": "aspect",
        "colour": "saturation",
        "color": "saturation",
        "flip": "mirror",
        "hflip": "mirror",
        "no_flip": "no_mirror",
        "padding": "pad",
    },
    "clip": {"max_norm": "norm", "by_norm": "norm", "by_value": "value", "threshold": "norm"},
    "replicas": {"async": "asynchronous", "sync": "synchronous"},
}
"""Words of other tools in the text of a setting."""

_HELP: dict[tuple[str, str], str] = {
    ("optimizer", "weight_decay"): "it is a key of its own: `weight_decay: 4e-5 (weights)`",
    ("optimizer", "lr"): "it is a key of its own: `learning_rate`",
    ("optimizer", "betas"): "each has a word of its own: `beta1 0.9 beta2 0.999`",
    ("learning_rate", "exponential"): "as in `0.045 x 0.94 every 2 epochs`",
    ("learning_rate", "multistep"): "as in `0.1 x 0.1 at 30 60 epochs`",
    ("learning_rate", "linear"): "it is a polynomial: `0.1 polynomial (power 1)`",
    ("learning_rate", "poly"): "it is a polynomial: `0.1 polynomial (power 1)`",
    ("learning_rate", "step"): "as in `0.1 x 0.1 every 30 epochs`, or `0.1 x 0.1 at 30 60 epochs`",
    ("learning_rate", "constant"): "write the number alone",
    ("learning_rate", "staircase"): "`every` is a staircase already, unless it is `continuous`",
    ("augment", "random_interpolation"): "this language has no word for it",
    ("augment", "mirror"): "images are mirrored already, unless it is `no_mirror`",
    ("augment", "photometric"): "write the strength of each: `brightness 0.2 contrast 0.5`",
}
"""The way out for words that are no slips of others."""

_GLUED = re.compile(r"[0-9.e-]*[xX*][0-9.e-]*")
"""A product without spaces, in a learning rate."""


def key_of(name: str) -> str | None:
    """Return the key of a recipe that another tool's name means."""
    return KEYS.get(name.lower()) or None


def meaning_of(key: str, word: str) -> tuple[str | None, str | None]:
    """Return the word that another tool's word means in a setting, or else a help.

    Example:
        >>> meaning_of("optimizer", "epsilon")
        ('eps', None)
    """
    if key == "learning_rate" and _GLUED.fullmatch(word):
        return None, "`x` stands between spaces, as in `0.045 x 0.94 every 2 epochs`"
    folded = word.lower().removesuffix("lr") if key == "learning_rate" else word.lower()
    help = _HELP.get((key, folded.rstrip("_")))
    return (None, help) if help else (VALUES.get(key, {}).get(word.lower()), None)
