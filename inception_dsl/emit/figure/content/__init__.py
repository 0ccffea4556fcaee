"""The content of a figure: from a model to a `Drawing`, in which nothing has a place.

`subject` gathers facts about the model. `schema`, `blocks` and `full` turn bodies into trees: they
fold `steps`, make `boxes` with the words of `labels`, and have `decompose` put them in series and
in parallel. `notes`, `shading` and `footnotes` add shapes, costs and deviations to the trees, and
`drawing` puts all of it together.
"""
