"""`inception-dsl`, and `python -m inception_dsl`."""

import gc
import sys


def main() -> int:
    """Run a command and return its exit code."""
    # Classes, specs and models are many objects, of which few are circular.
    gc.set_threshold(1_000_000, 20, 20)
    from inception_dsl.cli import main as run

    return run()


if __name__ == "__main__":
    sys.exit(main())
