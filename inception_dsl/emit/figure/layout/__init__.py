"""The place of everything in a figure: from a `Drawing` to a `Scene`.

`compose` is the walk. It has `measure` find the size of each tree and `arrange` its place; `poster`
arranges several panels, and `page` puts a title above and footnotes beneath.
"""
