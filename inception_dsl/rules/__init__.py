"""Findings out of models, reports and comparisons.

`judge` runs the rules of a model, and `changes` grades the edits of a comparison. A command imports
the one that it needs.
"""
