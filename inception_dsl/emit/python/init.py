"""How weights begin, as code: a call around a module, or a method of a unit that is a layer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from inception_dsl.emit.python.layout import Code, Construct, literal
from inception_dsl.emit.python.torch_table import Argument, Layer


@dataclass(frozen=True, slots=True)
class Init:
    """How the weights of a layer begin, and its bias; as torch has it, where nothing is said."""

    scheme: str = ""
    bias: Argument | None = None

    def __bool__(self) -> bool:
        return bool(self.scheme) or self.bias is not None

    def around(self, code: Code) -> Code:
        """A call that makes a module and begins its weights."""
        if self.scheme:
            name, _, takes = self.scheme.partition(" ")
            code = Construct(f"init_{name}", (("", code), *_keyword(takes)))
        if self.bias is not None:
            code = Construct("init_bias", (("", code), ("", _number(self.bias))))
        return code

    def method(self) -> list[str]:
        """The method by which a layer of torch's begins its own weights."""
        if not self:
            return []
        return [
            "    def reset_parameters(self) -> None:",
            "        super().reset_parameters()",
            f"        {self.around('self')}",
            "",
        ]


def init_of(layers: tuple[Layer, ...]) -> Init:
    """How the weights of a step begin, by its first layer."""
    return Init(layers[0].init, layers[0].bias_init)


def usual(inits: Iterable[Init]) -> Init:
    """What a class says for its uses: the most frequent way, if each of them says as much.

    A use undoes what the class says by saying it otherwise; nothing takes it back to torch's.
    """
    counts = Counter(inits)
    if not counts:
        return Init()
    common = counts.most_common(1)[0][0]
    is_said = all(
        (init.scheme or not common.scheme) and (init.bias is not None or common.bias is None)
        for init in counts
    )
    is_number = all(isinstance(init.bias, int | Decimal | None) for init in counts)
    return common if is_said and is_number else Init()


def _keyword(takes: str) -> list[tuple[str, Code]]:
    if not takes:
        return []
    return [("mode", f'"{takes}"')] if takes.startswith("fan") else [("std", takes)]


def _number(value: Argument) -> str:
    return f"{value}.0" if isinstance(value, int) else literal(value)
