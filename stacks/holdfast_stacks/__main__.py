"""cdktf.json's app: synthesizes the stacks of this package. `holdfast_constructs.project.main` says how."""

import sys

from holdfast_constructs.project import main

if __name__ == "__main__":
    sys.exit(main(__package__))
