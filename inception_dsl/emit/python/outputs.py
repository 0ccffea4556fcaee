"""The tuples of several outputs, and the names that exported programs know them by."""

from __future__ import annotations

from inception_dsl.emit.python.code import Atom, Construct, Evaluate, symbol


def register_tuple(name: str) -> Evaluate:
    """Return the call that names a tuple of outputs for the files of exported programs.

    A program is saved only where each type that it returns has such a name, and is loaded where a
    module has given the same name. torch has no public function for named tuples.
    """
    known = Atom(f'f"{{__name__}}.{name}"')
    arguments = (("", symbol(name)), ("serialized_type_name", known))
    register = symbol("_pytree._register_namedtuple")
    return Evaluate(Construct(register, arguments), remark="for torch.export.save")
