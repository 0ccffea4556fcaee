"""Specs out of specs: formatted, expanded to one file, begun anew."""

from inception_dsl.emit.spec.expand import expand
from inception_dsl.emit.spec.format import format_spec
from inception_dsl.emit.spec.skeleton import extending_spec, new_spec

__all__ = ["expand", "extending_spec", "format_spec", "new_spec"]
