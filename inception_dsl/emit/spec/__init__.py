"""Spec text: format a spec, expand it to one file, or start a new one."""

from inception_dsl.emit.spec.expand import expand
from inception_dsl.emit.spec.format import format_spec
from inception_dsl.emit.spec.skeleton import write_extending_spec, write_modeline, write_new_spec

__all__ = ["expand", "format_spec", "write_extending_spec", "write_modeline", "write_new_spec"]
