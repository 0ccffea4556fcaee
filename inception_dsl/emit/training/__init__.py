"""The training script of a network: one file that trains it as its recipe says.

Every part that the recipe does not ask for is left out. A number that the recipe leaves open is an
option of the script that a person must give. The script imports the module beside it.
"""

from inception_dsl.emit.training.script import emit_training

__all__ = ["emit_training"]
