"""``python -m matinee``: the same as the ``matinee`` command."""

import sys

from .cli import main

if __name__ == "__main__":
    sys.exit(main())
