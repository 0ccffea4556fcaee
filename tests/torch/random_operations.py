"""Random steps of every operation, many to a spec, each with what it should give.

A spec holds its cases in parallel branches that are flattened and concatenated, so that one module
tells all their values. What a case should give is computed from the words that were drawn, with
defaults of our own: neither the resolver nor the table of operations is asked.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from operator import gt
from random import Random
from typing import Any, TypeAlias

from hypothesis import strategies as st
from random_steps import ACTS, Spec, Step
from reference_operations import Attributes, Reference, both
from torch import Tensor

Compute: TypeAlias = Callable[[Reference, str, Tensor], Tensor]
"""A function that computes a body from weights, the path of the body, and its input."""

PARAMETERS = frozenset(
    ["width", "stride", "dilation", "groups", "multiplier", "act"]
    + ["size", "alpha", "beta", "k", "eps", "momentum", "drop", "keep", "init", "gain"]
    + ["factor", "top", "bottom", "left", "right", "from", "part", "of"]
    + ["slope", "threshold", "min", "max", "offset"]
)
"""Words whose value may be a parameter of a block."""


@dataclass(frozen=True)
class Case:
    """A body that reads a map, and what it should give.

    Attributes:
        op: the operation that it is of.
        body: the body as a spec has it.
        blocks: the blocks that it calls.
    """

    op: str
    body: Any
    compute: Compute
    blocks: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Drawn:
    """A spec of many cases.

    Attributes:
        cases: each by the name of its branch.
        shift: what random images are moved by, so that in some all values are negative.
        training: whether the module is run in training.
    """

    spec: Spec
    cases: dict[str, Case]
    shift: float
    training: bool

    def __repr__(self) -> str:
        return f"{self.spec!r}shift {self.shift}, training {self.training}"


@dataclass(frozen=True)
class Leaf:
    """One step: how it is written, and the attributes that this comes to."""

    op: str
    head: str
    width: int | None
    words: tuple[tuple[str, Any], ...]
    attributes: Attributes

    def step(self) -> Step:
        """Return the case as a step."""
        return Step(self.head, self.width, self.words)

    def compute(self, reference: Reference, path: str, x: Tensor) -> Tensor:
        """Return the value of the step."""
        return reference.run(self.op, path, self.attributes, [x])

    def inside(self, name: str) -> Compute:
        """Return a function that computes a body with this step alone."""
        return lambda reference, path, x: self.compute(reference, f"{path}.{name}", x)


@dataclass
class Writer:
    """Draws leaves and cases for an input."""

    random: Random
    size: tuple[int, int]
    channels: int
    defaults: dict[str, dict[str, Any]]
    count: int = 0

    def pick(self, *options: Any) -> Any:
        return self.random.choice(options)

    def chance(self, percent: int) -> bool:
        return self.integer(1, 100) <= percent

    def integer(self, least: int, most: int) -> int:
        return self.random.randint(least, most)

    def permute(self, items: list[Any]) -> list[Any]:
        return self.random.sample(items, len(items))

    def norm(self) -> dict[str, Any]:
        own = {"eps": 1e-5, "momentum": 0.1, "gamma": True, "beta": True}
        return {**own, **self.defaults["batchnorm"]}

    def groupnorm(self, channels: int, area: int) -> Leaf:
        """Return a group norm of a number of channels; none if every group would hold one value."""
        fitting = [n for n in range(1, channels + 1) if channels % n == 0 and channels * area > n]
        if not fitting:
            return Leaf("identity", "identity", None, (), {})
        words: dict[str, Any] = {"groups": self.pick(*fitting)}
        if self.chance(50):
            words["eps"] = self.pick(0.001, 0.5, 1)
        if self.chance(50):
            words["affine"] = self.chance(50)
        attributes = {"eps": 1e-5, "affine": True, **self.defaults["groupnorm"], **words}
        return Leaf("groupnorm", "groupnorm", None, tuple(words.items()), attributes)

    def batchnorm(self) -> Leaf:
        words: dict[str, Any] = {}
        if self.chance(50):
            words["eps"] = self.pick(0.001, 0.5, 1)
        if self.chance(50):
            words["momentum"] = self.pick(0.003, 0.25, 1)
        if self.chance(50):
            words["gamma"] = self.chance(50)
        if self.chance(50):
            words["beta"] = self.chance(50)
        return Leaf("batchnorm", "batchnorm", None, tuple(words.items()), {**self.norm(), **words})

    def by_image(self, op: str) -> Leaf:
        """Return a norm of one image's values, or a learnt scale."""
        words: dict[str, Any] = {}
        attributes: dict[str, Any] = {"eps": 1e-5, "affine": op == "layernorm"}
        if op == "scale":
            attributes = {"one": False, "bias": False}
            words = {name: True for name in attributes if self.chance(40)}
            if self.chance(50):
                words["init"] = self.pick(0, 0.25)
        elif self.chance(50):
            words["eps"] = self.pick(0.001, 0.5, 1)
        else:
            attributes["eps"] = {"l2norm": 1e-12, "grn": 1e-6}.get(op, 1e-5)
        if op in {"layernorm", "instancenorm"} and self.chance(50):
            words["affine"] = self.chance(50)
        own = {**attributes, **self.defaults.get(op, {}), **words}
        return Leaf(op, op, None, tuple(words.items()), own)

    def activation(self) -> Leaf:
        """Return an activation with words of its own, or a fixed factor and offset."""
        op = self.pick(
            "leaky_relu", "prelu", "elu", "softplus", "hardtanh", "gelu", "rescale", "divide", "abs"
        )
        drawn: dict[str, Any] = {
            "leaky_relu": {"slope": self.pick(0.1, 0.5, 0, 1)},
            "prelu": {"init": self.pick(0.1, -0.5, 2), "per_channel": True},
            "elu": {"alpha": self.pick(0.25, 2)},
            "softplus": {"beta": self.pick(0.5, 3), "threshold": self.pick(1, 40)},
            "hardtanh": {"min": self.pick(-2, -0.25, 0), "max": self.pick(0.5, 6)},
            "gelu": {"tanh": True},
            "abs": {},
            "divide": {"by": self.pick(3, 0.25, 255)},
            "rescale": {"factor": self.pick(2, -0.5, 1), "offset": self.pick(-1, 0.25, 0)},
        }[op]
        words = {name: value for name, value in drawn.items() if name == "by" or self.chance(70)}
        defaults = {"per_channel": False, "factor": 1, "offset": 0}
        return Leaf(op, op, None, tuple(words.items()), {**defaults, **words})

    def sliced(self, channels: int) -> Leaf:
        """Return a slice: a range of channels, or one of several parts."""
        if self.chance(50):
            first = self.integer(0, channels - 1)
            width = self.integer(1, channels - first)
            words = {"from": first} if first or self.chance(30) else {}
            return Leaf("slice", "slice", width, tuple(words.items()), {"taken": (first, width)})
        parts = self.pick(*(n for n in range(1, channels + 1) if channels % n == 0))
        part = self.integer(1, parts)
        size = channels // parts
        words = {"of": parts, "part": part} if self.chance(30) else {"part": part, "of": parts}
        taken = {"taken": ((part - 1) * size, size)}
        return Leaf("slice", "slice", None, tuple(words.items()), taken)

    def shuffled(self, channels: int) -> Leaf:
        groups = self.pick(*(n for n in range(1, channels + 1) if channels % n == 0))
        return Leaf("shuffle", "shuffle", None, (("groups", groups),), {"groups": groups})

    def kernel(self) -> tuple[int, int]:
        height, width = self.pick(1, 2, 3, 4, 5, 7), self.pick(1, 2, 3, 4, 5, 7)
        return (height, width) if self.chance(60) else (height, height)

    def steps(self, most: int) -> int | tuple[int, int]:
        """A stride or a dilation, which may differ between height and width."""
        down, across = self.integer(1, most), self.integer(1, most)
        return (down, across) if self.chance(30) and down != across else down

    def window(self, *, dilated: bool) -> tuple[tuple[int, int], dict[str, Any]]:
        """A kernel that fits, and its words."""
        kernel = self.kernel()
        words: dict[str, Any] = {}
        if self.chance(60):
            words["stride"] = self.steps(4)
        if dilated and self.chance(30):
            words["dilation"] = self.steps(3)
        kinds = ["V", "same", "number", "size", *["same_tf"] * (2 if dilated else 5)]
        kind = self.pick(None, *kinds)
        # torch's pools pad by half a window at most
        most = (4, 4) if dilated else (kernel[0] // 2, kernel[1] // 2)
        margins: Any = {"number": lambda: self.integer(0, min(most))}
        margins["size"] = lambda: tuple(self.integer(0, side) for side in most)
        if kind is not None:
            words["pad"] = margins[kind]() if kind in margins else kind
        if words.get("pad", "same") != "same_tf":
            gaps = both(words.get("dilation", 1))
            window = [gap * (side - 1) + 1 for gap, side in zip(gaps, kernel, strict=True)]
            if any(own > side for own, side in zip(window, self.size, strict=True)):
                words.pop("dilation", None)
                kernel = min(kernel[0], self.size[0]), min(kernel[1], self.size[1])
                if not dilated and kind in margins:
                    words["pad"] = 0
        return kernel, words

    def conv(self, width: int | None = None) -> Leaf:
        """A conv or a separable one."""
        kernel, words = self.window(dilated=True)
        width = self.integer(1, 6) if width is None else width
        op = self.pick("conv", "conv", "sepconv")
        if op == "sepconv" and self.chance(50):
            words["multiplier"] = self.integer(1, 3)
        elif op == "conv" and self.chance(40):
            shared = [n for n in range(1, 7) if self.channels % n == width % n == 0]
            words["groups"] = self.pick(*shared)
        if op == "conv" and self.chance(25):
            filter_size = self.channels // words.get("groups", 1) * kernel[0] * kernel[1]
            words |= self.standardised() if filter_size > 1 else {"no_standardised": True}
        own = self.defaults["conv"]
        attributes = {"norm": "none", "act": "none", **own}
        if self.chance(15):
            words["linear"] = True
            attributes |= {"norm": "none", "act": "none", "bias": True}
        else:
            if self.chance(40):
                words["act"] = self.pick("none", *ACTS)
            if self.chance(30):
                groups = self.defaults["groupnorm"]["groups"]
                fits = width > groups and width % groups == 0
                more = ["layernorm", *["groupnorm"] * 2 * fits]
                words["norm"] = self.pick("none", "batchnorm", *more)
            if self.chance(25):
                words["bias"] = self.chance(50)
            attributes |= {name: words[name] for name in ("act", "norm", "bias") if name in words}
            attributes.setdefault("bias", attributes["norm"] == "none")
        if attributes["norm"] == "batchnorm":
            attributes |= self.norm()
        elif attributes["norm"] == "groupnorm":
            own = {"eps": 1e-5, "affine": True, **self.defaults["groupnorm"]}
            attributes |= {"norm_groups": own.pop("groups"), **own}
        elif attributes["norm"] == "layernorm":
            attributes |= {"eps": 1e-5, "affine": True, **self.defaults["layernorm"]}
        return self.leaf(op, kernel, width, words, attributes)

    def standardised(self) -> dict[str, Any]:
        """Return words that standardise the weights of a conv."""
        words: dict[str, Any] = {"standardised": True}
        if self.chance(50):
            words["gain"] = self.pick(1, 1.7868, 0.25)
        if self.chance(50):
            words["weight_eps"] = self.pick(0.001, 0.5)
        return words

    def deconv(self) -> Leaf:
        """A transposed convolution that leaves something of its output."""
        kernel = self.integer(1, 4), self.integer(1, 4)
        stride, dilation = self.steps(3), self.pick(1, 1, 1, 2, 3, (1, 2))
        words: dict[str, Any] = {"stride": stride}
        if dilation != 1:
            words["dilation"] = dilation
        most_more = min(map(max, both(stride), both(dilation))) - 1
        if self.chance(40) and most_more > 0:
            words["output_pad"] = self.integer(1, most_more)
        axes = zip(self.size, kernel, both(stride), both(dilation), strict=True)
        whole = [(size - 1) * step + gap * (side - 1) + 1 for size, side, step, gap in axes]
        most = [min((side - 1) // 2, 5) for side in whole]
        kind = self.pick(None, "V", "same", "number", "size")
        match kind:
            case "number":
                words["pad"] = self.integer(0, min(most))
            case "size":
                words["pad"] = tuple(self.integer(0, side) for side in most)
            case "V" | "same":
                words["pad"] = kind
        width = self.integer(1, 6)
        if self.chance(40):
            words["groups"] = self.pick(
                *(n for n in range(1, 7) if self.channels % n == width % n == 0)
            )
        attributes = {"output_pad": 0, "groups": 1, "norm": "none", "act": "none"}
        if self.chance(30):
            words["norm"] = "batchnorm"
            attributes |= self.norm()
        if self.chance(40):
            words["act"] = self.pick("none", *ACTS)
        if self.chance(25):
            words["bias"] = self.chance(50)
        attributes |= words
        attributes.setdefault("bias", attributes["norm"] == "none")
        return self.leaf("deconv", kernel, width, words, attributes)

    def pool(self) -> Leaf:
        kernel, words = self.window(dilated=False)
        op = self.pick("maxpool", "avgpool", "avgpool", "blur")
        if op == "blur":
            words = {name: word for name, word in words.items() if word != "same_tf"}
            if words.get("pad", "same") == "same":  # what is left may not fit without padding
                kernel = min(kernel[0], self.size[0]), min(kernel[1], self.size[1])
            return self.leaf(op, kernel, None, words, words)
        if self.chance(40):
            words["ceil"] = True
        if op == "avgpool" and self.chance(30):
            words["count_pad"] = True
        return self.leaf(op, kernel, None, words, {"ceil": False, "count_pad": False, **words})

    def leaf(
        self,
        op: str,
        kernel: tuple[int, int],
        width: int | None,
        words: dict[str, Any],
        attributes: dict[str, Any],
    ) -> Leaf:
        window = {"stride": 1, "pad": "same", "dilation": 1, **words}
        whole = {**attributes, **window, "kernel": kernel}
        written = dict(words)
        for name, value in words.items():
            if isinstance(value, tuple):
                written[name] = "x".join(map(str, value))
        ordered = self.permute(sorted(written.items()))
        return Leaf(op, f"{kernel[0]}x{kernel[1]} {op}", width, tuple(ordered), whole)

    def plain(self) -> Leaf:
        """A step that has no window."""
        op = self.pick(
            "batchnorm", "batchnorm", *["lrn"] * 4, "dropout", "identity", "softmax", "log_softmax"
        )
        op = op if self.chance(60) else self.pick(*ACTS, "adaptive", "global")
        if self.chance(15):
            return self.groupnorm(self.channels, self.size[0] * self.size[1])
        if self.chance(25):
            return self.activation()
        if self.chance(40):
            fits = self.size != (1, 1)
            norms = ["layernorm", "l2norm", "grn", "scale", *["instancenorm"] * 2 * fits]
            return self.by_image(self.pick(*norms))
        words: dict[str, Any] = {}
        match op:
            case "batchnorm":
                return self.batchnorm()
            case "lrn":
                drawn = {
                    "size": self.integer(1, 7),
                    "alpha": self.pick(0.0001, 0.5, 2),
                    "beta": self.pick(0.75, 0.5, 1),
                    "k": self.pick(1, 2, 0.25),
                }
                words = {name: value for name, value in drawn.items() if self.chance(60)}
                attributes = {"size": 5, "alpha": 1e-4, "beta": 0.75, "k": 1, **words}
            case "dropout":
                words = self.pick({}, {"drop": 0.25}, {"keep": 0.8}, {"drop": 0})
                attributes = {}
            case "adaptive" | "global":
                kind = self.pick("avgpool", "maxpool")
                output = self.integer(1, 9), self.integer(1, 9)
                size = f"{output[0]}x{output[1]} " if op == "adaptive" else ""
                head = f"{size}{op} {kind}"
                enlarges = op == "adaptive" and any(map(gt, output, self.size))
                enlarging = (("enlarge", True),) if enlarges else ()
                return Leaf(f"{op}_{kind}", head, None, enlarging, {"output": output})
            case _:
                attributes = {}
        return Leaf(op, op, None, tuple(words.items()), attributes)

    def resized(self) -> Leaf:
        """A step that gives a map of another size."""
        kinds = ("upsample", "pad", "crop", "pixelshuffle")
        op = self.pick(*kinds, *kinds, "pixelunshuffle")
        words: dict[str, Any] = {}
        attributes: dict[str, Any]
        match op:
            case "upsample":
                size = self.integer(1, 20), self.integer(1, 20)
                words = self.pick({"factor": self.integer(1, 5)}, {"size": size})
                attributes = {"mode": "nearest", "align_corners": False}
                attributes["mode"] = self.pick("nearest", "bilinear", "bilinear")
                if attributes["mode"] == "bilinear":
                    attributes["align_corners"] = self.chance(50)
                flags = [attributes["mode"]]
                flags += ["align_corners"] * attributes["align_corners"]
            case "pad":
                mode = self.pick("zero", "reflect", "replicate")
                sides = {}
                for side in ("top", "bottom", "left", "right"):
                    most = self.size[side in ("left", "right")] - 1 if mode == "reflect" else 5
                    sides[side] = self.integer(0, most)
                attributes, flags = {"mode": mode}, [mode]
                words = sides
            case "crop":
                height, width = self.size
                if self.chance(50):
                    words["size"] = (
                        self.integer(1, height),
                        self.integer(1, width),
                    )
                else:
                    top = self.integer(0, height - 1)
                    left = self.integer(0, width - 1)
                    words = {"top": top, "left": left}
                    words["bottom"] = self.integer(0, height - 1 - top)
                    words["right"] = self.integer(0, width - 1 - left)
                attributes, flags = {}, []
            case _:
                fitting = [
                    n
                    for n in range(1, 4)
                    if (
                        self.channels % (n * n) == 0
                        if op == "pixelshuffle"
                        else self.size[0] % n == self.size[1] % n == 0
                    )
                ]
                words["factor"] = self.pick(*fitting, fitting[-1])
                attributes, flags = {}, []
        whole = {**attributes, **words}
        written = {
            name: "x".join(map(str, value)) if isinstance(value, tuple) else value
            for name, value in words.items()
        }
        written |= dict.fromkeys(flags, True)
        return Leaf(op, op, None, tuple(written.items()), whole)

    # Cases.

    def cases(self) -> list[Case]:
        """One case, or two calls of a block."""
        makers = (self.single, self.single, self.single, self.vector, self.join, self.residual)
        made: Case | list[Case] = self.pick(*makers, self.called)()
        return made if isinstance(made, list) else [made]

    def any_leaf(self) -> Leaf:
        makers = (
            self.conv,
            self.pool,
            self.plain,
            self.plain,
            self.resized,
            self.resized,
            self.deconv,
        )
        if self.chance(20):
            return self.moving()
        leaf: Leaf = self.pick(*makers)()
        return leaf

    def moving(self) -> Leaf:
        """Return a step that picks or adds channels, or gives them in another order."""
        if self.chance(25):
            op = self.pick("channelavgpool", "channelmaxpool")
            return Leaf(op, op, None, (), {})
        if self.chance(25):
            words = {"before": self.integer(0, 5), "after": self.integer(1, 5)}
            return Leaf("channelpad", "channelpad", None, tuple(words.items()), words)
        return self.sliced(self.channels) if self.chance(60) else self.shuffled(self.channels)

    def single(self) -> Case:
        leaf = self.any_leaf()
        return Case(leaf.op, leaf.step(), leaf.compute)

    def others(self, values: dict[str, Any]) -> dict[str, Any]:
        """Return the words that a second call may change."""
        stride = values.get("stride", 1)
        other = 3 if isinstance(stride, str) else stride % 3 + 1
        return {"stride": other, "act": self.pick("none", *ACTS)}

    def called(self) -> list[Case]:
        """A step in a block whose words are parameters, called twice where that can differ."""
        leaf = self.any_leaf()
        self.count += 1
        name = f"block{self.count}"
        said = dict(leaf.words) | ({} if leaf.width is None else {"width": leaf.width})
        values = {
            word: value
            for word, value in said.items()
            if word in PARAMETERS
            and not isinstance(value, bool)
            and not (word == "size" and isinstance(value, str))
        }
        params = {word: f"p_{word}" for word in values}
        inner = Step(
            leaf.head,
            params.get("width"),
            tuple((word, params.get(word, value)) for word, value in leaf.words),
        )
        block: dict[str, Any] = {"steps": [{"own": inner}]}
        if params:
            block["params"] = list(params.values())
        others = {word: own for word, own in self.others(values).items() if word in values}
        if leaf.op == "deconv":  # with a smaller stride, its padding may leave nothing
            others.pop("stride", None)
        cases = []
        for changed in [{}, others] if others else [{}]:
            own = replace(leaf, attributes={**leaf.attributes, **changed})
            bound = values | changed
            call = Step(
                name,
                words=tuple((params[word], value) for word, value in bound.items()),
                bindings=True,
            )
            cases.append(Case(f"{leaf.op} in a block", call, own.inside("own"), {name: block}))
        return cases

    def linear(self, width: int | None = None) -> Leaf:
        words: dict[str, Any] = {}
        if self.chance(50):
            words["act"] = self.pick("none", *ACTS)
        if self.chance(40):
            words["bias"] = self.chance(50)
        own = self.integer(1, 6) if width is None else width
        attributes = {"bias": True, "act": "none", **words}
        return Leaf("linear", "linear", own, tuple(words.items()), attributes)

    def on_vectors(self, features: int) -> Leaf:
        """A step that reads a vector."""
        if self.chance(35):
            return self.linear()
        if self.chance(20):
            return self.groupnorm(features, 1)
        if self.chance(50):
            norm = self.pick("batchnorm", "layernorm", "l2norm", "scale")
            return self.batchnorm() if norm == "batchnorm" else self.by_image(norm)
        if self.chance(20):
            return self.sliced(features)
        if self.chance(30):
            words = {"kernel": self.pick(1, 3, 5, 9)}
            return Leaf("channelconv", "channelconv", None, tuple(words.items()), words)
        if self.chance(20):
            return self.activation()
        op = self.pick(
            *ACTS, *["partsoftmax"] * 6, "softmax", "log_softmax", "identity", "flatten", "dropout"
        )
        words = {}
        if op == "partsoftmax":
            words["parts"] = self.pick(*(n for n in range(1, features + 1) if features % n == 0))
        return Leaf(op, op, None, tuple(words.items()), words)

    def vector(self) -> Case:
        """A map made a vector, and a step that reads it."""
        first = self.pick(
            Leaf("flatten", "flatten", None, (), {}),
            Leaf("global_avgpool", "global avgpool", None, (), {}),
            Leaf("global_maxpool", "global maxpool", None, (), {}),
        )
        area = self.size[0] * self.size[1]
        second = self.on_vectors(self.channels * (area if first.op == "flatten" else 1))

        def compute(reference: Reference, path: str, x: Tensor) -> Tensor:
            x = first.compute(reference, f"{path}.first", x)
            return second.compute(reference, f"{path}.second", x)

        steps = [{"first": first.step()}, {"second": second.step()}]
        return Case(f"{second.op} of a vector", {"steps": steps}, compute)

    def keeping(self, width: int) -> Leaf:
        """Return a step that keeps height and width, with a number of output channels."""
        if width == self.channels and self.chance(40):
            op = self.pick("identity", *ACTS)
            return Leaf(op, op, None, (), {})
        leaf = self.conv(width)
        said = dict(leaf.words)
        is_one_weight = "standardised" in said and self.channels == said.get("groups", 1)
        kernel = self.pick(*[(1, 1)] * (not is_one_weight), (3, 3), (1, 3), (5, 1))
        words = {name: own for name, own in leaf.words if name not in {"stride", "pad", "dilation"}}
        if self.chance(40):
            words["pad"] = "same_tf"
        attributes = {
            name: own
            for name, own in leaf.attributes.items()
            if name not in {"stride", "pad", "dilation", "kernel"}
        }
        return self.leaf(leaf.op, kernel, width, words, attributes)

    def gate(self, width: int) -> tuple[tuple[str, Leaf], ...]:
        """Return the steps of a gate of maps: a vector, a 1x1 map, or one number a place."""
        pool = self.pick("avgpool", "maxpool")
        match self.pick("vector", "channels", "places"):
            case "vector":
                whole = Leaf(f"global_{pool}", f"global {pool}", None, (), {})
                return ("pool", whole), ("fc", self.linear(width))
            case "channels":
                output = {"output": (1, 1)}
                whole = Leaf(f"adaptive_{pool}", f"1x1 adaptive {pool}", None, (), output)
                return ("pool", whole), ("fc", self.pixelwise(width))
            case _:
                return (("own", self.keeping(1)),)

    def pixelwise(self, width: int) -> Leaf:
        """Return a 1x1 conv, which a map of one place can take in training: it has no norm."""
        words = {"act": self.pick("none", *ACTS), "norm": "none"}
        attributes = {**words, "bias": True, "stride": 1, "dilation": 1, "pad": "same"}
        whole = {**attributes, "kernel": (1, 1)}
        return Leaf("conv", "1x1 conv", width, tuple(words.items()), whole)

    def join(self) -> Case:
        """Branches that are joined; a gate acts on all the places, or on all the channels."""
        op = self.pick("concat", "add", "mul", "mul", "maximum", "minimum")
        width = self.pick(self.channels, self.integer(1, 6))
        count = self.integer(2, 4)
        branches: dict[str, tuple[tuple[str, Leaf], ...]] = {}
        for index in range(count):
            own = self.integer(1, 6) if op == "concat" else width
            branches[f"b{index}"] = (("own", self.keeping(own)),)
            if op != "concat" and index and self.chance(60):
                branches[f"b{index}"] = self.gate(width)
        names = list(self.permute(list(branches)))
        body = {name: [{key: leaf.step()} for key, leaf in branches[name]] for name in names}

        def compute(reference: Reference, path: str, x: Tensor) -> Tensor:
            values = []
            for name in names:
                value = x
                for key, leaf in branches[name]:
                    value = leaf.compute(reference, f"{path}.{name}.{key}", value)
                values.append(value)
            return reference.run(op, path, {}, values)

        return Case(op, {"branches": body, "join": op}, compute)

    def residual(self) -> Case:
        """A body that is scaled and added to what it reads, or to a shortcut."""
        words: dict[str, Any] = {}
        if self.chance(60):
            words["scale"] = self.pick(0.1, 0.17, 2, 1, 0)
        if self.chance(60):
            words["act"] = self.pick("none", *ACTS)
        shortcut: Leaf | None = None
        written: dict[str, Any] = dict(words)
        width = self.channels
        if self.chance(50):
            width = self.integer(1, 6)
            shortcut = self.keeping(width)
            written["shortcut"] = [{"short": shortcut.step()}]
        inner = self.gate(width) if self.chance(40) else (("inner", self.keeping(width)),)
        steps = [{name: leaf.step()} for name, leaf in inner]
        body = {"residual": written, "steps": steps}

        def compute(reference: Reference, path: str, x: Tensor) -> Tensor:
            y = x
            for name, leaf in inner:
                y = leaf.compute(reference, f"{path}.{name}", y)
            if shortcut is not None:
                x = shortcut.compute(reference, f"{path}.shortcut.short", x)
            return reference.run("add", path, words, [x, y])

        return Case("residual", body, compute)


def draw_operations(seed: int, count: int = 16) -> Drawn:
    """Return a spec of that many cases on one input."""
    random = Random(seed)
    size = random.randint(1, 12), random.randint(1, 12)
    channels = random.choice([1, 2, 3, 4, 5, 6, 4, 8, 8, 9])
    chosen = (("norm", "batchnorm"), ("act", random.choice(ACTS)))
    conv = {name: value for name, value in chosen if random.random() < 0.5}
    norms: list[dict[str, Any]] = [{}, {"eps": 0.001}, {"gamma": False}, {"momentum": 0.3}]
    norms += [{"beta": False}, {"gamma": False, "beta": False}]
    norm = random.choice([*norms, {"eps": 0.25, "momentum": 0.003, "gamma": False}])
    groups: dict[str, Any] = {"groups": random.randint(1, 3), "affine": random.random() < 0.5}
    if random.random() < 0.5:
        groups["eps"] = 0.25
    layers: dict[str, Any] = random.choice([{}, {"eps": 0.25}, {"affine": False}])
    defaults: dict[str, dict[str, Any]] = {"conv": conv, "batchnorm": norm}
    defaults |= {"groupnorm": groups, "layernorm": layers}
    writer = Writer(random, size, channels, defaults)
    found: list[Case] = []
    while len(found) < count:
        found += writer.cases()
    cases = {f"case{index}": case for index, case in enumerate(found)}
    blocks = {name: block for case in cases.values() for name, block in case.blocks.items()}
    branches = {
        name: [{"own": case.body}, {"flat": Step("flatten")}] for name, case in cases.items()
    }
    document: dict[str, Any] = {
        "inception": 1,
        "name": "net",
        "input": f"{size[0]}x{size[1]}x{channels}",
        "defaults": writer.defaults,
        "network": {"branches": branches},
    }
    if blocks:
        document["blocks"] = blocks
    shift = random.choice([0.0, 0.0, -1.0, -5.0])
    return Drawn(Spec(document), cases, shift, random.random() < 0.5)


def operations() -> st.SearchStrategy[Drawn]:
    """Return the strategy of specs of many cases.

    It draws a seed alone: of a spec that it draws part by part, hypothesis tries five variants,
    most of them equal.
    """
    return st.integers(0, 2**64 - 1).map(draw_operations)
