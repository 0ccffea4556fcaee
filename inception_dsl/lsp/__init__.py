"""The editor's server: diagnostics, hints, hovers, completion, navigation by the protocol LSP.

`desk` holds the open texts and their readings. Each feature is a module of plain functions, from a
reading to data; `server` alone knows the library of the protocol, and turns data into messages.
"""

__all__: tuple[str, ...] = ()
