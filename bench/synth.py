"""What `holdfast synth` costs, as a whole process: the fast bindings against the stock ones, in one run.

    python bench/synth.py [--runs 3] [--skip-stock]

Fast and stock runs take turns, so that what else the machine does touches both. The second table is of an
app of three stacks that has no line of Holdfast in it (tests/fixtures/foreign_app).
"""

import argparse
import shutil
import sys
import tempfile
from pathlib import Path

from measure import HOLDFAST, ROOT, Case, run, table

STOCK = {"HOLDFAST_FAST_BINDINGS": "0"}
MANY = (sys.executable, "bench/many_services.py")
FIFTY = (*MANY, "--web", "50")
HUNDRED = (*MANY, "--web", "50", "--workers", "40", "--jobs", "10")


def measure(runs: int, *, stock: bool) -> list[Case]:
    """All cases, the fast way of the platform first: the others are compared with it."""
    with tempfile.TemporaryDirectory(prefix="holdfast-bench-") as folder:
        scratch = Path(folder)
        out = str(scratch / "out")
        platform = (HOLDFAST, "synth", "--env", "prod", "--output", out)
        warm = {"XDG_CACHE_HOME": str(scratch / "warm"), "CDKTF_OUTDIR": out}
        run(platform, warm)
        for services in (FIFTY, HUNDRED):
            run(services, warm)
        fast, slow, first, fifty, hundred = [], [], [], [], []
        for number in range(runs):
            fast.append(run(platform, warm))
            if stock:
                slow.append(run(platform, warm | STOCK))
            first.append(run(platform, {"XDG_CACHE_HOME": str(scratch / f"first-{number}")}))
            fifty.append(run(FIFTY, warm))
            hundred.append(run(HUNDRED, warm))
    cases = {
        "`holdfast synth --env prod`": fast,
        "the same, `HOLDFAST_FAST_BINDINGS=0`": slow,
        "the same, first run ever (empty cache)": first,
        "50 services in one environment (52 stacks)": fifty,
        "100 services: 50 web, 40 workers, 10 jobs (102 stacks)": hundred,
    }
    return [Case(title, tuple(samples)) for title, samples in cases.items() if samples]


def measure_plain_app(runs: int, *, stock: bool) -> list[Case]:
    """The cases of an app that knows nothing of Holdfast, the fast way first."""
    with tempfile.TemporaryDirectory(prefix="holdfast-bench-") as folder:
        scratch = Path(folder)
        shutil.copytree(ROOT / "tests" / "fixtures" / "foreign_app", scratch / "app")
        synth = (HOLDFAST, "synth", "--project", str(scratch / "app"), "--account", "123456789012")
        warm = {"XDG_CACHE_HOME": str(scratch / "warm")}
        run(synth, warm)
        fast, slow, first = [], [], []
        for number in range(runs):
            fast.append(run(synth, warm))
            if stock:
                slow.append(run(synth, warm | STOCK))
            first.append(run(synth, {"XDG_CACHE_HOME": str(scratch / f"first-{number}")}))
    cases = {
        "`holdfast synth`": fast,
        "the same, `HOLDFAST_FAST_BINDINGS=0`": slow,
        "the same, first run ever (empty cache)": first,
    }
    return [Case(title, tuple(samples)) for title, samples in cases.items() if samples]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=3, help="samples of each case (default: 3)")
    parser.add_argument("--skip-stock", action="store_true", help="leave the slow peer out")
    options = parser.parse_args()
    stock = not options.skip_stock
    print(table("synth", measure(options.runs, stock=stock)))
    print()
    print(table("synth of a plain app", measure_plain_app(options.runs, stock=stock)))


if __name__ == "__main__":
    main()
