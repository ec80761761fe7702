"""python -m derive: the command line."""

import sys

from derive.cli import main

if __name__ == "__main__":
    sys.exit(main())
