"""Run the command line as ``python -m factory``."""

import sys

from factory.cli import main

if __name__ == "__main__":
    sys.exit(main())
