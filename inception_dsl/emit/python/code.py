"""Python as data: the pieces of an emitted module, with the names that each of them needs.

Everything is decided on these types. `layout` prints them once, last, and nothing reads the printed
text again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal

from inception_dsl.emit.python.torch_classes import Argument
from inception_dsl.expr import Apply, find_functions, find_names, show

NO_NAMES: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Atom:
    """Code that stays on one line: a name, a literal, an expression.

    Attributes:
        reads: the locals and parameters that it reads.
        uses: the names that it takes from the module or from Python.
    """

    text: str
    reads: frozenset[str] = NO_NAMES
    uses: frozenset[str] = NO_NAMES

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class Construct:
    """A call, `callee(a, name=b)`; an argument without a keyword has an empty name.

    A list is one too, without a callee and between square brackets. `remarks` are comments behind
    the arguments of a call that is printed over several lines.
    """

    callee: Atom
    arguments: tuple[tuple[str, Code], ...] = ()
    brackets: str = "()"
    remarks: tuple[str, ...] = ()

    @property
    def reads(self) -> frozenset[str]:
        """The locals and parameters that it reads."""
        return self.callee.reads.union(*(code.reads for _, code in self.arguments))

    @property
    def uses(self) -> frozenset[str]:
        """The names that it takes from the module or from Python."""
        return self.callee.uses.union(*(code.uses for _, code in self.arguments))

    def __str__(self) -> str:
        inner = ", ".join(f"{name}={code}" if name else str(code) for name, code in self.arguments)
        return f"{self.callee}{self.brackets[0]}{inner}{self.brackets[1]}"


@dataclass(frozen=True, slots=True)
class Copies:
    """Arguments that differ in nothing but `index`: `*(code for index in range(count))`."""

    code: Code
    count: Atom
    index: str = "_"

    @property
    def reads(self) -> frozenset[str]:
        """The locals and parameters that it reads."""
        return (self.code.reads - {self.index}) | self.count.reads

    @property
    def uses(self) -> frozenset[str]:
        """The names that it takes from the module or from Python."""
        return self.code.uses | self.count.uses | {"range"}

    @property
    def each(self) -> str:
        """The part that counts the copies."""
        return f"for {self.index} in range({self.count})"

    def __str__(self) -> str:
        return f"*({self.code} {self.each})"


@dataclass(frozen=True, slots=True)
class Chained:
    """Operands between operators that bind alike: `a + b - c`."""

    operators: tuple[str, ...]
    operands: tuple[Code, ...]

    @property
    def reads(self) -> frozenset[str]:
        """The locals and parameters that it reads."""
        return NO_NAMES.union(*(operand.reads for operand in self.operands))

    @property
    def uses(self) -> frozenset[str]:
        """The names that it takes from the module or from Python."""
        return NO_NAMES.union(*(operand.uses for operand in self.operands))

    @property
    def parts(self) -> Iterator[tuple[str, Code]]:
        """Each operand with the text before it: its operator and a blank."""
        yield "", self.operands[0]
        for operator, operand in zip(self.operators, self.operands[1:], strict=True):
            yield f"{operator} ", operand

    def __str__(self) -> str:
        return " ".join(f"{before}{operand}" for before, operand in self.parts)


@dataclass(frozen=True, slots=True)
class _Around:
    """Code with something around it that reads nothing."""

    code: Code

    @property
    def reads(self) -> frozenset[str]:
        """The locals and parameters that it reads."""
        return self.code.reads

    @property
    def uses(self) -> frozenset[str]:
        """The names that it takes from the module or from Python."""
        return self.code.uses


@dataclass(frozen=True, slots=True)
class Bracketed(_Around):
    """Code between brackets that no call opens: `(a + b)`."""

    def __str__(self) -> str:
        return f"({self.code})"


@dataclass(frozen=True, slots=True)
class Prefixed(_Around):
    """An operator and its only operand: `not a`."""

    operator: str

    def __str__(self) -> str:
        return f"{self.operator}{self.code}"


@dataclass(frozen=True, slots=True)
class Choice:
    """One of two values by a condition: `a if condition else b`."""

    condition: Code
    code: Code
    other: Code

    @property
    def reads(self) -> frozenset[str]:
        """The locals and parameters that it reads."""
        return self.condition.reads | self.code.reads | self.other.reads

    @property
    def uses(self) -> frozenset[str]:
        """The names that it takes from the module or from Python."""
        return self.condition.uses | self.code.uses | self.other.uses

    def __str__(self) -> str:
        return f"{self.code} if {self.condition} else {self.other}"


Code = Atom | Construct | Copies | Chained | Bracketed | Prefixed | Choice


@dataclass(frozen=True, slots=True)
class Assign:
    """An assignment to a local or to an attribute of `self`, with a comment behind it."""

    target: str
    code: Code
    type: Atom | None = None
    remark: str = ""


@dataclass(frozen=True, slots=True)
class Evaluate:
    """A call for its effect, in a function or in the module, with a comment behind it."""

    code: Code
    remark: str = ""

    @property
    def uses(self) -> frozenset[str]:
        """The names that it takes from the module or from Python."""
        return self.code.uses


@dataclass(frozen=True, slots=True)
class Return:
    """The end of a function, with a comment behind it."""

    code: Code
    remark: str = ""


@dataclass(frozen=True, slots=True)
class Block:
    """A statement with others below it: `for ...:`, `if ...:`.

    Attributes:
        binds: the local that it assigns, if any.
    """

    head: Atom
    body: tuple[Statement, ...]
    binds: str = ""


@dataclass(frozen=True, slots=True)
class Blank:
    """An empty line between two paragraphs of statements."""


@dataclass(frozen=True, slots=True)
class Heading:
    """A comment on a line of its own, above a paragraph of statements."""

    text: str


Statement = Assign | Evaluate | Return | Block | Blank | Heading


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of a function; without a default it must be given."""

    name: str
    type: Atom
    default: Code | None = None

    def __str__(self) -> str:
        default = "" if self.default is None else f" = {self.default}"
        return f"{self.name}: {self.type}{default}"


@dataclass(frozen=True, slots=True)
class Function:
    """A function, or a method where its first parameter is `self`.

    Attributes:
        params: those that may be given by position; those without a default come first.
        keywords: those that must be given by name.
    """

    name: str
    result: Atom
    body: tuple[Statement, ...]
    params: tuple[Parameter, ...] = ()
    keywords: tuple[Parameter, ...] = ()
    doc: tuple[str, ...] = ()
    is_method: bool = True

    @property
    def reads(self) -> frozenset[str]:
        """The locals and parameters that its body reads."""
        return NO_NAMES.union(*(code.reads for code in _codes(self.body)))

    @property
    def uses(self) -> frozenset[str]:
        """The names that it takes from the module or from Python."""
        params = (*self.params, *self.keywords)
        types = [param.type for param in params]
        defaults = [param.default for param in params if param.default is not None]
        codes = (*types, *defaults, self.result, *_codes(self.body))
        return NO_NAMES.union(*(code.uses for code in codes))


@dataclass(frozen=True, slots=True)
class Member:
    """A field of a NamedTuple, with a comment behind it."""

    name: str
    type: Atom
    remark: str = ""


@dataclass(frozen=True, slots=True)
class Class:
    """A class with one base."""

    name: str
    base: Atom
    doc: tuple[str, ...]
    methods: tuple[Function, ...] = ()
    members: tuple[Member, ...] = ()

    @property
    def uses(self) -> frozenset[str]:
        """The names that it takes from the module or from Python."""
        methods = (method.uses for method in self.methods)
        return self.base.uses.union(*methods, *(member.type.uses for member in self.members))


@dataclass(frozen=True, slots=True)
class Excerpt:
    """A definition that is taken as it stands from real code, `helpers.py`."""

    name: str
    text: str
    uses: frozenset[str]


Definition = Function | Class | Excerpt | Evaluate


def _codes(statements: Iterable[Statement]) -> Iterator[Code]:
    for statement in statements:
        match statement:
            case Assign(code=code, type=type):
                yield code
                if type is not None:
                    yield type
            case Evaluate(code) | Return(code):
                yield code
            case Block(head, body):
                yield head
                yield from _codes(body)
            case Blank() | Heading():
                pass


def local(name: str) -> Atom:
    """Return a local or a parameter, by its name."""
    return Atom(name, reads=frozenset([name]))


def attribute(path: str) -> Atom:
    """Return an attribute of `self`, by its dotted path."""
    return Atom(f"self.{path}", reads=frozenset(["self"]))


def symbol(name: str) -> Atom:
    """Return a name of the module, of torch or of Python, such as `nn.Conv2d`."""
    return Atom(name, uses=frozenset([name.partition(".")[0]]))


def annotation(text: str, *uses: str) -> Atom:
    """Return a type, with the names of the module that it needs."""
    return Atom(text, uses=frozenset(uses))


def literal(value: Argument) -> Atom:
    """Return a value, or an expression over parameters, as Python writes it."""
    match value:
        case bool():
            return Atom(str(value))
        case str():
            return Atom(_quoted(value))
        case (_, _):
            return literal(Apply("pair", value))
        case tuple():
            parts = [literal(part) for part in value]
            reads = frozenset(name for part in parts for name in part.reads)
            return Atom(f"({', '.join(map(str, parts))})", reads)
        case Decimal():
            return Atom(repr(float(value)))
        case _:
            return Atom(show(value), find_names(value), find_functions(value))


def _quoted(text: str) -> str:
    shown = repr(text)
    return f'"{shown[1:-1]}"' if shown[0] == "'" and '"' not in text else shown
