"""`python -m secval` is `secval`."""

import sys

from secval.cli import main

if __name__ == "__main__":
    sys.exit(main())
