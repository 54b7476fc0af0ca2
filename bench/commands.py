"""What the commands cost that need no synth: `--help`, `list` and `graph` on an existing cdktf.out.

python bench/commands.py [--runs 9]
"""

import argparse
import tempfile

from measure import HOLDFAST, Case, run, table

COMMANDS = {"`holdfast --help`": ("--help",), "`holdfast list`": ("list",), "`holdfast graph`": ("graph",)}


def measure(runs: int) -> list[Case]:
    """Each command in turn, `runs` times, after a synth of every environment."""
    with tempfile.TemporaryDirectory(prefix="holdfast-bench-") as out:
        run((HOLDFAST, "synth", "--output", out))
        samples = {
            title: tuple(run((HOLDFAST, *words), {"HOLDFAST_OUTPUT": out}) for _ in range(runs))
            for title, words in COMMANDS.items()
        }
    return [Case(title, taken) for title, taken in samples.items()]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=9, help="samples of each command (default: 9)")
    print(table("commands", measure(parser.parse_args().runs)))


if __name__ == "__main__":
    main()
