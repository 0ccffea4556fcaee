"""Random specs that are good by construction.

A network reads a map; every body in it keeps the height and width of what it reads, save for the
steps that `Writer.resizing` writes into the network itself. So branches always agree, whatever
their channels, and any block can be called anywhere, with any arguments. Bodies that are added
together end in convs of one width. `in` stands in widths only where it cannot grow exponentially.
`random_bodies` holds the bodies that need more than one step to come back to a size or a width.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

import random_bodies
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from random_bodies import LISTS, Wired, step, vectors, write_wired
from random_steps import ACTS, KERNELS, WIDTHS, Body, Spec, Step

QUICK = settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.generate],  # to shrink what fails would take minutes
)
"""Random cases that are the same in every run."""

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
class Writer:
    """Draws bodies; names are counted over the whole spec, so that no two are the same.

    Attributes:
        scope: the parameters that a width may read.
        blocks: the parameters of each block that may be called, and whether a table has them.
        optional: the parameters of blocks that have a default, which a call may leave out.
        kernels: the parameters that stand for a kernel, `pads` those for a padding, and `acts`
            those for an activation; all blocks share them, and a step reads them if they are its
            block's.
        wired: the blocks of several inputs or outputs.
        has_in: whether `in` stands for the channels of the block's only input.
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
    acts: set[str] = field(default_factory=set)
    wired: dict[str, Wired] = field(default_factory=dict)
    has_in: bool = True
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
        options: list[str | int] = [number, number, f"{number} * 2 + 1"]
        options += [f"in // {number} + 1"] * self.has_in
        for param in self.scope:
            options += [param, param, f"{number} * {param}", f"({param} + {number}) // 2 + 1"]
            options += [f"{param} * {param} - {param} + 1", f"max({param}, {number})"]
            if self.has_in:
                options += [f"{param} + in // {number + 1}", f"min({param}, in, {number})"]
            options += [f"ceil({param} / {number})", f"round({param} * 1.5)"]
            options += [f"make_divisible({param} * 0.35, {number})", f"floor({param} / 3) + 1"]
        return self.draw(st.sampled_from(options))

    def unit(self) -> str | int:
        """A width without brackets, which other widths are multiples of."""
        options = [self.draw(st.integers(1, 4)), *self.scope, *["in"] * self.has_in]
        unit: str | int = self.pick(*options)
        return unit

    # Steps that keep height and width.

    def conv(self, width: str | int | None = None, *, plain: bool = False, **fixed: Any) -> Step:
        """A conv or a separable one, of any padding that keeps the size; 1x1 if it is plain."""
        width = self.width() if width is None else width
        words: dict[str, Any] = {}
        if self.chance(20):
            words["pad"] = self.pick("same", "same_tf")
        if self.chance(10) and words.get("pad") != "same_tf":
            words["dilation"] = self.pick(1, 2)
        if self.chance(25):
            words["act"] = self.pick("none", "prelu", *ACTS, *self.own_of(self.acts) * 3)
        if self.chance(20):
            words["norm"] = self.pick("none", "batchnorm", "layernorm", "groupnorm", "instancenorm")
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
        if plain:
            kernel = "1x1"
        elif self.chance(40) and (kernels := self.own_of(self.kernels)):
            kernel = self.pick(*kernels)
        elif self.chance(40) and (pads := self.own_of(self.pads)):
            kernel, words["pad"] = "1x1", self.pick(*pads)
        elif words.get("pad") == "same_tf":
            kernel = self.pick(kernel, "2x2", "4x3")
        elif self.chance(10):
            words.pop("dilation", None)
            kernel, words["pad"] = self.pick(("3x5", "1x2"), ("1x3", "0x1"), ("5x5", 2))
        ordered = self.draw(st.permutations(sorted(words.items())))
        return Step(f"{kernel} {op}", width, tuple(ordered))

    def value(self, param: str) -> Any:
        """Return a value that a parameter can have; no padding of a 1x1 kernel changes a map."""
        if param in self.kernels:
            return self.pick(*KERNELS, 1, 3)
        if param in self.pads:
            return self.pick("same", "V", 0, "0x0")
        if param in self.acts:
            return self.pick("none", *ACTS)
        return self.draw(WIDTHS)

    def own_of(self, kind: set[str]) -> list[str]:
        """Return the parameters of the block that are of a kind."""
        return [name for name in self.own if name in kind]

    def keeping(self) -> Step:
        """A step that keeps the channels too."""
        match self.draw(st.integers(0, 10)):
            case 0:
                return Step(self.pick(*ACTS))
            case 8 | 9 | 10:
                return random_bodies.keeping(self)
            case 1:
                words = self.pick(
                    (), (("eps", 0.001),), (("momentum", 0.01), ("gamma", True)), (("beta", False),)
                )
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
        options: list[str] = []
        if self.has_in:
            options += [f"in > {number}", f"not in == {number}", f"in // 2 < {number}"]
        for param in self.scope:
            options += [f"{param} != {number}", f"{param} <= {number}"]
            if self.has_in:
                options += [f"{param} >= in", f"{param} == in or in < 3"]
                options += [f"({param} + 1) // 2 > {number} and not ({param} < 3 and in > 4)"]
        for param in self.own:
            if param in self.acts:
                options += [f"{param} == none", f"{param} != relu"]
            if param in self.kernels:
                options += [f"{param} == {self.pick('3x3', '1x7', '1')}", f"{param} != 3x3"]
            if param in self.pads:
                options += [f"{param} == {self.pick('same', 'V')}", f"{param} != same"]
        return str(self.pick(*options or ["1 == 1"]))

    def when(self, body: Body) -> Body:
        """Return a body under a condition, if one can leave it out."""
        if (not self.in_block and holds_call(body)) or holds_call(body, self.giving_several()):
            return body
        return {"when": self.condition(), "steps": body}

    def giving_several(self) -> set[str]:
        """Return the blocks of several outputs, whose calls no condition leaves out."""
        return {name for name, block in self.wired.items() if block.outputs}

    def perhaps(self, body: Body) -> Body:
        """Return a body, perhaps under a condition.

        A condition of the network leaves out no call: nothing would tell the class of its block.
        """
        may_call = not isinstance(body, Step) or body.bindings
        if not self.chance(25) or (may_call and not self.in_block):
            return body
        if holds_call(body, self.giving_several()):
            return body
        return {"when": self.condition(), "steps": body}

    def call(self) -> Step | None:
        """A call of a block, its parameters bound by a table's row, by name, or in part."""
        if not self.blocks:
            return None
        plain = [block for block in self.blocks if block not in self.wired]
        return self.call_of(self.pick(*plain)) if plain else None

    def call_of(self, block: str) -> Step:
        """A call of a certain block."""
        params = self.blocks[block]
        if params and self.chance(30):
            return Step(block, row=f"table_{block}.{self.pick('r1', '2nd')}", bindings=True)
        bound = [p for p in params if p not in self.optional or self.chance(60)]
        words = tuple((param, self.binding(param)) for param in bound)
        return Step(block, None, words, bindings=True)

    def binding(self, param: str) -> Any:
        """Return a value of a parameter in a call: perhaps an expression over the caller's own."""
        for kind in (self.kernels, self.pads, self.acts):
            if param in kind:
                return self.pick(self.value(param), *self.own_of(kind))
        simple = [self.value(param), *self.scope, *[f"{own}+1" for own in self.scope]]
        return self.pick(*simple, *[f"min(in,{self.draw(WIDTHS)})"] * self.has_in)

    def step(self) -> Step:
        """Any step, perhaps a few times in a row."""
        self.budget[0] -= 1
        made = self.conv() if self.chance(60) else self.keeping()
        if self.chance(35):
            made = self.call() or made
        if self.chance(15) and made.head != "slice":
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
            items += self.pick(*[self.item] * 4, self.again, self.skipping, *[self.wider] * 3)()
        return items

    def wider(self) -> list[Any]:
        """Return steps that come back to the size of what they read."""
        if self.depth >= 4 or self.budget[0] < 0:
            return self.item()
        self.depth += 1
        self.budget[0] -= 3
        items: list[Any] = self.pick(*LISTS)(self)
        self.depth -= 1
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
            words["act"] = self.pick("none", *ACTS, *self.own_of(self.acts) * 3)
        if self.chance(30):
            words["when"] = self.condition()
        if self.chance(20):
            words["drop_path"] = self.pick(0, 0.1)
        if self.chance(40):
            return {"residual": words, "steps": [self.keeping(), self.keeping()]}
        width = self.width()
        words["shortcut"] = self.ending(width)
        if holds_call(words["shortcut"], self.giving_several()):
            words.pop("when", None)
        inner = self.ending(width)
        return {"residual": words, "steps": inner if isinstance(inner, list) else [inner]}

    # The network itself.

    def resizing(self, size: tuple[int, int]) -> tuple[list[Any], tuple[int, int]]:
        """A step of the network that makes the map smaller or larger, and how large it is then."""
        if max(size) < 20 and self.chance(30):
            return self.growing(size)
        height, width = size
        if min(size) < 4:
            return [], size
        kernel, stride = self.pick((3, 2), (2, 2), (3, 1), (5, 2), (3, 3))
        after = (height - kernel) // stride + 1, (width - kernel) // stride + 1
        if min(after) < 2:  # a norm of an image needs more than one place, a mirror two lines
            return [], size
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

    def growing(self, size: tuple[int, int]) -> tuple[list[Any], tuple[int, int]]:
        """A step of the network that makes the map larger, or cuts lines off."""
        height, width = size
        double = 2 * height, 2 * width
        match self.draw(st.integers(0, 5)):
            case 0:
                words = {"factor": 2, **dict(self.pick(*random_bodies.MODES))}
                return [step("upsample", **words)], double
            case 1:
                after = height + self.pick(0, 1, 3), width + self.pick(0, 2)
                words = {"size": f"{after[0]}x{after[1]}", **dict(self.pick(*random_bodies.MODES))}
                return [step("upsample", **words)], after
            case 2:
                conv = step("1x1 conv", random_bodies.times(4, self.unit()))
                return [conv, step("pixelshuffle", factor=2)], double
            case 3:
                return [step("2x2 deconv", self.width(), stride=2)], double
            case 4:
                mode = self.pick({}, {"mode": "reflect"}, {"mode": "replicate"})
                return [step("pad", top=1, right=1, **mode)], (height + 1, width + 1)
            case _:
                after = max(height - 1, 2), max(width - 2, 2)
                return [step("crop", size=f"{after[0]}x{after[1]}")], after


def holds_call(body: Body, blocks: Collection[str] | None = None) -> bool:
    """Tell whether a body calls a block, or one of some blocks."""
    match body:
        case Step():
            return body.bindings and (blocks is None or body.head.split()[-1] in blocks)
        case dict():
            return any(holds_call(inner, blocks) for inner in body.values())
        case list():
            return any(holds_call(inner, blocks) for inner in body)
        case _:
            return False


def _rest(step: Step) -> tuple[Any, ...]:
    return step.width, step.words, step.bindings, step.row


@st.composite
def specs(draw: st.DrawFn, *, awkward: bool = False) -> Spec:
    """Draw a good spec: tables, blocks with parameters that call each other, a network, its heads.

    Args:
        awkward: names are made of the words of emitted code.
    """
    writer = Writer(draw, {}, awkward=awkward)
    document: dict[str, Any] = {"inception": 1, "name": "net"}
    size = draw(st.integers(5, 33)), draw(st.integers(5, 33))
    document["input"] = f"{size[0]}x{size[1]}x{draw(st.integers(1, 8))}"
    ends = tuple(writer.name("i") for _ in range(2)) if writer.chance(25) else ()
    if ends:
        channels = draw(st.integers(1, 8))
        sides = channels, channels if writer.chance(50) else draw(st.integers(1, 8))
        pairs = zip(ends, sides, strict=True)
        document["input"] = {end: f"{size[0]}x{size[1]}x{own}" for end, own in pairs}
    if writer.chance(50):
        document["params"] = {"num_classes": draw(WIDTHS), "wide": draw(WIDTHS)}
    conv: dict[str, Any] = {}
    if writer.chance(60):
        conv["norm"] = "batchnorm"
    if writer.chance(60):
        conv["act"] = writer.pick("relu", "silu", "relu6")
    document["defaults"] = {"conv": conv, "batchnorm": {"eps": writer.pick(0.001, 1e-05)}}
    document["defaults"]["groupnorm"] = {"groups": 1}
    _write_blocks(writer, document)
    writer.scope = ("num_classes", "wide") if "params" in document else ()
    _write_network(writer, document, size, ends)
    return Spec(document)


def _write_blocks(writer: Writer, document: dict[str, Any]) -> None:
    tables: dict[str, Any] = {}
    blocks: dict[str, Any] = {}
    for _ in range(writer.draw(st.integers(0, 4))):
        name = writer.name("block")
        params = tuple(writer.name("p") for _ in range(writer.draw(st.integers(0, 3))))
        kernels = tuple(writer.name("p") for _ in range(writer.draw(st.integers(0, 1))))
        pads = tuple(writer.name("p") for _ in range(writer.draw(st.integers(0, 1))))
        acts = tuple(writer.name("p") for _ in range(writer.draw(st.integers(0, 1))))
        writer.kernels |= set(kernels)
        writer.pads |= set(pads)
        writer.acts |= set(acts)
        writer.scope = params
        params = writer.own = params + kernels + pads + acts
        writer.depth = 1
        if writer.chance(30):
            mapping, writer.wired[name] = write_wired(writer)
            body: Body = mapping
        else:
            body = writer.body()
            mapping = body if isinstance(body, dict) else {"steps": body}
        if params:
            defaults = {param: writer.pick(None, writer.value(param)) for param in params}
            mapping["params"] = writer.pick(list(params), defaults)
            if isinstance(mapping["params"], dict):
                writer.optional |= {param for param in params if defaults[param] is not None}
            rows = {row: [writer.value(param) for param in params] for row in ("r1", "2nd")}
            tables[f"table_{name}"] = {"columns": list(params), **rows}
        if writer.chance(20) and "defaults" not in mapping:
            mapping["defaults"] = {"conv": {"act": writer.pick("relu", "elu"), "norm": "none"}}
        if writer.chance(30):
            mapping["title"] = "A block: \"quoted\" \\ 'text' # of its own"
        blocks[name] = (
            mapping
            if params or {"title", "defaults"} & mapping.keys() or writer.chance(50)
            else body
        )
        writer.blocks[name] = params
    if tables:
        document["tables"] = tables
    if blocks:
        document["blocks"] = blocks


def _write_network(
    writer: Writer, document: dict[str, Any], size: tuple[int, int], ends: Sequence[str]
) -> None:
    items: list[Any] = []
    writer.depth = 0
    writer.own = ()
    writer.in_block = False
    if ends:
        writer.has_in = False
        items += _read_inputs(writer, document, ends)
    for _ in range(writer.draw(st.integers(1, 3))):
        items += writer.steps()
        made, size = writer.resizing(size)
        items += made
    trunk = writer.name("trunk")
    items.append({trunk: writer.conv()})
    scope = writer.scope
    if writer.chance(60):
        pool: Any = writer.pick(
            [Step("global avgpool")],
            [Step(f"{min(2, size[0])}x{min(2, size[1])} adaptive avgpool"), Step("flatten")],
        )
        if writer.chance(20) and size[0] * size[1] < 100:
            pool = [Step("flatten")]
        items += [*pool, *vectors(writer, writer.pick(0, 0, 1, 2))]
        items += [Step("linear", scope[0] if scope else writer.draw(WIDTHS))]
        if writer.chance(40):
            items.append(Step("softmax"))
    document["network"] = items
    if writer.chance(30):
        writer.has_in = True
        last = Step("linear", "in + 1", (("act", "relu"),))
        more = vectors(writer, writer.pick(0, 1))
        inner = [writer.conv(), Step("global maxpool"), last, *more]
        inner.append(Step("linear", writer.width()))
        head = {"at": trunk, "loss_weight": 0.3, "steps": inner}
        document["heads"] = {writer.name("head"): head}


def _read_inputs(
    writer: Writer, document: dict[str, Any], ends: Sequence[str]
) -> list[dict[str, Any]]:
    """Draw steps that read the inputs of a network, and a join of them."""
    names = [writer.name() for _ in ends]
    writer.depth = 1
    first = {"from": ends[0], "steps": writer.conv()}
    second = {"from": ends[1], "steps": writer.ending(writer.width())}
    if len(set(document["input"].values())) == 1 and writer.chance(60):
        second = {"from": ends[1], "reuse": names[0]}
    writer.depth = 0
    bodies = zip(names, (first, second), strict=True)
    joined = {writer.name(): {"from": names, "join": "concat"}}
    return [*({name: body} for name, body in bodies), joined]


@st.composite
def wired_specs(draw: st.DrawFn) -> Spec:
    """Draw a good spec whose network gives several outputs, some of calls with several inputs."""
    document = dict(draw(specs()).document)
    items = list(document["network"])
    named = [next(iter(item)) for item in items if isinstance(item, dict) and len(item) == 1]
    trunk = next(name for name in named if name.startswith("trunk"))
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
