"""`python -m inception_dsl`."""

import sys

from inception_dsl.cli import main

if __name__ == "__main__":
    sys.exit(main())
