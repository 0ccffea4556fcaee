"""What a figure shows, as facts about a model: words, marks, footnotes, the tree of steps."""
