"""`python -m holdfast_orchestrator`: the same as `holdfast`."""

import sys

from holdfast_orchestrator.cli import main

if __name__ == "__main__":
    sys.exit(main())
