"""Inputs that no author would write: noise, shipped specs torn apart, and specs built to harm.

Every input follows from its number alone, so that a failure is found again by its number.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

SPECS = Path(__file__).parents[2] / "specs"
MAIN = "specs/main.yaml"


@dataclass(frozen=True)
class Hostile:
    """The files of a project whose main spec is to be checked.

    `seconds` is how long that may take; `links` are symbolic links and where they point.
    """

    kind: str
    files: dict[str, bytes]
    links: dict[str, str] = field(default_factory=dict)
    seconds: float = 1.0


HEAD = "inception: 1\nname: main\ninput: 32x32x3\n"


def one(kind: str, text: str | bytes, seconds: float = 1.0) -> Hostile:
    """An input of one file; lone surrogates, which no file can hold, become what UTF-8 refuses."""
    data = text if isinstance(text, bytes) else text.encode("utf-8", errors="surrogatepass")
    return Hostile(kind, {MAIN: data}, seconds=seconds)


@cache
def shipped() -> tuple[str, ...]:
    """The text of every shipped spec."""
    return tuple(path.read_text() for path in sorted(SPECS.rglob("*.yaml")))


WORDS = """
    inception: name: input: network: blocks: tables: columns: params: defaults: heads: budget:
    claims: training: use:
    extends: branches: steps: residual: scale: act: shortcut: from: reuse: join: order:
    out: at: op: after: title: source: conv sepconv maxpool avgpool linear dropout batchnorm lrn
    flatten identity softmax relu global adaptive V same same_tf ceil bias no_bias norm stride pad
    groups dilation width none add mul concat x -> = ( ) [ ] { } , - : + * // ' " # | > & ! @ ` % ?
    1 0 2 64 -1 1.5 1e999 1e-3 0x10 010 1x1 3x3 0x0 7x1 32x32x3 in k classes table1.a true null ~ <<
    *a &a !!python/object/apply:os.system <=43M ~3K
""".split()  # noqa: SIM905
STRANGE = (
    "\x00\x07\x1b[31m\u202e\u2028\u2029\ufeff\u0085\u00d7\u2192\u0660\U0001f600\ud800\t\r\n '\"<b>"
)


def _random_bytes(rng: random.Random) -> Hostile:
    return one("random bytes", rng.randbytes(rng.randrange(400)))


def _random_text(rng: random.Random) -> Hostile:
    ranges = ((0x20, 0x7F), (0, 0x20), (0x80, 0x3000), (0x3000, 0xD7FF), (0xD800, 0x10FFFF))
    chars = (chr(rng.randrange(*rng.choice(ranges))) for _ in range(rng.randrange(300)))
    return one("random text", "".join(chars))


def _random_words(rng: random.Random) -> Hostile:
    """The language's own words in no order, in lines of random depth."""
    lines = []
    for _ in range(rng.randrange(1, 25)):
        words = " ".join(rng.choices(WORDS, k=rng.randrange(1, 7)))
        lines.append(" " * rng.choice((0, 0, 2, 2, 4, 6)) + rng.choice(("", "- ")) + words)
    head = HEAD if rng.random() < 0.7 else ""
    return one("random words", head + "\n".join(lines))


def _random_step(rng: random.Random) -> Hostile:
    """A network of one step, whose text is words of the language in no order."""
    words = " ".join(rng.choices(WORDS, k=rng.randrange(1, 9)))
    quoted = words.replace("'", "''")
    call = rng.choice((f"3x3 conv ({quoted})", quoted, f"linear ({quoted})", f"b ({quoted})"))
    blocks = "blocks: {b: {params: {k: 1, l: relu}, steps: [1x1 conv (k act l)]}}\n"
    return one("random step", f"{HEAD}{blocks}network: ['{call}', relu]\n")


SETTINGS = """
    batch replicas epochs optimizer learning_rate label_smoothing clip weight_decay average augment
    normalise
""".split()  # noqa: SIM905
SETTING_WORDS = """
    sgd rmsprop adam adamw momentum decay eps beta1 nesterov inside_root outside_root centered x
    every at epochs steps cosine polynomial warmup from to power continuous norm value weights
    biases norms all ema polyak rising inception crop shift area aspect resize pad no_mirror hue
    mean std unknown none synchronous ( ) / - 0 1 2 32 0.9 1e-8 1e-400 9e99 3/4 0.045
""".split()  # noqa: SIM905


def _random_setting(rng: random.Random) -> Hostile:
    """A recipe whose settings are words of recipes in no order."""
    lines = []
    for key in rng.sample(SETTINGS, k=rng.randrange(1, len(SETTINGS))):
        text = " ".join(rng.choices(SETTING_WORDS, k=rng.randrange(1, 9)))
        lines.append(rng.choice((f"  {key}: {text}\n", f"  {key}: {{is: '{text}', source: s}}\n")))
    return one("random setting", f"{HEAD}network: relu\ntraining:\n{''.join(lines)}")


def _torn_bytes(rng: random.Random) -> Hostile:
    data = bytearray(rng.choice(shipped()).encode())
    for _ in range(rng.randrange(1, 6)):
        place = rng.randrange(len(data))
        match rng.randrange(4):
            case 0:
                data[place] = rng.randrange(256)
            case 1:
                del data[place : place + rng.randrange(1, 20)]
            case 2:
                data[place:place] = rng.randbytes(rng.randrange(1, 5))
            case _:
                piece = data[place : place + rng.randrange(1, 200)]
                data[place:place] = piece * rng.randrange(1, 4)
        if not data:
            break
    return one("torn bytes", bytes(data))


def _torn_words(rng: random.Random) -> Hostile:
    words = rng.choice(shipped()).split(" ")
    for _ in range(rng.randrange(1, 5)):
        place = rng.randrange(len(words))
        match rng.randrange(4):
            case 0:
                words[place] = rng.choice(WORDS)
            case 1:
                del words[place]
            case 2:
                words.insert(place, rng.choice((*WORDS, rng.choice(STRANGE), "9" * 5000)))
            case _:
                other = rng.randrange(len(words))
                words[place], words[other] = words[other], words[place]
    return one("torn words", " ".join(words))


def _long_numbers(rng: random.Random) -> Hostile:
    number = rng.choice(("9", "1", "0", "7")) * rng.choice((17, 18, 19, 40, 41, 400, 4301, 5000))
    text = rng.choice(
        (
            f"{HEAD}network: 1x1 conv ({number})",
            f"{HEAD}network: {number} x relu",
            f"{HEAD}network: {number}x{number} conv (3)",
            f"{HEAD}network: relu -> {number}",
            f"{HEAD}network: 1x1 conv (3 stride {number})",
            f"{HEAD}network: 1x1 conv (3 pad {number}x{number})",
            f"{HEAD}network: dropout (drop 0.{number})",
            f"{HEAD}network: batchnorm (eps {number}e{number})",
            f"{HEAD}network: batchnorm (eps 1e999 momentum 1e-999)",
            f"{HEAD}network: relu\nbudget: {{params: <= {number}}}",
            f"{HEAD}network: relu\nbudget: {{params: {number}}}",
            f"{HEAD}network: relu\nbudget: {{macs: <= {number}.{number}G}}",
            f"{HEAD}network: relu\nclaims: [{{at: relu, macs: ~ {number}K}}]",
            f"{HEAD}network: relu\nparams: {{k: {number}}}",
            f"{HEAD}network: relu\ndefaults: {{batchnorm: {{eps: {number}}}}}",
            f"{HEAD}network: 1x1 conv (a)\nparams: {{a: 1e{number[:3]}}}",
            f"inception: 1\ninput: {number}x{number}x{number}\nnetwork: relu",
            f"inception: {number}\ninput: 1x1x1\nnetwork: relu",
            f"{HEAD}network: 1x1 conv ({' * '.join([number[:12]] * 40)})",
        )
    )
    return one("long numbers", text)


def _products(rng: random.Random) -> Hostile:
    """Repeats and products that would fill the memory if they were carried out."""
    count = rng.choice((99, 1000, 250_001, 10**6, 10**12, 10**17))
    deep = rng.randrange(2, 70)
    tower = "".join(f"  b{i}: [{count} x b{i + 1}, b{i + 1}]\n" for i in range(deep))
    wide = f"{HEAD}blocks:\n{tower}  b{deep}: relu\nnetwork: b0\n"
    grow = "2 x" if rng.random() < 0.5 else f"{rng.randrange(2, 60)} x"
    doubling = "blocks: {d: {branches: {l: identity, r: identity}}}\n"
    squares = " * ".join(["in"] * rng.randrange(2, 99))
    brackets = rng.randrange(1, 15)
    polynomial = "(" * brackets + "a + b" + ") * (a + b)" * brackets
    text = rng.choice(
        (
            wide,
            f"{HEAD}network: [{count} x relu]\n",
            f"{HEAD}{doubling}network: {grow} d\n",
            f"{HEAD}network: 1x1 conv ({squares})\n",
            f"{HEAD}params: {{n: {count}}}\nnetwork: [n x 1x1 conv (in * n), n x relu]\n",
            f"{HEAD}blocks: {{p: {{params: {{a: 2, b: 3}}, steps: [1x1 conv ({polynomial})]}}}}\n"
            "network: [p, p (a=4)]\n",
            f"{HEAD}network: {count}x{count} conv (3)\n",
            f"{HEAD}network: {count % 10**6}x1 maxpool (pad {count % 10**7})\n",
            f"{HEAD}network: 3x3 conv (3 pad {count})\n",
            f"{HEAD}network: 3x3 conv (3 dilation {count})\n",
            f"{HEAD}network: {count % 10**6}x{count % 10**5} adaptive avgpool\n",
            f"inception: 1\ninput: 999999x999x{rng.randrange(1, 9)}\nnetwork: 99x99 conv (99)\n",
            f"{HEAD}network: [1x1 conv ({count}), flatten, linear ({count})]\n",
            f"{HEAD}network: 1x1 conv (3 - {count} // (in - 3))\n",
        )
    )
    return one("products", text)


def _nested(rng: random.Random) -> Hostile:
    deep = rng.choice((15, 17, 60, 64, 65, 70, 100, 1000, 20_000))
    opening, closing = rng.choice((("[", "]"), ("{a: ", "}"), ("[{a: [", "]}]"), ("? ", "")))
    text = rng.choice(
        (
            f"{HEAD}network: {opening * deep}relu{closing * deep}\n",
            f"{HEAD}network: {opening * deep}",
            f"{opening * deep}",
            f"{HEAD}network: 1x1 conv ({'(' * deep}1{')' * deep})\n",
            f"{HEAD}network: 1x1 conv ({'(' * deep}\n",
            f"{HEAD}network: 1x1 conv ({'1 + ' * min(deep, 240)}1)\n",
            f"{HEAD}network:\n" + "".join(f"{'  ' * i}- a{i}:\n" for i in range(min(deep, 300))),
            f"{HEAD}network: {'{branches: {a: ' * min(deep, 40)}relu{'}}' * min(deep, 40)}\n",
            f"{HEAD}network: {'{residual: {shortcut: ' * deep}relu{'}}' * deep}\n",
            f"{HEAD}network: {'- ' * deep}relu\n",
            f"{HEAD}network: {'>' * deep}\n",
        )
    )
    return one("nested", text)


def _aliases(rng: random.Random) -> Hostile:
    deep = rng.randrange(2, 40)
    bomb = "a0: &a0 [x, x]\n" + "".join(
        f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]\n" for i in range(1, deep)
    )
    text = rng.choice(
        (
            bomb,
            f"{HEAD}{bomb}",
            "&a [*a]",
            "a: &a {b: *a}",
            f"{HEAD}network: &n [relu, *n]",
            f"{HEAD}<<: {{network: relu}}",
            f"{HEAD}network: {{<<: *base}}",
            f"{HEAD}network: !!python/object/apply:os.abort []",
            f"{HEAD}network: !!binary cmVsdQ==",
            f"{HEAD}? [a, b]\n: c\n",
            f"%YAML 1.1\n%TAG ! tag:x,2000:\n---\n{HEAD}network: !y relu\n",
            f"{HEAD}network: relu\n---\n{HEAD}network: relu\n",
        )
    )
    return one("aliases", text)


def _circles(rng: random.Random) -> Hostile:
    """Files that use each other, and more files than anyone needs."""
    size = rng.choice((1, 2, 3, 30, 99, 100, 120))
    key = rng.choice(("use", "extends"))
    files: dict[str, bytes] = {}
    for index in range(size):
        following = (index + 1) % size if rng.random() < 0.8 else index + 1
        name = rng.choice((f"f{following}.yaml", f"f{following}", f"./f{following}.yaml"))
        reference = f"[{name}]" if key == "use" else name
        library = "inception: 1\n" if index and key == "use" else HEAD
        files[f"specs/f{index}.yaml"] = f"{library}{key}: {reference}\n".encode()
    files[MAIN] = f"{HEAD}{key}: {'[f0]' if key == 'use' else 'f0'}\nnetwork: relu\n".encode()
    if rng.random() < 0.3:
        length = rng.choice((1, 2, 5, 63, 66, 200, 900))
        ring = "".join(f"  b{i}: {{extends: b{(i + 1) % length}}}\n" for i in range(length))
        chain = "".join(f"  b{i}: [b{i + 1}]\n" for i in range(length)) + f"  b{length}: relu\n"
        blocks = rng.choice((ring, chain, chain.replace(": relu", ": b0")))
        files[MAIN] = f"{HEAD}blocks:\n{blocks}network: b0\n".encode()
    return Hostile("circles", files)


def _outside(rng: random.Random) -> Hostile:
    target = rng.choice(
        (
            "/etc/passwd",
            "/dev/zero",
            "/dev/stdin",
            "../..",
            "main.yaml",
            "loop.yaml",
            "/proc/self/mem",
        )
    )
    name = rng.choice(
        ("loop.yaml", "loop", "../../../../etc/passwd", "/etc/passwd", "/dev/zero.yaml", "~/x.yaml")
        + (
            "..",
            ".",
            "",
            "a/../../b.yaml",
            "https://example.com/x.yaml",
            "con",
            "\\0.yaml",
            "loop/x",
        )
        + ("x" * 300, "x" * 300 + ".yaml", "/".join(["a"] * 3000) + ".yaml", '"a\\0b.yaml"')
    )
    key = rng.choice((f"use: [{name}]", f"extends: {name}"))
    text = f"{HEAD}{key}\nnetwork: relu\n"
    return Hostile("outside", {MAIN: text.encode()}, {"specs/loop.yaml": target})


def _names(rng: random.Random) -> Hostile:
    """Names, titles and texts that would be something else in Python, Markdown or a terminal."""
    name = rng.choice(
        (
            "a'b",
            'a"b',
            "a\\",
            "a\nb",
            "\x1b[2J",
            "\u202eabc",
            "<script>",
            "`x`",
            "{{ x }}",
            "{% x %}",
        )
        + (
            '"""',
            "'''",
            "\\N{DIGIT ONE}",
            "__class__",
            "import",
            "forward",
            "é",
            "\uff41",
            "a" * 100_000,
        )
        + (
            "%s%n",
            "${HOME}",
            "[a](b)",
            "# h",
            "| a |",
            "\x7f",
            "\x85",
            "\u2028",
            "a.b",
            "0",
            "-1",
            "",
        )
        + (
            "#",
            "* x",
            "&x",
            "self",
            "lambda",
            "None",
            "True",
            "x" * 61,
            "True\r\nimport os",
            "\\x41",
        )
    )
    quoted = (
        '"'
        + "".join(
            char if char.isascii() and char.isprintable() and char not in '"\\' else _escaped(char)
            for char in name
        )
        + '"'
    )
    text = rng.choice(
        (
            f"{HEAD}title: {quoted}\nsource: {quoted}\nnetwork: [relu]\n",
            f"{HEAD}network: [{{{quoted}: relu}}]\n",
            f"{HEAD}network: [{quoted}]\n",
            f"{HEAD}blocks: {{{quoted}: relu}}\nnetwork: [relu]\n",
            f"{HEAD}blocks: {{b: {{title: {quoted}, source: {quoted}, steps: lrn}}}}\nnetwork: b",
            f"{HEAD}params: {{{quoted}: {quoted}}}\nnetwork: [relu]\n",
            f"{HEAD}network: {{branches: {{{quoted}: relu, b: relu}}}}\n",
            f"{HEAD}network: [relu]\nheads: {{{quoted}: {{at: {quoted}, steps: relu}}}}\n",
            f"{HEAD}tables: {{{quoted}: {{columns: [{quoted}], {quoted}: [1]}}}}\nnetwork: relu\n",
            f"inception: 1\nname: {quoted}\ninput: 3x3x3\nnetwork: [relu]\n",
            f"{HEAD}{quoted}: {quoted}\nnetwork: [relu]\n",
            f"{HEAD}network: [relu, {{from: {quoted}, steps: relu}}, {{reuse: {quoted}}}]\n",
            f"{HEAD}network: relu\nclaims: [{{at: {quoted}, macs: {quoted}, source: {quoted}}}]\n",
            f"{HEAD}network: [a: 1x1 conv (2)]\n"
            f"claims: [{{at: a, macs: 5, source: {quoted}, deviates: {quoted}}}]\n",
            f"{HEAD}network: [relu]\nbudget: {{params: {quoted}}}\n",
            f"{HEAD}network: {{op: {quoted}, {quoted}: {quoted}}}\n",
        )
    )
    return one("names", text)


def _escaped(char: str) -> str:
    return f"\\U{ord(char):08x}"


def _many(rng: random.Random) -> Hostile:
    """Much of everything, of a size that a file may have."""
    size = rng.choice((10, 200, 1000))
    steps = "".join(f"  - 1x1 conv ({i % 9 + 1})\n" for i in range(size))
    keys = "".join(f"  k{i}: {i}\n" for i in range(size))
    names = "".join(f"  - s{i}: relu\n" for i in range(size))
    rows = "".join(f"    r{i}: [{i}]\n" for i in range(size))
    text = rng.choice(
        (
            f"{HEAD}network:\n{steps}",
            f"{HEAD}network:\n{names}",
            f"{HEAD}params:\n{keys}network: relu\n",
            f"{HEAD}{keys.replace('  k', 'k')}network: relu\n",
            f"{HEAD}network:\n{names.replace(': relu', ': rleu')}",
            f"{HEAD}network:\n{steps.replace('conv', 'cnov')}",
            f"{HEAD}tables:\n  t:\n    columns: [k]\n{rows}network: relu\n",
            f"{HEAD}defaults:\n{keys}network: relu\n",
            f"{HEAD}blocks:\n{keys.replace(': ', ': 1x1 conv (1) # ')}network: relu\n",
            f"{HEAD}network: {'#' * size * 50}relu\n",
            f"{HEAD}network: 1x1 conv ({'1 ' * size})\n",
            f"{HEAD}network: {'r' * size * 50}\n",
            f"{HEAD}network: [{', '.join(['relu'] * size)}]\n",
        )
    )
    return one("many", text, seconds=2.0)


def _computed(rng: random.Random) -> Hostile:
    """Short specs from which much follows: widths, heads, claims, unread steps, paths, joins."""
    count = rng.choice((3, 20, 60, 100, 101, 300))
    return one("computed", rng.choice(COMPUTED)(count), seconds=3.0)


def growing_widths(count: int, argument: str = "a*b") -> str:
    """Return blocks that hand products of their arguments on; the values of all are 1."""
    blocks = "".join(
        f"  b{i}: {{params: [a, b], steps: [s: b{i + 1} (a={argument} b=a+b-1), 1x1 conv (a)]}}\n"
        for i in range(min(count, 60))
    )
    last = f"  b{min(count, 60)}: {{params: [a, b], steps: [1x1 conv (a+b)]}}\n"
    head = f"{HEAD}params: {{p: 1}}\nblocks:\n{blocks}{last}"
    return f"{head}network: [b0 (a=p b=p), 1x1 conv (p)]\n"


def chosen_widths(count: int) -> str:
    """Return a spec whose widths are choices of choices, by conditions and through calls."""
    params = [f"p{i}" for i in range(90)]
    steps = [
        f"{{when: p{i % 90} == 1, op: 1x1 conv (in+{i})}}" if i % 2 else f"inc (q=p{i % 90})"
        for i in range(count)
    ]
    inc = "{params: [q], steps: [a: 1x1 conv (in+1), c: {when: q == 1, op: 1x1 conv (64)}]}"
    return (
        f"{HEAD}blocks:\n  inc: {inc}\n  b:\n    params: {{{': 0, '.join(params)}: 0}}\n"
        "    steps:\n"
        + "".join(f"    - s{i}: {step}\n" for i, step in enumerate(steps))
        + "network: [b, other: b (p0=1)]\n"
    )


def many_heads(count: int) -> str:
    """Return a network with a number of heads at one step."""
    heads = "".join(
        f"  h{i}: {{at: s, steps: [global avgpool, linear (3)]}}\n" for i in range(count)
    )
    return f"{HEAD}network: [s: relu, t: relu]\nheads:\n{heads}"


def many_claims(count: int, at: str = "r.{}", claimed: str = "macs: 0, depth: 0") -> str:
    """Return a number of claims about the copies of a step."""
    claims = "".join(f"- {{at: {at.format(i)}, {claimed}, source: a}}\n" for i in range(count))
    return f"{HEAD}network: [r: {max(count, 1)} x relu]\nclaims:\n{claims}"


def claims_at_inputs(count: int, nodes: int = 100) -> str:
    """Return claims at a number of other inputs."""
    claims = "".join(f"- {{at: r, macs: 0, input: {33 + i}x32x3}}\n" for i in range(count))
    return f"{HEAD}network: [r: {nodes} x relu]\nclaims:\n{claims}"


def unread_steps(count: int) -> str:
    """Return a number of convs that nothing reads."""
    steps = "".join(
        f"- s{i}: 1x1 conv (3)\n- t{i}: {{from: input, steps: relu}}\n" for i in range(count)
    )
    return f"{HEAD}network:\n{steps}"


def long_paths(count: int) -> str:
    """Return blocks with long names that call each other, at their end copies of a step."""
    names = [f"n{i}_".ljust(56, "x") for i in range(min(count, 60))]
    blocks = "".join(f"  b{i}:\n  - {name}: b{i + 1}\n" for i, name in enumerate(names))
    last = f"  b{len(names)}:\n  - r: {count * 20} x relu\n"
    return f"{HEAD}blocks:\n{blocks}{last}network: [a: b0, b: b0, c: b0]\n"


def wide_joins(count: int, copies: int = 60) -> str:
    """Return copies of a block in which each step reads all steps before it."""
    steps = "".join(
        f"  - s{i}: {{from: [input{''.join(f', s{j}' for j in range(i))}], join: add}}\n"
        for i in range(1, count)
    )
    return f"{HEAD}blocks:\n  b:\n  - s0: relu\n{steps}network: {copies} x b\n"


def changed_lists(count: int) -> str:
    """Return blocks that extend a long list, each with a change."""
    steps = "".join(f"  - s{i}: relu\n" for i in range(count))
    blocks = "".join(f"  b{i}: {{extends: a, s{i}: tanh}}\n" for i in range(count))
    return f"{HEAD}blocks:\n  a:\n{steps}{blocks}network: b0\n"


def alike_branches(count: int) -> str:
    """Return two branches that hold branches of the same names."""
    branches = "".join(f"        n{i}: [relu, tanh]\n" for i in range(count))
    inner = f"      branches:\n{branches}"
    return f"{HEAD}network:\n  branches:\n    a:\n{inner}    b:\n{inner}"


COMPUTED: tuple[Callable[[int], str], ...] = (
    growing_widths,
    lambda count: growing_widths(count, "a*a"),
    lambda count: growing_widths(count, "(a+b) * (a+b) // 4"),
    many_heads,
    many_claims,
    lambda count: many_claims(count, "r.x{}"),
    lambda count: many_claims(count, "r", "memory: 0, shape: 1x1x1"),
    claims_at_inputs,
    unread_steps,
    long_paths,
    wide_joins,
    changed_lists,
    alike_branches,
)
"""Makers of specs whose work is to be in proportion to a number."""


def heavy() -> tuple[Hostile, ...]:
    """The few inputs that are as large as a file may be: each once."""
    mega = 4_900_000
    steps = 10_000
    lines = mega // 8
    return (
        one("a long line", f"{HEAD}title: {'x' * mega}\nnetwork: relu\n"),
        one("a long step", f"{HEAD}network: {'x' * mega}\n"),
        one("a long quoted step", f'{HEAD}network: "{"x " * (mega // 2)}"\n', 2.0),
        one("a long comment", f"{HEAD}network: relu # {'x' * mega}\n"),
        one("a long key", f"{HEAD}{'x' * mega}: 1\nnetwork: relu\n", 2.0),
        one("a long number", f"{HEAD}network: {'9' * mega}\n", 2.0),
        one("a long decimal", f"{HEAD}title: 1.{'9' * mega}\nnetwork: relu\n", 2.0),
        one("wide characters", f"{HEAD}title: {chr(0x1F600) * (mega // 4)}\nnetwork: rleu\n", 2.0),
        one("escapes", f'{HEAD}title: "{chr(92)}n{"a" * mega}"\nnetwork: rleu\n', 2.0),
        one("too large", b"\xff" * 5_000_001),
        one("blank lines", HEAD + "\n" * mega + "network: rleu\n", 2.0),
        one("spaces", HEAD + " " * mega + "network: rleu\n", 2.0),
        one("tabs", HEAD + "\t" * mega + "network: rleu\n", 2.0),
        one("open brackets", "[" * mega),
        one("open braces", "{" * mega),
        one("dashes", "- " * (mega // 2)),
        one("question marks", "? " * (mega // 2)),
        one("anchors", "&a " * (mega // 3)),
        one("many small values", f"a: [{'1,' * (mega // 2)}]", 5.0),
        one("many empty values", f"{HEAD}a: [{'{},' * (mega // 3)}]", 5.0),
        one("many keys", "".join(f"k{i:05}: 1\n" for i in range(lines)), 5.0),
        one("many keys of a block", f"{HEAD}blocks:\n" + " a: b\n" * (mega // 6), 5.0),
        one(
            "many steps, named and counted",
            f"{HEAD}network:\n"
            + "".join(f"- s{i}: 1x1 conv (3)\n- 1x1 conv (3)\n" for i in range(steps // 2)),
            8.0,
        ),
        one("many misspelt steps", f"{HEAD}network:\n" + "- rleu\n" * steps, 5.0),
        one("many misspelt words", f"{HEAD}network:\n" + "- 1x1 conv (9 strde 2)\n" * steps, 5.0),
        one(
            "many branches",
            f"{HEAD}network:\n branches:\n" + "".join(f"  b{i}: relu\n" for i in range(5_000)),
            5.0,
        ),
        one(
            "many blocks",
            f"{HEAD}blocks:\n"
            + "".join(f"  b{i}: 1x1 conv (in)\n" for i in range(5_000))
            + "network:\n"
            + "".join(f"- b{i}\n" for i in range(5_000)),
            5.0,
        ),
        one(
            "many unknown names beside many known ones",
            f"{HEAD}params:\n"
            + "".join(f"  param_{i}: 1\n" for i in range(2_000))
            + "network:\n"
            + "".join(f"- 1x1 conv (parm_{i})\n" for i in range(2_000)),
            5.0,
        ),
        one(
            "many unknown blocks",
            f"{HEAD}blocks:\n"
            + "".join(f"  b{i}: zz{i}\n" for i in range(20_000))
            + "network: relu\n",
            5.0,
        ),
        one(
            "many calls without a value",
            f"{HEAD}blocks:\n  b: {{params: [{', '.join(f'p{i}' for i in range(3_000))}],"
            + " steps: 1x1 conv (p0)}\nnetwork:\n"
            + "".join(f"- s{i}: b\n" for i in range(3_000)),
            5.0,
        ),
        one(
            "many columns",
            f"{HEAD}tables:\n  t: {{columns: [{', '.join(f'c{i}' for i in range(60_000))}]}}\n"
            "network: relu\n",
            5.0,
        ),
        one(
            "a chain of blocks",
            f"{HEAD}blocks:\n"
            + "".join(f"  b{i}: b{i + 1}\n" for i in range(10_000))
            + "  b10000: relu\nnetwork: b0\n",
            5.0,
        ),
        one(
            "a chain of bases",
            f"{HEAD}blocks:\n"
            + "".join(f"  b{i}: {{extends: b{i + 1}}}\n" for i in range(1_500))
            + "  b1500: relu\nnetwork: b0\n",
        ),
        one(
            "lists that are used again",
            f"{HEAD}network:\n- a:\n    steps:\n"
            + "".join(f"    - c{i}: relu\n" for i in range(2_000))
            + "".join(f"- r{i}: {{reuse: a}}\n" for i in range(2_000)),
            15.0,
        ),
        one("growing widths", growing_widths(60), 5.0),
        one("widths that conditions choose", chosen_widths(300), 5.0),
        one("many heads at a step", many_heads(20_000), 5.0),
        one("many claims", many_claims(90_000), 5.0),
        one("as many claims as there may be", many_claims(500), 5.0),
        one("many claims at misspelt paths", many_claims(500, "r.x{}"), 5.0),
        one("claims at many inputs", claims_at_inputs(200, 10_000), 5.0),
        one("claims at as many inputs as there may be", claims_at_inputs(300), 10.0),
        one("many unread steps", unread_steps(6_000), 10.0),
        one("long paths", long_paths(500), 5.0),
        one("wide joins", wide_joins(400, 600), 5.0),
        one("a wide join", wide_joins(340, 1), 5.0),
        one("changes of long lists", changed_lists(900), 5.0),
        one("alike branches", alike_branches(900), 10.0),
        one("as many nodes as there may be", f"{HEAD}network: 240000 x relu\n", 5.0),
        one(
            "as many calls as there may be",
            f"{HEAD}blocks: {{b: relu}}\nnetwork: 240000 x b\n",
            5.0,
        ),
        one(
            "as many nodes as there may be, in blocks of blocks",
            f"{HEAD}blocks: {{a: 60 x b, b: 60 x c, c: 60 x relu}}\nnetwork: a\n",
            5.0,
        ),
    )


KINDS: dict[Callable[[random.Random], Hostile], int] = {
    _random_bytes: 12,
    _random_text: 12,
    _random_words: 14,
    _random_step: 12,
    _random_setting: 6,
    _torn_bytes: 10,
    _torn_words: 10,
    _long_numbers: 6,
    _products: 6,
    _nested: 6,
    _aliases: 4,
    _circles: 3,
    _outside: 3,
    _names: 6,
    _many: 1,
    _computed: 1,
}


def hostile(number: int) -> Hostile:
    """The input of a number."""
    rng = random.Random(number)
    make = rng.choices(tuple(KINDS), tuple(KINDS.values()))[0]
    return make(rng)
