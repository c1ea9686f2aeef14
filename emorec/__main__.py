"""``python -m emorec``: the same as the command ``emorec``."""

from __future__ import annotations

import sys

from emorec.cli import main

if __name__ == "__main__":
    sys.exit(main())
