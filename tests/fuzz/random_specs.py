"""Random specs that are good by construction.

A network reads a map; every body in it keeps the height and width of what it reads, save for the
steps that `_Writer.shrinking` writes into the network itself. So branches always agree, whatever
their channels, and any block can be called anywhere, with any arguments. Bodies that are added
together end in convs of one width. `in` stands in widths only where it cannot grow exponentially.

A step is a `Step` until it is written, in its short form or its long one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import yaml
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st

QUICK = settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.generate],  # to shrink what fails would take minutes
)
"""Random cases that are the same in every run."""

Body: TypeAlias = "Step | list[Any] | dict[str, Any]"
"""A body of the language, with steps that are yet to be written."""


@dataclass(frozen=True)
class Step:
    """A call of an op or a block.

    Attributes:
        head: what stands before the parenthesis, `2 x 3x3 conv`.
        width: the width, which has no word of its own in the short form.
        words: attributes, or a block's bindings, by name.
        bindings: whether `words` are those of a block.
        row: a row of a table.
    """

    head: str
    width: str | int | None = None
    words: tuple[tuple[str, Any], ...] = ()
    bindings: bool = False
    row: str = ""

    def short(self) -> str:
        """Return the step on one line."""
        words = [self.row] if self.row else []
        words += [str(self.width)] if self.width is not None else []
        for name, value in self.words:
            if self.bindings:
                words.append(f"{name}={value}")
            elif value is True or value is False:
                words.append(name if value else f"no_{name}")
            else:
                words.append(f"{name} {value}")
        return f"{self.head} ({' '.join(words)})" if words else self.head

    def long(self) -> dict[str, Any]:
        """Return the step as a mapping."""
        written: dict[str, Any] = {"op": f"{self.head} ({self.row})" if self.row else self.head}
        if self.width is not None:
            written["width"] = self.width
        return written | dict(self.words)


class Spec:
    """A spec's document, with steps that are yet to be written."""

    def __init__(self, document: dict[str, Any]) -> None:
        self.document = document

    def text(self, *, long: bool = False) -> str:
        """Return the spec as YAML, with every step in its short form or in its long one."""
        plain = _written(self.document, Step.long if long else Step.short)
        dumped = yaml.safe_dump(plain, sort_keys=False, width=10**9, allow_unicode=True)
        assert isinstance(dumped, str)
        return dumped

    def __repr__(self) -> str:
        return f"Spec of\n{self.text()}"


def _written(value: Any, write: Callable[[Step], Any]) -> Any:
    match value:
        case Step():
            return write(value)
        case list():
            return [_written(item, write) for item in value]
        case dict():
            return {key: _written(item, write) for key, item in value.items()}
        case _:
            return value


ACTS = (
    "relu",
    "relu6",
    "leaky_relu",
    "elu",
    "selu",
    "mish",
    "softplus",
    "hardtanh",
    "silu",
    "gelu",
    "hardswish",
    "hardsigmoid",
    "sigmoid",
    "tanh",
)
KERNELS = ("1x1", "3x3", "1x3", "3x1", "5x5", "1x7", "7x1")
WIDTHS = st.integers(1, 12)


AWKWARD_NAMES = (
    *("in_channels", "out_channels", "kernel_size", "num_features", "logits_", "weight"),
    *("bn", "dim", "value", "module", "Module", "Conv2d", "Sequential", "Identity", "i", "i_"),
    *("Net", "NetOutputs", "NetTrunk", "ConvNormAct", "conv_norm_act", "ConvAct", "conv_act"),
    *("ConvNorm", "LinearAct", "SameConvAct", "SameConvNormAct", "pad_same", "pair", "init_normal"),
    *("print", "len", "object", "str", "dict", "abs", "min", "zip", "chain"),
    *("path", "mode", "std", "Any", "Union", "none_", "true_", "Block", "Layer", "Branches"),
)
"""Names that emitted code uses, or nearly so."""


@dataclass
class _Writer:
    """Draws bodies; names are counted over the whole spec, so that no two are the same.

    Attributes:
        scope: the parameters that a width may read.
        blocks: the parameters of each block that may be called, and whether a table has them.
        optional: the parameters of blocks that have a default, which a call may leave out.
        kernels: the parameters that stand for a kernel, and `pads` those for a padding; all blocks
            share them, and a step reads them if they are its block's.
        budget: how many steps may still be drawn, so that no spec is huge.
        awkward: names are made of the words of emitted code, whole and in part.
        taken: the names that have been drawn whole.
    """

    draw: st.DrawFn
    blocks: dict[str, tuple[str, ...]]
    scope: tuple[str, ...] = ()
    depth: int = 0
    optional: set[str] = field(default_factory=set)
    counter: list[int] = field(default_factory=lambda: [0])
    budget: list[int] = field(default_factory=lambda: [40])
    awkward: bool = False
    taken: set[str] = field(default_factory=set)
    kernels: set[str] = field(default_factory=set)
    pads: set[str] = field(default_factory=set)
    own: tuple[str, ...] = ()
    in_block: bool = True

    def pick(self, *options: Any) -> Any:
        """One of some values."""
        return self.draw(st.sampled_from(options))

    def chance(self, percent: int) -> bool:
        """True that often."""
        return self.draw(st.integers(1, 100)) <= percent

    def name(self, stem: str = "s") -> str:
        """A name that nothing else has."""
        self.counter[0] += 1
        if not self.awkward:
            return f"{stem}{self.counter[0]}"
        word: str = self.pick(*AWKWARD_NAMES)
        refused = [("p", "in_channels"), ("p", "min")]
        is_whole = word not in self.taken and (stem, word) not in refused
        self.taken.add(word)
        number = self.counter[0]
        return word if is_whole else str(self.pick(f"main_{word}_{number}", f"{word}{number}"))

    def width(self) -> str | int:
        """A number, or an expression over the parameters that is positive for positive ones."""
        number = self.draw(WIDTHS)
        options: list[str | int] = [number, number, f"in // {number} + 1", f"{number} * 2 + 1"]
        for param in self.scope:
            options += [param, param, f"{number} * {param}", f"({param} + {number}) // 2 + 1"]
            options += [f"{param} * {param} - {param} + 1", f"{param} + in // {number + 1}"]
            options += [f"max({param}, {number})", f"min({param}, in, {number})"]
            options += [f"ceil({param} / {number})", f"round({param} * 1.5)"]
            options += [f"make_divisible({param} * 0.35, {number})", f"floor({param} / 3) + 1"]
        return self.draw(st.sampled_from(options))

    # Steps that keep height and width.

    def conv(self, width: str | int | None = None, **fixed: Any) -> Step:
        """A conv or a separable one, of any padding that keeps the size."""
        width = self.width() if width is None else width
        words: dict[str, Any] = {}
        if self.chance(20):
            words["pad"] = self.pick("same", "same_tf")
        if self.chance(10) and words.get("pad") != "same_tf":
            words["dilation"] = self.pick(1, 2)
        if self.chance(25):
            words["act"] = self.pick("none", *ACTS)
        if self.chance(15):
            words["norm"] = self.pick("none", "batchnorm")
        if self.chance(15):
            words["bias"] = self.pick(True, False)
        if self.chance(10):
            words["init"] = self.pick(
                "normal 0.02", "kaiming_normal fan_out", "kaiming_uniform fan_in"
            )
        words |= fixed
        op = "conv"
        if self.chance(12):
            op = "sepconv"
            if self.chance(40):
                words["multiplier"] = self.pick(1, 2, 3)
            words.pop("dilation", None)
        kernel = self.pick(*KERNELS)
        if self.chance(40) and (kernels := [name for name in self.own if name in self.kernels]):
            kernel = self.pick(*kernels)
        elif self.chance(40) and (pads := [name for name in self.own if name in self.pads]):
            kernel, words["pad"] = "1x1", self.pick(*pads)
        ordered = self.draw(st.permutations(sorted(words.items())))
        return Step(f"{kernel} {op}", width, tuple(ordered))

    def value(self, param: str) -> Any:
        """Return a value that a parameter can have; no padding of a 1x1 kernel changes a map."""
        if param in self.kernels:
            return self.pick(*KERNELS, 1, 3)
        if param in self.pads:
            return self.pick("same", "V", 0)
        return self.draw(WIDTHS)

    def keeping(self) -> Step:
        """A step that keeps the channels too."""
        match self.draw(st.integers(0, 7)):
            case 0:
                return Step(self.pick(*ACTS))
            case 1:
                words = self.pick((), (("eps", 0.001),), (("momentum", 0.01), ("gamma", True)))
                return Step("batchnorm", None, words)
            case 2:
                return Step(
                    "lrn", None, self.pick((), (("size", 3),), (("alpha", 0.0002), ("k", 2)))
                )
            case 3:
                return Step("dropout", None, self.pick((), (("drop", 0.2),), (("keep", 0.8),)))
            case 4:
                return Step("identity")
            case 5:
                pad = self.pick((), (("pad", "same"),), (("pad", "same_tf"),))
                return Step(f"{self.pick('3x3', '1x3', '5x5')} maxpool", None, pad)
            case _:
                words = self.pick((), (("count_pad", True),), (("ceil", True),))
                return Step(f"{self.pick('3x3', '3x1')} avgpool", None, words)

    def condition(self) -> str:
        """Return a condition over the parameters of the block, and what enters it."""
        number = self.draw(WIDTHS)
        options = [f"in > {number}", f"not in == {number}", f"in // 2 < {number}"]
        for param in self.scope:
            options += [f"{param} != {number}", f"{param} >= in", f"{param} == in or in < 3"]
            options += [f"({param} + 1) // 2 > {number} and not ({param} < 3 and in > 4)"]
        for param in self.own:
            if param in self.kernels:
                options += [f"{param} == {self.pick('3x3', '1x7', '1')}", f"{param} != 3x3"]
            if param in self.pads:
                options += [f"{param} == {self.pick('same', 'V')}", f"{param} != same"]
        return str(self.pick(*options))

    def perhaps(self, body: Body) -> Body:
        """Return a body, perhaps under a condition.

        A condition of the network leaves out no call: nothing would tell the class of its block.
        """
        may_call = not isinstance(body, Step) or body.bindings
        if not self.chance(25) or (may_call and not self.in_block):
            return body
        return {"when": self.condition(), "steps": body}

    def call(self) -> Step | None:
        """A call of a block, its parameters bound by a table's row, by name, or in part."""
        if not self.blocks:
            return None
        block = self.pick(*self.blocks)
        params = self.blocks[block]
        if params and self.chance(30):
            return Step(block, row=f"table_{block}.{self.pick('r1', '2nd')}", bindings=True)
        bound = [p for p in params if p not in self.optional or self.chance(60)]
        words = tuple((param, self.value(param)) for param in bound)
        return Step(block, None, words, bindings=True)

    def step(self) -> Step:
        """Any step, perhaps a few times in a row."""
        self.budget[0] -= 1
        made = self.conv() if self.chance(60) else self.keeping()
        if self.chance(35):
            made = self.call() or made
        if self.chance(15):
            return Step(f"{self.pick(1, 2, 3)} x {made.head}", *_rest(made))
        return made

    # Bodies that keep height and width.

    def body(self) -> Body:
        """A step, a list of steps, or branches."""
        if self.depth >= 4 or self.budget[0] < 0:
            return self.step()
        self.depth += 1
        kind = self.draw(st.integers(0, 9))
        made: Body
        if kind < 4:
            made = self.step()
        elif kind < 7:
            made = self.steps()
        else:
            made = self.mapping()
        self.depth -= 1
        return made

    def mapping(self) -> dict[str, Any]:
        """Parallel branches, or a body with a residual."""
        made: dict[str, Any] = self.pick(self.branches, self.residual, self.sums)()
        return made

    def steps(self) -> list[Any]:
        """Return a list of steps; some read earlier ones or use them again."""
        items: list[Any] = []
        for _ in range(self.draw(st.integers(1, 4))):
            items += self.pick(self.item, self.item, self.item, self.again, self.skipping)()
        return items

    def item(self) -> list[Any]:
        """One step of a list; a body in it has a name."""
        inner = self.body()
        if isinstance(inner, Step) and self.chance(40):
            return [inner]
        return [{self.name(): self.perhaps(inner)}]

    def again(self) -> list[Any]:
        """A step that is used twice on the same number of channels."""
        width, first, second = self.width(), self.name(), self.name()
        again = {"reuse": first}
        return [self.conv(width), {first: self.perhaps(self.conv(width))}, {second: again}]

    def skipping(self) -> list[Any]:
        """Steps that read others than the one before."""
        width, first, second = self.width(), self.name(), self.name()
        others: list[dict[str, Any]] = [
            {"from": first, "steps": [self.conv()]},
            {"from": [first, second], "join": "add"},
            {"from": [second, first], "join": "mul", "steps": [self.conv()]},
        ]
        if self.depth:  # the network's own input has another size
            others += [{"from": ["input", second]}, {"from": "input", "steps": self.conv()}]
        other = self.pick(*others)
        maybe = self.perhaps(self.conv(width))
        return [{first: self.conv(width)}, {second: maybe}, {self.name(): other}]

    def branches(self) -> dict[str, Any]:
        """A concat; one branch at most passes on all that it reads."""
        names = [self.name("b") for _ in range(self.draw(st.integers(1, 3)))]
        inner: dict[str, Any] = {name: self.ending(self.width()) for name in names}
        if self.chance(40):
            inner[self.name("b")] = self.keeping()
        if self.chance(20):
            inner[self.name("b")] = {"reuse": names[0]}
        made: dict[str, Any] = {"branches": inner}
        if self.chance(20):
            made["order"] = list(self.draw(st.permutations(list(inner))))
        return made

    def ending(self, width: str | int) -> Body:
        """A body that ends in a conv of a width."""
        last = self.conv(width)
        made: Body = self.pick(last, [last], [{self.name(): self.body()}, last])
        return made

    def sums(self) -> dict[str, Any]:
        """Branches that are added, or multiplied."""
        width = self.width()
        names = [self.name("b") for _ in range(self.draw(st.integers(2, 3)))]
        inner = {name: self.ending(width) for name in names}
        return {"branches": inner, "join": self.pick("add", "mul")}

    def residual(self) -> dict[str, Any]:
        """A body that is added to what it reads, or to a shortcut of its width."""
        words: dict[str, Any] = {}
        if self.chance(40):
            words["scale"] = self.pick(0.1, 0.17, 2, 1)
        if self.chance(40):
            words["act"] = self.pick("none", *ACTS)
        if self.chance(30):
            words["when"] = self.condition()
        if self.chance(40):
            return {"residual": words, "steps": [self.keeping(), self.keeping()]}
        width = self.width()
        words["shortcut"] = self.ending(width)
        inner = self.ending(width)
        return {"residual": words, "steps": inner if isinstance(inner, list) else [inner]}

    # The network itself.

    def shrinking(self, size: tuple[int, int]) -> tuple[list[Any], tuple[int, int]]:
        """A step of the network that makes the map smaller, and how large it is then."""
        height, width = size
        if min(size) < 4:
            return [], size
        kernel, stride = self.pick((3, 2), (2, 2), (3, 1), (5, 2), (3, 3))
        if kernel > min(size):
            return [], size
        after = (height - kernel) // stride + 1, (width - kernel) // stride + 1
        words = (("stride", stride), ("pad", "V"))
        head = f"{kernel}x{kernel}"
        step = self.pick(
            Step(f"{head} conv", self.draw(WIDTHS), words), Step(f"{head} maxpool", None, words)
        )
        if self.chance(40):  # both sides of a stem
            conv = Step(f"{head} conv", self.draw(WIDTHS), words)
            pool = Step(f"{head} avgpool", None, words)
            return [
                {self.name(): {"branches": {self.name("b"): conv, self.name("b"): pool}}}
            ], after
        return [{self.name(): step}], after


def _rest(step: Step) -> tuple[Any, ...]:
    return step.width, step.words, step.bindings, step.row


@st.composite
def specs(draw: st.DrawFn, *, awkward: bool = False) -> Spec:
    """Draw a good spec: tables, blocks with parameters that call each other, a network, its heads.

    Args:
        awkward: names are made of the words of emitted code.
    """
    writer = _Writer(draw, {}, awkward=awkward)
    document: dict[str, Any] = {"inception": 1, "name": "net"}
    size = draw(st.integers(5, 33)), draw(st.integers(5, 33))
    document["input"] = f"{size[0]}x{size[1]}x{draw(st.integers(1, 8))}"
    if writer.chance(50):
        document["params"] = {"num_classes": draw(WIDTHS), "wide": draw(WIDTHS)}
    conv: dict[str, Any] = {}
    if writer.chance(60):
        conv["norm"] = "batchnorm"
    if writer.chance(60):
        conv["act"] = writer.pick("relu", "silu", "relu6")
    document["defaults"] = {"conv": conv, "batchnorm": {"eps": writer.pick(0.001, 1e-05)}}
    _write_blocks(writer, document)
    writer.scope = ("num_classes", "wide") if "params" in document else ()
    _write_network(writer, document, size)
    return Spec(document)


def _write_blocks(writer: _Writer, document: dict[str, Any]) -> None:
    tables: dict[str, Any] = {}
    blocks: dict[str, Any] = {}
    for _ in range(writer.draw(st.integers(0, 3))):
        name = writer.name("block")
        params = tuple(writer.name("p") for _ in range(writer.draw(st.integers(0, 3))))
        kernels = tuple(writer.name("p") for _ in range(writer.draw(st.integers(0, 1))))
        pads = tuple(writer.name("p") for _ in range(writer.draw(st.integers(0, 1))))
        writer.kernels |= set(kernels)
        writer.pads |= set(pads)
        writer.scope = params
        params = writer.own = params + kernels + pads
        writer.depth = 1
        body = writer.body()
        mapping: dict[str, Any] = body if isinstance(body, dict) else {"steps": body}
        if params:
            defaults = {param: writer.pick(None, writer.value(param)) for param in params}
            mapping["params"] = writer.pick(list(params), defaults)
            if isinstance(mapping["params"], dict):
                writer.optional |= {param for param in params if defaults[param] is not None}
            rows = {row: [writer.value(param) for param in params] for row in ("r1", "2nd")}
            tables[f"table_{name}"] = {"columns": list(params), **rows}
        if writer.chance(30):
            mapping["title"] = "A block: \"quoted\" \\ 'text' # of its own"
        blocks[name] = mapping if params or "title" in mapping or writer.chance(50) else body
        writer.blocks[name] = params
    if tables:
        document["tables"] = tables
    if blocks:
        document["blocks"] = blocks


def _write_network(writer: _Writer, document: dict[str, Any], size: tuple[int, int]) -> None:
    items: list[Any] = []
    writer.depth = 0
    writer.own = ()
    writer.in_block = False
    for _ in range(writer.draw(st.integers(1, 3))):
        items += writer.steps()
        made, size = writer.shrinking(size)
        items += made
    trunk = writer.name("trunk")
    items.append({trunk: writer.conv()})
    scope = writer.scope
    if writer.chance(60):
        pool: Any = writer.pick(
            [Step("global avgpool")],
            [Step(f"{min(2, size[0])}x{min(2, size[1])} adaptive avgpool"), Step("flatten")],
        )
        items += [*pool, Step("linear", scope[0] if scope else writer.draw(WIDTHS))]
        if writer.chance(40):
            items.append(Step("softmax"))
    document["network"] = items
    if writer.chance(30):
        last = Step("linear", "in + 1", (("act", "relu"),))
        inner = [writer.conv(), Step("global maxpool"), last, Step("linear", writer.width())]
        head = {"at": trunk, "loss_weight": 0.3, "steps": inner}
        document["heads"] = {writer.name("head"): head}


@st.composite
def wired_specs(draw: st.DrawFn) -> Spec:
    """Draw a good spec whose network gives several outputs, some of calls with several inputs."""
    document = dict(draw(specs()).document)
    items = list(document["network"])
    named = [next(iter(item)) for item in items if isinstance(item, dict) and len(item) == 1]
    trunk = named[-1]
    width = draw(WIDTHS)
    joint: dict[str, Any] = {
        "inputs": ["one", "two"],
        "outputs": ["sum", "both"],
        "steps": [
            {"sum": {"from": ["one", "two"], "join": draw(st.sampled_from(["add", "mul"]))}},
            {
                "both": {
                    "from": draw(st.permutations(["sum", "one", "two"])),
                    "steps": [{"wide": f"1x1 conv ({width})"}, {"deep": f"3x3 conv ({width})"}],
                }
            },
        ],
    }
    if draw(st.booleans()):  # the output is a step within a list of another name
        joint["steps"][1]["deeper"] = joint["steps"][1].pop("both")
        joint["outputs"] = {"both": "deeper.deep", "sum": "sum"}
    document["blocks"] = {**document.get("blocks", {}), "joint": joint}
    reads = [{"one": "lead", "two": "first.sum"}, ["first.sum", "lead"]]
    items += [
        {"lead": {"from": trunk, "steps": [{"conv": f"1x1 conv ({width})"}]}},
        {"first": {"from": ["lead", "lead"], "steps": "joint"}},
        {"second": {"from": draw(st.sampled_from(reads)), "steps": "joint"}},
    ]
    # A call does the work of all of its outputs, so all are given: each parameter has a gradient.
    calls = [f"{call}.{output}" for call in ("first", "second") for output in ("sum", "both")]
    chosen = draw(st.permutations([*calls, "lead"]))
    document["network"], document["outputs"] = (
        items,
        {path.replace(".", "_"): path for path in chosen},
    )
    return Spec(document)
