"""Readable PyTorch: one module that imports torch and nothing else.

One class a block, written as one would by hand. The author's names are the attributes and the keys
of the state_dict; an author's text reaches code only as checked identifiers or escaped literals.
"""

from inception_dsl.emit.python.module import emit_python

__all__ = ["emit_python"]
