"""`make bench`: every benchmark in one run; the tables go to docs/benchmarks.md, between its markers."""

import os
import platform
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "benchmarks.md"
BENCHMARKS = (
    ("synth.py",),
    ("commands.py",),
    ("one_plan.py",),
    ("modules.py",),
    ("safety.py",),
    ("one_change.py", "--firsts", "2", "--changes", "3"),
    ("executor.py",),
    ("simulation.py", "--shards", "100", "1000"),
)
BEGIN, END = "<!-- bench -->\n", "<!-- /bench -->"


def tables() -> str:
    """Run the benchmarks and return their tables as Markdown."""
    system, version = f"{platform.system()} {platform.machine()}", platform.python_version()
    machine = f"{os.cpu_count()} cores, {system}, Python {version}"
    printed = [_run(*words) for words in BENCHMARKS]
    return "\n".join((f"Measured by `make bench` on {machine}. Medians of whole processes.\n", *printed))


def _run(name: str, *options: str) -> str:
    command = [sys.executable, str(ROOT / "bench" / name), *options]
    return subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout


def main() -> None:
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    measured = tables()
    print(measured)
    PAGE.write_text(f"{before}{BEGIN}{measured}{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
