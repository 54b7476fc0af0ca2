"""Writes the runbooks of the ready sets of alarms into a project."""

import argparse
import sys
from pathlib import Path

from holdfast_constructs.observability.runbooks import write_runbooks


def main() -> int:
    """Write the runbooks that are missing, say which, and return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m holdfast_constructs.observability.runbooks", description=__doc__
    )
    parser.add_argument("folder", type=Path, help="the folder of the runbooks, such as docs/runbooks")
    parser.add_argument("--owner", required=True, help="who answers for the alarms")
    parser.add_argument("--deputy", required=True, help="who does when they cannot")
    options = parser.parse_args()
    if not options.owner.strip() or not options.deputy.strip() or options.owner == options.deputy:
        parser.error("--owner and --deputy must be two teams or people")
    for path in write_runbooks(options.folder, owner=options.owner, deputy=options.deputy):
        sys.stdout.write(f"wrote {path}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
