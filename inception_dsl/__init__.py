"""A compiler for specs of convolutional architectures: YAML in, checked DAG, costs, PyTorch out."""

__version__ = "0.1.0"
