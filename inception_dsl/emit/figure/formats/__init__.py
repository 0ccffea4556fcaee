"""How a figure is written: SVG, PNG, DOT, Mermaid."""
