"""Names that the author may choose: they become attributes, classes and locals in emitted code.

Names that the emitter chooses give way to an author's. Names that emitted code imports, calls or
inherits cannot, so they are refused here, before a module is written that does not run.
"""

from __future__ import annotations

import re
from keyword import iskeyword

from inception_dsl.spec.tree import reads_as_text

MAX_LENGTH = 60

_EMITTED = """
    F Fraction Literal NamedTuple OrderedDict Tensor TypeVar in input isinstance math nn out range
    self super torch x
"""

_BUILTINS = frozenset(
    [
        "bool",
        "float",
        "int",
        "isinstance",
        "list",
        "max",
        "min",
        "range",
        "round",
        "super",
        "tuple",
        "type",
    ]
)
"""Names of Python that functions and annotations of a module read."""

# The public attributes of nn.Module, nn.Sequential and nn.ModuleDict.
_MODULE = """
    T_destination add_module append apply bfloat16 buffers call_super_init children clear compile
    cpu cuda double dump_patches eval extend extra_repr float forward get_buffer get_extra_state
    get_parameter get_submodule half insert ipu items keys load_state_dict modules mtia
    named_buffers named_children named_modules named_parameters parameters pop
    register_backward_hook register_buffer register_forward_hook register_forward_pre_hook
    register_full_backward_hook register_full_backward_pre_hook
    register_load_state_dict_post_hook register_load_state_dict_pre_hook register_module
    register_parameter register_state_dict_post_hook register_state_dict_pre_hook requires_grad_
    set_extra_state set_submodule share_memory state_dict to to_empty train training type update
    values xpu zero_grad
"""

RESERVED = frozenset(f"{_EMITTED} {_MODULE}".split())
"""Names that no step may have, because emitted code needs them."""


def network_name_problem(name: str) -> str | None:
    """Return why a network cannot have this name; None if its factory may have it."""
    if name in _BUILTINS:
        return f"emitted code needs the name `{name}` for itself"
    problem = name_problem(name)
    if problem is None and not reads_as_text(name):
        return f"YAML reads `{name}` as another value than text"
    return problem


def usable_network_name(name: str) -> str | None:
    """Return a usable name in place of one that a network cannot have; None if there is none."""
    usable = usable_name(name, "net")
    return f"{usable}_net" if usable and network_name_problem(usable) else usable


def may_name_block(name: str) -> bool:
    """Tell whether a block may have a name of torch's, such as `half`: it becomes a class."""
    return name in _MODULE.split()


def usable_name(name: str, what: str) -> str | None:
    """Return a usable name in place of one that a thing cannot have; None if there is none.

    Args:
        what: the kind of thing that is named, such as `branch`, which distinguishes a name that is
            taken.
    """
    plain = re.sub(r"\W+", "_", drop_accents(name), flags=re.ASCII).strip("_")[:MAX_LENGTH]
    if plain and not plain[0].isdigit():
        is_usable = plain != name and name_problem(plain) is None
        return plain if is_usable else f"{plain[: MAX_LENGTH // 2]}_{what}"
    return f"{what}_{plain}" if plain else None


def drop_accents(text: str) -> str:
    """Return a text with plain letters in the place of those with accents."""
    import unicodedata

    letters = unicodedata.normalize("NFKD", text)  # an accent stands behind its letter
    return "".join(letter for letter in letters if not unicodedata.combining(letter))


def name_problem(name: str) -> str | None:
    """Return why nothing can have this name, or None if a step can."""
    if not (name.isascii() and name.isidentifier()):
        shown = name if len(name) <= MAX_LENGTH else f"{name[:MAX_LENGTH]}..."
        return f"`{shown}` is no name: a letter, then letters, digits and `_`"
    if len(name) > MAX_LENGTH:
        return f"a name has at most {MAX_LENGTH} characters"
    if iskeyword(name):
        return f"`{name}` is a keyword of Python"
    if name in RESERVED or name.startswith("_"):
        return f"emitted code needs the name `{name}` for itself"
    return None
